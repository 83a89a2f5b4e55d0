import { hostname } from "node:os";
import type { QueueFigures, SandboxPool, Worker } from "@syla/contracts/workers";
import { createPerson, execute } from "@syla/testkit/runs";
import { createSandbox } from "@syla/testkit/sandboxes";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { ulid } from "ulid";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { firstIdAt, newId } from "../../src/platform/ids.ts";
import { describeProcess } from "../../src/workers/process-identity.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ SYLA_WORKER_SLOTS: "4" }, { sandboxes: {} });
});
afterAll(() => server[Symbol.asyncDispose]());
const queries = () => server.context.database.queries;

async function read<T>(path: string): Promise<T> {
  const answer = await server.fetch(path);
  expect(answer.status).toBe(200);
  return (await answer.json()) as T;
}
const readWorkers = () => read<{ items: Worker[]; queue: QueueFigures }>("/api/v1/workers");
const readPools = async () => (await read<{ items: SandboxPool[] }>("/api/v1/pools")).items;

describe("the workers and the pools", () => {
  it("are for administrators", async () => {
    for (const path of ["/api/v1/workers", "/api/v1/pools"]) {
      const ask = async (headers: Record<string, string>) => await server.fetch(path, { headers });
      expect((await ask(await createPerson(server, "admin"))).status).toBe(200);
      for (const role of ["developer", "end_user"] as const) {
        const refused = await ask(await createPerson(server, role));
        expect([refused.status, await refused.json()]).toEqual([403, expect.objectContaining({ code: "forbidden" })]);
      }
      expect((await ask({ authorization: "" })).status).toBe(401);
    }
  });
});

describe("the list of workers", () => {
  it("tells the living, the lost and those that left within the last day", async () => {
    const add = async (row: object) => {
      const id = newId("worker");
      await queries()
        .insertInto("workers")
        .values({ id, hostname: "elsewhere", pid: 7, lease_until: new Date(Date.now() + 3_600_000), slots: null, version: null, ...row })
        .execute();
      return id;
    };
    const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000);
    const old = await add({ stopped_at: ago(25) });
    const stopped = await add({ stopped_at: ago(23), draining: true, slots: 8, version: "0.0.9" });
    const found = await add({ stopped_at: ago(1), lost: true });
    const draining = await add({ draining: true });
    const { items } = await readWorkers();
    const { version, workerId } = server.context;
    const own = items.find((worker) => worker.current);
    expect(own).toMatchObject({ id: workerId, hostname: hostname(), pid: process.pid, version, state: "live", draining: false, slots: 4 });
    expect(Date.parse(own?.leaseUntil ?? "")).toBeGreaterThan(Date.now());
    const seen = new Map(items.map((worker) => [worker.id, worker]));
    expect(seen.has(old)).toBe(false);
    expect(seen.get(stopped)).toMatchObject({ state: "stopped", draining: false, slots: 8, version: "0.0.9", current: false });
    expect(seen.get(found)).toMatchObject({ state: "lost", slots: null, version: null });
    expect(seen.get(draining)).toMatchObject({ state: "live", draining: true, stoppedAt: null });
    expect(items.map((worker) => worker.id).slice(-2)).toEqual([found, stopped]);
    await queries().deleteFrom("workers").where("hostname", "=", "elsewhere").execute();
  });

  it("calls a worker lost that another one found dead, and live again when it goes on", async () => {
    const id = newId("worker");
    await queries()
      .insertInto("workers")
      .values({
        id,
        hostname: hostname(),
        pid: process.pid,
        process: describeProcess()?.replace(/"began":\d+/, '"began":7') ?? null,
        lease_until: new Date(Date.now() - 1000),
        slots: null,
        version: null,
      })
      .execute();
    const row = async () => (await readWorkers()).items.find((worker) => worker.id === id);
    expect(await row()).toMatchObject({ state: "lost", stoppedAt: null }); // nobody has looked yet
    await expect.poll(async () => (await row())?.stoppedAt, { timeout: 20_000 }).not.toBeNull();
    expect(await row()).toMatchObject({ state: "lost" });
  });

  it("counts the runs that a worker has, and says that it drains", async () => {
    await using own = await startTestServer({ SYLA_DRAIN_SECONDS: "20" });
    const list = async () => ((await (await own.fetch("/api/v1/workers")).json()) as { items: Worker[] }).items[0];
    const run = execute(own, { language: "bash", code: "sleep 1.5" });
    await expect.poll(async () => (await list())?.runs).toBe(1);
    const member = own.context.services.find((service) => service.name === "worker-lease");
    await member?.drain();
    expect(await list()).toMatchObject({ state: "live", draining: true });
    await run;
    await expect.poll(async () => (await list())?.runs).toBe(0);
  });
});

