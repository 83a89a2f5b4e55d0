import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { encodeFrame, encodeJsonFrame, FrameType, protocolVersion } from "../src/frames.ts";
import type { NamespaceTier } from "../src/namespace-tier.ts";
import { SandboxError, type InputFile } from "../src/spec.ts";
import { descendants, isAlive } from "@syla/testkit/host-state";
import { seededRandom } from "@syla/testkit/seeded-random";
import { collect, createTier, mebibyte, python, runIn, specOf, startBeside, type Companion, type TestTier } from "./sandbox-driver.ts";

/** The supervisor of the host waits 5 s after a time limit; the rest is for a machine that is busy. */
const inTimeMs = 12_000;
const sleeper = "import time\nprint('up', flush=True)\ntime.sleep(60)";
const roles = ["zygote", "holder", "init"] as const;
type Role = (typeof roles)[number];

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly words: string;
  /** Its numbers in every process namespace, from the host's inwards. */
  readonly numbers: readonly number[];
}

function readProcess(pid: number): Process | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return {
      pid,
      parent: Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]),
      words: readFileSync(`/proc/${pid}/cmdline`, "utf8"),
      numbers: (/^NSpid:\s+(.*)$/m.exec(status)?.[1] ?? "").split(/\s+/).map(Number),
    };
  } catch {
    return null; // it has just ended
  }
}

/** The processes of the jails in a folder by what they are. A jail's processes are those below its wall. */
function findProcesses(known: ReadonlySet<number>, role: Role | "wall"): number[] {
  const all = new Map<number, Process>();
  for (const pid of descendants(process.pid)) {
    const found = known.has(pid) ? null : readProcess(pid);
    if (found !== null) all.set(pid, found);
  }
  const isAgent = ({ words, numbers }: Process) => numbers.length > 1 && words.includes("/agent/agent.py");
  const depthOf = (one: Process): number => {
    const parent = all.get(one.parent);
    return parent !== undefined && isAgent(parent) && !parent.words.startsWith("/usr/bin/bwrap") ? depthOf(parent) + 1 : 0;
  };
  const inJail = [...all.values()].filter((one) => isAgent(one) && !one.words.includes("bwrap"));
  if (role === "wall") return [...all.values()].filter((one) => one.parent === process.pid).map(({ pid }) => pid);
  const depth = roles.indexOf(role);
  return inJail.filter((one) => depthOf(one) === depth && (role !== "init" || one.numbers.at(-1) === 1)).map(({ pid }) => pid);
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {} // it went with one of the others
  }
}

async function waitForNothing(known: ReadonlySet<number>): Promise<void> {
  await expect.poll(() => [...descendants(process.pid)].filter((pid) => !known.has(pid) && isAlive(pid)), { timeout: 5000 }).toEqual([]);
}

/** How a run ended: truthfully, or as the sandbox's fault. */
async function endOf(companion: Pick<Companion, "result">): Promise<string> {
  return await companion.result.then(
    ({ exit }) => exit.reason ?? String(exit.signal ?? exit.exitCode),
    (error: unknown) => (error instanceof SandboxError ? error.code : String(error)),
  );
}

/** Runs until one ends well: the first ones may get what was dying already, and are told. */
async function expectWorks(tier: NamespaceTier): Promise<void> {
  for (let left = 20; ; left -= 1) {
    const run = { result: runIn(tier, python, "print('works')") };
    const end = await within(endOf(run), inTimeMs);
    if (end === "0" && (await run.result).out === "works\n") return;
    expect([end, left > 0]).toEqual(["sandbox_failed", true]);
    await sleep(50);
  }
}

const within = <T>(promise: Promise<T>, ms: number) => Promise.race([promise, sleep(ms, "too late" as const, { ref: false })]);

