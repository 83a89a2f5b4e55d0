import type { Run, RunSummary } from "@syla/contracts/runs";
import type { Schedule } from "@syla/contracts/schedules";
import { waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createAccount, share, type Person } from "../access/people.ts";
import { createProgram, errorOf, json } from "../catalog/programs.ts";

let server: TestServer;
let ann: Person;
let programId: string;
beforeAll(async () => {
  server = await startTestServer();
  ann = await createAccount(server);
  const program = await createProgram(
    server,
    ann,
    "Report",
    { "main.sh": 'echo "$0 $1 $GREETING"; sleep ${1:-0}' },
    { config: { runtime: "bash", entrypoint: "main.sh" } },
  );
  programId = program.id;
});
afterEach(async () => {
  await sql`UPDATE schedules SET enabled = false`.execute(queries());
  for (const { id } of (await json<{ items: RunSummary[] }>(send(ann, "GET", "/api/v1/runs?status=queued,starting,running"))).items) {
    await send(ann, "POST", `/api/v1/runs/${id}/cancel`);
    await waitForRun(server, id);
  }
});
afterAll(() => server[Symbol.asyncDispose]());

const queries = () => server.context.database.queries;
const send = (person: Person, method: string, path: string, body?: unknown) => server.send(method, path, body, person.headers);
const create = async (change: object = {}, person = ann) =>
  await json<Schedule>(send(person, "POST", "/api/v1/schedules", { name: "Daily", programId, cron: "@daily", ...change }));
const get = async (id: string, person = ann) => await json<Schedule>(send(person, "GET", `/api/v1/schedules/${id}`));
const runsOf = async (id: string) => (await json<{ items: Run[] }>(send(ann, "GET", `/api/v1/runs?schedule=${id}&owner=visible`))).items;

/** Has the time of a schedule come, so many seconds ago; the next one is a server's to find. */
async function comeDue(id: string, ago = 0): Promise<void> {
  await sql`UPDATE schedules SET next_at = now() - ${ago} * interval '1 second' WHERE id = ${id}`.execute(queries());
}
/** Has the last time of a yearly schedule come: no other one comes while the test goes on. */
async function comeDueNow(id: string): Promise<void> {
  await comeDue(id, 366 * 86_400);
}
/** The schedule, when something has become of its last time. */
async function settled(id: string, wanted: string | null = null): Promise<Schedule> {
  const isSettled = async () => {
    const outcome = (await get(id)).last?.outcome ?? null;
    return wanted === null ? outcome !== null : outcome === wanted;
  };
  await expect.poll(isSettled, { timeout: 20_000 }).toBe(true);
  return await get(id);
}
const yearly = { cron: "@yearly", missed: "once" };

it("a time that comes while the queue is full is not lost", async () => {
  await using full = await startTestServer({ SYLA_WORKER_SLOTS: "0", SYLA_QUEUE_LIMIT: "1" });
  const waiting = await json<Run>(full.send("POST", "/api/v1/runs", { language: "bash", code: "echo 1" }));
  const person = await createAccount(full);
  const program = await createProgram(full, person, "Late", { "main.py": "print(1)" });
  const wish = { name: "Late", programId: program.id, ...yearly };
  const { id } = await json<Schedule>(full.send("POST", "/api/v1/schedules", wish, person.headers));
  const { queries: own } = full.context.database;
  await sql`UPDATE schedules SET next_at = now() - interval '366 days' WHERE id = ${id}`.execute(own);
  const last = async () => (await json<Schedule>(full.fetch(`/api/v1/schedules/${id}`, { headers: person.headers }))).last;
  await expect.poll(last, { timeout: 20_000 }).toMatchObject({ outcome: "queue_full", runId: null });
  expect((await full.send("POST", `/api/v1/runs/${waiting.id}/cancel`)).status).toBe(202);
  await sql`UPDATE schedules SET retry_at = now() WHERE id = ${id}`.execute(own);
  await expect.poll(last, { timeout: 20_000 }).toMatchObject({ outcome: "started", runId: expect.any(String) });
});

