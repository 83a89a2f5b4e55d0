import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmdirSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/**
 * Control groups: the limits that the kernel itself keeps. Version 1 has a tree per controller, version 2 one tree; both look the same
 * from here: a group per jail, in it one for the agent and one per slot that the agent moves payloads into.
 */

export type Controller = "memory" | "cpu" | "pids";
const controllers: readonly Controller[] = ["memory", "cpu", "pids"];
const periodUs = 100_000;
/** Of each jail: thousands of slots must not use up the files that this process may have open. */
const slotsKeptOpen = 32;
/**
 * What the agent of a jail may use besides what its runs may: its interpreter; and for each slot a holder, an init, a relay, those that take their place, and a
 * payload on its way, with the input that waits for its program (64 MiB at most) and what goes with that.
 */
const agentBase = { memoryBytes: 256 * 1024 ** 2, processes: 16 };
const agentPerSlot = { memoryBytes: 96 * 1024 ** 2, processes: 8 };

/** Where this process may make groups: one folder per controller (the same one for all in version 2). */
export interface CgroupRoots {
  readonly version: 1 | 2;
  readonly folders: ReadonlyMap<Controller, string>;
}

/** The limits of a slot that control groups can keep. */
export interface SlotLimits {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly processes: number;
  /** Of what it prints; the last half waits in the memory of its init. */
  readonly outputBytes?: number;
  /** When memory runs out, one process ends and not the whole slot. */
  readonly outlivesOutOfMemory?: boolean;
}

/** What a slot's groups counted since they were asked before. */
export interface SlotStats {
  /** Null where the kernel does not tell, or may be telling of an earlier run. */
  readonly peakMemoryBytes: number | null;
  readonly oomKills: number;
}

/** The groups of one jail. */
export interface JailCgroup {
  /** `cgroup.procs` files that the jail's first process joins. */
  readonly agentProcs: readonly string[];
  /** Host folder and its name in the jail, for each tree. */
  readonly binds: readonly (readonly [source: string, name: string])[];
  /** Inside the jail: the files that put a payload into its slot; `SLOT` stands for the number. */
  readonly slotProcs: readonly string[];
  /** Makes room for one. What is in no slot, the agent and all that serves the runs, may use so much for each slot and no more. */
  addSlot(slot: number): void;
  limit(slot: number, limits: SlotLimits): void;
  /** Stops the slot's processes or lets them go on. False where this cannot be done without a trap. */
  freeze(slot: number, wanted: boolean): boolean;
  /** To be asked at the end of each run. */
  stats(slot: number): SlotStats;
  remove(): void;
}

/** Finds the trees in which this process may make groups; null when there are none (an ordinary user without delegation). */
export function findCgroupRoots(procRoot = "/proc/self"): CgroupRoots | null {
  const mounts = readFileSync(join(procRoot, "mounts"), "utf8")
    .split("\n")
    .map((line) => line.split(" "));
  const own = readFileSync(join(procRoot, "cgroup"), "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  return findVersion1(mounts, own) ?? findVersion2(mounts, own);
}

function findVersion1(mounts: string[][], own: string[][]): CgroupRoots | null {
  const folders = new Map<Controller, string>();
  for (const controller of controllers) {
    const mount = mounts.find((fields) => fields[2] === "cgroup" && fields[3]?.split(",").includes(controller));
    const path = own.find((fields) => fields[1]?.split(",").includes(controller))?.[2];
    const folder = mount?.[1] !== undefined && path !== undefined ? usable([join(mount[1], path), mount[1]]) : null;
    if (folder !== null) folders.set(controller, folder);
  }
  return folders.size > 0 ? { version: 1, folders } : null;
}

function findVersion2(mounts: string[][], own: string[][]): CgroupRoots | null {
  const mount = mounts.find((fields) => fields[2] === "cgroup2")?.[1];
  const path = own.find((fields) => fields[0] === "0")?.[2];
  if (mount === undefined || path === undefined) return null;
  const folder = usable([join(mount, path), mount]);
  if (folder === null) return null;
  const enabled = enableControllers(folder);
  return enabled.length > 0 ? { version: 2, folders: new Map(enabled.map((controller) => [controller, folder])) } : null;
}

/** The first of the folders in which a group can be made. */
function usable(folders: readonly string[]): string | null {
  for (const folder of folders) {
    const probe = join(folder, `syla-probe-${process.pid}`);
    try {
      mkdirSync(probe);
      rmdirSync(probe);
      return folder;
    } catch {
      continue;
    }
  }
  return null;
}

/** Version 2: children get a controller only when the parent hands it on, and a parent that hands on may hold no process itself. */
function enableControllers(folder: string): Controller[] {
  const available = readFileSync(join(folder, "cgroup.controllers"), "utf8").split(/\s+/);
  const wanted = controllers.filter((controller) => available.includes(controller));
  const handOn = () => writeFileSync(join(folder, "cgroup.subtree_control"), wanted.map((controller) => `+${controller}`).join(" "));
  if (wanted.length === 0) return [];
  try {
    handOn();
  } catch {
    try {
      const leaf = join(folder, "syla-server");
      mkdirSync(leaf, { recursive: true });
      for (const pid of readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean)) {
        writeFileSync(join(leaf, "cgroup.procs"), pid);
      }
      handOn();
    } catch {
      return [];
    }
  }
  return wanted;
}