describe("the figures of the queue", () => {
  it("are of the newest runs of the last hour, by every worker", async () => {
    await using own = await startTestServer();
    const figures = async () => ((await (await own.fetch("/api/v1/workers")).json()) as { queue: QueueFigures }).queue;
    expect(await figures()).toEqual({ queued: 0, running: 0, runsPerMinute: 0, sampled: 0, queueWaitMs: null, startMs: null });
    const { id } = await execute(own, { language: "bash", code: "true" });
    await own.fetch(`/api/v1/runs/${id}`); // it is recorded by then
    const add = async (ageMs: number, status: string, waitMs: number | null, startMs: number | null) => {
      const created = new Date(Date.now() - ageMs);
      const claimed = waitMs === null ? null : new Date(created.getTime() + waitMs);
      const result = startMs === null ? null : JSON.stringify({ startMs });
      await sql`INSERT INTO runs (id, kind, status, owner_id, language, entrypoint, config, request_hash, created_at, available_at, claimed_at, result)
        SELECT ${`run_${ulid(created.getTime()).toLowerCase()}`}, kind, ${status}, owner_id, language, entrypoint, config, request_hash,
          ${created}, now() + interval '1 hour', ${claimed}, ${result}::jsonb FROM runs WHERE id = ${id}`.execute(
        own.context.database.queries,
      );
    };
    for (let wait = 1; wait <= 99; wait += 1) await add(120_000, "succeeded", wait * 10, wait);
    await add(3_700_000, "succeeded", 1_000_000, 1_000_000); // too long ago
    await add(30_000, "queued", null, null);
    await add(30_000, "waiting", 500, null);
    const seen = await figures();
    expect(seen).toMatchObject({ queued: 1, running: 1, runsPerMinute: 3, sampled: 101 });
    expect(seen.queueWaitMs?.p50).toBeCloseTo(500, -1);
    expect(seen.queueWaitMs?.p95).toBeCloseTo(940, -1.5);
    expect(seen.startMs?.p50).toBeCloseTo(49.5, -1);
    expect(seen.startMs?.p95).toBeCloseTo(94, -1);
  });

  it("take their times from the newest runs of many", async () => {
    await using own = await startTestServer();
    const db = own.context.database.queries;
    const { id } = await execute(own, { language: "bash", code: "true" });
    await own.fetch(`/api/v1/runs/${id}`); // it is recorded by then
    const now = Date.now();
    const ids = Array.from({ length: 20_000 }, (_, index) => `run_${ulid(now - 3_000_000 + index * 140).toLowerCase()}`);
    await sql`INSERT INTO runs (id, kind, status, owner_id, language, entrypoint, config, request_hash, created_at, claimed_at, result)
      SELECT new.id, kind, status, owner_id, language, entrypoint, config, request_hash, created_at, created_at + interval '40 ms', result
      FROM runs, unnest(${ids}::text[]) AS new(id) WHERE runs.id = ${id}`.execute(db);
    const seen = (await (await own.fetch("/api/v1/workers")).json()) as { queue: QueueFigures };
    expect(seen.queue).toMatchObject({ sampled: 2000, queueWaitMs: { p50: 40, p95: 40 } });
  });
});

describe("the first id of a time", () => {
  it("sorts before every id of then and after every one before", () => {
    const now = Date.now();
    expect(firstIdAt("run", now) <= `run_${ulid(now).toLowerCase()}`).toBe(true);
    expect(firstIdAt("run", now) > `run_${ulid(now - 1).toLowerCase()}`).toBe(true);
  });
});

describe("the pools", () => {
  it("show who has which sandboxes, and what is ready", async () => {
    const person = await createPerson(server);
    await execute(server, { language: "bash", code: "true" }, person);
    const sandbox = await createSandbox(server, { language: "bash" });
    const pools = await readPools();
    const any = pools.find((pool) => pool.kind === "any");
    const jail = any?.jails.find(({ owner }) => owner?.email?.startsWith("user_"));
    expect(jail).toMatchObject({ busy: 0, owner: { id: expect.stringMatching(/^user_/), name: expect.stringMatching(/^user_/) } });
    expect(Date.parse(jail?.usedAt ?? "")).toBeGreaterThan(Date.now() - 60_000);
    // A long-lived sandbox has a jail to itself, which is shown as its owner's.
    const session = pools.find((pool) => pool.kind.startsWith("session "));
    expect(session?.jails).toMatchObject([{ busy: 1, owner: { name: "Administrator", email: null } }]);
    await server.send("DELETE", `/api/v1/sandboxes/${sandbox.id}`);
    // An account that is gone leaves its id.
    await sql`ALTER TABLE runs DROP CONSTRAINT runs_owner_id_fkey`.execute(queries());
    await sql`DELETE FROM users WHERE id = ${jail?.owner?.id}`.execute(queries());
    const owners = (await readPools()).flatMap((pool) => pool.jails.map(({ owner }) => owner));
    expect(owners).toContainEqual({ id: jail?.owner?.id, name: null, email: null });
  });
});
