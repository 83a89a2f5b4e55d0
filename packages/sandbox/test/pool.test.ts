import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Jail } from "../src/jail.ts";
import { ownKind, type JailKind } from "../src/jail-kind.ts";
import { Pool, type PoolOptions } from "../src/pool.ts";
import { processesThatSee, sandboxProcesses } from "@syla/testkit/host-state";
import { createTier, python, runIn, startBeside, type TestTier } from "./sandbox-driver.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], shouldAdvanceTime: true }));
afterEach(() => void vi.useRealTimers());

describe("pool", () => {
  test("a run that waits too long is told so, and takes no sandbox from those after it", async () => {
    await using own = createTier({ slotsPerJail: 1 });
    const pool = poolOf(own, { waitMs: 1500, idleMs: 60_000 });
    const first = await pool.acquire(kind, "tenant");
    await expect(pool.acquire(kind, "tenant")).rejects.toMatchObject({ code: "no_capacity" });
    first.connection.close();
    first.release(false);
    const next = await pool.acquire(kind, "tenant");
    expect(next.connection.slot).toBe(0);
    await pool.stop();
  });

  test("an idle jail ends, a dead one is replaced, and the oldest idle one makes room", async () => {
    await using own = createTier({ slotsPerJail: 1 });
    const pool = poolOf(own, { waitMs: 20_000, idleMs: 300, maxJails: 2 });
    const lease = await pool.acquire(kind, "one");
    await sleep(700);
    expect(lease.jail.dead).toBe(false);
    lease.connection.close();
    lease.release(false);
    await sleep(1200);
    expect(lease.jail.dead).toBe(true);
    const again = await pool.acquire(kind, "one");
    expect(again.jail).not.toBe(lease.jail);
    const second = await pool.acquire(kind, "two");
    const third = pool.acquire(kind, "three");
    const fourth = pool.acquire(kind, "four");
    second.connection.close();
    second.release(false);
    expect((await third).jail.tenant).toBe("three");
    again.release(false);
    expect((await fourth).jail.tenant).toBe("four");
    await pool.stop();
  });

  test("a tenant whose jail is there does not wait for those who wait for one; and nobody does when the pool ends", async () => {
    await using own = createTier({ slotsPerJail: 2 });
    const pool = poolOf(own, { slotsPerJail: 2, maxJails: 1 });
    await pool.acquire(kind, "one");
    const late = pool.acquire(kind, "two").catch((error: unknown) => error);
    expect((await pool.acquire(kind, "one")).jail.tenant).toBe("one");
    await pool.stop();
    expect(await late).toMatchObject({ code: "no_capacity" });
  });

  test("keeps as many jails and slots as were wanted lately, and gives back what is not wanted any more", async () => {
    await using own = createTier({ slotsPerJail: 1 });
    const pool = poolOf(own, { slotsPerJail: 8 });
    const leases = await Promise.all(Array.from({ length: 6 }, () => pool.acquire(kind, "one")));
    for (const tenant of ["two", "three"]) (await pool.acquire(kind, tenant)).release(false);
    for (const lease of leases) lease.release(false);
    await until(() => spares(pool) === 1 && slots(pool) === 8);
    vi.setSystemTime(Date.now() + 61_000); // three tenants came within a minute
    await until(() => spares(pool) === 3);
    const [jail] = leases.map((lease) => lease.jail);
    vi.setSystemTime(Date.now() + 3 * hour);
    await until(() => spares(pool) === 1 && slots(pool) === 2);
    await until(() => jail?.dead === true);
    const later = await pool.acquire(kind, "one");
    expect(later.jail.slots).toBe(2);
    later.release(false);
    await pool.stop();
  });

  test("slots above those that may wait are let go, and come back when they are wanted", async () => {
    await using own = createTier({ slotsPerJail: 1 });
    const pool = poolOf(own, { slotsPerJail: 8, mostIdle: 2 });
    const alive = () => [...sandboxProcesses(process.pid).values()].filter((number) => number === 1).length;
    for (let round = 0; round < 3; round += 1) {
      const leases = await Promise.all(Array.from({ length: 6 }, () => pool.acquire(kind, "one")));
      expect(new Set(leases.map(({ connection }) => connection.slot)).size).toBe(6);
      for (const lease of leases) lease.release(false);
      expect(slots(pool)).toBe(2);
      await until(() => alive() === 3); // and that of the jail kept ready
    }
    await pool.stop();
  });

  test("a jail is not replaced while it is in use", async () => {
    await using own = createTier({ slotsPerJail: 1 });
    const pool = poolOf(own, { slotsPerJail: 8, idleMs: 24 * hour });
    const leases = await Promise.all(Array.from({ length: 6 }, () => pool.acquire(kind, "one")));
    const [kept, ...others] = leases;
    for (const lease of others) lease.release(false);
    await until(() => slots(pool) === 8);
    vi.setSystemTime(Date.now() + 3 * hour);
    await sleep(1000);
    expect(kept?.jail.dead).toBe(false);
    expect(slots(pool)).toBe(8);
    kept?.release(false);
    await until(() => slots(pool) === 2);
    await pool.stop();
  });

  test("makes ready what was wanted at this hour in an earlier life", async () => {
    await using own = createTier({ slotsPerJail: 1 });
    const first = poolOf(own, {});
    for (const tenant of ["one", "two"]) (await first.acquire(kind, tenant)).release(false);
    vi.setSystemTime(Date.now() + hour); // the hour is over
    first.warm(kind);
    const history = JSON.parse(JSON.stringify(first.history())) as Record<string, unknown>;
    await first.stop();
    vi.setSystemTime(Date.now() + 22 * hour + 55 * 60_000);
    const second = poolOf(own, { history });
    second.warm(kind);
    expect(spares(second)).toBe(3);
    await second.stop();
  });

  test("a tenant that takes every slot it can have leaves the others theirs", async () => {
    await using own = createTier({ slotsPerJail: 2 });
    const greedy = await Promise.all(
      Array.from({ length: 2 }, () =>
        startBeside(own.tier, python, "import time\nprint('in', flush=True)\ntime.sleep(60)", { tenant: "greedy" }),
      ),
    );
    for (const companion of greedy) await companion.printed("in");
    const waiting = startBeside(own.tier, python, "print('late')", { tenant: "greedy" });
    expect((await runIn(own.tier, python, "print('mine')", { tenant: "other" })).out).toBe("mine\n");
    for (const companion of greedy) companion.run.cancel(0);
    expect((await (await waiting).result).out).toBe("late\n");
    await Promise.all(greedy.map((companion) => companion.result));
  });
});

