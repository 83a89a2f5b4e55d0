import { randomInt } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { createJailCgroup, findCgroupRoots, removeStale, type CgroupRoots, type SlotStats } from "./cgroups.ts";
import type { AgentExit, SandboxConnection } from "./connection.ts";
import { Jail } from "./jail.ts";
import { NamespaceSession } from "./namespace-session.ts";
import { Pool, type Lease } from "./pool.ts";
import { removeFolder, removeFolderSync } from "./remove-folder.ts";
import type { Session } from "./session.ts";
import {
  SandboxError,
  type EffectiveLimits,
  type Enforcer,
  type LimitName,
  type RuntimeSpec,
  type SandboxLimits,
  type SandboxEvent,
  type SandboxExit,
  type SandboxRun,
  type SandboxSpec,
  type SessionSpec,
  type Tier,
  type TierReport,
} from "./spec.ts";
import { binaryInside, type WallPrograms } from "./wall.ts";
import { Watchdog } from "./watchdog.ts";

const sigterm = 15;
/** Sessions at once on this machine, far above what anybody's limits allow. */
const maxSessions = 10_000;

/** What the namespace tier is made with. */
export interface NamespaceTierOptions {
  /** A folder of its own for sockets and workspaces, on the disk that runs may fill. */
  readonly folder: string;
  readonly programs: WallPrograms;
  /** Runs of one tenant in one runtime at once. */
  readonly slotsPerJail: number;
  /** Ignores control groups even where they could be used. */
  readonly withoutCgroups?: boolean;
}

/**
 * The default tier: a bubblewrap jail per runtime and tenant, in it fresh namespaces and a system-call filter for each run.
 * Works as root (then each jail is a host user of its own) and as an ordinary user.
 */
export class NamespaceTier implements Tier {
  readonly name = "namespace";
  readonly #options: NamespaceTierOptions;
  readonly #roots: CgroupRoots | null;
  readonly #pool: Pool;
  /** Sessions have jails of their own, one each: they never take a run's place, and their end is the jail's end. */
  readonly #sessions: Pool;
  readonly #uids: { readonly base: number; readonly count: number; readonly start: number } | null;
  #jails = 0;
  #opened = 0;

