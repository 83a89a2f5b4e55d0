import { createHash } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { descendants, isAlive } from "@syla/testkit/host-state";
import { bash, createTier, mebibyte, python, runIn, startBeside, type Companion, type TestTier, type Wish } from "./sandbox-driver.ts";
import { openSession, shell } from "./session-driver.ts";

/** Sandboxes that go to sleep after a tenth of a second in which nothing happens. */
const quietMs = 100;

let stage: TestTier;
beforeAll(() => {
  stage = createTier({ slotsPerJail: 4, quietMs });
});
afterAll(() => stage[Symbol.asyncDispose]());

/** Processes below this one that have turned into a program of ours, by its name. */
function turnedInto(name: "syla-sleeper" | "syla-waiter"): number[] {
  return [...descendants(process.pid)].filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/exe`).includes(name);
    } catch {
      return false;
    }
  });
}

/** One more of each than in `before`: what a sandbox that sleeps consists of besides its program. */
async function fallsAsleep(before: readonly number[] = []): Promise<{ init: number; holder: number }> {
  let init = 0;
  const look = () => {
    const found = turnedInto("syla-sleeper").filter((pid) => !before.includes(pid));
    init = found[0] ?? 0;
    return found.length;
  };
  await expect.poll(look, { interval: 10 }).toBe(1);
  return { init, holder: Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${init}/status`, "utf8"))?.[1]) };
}

/** A run that has printed `up` and sleeps. */
async function startAsleep(
  code: string,
  wish: Wish & { runtime?: typeof bash } = {},
): Promise<Companion & { init: number; holder: number }> {
  const before = turnedInto("syla-sleeper");
  const running = await startBeside(stage.tier, wish.runtime ?? bash, code, wish);
  await running.printed("up\n");
  return { ...running, ...(await fallsAsleep(before)) };
}

const run = (code: string, wish?: Wish, runtime = bash) => runIn(stage.tier, runtime, code, wish);
const waitsForTerm = "trap 'echo down; exit 3' TERM; mkfifo never; exec 3<>never; echo up; while :; do read -r _ <&3; done";
const pages = (pid: number) => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
const openFiles = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