/** Makes the groups of a jail, `agent` in it owned by the host and the slots by `uid`. */
export function createJailCgroup(roots: CgroupRoots, name: string, uid: number): JailCgroup {
  const trees = new Map<string, string>(); // tree name → folder of the jail
  for (const [controller, folder] of roots.folders) trees.set(roots.version === 1 ? controller : "unified", join(folder, name));
  for (const folder of trees.values()) makeJailFolder(roots, folder, uid);
  const controllerFolder = new Map<Controller, string>([...roots.folders].map(([controller, folder]) => [controller, join(folder, name)]));
  const applied = new Map<number, SlotLimits>();
  const outputBytes: number[] = []; // by slot: the most of any of its runs
  const agentBounds = new Map<Controller, number>();
  const boundAgent = () => {
    const slots = outputBytes.length;
    const output = outputBytes.reduce((sum, bytes) => sum + bytes, 0);
    raise("pids", agentBase.processes + agentPerSlot.processes * slots);
    raise("memory", agentBase.memoryBytes + agentPerSlot.memoryBytes * slots + Math.ceil(output / 2));
  };
  /** Never lowered: what is in use cannot be taken away. */
  const raise = (controller: Controller, value: number) => {
    const folder = controllerFolder.get(controller);
    if (folder === undefined || value <= (agentBounds.get(controller) ?? 0)) return;
    agentBounds.set(controller, value);
    if (controller === "memory") writeMemoryLimit(roots.version, join(folder, "agent"), { memoryBytes: value, outlivesOutOfMemory: true });
    else writeFileSync(join(folder, "agent", "pids.max"), String(value));
  };
  const counters = new Map<number, Counters>();
  const counterFiles = new Map<number, CounterFiles>();
  return {
    agentProcs: [...trees.values()].map((folder) => join(folder, "agent", "cgroup.procs")),
    binds: [...trees].map(([tree, folder]) => [folder, `cgroup-${tree}`] as const),
    slotProcs: [...trees.keys()].map((tree) => `/cgroup-${tree}/slot-SLOT/cgroup.procs`),
    addSlot(slot) {
      for (const folder of trees.values()) {
        mkdirSync(join(folder, `slot-${slot}`), { recursive: true });
        chownSync(join(folder, `slot-${slot}`, "cgroup.procs"), uid, uid);
      }
      outputBytes[slot] ??= 0;
      boundAgent();
    },
    limit(slot, limits) {
      const before = applied.get(slot);
      for (const [controller, folder] of controllerFolder)
        applyLimit(roots.version, controller, join(folder, `slot-${slot}`), limits, before);
      applied.set(slot, limits);
      if ((limits.outputBytes ?? 0) <= (outputBytes[slot] ?? 0)) return;
      outputBytes[slot] = limits.outputBytes ?? 0;
      boundAgent();
    },
    // Version 1 has a freezer too, but what it has frozen cannot be killed: a server that died would leave it for ever.
    freeze(slot, wanted) {
      const folder = roots.version === 2 ? [...controllerFolder.values()][0] : undefined;
      const file = folder === undefined ? undefined : join(folder, `slot-${slot}`, "cgroup.freeze");
      if (file === undefined || !existsSync(file)) return false;
      writeFileSync(file, wanted ? "1" : "0");
      return true;
    },
    stats(slot) {
      const memory = controllerFolder.get("memory");
      if (memory === undefined) return { peakMemoryBytes: null, oomKills: 0 };
      const before = counters.get(slot) ?? { oomKills: 0, peakMemoryBytes: null };
      const files = counterFiles.get(slot) ?? openCounters(roots.version, join(memory, `slot-${slot}`));
      const after = readCounters(roots.version, files);
      if (slot < slotsKeptOpen) counterFiles.set(slot, files);
      else closeCounters(files);
      counters.set(slot, after);
      // Version 2 cannot start its peak over everywhere: one that did not move may be an earlier run's.
      const stale = roots.version === 2 && after.peakMemoryBytes === before.peakMemoryBytes;
      return { oomKills: after.oomKills - before.oomKills, peakMemoryBytes: stale ? null : after.peakMemoryBytes };
    },
    remove() {
      for (const files of counterFiles.values()) closeCounters(files);
      counterFiles.clear();
      for (const folder of trees.values()) removeTree(folder);
    },
  };
}