describe("a schedule", () => {
  it("is created, read, changed and deleted by its owner, and is nobody else's", async () => {
    const made = await create({ run: { args: ["0"], priority: 2 }, cron: "0 6 * * mon-fri", timeZone: "Europe/Oslo" });
    expect(made).toMatchObject({ enabled: true, overlap: "skip", missed: "skip", program: { id: programId, name: "Report" }, last: null });
    expect(made.next).toHaveLength(5);
    const path = `/api/v1/schedules/${made.id}`;
    const changed = await json<Schedule>(send(ann, "PATCH", path, { name: "Hourly", cron: "@hourly" }));
    expect(changed).toMatchObject({ name: "Hourly", cron: "@hourly", timeZone: "Europe/Oslo", run: { args: ["0"], priority: 2 } });
    expect(await json<Schedule>(send(ann, "PATCH", path, { enabled: false }))).toMatchObject({
      enabled: false,
      next: [],
      disabledReason: null,
    });
    const bob = await createAccount(server);
    for (const [method, body] of [["GET"], ["PATCH", {}], ["DELETE"]] as const)
      expect((await errorOf(send(bob, method, path, body))).code).toBe("not_found");
    expect(await json(send(bob, "GET", "/api/v1/schedules"))).toEqual({ items: [], nextCursor: null });
    expect((await send(bob, "GET", "/api/v1/schedules?owner=all")).status).toBe(403);
    const all = await json<{ items: Schedule[] }>(server.fetch("/api/v1/schedules?owner=all"));
    expect(all.items.map(({ id }) => id)).toContain(made.id);
    expect((await send(ann, "DELETE", path)).status).toBe(204);
    expect((await send(ann, "GET", path)).status).toBe(404);
  });

  it("is not overwritten by whoever has not seen what somebody else has changed", async () => {
    const made = await create();
    const path = `/api/v1/schedules/${made.id}`;
    const change = (body: object, revision: string) => server.send("PATCH", path, body, { ...ann.headers, "if-match": revision });
    const read = await server.fetch(path, { headers: ann.headers });
    expect([made.revision, read.headers.get("etag")]).toEqual([1, '"1"']);
    const first = await change({ name: "First" }, '"1"');
    expect([first.status, first.headers.get("etag")]).toEqual([200, '"2"']);
    const second = await change({ name: "Second" }, '"1"');
    expect([second.status, await second.json()]).toMatchObject([
      412,
      { code: "revision_conflict", details: { current: { name: "First", revision: 2 } } },
    ]);
    const both = await Promise.all(["a", "b"].map(async (name) => (await change({ name }, '"2"')).status));
    expect(both.toSorted((a, b) => a - b)).toEqual([200, 412]);
    expect((await change({ name: "Any" }, "*")).status).toBe(200);
    expect((await send(ann, "PATCH", path, { name: "Any" })).status).toBe(200);
    expect((await change({ name: "Any" }, "yesterday")).status).toBe(400);
  });

  it("is refused for what is no time, no zone, no program of theirs, or one too many", async () => {
    const refusal = async (change: object, person = ann) =>
      await errorOf(send(person, "POST", "/api/v1/schedules", { name: "Bad", programId, cron: "@daily", ...change }));
    expect(await refusal({ cron: "0 0 30 2 *" })).toMatchObject({ code: "cron_invalid" });
    expect(await refusal({ cron: "every day" })).toMatchObject({ code: "cron_invalid" });
    for (const change of [
      { timeZone: "Mars/Olympus" },
      { timeZone: "+02:00" },
      { name: "" },
      { name: "a\nb" },
      { run: { files: [] } },
      { overlap: "both" },
    ])
      expect((await refusal(change)).status).toBe(400);
    expect(await refusal({}, await createAccount(server))).toMatchObject({ code: "not_found" });
    expect((await errorOf(send(ann, "GET", "/api/v1/schedules/preview?cron=x"))).code).toBe("cron_invalid");
    const { next } = await json<{ next: string[] }>(
      send(ann, "GET", "/api/v1/schedules/preview?cron=0%204%20*%20*%20*&timeZone=Asia/Tokyo"),
    );
    expect(next.map((time) => time.slice(11))).toEqual(Array(5).fill("19:00:00.000Z"));
    const carl = await createAccount(server);
    const own = await createProgram(server, carl, "Own", { "main.sh": "true" }, { config: { runtime: "bash", entrypoint: "main.sh" } });
    const first = await create({ programId: own.id }, carl);
    await sql`INSERT INTO schedules (id, owner_id, name, program_id, run, cron, time_zone, overlap, missed, enabled, next_at)
      SELECT id || n, owner_id, name, program_id, run, cron, time_zone, overlap, missed, false, next_at FROM schedules, generate_series(1, 99) n
      WHERE id = ${first.id}`.execute(queries());
    expect(await refusal({ programId: own.id }, carl)).toMatchObject({ code: "too_many_schedules" });
  });

  it("begins a run of its owner with its configuration when its time comes, once", async () => {
    const made = await create({ ...yearly, run: { args: ["0"], env: { GREETING: "hello" }, priority: 2 } });
    await comeDueNow(made.id);
    const { last, next } = await settled(made.id, "started");
    const run = await waitForRun(server, last?.runId ?? "");
    expect(run).toMatchObject({
      status: "succeeded",
      stdout: "main.sh 0 hello\n",
      ownerId: made.owner.id,
      scheduleId: made.id,
      priority: 2,
    });
    expect(Date.parse(next[0] ?? "")).toBeGreaterThan(Date.parse(last?.at ?? ""));
    const history = await json<{ items: { cause: string }[] }>(send(ann, "GET", `/api/v1/runs/${run.id}/transitions`));
    expect(history.items[0]).toMatchObject({ cause: "schedule" });
    expect((await get(made.id)).last).toMatchObject({ status: "succeeded" });
    // A server that died after it began the run, and before it noted that: the next one finds the run.
    await sql`UPDATE schedules SET next_at = last_at, last_outcome = null, missed = 'all' WHERE id = ${made.id}`.execute(queries());
    await settled(made.id);
    expect((await runsOf(made.id)).map(({ id }) => id)).toEqual([run.id]);
    expect((await json<Run>(send(ann, "GET", `/api/v1/runs/${run.id}`))).idempotencyKey).toContain(made.id);
  });
});

