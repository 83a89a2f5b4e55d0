import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { descendants, holdings, isAlive } from "@syla/testkit/host-state";

/** What this process and its sandboxes hold of the machine at one moment. */
export interface Census {
  readonly processes: number;
  /** Ended, and not collected by anyone. */
  readonly zombies: number;
  /** Distinct namespaces of every kind that a process or an open descriptor of these keeps alive. */
  readonly namespaces: number;
  readonly mounts: number;
  readonly groups: number;
  /** Open descriptors of this process. */
  readonly descriptors: number;
  /** Open descriptors of the processes below it. */
  readonly sandboxDescriptors: number;
  readonly tempFiles: number;
  readonly tempBytes: number;
}

/** Counts for this process, what descends from it, and the folders that sandboxes write to. */
export function takeCensus(folder: string): Census {
  const below = [...descendants(process.pid)];
  const { mounts, groups } = holdings(folder);
  const files = filesBelow(folder);
  return {
    processes: below.length,
    zombies: below.filter((pid) => !isAlive(pid)).length,
    namespaces: new Set([process.pid, ...below].flatMap(namespacesOf)).size,
    mounts: mounts.length,
    groups: groups.length,
    descriptors: list(`/proc/${process.pid}/fd`).length - 1, // the listing's own
    sandboxDescriptors: below.reduce((sum, pid) => sum + list(`/proc/${pid}/fd`).length, 0),
    tempFiles: files.length,
    tempBytes: files.reduce((sum, size) => sum + size, 0),
  };
}

function namespacesOf(pid: number): string[] {
  const own = list(`/proc/${pid}/ns`).map((name) => link(`/proc/${pid}/ns/${name}`));
  const open = list(`/proc/${pid}/fd`).map((name) => link(`/proc/${pid}/fd/${name}`));
  return [...own, ...open].filter((target) => /^\w+:\[\d+\]$/.test(target) && !/^(?:pipe|socket|anon)/.test(target));
}

/** Sizes of everything below a folder, folders themselves included. */
function filesBelow(folder: string): number[] {
  return list(folder).flatMap((name) => {
    const path = join(folder, name);
    try {
      const stat = lstatSync(path);
      return stat.isDirectory() ? [0, ...filesBelow(path)] : [stat.size];
    } catch {
      return []; // gone meanwhile
    }
  });
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
