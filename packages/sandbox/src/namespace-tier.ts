import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyAgent, type AgentCode } from "./agent-code.ts";
import { createJailCgroup, findCgroupRoots, removeStale, type CgroupRoots } from "./cgroups.ts";
import { AgentSession } from "./agent-session.ts";
import { DiskGuard } from "./disk-guard.ts";
import { effectiveLimits, enforcersOf, type Enforcers } from "./enforcers.ts";
import { hostUsers } from "./host-users.ts";
import { Jail } from "./jail.ts";
import { Toolchains, type JailKind } from "./jail-kind.ts";
import type { Place } from "./place.ts";
import { bootableRuntime, bootLimits, nodeInside, planRun, planSession } from "./plan.ts";
import { Pool, type Lease } from "./pool.ts";
import { explainRefusal, readRefusal, type Refusal } from "./refusal.ts";
import { PortUnreachableError } from "./relay/relay-server.ts";
import { removeFolder, removeFolderSync } from "./remove-folder.ts";
import { cancelRun, runEvents } from "./run-events.ts";
import { RunNetworks, type NetworkOptions, type NetworkPlace, type RunNetwork } from "./run-network.ts";
import type { Session } from "./session.ts";
import { ShownTrees } from "./shown-trees.ts";
import {
  SandboxError,
  type PoolReport,
  type Pooling,
  type RuntimeSpec,
  type SandboxRun,
  type SandboxSpec,
  type SessionSpec,
  type Tier,
  type TierReport,
} from "./spec.ts";
import type { WallPrograms } from "./wall.ts";

/** How long a machine that is busy may take to make one jail and a sandbox in it. */
const trialMs = 30_000;
const keepHistoryMs = 300_000;
/** Far above what short runs take: going to sleep costs a few milliseconds, waking up tens of them. */
const quietMs = 5000;
/** Of this process: tiers beside each other must not share one. */
let groups = 0;
/** Sessions at once on this machine, far above what anybody's limits allow. */
const maxSessions = 10_000;

const walls = ["bubblewrap", "namespaces", "seccomp"];

/** What the namespace tier is made with. */
export interface NamespaceTierOptions {
  /** A folder of its own for sockets and workspaces, on the disk that runs may fill. */
  readonly folder: string;
  /** Holds built dependencies, a folder each; shown read-only as `/layers`. Nobody but its owner may be able to list it. */
  readonly layers?: string;
  /** Holds trees of files, a folder each, that runs can have as their workspace. Nobody but its owner may be able to list it. */
  readonly trees?: string;
  readonly programs: WallPrograms;
  /** Runs of one tenant in one kind of jail at once. */
  readonly slotsPerJail: number;
  /** The most jails of one kind that wait for a tenant. With 0 none is made before somebody wants it. */
  readonly maxSpares?: number;
  /** A compiled copy of the agent that others use as well; without it the tier makes one of its own. */
  readonly agent?: AgentCode;
  /** The most jails that belong to tenants: so many pairs of a tenant and a kind of jail can have runs at once; others wait. */
  readonly maxJails?: number;
  /** Remembers over restarts how many sandboxes were wanted at which hour. */
  readonly historyFile?: string;
  /**
   * Lets the kernel keep equal pages of all sandboxes once (KSM): several times more of them fit. Off unless asked for: how long writing
   * to a page takes then tells whether somebody else has an equal one.
   */
  readonly mergePages?: boolean;
  /** After so long without anything happening a sandbox gives most of its memory back until something does; null: never. */
  readonly quietMs?: number | null;
  /** How runs that ask for a network get one. */
  readonly network?: NetworkOptions;
  /** Ignores control groups even where they could be used. */
  readonly withoutCgroups?: boolean;
}

/**
 * The default tier: a bubblewrap jail per kind of jail and tenant, in it fresh namespaces and a system-call filter for each run.
 * Works as root (then each jail is a host user of its own) and as an ordinary user.
 */
export class NamespaceTier implements Tier {
  readonly name = "namespace";
  readonly #options: NamespaceTierOptions;
  readonly #roots: CgroupRoots | null;
  readonly #enforcers: Enforcers;
  readonly #toolchains = new Toolchains();
  readonly #pool: Pool;
  readonly #networks: RunNetworks;
  readonly #disk: DiskGuard;
  readonly #trees: ShownTrees;
  /** Sessions have jails of their own, one each: they never take a run's place, and their end is the jail's end. */
  readonly #sessions: Pool;
  readonly #uids: { readonly base: number; readonly count: number; readonly start: number } | null;
  #agent: AgentCode | null = null;
  #trial: Promise<Refusal | string | null> | null = null;
  /** Of the trial that is under way. */
  #tried: Jail | null = null;
  #keeping: NodeJS.Timeout | undefined;
  #jails = 0;
  #opened = 0;