it("a time comes by the clock of the database, whatever that of a server says", async () => {
  for (const hours of [-1, 1]) {
    const made = await create({ cron: "* * * * *", missed: "once" });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + hours * 3_600_000, shouldAdvanceTime: true });
    try {
      await comeDue(made.id, 70);
      expect((await settled(made.id)).last).toMatchObject({ outcome: "started" });
    } finally {
      vi.useRealTimers();
    }
    expect(await runsOf(made.id)).toHaveLength(1);
    await send(ann, "DELETE", `/api/v1/schedules/${made.id}`);
  }
});

describe("a time that comes while the last run goes on", () => {
  const start = async (overlap: string) => {
    const made = await create({ ...yearly, overlap, run: { args: ["60"] } });
    await comeDueNow(made.id);
    const { last } = await settled(made.id, "started");
    const first = last?.runId ?? "";
    await waitForRun(server, first, ({ status }) => status === "running");
    // As if that had been another time.
    await sql`UPDATE runs SET idempotency_key = 'earlier ' || id WHERE id = ${first}`.execute(queries());
    await comeDueNow(made.id);
    return { id: made.id, first };
  };

  it("is left out, waits for its end, or ends it, as the schedule says", async () => {
    const skipping = await start("skip");
    expect((await settled(skipping.id, "skipped")).last).toMatchObject({ runId: skipping.first });
    expect(await runsOf(skipping.id)).toHaveLength(1);

    const queueing = await start("queue");
    await settled(queueing.id, "waiting");
    expect(await runsOf(queueing.id)).toHaveLength(1);
    await send(ann, "POST", `/api/v1/runs/${queueing.first}/cancel`);
    const after = await settled(queueing.id, "started");
    expect(after.last?.runId).not.toBe(queueing.first);
    expect(await runsOf(queueing.id)).toHaveLength(2);

    const cancelling = await start("cancel_previous");
    await expect.poll(async () => (await runsOf(cancelling.id)).length, { timeout: 20_000 }).toBe(2);
    expect(await waitForRun(server, cancelling.first)).toMatchObject({ status: "cancelled" });
  });
});

