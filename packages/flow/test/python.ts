import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** One compiled composition to run, and with what. */
export interface PythonTask {
  source: string;
  name: string;
  inputs: object;
  outputs: readonly string[];
}
export type PythonAnswer = { outputs: Record<string, unknown> } | { error: string };

/** Runs all tasks in one process of Python, where models are stand-ins. */
export async function runPython(tasks: readonly PythonTask[]): Promise<PythonAnswer[]> {
  const child = spawn("python3", [join(import.meta.dirname, "stand-in.py")], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, PYTHONUTF8: "1" },
  });
  const answers = text(child.stdout);
  const ended = once(child, "close");
  for (const task of tasks) if (!child.stdin.write(`${JSON.stringify(task)}\n`)) await once(child.stdin, "drain");
  child.stdin.end();
  await ended;
  return (await answers)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as PythonAnswer);
}
