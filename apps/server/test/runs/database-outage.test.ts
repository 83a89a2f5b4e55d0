import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isFinal, Run, type RunSummary } from "@syla/contracts/runs";
import { createTestDatabase } from "@syla/testkit/database";
import { startDatabaseProxy } from "@syla/testkit/database-proxy";
import { databaseUrl } from "@syla/testkit/database-url";
import { execute, followRun, getRun, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer } from "@syla/testkit/server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { createLogger } from "../../src/platform/logger.ts";
import { EmbeddedPostgres, ensureDatabase } from "../../src/platform/postgres.ts";

describe("runs while the database is away", () => {
  it("finish, and are recorded when it is back", async () => {
    using directory = createTemporaryDirectory();
    const start = () => EmbeddedPostgres.start(join(directory.path, "postgres"), createLogger("silent"));
    let postgres = await start();
    await ensureDatabase(postgres, "syla");
    await using server = await startTestServer({ DATABASE_URL: databaseUrl(postgres.address("syla")), SYLA_DRAIN_SECONDS: "0" });
    await execute(server, { language: "bash", code: "echo warm" });
    const code = "echo began; sleep 0.7; echo ended; echo kept > /output/a";
    const followed = await submit(server, { language: "bash", code });
    const waiting = execute(server, { language: "bash", code: `${code}; echo waited` });
    await waitForRun(server, followed.id, ({ stdout }) => stdout === "began\n");
    await sleep(200);
    await postgres.stop();

    for (const request of [
      () => server.send("POST", "/api/v1/executions", { language: "bash", code: "echo new" }),
      () => server.send("POST", "/api/v1/executions?wait=true", { language: "bash", code: "echo new" }),
      () => server.send("POST", "/api/v1/executions", { language: "bash", code: "echo keyed" }, { "idempotency-key": "k" }),
      () => server.fetch(`/api/v1/runs/${followed.id}`),
      () => server.fetch("/api/v1/runs"),
      () => server.fetch(`/api/v1/runs/${followed.id}/events`),
      () => server.send("POST", `/api/v1/runs/${followed.id}/cancel`),
    ]) {
      const response = await request();
      expect([response.status, await response.json()]).toMatchObject([503, { code: "database_unavailable" }]);
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    await sleep(900); // both programs end meanwhile
    postgres = await start();
    expect(await waiting).toMatchObject({ status: "succeeded", stdout: "began\nended\nwaited\n", artifactCount: 1 });
    expect(await waitForRun(server, followed.id)).toMatchObject({
      status: "succeeded",
      stdout: "began\nended\n",
      artifactCount: 1,
      attempt: 1,
    });
    expect(await execute(server, { language: "bash", code: "echo new" })).toMatchObject({ status: "succeeded" });
    const keyed = await server.send(
      "POST",
      "/api/v1/executions?wait=true",
      { language: "bash", code: "echo keyed" },
      { "idempotency-key": "k" },
    );
    expect(Run.parse(await keyed.json())).toMatchObject({ status: "succeeded", stdout: "keyed\n" });
    await server.running.stopNow();
    await postgres.stop();
  });

  it("lose nothing when it stands still for a while", async () => {
    using directory = createTemporaryDirectory();
    const postgres = await EmbeddedPostgres.start(join(directory.path, "postgres"), createLogger("silent"));
    await ensureDatabase(postgres, "syla");
    await using server = await startTestServer({ DATABASE_URL: databaseUrl(postgres.address("syla")), SYLA_DRAIN_SECONDS: "0" });
    await execute(server, { language: "bash", code: "echo warm" });
    const postmaster = Number(readFileSync(join(directory.path, "postgres/cluster/postmaster.pid"), "utf8").split("\n", 1)[0]);
    const signal = (name: NodeJS.Signals) => {
      const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, "utf8").trim().split(" ").map(Number);
      for (const pid of [postmaster, ...children]) process.kill(pid, name);
    };
    const running = execute(server, { language: "bash", code: "sleep 0.3; echo through" });
    await sleep(150);
    signal("SIGSTOP");
    const submitted = execute(server, { language: "bash", code: "echo meanwhile" });
    await sleep(1000);
    signal("SIGCONT");
    expect(await running).toMatchObject({ status: "succeeded", stdout: "through\n" });
    expect(await submitted).toMatchObject({ status: "succeeded", stdout: "meanwhile\n" });
    await server.running.stopNow();
    await postgres.stop();
  });
});

