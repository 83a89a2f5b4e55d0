import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const sandboxMkdirCommand: Command = defineServerCommand("mkdir", "make folders in a sandbox, with those above them")
  .argument("<sandbox>", "its id")
  .argument("<paths...>", "the paths there")
  .action(async (id: string, paths: string[], flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { files } = syla.sandboxes.open(id);
    const made = [];
    for (const path of paths) made.push(await files.mkdir(path));
    if (flags.json === true) printJson(made);
  });
