import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createJailCgroup, findCgroupRoots, removeStale, type CgroupRoots } from "../src/cgroups.ts";

/** Trees of ordinary files that stand where the kernel's would: what is written where, and what is found. */
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "syla-cgroups-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(path: string, text = ""): string {
  const whole = join(folder, path);
  mkdirSync(join(whole, ".."), { recursive: true });
  writeFileSync(whole, text);
  return whole;
}

const text = (path: string) => readFileSync(join(folder, path), "utf8");

function proc(mounts: string[], own: string[]): string {
  file("proc/mounts", `${mounts.join("\n")}\n`);
  file("proc/cgroup", `${own.join("\n")}\n`);
  return join(folder, "proc");
}

describe("findCgroupRoots", () => {
  test("version 1: a folder per controller, this process's own before the root", () => {
    for (const path of ["memory/mine", "cpu,cpuacct", "pids"]) mkdirSync(join(folder, path), { recursive: true });
    const found = findCgroupRoots(
      proc(
        [
          `cgroup ${folder}/memory cgroup rw,memory 0 0`,
          `cgroup ${folder}/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0`,
          `cgroup ${folder}/pids cgroup rw,pids 0 0`,
        ],
        ["3:memory:/mine", "2:cpu,cpuacct:/not/there", "1:pids:/"],
      ),
    );
    expect(found?.version).toBe(1);
    expect(Object.fromEntries(found?.folders ?? [])).toEqual({
      memory: `${folder}/memory/mine`,
      cpu: `${folder}/cpu,cpuacct`,
      pids: `${folder}/pids/`,
    });
  });

  test("version 1 with some controllers only", () => {
    mkdirSync(join(folder, "pids"));
    const found = findCgroupRoots(proc([`cgroup ${folder}/pids cgroup rw,pids 0 0`], ["1:pids:/"]));
    expect([...(found?.folders.keys() ?? [])]).toEqual(["pids"]);
  });

  test("version 2: hands on the controllers that are there", () => {
    file("two/own/cgroup.controllers", "cpuset cpu io memory pids\n");
    file("two/own/cgroup.subtree_control");
    const found = findCgroupRoots(proc([`cgroup2 ${folder}/two cgroup2 rw,nsdelegate 0 0`], ["0::/own"]));
    expect(found?.version).toBe(2);
    expect([...(found?.folders.keys() ?? [])].toSorted()).toEqual(["cpu", "memory", "pids"]);
    expect(text("two/own/cgroup.subtree_control").split(" ").toSorted()).toEqual(["+cpu", "+memory", "+pids"]);
  });

  test("a hybrid machine: version 1 controllers win over an empty version 2 tree", () => {
    mkdirSync(join(folder, "memory"));
    file("unified/cgroup.controllers", "");
    const found = findCgroupRoots(
      proc([`cgroup2 ${folder}/unified cgroup2 rw 0 0`, `cgroup ${folder}/memory cgroup rw,memory 0 0`], ["1:memory:/", "0::/"]),
    );
    expect(found).toMatchObject({ version: 1 });
  });

  test("none: nothing mounted, no controllers, or nothing that may be written", () => {
    expect(findCgroupRoots(proc(["proc /proc proc rw 0 0"], ["0::/"]))).toBe(null);
    file("empty/cgroup.controllers", "");
    expect(findCgroupRoots(proc([`cgroup2 ${folder}/empty cgroup2 rw 0 0`], ["0::/"]))).toBe(null);
    expect(findCgroupRoots(proc([`cgroup2 ${folder}/nowhere cgroup2 rw 0 0`], ["0::/own"]))).toBe(null);
    expect(findCgroupRoots(proc(["cgroup2 /proc cgroup2 ro 0 0"], ["0::/"]))).toBe(null);
  });
});

const uid = process.getuid?.() ?? 0;
const limits = { cpus: 1.5, memoryBytes: 100 << 20, processes: 7 };