describe("runs while connections break all the time", () => {
  it("are all brought to an end, each run once, and no slot is lost", async () => {
    await using database = await createTestDatabase();
    await using server = await startTestServer({ DATABASE_URL: database.url, SYLA_WORKER_SLOTS: "3" });
    await execute(server, { language: "bash", code: "echo warm" });
    const administrator = new pg.Client({ ...database.address, database: "postgres" });
    await administrator.connect();
    const calm = new AbortController();
    const breaker = (async () => {
      while (!calm.signal.aborted) {
        await administrator.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [database.address.database]);
        await sleep(15 + Math.random() * 40);
      }
    })();

    const code = 'echo "began"; sleep 0.05; echo ended';
    const accepted: string[] = [];
    const refused: unknown[] = [];
    for (let index = 0; index < 60; index++) {
      const headers = index % 2 === 0 ? {} : { "idempotency-key": `key-${index}` };
      const response = await server.send("POST", "/api/v1/executions", { language: "bash", code }, headers);
      if (response.status === 202) accepted.push(Run.parse(await response.json()).id);
      else refused.push({ status: response.status, ...((await response.json()) as object) });
      await sleep(10);
    }
    calm.abort();
    await breaker;
    await administrator.end();
    expect(refused.length).toBeGreaterThan(0);
    for (const problem of refused) expect(problem).toMatchObject({ status: 503, code: "database_unavailable" });
    expect(accepted.length).toBeGreaterThan(0);

    for (const id of accepted) {
      const run = await waitForRun(server, id);
      expect(run).toMatchObject({ status: "succeeded", stdout: "began\nended\n" });
    }
    // A request that was told 503 may have been recorded all the same; then its run ends like any other.
    const list = async () => ((await (await server.fetch("/api/v1/runs?limit=200")).json()) as { items: RunSummary[] }).items;
    await expect.poll(async () => (await list()).filter((run) => !isFinal(run.status)), { timeout: 20_000 }).toEqual([]);
    for (const { id } of await list()) expect((await getRun(server, id)).stdout).toMatch(/^(began\nended|warm)\n$/);
    const events = await Array.fromAsync(followRun(server, accepted[0] ?? ""));
    expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
    // Three slots still run three at once.
    const started = Date.now();
    const ends = await Promise.all(
      Array.from({ length: 3 }, () =>
        execute(server, { language: "python", code: "import time\nt = time.time()\ntime.sleep(1)\nprint(t)" }),
      ),
    );
    const begins = ends.map((run) => Number(run.stdout) * 1000 - started);
    expect(Math.max(...begins) - Math.min(...begins)).toBeLessThan(1000);
  });
});

describe("runs on a database that is slow", () => {
  it("take longer, and end as they would otherwise; their worker is not taken for dead", async () => {
    await using database = await createTestDatabase();
    await using proxy = await startDatabaseProxy(database.address);
    await using watcher = await startTestServer({ DATABASE_URL: database.url, SYLA_WORKER_SLOTS: "0" }, { leaseMs: 3000 });
    await using server = await startTestServer({ DATABASE_URL: proxy.url, SYLA_WORKER_SLOTS: "3" }, { leaseMs: 3000 });
    await execute(server, { language: "bash", code: "echo warm" });
    proxy.delay(150);
    const code = "echo began; sleep 0.2; echo ended";
    const keyed = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const answer = await server.send("POST", "/api/v1/runs", { language: "bash", code }, { "idempotency-key": "the same" });
        expect(answer.status).toBe(202);
        return Run.parse(await answer.json());
      }),
    );
    expect(new Set(keyed.map(({ id }) => id)).size).toBe(1);
    const runs = await Promise.all(Array.from({ length: 6 }, () => submit(server, { language: "bash", code })));
    const events = await Array.fromAsync(followRun(server, runs[0]?.id ?? ""));
    expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
    const endless = await submit(server, { language: "bash", code: "exec sleep 60" });
    expect((await server.send("POST", `/api/v1/runs/${endless.id}/cancel`)).status).toBe(202);
    expect(await waitForRun(server, endless.id)).toMatchObject({ status: "cancelled" });
    for (const { id } of [...runs, ...keyed])
      expect(await waitForRun(server, id)).toMatchObject({ status: "succeeded", stdout: "began\nended\n", attempt: 1 });
    const workers = watcher.context.database.queries.selectFrom("workers").select(["id", "lost", "stopped_at"]);
    const found = await workers.execute();
    expect(found).toHaveLength(2);
    expect(found).toEqual(
      expect.arrayContaining([
        { id: watcher.context.workerId, lost: false, stopped_at: null },
        { id: server.context.workerId, lost: false, stopped_at: null },
      ]),
    );
    proxy.delay(0);
  });
});

describe("runs on a database that has too few connections", () => {
  it("are refused with when to come back, or brought to their end", async () => {
    using directory = createTemporaryDirectory();
    const postgres = await EmbeddedPostgres.start(join(directory.path, "postgres"), createLogger("silent"), ["max_connections=14"]);
    await ensureDatabase(postgres, "syla");
    await using server = await startTestServer({ DATABASE_URL: databaseUrl(postgres.address("syla")), SYLA_DRAIN_SECONDS: "0" });
    const submitMany = async (count: number) => {
      const answers = await Promise.all(
        Array.from({ length: count }, async (_, index) => {
          const headers = index % 2 === 0 ? {} : { "idempotency-key": `key ${index}` };
          const answer = await server.send("POST", "/api/v1/runs", { language: "bash", code: "echo ran" }, headers);
          return { status: answer.status, retryAfter: answer.headers.get("retry-after"), body: (await answer.json()) as { id: string } };
        }),
      );
      for (const { status, body, retryAfter } of answers.filter((answer) => answer.status !== 202))
        expect({ status, body, retryAfter: Number(retryAfter) > 0 }).toMatchObject({
          status: 503,
          body: { code: "database_unavailable" },
          retryAfter: true,
        });
      return answers.filter(({ status }) => status === 202).map(({ body }) => body.id);
    };
    const accepted = await submitMany(60);
    // Others take what is left of them.
    const others = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const client = new pg.Client(postgres.address("syla"));
        client.on("error", () => {});
        return await client.connect().then(
          () => client,
          () => null,
        );
      }),
    );
    expect(others).toContain(null);
    accepted.push(...(await submitMany(30)));
    await Promise.all(others.flatMap((client) => (client === null ? [] : [client.end()])));
    await expect.poll(() => submitMany(1), { timeout: 60_000 }).toHaveLength(1);
    const endOf = async (id: string) => (await (await server.fetch(`/api/v1/runs/${id}`)).json()) as Run;
    for (const id of accepted)
      await expect.poll(() => endOf(id), { timeout: 60_000 }).toMatchObject({ status: "succeeded", stdout: "ran\n" });
    await server.running.stopNow();
    await postgres.stop();
  });
});
