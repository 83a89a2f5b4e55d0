import { setTimeout as sleep } from "node:timers/promises";
import { CacheStats } from "@syla/contracts/cache";
import type { Run, RunInputDraft } from "@syla/contracts/runs";
import { hasRedis, startTestRedis } from "@syla/testkit/redis";
import { createPerson, execute, getRun, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

let programs = 0;
/** A program whose like was not there before, that prints something new each time it runs. */
const fresh = (rest: Partial<RunInputDraft> = {}): RunInputDraft => ({
  language: "python",
  code: `import os, time\nprint(${(programs += 1)}, os.urandom(8).hex())`,
  cache: true,
  ...rest,
});

const stats = async (of = server, headers: Record<string, string> = {}) =>
  CacheStats.parse(await (await of.send("GET", "/api/v1/cache", undefined, headers)).json());

describe("a run that is declared repeatable", () => {
  it("runs once; equal requests get its result, and say from where", async () => {
    const input = fresh();
    const first = await execute(server, input);
    expect(first).toMatchObject({ status: "succeeded", cached: false, cachedFrom: null });
    for (let count = 0; count < 3; count += 1)
      expect(await execute(server, input)).toEqual({ ...first, cached: true, cachedFrom: first.id });
    expect(await getRun(server, first.id)).toEqual(first);
  });

  it("is noted once: an answer from memory changes nothing", async () => {
    const input = fresh();
    const { id } = await execute(server, input);
    for (let count = 0; count < 3; count += 1) await execute(server, input);
    await server.context.audit.flushed();
    const rows = await server.context.database.queries.selectFrom("audit_events").select("action").where("resource_id", "=", id).execute();
    expect(rows).toEqual([{ action: "run.create" }]);
  });

  it("is found by what it does, not by how it was written", async () => {
    const code = `import os\nprint(${(programs += 1)}, os.urandom(8).hex())`;
    const first = await execute(server, { language: "py", code, cache: true, env: { A: "1", B: "2" }, limits: { wallMs: 60_000 } });
    const files = [{ path: "main.py", contentBase64: Buffer.from(code).toString("base64") }];
    expect(await execute(server, { files, cache: { ttlMs: 5000 }, env: { B: "2", A: "1" }, priority: 7 })).toMatchObject({
      cachedFrom: first.id,
    });
  });

  it.each<[string, Partial<RunInputDraft>]>([
    ["arguments", { args: ["x"] }],
    ["standard input", { stdin: "x" }],
    ["variables", { env: { A: "x" } }],
    ["limits", { limits: { memoryBytes: 64 << 20 } }],
    ["files", { files: [{ path: "other.txt", content: "x" }] }],
    ["entrypoint", { entrypoint: "other.py" }],
  ])("with other %s is another one", async (_what, change) => {
    const input = fresh();
    const first = await execute(server, input);
    const other = await execute(server, { ...input, ...change });
    expect(other).toMatchObject({ cached: false });
    expect(other.id).not.toBe(first.id);
  });

  it("may end with an exit code: a failure of the program is a result", async () => {
    const input = fresh({ code: `import os, sys\nprint(os.urandom(8), ${(programs += 1)})\nraise KeyError("x")` });
    const first = await execute(server, input);
    expect(first.error?.code).toBe("uncaught_exception");
    expect(await execute(server, input)).toMatchObject({ cachedFrom: first.id, error: first.error, exitCode: 1 });
  });

  it.each<[string, Partial<RunInputDraft>]>([
    ["ran out of time", { code: "while True: pass", limits: { wallMs: 200 } }],
    ["ran out of memory", { code: "x = bytearray(300 << 20)", limits: { memoryBytes: 64 << 20 } }],
    ["was killed", { code: "import os; os.kill(os.getpid(), 9)" }],
  ])("that %s is run again", async (_what, change) => {
    const first = await execute(server, fresh(change));
    expect(first.status).not.toBe("succeeded");
    expect(await execute(server, fresh(change))).toMatchObject({ cached: false });
  });

  it("is not taken from a run that did not ask for it, nor for one", async () => {
    const input = fresh();
    await execute(server, { ...input, cache: false });
    const kept = await execute(server, input);
    expect(kept.cached).toBe(false);
    expect(await execute(server, { ...input, cache: false })).toMatchObject({ cached: false });
  });

  it("under an idempotency key takes a result all the same; the key stands for the run that it made", async () => {
    const input = fresh();
    const first = await execute(server, input, { "idempotency-key": "cache-1" });
    expect((await execute(server, input, { "idempotency-key": "cache-1" })).id).toBe(first.id);
    expect(await execute(server, input, { "idempotency-key": "cache-2" })).toMatchObject({ id: first.id, cached: true });
    await server.send("DELETE", "/api/v1/cache");
    expect(await execute(server, input, { "idempotency-key": "cache-1" })).toMatchObject({ id: first.id, cached: false });
  });

  it("runs again when a rerun is asked for", async () => {
    const first = await execute(server, fresh());
    const again = (await (await server.send("POST", `/api/v1/runs/${first.id}/rerun`)).json()) as Run;
    expect(again.id).not.toBe(first.id);
    expect((await waitForRun(server, again.id)).stdout).not.toBe(first.stdout);
  });

  it("is forgotten when its time is over", async () => {
    const input = fresh({ cache: { ttlMs: 1000 } });
    const first = await execute(server, input);
    expect((await execute(server, input)).cachedFrom).toBe(first.id);
    await sleep(1300);
    expect(await execute(server, input)).toMatchObject({ cached: false });
  });

  it("without waiting answers with the run that is kept, or that is at it", async () => {
    const input = fresh({ code: `import time\ntime.sleep(0.5)\nprint(${(programs += 1)})` });
    const first = await submit(server, input);
    const second = await submit(server, input);
    expect(second).toMatchObject({ id: first.id, cached: false });
    await waitForRun(server, first.id);
    const third = (await (await server.send("POST", "/api/v1/executions", input)).json()) as Run;
    expect(third).toMatchObject({ id: first.id, cached: true, status: "succeeded" });
  });
});

describe("equal requests at once", () => {
  it("run once", async () => {
    const input = fresh({ code: `import os, time\ntime.sleep(0.3)\nprint(${(programs += 1)}, os.urandom(8).hex())` });
    const runs = await Promise.all(Array.from({ length: 50 }, () => execute(server, input)));
    expect(new Set(runs.map((run) => run.id)).size).toBe(1);
    expect(runs.filter((run) => !run.cached)).toHaveLength(1);
  });

  it("do not wait one after the other for a run that has no result", async () => {
    const input = fresh({ code: `import time\ntime.sleep(60) # ${(programs += 1)}`, limits: { wallMs: 700 } });
    const began = performance.now();
    const runs = await Promise.all(Array.from({ length: 6 }, () => execute(server, input)));
    expect(runs.every((run) => run.status === "timed_out" && !run.cached)).toBe(true);
    expect(performance.now() - began).toBeLessThan(6 * 700);
  });

  it("run by themselves when the one they wait for is cancelled", async () => {
    const input = fresh({ code: `import time\nprint(${(programs += 1)}, flush=True)\ntime.sleep(1.5)` });
    const first = await submit(server, input);
    await waitForRun(server, first.id, (run) => run.status === "running");
    const second = execute(server, input);
    await sleep(100);
    await server.send("POST", `/api/v1/runs/${first.id}/cancel`);
    expect(await second).toMatchObject({ status: "succeeded", cached: false });
  });
});

describe("what is kept", () => {
  it("is its owner's alone", async () => {
    const [one, other] = [await createPerson(server), await createPerson(server)];
    const input = fresh();
    const first = await execute(server, input, one);
    const second = await execute(server, input, other);
    expect(second).toMatchObject({ cached: false });
    expect(second.stdout).not.toBe(first.stdout);
    expect(await stats(server, one)).toMatchObject({ entries: 1 });
    await server.send("DELETE", "/api/v1/cache", undefined, one);
    expect(await execute(server, input, other)).toMatchObject({ cachedFrom: second.id });
  });

  it("is counted and cleared: one, or all", async () => {
    const person = await createPerson(server);
    const inputs = [fresh(), fresh(), fresh()];
    const [first] = await Promise.all(inputs.map((input) => execute(server, input, person)));
    expect(await stats(server, person)).toMatchObject({ entries: 3, redis: "off" });
    const clear = async (query: string) => (await server.send("DELETE", `/api/v1/cache${query}`, undefined, person)).json();
    expect(await clear(`?runId=${first?.id}`)).toEqual({ cleared: 1 });
    expect(await clear("?runId=run_unknown%00")).toEqual({ cleared: 0 });
    expect(await execute(server, inputs[0] as RunInputDraft, person)).toMatchObject({ cached: false });
    expect(await clear("")).toEqual({ cleared: 3 });
    expect(await execute(server, inputs[1] as RunInputDraft, person)).toMatchObject({ cached: false });
  });

  it("refuses times that make no sense", async () => {
    for (const cache of [{ ttlMs: 0 }, { ttlMs: 1e12 }, { ttlMs: "x" }, "yes", { other: 1 }]) {
      const response = await server.send("POST", "/api/v1/executions", { language: "python", code: "1", cache });
      expect(response.status).toBe(400);
    }
  });
});

describe("over processes", () => {
  it("a result is found by another server of the same database, and cleared there", async () => {
    const context = server.context.database.target;
    await using second = await startTestServer({ DATABASE_URL: "connectionString" in context ? context.connectionString : "" });
    const headers = await createPerson(server);
    const input = fresh();
    const first = await execute(server, input, headers);
    expect((await execute(second, input, headers)).cachedFrom).toBe(first.id);
    await server.send("DELETE", "/api/v1/cache", undefined, headers);
    await sleep(300);
    expect(await execute(second, input, headers)).toMatchObject({ cached: false });
  });

  it.skipIf(!hasRedis)("Redis holds results; without it, and when it comes back, everything works on", async () => {
    await using redis = await startTestRedis();
    await using own = await startTestServer({ SYLA_REDIS_URL: redis.url });
    await until(async () => (await stats(own)).redis === "connected");
    const headers = await createPerson(own);
    const input = fresh();
    const first = await execute(own, input, headers);
    expect((await execute(own, input, headers)).cachedFrom).toBe(first.id);
    await using beside = await startTestServer({
      SYLA_REDIS_URL: redis.url,
      DATABASE_URL: "connectionString" in own.context.database.target ? own.context.database.target.connectionString : "",
    });
    await until(async () => (await stats(beside)).redis === "connected");
    expect((await execute(beside, input, headers)).cachedFrom).toBe(first.id);
    await redis.kill();
    await until(async () => (await stats(own)).redis === "unreachable");
    const later = fresh();
    const began = performance.now();
    const second = await execute(own, later);
    expect((await execute(own, later)).cachedFrom).toBe(second.id);
    expect(performance.now() - began).toBeLessThan(5000);
    await redis.restart();
    await until(async () => (await stats(own)).redis === "connected");
    expect((await execute(own, later)).cachedFrom).toBe(second.id);
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 200; !(await condition()); tries -= 1) {
    if (tries === 0) throw new Error("it did not come about");
    await sleep(50);
  }
}