  constructor(options: NamespaceTierOptions) {
    this.#options = options;
    this.#uids = process.getuid?.() === 0 ? hostUsers() : null;
    this.#roots = options.withoutCgroups === true ? null : findCgroupRoots();
    if (this.#roots !== null) removeStale(this.#roots);
    this.#enforcers = enforcersOf(this.#roots);
    removeFolderSync(options.folder);
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    const { slotsPerJail, historyFile } = options;
    const history = historyFile === undefined ? {} : readHistory(historyFile);
    const maxSpares = options.maxSpares ?? 8;
    const pool = { slotsPerJail, maxJails: options.maxJails ?? 64, maxSpares, idleMs: 300_000, waitMs: 30_000, balanceMs: 15_000, history };
    this.#pool = new Pool(pool, (kind) => this.#createJail(kind));
    this.#sessions = new Pool({ ...pool, slotsPerJail: 1, maxJails: maxSessions }, (kind) => this.#createJail(kind));
    if (historyFile !== undefined) this.#keeping = setInterval(() => this.#keepHistory(historyFile), keepHistoryMs).unref();
    this.#disk = new DiskGuard(options.folder);
    this.#networks = new RunNetworks(options.network ?? {});
    this.#trees = new ShownTrees(options.trees);
  }

  /** Tries it: one jail and a sandbox in it, as runs have them. */
  async report(): Promise<TierReport> {
    const trouble = await (this.#trial ??= this.#try().finally(() => (this.#trial = null)));
    const { name: tier } = this;
    const limits = this.#enforcers;
    if (trouble === null) return { tier, available: true, reason: null, walls, limits, files: this.#trees.report() };
    const missing = { tier, available: false, walls: [], limits, files: null };
    if (typeof trouble === "string") return { ...missing, reason: `A sandbox could not be made: ${trouble}` };
    return { ...missing, reason: explainRefusal(trouble), refusal: trouble };
  }

  /** Null: a sandbox can be had. Else why not. */
  async #try(): Promise<Refusal | string | null> {
    let jail: Jail | undefined;
    try {
      jail = this.#tried = this.#createJail(this.#toolchains.kinds.runs);
      jail.addSlot();
      await this.#trees.try(await jail.take(trialMs));
      return null;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return readRefusal(message) ?? message;
    } finally {
      await jail?.end();
      this.#tried = null;
    }
  }

  warm(runtimes: readonly RuntimeSpec[]): void {
    this.#toolchains.add(runtimes);
    if (this.#options.maxSpares !== 0) void this.#makeReady(runtimes);
  }

  /** Jails that boot while the agent is compiled would do that once more each. */
  async #makeReady(runtimes: readonly RuntimeSpec[]): Promise<void> {
    await this.#agentCode().compiled;
    const kinds = runtimes.map((runtime) => this.#toolchains.kindOf(runtime, false)).filter(({ always }) => always);
    for (const kind of new Set([...kinds, this.#toolchains.kinds.runs])) this.#pool.warm(kind);
    this.#sessions.warm(this.#toolchains.kinds.sessions);
  }

  async start(wish: SandboxSpec): Promise<SandboxRun> {
    const networked = this.#networks.isWanted(wish);
    const spec = { ...wish, runtime: bootableRuntime(wish, networked) };
    const lease = await this.#acquire(this.#pool, this.#toolchains.kindOf(spec.runtime, networked), spec.tenant);
    let network: RunNetwork | null = null;
    try {
      if (networked) network = await this.#networks.open(networkOf(lease), spec);
      lease.jail.cgroup?.limit(lease.connection.slot, spec.limits);
      await this.#trees.putFiles(lease.connection, spec);
      await spec.begin?.();
      await lease.connection.start(planRun(spec, this.#enforcers), spec.stdin);
    } catch (error) {
      await network?.close();
      lease.release(false);
      throw error;
    }
    const connection = lease.connection;
    return {
      tier: this.name,
      walls,
      limits: effectiveLimits(this.#enforcers, spec.limits),
      events: runEvents(placeOf(lease, spec.runtime.pooling), spec, network, this.#disk),
      connect: async (port) => {
        if (network === null) throw new PortUnreachableError("this run was started without ports");
        return await network.connect(port);
      },
      network: () => network?.usage() ?? null,
      cancel: (graceMs) => cancelRun(connection, graceMs),
    };
  }

  async open(spec: SessionSpec): Promise<Session> {
    this.#networks.isWanted(spec); // refuses what cannot be had, before anything is made
    const kind = this.#toolchains.sessionKindOf(spec.runtime);
    const lease = await this.#acquire(this.#sessions, kind, `${spec.tenant}\0${this.#opened++}`);
    const disk = this.#disk.watch(spec.limits.diskBytes, () => lease.connection.look());
    let network: RunNetwork | null = null;
    try {
      network = await this.#networks.open(networkOf(lease), spec);
      lease.jail.cgroup?.limit(lease.connection.slot, { ...spec.limits, outlivesOutOfMemory: true });
      await this.#trees.putFiles(lease.connection, spec);
      const session = await AgentSession.open({
        tier: this.name,
        place: placeOf(lease),
        plan: planSession(spec, this.#enforcers),
        limits: effectiveLimits(this.#enforcers, spec.limits),
        interpreters: { python: spec.python ?? this.#options.programs.python, node: nodeInside(spec.runtime) },
        network,
        disk,
      });
      void session.ended.finally(disk.stop);
      return session;
    } catch (error) {
      disk.stop();
      await network?.close();
      lease.release(false);
      await lease.jail.end();
      throw error;
    }
  }

  /** @throws SandboxError `tier_unavailable` where this machine refuses the walls */
  async #acquire(pool: Pool, kind: JailKind, tenant: string): Promise<Lease> {
    try {
      return await pool.acquire(kind, tenant);
    } catch (error) {
      const refusal = error instanceof SandboxError && error.code === "sandbox_failed" ? readRefusal(error.message) : null;
      throw refusal === null ? error : new SandboxError("tier_unavailable", explainRefusal(refusal), error);
    }
  }

  pools(): readonly PoolReport[] {
    return [...this.#pool.report(), ...this.#sessions.report()];
  }

  async stop(): Promise<void> {
    clearInterval(this.#keeping);
    if (this.#options.historyFile !== undefined) this.#keepHistory(this.#options.historyFile);
    await Promise.all([this.#pool.stop(), this.#sessions.stop(), this.#tried?.end(), this.#agent?.compiled]);
    await removeFolder(this.#options.folder);
  }

  dismiss(tenant: string): void {
    this.#pool.dismiss(tenant);
  }

  /** A history that cannot be kept only costs warmth. */
  #keepHistory(file: string): void {
    try {
      const history = { ...this.#pool.history(), ...this.#sessions.history() };
      writeFileSync(`${file}.new`, JSON.stringify(history), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    } catch {}
  }

  #agentCode(): AgentCode {
    return (this.#agent ??= this.#options.agent ?? copyAgent(join(this.#options.folder, "agent"), this.#options.programs.python));
  }

  #createJail({ runtime, networked, session }: JailKind): Jail {
    const number = this.#jails++;
    // From a random start, so that servers beside this one take others, and no two jails of this one the same.
    const uid = this.#uids === null ? null : this.#uids.base + ((this.#uids.start + number) % this.#uids.count);
    const owner = uid ?? process.getuid?.() ?? 0;
    const cgroup = this.#roots === null ? null : createJailCgroup(this.#roots, `syla-${process.pid}-${groups++}`, owner);
    const { cpus, memoryBytes } = this.#enforcers;
    // Without cgroups: memory that belongs to no process cannot be counted.
    const denied = [...(cpus === "affinity" ? ["sched_setaffinity"] : []), ...(memoryBytes === "cgroup" ? [] : ["memfd_create", "shmget"])];
    return new Jail({
      programs: this.#options.programs,
      runtime,
      agent: this.#agentCode().folder,
      folder: join(this.#options.folder, `jail-${number}`),
      ...(this.#options.layers === undefined ? {} : { layers: this.#options.layers }),
      ...(this.#options.trees === undefined ? {} : { trees: this.#options.trees }),
      uid,
      cgroup,
      networked,
      session,
      merge: this.#options.mergePages === true,
      quietMs: this.#options.quietMs === undefined ? quietMs : this.#options.quietMs,
      denied,
    });
  }
}

/** `pooling` of a run whose interpreter may have been booted ahead. */
function placeOf(lease: Lease, pooling?: Pooling): Place {
  const { jail, connection } = lease;
  return {
    connection,
    stats: () => jail.cgroup?.stats(connection.slot) ?? null,
    freeze: (wanted) => (jail.cgroup?.freeze(connection.slot, wanted) === true ? "cgroup" : null),
    release: (again) => {
      let isClean = false;
      try {
        // The next interpreter of the slot boots in the same group, and is not bound by what this run was.
        if (pooling === "preboot") jail.cgroup?.limit(connection.slot, bootLimits);
        isClean = true;
      } finally {
        lease.release(again && isClean);
      }
    },
    end: () => jail.end(),
  };
}

function networkOf({ jail, connection }: Lease): NetworkPlace {
  return { relays: jail.relays, slot: connection.slot, end: () => jail.end() };
}

function readHistory(file: string): Record<string, unknown> {
  try {
    const history: unknown = JSON.parse(readFileSync(file, "utf8"));
    return typeof history === "object" && history !== null ? { ...history } : {};
  } catch {
    return {};
  }
}
