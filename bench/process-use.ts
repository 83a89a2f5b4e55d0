import { readFileSync, writeFileSync } from "node:fs";

const ticksPerSecond = 100;

/** Processor time that a process has used, seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
    .map(Number);
  return (user + system) / ticksPerSecond;
}

/** From now on the peak is counted anew. */
export function resetPeakMemory(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** The most memory that a process has had, MiB. */
export function peakMemoryMiB(pid: number): number {
  return readMiB(pid, "VmHWM");
}

/** What it has now. */
export function memoryMiB(pid: number): number {
  return readMiB(pid, "VmRSS");
}

function readMiB(pid: number, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
}
