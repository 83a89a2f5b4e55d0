import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson } from "../output/print.ts";
import { findProgram } from "../programs/find-program.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const programRestoreCommand: Command = defineServerCommand(
  "restore",
  "restore a deleted program, or a version into what is there now",
)
  .argument("<program>", "its id, slug or name")
  .argument("[version]", "a published version whose files and settings become those of now")
  .action(async (word: string, version: string | undefined, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const program = await findProgram(syla, word, version === undefined ? "deleted" : "all");
    const restored =
      version === undefined
        ? await syla.assets.restore(program.id)
        : await syla.assets.versions.restore(program.id, version, program.revision);
    if (flags.json === true) printJson(restored);
  });
