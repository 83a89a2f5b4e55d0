import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { findProgram } from "../programs/find-program.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface CloneFlags extends CommonFlags {
  readonly name?: string;
  readonly team?: string;
  readonly at?: string;
}

export const programCloneCommand: Command = defineServerCommand("clone", "make a copy of a program, and print its id")
  .argument("<program>", "its id, slug or name")
  .option("--name <name>", "what the copy is called; a free one like the original's when left out")
  .option("--team <team>", "a team of yours that owns the copy")
  .option("--at <version>", "a published version; what is there now when left out")
  .action(async (word: string, flags: CloneFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id } = await findProgram(syla, word);
    const made = await syla.assets.clone(id, {
      ...(flags.name === undefined ? {} : { name: flags.name }),
      ...(flags.team === undefined ? {} : { ownerId: (await findTeam(syla, flags.team)).id }),
      ...(flags.at === undefined ? {} : { version: flags.at }),
    });
    if (flags.json === true) printJson(made);
    else printLine(made.id);
  });

export const programDeleteCommand: Command = defineServerCommand("delete", "delete a program; it can be restored for 30 days")
  .argument("<program>", "its id, slug or name")
  .action(async (word: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id } = await findProgram(syla, word);
    await syla.assets.delete(id);
    if (flags.json === true) printJson({ deleted: id });
  });

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