describe("a jail's groups, version 2", () => {
  let roots: CgroupRoots;
  beforeEach(() => {
    file("two/cgroup.controllers", "cpu memory pids");
    // The kernel fills a new group by itself; here the test does.
    for (const group of ["two/jail", "two/jail/agent", "two/jail/slot-0", "two/jail/slot-1"]) file(`${group}/cgroup.procs`);
    for (const group of ["agent", "slot-0", "slot-1"])
      for (const name of ["memory.max", "memory.swap.max", "memory.oom.group"]) file(`two/jail/${group}/${name}`);
    roots = { version: 2, folders: new Map((["memory", "cpu", "pids"] as const).map((controller) => [controller, join(folder, "two")])) };
  });

  test("one tree, a group for the agent and one per slot", () => {
    const jail = createJailCgroup(roots, "jail", uid);
    jail.addSlot(0);
    expect(jail.agentProcs).toEqual([join(folder, "two/jail/agent/cgroup.procs")]);
    expect(jail.slotProcs).toEqual(["/cgroup-unified/slot-SLOT/cgroup.procs"]);
    expect(text("two/jail/cgroup.subtree_control").split(" ").toSorted()).toEqual(["+cpu", "+memory", "+pids"]);
    jail.limit(0, limits);
    expect(text("two/jail/slot-0/pids.max")).toBe("7");
    expect(text("two/jail/slot-0/cpu.max")).toBe("150000 100000");
    expect([text("two/jail/slot-0/memory.max"), text("two/jail/slot-0/memory.swap.max"), text("two/jail/slot-0/memory.oom.group")]).toEqual(
      [String(100 << 20), "0", "1"],
    );
  });

  test("what is in no slot is bounded too, by what so many slots can need, and never by less than before", () => {
    const jail = createJailCgroup(roots, "jail", uid);
    const bounds = () => ["pids.max", "memory.max", "memory.oom.group"].map((name) => Number(text(`two/jail/agent/${name}`)));
    const [base, each] = [256 << 20, 96 << 20];
    jail.addSlot(0);
    expect(bounds()).toEqual([24, base + each, 0]);
    jail.addSlot(1);
    expect(bounds()).toEqual([32, base + 2 * each, 0]);
    jail.limit(1, { ...limits, outputBytes: 10 << 20 });
    expect(bounds()).toEqual([32, base + 2 * each + (5 << 20), 0]);
    jail.limit(1, { ...limits, outputBytes: 1 << 20 });
    jail.addSlot(1);
    expect(bounds()).toEqual([32, base + 2 * each + (5 << 20), 0]);
  });

  test("counts kills and the peak; a file that is not there counts as nothing", () => {
    const jail = createJailCgroup(roots, "jail", uid);
    expect(jail.stats(1)).toEqual({ peakMemoryBytes: null, oomKills: 0 });
    file("two/jail/slot-0/memory.events", "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 1\n");
    file("two/jail/slot-0/memory.peak", "4096\n");
    expect(jail.stats(0)).toEqual({ peakMemoryBytes: 4096, oomKills: 2 });
    expect(jail.stats(0), "counted before").toEqual({ peakMemoryBytes: null, oomKills: 0 });
  });
});

describe("a jail's groups, version 1", () => {
  test("a tree per controller; only what changed is written again", () => {
    const folders = new Map((["memory", "cpu", "pids"] as const).map((controller) => [controller, join(folder, controller)] as const));
    for (const controller of folders.keys()) file(`${controller}/jail/slot-0/cgroup.procs`);
    for (const group of ["slot-0", "agent"])
      for (const name of ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]) file(`memory/jail/${group}/${name}`);
    const jail = createJailCgroup({ version: 1, folders }, "jail", uid);
    jail.addSlot(0);
    jail.limit(0, limits);
    expect([text("memory/jail/slot-0/memory.limit_in_bytes"), text("memory/jail/slot-0/memory.memsw.limit_in_bytes")]).toEqual([
      String(100 << 20),
      String(100 << 20),
    ]);
    expect([text("cpu/jail/slot-0/cpu.cfs_quota_us"), text("pids/jail/slot-0/pids.max")]).toEqual(["150000", "7"]);
    expect([text("pids/jail/agent/pids.max"), text("memory/jail/agent/memory.limit_in_bytes")]).toEqual(["24", String(352 << 20)]);
    file("pids/jail/slot-0/pids.max", "untouched");
    jail.limit(0, { ...limits, cpus: 0.001 });
    expect([text("cpu/jail/slot-0/cpu.cfs_quota_us"), text("pids/jail/slot-0/pids.max")]).toEqual(["1000", "untouched"]);
    file("memory/jail/slot-0/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n");
    expect(jail.stats(0).oomKills).toBe(4);
  });
});

const real = uid === 0 ? findCgroupRoots() : null;
/** Version 1 may count no swap: what does not fit may go there, and nothing is killed. */
const swaps =
  real?.version === 1 &&
  !existsSync(join(real.folders.get("memory") ?? "", "memory.memsw.limit_in_bytes")) &&
  readFileSync("/proc/swaps", "utf8").trim().includes("\n");
const hasAll = real !== null && real.folders.has("pids") && real.folders.has("memory");

// Only root makes groups everywhere that has any.
test.skipIf(!hasAll)("the kernel holds what is in no slot to its bounds", () => {
  const jail = createJailCgroup(real as CgroupRoots, `syla-${process.pid}-bounds`, uid);
  jail.addSlot(0);
  const program = `
import os, signal, sys
for path in sys.argv[1:]:
    with open(path, "w") as file: file.write("0")
children = []
try:
    while len(children) < 100:
        children.append(os.fork())
        if children[-1] == 0: signal.pause()
except OSError: pass
print(len(children), flush=True)
for child in children: os.kill(child, signal.SIGKILL)
for child in children: os.wait()
kept = [bytes(8 << 20) + bytes([number]) for number in range(100)]`;
  const { stdout, signal } = spawnSync("python3", ["-c", program, ...jail.agentProcs], { encoding: "utf8", timeout: 20_000 });
  jail.remove();
  expect(stdout).toBe("23\n");
  expect(swaps ? "SIGKILL" : signal).toBe("SIGKILL");
});

test("groups of servers that are gone are removed, those of living ones stay", () => {
  for (const name of ["syla-99999999-0/agent", `syla-${process.pid}-0/agent`, "others"])
    mkdirSync(join(folder, "memory", name), { recursive: true });
  removeStale({ version: 1, folders: new Map([["memory", join(folder, "memory")]]) });
  expect(["syla-99999999-0", `syla-${process.pid}-0`, "others"].map((name) => existsSync(join(folder, "memory", name)))).toEqual([
    false,
    true,
    true,
  ]);
});
