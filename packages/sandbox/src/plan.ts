import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { proxyEnvironment } from "./egress/environment.ts";
import type { Enforcers } from "./enforcers.ts";
import type { RuntimeSpec, SandboxLimits, SandboxSpec, SessionSpec } from "./spec.ts";
import { baseVariables, pathInside } from "./wall.ts";

/** What the agent is told of a run or a session: `agent/supervisor.py` reads it. */

/** What an interpreter needs to be booted ahead of its run: within smaller limits it has to boot afresh, and may fail as it does everywhere. */
export const bootLimits = { cpus: 1, memoryBytes: 1024 ** 3, processes: 256 };
const leastMemoryBytes = 128 * 1024 ** 2;
const leastProcesses = 32;

/** What an agent is told of a run. */
export function planRun(spec: SandboxSpec, enforcers: Enforcers): Readonly<Record<string, unknown>> {
  const { runtime, limits } = spec;
  const words = runtime.command.map((word) =>
    word.replace("{binary}", () => pathInside(runtime, runtime.binary)).replace("{entrypoint}", () => spec.entrypoint),
  );
  return {
    argv: [...words, ...spec.args],
    mode: runtime.pooling === "fork" && !setsBootVariable(spec) ? "python" : "exec",
    file: `/workspace/${spec.entrypoint}`,
    prefix: runtime.prefix ?? null,
    env: { ...baseVariables(runtime), ...proxyVariables(spec), ...spec.env },
    limits: planLimits(enforcers, limits, !runtime.reservesMemory),
    artifacts: spec.artifacts,
    ...(spec.returns === undefined ? {} : { returns: spec.returns }),
  };
}

/** What an agent is told of a session. */
export function planSession(spec: SessionSpec, enforcers: Enforcers): Readonly<Record<string, unknown>> {
  const folders = spec.runtime.mounts.map(({ target }) => dirname(target));
  const path = [...(spec.path ?? []), "/usr/local/bin", "/usr/bin", "/bin", ...new Set(folders)].join(":");
  return {
    argv: ["session"],
    mode: "session",
    session: true,
    file: "",
    env: { PATH: path, HOME: "/workspace", LANG: "C.UTF-8", TMPDIR: "/tmp", ...proxyVariables(spec), ...spec.env },
    limits: planLimits(enforcers, spec.limits, false),
    artifacts: null,
  };
}

/** `bounded`: an rlimit may hold the memory of each process where no cgroup does. */
function planLimits(enforcers: Enforcers, limits: SandboxLimits, bounded: boolean): unknown {
  return {
    wallMs: limits.wallMs,
    processes: limits.processes,
    openFiles: limits.openFiles,
    diskBytes: limits.diskBytes,
    outputBytes: limits.outputBytes,
    ...(enforcers.memoryBytes === "cgroup"
      ? {}
      : { memoryBytes: limits.memoryBytes, ...(bounded ? { dataBytes: limits.memoryBytes } : {}) }),
    ...(enforcers.cpus === "cgroup" ? {} : { processors: Math.ceil(limits.cpus) }),
  };
}

function proxyVariables(spec: Pick<SandboxSpec, "network" | "env">): Record<string, string> {
  return spec.network === undefined || spec.network === "none" ? {} : proxyEnvironment(spec.env);
}

/** A run that an interpreter booted ahead cannot serve gets one of its own, in a jail without such ones. */
export function bootableRuntime(spec: SandboxSpec, networked: boolean): RuntimeSpec {
  const { runtime, limits } = spec;
  if (runtime.pooling !== "preboot") return runtime;
  const fits = limits.memoryBytes >= leastMemoryBytes && limits.processes >= leastProcesses && !setsBootVariable(spec);
  // The variables of a proxy are read at boot.
  return fits && !networked ? runtime : { ...runtime, pooling: "cold", name: `${runtime.name}+cold` };
}

function setsBootVariable({ env, runtime }: SandboxSpec): boolean {
  return Object.keys(env).some((name) => runtime.bootVariables.some((prefix) => name.startsWith(prefix)));
}

/** Where contexts find Node.js: mounted, or the system's. */
export function nodeInside(runtime: RuntimeSpec): string | null {
  const mounted = runtime.mounts.find(({ target }) => basename(target) === "node")?.target;
  return mounted ?? ["/usr/bin/node", "/usr/local/bin/node"].find((path) => existsSync(path)) ?? null;
}
