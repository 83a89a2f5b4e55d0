import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const sandboxPauseCommand: Command = defineServerCommand("pause", "stop every process of a sandbox where it is")
  .argument("<sandbox>", "its id")
  .action(async (id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const sandbox = await syla.sandboxes.open(id).pause();
    if (flags.json === true) printJson(sandbox);
    else printLine(sandbox.status);
  });
