import { readdirSync, readFileSync } from "node:fs";

const ticksPerSecond = 100;

/** Processor time of all processes of a PostgreSQL server, in milliseconds; of those that have ended in whole ticks. */
export function readCpuMs(postmaster: number): number {
  let nanoseconds = 0;
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || (pid !== postmaster && readParent(pid) !== postmaster)) continue;
    nanoseconds += Number(read(`/proc/${pid}/schedstat`).split(" ")[0] ?? 0);
  }
  const [userTicks = 0, systemTicks = 0] = fields(postmaster).slice(13, 15).map(Number);
  return nanoseconds / 1e6 + ((userTicks + systemTicks) * 1000) / ticksPerSecond;
}

function readParent(pid: number): number {
  return Number(fields(pid)[1]);
}

/** What follows the name of the program, which may contain anything: the state, the parent, …; `cutime` and `cstime` are 13 and 14. */
function fields(pid: number): string[] {
  const text = read(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** Empty when the process has ended meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
