import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { copyAgent, type AgentCode } from "../agent-code.ts";
import { AgentSession } from "../agent-session.ts";
import { createJailCgroup, findCgroupRoots, removeStale, type CgroupRoots } from "../cgroups.ts";
import type { SandboxConnection } from "../connection.ts";
import { containerAgentWords, noPorts, refuseNetwork, startedAfresh } from "../container-agent.ts";
import { DiskGuard } from "../disk-guard.ts";
import { effectiveLimits, enforcersOf, type Enforcers } from "../enforcers.ts";
import { hostUsers } from "../host-users.ts";
import type { Place } from "../place.ts";
import { nodeInside, planRun, planSession } from "../plan.ts";
import { PortUnreachableError } from "../relay/relay-server.ts";
import { removeFolder, removeFolderSync } from "../remove-folder.ts";
import { cancelRun, runEvents } from "../run-events.ts";
import type { Session } from "../session.ts";
import { ShownTrees } from "../shown-trees.ts";
import {
  SandboxError,
  type PoolReport,
  type RuntimeSpec,
  type SandboxLimits,
  type SandboxRun,
  type SandboxSpec,
  type SessionSpec,
  type Tier,
  type TierReport,
} from "../spec.ts";
import { truthfulEvents } from "../truthful-events.ts";
import type { WallPrograms } from "../wall.ts";
import { Container } from "./container.ts";
import type { GvisorPlatform } from "./runsc.ts";

const name = "gvisor";
const mebibyte = 1 << 20;
/** A kernel that is a program: on a machine that is busy its first steps take seconds. */
const bootMs = 60_000;
/** Of the kernel itself, which is in the run's group. */
const kernelBytes = 96 * mebibyte;
/** Threads of the kernel and of those who serve its files. */
const kernelThreads = 256;
/** Of this process: tiers beside each other must not share one. */
let groups = 0;

/** What the gvisor tier is made with. */
export interface GvisorTierOptions {
  /** A folder of its own, on the disk that runs may fill. */
  readonly folder: string;
  readonly programs: WallPrograms & { readonly runsc: string };
  readonly platform: GvisorPlatform;
  /** Where built dependencies are. */
  readonly layers?: string;
  /** Ignores control groups even where they could be used. */
  readonly withoutCgroups?: boolean;
}

/** A container of gVisor's for each run and each session, in a bubblewrap jail: programs meet its kernel, and never the host's. */
export class GvisorTier implements Tier {
  readonly name = name;
  readonly #options: GvisorTierOptions;
  readonly #roots: CgroupRoots | null;
  readonly #enforcers: Enforcers;
  readonly #uids: ReturnType<typeof hostUsers> | null;
  readonly #disk: DiskGuard;
  readonly #trees = new ShownTrees(undefined);
  readonly #containers = new Set<Container>();
  readonly #agent: AgentCode;
  #trial: Promise<void> | null = null;
  #made = 0;
  #stopped = false;

