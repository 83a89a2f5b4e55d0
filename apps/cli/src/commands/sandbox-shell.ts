import type { Command } from "commander";
import { connect } from "../connection.ts";
import { joinTerminal, requireTerminal, startShell } from "../sandboxes/join-terminal.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly attach?: string;
}

export const sandboxShellCommand: Command = defineServerCommand("shell", "a shell in a sandbox, on this terminal")
  .argument("<sandbox>", "its id")
  .argument("[command...]", "what to start instead of bash")
  .option("--attach <pid>", "join a terminal that is there already, with its recent output")
  .passThroughOptions()
  .action(async (id: string, words: string[], flags: Flags) => {
    requireTerminal("In scripts use `syla sandbox exec`.");
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const sandbox = syla.sandboxes.open(id);
    const pid = flags.attach === undefined ? await startShell(sandbox, words) : Number(flags.attach);
    process.exitCode = await joinTerminal(sandbox.processes.terminal(pid), process.stdin, process.stdout);
  });
