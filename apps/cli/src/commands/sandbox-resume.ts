import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const sandboxResumeCommand: Command = defineServerCommand("resume", "let the processes of a sandbox go on")
  .argument("<sandbox>", "its id")
  .action(async (id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const sandbox = await syla.sandboxes.open(id).resume();
    if (flags.json === true) printJson(sandbox);
    else printLine(sandbox.status);
  });
