import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { findTestGuest } from "@syla/testkit/guest";
import { descendants, holdings, hostProcessesNamed, isAlive } from "@syla/testkit/host-state";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InputFile } from "../../src/spec.ts";
import { createMachines, type TestMachines } from "../microvm/machines.ts";
import { collect, mebibyte, python, specOf, startBeside, type Companion } from "../sandbox-driver.ts";
import { end, prelude, type Attack } from "./attack.ts";
import { fileAttacks } from "./file-attacks.ts";
import { kernelAttacks } from "./kernel-attacks.ts";
import { networkAttacks } from "./network-attacks.ts";

/**
 * The escape suite in a virtual machine. What the walls inside have to hold is tried in one guest, one attack after another, because a guest that is emulated
 * takes seconds to boot; then what is a machine's own: its devices, and the program that emulates them.
 */

const { image, reason } = findTestGuest();
if (image === null) process.stdout.write(`\nno machine is attacked: ${reason}\n`);

const machineAttacks: readonly Attack[] = [
  {
    name: "the guest's disks, ports, memory and console",
    code: String.raw`
import stat
for path in ("/dev/vda", "/dev/vdb", "/dev/vdc", "/dev/vde", "/dev/vport1p1", "/dev/vport1p3", "/dev/vsock", "/dev/hvc0", "/dev/ttyS0", "/dev/console", "/dev/mem", "/dev/port", "/dev/kmsg", "/dev/hwrng", "/dev/rtc0"):
    attempt("read " + path, lambda: read(path))
    attempt("write " + path, lambda: write(path))
for major, minor in ((254, 0), (253, 0), (1, 1), (4, 64), (5, 1), (10, 183)):
    for kind in (stat.S_IFBLK, stat.S_IFCHR):
        attempt(f"node {major}:{minor}", lambda: os.mknod(f"/tmp/node{major}-{minor}-{kind}", kind | 0o600, os.makedev(major, minor)))
attempt("kcore", lambda: read("/proc/kcore"))
attempt("iopl", lambda: call(172, 3))
attempt("ioperm", lambda: call(173, 0x60, 1, 1))`,
  },
  {
    name: "the guest's process 1, its agent and its files",
    code: String.raw`
for path in ("/guest/guest.py", "/agent/agent.py", "/jail/agent.sock", "/jail/relay.sock", "/jail/slot-0", "/guest/relays.py", "/init", "/modules", "/syla", "/sys/class/virtio-ports", "/sys/fs/cgroup/jail", "/sys/bus/pci/devices"):
    escaped(path, os.path.lexists(path))
escaped("processes", [name for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid(), os.getppid())])
attempt("environment of 1", lambda: read("/proc/1/environ"))
attempt("root of 1", lambda: os.listdir("/proc/1/root"))
attempt("power off", lambda: call(169, 0xFEE1DEAD, 672274793, 0x4321FEDC))
attempt("sysrq", lambda: write("/proc/sysrq-trigger", b"o"))
attempt("core pattern", lambda: write("/proc/sys/kernel/core_pattern", b"|/tmp/x"))
attempt("modprobe", lambda: write("/proc/sys/kernel/modprobe", b"/tmp/x"))`,
  },
];

/** They neither end who runs them, nor need a limit or an observer of their own. */
const attacks = [...machineAttacks, ...kernelAttacks, ...networkAttacks, ...fileAttacks].filter(
  ({ language = "python", limits, expect: observe, overlaid, network, stopped }) =>
    language === "python" && !limits && !observe && !overlaid && network === undefined && stopped !== true,
);

/** Runs every attack as a program of its own. */
const conductor = String.raw`
import json, os, subprocess, sys
told = {}
for name in sorted(os.listdir("attacks")):
    ran = subprocess.run([sys.executable, os.path.abspath("attacks/" + name)], capture_output=True, timeout=120)
    told[name] = {"code": ran.returncode, "said": (ran.stdout + ran.stderr).decode(errors="replace")}
json.dump(told, open("/output/told.json", "w"))
`;