  constructor(options: GvisorTierOptions) {
    this.#options = options;
    this.#uids = process.getuid?.() === 0 ? hostUsers() : null;
    this.#roots = options.withoutCgroups === true ? null : findCgroupRoots();
    if (this.#roots !== null) removeStale(this.#roots);
    this.#enforcers = gvisorEnforcers(this.#roots);
    removeFolderSync(options.folder);
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    this.#disk = new DiskGuard(options.folder);
    this.#agent = copyAgent(join(options.folder, "agent"), options.programs.python);
  }

  /** Tries it: one container, until its agent has greeted. */
  async report(): Promise<TierReport> {
    const files = { by: "copies", reason: "containers have files of their own" } as const;
    try {
      await (this.#trial ??= this.#try());
      const walls = [`gvisor (${this.#options.platform})`, "bubblewrap", "seccomp"];
      return { tier: name, available: true, reason: null, walls, limits: this.#enforcers, files };
    } catch (error) {
      this.#trial = null;
      const reason = `A container could not be started: ${error instanceof Error ? error.message : String(error)}`;
      return { tier: name, available: false, reason, walls: [], limits: this.#enforcers, files: null };
    }
  }

  async start(wish: SandboxSpec): Promise<SandboxRun> {
    refuseNetwork(name, wish);
    const spec = { ...wish, runtime: startedAfresh(wish.runtime) };
    const { container, connection } = await this.#boot(spec.runtime, spec.limits, false);
    try {
      await this.#trees.putFiles(connection, spec);
      await spec.begin?.();
      await connection.start(withoutProcesses(planRun(spec, this.#enforcers)), spec.stdin);
    } catch (error) {
      await container.end();
      throw error;
    }
    return {
      tier: name,
      limits: this.#limitsInForce(spec.limits),
      events: truthfulEvents(runEvents(placeOf(container, connection), spec, null, this.#disk), () => container.explainEnd()),
      connect: () => Promise.reject(new PortUnreachableError("containers of gVisor's have no ports")),
      network: () => null,
      cancel: (graceMs) => cancelRun(connection, graceMs),
    };
  }

  async open(spec: SessionSpec): Promise<Session> {
    refuseNetwork(name, spec);
    const { container, connection } = await this.#boot(spec.runtime, spec.limits, true);
    const disk = this.#disk.watch(spec.limits.diskBytes, () => connection.look());
    try {
      await this.#trees.putFiles(connection, spec);
      const session = await AgentSession.open({
        tier: name,
        place: placeOf(container, connection),
        plan: withoutProcesses(planSession(spec, this.#enforcers)),
        limits: this.#limitsInForce(spec.limits),
        interpreters: { python: spec.python ?? this.#options.programs.python, node: nodeInside(spec.runtime) },
        network: noPorts(name),
        disk,
      });
      void session.ended.finally(disk.stop);
      return session;
    } catch (error) {
      disk.stop();
      await container.end();
      throw error;
    }
  }

  /** Containers are made for those who come. */
  warm(): void {}

  /** Nothing is kept for anybody. */
  dismiss(): void {}

  pools(): readonly PoolReport[] {
    return [];
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([this.#agent.compiled, ...[...this.#containers].map((container) => container.end())]);
    await removeFolder(this.#options.folder);
  }

  async #boot(
    runtime: RuntimeSpec,
    limits: SandboxLimits,
    session: boolean,
  ): Promise<{ container: Container; connection: SandboxConnection }> {
    await this.#agent.compiled;
    if (this.#stopped) throw new SandboxError("no_capacity", "the server is shutting down");
    const { programs, platform, folder, layers } = this.#options;
    const number = this.#made++;
    const uid = this.#uids === null ? null : this.#uids.base + ((this.#uids.start + number) % this.#uids.count);
    const container = new Container({
      programs,
      runsc: programs.runsc,
      platform,
      folder: join(folder, `container-${number}`),
      agent: this.#agent.folder,
      layers: layers ?? null,
      hasLayers: layers !== undefined,
      runtime,
      session,
      words: containerAgentWords(runtime, session, null, programs.python),
      uid,
      cgroup: this.#createGroup(uid, limits, session),
    });
    this.#containers.add(container);
    void container.ended.then(() => this.#containers.delete(container));
    return { container, connection: await container.boot(bootMs) };
  }

  /** Of the container with its kernel. */
  #createGroup(uid: number | null, { cpus, memoryBytes, processes }: SandboxLimits, session: boolean) {
    if (this.#roots === null) return null;
    const group = createJailCgroup(this.#roots, `syla-${process.pid}-g${groups++}`, uid ?? process.getuid?.() ?? 0);
    group.addSlot(0);
    group.limit(0, { cpus, memoryBytes: memoryBytes + kernelBytes, processes: processes + kernelThreads, outlivesOutOfMemory: session });
    return group;
  }

  #limitsInForce(limits: SandboxLimits) {
    const inForce = { ...limits, memoryBytes: limits.memoryBytes + (this.#enforcers.memoryBytes === "cgroup" ? kernelBytes : 0) };
    return effectiveLimits(this.#enforcers, inForce);
  }

  async #try(): Promise<void> {
    const { container } = await this.#boot(plainRuntime, trialLimits, false);
    await container.end();
  }
}

/** Its kernel knows no limit of processes. Each of them is one of the host too, and so in the group. */
function gvisorEnforcers(roots: CgroupRoots | null): Enforcers {
  const found = enforcersOf(roots);
  return { ...found, processes: found.processes === "cgroup" ? "cgroup" : "none" };
}

function withoutProcesses(plan: Readonly<Record<string, unknown>>): unknown {
  return { ...plan, limits: { ...(plan["limits"] as object), processes: null } };
}

function placeOf(container: Container, connection: SandboxConnection): Place {
  return {
    connection,
    stats: () => container.stats(),
    freeze: (wanted) => (container.freeze(wanted) ? "cgroup" : null),
    release: () => void container.end(),
    end: () => container.end(),
  };
}

const trialLimits: SandboxLimits = {
  wallMs: 60_000,
  cpus: 1,
  memoryBytes: 128 * mebibyte,
  processes: 32,
  openFiles: 256,
  diskBytes: 16 * mebibyte,
  outputBytes: mebibyte,
};

const plainRuntime: RuntimeSpec = {
  name: "none",
  pooling: "cold",
  mounts: [],
  binary: "",
  command: [],
  preimport: [],
  env: {},
  bootVariables: [],
  reservesMemory: false,
};