describe("times that nobody was there for", () => {
  it("are left out, made up for once, or each, as the schedule says", async () => {
    const hour = 3600;
    const skip = await create({ cron: "30 * * * *", missed: "skip" });
    await sql`UPDATE schedules SET cron = to_char((now() - interval '10 minutes') AT TIME ZONE 'UTC', 'FMMI') || ' * * * *' WHERE id = ${skip.id}`.execute(
      queries(),
    );
    await comeDue(skip.id, 3 * hour);
    expect((await settled(skip.id, "missed")).enabled).toBe(true);
    expect(await runsOf(skip.id)).toEqual([]);
    const once = await create({ cron: "0 * * * *", missed: "once" });
    await comeDue(once.id, 5 * hour);
    await settled(once.id, "started");
    expect(await runsOf(once.id)).toHaveLength(1);
    const all = await create({ cron: "0 * * * *", missed: "all", overlap: "cancel_previous" });
    await comeDue(all.id, 3 * hour);
    await expect.poll(async () => (await runsOf(all.id)).length, { timeout: 30_000 }).toBe(3);
    const bounded = await create({ cron: "* * * * *", missed: "all" });
    await comeDue(bounded.id, 10 * hour);
    const isDue = async () =>
      (await sql`SELECT FROM schedules WHERE id = ${bounded.id} AND next_at <= now()`.execute(queries())).rows.length;
    await expect.poll(isDue, { timeout: 30_000 }).toBe(0);
    const { rows } = await sql<{ count: number }>`SELECT count(*) FROM runs WHERE schedule_id = ${bounded.id}`.execute(queries());
    expect(rows[0]?.count).toBeLessThanOrEqual(26);
    expect(rows[0]?.count).toBeGreaterThan(0);
  });
});

describe("whoever may no longer run it", () => {
  it("has the schedule disabled with the reason, and is told; enabled again it goes on", async () => {
    const bob = await createAccount(server);
    const grant = await share(server, ann, { resourceType: "asset", resourceId: programId, email: bob.email, level: "run" });
    const made = await create(yearly, bob);
    await comeDueNow(made.id);
    await expect.poll(async () => (await get(made.id, bob)).last?.outcome, { timeout: 20_000 }).toBe("started");
    expect((await send(ann, "DELETE", `/api/v1/grants/${grant}`)).status).toBe(204);
    await sql`UPDATE runs SET idempotency_key = 'earlier ' || id WHERE schedule_id = ${made.id}`.execute(queries());
    await waitForRun(server, (await get(made.id, bob)).last?.runId ?? "");
    await comeDueNow(made.id);
    await expect.poll(async () => (await get(made.id, bob)).enabled, { timeout: 20_000 }).toBe(false);
    expect(await get(made.id, bob)).toMatchObject({ disabledReason: "not_found", next: [], last: { outcome: "not_found" } });
    const { items } = await json<{ items: { title: string }[] }>(send(bob, "GET", "/api/v1/notifications"));
    expect(items.map(({ title }) => title)).toContain("The schedule “Daily” was disabled");
    expect((await errorOf(send(bob, "PATCH", `/api/v1/schedules/${made.id}`, { enabled: true }))).code).toBe("not_found");
    await share(server, ann, { resourceType: "asset", resourceId: programId, email: bob.email, level: "run" });
    expect(await json(send(bob, "PATCH", `/api/v1/schedules/${made.id}`, { enabled: true }))).toMatchObject({
      enabled: true,
      disabledReason: null,
    });
  });

  it("is refused for what they have used up, which disables nothing", async () => {
    const dan = await createAccount(server);
    const own = await createProgram(server, dan, "Used up", { "main.sh": "true" }, { config: { runtime: "bash", entrypoint: "main.sh" } });
    const made = await create({ ...yearly, programId: own.id }, dan);
    expect((await server.send("PATCH", `/api/v1/quotas/${dan.id}`, { runsPerDay: 0 })).status).toBe(200);
    await comeDueNow(made.id);
    await expect.poll(async () => (await get(made.id, dan)).last?.outcome, { timeout: 20_000 }).toBe("quota_exceeded");
    // They are told once of what goes on for the same reason.
    await comeDueNow(made.id);
    const isDue = async () => (await sql`SELECT FROM schedules WHERE id = ${made.id} AND next_at <= now()`.execute(queries())).rows.length;
    await expect.poll(isDue, { timeout: 20_000 }).toBe(0);
    const { items } = await json<{ items: { title: string }[] }>(send(dan, "GET", "/api/v1/notifications"));
    expect(items.filter(({ title }) => title === "The schedule “Daily” could not begin its run")).toHaveLength(1);
    expect(await get(made.id, dan)).toMatchObject({ enabled: true, disabledReason: null });
  });
});
