import { readdirSync, readFileSync } from "node:fs";

/** What the host looks like from outside: processes, mounts, groups. */

/** Those whose command line holds a text. */
export function hostProcessesNamed(marker: string): number[] {
  return processIds().filter((pid) => readProc(pid, "cmdline").includes(marker));
}

/** Processes that have some of a folder mounted. */
export function processesThatSee(folder: string): number[] {
  return processIds().filter((pid) => readProc(pid, "mountinfo").includes(folder));
}

/** Children, their children, and so on, of a process. */
export function descendants(root: number): Set<number> {
  const parents = new Map(processIds().map((pid) => [pid, parentOf(pid)]));
  const found = new Set([root]);
  for (let before = 0; before !== found.size;) {
    before = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  found.delete(root);
  return found;
}

/** The processes of the sandboxes below this one by their number inside: 1 is a sandbox's init, the others are payloads. */
export function sandboxProcesses(root: number): Map<number, number> {
  const levels = [...descendants(root)].map(
    (pid) => [pid, /^NSpid:\s+(.*)$/m.exec(readProc(pid, "status"))?.[1]?.split(/\s+/) ?? []] as const,
  );
  return new Map(levels.filter(([, numbers]) => numbers.length === 3).map(([pid, numbers]) => [pid, Number(numbers[2])]));
}

/** Neither gone nor a zombie. */
export function isAlive(pid: number): boolean {
  const state = /^State:\s+(\S)/m.exec(readProc(pid, "status"))?.[1];
  return state !== undefined && state !== "Z" && state !== "X";
}

/** What this machine holds that sandboxes could leave: mounts of `folder`, control groups of the processes that made them. */
export function holdings(folder: string, makers: readonly number[] = [process.pid]): { mounts: string[]; groups: string[] } {
  return {
    mounts: readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => line.includes(folder)),
    groups: groupsOf(makers),
  };
}

/** Creators of the System V shared memory of the host. */
export function sharedMemoryCreators(): number[] {
  return readFileSync("/proc/sysvipc/shm", "utf8")
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => Number(line.trim().split(/\s+/)[4]));
}

function groupsOf(makers: readonly number[]): string[] {
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "));
  const trees = mounts.filter((fields) => fields[2] === "cgroup" || fields[2] === "cgroup2").map((fields) => fields[1] ?? "");
  return trees.flatMap((tree) => groupsBelow(tree)).filter((path) => makers.some((pid) => path.includes(`/syla-${pid}-`)));
}

function groupsBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) => [`${folder}/${entry.name}`, ...groupsBelow(`${folder}/${entry.name}`)]);
  } catch {
    return [];
  }
}

function processIds(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)/m.exec(readProc(pid, "status"))?.[1] ?? 0);
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

/** The command line of a process, its words apart by NUL; empty when it is gone. */
export function commandLine(pid: number): string {
  return readProc(pid, "cmdline");
}