describe("while nothing happens", () => {
  test("a sandbox is its program and two processes of a few pages; asked, it answers, and its slot serves others", async () => {
    const { run: started, result, init, holder } = await startAsleep(waitsForTerm);
    expect(turnedInto("syla-waiter")).toContain(holder);
    expect([pages(init) < 64, pages(holder) < 64]).toEqual([true, true]);
    started.cancel(20_000);
    expect(await result).toMatchObject({ out: "up\ndown\n", err: "", exit: { exitCode: 3, signal: null, reason: null, failure: null } });
    await expect.poll(() => [init, holder].filter(isAlive)).toEqual([]);
    expect((await run("ls -A; echo next")).out).toBe("main.sh\nnext\n");
  });

  test("output, artifacts, processor time and memory are as if it had been awake", async () => {
    const code = [
      "printf 'one\\n'; sleep .7; printf 'two\\n' >&2; sleep .7",
      "/usr/bin/python3 -c 'import time; x = bytearray(60 << 20); end = time.process_time() + .3\nwhile time.process_time() < end: pass'",
      "sleep .5; mkdir /output/d; echo artifact > /output/d/a; sleep .5; exit 7",
    ].join("\n");
    const result = await run(code);
    expect(result).toMatchObject({ out: "one\n", err: "two\n", exit: { exitCode: 7, stdoutBytes: 4, stderrBytes: 4, droppedBytes: 0 } });
    expect(result.artifacts.get("d/a")?.toString()).toBe("artifact\n");
    expect(result.exit.cpuMs).toBeGreaterThanOrEqual(300);
    expect(result.exit.runMs).toBeGreaterThanOrEqual(2400);
    expect(result.exit.peakMemoryBytes).toBeGreaterThan(60 * mebibyte);
  });

  test("a flood right after waking up arrives whole, cut where it has to be", async () => {
    const code = "import sys, time\nprint('up', flush=True)\ntime.sleep(1)\nsys.stdout.write('0123456789' * 300_000)";
    const whole = await run(code, { limits: { outputBytes: 8 * mebibyte } }, python);
    expect([whole.out.length, createHash("sha256").update(whole.stdout).digest("hex")]).toEqual([
      3_000_003,
      createHash("sha256")
        .update(`up\n${"0123456789".repeat(300_000)}`)
        .digest("hex"),
    ]);
    const cut = await run(`${code}\nsys.stdout.flush()\ntime.sleep(1)\nprint('end')`, { limits: { outputBytes: 1000 } }, python);
    expect(cut).toMatchObject({ dropped: 3_000_007 - 1000, exit: { exitCode: 0, stdoutBytes: 3_000_007 } });
    expect([cut.out.slice(0, 5), cut.out.slice(-5), cut.out.length]).toEqual(["up\n01", "9end\n", 1000]);
  });

  test("standard input that waits for its reader is handed on to the last byte", async () => {
    const stdin = Buffer.from(Array.from({ length: 150_000 }, (_, index) => (index * 7) % 251));
    const { result } = await startAsleep("echo up; sleep 1; sha256sum; sleep .5; echo end", { stdin });
    const digest = createHash("sha256").update(stdin).digest("hex");
    expect((await result).out).toBe(`up\n${digest}  -\nend\n`);
  });

  test("the time limit is kept to the moment", async () => {
    const { result } = await startAsleep("echo up; sleep 30", { limits: { wallMs: 1500 } });
    const { exit } = await result;
    expect(exit).toMatchObject({ reason: "timeout", signal: 9 });
    expect(exit.runMs).toBeGreaterThanOrEqual(1500);
    expect(exit.runMs).toBeLessThan(4000);
  });

  test("a program that does not listen is killed after the grace time", async () => {
    const { run: started, result } = await startAsleep("trap '' TERM; echo up; while :; do sleep 60; done");
    started.cancel(300);
    expect((await result).exit).toMatchObject({ reason: "cancelled", signal: 9 });
  });

  test("what grows over its disk limit is noticed", async () => {
    const code = "import time\nprint('up', flush=True)\ntime.sleep(.5)\nopen('big', 'wb').write(bytes(30 << 20))\ntime.sleep(60)";
    const { exit } = await run(code, { limits: { diskBytes: 31 * mebibyte, wallMs: 2500 } }, python);
    expect(exit.reason).toBe("timeout"); // not over it
    const over =
      "import time\nprint('up', flush=True)\nfor n in range(3):\n  time.sleep(.5)\n  open(str(n), 'wb').write(bytes(8 << 20))\ntime.sleep(60)";
    expect((await run(over, { limits: { diskBytes: 12 * mebibyte } }, python)).exit).toMatchObject({ reason: "disk", signal: 9 });
  });

  test("orphans that end are collected and counted, more of them than there may be at once", async () => {
    const busy = "import time; end = time.process_time() + .02\\nwhile time.process_time() < end: pass";
    const code = `echo up; sleep .5; for n in $(seq 40); do (/usr/bin/python3 -S -c $'${busy}' & ); sleep .05; done; sleep 1; cat /proc/[0-9]*/stat | grep -c ' Z '`;
    const { out, exit } = await run(code, { limits: { processes: 25, wallMs: 60_000 } });
    expect(out).toBe("up\n0\n");
    expect(exit.cpuMs).toBeGreaterThan(40 * 20);
  });

  test("ten things at once wake it up once, and none is lost", async () => {
    const code =
      "trap 'for n in 0 1 2 3 4 5 6 7 8 9; do (echo out $n; echo err $n >&2 ) & done; wait; exit 4' TERM; mkfifo never; exec 3<>never; echo up; while :; do read -r _ <&3; done";
    const { run: started, result } = await startAsleep(code);
    started.cancel(20_000);
    const { out, err, exit } = await result;
    const lines = (word: string) => Array.from({ length: 10 }, (_, n) => `${word} ${n}`);
    expect([out.trim().split("\n").toSorted(), err.trim().split("\n").toSorted()]).toEqual([[...lines("out"), "up"], lines("err")]);
    expect(exit.exitCode).toBe(4);
  });

  test("fifty times in a row nothing grows", async () => {
    const others = turnedInto("syla-sleeper"); // of the tests before
    await using own = createTier({ slotsPerJail: 1, quietMs: 1 });
    const running = await startBeside(own.tier, bash, "for n in $(seq 55); do echo $n.; sleep .12; done; sleep 3", {
      limits: { wallMs: 55_000 },
    });
    const facts = async (): Promise<number[]> => {
      const { init, holder } = await fallsAsleep(others);
      const found = [init, openFiles(init), openFiles(holder), pages(holder)];
      return turnedInto("syla-sleeper").includes(init) ? found : await facts(); // it woke up meanwhile
    };
    await running.printed("4.");
    const early = await facts();
    await running.printed("55.");
    expect(await facts()).toEqual(early);
    expect((await running.result).out.split("\n")).toHaveLength(56);
  });
});

