import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly force?: true;
}

export const sandboxMvCommand: Command = defineServerCommand("mv", "move or rename a file or a folder in a sandbox")
  .argument("<sandbox>", "its id")
  .argument("<from>", "the path there")
  .argument("<to>", "the path that it gets")
  .option("-f, --force", "in place of what is there")
  .action(async (id: string, from: string, to: string, flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const moved = await syla.sandboxes.open(id).files.move(from, to, { overwrite: flags.force === true });
    if (flags.json === true) printJson(moved);
  });