  constructor(options: NamespaceTierOptions) {
    this.#options = options;
    this.#uids = process.getuid?.() === 0 ? hostUsers() : null;
    this.#roots = options.withoutCgroups === true ? null : findCgroupRoots();
    if (this.#roots !== null) removeStale(this.#roots);
    removeFolderSync(options.folder);
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    const pool = { slotsPerJail: options.slotsPerJail, maxJails: 64, idleMs: 300_000, waitMs: 30_000 };
    this.#pool = new Pool(pool, (runtime) => this.#createJail(runtime, false));
    const sessions = { ...pool, slotsPerJail: 1, maxJails: maxSessions };
    this.#sessions = new Pool(sessions, (runtime) => this.#createJail(runtime, true));
  }

  async report(): Promise<TierReport> {
    return { tier: this.name, available: true, reason: null, walls: ["bubblewrap", "namespaces", "seccomp"], limits: this.#enforcers() };
  }

  warm(runtime: RuntimeSpec): void {
    this.#pool.warm(runtime);
  }

  async start(spec: SandboxSpec): Promise<SandboxRun> {
    const lease = await this.#pool.acquire(spec.runtime, spec.tenant);
    try {
      lease.jail.cgroup?.limit(lease.connection.slot, spec.limits);
      await lease.connection.sendFiles(spec.files);
      await spec.begin?.();
      await lease.connection.start(this.#plan(spec), spec.stdin);
    } catch (error) {
      lease.release(false);
      throw error;
    }
    const connection = lease.connection;
    return {
      tier: this.name,
      limits: this.#effectiveLimits(spec.limits),
      events: runEvents(lease, spec),
      cancel: (graceMs) => cancel(connection, graceMs),
    };
  }

  async open(spec: SessionSpec): Promise<Session> {
    // A pooling kind of its own keeps one jail ready after the first session.
    const runtime: RuntimeSpec = { ...spec.runtime, name: `session ${spec.runtime.name}`, pooling: "fork" };
    const lease = await this.#sessions.acquire(runtime, `${spec.tenant}\0${this.#opened++}`);
    try {
      lease.jail.cgroup?.limit(lease.connection.slot, { ...spec.limits, outlivesOutOfMemory: true });
      await lease.connection.sendFiles(spec.files);
      return await NamespaceSession.open({
        lease,
        plan: this.#sessionPlan(spec),
        limits: this.#effectiveLimits(spec.limits),
        interpreters: { python: this.#options.programs.python, node: nodeInside(spec.runtime) },
      });
    } catch (error) {
      lease.release(false);
      await lease.jail.end();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.#pool.stop(), this.#sessions.stop()]);
    await removeFolder(this.#options.folder);
  }

  #createJail(runtime: RuntimeSpec, session: boolean): Jail {
    const number = this.#jails++;
    // From a random start, so that servers beside this one take others, and no two jails of this one the same.
    const uid = this.#uids === null ? null : this.#uids.base + ((this.#uids.start + number) % this.#uids.count);
    const owner = uid ?? process.getuid?.() ?? 0;
    const cgroup = this.#roots === null ? null : createJailCgroup(this.#roots, `syla-${process.pid}-${number}`, owner);
    const { cpus, memoryBytes } = this.#enforcers();
    // Without cgroups: memory that belongs to no process cannot be counted.
    const denied = [...(cpus === "affinity" ? ["sched_setaffinity"] : []), ...(memoryBytes === "cgroup" ? [] : ["memfd_create", "shmget"])];
    return new Jail({
      programs: this.#options.programs,
      runtime,
      folder: join(this.#options.folder, `jail-${number}`),
      uid,
      cgroup,
      session,
      denied,
    });
  }

  #enforcers(): Record<LimitName, Enforcer> {
    const has = (controller: "memory" | "cpu" | "pids") => this.#roots?.folders.has(controller) === true;
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

  #effectiveLimits(limits: SandboxLimits): EffectiveLimits {
    const entries = Object.entries(this.#enforcers()).map(([name, enforcedBy]) => {
      const value = limits[name as LimitName];
      // A set of processors holds whole ones only.
      return [name, { value: enforcedBy === "affinity" ? Math.ceil(value) : value, enforcedBy }];
    });
    return Object.fromEntries(entries) as EffectiveLimits;
  }

  /** What `agent/supervisor.py` is told. */
  #plan(spec: SandboxSpec): unknown {
    const { runtime, limits } = spec;
    const words = runtime.command.map((word) =>
      word.replace("{binary}", () => binaryInside(runtime)).replace("{entrypoint}", () => spec.entrypoint),
    );
    const boots = Object.keys(spec.env).some((name) => runtime.bootVariables.some((prefix) => name.startsWith(prefix)));
    return {
      argv: [...words, ...spec.args],
      mode: runtime.pooling === "fork" && !boots ? "python" : "exec",
      file: `/workspace/${spec.entrypoint}`,
      env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: "/tmp", LANG: "C.UTF-8", ...runtime.env, ...spec.env },
      limits: this.#planLimits(limits, !runtime.reservesMemory),
      artifacts: spec.artifacts,
    };
  }

  #sessionPlan(spec: SessionSpec): unknown {
    const folders = spec.runtime.mounts.map(({ target }) => dirname(target));
    const path = ["/usr/local/bin", "/usr/bin", "/bin", ...new Set(folders)].join(":");
    return {
      argv: ["session"],
      mode: "session",
      session: true,
      file: "",
      env: { PATH: path, HOME: "/workspace", LANG: "C.UTF-8", TMPDIR: "/tmp", ...spec.env },
      limits: this.#planLimits(spec.limits, false),
      artifacts: null,
    };
  }

  /** `bounded`: an rlimit may hold the memory of each process where no cgroup does. */
  #planLimits(limits: SandboxLimits, bounded: boolean): unknown {
    const enforcers = this.#enforcers();
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
}

/** Where contexts find Node.js: mounted, or the system's. */
function nodeInside(runtime: RuntimeSpec): string | null {
  const mounted = runtime.mounts.find(({ target }) => basename(target) === "node")?.target;
  return mounted ?? ["/usr/bin/node", "/usr/local/bin/node"].find((path) => existsSync(path)) ?? null;
}

function cancel(connection: SandboxConnection, graceMs: number): void {
  connection.signal(sigterm);
  setTimeout(() => connection.kill("cancelled"), graceMs).unref(); // nothing to one that is over
}

/** Adds to the agent's events what only the host knows, and gives the sandbox back at the end, whatever happens. */
async function* runEvents(lease: Lease, spec: SandboxSpec): AsyncGenerator<SandboxEvent> {
  const { jail, connection } = lease;
  let ended = false;
  const watchdog = new Watchdog(spec, () => void jail.end());
  const stats = () => jail.cgroup?.stats(connection.slot) ?? null;
  try {
    for await (const event of connection.events()) {
      if (event.type === "paused") continue; // of sessions only
      watchdog.saw(event);
      ended = event.type === "agent-exit";
      yield event.type === "agent-exit" ? toExit(event.exit, stats()) : event;
      watchdog.waits();
      if (event.type === "agent-exit") return;
    }
  } catch (error) {
    stats(); // not the next run's
    if (!watchdog.overdue) throw error;
    throw new SandboxError("sandbox_failed", "the sandbox did not end at its time limit and was destroyed with its jail", error);
  } finally {
    watchdog.stop();
    lease.release(ended);
  }
}

function toExit(exit: AgentExit, stats: SlotStats | null): SandboxExit {
  const { maxRssBytes, ...rest } = exit;
  const killed = stats !== null && stats.oomKills > 0;
  const outOfMemory = exit.reason === "memory" || (killed && exit.exitCode !== 0);
  return { type: "exit", ...rest, outOfMemory, peakMemoryBytes: stats?.peakMemoryBytes ?? maxRssBytes };
}

/** Host users for jails, one each: far above those of people and services, or the top of a small map (a container's). */
function hostUsers(): { base: number; count: number; start: number } {
  const size = readFileSync("/proc/self/uid_map", "utf8")
    .trim()
    .split("\n")
    .map((line) => Number(line.trim().split(/\s+/)[2]));
  const last = Math.max(...size);
  const range = last > 2_000_000_000 ? { base: 1_900_000_000, count: 100_000_000 } : { base: Math.max(last - 1500, 1), count: 1000 };
  return { ...range, start: randomInt(range.count) };
}
