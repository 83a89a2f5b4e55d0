import { accessSync, constants, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
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
import { RunNetworks, type NetworkOptions, type NetworkPlace, type RunNetwork } from "../run-network.ts";
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
import { Drives, emptyDrive, toolchainFolder } from "./drives.ts";
import { firecracker } from "./firecracker.ts";
import { imageFiles, type GuestImage } from "./guest-image.ts";
import { KeptMachines } from "./kept-machines.ts";
import { Machine, type MachineSpec } from "./machine.ts";
import { MachineRoom } from "./machine-room.ts";
import { mostThreads, overheadBytes, qemu, type Accelerator } from "./qemu.ts";
import type { Snapshot } from "./snapshot.ts";
import { shownDrives, type Vmm } from "./vmm.ts";
import { WarmMachines } from "./warm-machines.ts";

const mebibyte = 1 << 20;
/** What a guest needs besides its run: its kernel, and the agent. */
const guestBytes = 192 * mebibyte;
/** On its disk, besides what the run may write. */
const spareDiskBytes = 64 * mebibyte;
/** Guests may have that share of the host's memory. */
const memoryShare = 0.75;
/** Of that, those that wait for a run. */
const warmShare = 0.25;
const waitMs = 30_000;
/** How long a guest may take until its sandbox is there, on a machine that is busy. */
const bootMs = { kvm: 20_000, emulated: 120_000 } as const;
/** How long it takes at most until it is known why a connection into a machine broke. */
const reasonMs = 1000;
/** A guest for trying whether one can be had. */
const trialLimits = { cpus: 1, memoryBytes: 128 * mebibyte, diskBytes: 16 * mebibyte };
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
  /** One of `qemu` and `firecracker` is there. */
  readonly programs: WallPrograms & {
    readonly qemu: string | null;
    readonly firecracker?: string | null;
    readonly mke2fs: string;
    readonly mksquashfs: string;
  };
  readonly image: GuestImage;
  /** What runs the guests' instructions; by default KVM where a guest boots with it, else emulation. */
  readonly accelerator?: Accelerator;
  /** What makes machines; by default Firecracker where it is there and a guest boots with it, else QEMU. */
  readonly monitor?: "firecracker" | "qemu";
  /** Holds built dependencies, a folder each. */
  readonly layers?: string;
  /** How runs that ask for a network get one. */
  readonly network?: NetworkOptions;
  /** So many machines of one kind wait for a run at most; by default none does. */
  readonly mostWarm?: number;
  /** What machines may have together of the host's memory; by default three quarters of it. */
  readonly memoryBytes?: number;
  /** How often guests are asked whether they are there. */
  readonly health?: MachineSpec["health"];
  /** The folder of what runs as root in a guest; by default ours. */
  readonly guest?: string;
  /** Ignores control groups even where they could be used. */
  readonly withoutCgroups?: boolean;
}

/** What a run or a session needs of its machine. */
type PlaceWish = Pick<SandboxSpec, "runtime" | "limits" | "layers">;

/** What a machine is made for. */
interface MachineWish {
  readonly vmm: Vmm;
  readonly runtime: RuntimeSpec;
  readonly limits: Pick<SandboxLimits, "cpus" | "memoryBytes" | "diskBytes">;
  readonly session: boolean;
  /** Its sandbox has a relay. */
  readonly networked: boolean;
}

interface BootedMachine {
  readonly machine: Machine;
  readonly connection: SandboxConnection;
}

/**
 * A virtual machine for each run and each session: a kernel of its own, and in it the agent with the walls that it has everywhere. Its monitor runs in a
 * bubblewrap jail, with a filter of its own, and has no network: what a run may reach, it reaches through its relay and the host's proxy.
 */
