import { accessSync, constants, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import { copyAgent } from "../agent-code.ts";
import { AgentSession } from "../agent-session.ts";
import { createJailCgroup, findCgroupRoots, removeStale, type CgroupRoots, type JailCgroup } from "../cgroups.ts";
import type { SandboxConnection } from "../connection.ts";
import { DiskGuard } from "../disk-guard.ts";
import type { Enforcers } from "../enforcers.ts";
import { hostUsers } from "../host-users.ts";
import type { Place } from "../place.ts";
import { nodeInside, planRun, planSession } from "../plan.ts";
import { PortUnreachableError } from "../relay/relay-server.ts";
import { removeFolder, removeFolderSync } from "../remove-folder.ts";
import { cancelRun, runEvents } from "../run-events.ts";
import type { RunNetwork } from "../run-network.ts";
import type { Session } from "../session.ts";
import { ShownTrees } from "../shown-trees.ts";
import {
  SandboxError,
  type EffectiveLimits,
  type PoolReport,
  type RuntimeSpec,
  type SandboxLimits,
  type SandboxRun,
  type SandboxSpec,
  type SessionSpec,
  type Tier,
  type TierReport,
} from "../spec.ts";
import { agentWords, layersFolder, packageFolder, type WallPrograms } from "../wall.ts";
import { packCpio } from "./cpio.ts";
import { imageFiles, type GuestImage } from "./guest-image.ts";
import { KeptMachines } from "./kept-machines.ts";
import { Machine } from "./machine.ts";
import { MachineRoom } from "./machine-room.ts";
import { mostThreads, overheadBytes, type Accelerator } from "./qemu.ts";
import type { Snapshot } from "./snapshot.ts";
import { makeSquashfs } from "./squashfs.ts";

const mebibyte = 1 << 20;
/** What a guest needs besides its run: its kernel, and the agent. */
const guestBytes = 192 * mebibyte;
/** On its disk, besides what the run may write. */
const spareDiskBytes = 64 * mebibyte;
/** Guests may have that share of the host's memory. */
const memoryShare = 0.75;
const waitMs = 30_000;
/** How long a guest may take until its sandbox is there, on a machine that is busy. */
const bootMs: Readonly<Record<Accelerator, number>> = { kvm: 20_000, tcg: 120_000 };
/** A guest for trying whether one can be had. */
const trialLimits = { cpus: 1, memoryBytes: 128 * mebibyte, diskBytes: 16 * mebibyte };
const wallNames: Readonly<Record<Accelerator, string>> = { kvm: "qemu (kvm)", tcg: "qemu (emulated)" };
/** Where a guest shows what a runtime needs besides the system. */
const toolchainFolder = "/opt";
const slotProcs = ["/sys/fs/cgroup/jail/slot-SLOT/cgroup.procs"];
/** Of this process: tiers beside each other must not share one. */
let groups = 0;

/** All of them are the guest's own, but for those that the agent keeps. */
const enforcers: Enforcers = {
  wallMs: "supervisor",
  cpus: "cgroup",
  memoryBytes: "cgroup",
  processes: "cgroup",
  openFiles: "rlimit",
  diskBytes: "supervisor",
  outputBytes: "supervisor",
};

/** What the microvm tier is made with. */
export interface MicrovmTierOptions {
  /** A folder of its own, on the disk that runs may fill. */
  readonly folder: string;
  readonly programs: WallPrograms & { readonly qemu: string; readonly mke2fs: string; readonly mksquashfs: string };
  readonly image: GuestImage;
  /** What runs the guests; by default KVM where a guest boots with it, else emulation. */
  readonly accelerator?: Accelerator;
  /** Ignores control groups even where they could be used. */
  readonly withoutCgroups?: boolean;
}

/** What a machine is made for. */
interface MachineWish {
  readonly accelerator: Accelerator;
  readonly runtime: RuntimeSpec;
  readonly limits: Pick<SandboxLimits, "cpus" | "memoryBytes" | "diskBytes">;
  readonly session: boolean;
}

interface BootedMachine {
  readonly machine: Machine;
  readonly connection: SandboxConnection;
}

/**
 * A virtual machine for each run and each session: a kernel of its own, and in it the agent with the walls that it has everywhere. QEMU itself runs in a
 * bubblewrap jail, with a filter of its own, and has no network.
 */
export class MicrovmTier implements Tier {
  readonly name = "microvm";
  readonly #options: MicrovmTierOptions;
  readonly #roots: CgroupRoots | null;
  readonly #uids: ReturnType<typeof hostUsers> | null;
  readonly #room = new MachineRoom(totalmem() * memoryShare);
  readonly #disk: DiskGuard;
  readonly #trees = new ShownTrees(undefined);
  readonly #machines = new Set<Machine>();
  /** By what is in them. */
  readonly #toolchains = new Map<string, Promise<string>>();
  readonly #kept: KeptMachines;
  readonly #making = new Set<Promise<BootedMachine>>();
  #initrd: Promise<string> | null = null;
  #accelerator: Promise<Accelerator> | null = null;
  /** That of what is chosen. */
  #trial: Promise<void> | null = null;
  #made = 0;
  #stopped = false;

  constructor(options: MicrovmTierOptions) {
    this.#options = options;
    this.#uids = process.getuid?.() === 0 ? hostUsers() : null;
    this.#roots = options.withoutCgroups === true ? null : findCgroupRoots();
    if (this.#roots !== null) removeStale(this.#roots);
    removeFolderSync(options.folder);
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    this.#disk = new DiskGuard(options.folder);
    this.#kept = new KeptMachines(options.folder);
  }

  /** Tries it: one machine and a sandbox in it. What has booted once is not tried again. */
  async report(): Promise<TierReport> {
    const { name: tier } = this;
    const files = { by: "copies", reason: "a machine has disks of its own" } as const;
    try {
      const accelerator = await this.#chooseAccelerator();
      await (this.#trial ??= this.#try(accelerator));
      const walls = [wallNames[accelerator], "bubblewrap", "guest kernel", "namespaces", "seccomp"];
      return { tier, available: true, reason: null, walls, limits: enforcers, files };
    } catch (error) {
      this.#trial = null;
      const reason = `A machine could not be booted: ${error instanceof Error ? error.message : String(error)}`;
      return { tier, available: false, reason, walls: [], limits: enforcers, files: null };
    }
  }

  async start(wish: SandboxSpec): Promise<SandboxRun> {
    // Nothing is booted ahead in a machine that is made for one run.
    const spec: SandboxSpec = wish.runtime.pooling === "preboot" ? { ...wish, runtime: { ...wish.runtime, pooling: "cold" } } : wish;
    refuseNetwork(spec);
    requireShown(spec.runtime, spec.env);
    const place = await this.#boot(spec.runtime, spec.limits, false);
    try {
      await this.#trees.putFiles(place.connection, spec);
      await spec.begin?.();
      await place.connection.start({ ...planRun(spec, enforcers), kept: true }, spec.stdin);
    } catch (error) {
      await place.end();
      throw error;
    }
    return {
      tier: this.name,
      limits: limitsInForce(spec.limits),
      events: runEvents(place, spec, null, this.#disk),
      connect: () => Promise.reject(new PortUnreachableError("machines have no ports")),
      network: () => null,
      cancel: (graceMs) => cancelRun(place.connection, graceMs),
    };
  }

  async open(spec: SessionSpec): Promise<Session> {
    refuseNetwork(spec);
    requireShown(spec.runtime, spec.env);
    const place = await this.#boot(spec.runtime, spec.limits, true);
    const disk = this.#disk.watch(spec.limits.diskBytes, () => place.connection.look());
    try {
      await this.#trees.putFiles(place.connection, spec);
      const session = await AgentSession.open({
        tier: this.name,
        place,
        plan: planSession(spec, enforcers),
        limits: limitsInForce(spec.limits),
        interpreters: { python: spec.python ?? this.#options.programs.python, node: nodeInside(spec.runtime) },
        network: noNetwork,
        disk,
      });
      void session.ended.finally(disk.stop);
      return session;
    } catch (error) {
      disk.stop();
      await place.end();
      throw error;
    }
  }

  /** Each machine is made for its run; only whether one can be had is found out ahead. */
  warm(): void {
    void this.#chooseAccelerator();
  }

  /** Nothing is kept for anybody. */
  dismiss(): void {}

  pools(): readonly PoolReport[] {
    return [];
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#machines].map((machine) => machine.end()));
    await Promise.allSettled([...this.#making, ...this.#toolchains.values()]);
    await removeFolder(this.#options.folder);
  }

  /** A machine for one run or one session, with its limits in force. */
  async #boot(runtime: RuntimeSpec, limits: SandboxLimits, session: boolean): Promise<Place> {
    const accelerator = await this.#chooseAccelerator();
    const { machine, connection } = await this.#bootWith({ accelerator, runtime, limits, session });
    try {
      await machine.limit({ ...limits, outlivesOutOfMemory: session });
    } catch (error) {
      await machine.end();
      throw error;
    }
    return {
      connection,
      stats: () => machine.stats(),
      freeze: async (wanted) => {
        await machine.pause(wanted);
        return "machine" as const;
      },
      release: () => void machine.end(),
      end: () => machine.end(),
    };
  }

  /** One that goes on from where another one of its kind was kept; else it boots, and is kept for those that come later. */
  async #bootWith(wish: MachineWish): Promise<BootedMachine> {
    const kind = kindOf(wish);
    const snapshot = this.#kept.find(kind);
    if (snapshot !== null) {
      const going = await this.#make(wish, snapshot).catch((error: unknown) => {
        if (error instanceof SandboxError && error.code === "no_capacity") throw error;
        return null;
      });
      if (going !== null) return going;
      await this.#kept.forget(kind);
    }
    const booted = await this.#make(wish, null);
    await this.#kept.keep(kind, booted.machine);
    return booted;
  }

  #make(wish: MachineWish, snapshot: Snapshot | null): Promise<BootedMachine> {
    const making = this.#makeNow(wish, snapshot);
    this.#making.add(making);
    const forget = () => this.#making.delete(making);
    making.then(forget, forget);
    return making;
  }

  async #makeNow({ accelerator, runtime, limits, session }: MachineWish, snapshot: Snapshot | null): Promise<BootedMachine> {
    const { programs, image, folder } = this.#options;
    const [initrd, toolchain] = await Promise.all([this.#makeInitrd(), this.#showToolchain(runtime)]);
    const memoryBytes = limits.memoryBytes + guestBytes;
    const leave = await this.#room.enter(memoryBytes + overheadBytes, waitMs);
    let machine: Machine | undefined;
    try {
      if (this.#stopped) throw stopping();
      const number = this.#made++;
      const uid = this.#uids === null ? null : this.#uids.base + ((this.#uids.start + number) % this.#uids.count);
      const processors = Math.ceil(limits.cpus);
      machine = await Machine.start({
        programs,
        qemu: programs.qemu,
        image,
        initrd,
        folder: join(folder, `machine-${number}`),
        disks: toolchain === null ? [] : [toolchain],
        scratchBytes: limits.diskBytes + spareDiskBytes,
        snapshot,
        uid,
        cgroup: this.#createGroup(uid, processors, memoryBytes),
        accelerator,
        memoryBytes,
        processors,
      });
      this.#follow(machine, leave);
      if (this.#stopped) throw stopping();
      const agent = { programs, runtime, session, networked: false, merge: false, quietMs: null, denied: [], slotProcs };
      const ms = bootMs[accelerator];
      return { machine, connection: await (snapshot === null ? machine.boot(agentWords(agent), ms) : machine.goOn(ms)) };
    } catch (error) {
      if (machine === undefined) leave();
      await machine?.end();
      throw error;
    }
  }

  #follow(machine: Machine, leave: () => void): void {
    this.#machines.add(machine);
    void machine.ended.finally(() => {
      this.#machines.delete(machine);
      leave();
    });
  }

  /** Of QEMU: its guest's limits are within. */
  #createGroup(uid: number | null, processors: number, memoryBytes: number): JailCgroup | null {
    if (this.#roots === null) return null;
    const group = createJailCgroup(this.#roots, `syla-${process.pid}-m${groups++}`, uid ?? process.getuid?.() ?? 0);
    group.addSlot(0);
    group.limit(0, { cpus: processors + 0.5, memoryBytes: memoryBytes + overheadBytes, processes: mostThreads });
    return group;
  }

  #chooseAccelerator(): Promise<Accelerator> {
    this.#accelerator ??= this.#findAccelerator();
    return this.#accelerator;
  }

  /** A device file says nothing: many hosts that are guests themselves have one with which nothing boots. */
  async #findAccelerator(): Promise<Accelerator> {
    const { accelerator } = this.#options;
    if (accelerator !== undefined || !isUsable("/dev/kvm")) return accelerator ?? "tcg";
    try {
      await (this.#trial = this.#try("kvm"));
      return "kvm";
    } catch {
      this.#trial = null;
      return "tcg";
    }
  }

  async #try(accelerator: Accelerator): Promise<void> {
    const { machine } = await this.#make({ accelerator, runtime: plainRuntime, limits: trialLimits, session: false }, null);
    await machine.end();
  }

  /** The image's first file system, with what belongs to this version: the agent, and what starts it. */
  #makeInitrd(): Promise<string> {
    this.#initrd ??= this.#packInitrd();
    return this.#initrd;
  }

  async #packInitrd(): Promise<string> {
    const { folder, programs, image } = this.#options;
    const { folder: agent, compiled } = copyAgent(join(folder, "agent"), programs.python);
    await compiled;
    const guest = join(packageFolder, "guest");
    const files = [
      { path: "init", content: readFileSync(join(guest, "init.sh")), executable: true },
      { path: "syla/guest/guest.py", content: readFileSync(join(guest, "guest.py")) },
      ...readTree(agent).map((path) => ({
        path: `syla/agent/${path}`,
        content: readFileSync(join(agent, path)),
        mtime: Math.floor(statSync(join(agent, path)).mtimeMs / 1000),
      })),
    ];
    const file = join(folder, "initrd");
    writeFileSync(file, Buffer.concat([readFileSync(join(image.folder, imageFiles.initrd)), packCpio(files)]), { mode: 0o644 });
    return file;
  }

  /** A disk with what a runtime needs besides the system; null: nothing. */
  async #showToolchain(runtime: RuntimeSpec): Promise<string | null> {
    const mounts = runtime.mounts.filter(({ target }) => !isOfSystem(target));
    if (mounts.length === 0) return null;
    const key = JSON.stringify(mounts.map(({ source, target }) => [source, target, statSync(source, { throwIfNoEntry: false })?.mtimeMs]));
    const known = this.#toolchains.get(key);
    if (known !== undefined) return await known;
    const file = join(this.#options.folder, `toolchain-${this.#toolchains.size}`);
    const show = (root: string) =>
      mounts.flatMap(({ source, target }) => ["--ro-bind-try", source, root + target.slice(toolchainFolder.length)]);
    const making = makeSquashfs(this.#options.programs, file, show).then(() => file);
    this.#toolchains.set(key, making);
    return await making.catch((error: unknown) => {
      this.#toolchains.delete(key);
      throw new SandboxError("sandbox_failed", "what the language needs could not be shown to a machine", error);
    });
  }
}

/** Machines of one kind differ in nothing before their run. */
function kindOf({ accelerator, runtime, limits, session }: MachineWish): string {
  const { pooling, binary, preimport, env, mounts } = runtime;
  return JSON.stringify([
    accelerator,
    session,
    pooling,
    binary,
    preimport,
    env,
    mounts,
    Math.ceil(limits.cpus),
    limits.memoryBytes,
    limits.diskBytes,
  ]);
}

function stopping(): SandboxError {
  return new SandboxError("no_capacity", "the server is shutting down");
}

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

const noNetwork: RunNetwork = {
  connect: () => Promise.reject(new PortUnreachableError("sandboxes of the microvm tier have no ports")),
  usage: () => null,
  close: () => Promise.resolve(),
};

/** @throws SandboxError `network_unavailable` */
function refuseNetwork({ network = "none", ports }: Pick<SandboxSpec, "network" | "ports">): void {
  if (network !== "none" || ports === true)
    throw new SandboxError("network_unavailable", "sandboxes of the microvm tier have no network and no ports: choose the namespace tier");
}

/** Refuses what would fail in there for no reason that anybody sees. @throws SandboxError `tier_unavailable` */
function requireShown({ name, mounts, prefix }: RuntimeSpec, env: Readonly<Record<string, string>>): void {
  const outside = mounts.find(({ target }) => !isOfSystem(target) && !target.startsWith(`${toolchainFolder}/`));
  if (outside !== undefined)
    throw new SandboxError("tier_unavailable", `the microvm tier cannot show ${outside.target}, which ${name} needs`);
  if ([prefix ?? "", ...Object.values(env)].some((value) => value.includes(`${layersFolder}/`)))
    throw new SandboxError("tier_unavailable", "the microvm tier cannot show the packages of programs: choose the namespace tier");
}

/** It is in every image. */
function isOfSystem(path: string): boolean {
  return path.startsWith("/usr/");
}

function limitsInForce(limits: SandboxLimits): EffectiveLimits {
  const entries = Object.entries(enforcers).map(([name, enforcedBy]) => [name, { value: limits[name as keyof SandboxLimits], enforcedBy }]);
  return Object.fromEntries(entries) as EffectiveLimits;
}

function isUsable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The files below a folder, relative to it. */
function readTree(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}