function makeJailFolder(roots: CgroupRoots, folder: string, uid: number): void {
  mkdirSync(join(folder), { recursive: true });
  if (roots.version === 2) {
    writeFileSync(join(folder, "cgroup.subtree_control"), [...roots.folders.keys()].map((controller) => `+${controller}`).join(" "));
    chownSync(join(folder, "cgroup.procs"), uid, uid); // moving between two children takes the right to write to their parent
  }
  mkdirSync(join(folder, "agent"), { recursive: true });
}

function applyLimit(version: 1 | 2, controller: Controller, folder: string, limits: SlotLimits, before: SlotLimits | undefined): void {
  const write = (file: string, value: number | string) => writeFileSync(join(folder, file), String(value));
  if (controller === "pids" && before?.processes !== limits.processes) write("pids.max", limits.processes);
  if (controller === "cpu" && before?.cpus !== limits.cpus) {
    const quota = Math.max(1000, Math.round(limits.cpus * periodUs));
    if (version === 2) write("cpu.max", `${quota} ${periodUs}`);
    else write("cpu.cfs_quota_us", quota);
  }
  if (controller === "memory") {
    if (before?.memoryBytes !== limits.memoryBytes) writeMemoryLimit(version, folder, limits);
  }
}

function writeMemoryLimit(version: 1 | 2, folder: string, limits: Pick<SlotLimits, "memoryBytes" | "outlivesOutOfMemory">): void {
  const bytes = limits.memoryBytes;
  const write = (file: string, value: number | string) =>
    existsSync(join(folder, file)) && writeFileSync(join(folder, file), String(value));
  if (version === 2) {
    write("memory.max", bytes);
    write("memory.swap.max", 0);
    write("memory.oom.group", limits.outlivesOutOfMemory === true ? 0 : 1);
    return;
  }
  write("memory.memsw.limit_in_bytes", -1); // must never be below the other one while both change
  write("memory.limit_in_bytes", bytes);
  write("memory.memsw.limit_in_bytes", bytes);
}

/** As the kernel has them: of all runs of a slot. Where the peak can be started over, it is. */
type Counters = SlotStats;

/** Kept open in the slots that are used most: they are read at the end of every run. Null for one that is not there. */
interface CounterFiles {
  readonly events: number | null;
  readonly peak: number | null;
}

function openCounters(version: 1 | 2, folder: string): CounterFiles {
  const open = (name: string, flags: string) => {
    try {
      return openSync(join(folder, name), flags);
    } catch {
      return null;
    }
  };
  if (version === 1) return { events: open("memory.oom_control", "r"), peak: open("memory.max_usage_in_bytes", "r+") };
  return { events: open("memory.events", "r"), peak: open("memory.peak", "r") };
}

function readCounters(version: 1 | 2, { events, peak }: CounterFiles): Counters {
  const bytes = Number(readFrom(peak) || Number.NaN);
  if (version === 1 && peak !== null) writeSync(peak, "0", 0);
  return {
    oomKills: Number(/^oom_kill (\d+)$/m.exec(readFrom(events))?.[1] ?? 0),
    peakMemoryBytes: Number.isFinite(bytes) ? bytes : null,
  };
}

function closeCounters({ events, peak }: CounterFiles): void {
  for (const file of [events, peak]) if (file !== null) closeSync(file);
}

const readBuffer = Buffer.alloc(4096);

function readFrom(file: number | null): string {
  return file === null ? "" : readBuffer.toString("latin1", 0, readSync(file, readBuffer, 0, readBuffer.length, 0));
}

/** Removes a group and those below it. One that still holds a dying process is left for {@link removeStale}. */
function removeTree(folder: string): boolean {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory()) removeTree(join(folder, entry.name));
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}

/** Removes the groups of servers that are gone. Their names are `syla-<pid>-…`. */
export function removeStale(roots: CgroupRoots): void {
  for (const folder of new Set(roots.folders.values())) {
    for (const name of readdirSync(folder)) {
      const pid = /^syla-(\d+)-/.exec(name)?.[1];
      if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeTree(join(folder, name));
    }
  }
}
