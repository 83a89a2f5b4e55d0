import { constants } from "node:os";
import type { ExecOptions, SandboxHandle } from "@syla/sdk";
import { printJson } from "../output/print.ts";
import { createProgramOutput } from "./program-output.ts";

const timedOut = 124;
const signals: Readonly<Record<string, number>> = constants.signals;

/** Runs a command in a sandbox with its output here, or as one document. @returns the exit code */
export async function execCommand(
  sandbox: SandboxHandle,
  command: string | string[],
  options: ExecOptions,
  json: boolean,
): Promise<number> {
  if (json) {
    const result = await sandbox.exec(command, options);
    printJson(result);
    return exitCodeOf(result);
  }
  let exitCode = 1;
  const write = { stdout: createProgramOutput(process.stdout), stderr: createProgramOutput(process.stderr) };
  for await (const event of sandbox.stream(command, options)) {
    if (event.type === "exit") exitCode = exitCodeOf(event);
    else await write[event.stream](Buffer.from(event.data, "base64"));
  }
  return exitCode;
}

function exitCodeOf({ exitCode, signal, timedOut: late }: { exitCode: number | null; signal: string | null; timedOut: boolean }): number {
  return late ? timedOut : (exitCode ?? 128 + (signals[signal ?? ""] ?? 0));
}