export class MicrovmTier implements Tier {
  readonly name = "microvm";
  readonly #options: MicrovmTierOptions;
  readonly #roots: CgroupRoots | null;
  readonly #uids: ReturnType<typeof hostUsers> | null;
  readonly #room: MachineRoom;
  readonly #disk: DiskGuard;
  readonly #trees = new ShownTrees(undefined);
  readonly #machines = new Set<Machine>();
  readonly #drives: Drives;
  readonly #kept: KeptMachines;
  readonly #warm: WarmMachines<BootedMachine>;
  readonly #networks: RunNetworks;
  readonly #making = new Set<Promise<BootedMachine>>();
  #initrd: Promise<string> | null = null;
  #vmm: Promise<Vmm> | null = null;
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
    this.#drives = new Drives(join(options.folder, "shown"), options.programs, options.layers);
    this.#networks = new RunNetworks(options.network ?? {});
    const bytes = options.memoryBytes ?? totalmem() * memoryShare;
    this.#warm = new WarmMachines({ mostOfKind: options.mostWarm ?? 0, mostBytes: bytes * warmShare });
    this.#room = new MachineRoom(bytes, (missing) => this.#warm.makeRoom(missing));
  }

  /** Tries it: one machine and a sandbox in it. What has booted once is not tried again. */
  async report(): Promise<TierReport> {
    const { name: tier } = this;
    const files = { by: "copies", reason: "a machine has disks of its own" } as const;
    try {
      const vmm = await this.#chooseVmm();
      await (this.#trial ??= this.#try(vmm));
      return { tier, available: true, reason: null, walls: wallsOf(vmm), limits: enforcers, files };
    } catch (error) {
      this.#trial = null;
      const reason = `A machine could not be booted: ${error instanceof Error ? error.message : String(error)}`;
      return { tier, available: false, reason, walls: [], limits: enforcers, files: null };
    }
  }

  async start(wish: SandboxSpec): Promise<SandboxRun> {
    // Nothing is booted ahead in a machine that is made for one run.
    const spec: SandboxSpec = wish.runtime.pooling === "preboot" ? { ...wish, runtime: { ...wish.runtime, pooling: "cold" } } : wish;
    const networked = this.#networks.isWanted(spec);
    const { machine, place } = await this.#boot(spec, { session: false, networked });
    let network: RunNetwork | null = null;
    try {
      if (networked) network = await this.#networks.open(networkOf(machine), spec);
      await this.#trees.putFiles(place.connection, spec);
      await spec.begin?.();
      await place.connection.start({ ...planRun(spec, enforcers), kept: true }, spec.stdin);
    } catch (error) {
      await network?.close();
      await place.end();
      throw error;
    }
    return {
      tier: this.name,
      walls: wallsOf(await this.#chooseVmm()),
      limits: limitsInForce(spec.limits),
      events: runEvents(place, spec, network, this.#disk),
      connect: async (port) => {
        if (network === null) throw new PortUnreachableError("this run was started without ports");
        return await network.connect(port);
      },
      network: () => network?.usage() ?? null,
      cancel: (graceMs) => cancelRun(place.connection, graceMs),
    };
  }

  async open(spec: SessionSpec): Promise<Session> {
    this.#networks.isWanted(spec); // refuses what cannot be had, before anything is made
    const { machine, place } = await this.#boot(spec, { session: true, networked: true });
    const disk = this.#disk.watch(spec.limits.diskBytes, () => place.connection.look());
    let network: RunNetwork | null = null;
    try {
      network = await this.#networks.open(networkOf(machine), spec);
      await this.#trees.putFiles(place.connection, spec);
      const session = await AgentSession.open({
        tier: this.name,
        place,
        plan: planSession(spec, enforcers),
        limits: limitsInForce(spec.limits),
        interpreters: { python: spec.python ?? this.#options.programs.python, node: nodeInside(spec.runtime) },
        network,
        disk,
      });
      void session.ended.finally(disk.stop);
      return session;
    } catch (error) {
      disk.stop();
      await network?.close();
      await place.end();
      throw error;
    }
  }

  /** Whether a machine can be had is found out ahead; what kinds of them will be wanted is not known before they are. */
  warm(): void {
    this.#chooseVmm().catch(() => {}); // told by whoever wants one
  }

  /** Nothing is kept for anybody. */
  dismiss(): void {}

  pools(): readonly PoolReport[] {
    return this.#warm.report();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#warm.stop();
    await Promise.all([...this.#machines].map((machine) => machine.end()));
    await Promise.allSettled([...this.#making, this.#drives.settle()]);
    await removeFolder(this.#options.folder);
  }

  /** A machine for one run or one session, with its limits in force and its packages in place. */
  async #boot(
    { runtime, limits, layers = [] }: PlaceWish,
    kind: Pick<MachineWish, "session" | "networked">,
  ): Promise<{ machine: Machine; place: Place }> {
    requireShown(runtime, this.#options.image);
    if (layers.length > shownDrives - 1)
      throw new SandboxError("tier_unavailable", `the microvm tier shows the packages of ${shownDrives - 1} environments at most`);
    const files = await Promise.all(layers.map((name) => this.#drives.layer(name)));
    const { machine, connection } = await this.#bootWith({ vmm: await this.#chooseVmm(), runtime, limits, ...kind });
    try {
      await machine.limit({ ...limits, outlivesOutOfMemory: kind.session });
      for (const [index, file] of files.entries()) await machine.show(index + 1, file, `${layersFolder}/${layers[index] ?? ""}`);
      if (kind.networked) await machine.openNetwork();
      machine.watch();
    } catch (error) {
      await machine.end();
      throw error;
    }
    return { machine, place: placeOf(machine, connection) };
  }

  /** One that waits, or one that goes on from where another one of its kind was kept; else it boots, and is kept for those that come later. */
  async #bootWith(wish: MachineWish): Promise<BootedMachine> {
    const kind = kindOf(wish);
    const booted = (await this.#wake(kind)) ?? (await this.#goOn(kind, wish)) ?? (await this.#bootFirst(kind, wish));
    if (this.#kept.find(kind) !== null) this.#warm.want(kind, nameOf(wish), bytesOf(wish), () => this.#makeWaiting(kind, wish));
    return booted;
  }

  async #wake(kind: string): Promise<BootedMachine | null> {
    for (let waiting = this.#warm.take(kind); waiting !== null; waiting = this.#warm.take(kind)) {
      try {
        await waiting.machine.wake();
        return waiting;
      } catch {
        await waiting.machine.end(); // it was lost while it waited
      }
    }
    return null;
  }

  async #goOn(kind: string, wish: MachineWish): Promise<BootedMachine | null> {
    const snapshot = this.#kept.find(kind);
    if (snapshot === null) return null;
    try {
      return await this.#make(wish, snapshot);
    } catch (error) {
      if (error instanceof SandboxError && error.code === "no_capacity") throw error;
      await this.#kept.forget(kind);
      return null;
    }
  }

  async #bootFirst(kind: string, wish: MachineWish): Promise<BootedMachine> {
    const booted = await this.#make(wish, null);
    await this.#kept.keep(kind, booted.machine);
    if (wish.vmm.outlivesKeeping || this.#kept.find(kind) === null) return booted;
    await booted.machine.end();
    return (await this.#goOn(kind, wish)) ?? (await this.#make(wish, null));
  }

  /** One that stands still until somebody wants it. Nothing makes room for it. */
  async #makeWaiting(kind: string, wish: MachineWish): Promise<BootedMachine> {
    const snapshot = this.#kept.find(kind);
    if (snapshot === null) throw new SandboxError("sandbox_failed", "no machine of this kind is kept");
    const booted = await this.#make(wish, snapshot, { waits: true });
    try {
      await booted.machine.pause(true);
      return booted;
    } catch (error) {
      await booted.machine.end();
      throw error;
    }
  }

  #make(wish: MachineWish, snapshot: Snapshot | null, purpose = { waits: false }): Promise<BootedMachine> {
    const making = this.#makeNow(wish, snapshot, purpose);
    this.#making.add(making);
    const forget = () => this.#making.delete(making);
    making.then(forget, forget);
    return making;
  }

  async #makeNow(wish: MachineWish, snapshot: Snapshot | null, { waits }: { readonly waits: boolean }): Promise<BootedMachine> {
    const { vmm, runtime, limits, session, networked } = wish;
    const { programs, image, folder, health } = this.#options;
    const [initrd, toolchain] = await Promise.all([this.#makeInitrd(), this.#drives.toolchain(runtime)]);
    const leave = waits ? this.#room.enterNow(bytesOf(wish)) : await this.#room.enter(bytesOf(wish), waitMs);
    let machine: Machine | undefined;
    try {
      if (this.#stopped) throw stopping();
      const number = this.#made++;
      const uid = this.#uids === null ? null : this.#uids.base + ((this.#uids.start + number) % this.#uids.count);
      const memoryBytes = limits.memoryBytes + guestBytes;
      const processors = Math.ceil(limits.cpus);
      machine = await Machine.start({
        vmm,
        programs,
        image,
        initrd,
        folder: join(folder, `machine-${number}`),
        shown: this.#drives.folder,
        drives: Array.from({ length: shownDrives }, (_, drive) => (drive === 0 ? toolchain : null) ?? emptyDrive),
        scratchBytes: limits.diskBytes + spareDiskBytes,
        snapshot,
        uid,
        cgroup: this.#createGroup(uid, processors, memoryBytes),
        memoryBytes,
        processors,
        ...(health === undefined ? {} : { health }),
      });
      this.#follow(machine, leave);
      if (this.#stopped) throw stopping();
      const ms = vmm.usesKvm ? bootMs.kvm : bootMs.emulated;
      if (snapshot !== null) return { machine, connection: await machine.goOn(ms) };
      const agent = { programs, runtime, session, networked, layers: layersFolder, late: true, quietMs: null, denied: [], slotProcs };
      const shown = new Map(toolchain === null ? [] : [[0, toolchainFolder]]);
      return { machine, connection: await machine.boot(agentWords(agent), shown, ms) };
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

  /** Of the monitor: its guest's limits are within. */
  #createGroup(uid: number | null, processors: number, memoryBytes: number): JailCgroup | null {
    if (this.#roots === null) return null;
    const group = createJailCgroup(this.#roots, `syla-${process.pid}-m${groups++}`, uid ?? process.getuid?.() ?? 0);
    group.addSlot(0);
    group.limit(0, { cpus: processors + 0.5, memoryBytes: memoryBytes + overheadBytes, processes: mostThreads });
    return group;
  }

  #chooseVmm(): Promise<Vmm> {
    if (this.#vmm !== null) return this.#vmm;
    const choosing = this.#findVmm();
    this.#vmm = choosing;
    choosing.catch(() => (this.#vmm = null));
    return choosing;
  }

  /** The first one with which a guest boots. A device file says nothing: many hosts that are guests themselves have one with which nothing does. */
  async #findVmm(): Promise<Vmm> {
    const candidates = findCandidates(this.#options);
    const last = candidates.pop();
    if (last === undefined) throw new SandboxError("tier_unavailable", "what is to make machines is not installed, or needs /dev/kvm");
    for (const vmm of candidates) {
      try {
        await (this.#trial = this.#try(vmm));
        return vmm;
      } catch {
        this.#trial = null;
      }
    }
    return last;
  }

  async #try(vmm: Vmm): Promise<void> {
    const { machine } = await this.#make({ vmm, runtime: plainRuntime, limits: trialLimits, session: false, networked: false }, null);
    await machine.end();
  }

  /** The image's first file system, with what belongs to this version: the agent, and what starts it. */
  #makeInitrd(): Promise<string> {
    this.#initrd ??= this.#packInitrd();
    return this.#initrd;
  }

  async #packInitrd(): Promise<string> {
    const { folder, programs, image, guest = join(packageFolder, "guest") } = this.#options;
    const { folder: agent, compiled } = copyAgent(join(folder, "agent"), programs.python);
    await compiled;
    const modules = readTree(guest).filter((path) => path.endsWith(".py"));
    const files = [
      { path: "init", content: readFileSync(join(guest, "init.sh")), executable: true },
      ...modules.map((path) => ({ path: `syla/guest/${path}`, content: readFileSync(join(guest, path)) })),
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
}

function findCandidates({ programs, accelerator, monitor }: MicrovmTierOptions): Vmm[] {
  const hasKvm = accelerator !== "tcg" && isUsable("/dev/kvm");
  const found: Vmm[] = [];
  if (programs.firecracker != null && monitor !== "qemu" && hasKvm) found.push(firecracker(programs.firecracker));
  if (programs.qemu === null || monitor === "firecracker") return found;
  if (hasKvm || accelerator === "kvm") found.push(qemu(programs.qemu, "kvm"));
  if (accelerator !== "kvm") found.push(qemu(programs.qemu, "tcg"));
  return found;
}

/** Machines of one kind differ in nothing before their run. */
function kindOf({ vmm, runtime, limits, session, networked }: MachineWish): string {
  const { pooling, binary, preimport, env, mounts } = runtime;
  const size = [Math.ceil(limits.cpus), limits.memoryBytes, limits.diskBytes];
  return JSON.stringify([vmm.wall, session, networked, pooling, binary, preimport, env, mounts, ...size]);
}

/** For people. */
function nameOf({ runtime, limits, session, networked }: MachineWish): string {
  const purpose = session ? "session" : `${runtime.name}${networked ? " networked" : ""}`;
  return `${purpose} machine, ${Math.ceil(limits.cpus)} CPU, ${Math.round(limits.memoryBytes / mebibyte)} MiB`;
}

/** What it takes of the host's memory at most. */
function bytesOf({ limits }: MachineWish): number {
  return limits.memoryBytes + guestBytes + overheadBytes;
}

function networkOf(machine: Machine): NetworkPlace {
  return { relays: machine.relays, slot: 0, end: () => machine.end() };
}

function placeOf(machine: Machine, connection: SandboxConnection): Place {
  return {
    connection,
    stats: () => machine.stats(),
    freeze: async (wanted) => {
      await machine.pause(wanted);
      return "machine" as const;
    },
    release: () => void machine.end(),
    end: () => machine.end(),
    why: async () => {
      await Promise.race([machine.ended, sleep(reasonMs, undefined, { ref: false })]);
      return machine.trouble === "" ? null : machine.trouble;
    },
  };
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

/** Refuses what would fail in there for no reason that anybody sees. @throws SandboxError `tier_unavailable` */
function requireShown({ name, mounts }: RuntimeSpec, { shown }: GuestImage): void {
  const outside = mounts.find(({ target }) => !isOfSystem(target) && !target.startsWith(`${toolchainFolder}/`) && !shown.includes(target));
  if (outside === undefined) return;
  throw new SandboxError("tier_unavailable", `the guest image lacks ${outside.target}, which ${name} needs: make another one`);
}

/** What makes the machine, with the jail around it, and what is in the machine. */
function wallsOf({ wall }: Vmm): string[] {
  return [wall, "bubblewrap", "guest kernel", "namespaces", "seccomp"];
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
