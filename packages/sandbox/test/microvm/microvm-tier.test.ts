import { existsSync, readdirSync } from "node:fs";
import { release } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findTestGuest } from "@syla/testkit/guest";
import { descendants, hostProcessesNamed } from "@syla/testkit/host-state";
import { bash, collect, mebibyte, python, specOf, type Wish } from "../sandbox-driver.ts";
import { openSession, shell } from "../session-driver.ts";
import type { RuntimeSpec, SandboxError } from "../../src/spec.ts";
import { createMachines, type TestMachines } from "./machines.ts";

/** Machines that really boot, emulated: any host can do that. One boot takes seconds, so each test asks its guest many things. */

const { image, reason } = findTestGuest();
if (image === null) process.stdout.write(`\nno machine is booted: ${reason}\n`);

describe.skipIf(image === null)("the microvm tier", () => {
  let stage: TestMachines;
  beforeAll(() => {
    if (image !== null) stage = createMachines(image);
  });
  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
  });
  const runIn = async (runtime: RuntimeSpec, code: string, wish: Wish = {}) => collect(await stage.tier.start(specOf(runtime, code, wish)));

  test("runs a Python program under a kernel of its own, with its files, input and artifacts", async () => {
    const code = String.raw`
import json, os, sys, time
os.makedirs("/output/deep", exist_ok=True)
open("/output/deep/made.txt", "w").write(open("data/in.txt").read().upper())
def refused(action):
    try:
        action()
    except OSError:
        return True
print(json.dumps({
    "kernel": os.uname().release,
    "host": os.uname().nodename,
    "uid": os.getuid(),
    "stdin": sys.stdin.read(),
    "argv": sys.argv[1:],
    "set": os.environ["SET"],
    "late": abs(time.time() - float(os.environ["NOW"])),
    "interfaces": [line.split(":")[0].strip() for line in open("/proc/net/dev").read().splitlines()[2:]],
    "devices": sorted(os.listdir("/dev")),
    "writable": not refused(lambda: open("/usr/mine", "w")),
    "control": not refused(lambda: open("/dev/vport1p1", "w")),
    "guest": os.path.exists("/guest"),
}))
print("to stderr", file=sys.stderr)
sys.exit(3)
`;
    const files = [{ path: "data/in.txt", mode: 0o644, content: Buffer.from("shout") }];
    const run = await stage.tier.start(
      specOf(python, code, { args: ["a", "b c"], env: { SET: "yes", NOW: String(Date.now() / 1000) }, stdin: Buffer.from("typed"), files }),
    );
    expect(run.tier).toBe("microvm");
    const result = await collect(run);
    expect([result.err, result.exit]).toMatchObject(["to stderr\n", { exitCode: 3, signal: null, reason: null, outOfMemory: false }]);
    const seen = JSON.parse(result.out);
    expect(seen.kernel).toBe(image?.kernel);
    expect(seen.kernel).not.toBe(release());
    expect(seen).toMatchObject({ host: "sandbox", uid: 1000, stdin: "typed", argv: ["a", "b c"], set: "yes", interfaces: ["lo"] });
    expect(seen).toMatchObject({ writable: false, control: false, guest: false });
    expect(seen.devices).not.toContain("vda");
    expect(seen.late).toBeLessThan(60);
    expect(result.artifacts.get("deep/made.txt")?.toString()).toBe("SHOUT");
    expect(result.exit.peakMemoryBytes).toBeGreaterThan(mebibyte);
    expect(result.limits.memoryBytes).toEqual({ value: 256 * mebibyte, enforcedBy: "cgroup" });
  });

  test("machines that go on from one that was kept know the time, and share no randomness and no files", async () => {
    const code = String.raw`
import os, random, time, uuid
print(random.random(), os.urandom(8).hex(), uuid.uuid4(), sep="\n")
print(time.time())
print(os.listdir("/workspace"), os.listdir("/output"), os.listdir("/tmp"))
open("/tmp/x", "w"); open("/workspace/x", "w"); open("/output/x", "w")
`;
    const told = [];
    for (let round = 0; round < 3; round += 1) {
      const { out } = await runIn(python, code);
      const [number, bytes, name, time, files] = out.split("\n");
      told.push(number, bytes, name);
      expect(Math.abs(Number(time) - Date.now() / 1000)).toBeLessThan(30);
      expect(files).toBe("['main.py'] [] []");
    }
    expect(new Set(told).size).toBe(9);
    expect(readdirSync(stage.folder).filter((name) => name.startsWith("kept-"))).not.toEqual([]);
  });

  test("a run that takes too much memory is ended for that, and its machine with it", async () => {
    const result = await runIn(python, "held = []\nwhile True: held.append(bytearray(1 << 22))");
    expect(result.exit).toMatchObject({ outOfMemory: true, signal: 9 });
    await expect.poll(() => readdirSync(stage.folder).filter((name) => name.startsWith("machine-"))).toEqual([]);
  });

  test("a run that goes on for too long, or is cancelled, is ended", async () => {
    const late = await runIn(python, "import os, time\nif os.fork() == 0: os.setsid()\ntime.sleep(1000)", { limits: { wallMs: 2000 } });
    const patient = "import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(5))\nprint('there', flush=True)\ntime.sleep(1000)";
    const run = await stage.tier.start(specOf(python, patient));
    const cancelled = await collect(run, (text) => text.includes("there") && run.cancel(20_000));
    expect(late.exit).toMatchObject({ reason: "timeout", signal: 9 });
    expect([cancelled.out, cancelled.exit.exitCode]).toEqual(["there\n", 5]);
  });

  test("a session keeps its files, runs commands, and stands still while it is paused", async () => {
    await using session = await openSession(stage.tier, { runtime: python, limits: { memoryBytes: 256 * mebibyte, cpus: 1 } });
    expect(session.tier).toBe("microvm");
    expect((await shell(session, "uname -r; id -u; echo kept > file")).out).toBe(`${image?.kernel}\n1000\n`);
    await session.files.write("more/of/it", [Buffer.from("written")], { parents: true });
    const ticking = await session.start({ command: "while true; do cat /proc/uptime; sleep 0.2; done" });
    const ticks = ticking.output[Symbol.asyncIterator]();
    await ticks.next();
    expect(await session.pause()).toBe("machine");
    expect(session.pausedBy).toBe("machine");
    const waiting = shell(session, "cat file more/of/it");
    expect(await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 1500, "silent"))])).toBe("silent");
    await session.resume();
    expect((await waiting).out).toBe("kept\nwritten");
    ticking.close();
    const context = await session.openContext("python");
    for await (const event of context.run("x = 20")) expect(event.type).toBe("done");
    const told = [];
    for await (const event of context.run("x + 1")) told.push(event);
    expect(told).toContainEqual(expect.objectContaining({ type: "result", data: { "text/plain": "21" } }));
    await session.pause();
    await session.end();
    expect(await session.ended).toEqual({ reason: "closed", message: null });
  });

  test("what cannot be had in a machine is refused before one is made", async () => {
    const refuse = (wish: Wish, runtime = python) =>
      stage.tier.start(specOf(runtime, "print(1)", wish)).then(
        () => "started",
        (error: SandboxError) => error.code,
      );
    expect(await refuse({ network: "gateway" })).toBe("network_unavailable"); // there is none
    for (const layers of [["abc"], ["../abc"], ["a", "b", "c"]]) expect(await refuse({ layers })).toBe("tier_unavailable");
    expect(await refuse({}, { ...python, mounts: [{ source: "/etc/none", target: "/etc/none" }] })).toBe("tier_unavailable");
    expect(await refuse({ limits: { memoryBytes: 2 ** 50 } })).toBe("no_capacity");
    expect(readdirSync(stage.folder).filter((name) => name.startsWith("machine-"))).toEqual([]);
  });

  test("a tier that stops ends its machines at once, and leaves nothing behind", async () => {
    if (image === null) return;
    const own = createMachines(image);
    const starting = own.tier.start(specOf(bash, "sleep 1000"));
    starting.catch(() => {});
    await expect.poll(() => existsSync(`${own.folder}/machine-0/scratch`)).toBe(true);
    await own[Symbol.asyncDispose]();
    await expect(starting).rejects.toMatchObject({ name: "SandboxError" });
    expect(existsSync(own.folder)).toBe(false);
    expect(hostProcessesNamed("qemu-system").filter((pid) => descendants(process.pid).has(pid))).toEqual([]);
  });
});
