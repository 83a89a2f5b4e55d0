import { randomBytes, randomInt } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { copyAgent, type AgentCode } from "./agent-code.ts";
import { createJailCgroup, findCgroupRoots, removeStale, type CgroupRoots, type SlotStats } from "./cgroups.ts";
import type { AgentExit, SandboxConnection } from "./connection.ts";
import { proxyEnvironment } from "./egress/environment.ts";
import { DiskGuard } from "./disk-guard.ts";
import { Jail } from "./jail.ts";
import { NamespaceSession } from "./namespace-session.ts";
import { Toolchains, type JailKind } from "./jail-kind.ts";
import { Pool, type Lease } from "./pool.ts";
import { explainRefusal, readRefusal, type Refusal } from "./refusal.ts";
import { PortUnreachableError } from "./relay/relay-server.ts";
import { removeFolder, removeFolderSync } from "./remove-folder.ts";
import { RunNetworks, type NetworkOptions, type RunNetwork } from "./run-network.ts";
import type { Session } from "./session.ts";
import {
  SandboxError,
  type EffectiveLimits,
  type Enforcer,
  type InputEntry,
  type InputFile,
  type InputTree,
  type LimitName,
  type PoolReport,
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
import { baseVariables, pathInside, type WallPrograms } from "./wall.ts";
import { Watchdog } from "./watchdog.ts";

const sigterm = 15;
/** How long a machine that is busy may take to make one jail and a sandbox in it. */
const trialMs = 30_000;
/** A machine that has refused to show a tree is asked again after so long. */
const treesAgainMs = 60_000;
const keepHistoryMs = 300_000;
/** Far above what short runs take: going to sleep costs a few milliseconds, waking up tens of them. */
const quietMs = 5000;
/** The hard resource limits of this process, which everything that it starts is within. One that is left out is unlimited. */
const hardLimits = readHardLimits();
/** Of this process: tiers beside each other must not share one. */
let groups = 0;
/** Sessions at once on this machine, far above what anybody's limits allow. */
const maxSessions = 10_000;

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
  /** The most jails of one kind that wait for a tenant. */
  readonly maxSpares?: number;
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
  readonly #toolchains = new Toolchains();
  readonly #pool: Pool;
  readonly #networks: RunNetworks;
  readonly #disk: DiskGuard;
  /** Sessions have jails of their own, one each: they never take a run's place, and their end is the jail's end. */
  readonly #sessions: Pool;
  readonly #uids: { readonly base: number; readonly count: number; readonly start: number } | null;
  #agent: AgentCode | null = null;
  #trial: Promise<Refusal | string | null> | null = null;
  /** Of the trial that is under way. */
  #tried: Jail | null = null;
  #keeping: NodeJS.Timeout | undefined;
  /** Why this machine shows no trees, and since when, milliseconds; null as long as it is not known to refuse it. */
  #treesRefused: { readonly reason: string; readonly since: number } | null = null;
  #jails = 0;
  #opened = 0;

  constructor(options: NamespaceTierOptions) {
    this.#options = options;
    this.#uids = process.getuid?.() === 0 ? hostUsers() : null;
    this.#roots = options.withoutCgroups === true ? null : findCgroupRoots();
    if (this.#roots !== null) removeStale(this.#roots);
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
  }

  /** Tries it: one jail and a sandbox in it, as runs have them. */
  async report(): Promise<TierReport> {
    const trouble = await (this.#trial ??= this.#try().finally(() => (this.#trial = null)));
    const { name: tier } = this;
    const limits = this.#enforcers();
    const walls = ["bubblewrap", "namespaces", "seccomp"];
    if (trouble === null) return { tier, available: true, reason: null, walls, limits, files: this.#reportFiles() };
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
      const connection = await jail.take(trialMs);
      await this.#tryTrees(connection);
      return null;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return readRefusal(message) ?? message;
    } finally {
      await jail?.end();
      this.#tried = null;
    }
  }

  /** With a tree of no files. */
  async #tryTrees(connection: SandboxConnection): Promise<void> {
    const { trees } = this.#options;
    if (trees === undefined) return;
    const name = randomBytes(20).toString("hex");
    mkdirSync(join(trees, name), { mode: 0o755 });
    try {
      await this.#mount(connection, { layers: [name], gone: [] });
    } finally {
      connection.close();
      rmdirSync(join(trees, name));
    }
  }

  #reportFiles(): TierReport["files"] {
    const reason = this.#options.trees === undefined ? "there is no folder for trees" : (this.#treesRefused?.reason ?? null);
    return { by: reason === null ? "overlay" : "copies", reason };
  }

  /** Everything that a sandbox begins with. */
  async #putFiles(connection: SandboxConnection, { tree, files }: Pick<SandboxSpec, "tree" | "files">): Promise<void> {
    if (tree !== undefined && !(await this.#showTree(connection, tree))) {
      const own = await Array.fromAsync(files as AsyncIterable<InputEntry>); // in place of those of the tree
      const paths = new Set(own.map(({ path }) => path));
      await connection.sendFiles(except(tree.files(), paths));
      return await connection.sendFiles(own);
    }
    await connection.sendFiles(files);
  }

  async #showTree(connection: SandboxConnection, tree: InputTree): Promise<boolean> {
    const isRefused = this.#treesRefused !== null && performance.now() - this.#treesRefused.since < treesAgainMs;
    return this.#options.trees !== undefined && !isRefused && (await this.#mount(connection, tree));
  }

  async #mount(connection: SandboxConnection, tree: Pick<InputTree, "layers" | "gone">): Promise<boolean> {
    const reason = await connection.mount(tree);
    this.#treesRefused = reason === null ? null : { reason, since: performance.now() };
    return reason === null;
  }

  warm(runtimes: readonly RuntimeSpec[]): void {
    this.#toolchains.add(runtimes);
    void this.#makeReady(runtimes);
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
      if (networked) network = await this.#networks.open(lease, spec);
      lease.jail.cgroup?.limit(lease.connection.slot, spec.limits);
      await this.#putFiles(lease.connection, spec);
      await spec.begin?.();
      await lease.connection.start(this.#plan(spec), spec.stdin);
    } catch (error) {
      await network?.close();
      lease.release(false);
      throw error;
    }
    const connection = lease.connection;
    return {
      tier: this.name,
      limits: this.#effectiveLimits(spec.limits),
      events: runEvents(lease, spec, network, this.#disk),
      connect: async (port) => {
        if (network === null) throw new PortUnreachableError("this run was started without ports");
        return await network.connect(port);
      },
      network: () => network?.usage() ?? null,
      cancel: (graceMs) => cancel(connection, graceMs),
    };
  }

  async open(spec: SessionSpec): Promise<Session> {
    this.#networks.isWanted(spec); // refuses what cannot be had, before anything is made
    const kind = this.#toolchains.sessionKindOf(spec.runtime);
    const lease = await this.#acquire(this.#sessions, kind, `${spec.tenant}\0${this.#opened++}`);
    const disk = this.#disk.watch(spec.limits.diskBytes, () => lease.connection.look());
    let network: RunNetwork | null = null;
    try {
      network = await this.#networks.open(lease, spec);
      lease.jail.cgroup?.limit(lease.connection.slot, { ...spec.limits, outlivesOutOfMemory: true });
      await this.#putFiles(lease.connection, spec);
      const session = await NamespaceSession.open({
        lease,
        plan: this.#sessionPlan(spec),
        limits: this.#effectiveLimits(spec.limits),
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
    return (this.#agent ??= copyAgent(join(this.#options.folder, "agent"), this.#options.programs.python));
  }

  #createJail({ runtime, networked, session }: JailKind): Jail {
    const number = this.#jails++;
    // From a random start, so that servers beside this one take others, and no two jails of this one the same.
    const uid = this.#uids === null ? null : this.#uids.base + ((this.#uids.start + number) % this.#uids.count);
    const owner = uid ?? process.getuid?.() ?? 0;
    const cgroup = this.#roots === null ? null : createJailCgroup(this.#roots, `syla-${process.pid}-${groups++}`, owner);
    const { cpus, memoryBytes } = this.#enforcers();
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

  #proxyVariables(spec: Pick<SandboxSpec, "network" | "env">): Record<string, string> {
    return spec.network === undefined || spec.network === "none" ? {} : proxyEnvironment(spec.env);
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
      const hard = hardLimits[name as LimitName];
      // A set of processors holds whole ones only; no process may have more than the server itself may.
      if (enforcedBy === "affinity") return [name, { value: Math.ceil(value), enforcedBy }];
      return [name, { value: enforcedBy === "rlimit" && hard !== undefined ? Math.min(value, hard) : value, enforcedBy }];
    });
    return Object.fromEntries(entries) as EffectiveLimits;
  }

  /** What `agent/supervisor.py` is told. */
  #plan(spec: SandboxSpec): unknown {
    const { runtime, limits } = spec;
    const words = runtime.command.map((word) =>
      word.replace("{binary}", () => pathInside(runtime, runtime.binary)).replace("{entrypoint}", () => spec.entrypoint),
    );
    return {
      argv: [...words, ...spec.args],
      mode: runtime.pooling === "fork" && !setsBootVariable(spec) ? "python" : "exec",
      file: `/workspace/${spec.entrypoint}`,
      prefix: runtime.prefix ?? null,
      env: { ...baseVariables(runtime), ...this.#proxyVariables(spec), ...spec.env },
      limits: this.#planLimits(limits, !runtime.reservesMemory),
      artifacts: spec.artifacts,
      ...(spec.returns === undefined ? {} : { returns: spec.returns }),
    };
  }

  #sessionPlan(spec: SessionSpec): unknown {
    const folders = spec.runtime.mounts.map(({ target }) => dirname(target));
    const path = [...(spec.path ?? []), "/usr/local/bin", "/usr/bin", "/bin", ...new Set(folders)].join(":");
    return {
      argv: ["session"],
      mode: "session",
      session: true,
      file: "",
      env: { PATH: path, HOME: "/workspace", LANG: "C.UTF-8", TMPDIR: "/tmp", ...this.#proxyVariables(spec), ...spec.env },
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

function setsBootVariable({ env, runtime }: SandboxSpec): boolean {
  return Object.keys(env).some((name) => runtime.bootVariables.some((prefix) => name.startsWith(prefix)));
}

async function* except(files: AsyncIterable<InputFile>, paths: ReadonlySet<string>): AsyncGenerator<InputFile> {
  for await (const file of files) if (!paths.has(file.path)) yield file;
}

/** What an interpreter needs to be booted ahead of its run: within smaller limits it has to boot afresh, and may fail as it does everywhere. */
const bootLimits = { cpus: 1, memoryBytes: 1024 ** 3, processes: 256 };
const leastMemoryBytes = 128 * 1024 ** 2;
const leastProcesses = 32;

/** A run that an interpreter booted ahead cannot serve gets one of its own, in a jail without such ones. */
function bootableRuntime(spec: SandboxSpec, networked: boolean): RuntimeSpec {
  const { runtime, limits } = spec;
  if (runtime.pooling !== "preboot") return runtime;
  const fits = limits.memoryBytes >= leastMemoryBytes && limits.processes >= leastProcesses && !setsBootVariable(spec);
  // The variables of a proxy are read at boot.
  return fits && !networked ? runtime : { ...runtime, pooling: "cold", name: `${runtime.name}+cold` };
}

function cancel(connection: SandboxConnection, graceMs: number): void {
  connection.signal(sigterm);
  setTimeout(() => connection.kill("cancelled"), graceMs).unref(); // nothing to one that is over
}

/** Adds to the agent's events what only the host knows, and gives the sandbox back at the end, whatever happens. */
async function* runEvents(lease: Lease, spec: SandboxSpec, network: RunNetwork | null, disk: DiskGuard): AsyncGenerator<SandboxEvent> {
  const { jail, connection } = lease;
  let again = false;
  const watch = disk.watch(spec.limits.diskBytes, () => connection.look());
  const watchdog = new Watchdog(spec, () => void jail.end());
  const stats = () => jail.cgroup?.stats(connection.slot) ?? null;
  try {
    for await (const event of connection.events()) {
      if (event.type === "paused") continue; // of sessions only
      if (event.type === "dormant") {
        watch.sleeps(event.diskBytes);
        continue;
      }
      watch.wakes();
      watchdog.saw(event);
      if (event.type === "agent-exit") await network?.close();
      again = event.type === "agent-exit" && !event.exit.last;
      yield event.type === "agent-exit" ? toExit(event.exit, stats()) : event;
      watchdog.waits();
      if (event.type === "agent-exit") return;
    }
  } catch (error) {
    stats(); // not the next run's
    if (!watchdog.overdue) throw error;
    throw new SandboxError("sandbox_failed", "the sandbox did not end at its time limit and was destroyed with its jail", error);
  } finally {
    watch.stop();
    watchdog.stop();
    let isClean = false;
    try {
      await network?.close(); // before the slot is another run's
      // The next interpreter of the slot boots in the same group, and is not bound by what this run was.
      if (spec.runtime.pooling === "preboot") jail.cgroup?.limit(connection.slot, bootLimits);
      isClean = true;
    } finally {
      lease.release(again && isClean);
    }
  }
}

function toExit(exit: AgentExit, stats: SlotStats | null): SandboxExit {
  const { maxRssBytes, last: _, ...rest } = exit;
  const killed = stats !== null && stats.oomKills > 0;
  const outOfMemory = exit.reason === "memory" || (killed && exit.exitCode !== 0);
  return { type: "exit", ...rest, outOfMemory, peakMemoryBytes: stats?.peakMemoryBytes ?? maxRssBytes };
}

function readHardLimits(): Partial<Record<LimitName, number>> {
  const text = readFileSync("/proc/self/limits", "utf8");
  const hard = (title: string) => new RegExp(`^${title} +\\S+ +(\\d+)`, "m").exec(text)?.[1];
  const limits = { openFiles: hard("Max open files"), processes: hard("Max processes") };
  return Object.fromEntries(Object.entries(limits).flatMap(([name, value]) => (value === undefined ? [] : [[name, Number(value)]])));
}

function readHistory(file: string): Record<string, unknown> {
  try {
    const history: unknown = JSON.parse(readFileSync(file, "utf8"));
    return typeof history === "object" && history !== null ? { ...history } : {};
  } catch {
    return {};
  }
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