describe("the outer wall", () => {
  test("that is killed with 50 runs inside: each is told in time, the next ones work, nothing is left", { timeout: 60_000 }, async () => {
    const before = descendants(process.pid);
    await using own = createTier({ slotsPerJail: 50 });
    const running = await Promise.all(Array.from({ length: 50 }, () => startBeside(own.tier, python, sleeper)));
    const ends = running.map(endOf);
    await Promise.all(running.map((run) => run.printed("up")));
    const [folder = ""] = globSync(`${own.folder}/jail-0`);
    signalAll(findProcesses(before, "wall"), "SIGKILL");
    expect(await within(Promise.all(ends), inTimeMs)).toEqual(Array.from({ length: 50 }, () => "sandbox_failed"));
    const next = await Promise.all(Array.from({ length: 5 }, (_, index) => runIn(own.tier, python, `print(${index})`)));
    expect(next.map(({ out }) => out)).toEqual(["0\n", "1\n", "2\n", "3\n", "4\n"]);
    await expect.poll(() => globSync(folder), { timeout: 5000 }).toEqual([]);
    await own.tier.stop();
    await waitForNothing(before);
    expect(globSync(`${own.folder}/*`)).toEqual([]);
  });
});

describe.each(roles)("the %s", (role) => {
  test("that is killed in the middle of a run: the run is told, the next one works", async () => {
    const before = descendants(process.pid);
    await using own = createTier({ slotsPerJail: 1 });
    const running = await startBeside(own.tier, python, sleeper);
    await running.printed("up");
    const victims = findProcesses(before, role);
    expect(victims.length).toBeGreaterThan(0);
    signalAll(victims, "SIGKILL");
    expect(await within(endOf(running), inTimeMs)).toBe("sandbox_failed");
    await expectWorks(own.tier);
  });

  test("that is killed while it waits, again and again: the next run works", async () => {
    const before = descendants(process.pid);
    await using own = createTier({ slotsPerJail: 2 });
    for (let round = 0; round < 3; round += 1) {
      await expectWorks(own.tier);
      await expect.poll(() => findProcesses(before, role).length).toBeGreaterThan(0);
      signalAll(findProcesses(before, role), "SIGKILL");
      await sleep(100 * round); // the host may know of it or not
    }
    await expectWorks(own.tier);
  });

  test("that is killed while it is made: the run works all the same, or is told", async () => {
    const random = seededRandom(roles.indexOf(role) + 1);
    for (let round = 0; round < 4; round += 1) {
      const before = descendants(process.pid);
      await using own = createTier({ slotsPerJail: 1 });
      const started = runIn(own.tier, python, "print('made')").then(
        ({ out }) => out,
        (error: unknown) => (error instanceof SandboxError ? error.code : String(error)),
      );
      const until = performance.now() + 2000;
      while (performance.now() < until && findProcesses(before, role).length === 0) await sleep(1);
      await sleep(random() * 40);
      signalAll(findProcesses(before, role), "SIGKILL");
      expect(["made\n", "sandbox_failed"]).toContain(await within(started, inTimeMs));
      await expectWorks(own.tier);
      await own.tier.stop();
      await waitForNothing(before);
    }
  });

  test("that stands still in the middle of a run: the run ends in time, the next one works", async () => {
    const before = descendants(process.pid);
    await using own = createTier({ slotsPerJail: 1, maxSpares: 0 });
    const running = await startBeside(own.tier, python, sleeper, { limits: { wallMs: 1500 } });
    await running.printed("up");
    const stopped = findProcesses(before, role);
    signalAll(stopped, "SIGSTOP");
    // The zygote is not needed for the end of a run.
    expect(await within(endOf(running), inTimeMs)).toBe(role === "zygote" ? "timeout" : "sandbox_failed");
    signalAll(stopped, "SIGCONT");
    await expectWorks(own.tier);
    await own.tier.stop();
    await waitForNothing(before);
  });
});

