import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Run, RunInputDraft, RunTransition } from "@syla/contracts/runs";
import type { Worker } from "@syla/contracts/workers";
import { createTestDatabase } from "@syla/testkit/database";
import { hasRedis, startTestRedis } from "@syla/testkit/redis";
import { followRun, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { spawnServer } from "@syla/testkit/server-process";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccount, type Person } from "../access/people.ts";

const quick: RunInputDraft = { language: "bash", code: "echo quick" };
const long: RunInputDraft = { language: "bash", code: "echo long; exec sleep 120" };

/** A worker as a process of its own. */
interface Hand {
  readonly url: string;
  readonly id: string;
  /** Acts as the first administrator. */
  readonly key: Record<string, string>;
  output(): string;
}

const stack = new AsyncDisposableStack();
/** Runs nothing itself: what is sent to it waits in the queue. */
let desk: TestServer;
let ann: Person;
let warm: Hand;
let cold: Hand;
let killRedis: () => Promise<void> = () => Promise.resolve();

// Three servers that start at once take a busy machine a minute.
beforeAll(async () => {
  const database = stack.use(await createTestDatabase());
  const directory = stack.use(createTemporaryDirectory());
  const redis = hasRedis ? stack.use(await startTestRedis()) : null;
  if (redis !== null) killRedis = () => redis.kill();
  const shared = { DATABASE_URL: database.url, ...(redis !== null && { SYLA_REDIS_URL: redis.url }) };
  desk = stack.use(await startTestServer({ ...shared, SYLA_WORKER_SLOTS: "0" }));
  ann = await createAccount(desk);
  await desk.send("PATCH", `/api/v1/quotas/${ann.id}`, { concurrentRuns: -1 });
  const [first, second] = await Promise.all([startHand("warm", directory.path, shared), startHand("cold", directory.path, shared)]);
  [warm, cold] = [first, second];
  // Each has its own content on disk: what was sent to both can run on both. Ann herself has run something on one of them only.
  await prime(warm, ann.headers);
  await prime(cold, cold.key);
}, 180_000);
afterAll(() => stack.disposeAsync());

async function startHand(name: string, folder: string, variables: Readonly<Record<string, string>>): Promise<Hand> {
  const dataDir = join(folder, name);
  const server = stack.use(spawnServer(dataDir, { ...variables, SYLA_WORKER_SLOTS: "2", SYLA_LOG_LEVEL: "error" }));
  const url = await server.ready();
  const id = (await listWorkers()).find(({ pid }) => pid === server.child.pid)?.id ?? "";
  const key = { authorization: `Bearer ${readFileSync(join(dataDir, "cli.key"), "utf8").trim()}` };
  return { url, id, key, output: () => server.output() };
}

