import { readFileSync, readlinkSync } from "node:fs";

/** A process, and where its number means anything. */
interface ProcessIdentity {
  /** The machine since it was started, and the namespace of processes. */
  readonly place: string;
  readonly pid: number;
  /** When it began, in ticks since the machine was started. */
  readonly began: number;
}

/** This process as text that tells it from every other one, also from those that get its number later; null where `/proc` does not tell. */
export function describeProcess(): string | null {
  const place = placeHere();
  const began = beganAt(process.pid);
  return place === null || began === null ? null : JSON.stringify({ place, pid: process.pid, began } satisfies ProcessIdentity);
}

/** Whether a process is certainly dead: one of this machine, of which nothing is left but perhaps its number. No clock has a say in it. */
export function isProcessGone(described: string | null): boolean {
  if (described === null) return false;
  const { place, pid, began } = JSON.parse(described) as ProcessIdentity;
  return place === placeHere() && beganAt(pid) !== began;
}

function placeHere(): string | null {
  try {
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return null;
  }
}

/** Source: proc(5), field 22 of `stat`; null when there is no such process. */
function beganAt(pid: number): number | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return Number(fields[19]);
  } catch {
    return null;
  }
}
