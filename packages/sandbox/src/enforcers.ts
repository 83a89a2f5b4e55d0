import { readFileSync } from "node:fs";
import type { CgroupRoots } from "./cgroups.ts";
import type { EffectiveLimits, Enforcer, LimitName, SandboxLimits } from "./spec.ts";

/** What enforces each limit on this machine. */
export type Enforcers = Readonly<Record<LimitName, Enforcer>>;

/** The hard resource limits of this process, which everything that it starts is within. One that is left out is unlimited. */
const hardLimits = readHardLimits();

/** `roots`: the control groups that can be used; null: none. */
export function enforcersOf(roots: CgroupRoots | null): Enforcers {
  const has = (controller: "memory" | "cpu" | "pids") => roots?.folders.has(controller) === true;
  return {
    wallMs: "supervisor",
    cpus: has("cpu") ? "cgroup" : "affinity",
    memoryBytes: has("memory") ? "cgroup" : "supervisor",
    processes: has("pids") ? "cgroup" : "rlimit",
    openFiles: "rlimit",
    diskBytes: "supervisor",
    outputBytes: "supervisor",
  };
}

/** Limits as they are in force. */
export function effectiveLimits(enforcers: Enforcers, limits: SandboxLimits): EffectiveLimits {
  const entries = Object.entries(enforcers).map(([name, enforcedBy]) => {
    const value = limits[name as LimitName];
    const hard = hardLimits[name as LimitName];
    // A set of processors holds whole ones only; no process may have more than the server itself may.
    if (enforcedBy === "affinity") return [name, { value: Math.ceil(value), enforcedBy }];
    return [name, { value: enforcedBy === "rlimit" && hard !== undefined ? Math.min(value, hard) : value, enforcedBy }];
  });
  return Object.fromEntries(entries) as EffectiveLimits;
}

function readHardLimits(): Partial<Record<LimitName, number>> {
  const text = readFileSync("/proc/self/limits", "utf8");
  const hard = (title: string) => new RegExp(`^${title} +\\S+ +(\\d+)`, "m").exec(text)?.[1];
  const limits = { openFiles: hard("Max open files"), processes: hard("Max processes") };
  return Object.fromEntries(Object.entries(limits).flatMap(([name, value]) => (value === undefined ? [] : [[name, Number(value)]])));
}