/** A pool of real jails, with times that a test can wait for. */
function poolOf(own: TestTier, options: Partial<PoolOptions>): Pool {
  const uid = process.getuid?.() === 0 ? 1_850_000_000 : null;
  const programs = { bwrap: "/usr/bin/bwrap", python: "/usr/bin/python3" };
  let jails = 0;
  const create = ({ runtime }: JailKind) =>
    new Jail({ programs, runtime, folder: join(own.folder, `pool-${jails++}`), uid, cgroup: null, session: false, denied: [] });
  const ordinary = { slotsPerJail: 1, maxJails: 64, maxSpares: 3, waitMs: 20_000, idleMs: 60_000, balanceMs: 100 };
  return new Pool({ ...ordinary, ...options }, create);
}

const hour = 3_600_000;
const kind = ownKind(python);
const spares = (pool: Pool): number => pool.report()[0]?.spares ?? 0;
const slots = (pool: Pool): number => pool.report()[0]?.jails.find((jail) => jail.tenant === "one")?.slots ?? 0;

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 200; !condition(); tries -= 1) {
    if (tries === 0) throw new Error("it did not come about");
    await sleep(50);
  }
}

test("jails that are ended while they are being made leave nothing behind", async () => {
  await using own = createTier({ slotsPerJail: 1 });
  for (const pause of [0, 1, 3, 6, 10, 15, 25, 40, 60, 90]) {
    const pool = poolOf(own, {});
    pool.warm(kind);
    await sleep(pause);
    await pool.stop();
  }
  await until(() => processesThatSee(own.folder).length === 0);
  expect(readdirSync(own.folder)).toEqual([]);
});
