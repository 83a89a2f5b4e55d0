import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { findTestGuest } from "@syla/testkit/guest";
import { descendants, hostProcessesNamed } from "@syla/testkit/host-state";
import { packageFolder } from "../../src/wall.ts";
import { collect, mebibyte, python, specOf, startBeside } from "../sandbox-driver.ts";
import { openSession, shell } from "../session-driver.ts";
import type { MicrovmTierOptions } from "../../src/microvm/microvm-tier.ts";
import { createMachines, type TestMachines } from "./machines.ts";

/** Machines that die, hang or wait: whoever is in one is told what has become of it, and nothing is left. */

const { image, reason } = findTestGuest();
if (image === null) process.stdout.write(`\nno machine is booted: ${reason}\n`);

/** Ours, with some lines more in a guest's process 1. */
function guestWith(lines: string): string {
  const folder = mkdtempSync(join(tmpdir(), "syla-guest-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of readdirSync(join(packageFolder, "guest"), { withFileTypes: true }))
    if (name.isFile()) writeFileSync(join(folder, name.name), readFileSync(join(packageFolder, "guest", name.name)));
  const own = readFileSync(join(folder, "guest.py"), "utf8");
  writeFileSync(join(folder, "guest.py"), own.replace(/\nmain\(\)\n$/, `\n${lines}\nmain()\n`));
  return folder;
}

function machines(options: Partial<MicrovmTierOptions> = {}): TestMachines {
  if (image === null) throw new Error(reason);
  const stage = createMachines(image, options);
  onTestFinished(() => stage[Symbol.asyncDispose]());
  return stage;
}

/** Of this process. */
function monitors(): number[] {
  const own = descendants(process.pid);
  return hostProcessesNamed("qemu-system").filter((pid) => own.has(pid) && readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("qemu"));
}

const waiting = "print('there', flush=True)\nimport time\ntime.sleep(1000)";
const folders = (stage: TestMachines) => readdirSync(stage.folder).filter((name) => name.startsWith("machine-"));

describe.skipIf(image === null)("a machine", () => {
  test("whose monitor is killed ends its run and its session, which say so", async () => {
    const stage = machines();
    const beside = await startBeside(stage.tier, python, waiting);
    await beside.printed("there");
    for (const pid of monitors()) process.kill(pid, "SIGKILL");
    await expect(beside.result).rejects.toMatchObject({ code: "sandbox_failed", message: expect.stringContaining("the machine ended") });
    const session = await openSession(stage.tier, { runtime: python, limits: { memoryBytes: 256 * mebibyte, cpus: 1 } });
    expect((await shell(session, "echo alive")).out).toBe("alive\n");
    for (const pid of monitors()) process.kill(pid, "SIGKILL");
    expect(await session.ended).toMatchObject({ reason: "failed", message: expect.stringContaining("the machine ended") });
    await expect.poll(() => folders(stage)).toEqual([]);
  });

  test("whose kernel panics ends its run, which says what the kernel said", async () => {
    const crash = `
import threading
def crash(self, wish):
    threading.Timer(3, lambda: write("/proc/sysrq-trigger", "c")).start()
Guest.do_limit = crash
`;
    const stage = machines({ guest: guestWith(crash) });
    const beside = await startBeside(stage.tier, python, waiting);
    await expect(beside.result).rejects.toMatchObject({ code: "sandbox_failed", message: expect.stringContaining("Kernel panic") });
    await expect.poll(() => folders(stage)).toEqual([]);
  });

  test("whose guest does not answer any more is ended, and its run says so", async () => {
    const hang = "def hang(self, wish):\n    time.sleep(1000)\nGuest.do_ping = hang\n";
    const stage = machines({ guest: guestWith(hang), health: { everyMs: 1000, answerMs: 3000 } });
    const beside = await startBeside(stage.tier, python, waiting);
    await expect(beside.result).rejects.toMatchObject({
      code: "sandbox_failed",
      message: expect.stringContaining("has not answered for 3 s"),
    });
    await expect.poll(() => folders(stage)).toEqual([]);
  });

  test("that stands still is not asked, and goes on", async () => {
    const stage = machines({ health: { everyMs: 500, answerMs: 1500 } });
    await using session = await openSession(stage.tier, { runtime: python, limits: { memoryBytes: 256 * mebibyte, cpus: 1 } });
    await session.pause();
    await new Promise((resolve) => setTimeout(resolve, 4000));
    await session.resume();
    expect((await shell(session, "echo still there")).out).toBe("still there\n");
  });

  test("that waits is taken by the next run, knows the time, and shares no randomness with others", async () => {
    const stage = machines({ mostWarm: 1 });
    const code = "import os, random, time, uuid\nprint(random.random(), os.urandom(8).hex(), uuid.uuid4(), time.time())";
    const run = async () => (await collect(await stage.tier.start(specOf(python, code)))).out.trim().split(" ");
    const told = [await run()];
    for (let round = 0; round < 2; round += 1) {
      await expect.poll(() => stage.tier.pools()[0]?.spares, { timeout: 30_000 }).toBe(1);
      await expect.poll(() => folders(stage).length).toBe(1);
      told.push(await run());
    }
    expect(new Set(told.flatMap((words) => words.slice(0, 3))).size).toBe(9);
    for (const [index, words] of told.entries())
      expect([index, Math.abs(Number(words[3]) - Date.now() / 1000) < 120]).toEqual([index, true]);
    expect(Number(told[2]?.[3])).toBeGreaterThan(Number(told[1]?.[3]));
    await expect.poll(() => stage.tier.pools()[0]?.spares, { timeout: 30_000 }).toBe(1);
    // One that is lost while it waits is missed by nobody.
    for (const pid of monitors()) process.kill(pid, "SIGKILL");
    await expect.poll(() => stage.tier.pools()[0]?.spares).toBe(0);
    expect((await run()).length).toBe(4);
  });

  test("gives memory that its guest has freed back to the host", async () => {
    const stage = machines();
    await using session = await openSession(stage.tier, { runtime: python, limits: { memoryBytes: 512 * mebibyte, cpus: 1 } });
    const resident = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${monitors()[0]}/status`, "utf8"))?.[1]) * 1024;
    const filled = await session.start({
      command: ["python3", "-c", "held = b'x' * (300 << 20); print('held', flush=True); input()"],
      stdin: true,
    });
    for await (const { data } of filled.output) if (data.toString().includes("held")) break;
    const most = resident();
    await filled.write(Buffer.from("\n"));
    await expect.poll(resident, { timeout: 60_000 }).toBeLessThan(most - 200 * mebibyte);
  });

  test("that waits makes room for one that runs", async () => {
    const stage = machines({ mostWarm: 1, memoryBytes: 4 * 1024 * mebibyte });
    const run = (memoryBytes: number) =>
      stage.tier.start(specOf(python, "print('ran')", { limits: { memoryBytes } })).then((started) => collect(started));
    await run(256 * mebibyte);
    await expect.poll(() => stage.tier.pools()[0]?.spares, { timeout: 30_000 }).toBe(1);
    expect((await run(3600 * mebibyte)).out).toBe("ran\n");
    expect(stage.tier.pools()[0]?.spares).toBe(0);
  });
});
