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

/** A told file, with the plan for its hooks; run so many times, each with what the ones before have left. */
export interface ToldTask extends PythonTask {
  plan: { nodes: object; children: string[] };
  times: number;
}
/** What was told of a node. Values are JSON. */
export interface ToldEvent {
  path: string;
  state: string;
  inputs?: string;
  output?: string;
  error?: { kind: string; message: string };
  pinned?: boolean;
  source?: string;
}
export type ToldPass = PythonAnswer & { calls: number; events: ToldEvent[]; printed: string; complaints: string };

/** Runs all tasks in one process of Python, where models are stand-ins. */
export async function runPython(tasks: readonly PythonTask[]): Promise<PythonAnswer[]> {
  return (await answersTo(tasks)) as PythonAnswer[];
}

/** The same of told files: what each time has come of each. */
export async function runTold(tasks: readonly ToldTask[]): Promise<ToldPass[][]> {
  return ((await answersTo(tasks)) as { passes: ToldPass[] }[]).map(({ passes }) => passes);
}

async function answersTo(tasks: readonly PythonTask[]): Promise<unknown[]> {
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
    .map((line): unknown => JSON.parse(line));
}
