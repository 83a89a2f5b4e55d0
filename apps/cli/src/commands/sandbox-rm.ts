import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly recursive?: true;
}

export const sandboxRmCommand: Command = defineServerCommand("rm", "delete files of a sandbox")
  .argument("<sandbox>", "its id")
  .argument("<paths...>", "the paths there")
  .option("-r, --recursive", "folders with everything in them")
  .action(async (id: string, paths: string[], flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { files } = syla.sandboxes.open(id);
    for (const path of paths) await files.remove(path, { recursive: flags.recursive === true });
    if (flags.json === true) printJson({ deleted: paths });
  });
