import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { joinTerminal, sizeOf } from "../sandboxes/join-terminal.ts";
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
    if (!process.stdin.isTTY || !process.stdout.isTTY)
      throw new CliError("A shell needs a terminal.", { code: "no_terminal", exit: "usage", hint: "In scripts use `syla sandbox exec`." });
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const sandbox = syla.sandboxes.open(id);
    const size = sizeOf(process.stdout);
    const started = { pid: Number(flags.attach) };
    const command = words.length === 0 ? ["/bin/bash", "-i"] : words;
    const { pid } = flags.attach === undefined ? await sandbox.processes.start(command, { terminal: size }) : started;
    process.exitCode = await joinTerminal(sandbox.processes.terminal(pid), process.stdin, process.stdout);
  });
