import { readdirSync, readFileSync } from "node:fs";

/** A process of this machine, as `/proc` shows it. */
export interface ProcessEntry {
  readonly pid: number;
  readonly arguments: readonly string[];
}

/** The processes that have `text` among their arguments: a folder or a number that is the test's own, since others run beside it. */
export function findProcesses(text: string): ProcessEntry[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const entries = pids.map((pid) => ({ pid: Number(pid), arguments: argumentsOf(pid) }));
  return entries.filter((entry) => entry.arguments.some((argument) => argument.includes(text)));
}

/** Empty for a process that has just ended. */
function argumentsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").filter(Boolean);
  } catch {
    return [];
  }
}
