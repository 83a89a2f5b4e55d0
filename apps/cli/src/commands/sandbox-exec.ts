import { constants } from "node:os";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson } from "../output/print.ts";
import { parseDuration, parseVariables } from "../runs/parse-flags.ts";
import { readPipedStdin } from "../runs/read-stdin.ts";
import { createProgramOutput } from "../sandboxes/program-output.ts";
import { collect, type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly cwd?: string;
  readonly env: readonly string[];
  readonly timeout?: string;
}

const timedOut = 124;
const signals: Readonly<Record<string, number>> = constants.signals;

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
    if (flags.json === true) {
      const result = await sandbox.exec(command, options);
      process.exitCode = exitCodeOf(result);
      return printJson(result);
    }
    const write = { stdout: createProgramOutput(process.stdout), stderr: createProgramOutput(process.stderr) };
    for await (const event of sandbox.stream(command, options)) {
      if (event.type === "exit") process.exitCode = exitCodeOf(event);
      else await write[event.stream](Buffer.from(event.data, "base64"));
    }
  });

function exitCodeOf({ exitCode, signal, timedOut: late }: { exitCode: number | null; signal: string | null; timedOut: boolean }): number {
  return late ? timedOut : (exitCode ?? 128 + (signals[signal ?? ""] ?? 0));
}