describe("when something ends", () => {
  test("a program that is killed is told of", async () => {
    const { result, init } = await startAsleep("echo up; kill -STOP $$; sleep 60");
    for (const pid of childrenOf(readFileSync(`/proc/${init}/status`, "utf8"))) process.kill(pid, "SIGKILL");
    expect((await result).exit).toMatchObject({ signal: 9, exitCode: null, reason: null });
  });

  for (const which of ["holder", "init"] as const)
    test(`the end of its ${which} is the end of everything in it, and the slot serves others`, async () => {
      const ids = await startAsleep("echo up; sleep 1000");
      ids.result.catch(() => {});
      const everybody = [ids.init, ids.holder, ...childrenOf(readFileSync(`/proc/${ids.init}/status`, "utf8"))];
      process.kill(ids[which], "SIGKILL");
      await expect(ids.result).rejects.toMatchObject({ code: "sandbox_failed" });
      await expect.poll(() => everybody.filter(isAlive)).toEqual([]);
      expect((await run("echo next")).out).toBe("next\n");
    });

  test("nothing is left alive when the host lets go", async () => {
    const own = createTier({ slotsPerJail: 2, quietMs });
    const before = turnedInto("syla-sleeper");
    const running = await startBeside(own.tier, bash, "echo up; sleep 1000");
    running.result.catch(() => {});
    await running.printed("up\n");
    const { init, holder } = await fallsAsleep(before);
    const everybody = [init, holder, ...childrenOf(readFileSync(`/proc/${init}/status`, "utf8"))];
    await own[Symbol.asyncDispose]();
    await expect.poll(() => everybody.filter(isAlive)).toEqual([]);
  });
});

/** The programs of a sandbox: what its holder has for children besides init. */
function childrenOf(status: string): number[] {
  const number = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  return [...descendants(number("PPid"))].filter((pid) => pid !== number("Pid"));
}

describe("from inside", () => {
  test("init cannot be traced, read, changed or ended, asleep or while it wakes up", async () => {
    const { result } = await startAsleep(attack, { runtime: python, limits: { wallMs: 30_000, outputBytes: mebibyte } });
    const { out, err, exit } = await result;
    expect([err, exit.exitCode, out.split("\n").filter((line) => line.startsWith("escaped"))]).toEqual(["", 0, []]);
    expect(Number(/(\d+) rounds/.exec(out)?.[1])).toBeGreaterThan(50);
  });

  test("a program sees nothing of it: no signal blocked or ignored that is not elsewhere, nothing open", async () => {
    const code =
      "grep -E 'Sig(Blk|Ign)|Cap(Inh|Amb|Prm)' /proc/self/status; sleep .6; ls /proc/self/fd; ls -A /proc/1; ls -l /proc/*/exe 2>/dev/null | grep -c syla";
    expect((await run(code)).out).toBe(
      "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapAmb:\t0000000000000000\n".replace(
        /^/,
        "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n",
      ) + "0\n1\n2\n3\n0\n",
    );
  });
});