describe.skipIf(image === null)("in a virtual machine", () => {
  let stage: TestMachines;
  beforeAll(() => {
    if (image !== null) stage = createMachines(image);
  });
  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
  });

  test(`${attacks.length} hostile programs fail`, async () => {
    const files = attacks.map(({ code }, index): InputFile => ({
      path: `attacks/${String(index).padStart(3, "0")}.py`,
      mode: 0o644,
      content: Buffer.from(`${prelude}\n${code}\nprint("${end}", flush=True)\n`),
    }));
    // What is on drives that nobody has put anything onto, and what languages need of /etc.
    const shown = ["layers", ...(image?.shown ?? []).map((path) => basename(path))];
    const world = {
      planted: ["/etc/shadow", "/root", "/home"],
      folder: "/root",
      port: 1,
      abstractName: "nobody",
      secretWord: "secret-",
      shown,
    };
    const limits = { wallMs: 100_000, memoryBytes: 512 * mebibyte, processes: 100 };
    const run = await stage.tier.start(specOf(python, conductor, { files, limits, env: { WORLD: JSON.stringify(world) } }));
    const result = await collect(run);
    expect([result.err, result.exit]).toMatchObject(["", { exitCode: 0 }]);
    const told: Record<string, { code: number; said: string }> = JSON.parse(String(result.artifacts.get("told.json")));
    const broken = attacks.flatMap(({ name }, index) => {
      const { code, said } = told[`${String(index).padStart(3, "0")}.py`] ?? { code: -1, said: "" };
      const escapes = said.match(/ESCAPED.*/g) ?? [];
      return code === 0 && escapes.length === 0 && said.includes(end) ? [] : [{ name, code, escapes, said: said.slice(-500) }];
    });
    expect(broken).toEqual([]);
  });

  describe("QEMU", () => {
    let running: Companion;
    let pid: number;
    beforeAll(async () => {
      running = await startBeside(stage.tier, python, "print('there', flush=True)\nimport time\ntime.sleep(100)");
      await running.printed("there");
      const own = descendants(process.pid);
      pid =
        hostProcessesNamed("qemu-system").findLast((candidate) => own.has(candidate) && readProc(candidate, "comm").startsWith("qemu")) ??
        0;
    });
    const readProc = (of: number, name: string) => readFileSync(`/proc/${of}/${name}`, "utf8");

    test("has no privileges and a filter of its own", () => {
      const fields = new Map(
        readProc(pid, "status")
          .split("\n")
          .map((line) => line.split(":\t") as [string, string]),
      );
      for (const name of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
        expect([name, Number.parseInt(fields.get(name) ?? "", 16)]).toEqual([name, 0]);
      expect([fields.get("NoNewPrivs"), fields.get("Seccomp")]).toEqual(["1", "2"]);
      expect(fields.get("Uid")?.split("\t").includes("0")).toBe(false);
    });

    test("is in namespaces of its own, and sees the system, its image and its folder", () => {
      for (const kind of ["user", "mnt", "pid", "net", "ipc", "uts"])
        expect([kind, readlinkSync(`/proc/${pid}/ns/${kind}`)]).not.toEqual([kind, readlinkSync(`/proc/self/ns/${kind}`)]);
      const seen = readdirSync(`/proc/${pid}/root`);
      for (const name of ["home", "root", "var", "srv", "boot"]) expect(seen).not.toContain(name);
      expect(readdirSync(`/proc/${pid}/root/etc`).toSorted()).toEqual([
        "group",
        "hostname",
        "hosts",
        "nsswitch.conf",
        "passwd",
        "resolv.conf",
      ]);
      expect(
        readProc(pid, "net/dev")
          .split("\n")
          .filter((line) => line.includes(":"))
          .map((line) => line.split(":")[0]?.trim()),
      ).toEqual(["lo"]);
    });

    test("leaves nothing when it is killed, and its run fails", async () => {
      process.kill(pid, "SIGKILL");
      await expect(running.result).rejects.toMatchObject({ code: "sandbox_failed" });
      await expect.poll(() => isAlive(pid)).toBe(false);
      await expect.poll(() => readdirSync(stage.folder).filter((name) => name.startsWith("machine-"))).toEqual([]);
      expect(holdings(stage.folder)).toEqual({ mounts: [], groups: [] });
    });
  });
});
