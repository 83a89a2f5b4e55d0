import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Quota } from "@syla/contracts/quotas";
import type { AppError } from "@syla/contracts/errors";
import { Run } from "@syla/contracts/runs";
import { createPerson, execute, submit, waitForRun } from "@syla/testkit/runs";
import { spawnServer } from "@syla/testkit/server-process";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { firstIdAt } from "../../src/platform/ids.ts";
import { Quotas, type QuotaWarning } from "../../src/quotas/service.ts";
import { countStored, readUsed } from "../../src/quotas/store.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ SYLA_WORKER_SLOTS: "8" });
});
afterAll(() => server[Symbol.asyncDispose]());

type Person = { readonly authorization: string };
const queries = () => server.context.database.queries;
const idOf = async (person: Person) => ((await (await server.fetch("/api/v1/users/me", { headers: person })).json()) as { id: string }).id;
const change = async (userId: string, body: object) => await server.send("PATCH", `/api/v1/quotas/${userId}`, body);
const read = async (person: Person) =>
  ((await (await server.fetch("/api/v1/quotas", { headers: person })).json()) as { items: Quota[] }).items;
const find = async (person: Person, name: Quota["name"]) => (await read(person)).find((quota) => quota.name === name);
const quick = { language: "bash", code: "echo quick" };

describe("runs at once", () => {
  it("are never more than three for a person over two servers, and all hundred end", async () => {
    const { target } = server.context.database;
    using directory = createTemporaryDirectory();
    const dataDir = join(directory.path, "data");
    // A process of its own: servers of one process take each other for dead.
    await using second = spawnServer(dataDir, {
      DATABASE_URL: "connectionString" in target ? target.connectionString : "",
      SYLA_WORKER_SLOTS: "8",
    });
    const url = await second.ready();
    const key = readFileSync(join(dataDir, "cli.key"), "utf8").trim();
    const sendTo = async (origin: string, { authorization }: Person) =>
      await fetch(`${origin}/api/v1/executions`, {
        method: "POST",
        headers: { authorization, "content-type": "application/json" },
        body: JSON.stringify({ language: "bash", code: "sleep 0.02" }),
      });
    // Each server has its own content on disk: what was sent to both can run on both.
    await execute(server, { language: "bash", code: "sleep 0.02" });
    expect((await sendTo(url, { authorization: `Bearer ${key}` })).status).toBe(202);
    const person = await createPerson(server);
    const ownerId = await idOf(person);
    let most = 0;
    const watching = new AbortController();
    onTestFinished(() => watching.abort());
    const watch = (async () => {
      while (!watching.signal.aborted) {
        const row = await queries()
          .selectFrom("runs")
          .select((select) => select.fn.countAll<number>().as("count"))
          .where("owner_id", "=", ownerId)
          .where("status", "in", ["starting", "running", "waiting"])
          .executeTakeFirstOrThrow();
        most = Math.max(most, row.count);
        await sleep(2);
      }
    })();
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => sendTo(n % 2 === 0 ? server.url : url, person)));
    expect(answers.map((answer) => answer.status)).toEqual(Array(100).fill(202));
    const unfinished = async () =>
      await queries().selectFrom("runs").select("id").where("owner_id", "=", ownerId).where("status", "not in", ["succeeded"]).execute();
    await expect.poll(unfinished, { timeout: 50_000 }).toEqual([]);
    watching.abort();
    await watch;
    expect(most).toBeLessThanOrEqual(3);
    expect(most).toBeGreaterThan(1);
    const rows = await queries()
      .selectFrom("runs")
      .select(["worker_id", "started_at", "finished_at"])
      .where("owner_id", "=", ownerId)
      .execute();
    expect(rows).toHaveLength(100);
    expect(new Set(rows.map((row) => row.worker_id)).size).toBe(2);
    for (const row of rows) {
      const at = row.started_at?.getTime() ?? 0;
      const beside = rows.filter((other) => (other.started_at?.getTime() ?? 0) < at && (other.finished_at?.getTime() ?? 0) > at);
      expect(beside.length).toBeLessThanOrEqual(3);
    }
  });

  it("of one person do not keep another waiting", async () => {
    await using own = await startTestServer({ SYLA_WORKER_SLOTS: "2" });
    const [many, few] = [await createPerson(own), await createPerson(own)];
    const slow = { language: "bash", code: "sleep 0.1" };
    const theirs = await Promise.all(Array.from({ length: 12 }, () => submit(own, slow, many)));
    const ours = await submit(own, quick, few);
    await waitForRun(own, ours.id);
    const ended = await Promise.all(
      theirs.map(async ({ id }) => Run.parse(await (await own.fetch(`/api/v1/runs/${id}`)).json()).finishedAt),
    );
    expect(ended.filter((time) => time === null).length).toBeGreaterThan(4);
    for (const { id } of theirs) await waitForRun(own, id);
  });

  it("wait with the client that waits, and start as soon as one has ended", async () => {
    const person = await createPerson(server);
    await change(await idOf(person), { concurrentRuns: 1 });
    const runs = await Promise.all(Array.from({ length: 5 }, () => execute(server, quick, person)));
    expect(runs.map((run) => run.stdout)).toEqual(Array(5).fill("quick\n"));
    await change(await idOf(person), { concurrentRuns: 0 });
    const stuck = await submit(server, quick, person);
    await execute(server, quick); // others go on
    expect(Run.parse(await (await server.fetch(`/api/v1/runs/${stuck.id}`)).json()).status).toBe("queued");
    await change(await idOf(person), { concurrentRuns: null });
    await waitForRun(server, stuck.id);
  });
});

