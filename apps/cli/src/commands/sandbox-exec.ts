import type { Command } from "commander";
import { connect } from "../connection.ts";
import { parseDuration, parseVariables } from "../runs/parse-flags.ts";
import { readPipedStdin } from "../runs/read-stdin.ts";
import { execCommand } from "../sandboxes/exec-command.ts";
import { collect, type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly cwd?: string;
  readonly env: readonly string[];
  readonly timeout?: string;
}

export const sandboxExecCommand: Command = defineServerCommand("exec", "run a command in a sandbox, and exit with its exit code")
  .argument("<sandbox>", "its id")
  .argument("<command...>", "the command: one word is a line for the shell; options for syla go before it")
  .option("-C, --cwd <folder>", "the folder to run in (/workspace)")
  .option("-e, --env <NAME=value>", "set a variable; NAME alone passes yours on", collect, [])
  .option("-t, --timeout <duration>", "the longest it may take")
  .passThroughOptions()
  .action(async (id: string, words: string[], flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const sandbox = syla.sandboxes.open(id);
    const stdin = await readPipedStdin();
    const command = words.length === 1 ? (words[0] as string) : words;
    const options = {
      env: parseVariables([], flags.env, process.env),
      ...(flags.cwd !== undefined && { cwd: flags.cwd }),
      ...(flags.timeout !== undefined && { timeoutMs: parseDuration(flags.timeout) }),
      ...(stdin !== null && { stdinBase64: stdin.toString("base64") }),
    };
    process.exitCode = await execCommand(sandbox, command, options, flags.json === true);
  });