describe("garbage on the agents' socket", () => {
  const random = seededRandom(7);
  const noise = (length: number) => Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
  const hello = encodeJsonFrame(FrameType.hello, { version: protocolVersion, slot: 0, pid: 2 });
  const huge = Buffer.from(hello);
  huge.fill(0xff, 0, 5);
  const sayings: Readonly<Record<string, Buffer>> = {
    nothing: Buffer.alloc(0),
    noise: noise(4096),
    "a frame that never ends": huge,
    "half a frame": hello.subarray(0, hello.length - 3),
    "a greeting that is no JSON": encodeFrame(FrameType.hello, Buffer.from("{")),
    "a greeting of another version": encodeJsonFrame(FrameType.hello, { version: 9999, slot: 0, pid: 2 }),
    "a failure without a message": encodeJsonFrame(FrameType.failed, { message: 7 }),
    "an end before a beginning": encodeJsonFrame(FrameType.exit, {}),
  };

  async function say(own: TestTier, bytes: Buffer, hangUp: boolean): Promise<void> {
    for (const path of globSync(`${own.folder}/jail-*/agent.sock`)) {
      const socket = connect(path).on("error", () => {});
      await once(socket, "connect");
      socket.write(bytes);
      if (hangUp) socket.end();
    }
  }

  test("hurts no run that is there, and no later one", async () => {
    await using own = createTier();
    const running = await startBeside(own.tier, python, "import time\nprint('up', flush=True)\ntime.sleep(1)\nprint('done')");
    await running.printed("up");
    for (const bytes of Object.values(sayings)) for (const hangUp of [true, false]) await say(own, bytes, hangUp);
    expect((await running.result).out).toBe("up\ndone\n");
    for (let count = 0; count < 6; count += 1) expect((await runIn(own.tier, python, `print(${count})`)).out).toBe(`${count}\n`);
  });

  test("after a good greeting is the end of the run that got it, in time, and of no other", async () => {
    await using own = createTier({ maxSpares: 0 });
    await runIn(own.tier, python, "pass");
    const ends: string[] = [];
    for (const bytes of Object.values(sayings)) {
      await say(own, Buffer.concat([hello, bytes, noise(64)]), true);
      await sleep(20);
      const run = { result: runIn(own.tier, python, "print('real')", { limits: { wallMs: 1000 } }) };
      ends.push((await within(endOf(run), inTimeMs)) ?? "");
    }
    expect(new Set(ends)).not.toContain("too late");
    expect(ends.every((end) => end === "0" || end === "sandbox_failed")).toBe(true);
    await expectWorks(own.tier);
  });
});

test("1,000 runs that are cancelled at random moments end, and as they did", { timeout: 120_000 }, async () => {
  await using own = createTier({ slotsPerJail: 6 });
  const random = seededRandom(20_261_122);
  const ends = new Map<string, number>();
  let left = 1000;
  const client = async (tenant: string) => {
    while (left-- > 0) {
      const long = random() < 0.7;
      const run = await own.tier.start(specOf(python, long ? sleeper : "print('short')", { tenant }));
      const graceMs = random() < 0.5 ? 0 : 10;
      const timer = setTimeout(() => run.cancel(graceMs), random() * 25);
      const { exit, out } = await collect(run);
      clearTimeout(timer);
      const whole = !long && out === "short\n";
      const end = exit.reason ?? (exit.signal === 15 ? "signalled" : `exit ${exit.exitCode}${whole ? "" : " wrongly"}`);
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, index) => client(`tenant-${index % 2}`)));
  expect([...ends.values()].reduce((sum, count) => sum + count)).toBe(1000);
  expect([...ends.keys()].filter((end) => !["cancelled", "signalled", "exit 0"].includes(end))).toEqual([]);
  const jails = () => own.tier.pools().flatMap((pool) => pool.jails);
  await expect.poll(() => jails().every(({ busy, ready, slots }) => busy === 0 && ready === slots), { timeout: 5000 }).toBe(true);
  for (const tenant of ["tenant-0", "tenant-1"]) {
    const outs = await Promise.all(Array.from({ length: 6 }, () => runIn(own.tier, python, "print('whole')", { tenant })));
    expect(outs.map(({ out }) => out)).toEqual(Array.from({ length: 6 }, () => "whole\n"));
  }
});