/** Does everything to init that a process of the same user can do where it has the right to, again and again while init sleeps and wakes up. */
const attack = String.raw`
import ctypes, os, signal, sys, time
libc = ctypes.CDLL(None, use_errno=True)
print("up", flush=True)
time.sleep(1.5)
NAMES = ("mem", "maps", "environ", "exe", "cwd", "root", "fd", "fd/5", "fdinfo/5", "auxv", "stack", "syscall", "status", "oom_score_adj", "clear_refs",
         "coredump_filter", "autogroup", "task/1/mem", "task/1/oom_score_adj", "ns/mnt", "map_files", "pagemap", "timerslack_ns", "comm", "attr/current")
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
buffer = ctypes.create_string_buffer(64)
local, remote = Vector(ctypes.addressof(buffer), 64), Vector(0x400000, 64)
def reach():
    for name in NAMES:
        for flags in (os.O_RDONLY, os.O_WRONLY):
            try:
                os.close(os.open("/proc/1/" + name, flags))
                print("escaped:", name, flags)
            except OSError:
                pass
    for request in (16, 0x4206):  # PTRACE_ATTACH, PTRACE_SEIZE
        if libc.ptrace(request, 1, None, None) == 0:
            print("escaped: ptrace", request)
    if libc.process_vm_readv(1, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0) >= 0:
        print("escaped: process_vm_readv")
    try:
        descriptor = os.pidfd_open(1)
        if libc.syscall(438, descriptor, 5, 0) >= 0:  # pidfd_getfd
            print("escaped: pidfd_getfd")
        os.close(descriptor)
    except OSError:
        pass
rounds, end = 0, time.monotonic() + 3
while time.monotonic() < end:
    if rounds % 40 == 0:
        for number in range(1, 65):
            if number not in (32, 33):
                os.kill(1, number)
        time.sleep(.5)  # it sleeps again
    os.kill(1, signal.SIGCHLD)  # wakes it up
    reach()
    rounds += 1
print(rounds, "rounds")
`;

describe("a long-lived sandbox", () => {
  test("sleeps between commands, on a terminal too, through pauses, and with its ports open", async () => {
    await using own = createTier({ quietMs });
    const before = turnedInto("syla-sleeper");
    await using session = await openSession(own.tier);
    await fallsAsleep(before);
    expect(await shell(session, "echo out; echo err >&2; exit 3")).toMatchObject({ out: "out\n", err: "err\n", exitCode: 3 });
    const terminal = await session.start({ command: ["/bin/cat"], terminal: { columns: 80, rows: 24 } });
    await fallsAsleep(before);
    await terminal.write(Buffer.from("key"));
    let echoed = "";
    for await (const { data } of terminal.output) if ((echoed += data.toString()).includes("key")) break;
    expect(echoed).toContain("key");
    await fallsAsleep(before);
    await session.pause();
    await sleep(3 * quietMs);
    await session.resume();
    expect((await shell(session, ["/bin/echo", "awake"])).out).toBe("awake\n");
    await fallsAsleep(before);
    const server =
      "import socket; s = socket.create_server(('127.0.0.1', 8000)); c, _ = s.accept(); c.sendall(c.recv(9).upper()); c.close()";
    await session.start({ command: ["/usr/bin/python3", "-c", server] });
    await expect.poll(async () => (await session.ports()).map(({ port }) => port)).toEqual([8000]);
    await fallsAsleep(before);
    const socket = await session.connect(8000);
    socket.write("hello");
    expect(String((await socket.toArray())[0])).toBe("HELLO");
  });
});