async function sendTo(hand: Hand, input: RunInputDraft, headers: Record<string, string>, query = ""): Promise<Run> {
  const answer = await fetch(`${hand.url}/api/v1/executions${query}`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(input),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}\n${hand.output()}`);
  return (await answer.json()) as Run;
}

async function prime(hand: Hand, headers: Record<string, string>): Promise<void> {
  expect(await sendTo(hand, quick, headers, "?wait=true")).toMatchObject({ status: "succeeded" });
  await end((await sendTo(hand, long, headers)).id);
}

async function listWorkers(): Promise<Worker[]> {
  return ((await (await desk.fetch("/api/v1/workers")).json()) as { items: Worker[] }).items;
}

async function end(id: string): Promise<void> {
  await desk.send("POST", `/api/v1/runs/${id}/cancel`);
  await waitForRun(desk, id);
}

/** Which worker has had a run. */
async function workerOf(id: string): Promise<string | undefined> {
  const { items } = (await (await desk.fetch(`/api/v1/runs/${id}/transitions`)).json()) as { items: RunTransition[] };
  return items.findLast(({ status }) => status === "starting")?.workerId ?? undefined;
}

/** A run of ann's out of the queue: which worker took it. */
async function takenBy(input = quick): Promise<string | undefined> {
  const run = await submit(desk, input, ann.headers);
  expect(await waitForRun(desk, run.id)).toMatchObject({ status: "succeeded" });
  return await workerOf(run.id);
}

/** Until both have told each other what they have. */
async function untilKnown(): Promise<void> {
  const { queries } = desk.context.database;
  const row = async (id: string) =>
    await queries.selectFrom("workers").select(["warm", "lease_until"]).where("id", "=", id).executeTakeFirstOrThrow();
  await expect.poll(async () => (await row(warm.id)).warm, { timeout: 60_000 }).toContain(`${ann.id} bash `);
  const before = (await row(cold.id)).lease_until.getTime();
  await expect.poll(async () => (await row(cold.id)).lease_until.getTime(), { timeout: 60_000 }).toBeGreaterThan(before);
  // It says that it lives before it reads what the others have.
  await end((await sendTo(cold, long, cold.key)).id);
}

describe("of several workers", () => {
  it("the one that has sandboxes of a person takes their runs, and another one when it is full", { timeout: 180_000 }, async () => {
    await untilKnown();
    const takers: (string | undefined)[] = [];
    for (let count = 0; count < 20; count += 1) takers.push(await takenBy());
    // A preference and no promise: on a machine that stands still for a tenth of a second the other one is as good.
    expect(takers.filter((id) => id === warm.id).length).toBeGreaterThan(10);
    const filling = [await sendTo(warm, long, ann.headers), await sendTo(warm, long, ann.headers)];
    for (const { id } of filling) expect((await waitForRun(desk, id, ({ status }) => status === "running")).status).toBe("running");
    expect(await takenBy()).toBe(cold.id);
    for (const { id } of filling) await end(id);
  });

  it("one that is drained takes nothing, ends what it has, and takes runs again when it is asked to", { timeout: 120_000 }, async () => {
    const going = await sendTo(warm, long, ann.headers);
    await waitForRun(desk, going.id, ({ status }) => status === "running");
    const drained = await desk.send("POST", `/api/v1/workers/${warm.id}/drain`);
    expect([drained.status, await drained.json()]).toMatchObject([200, { id: warm.id, state: "live", draining: true, runs: 1 }]);
    const drain = async () => (await listWorkers()).find(({ id }) => id === warm.id);
    const since = (await drain())?.drainedAt;
    expect(since).not.toBeNull();
    await desk.send("POST", `/api/v1/workers/${warm.id}/drain`); // twice does no harm
    expect((await drain())?.drainedAt).toBe(since);
    // What is sent to it is another one's; it may have taken one before it heard.
    await expect.poll(async () => await sendTo(warm, quick, ann.headers, "?wait=true").then(({ id }) => workerOf(id))).toBe(cold.id);
    for (let count = 0; count < 5; count += 1) expect(await takenBy()).toBe(cold.id);
    expect((await waitForRun(desk, going.id, () => true)).status).toBe("running");
    await end(going.id);
    expect(await drain()).toMatchObject({ state: "live", draining: true, runs: 0 });
    expect((await desk.send("POST", `/api/v1/workers/${cold.id}/drain`)).status).toBe(200);
    const nobody = await submit(desk, quick, ann.headers);
    const resumed = await desk.send("POST", `/api/v1/workers/${warm.id}/resume`);
    expect(await resumed.json()).toMatchObject({ draining: false, drainedAt: null });
    expect(await waitForRun(desk, nobody.id)).toMatchObject({ status: "succeeded" });
    expect((await desk.send("POST", `/api/v1/workers/${cold.id}/resume`)).status).toBe(200);
  });

  it("is drained by administrators only, and only one that lives", async () => {
    const ask = async (id: string, headers = {}) => (await desk.send("POST", `/api/v1/workers/${id}/drain`, undefined, headers)).status;
    expect(await ask(warm.id, ann.headers)).toBe(403);
    expect(await ask("worker_none")).toBe(404);
  });

  it.skipIf(!hasRedis)("runs are followed live elsewhere through Redis, whose death loses none", { timeout: 120_000 }, async () => {
    const run = await sendTo(warm, long, ann.headers);
    const events = followRun(desk, run.id);
    const seen: string[] = [];
    for (;;) {
      const { value, done } = await events.next();
      if (done === true) throw new Error("it has not ended");
      seen.push(value.type === "status" ? value.status : value.type);
      if (value.type === "log") break;
    }
    expect(seen).toEqual(["queued", "starting", "running", "log"]);
    expect((await waitForRun(desk, run.id, () => true)).status).toBe("running");
    const waiting = Promise.all(Array.from({ length: 10 }, () => takenBy()));
    await killRedis();
    await waiting;
    expect([warm.id, cold.id]).toContain(await takenBy());
    const cancelled = desk.send("POST", `/api/v1/runs/${run.id}/cancel`);
    const rest = await Array.fromAsync(events);
    expect(rest.at(-1)).toMatchObject({ type: "end", run: { status: "cancelled" } });
    expect((await cancelled).status).toBe(202);
  });
});