describe("files", () => {
  test("10,000 of them go in and come out as they were", { timeout: 60_000 }, async () => {
    await using own = createTier();
    const files: InputFile[] = Array.from({ length: 10_000 }, (_, index) => ({
      path: `in/${index % 100}/file-${index}`,
      mode: 0o644,
      content: Buffer.from(`content of ${index}\n`),
    }));
    const code = "import shutil\nshutil.copytree('in', '/output/in')";
    const artifacts = { maxBytes: 100 * mebibyte, maxFiles: 20_000 };
    const result = await runIn(own.tier, python, code, { files, artifacts, limits: { wallMs: 40_000, diskBytes: 256 * mebibyte } });
    expect([result.err, result.exit.exitCode, result.artifacts.size, result.skipped.size]).toEqual(["", 0, 10_000, 0]);
    const wrong = files.filter(({ path, content }) => result.artifacts.get(path)?.equals(content as Buffer) !== true);
    expect(wrong).toEqual([]);
    expect((await runIn(own.tier, python, "import os\nprint(os.listdir('.'))")).out).toBe("['main.py']\n");
  });

  test("with names that are hard to write come out under them, or are named as left out", async () => {
    await using own = createTier();
    const names = ["two\nlines", " spaces \t", "-rf", "x".repeat(255), "€".repeat(85), "\u001b[31mred", "a\\b\"c'd", "\u202egpj", "*?[!]"];
    const code = `
import os
for name in ${JSON.stringify(names)}: open("/output/" + name, "w").write(name)
for name in (b"\\xff\\xfe", b"ok-\\xc3", b"\\xed\\xa0\\x80"): open(b"/output/" + name, "w").close()`;
    const result = await runIn(own.tier, python, code);
    expect(result.err).toBe("");
    expect(new Map([...result.artifacts].map(([path, bytes]) => [path, bytes.toString()]))).toEqual(
      new Map(names.map((name) => [name, name])),
    );
    expect([...result.skipped.values()]).toEqual(expect.arrayContaining(["the name is not UTF-8"]));
    expect((await runIn(own.tier, python, "import os\nprint(os.listdir('/output'))")).out).toBe("[]\n");
  });
});

describe("the clock of the host", () => {
  afterEach(() => {
    vi.useRealTimers();
  });
  const turn = (hours: number) => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + hours * 3_600_000 });
  };

  test("that jumps ahead takes no time from a run", { timeout: 30_000 }, async () => {
    await using own = createTier();
    const running = await startBeside(own.tier, python, "import time\nprint('up', flush=True)\ntime.sleep(6)\nprint('done')");
    turn(5);
    await running.printed("up");
    expect((await running.result).out).toBe("up\ndone\n");
    expect((await runIn(own.tier, python, "print('next')")).out).toBe("next\n");
  });

  test("that is set back gives no time to a run, nor to an agent that stands still", { timeout: 30_000 }, async () => {
    const before = descendants(process.pid);
    await using own = createTier({ maxSpares: 0 });
    const running = await startBeside(own.tier, python, sleeper, { limits: { wallMs: 1000 } });
    const silent = await startBeside(own.tier, python, sleeper, { limits: { wallMs: 1500 } });
    turn(-5);
    await Promise.all([running.printed("up"), silent.printed("up")]);
    expect(await within(endOf(running), inTimeMs)).toBe("timeout");
    signalAll(findProcesses(before, "init"), "SIGSTOP");
    expect(await within(endOf(silent), inTimeMs)).toBe("sandbox_failed");
    expect((await runIn(own.tier, python, "print('next')")).out).toBe("next\n");
  });
});

test("a tenant that has every slot of its own and waits for more does not keep others out", async () => {
  await using own = createTier({ slotsPerJail: 3 });
  const greedy: Companion[] = await Promise.all(
    Array.from({ length: 3 }, () => startBeside(own.tier, python, sleeper, { tenant: "greedy" })),
  );
  const waiting = Array.from({ length: 20 }, async () => await runIn(own.tier, python, "print('at last')", { tenant: "greedy" }));
  const others = await startOthers(own.tier);
  expect(others).toEqual(Array.from({ length: 5 }, (_, index) => `${index}\n`));
  expect(own.tier.pools().flatMap(({ jails }) => jails.filter(({ tenant }) => tenant === "greedy"))).toMatchObject([
    { slots: 3, busy: 23 },
  ]);
  for (const { run } of greedy) run.cancel(0);
  expect((await Promise.all(waiting)).map(({ out }) => out)).toEqual(Array.from({ length: 20 }, () => "at last\n"));
  await Promise.all(greedy.map((one) => one.result));
});

async function startOthers(tier: NamespaceTier): Promise<string[]> {
  const results = await Promise.all(
    Array.from({ length: 5 }, (_, index) => runIn(tier, python, `print(${index})`, { tenant: `other-${index}` })),
  );
  return results.map(({ out }) => out);
}