describe("runs a day", () => {
  it("are exactly as many as allowed, however many are sent at once", async () => {
    const person = await createPerson(server);
    const userId = await idOf(person);
    await change(userId, { runsPerDay: 3 });
    const answers = await Promise.all(Array.from({ length: 100 }, () => server.send("POST", "/api/v1/executions", quick, person)));
    const refused = answers.filter((answer) => answer.status === 429);
    expect(answers.filter((answer) => answer.status === 202)).toHaveLength(3);
    expect(refused).toHaveLength(97);
    for (const answer of refused) {
      expect(await answer.json()).toMatchObject({ code: "quota_exceeded", details: { quota: "runsPerDay", limit: 3, used: 3 } });
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    const rows = await queries().selectFrom("runs").select("id").where("owner_id", "=", userId).execute();
    expect(rows).toHaveLength(3);
    const quota = await find(person, "runsPerDay");
    expect(quota).toMatchObject({ limit: 3, used: 3, isDefault: false, default: 50, warning: true });
    expect(new Date(quota?.resetsAt ?? "").toISOString()).toMatch(/T00:00:00\.000Z$/);
  });

  it("do not refuse what was let in already, sent again with its key", async () => {
    const person = await createPerson(server);
    await change(await idOf(person), { runsPerDay: 1 });
    const keyed = async (key: string) =>
      await server.send("POST", "/api/v1/executions?wait=true", quick, { ...person, "idempotency-key": key });
    const [first, again] = [Run.parse(await (await keyed("one")).json()), Run.parse(await (await keyed("one")).json())];
    expect(again.id).toBe(first.id);
    expect((await keyed("two")).status).toBe(429);
  });

  it("count programs by themselves, and executions only when a number was set", async () => {
    const person = await createPerson(server);
    const userId = await idOf(person);
    const { id } = await execute(server, quick, person);
    expect(await find(person, "runsPerDay")).toMatchObject({ limit: 50, used: 0, isDefault: true });
    await queries().updateTable("runs").set({ kind: "program" }).where("id", "=", id).execute();
    expect(await find(person, "runsPerDay")).toMatchObject({ used: 1 });
    const { quotas } = server.context;
    const actor = { userId, role: "developer", via: "api-key" } as const;
    await execute(server, quick, person);
    for (const [kind, limit, isRefused] of [
      ["program", 1, true],
      ["program", null, false],
      ["execution", 2, true],
      ["execution", null, false],
    ] as const) {
      await change(userId, { runsPerDay: limit });
      const allowance = await quotas.allowanceOf(actor, kind);
      const admitted = allowance === null ? null : quotas.letIn(allowance, [], (work) => queries().transaction().execute(work));
      const outcome = await admitted?.catch((error: unknown) => (error as AppError).code);
      expect(outcome).toEqual(isRefused ? "quota_exceeded" : { mayStart: true, newBytes: 0 });
    }
  });
});

describe("CPU time and storage", () => {
  it("refuse runs when they are used up", async () => {
    const person = await createPerson(server);
    const userId = await idOf(person);
    await execute(server, quick, person);
    const today = new Date().toISOString().slice(0, 10);
    await queries()
      .updateTable("usage_days")
      .set({ cpu_ms: 360_000_000 })
      .where("user_id", "=", userId)
      .where("day", "=", today as never)
      .execute();
    const refused = await server.send("POST", "/api/v1/executions", quick, person);
    expect([refused.status, await refused.json()]).toMatchObject([
      429,
      { code: "quota_exceeded", details: { quota: "cpuSecondsPerMonth", limit: 360_000 } },
    ]);
    await change(userId, { cpuSecondsPerMonth: -1 });
    await execute(server, quick, person);
    await change(userId, { storageMb: 0 });
    const full = await server.send("POST", "/api/v1/executions", quick, person);
    expect(await full.json()).toMatchObject({ code: "quota_exceeded", details: { quota: "storageMb", resetsAt: null } });
  });

  it("refuse uploads that do not fit, also several at once", async () => {
    const person = await createPerson(server);
    await change(await idOf(person), { storageMb: 1 });
    const upload = async (fill: number, size: number) =>
      await server.fetch("/api/v1/blobs", {
        method: "POST",
        body: new Uint8Array(size).fill(fill),
        headers: { ...person, "content-type": "application/octet-stream" },
      });
    const large = await upload(1, 1_000_001);
    expect([large.status, await large.json()]).toMatchObject([429, { code: "quota_exceeded" }]);
    const statuses = (await Promise.all([2, 3, 4, 5, 6].map((fill) => upload(fill, 300_000)))).map((answer) => answer.status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([201, 201, 201, 429, 429]);
    expect(await find(person, "storageMb")).toMatchObject({ limit: 1, used: 0.9, warning: true });
  });

  it("count what runs are given, once however often it is, and refuse what does not fit before there is a run", async () => {
    const person = await createPerson(server);
    await change(await idOf(person), { storageMb: 1 });
    const given = (fill: string, more: object = {}) => ({ ...quick, stdin: fill.repeat(400_000), ...more });
    const first = await execute(server, given("a"), person);
    expect((await find(person, "storageMb"))?.used).toBeCloseTo(0.4, 2);
    const second = await execute(server, given("b"), person);
    for (let count = 0; count < 2; count += 1) await execute(server, given("a"), person);
    for (const input of [
      given("c"),
      { ...quick, files: [{ path: "data", content: "d".repeat(400_000) }] },
      { ...quick, tests: { cases: [{ name: "large", stdin: "e".repeat(400_000), expected: { stdout: "" } }] } },
    ]) {
      const refused = await server.send("POST", "/api/v1/executions", input, person);
      expect([refused.status, await refused.json()]).toMatchObject([429, { code: "quota_exceeded", details: { quota: "storageMb" } }]);
    }
    const { items } = (await (await server.fetch("/api/v1/runs", { headers: person })).json()) as { items: object[] };
    expect(items).toHaveLength(4);
    // What is there takes no more room, and gives it back when its last run is deleted.
    const again = await server.send("POST", `/api/v1/runs/${first.id}/rerun`, {}, person);
    await waitForRun(server, Run.parse(await again.json()).id);
    expect((await server.fetch(`/api/v1/runs/${second.id}`, { method: "DELETE", headers: person })).status).toBe(204);
    expect((await find(person, "storageMb"))?.used).toBeCloseTo(0.4, 2);
    await execute(server, given("c"), person);
    // Counted anew by several at once, it is what is there: no difference is made up for twice.
    await Promise.all(Array.from({ length: 4 }, (_, n) => execute(server, given("a", { code: `echo ${n}` }), person)));
    const userId = await idOf(person);
    const all = { userId, dayStart: new Date(0), monthStart: new Date(0), daily: "none", dailyMost: 0 } as const;
    expect((await readUsed(queries(), all)).storedBytes).toBe(await countStored(queries(), userId));
  });

  it("refuse nothing for content that was counted twice", async () => {
    const person = await createPerson(server);
    const userId = await idOf(person);
    await change(userId, { storageMb: 1 });
    for (let count = 0; count < 2; count += 1) await execute(server, { ...quick, stdin: "a".repeat(400_000) }, person);
    const all = { userId, dayStart: new Date(0), monthStart: new Date(0), daily: "none", dailyMost: 0 } as const;
    expect((await readUsed(queries(), all)).storedBytes).toBeGreaterThan(800_000);
    const headers = { ...person, "content-type": "application/octet-stream" };
    const upload = (bytes: number) => server.fetch("/api/v1/blobs", { method: "POST", body: new Uint8Array(bytes).fill(1), headers });
    expect((await upload(500_000)).status).toBe(201);
    expect((await upload(200_000)).status).toBe(429);
    expect((await find(person, "storageMb"))?.used).toBeCloseTo(0.9, 2);
  });

  it("add up: what the days say is what is there", async () => {
    const person = await createPerson(server);
    const userId = await idOf(person);
    await server.fetch("/api/v1/blobs", {
      method: "POST",
      body: new Uint8Array(5000),
      headers: { ...person, "content-type": "application/octet-stream" },
    });
    await execute(server, { language: "bash", code: "echo hello; head -c 4000 /dev/zero > /output/zeros; echo x > /output/x" }, person);
    await Promise.all(Array.from({ length: 6 }, (_, n) => execute(server, { language: "bash", code: `echo ${n}; exit ${n % 2}` }, person)));
    const { id } = await submit(server, { language: "bash", code: "echo submitted" }, person);
    await waitForRun(server, id);
    const stored = await countStored(queries(), userId);
    expect(stored).toBeGreaterThan(9002);
    const all = { userId, dayStart: new Date(0), monthStart: new Date(0), daily: "all", dailyMost: 100 } as const;
    expect(await readUsed(queries(), all)).toMatchObject({ dayRuns: 8, storedBytes: stored });
  });
});

describe("a warning", () => {
  it("comes once, at four fifths", async () => {
    const person = await createPerson(server);
    const userId = await idOf(person);
    await change(userId, { runsPerDay: 5 });
    const warnings: QuotaWarning[] = [];
    const rateLimit = { take: () => Promise.reject(new Error("not asked")) };
    const quotas = new Quotas({ ...server.context, rateLimit, onWarning: (warning) => warnings.push(warning) });
    const admit = async () => {
      const allowance = await quotas.allowanceOf({ userId, role: "developer", via: "api-key" }, "execution");
      if (allowance !== null) await quotas.letIn(allowance, [], (work) => queries().transaction().execute(work));
    };
    await admit();
    await execute(server, quick, person);
    await execute(server, quick, person);
    await admit();
    await sleep(50);
    expect(warnings).toEqual([]);
    await execute(server, quick, person);
    await admit();
    await admit();
    await expect.poll(() => warnings).toMatchObject([{ userId, quota: "runsPerDay", limit: 5, used: 4, isUsedUp: false }]);
    await execute(server, quick, person);
    await execute(server, quick, person);
    for (let n = 0; n < 2; n += 1) await expect(admit()).rejects.toThrow(/5 runs a day/);
    await expect.poll(() => warnings.slice(1)).toMatchObject([{ userId, quota: "runsPerDay", limit: 5, used: 5, isUsedUp: true }]);
  });

  it("is a notification of the person's, and so is the refusal", async () => {
    const person = await createPerson(server);
    await change(await idOf(person), { runsPerDay: 4 });
    const told = async () =>
      ((await (await server.fetch("/api/v1/notifications", { headers: person })).json()) as { items: { type: string; title: string }[] })
        .items;
    for (let n = 0; n < 4; n += 1) await execute(server, quick, person);
    await expect.poll(told).toMatchObject([{ type: "quota_warning", title: "You have used 100 % of your runs of today" }]);
    for (let n = 0; n < 2; n += 1) expect((await server.send("POST", "/api/v1/executions", quick, person)).status).toBe(429);
    await expect.poll(told).toMatchObject([{ type: "quota_exceeded", title: "You have used up your runs of today" }, {}]);
  });
});

describe("executions a minute", () => {
  it("are counted for each key, told of in headers, and refused with the time to wait", async () => {
    const person = await createPerson(server);
    await change(await idOf(person), { executionsPerMinute: 2 });
    const send = async (headers: Person) => await server.send("POST", "/api/v1/executions?wait=true", quick, headers);
    const first = await send(person);
    expect([first.status, first.headers.get("ratelimit-limit"), first.headers.get("ratelimit-remaining")]).toEqual([200, "2", "1"]);
    expect(first.headers.get("ratelimit-policy")).toBe("2;w=60");
    expect(Number(first.headers.get("ratelimit-reset"))).toBeLessThanOrEqual(60);
    expect((await send(person)).status).toBe(200);
    const refused = await send(person);
    expect([refused.status, await refused.json()]).toMatchObject([429, { code: "rate_limited" }]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await send(await createPerson(server))).headers.get("ratelimit-remaining")).toBe("599");
  });

  it("and everything else have no limit for administrators", async () => {
    const answer = await server.send("POST", "/api/v1/executions?wait=true", quick);
    expect(answer.headers.get("ratelimit-limit")).toBeNull();
    const { items } = (await (await server.fetch("/api/v1/quotas")).json()) as { items: Quota[] };
    expect(items.map((quota) => quota.limit)).toEqual([-1, -1, -1, -1, -1, -1]);
    const actor = {
      userId: (await queries().selectFrom("users").select("id").where("role", "=", "admin").executeTakeFirstOrThrow()).id,
      role: "admin",
      via: "local",
    } as const;
    expect(await server.context.quotas.allowanceOf(actor, "program")).toBeNull();
  });
});

describe("the quotas of a person", () => {
  it("are theirs and the administrators' to read, and the administrators' to change", async () => {
    const [ann, bob] = [await createPerson(server), await createPerson(server)];
    const id = await idOf(ann);
    const path = `/api/v1/quotas/${id}`;
    expect((await server.fetch(path, { headers: ann })).status).toBe(200);
    expect((await server.fetch(path)).status).toBe(200);
    expect((await server.fetch(path, { headers: bob })).status).toBe(404);
    for (const person of [ann, bob, { authorization: "" }])
      expect((await server.send("PATCH", path, { runsPerDay: 9 }, person)).status).toBe(person.authorization === "" ? 401 : 403);
    expect(await find(ann, "runsPerDay")).toMatchObject({ isDefault: true });
    expect((await change(id, { runsPerDay: 9 })).status).toBe(200);
    expect((await change(id, { storageMb: 7 })).status).toBe(200);
    expect(await find(ann, "runsPerDay")).toMatchObject({ limit: 9, isDefault: false });
    await server.context.audit.flushed();
    const row = await queries()
      .selectFrom("audit_events")
      .selectAll()
      .where("resource_id", "=", id)
      .where("outcome", "=", "ok")
      .orderBy("id")
      .executeTakeFirst();
    expect(row).toMatchObject({ action: "admin.quota_update", resource_type: "user", details: { runsPerDay: 9 } });
  });

  it.each([{ runsPerDay: -2 }, { runsPerDay: 1.5 }, { storageMb: "1" }, { concurrentRuns: 3e9 }, { unknown: 1 }])(
    "refuse %j",
    async (body) => {
      const id = await idOf(await createPerson(server));
      expect((await change(id, body)).status).toBe(400);
      expect((await change("user_nobody", { runsPerDay: 1 })).status).toBe(404);
      expect((await change(encodeURIComponent("a\0b"), { runsPerDay: 1 })).status).toBe(404);
    },
  );
});

it("a day begins at midnight of UTC, also for ids", () => {
  const day = Date.UTC(2026, 2, 1);
  expect(firstIdAt("run", day - 1) < firstIdAt("run", day)).toBe(true);
});
