import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { KeyQuota } from "@syla/contracts/quotas";
import { execute, submit, waitForRun } from "@syla/testkit/runs";
import { spawnServer } from "@syla/testkit/server-process";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createAccount, type Person } from "../access/people.ts";

let server: TestServer;
let ann: Person;
beforeAll(async () => {
  server = await startTestServer({ SYLA_WORKER_SLOTS: "8" });
});
beforeEach(async () => {
  ann = await createAccount(server);
});
afterAll(() => server[Symbol.asyncDispose]());

type Headers = { readonly authorization: string };
interface Key {
  readonly id: string;
  readonly headers: Headers;
}
const queries = () => server.context.database.queries;
const send = (headers: Headers, method: string, path: string, body?: unknown) => server.send(method, path, body, headers);
const quick = { language: "bash", code: "echo quick" };

async function makeKey(owner: Person, quotas?: object, scopes = ["*"]): Promise<Key> {
  const made = (await (await send(owner.headers, "POST", "/api/v1/api-keys", { name: "CI", scopes })).json()) as {
    id: string;
    key: string;
  };
  const changed = quotas === undefined ? null : await change(owner.headers, made.id, quotas);
  if (changed?.ok === false) throw new Error(await changed.text());
  return { id: made.id, headers: { authorization: `Bearer ${made.key}` } };
}
const change = (headers: Headers, id: string, quotas: object) => send(headers, "PATCH", `/api/v1/api-keys/${id}/quotas`, quotas);
const read = async (headers: Headers, id: string) =>
  ((await (await send(headers, "GET", `/api/v1/api-keys/${id}/quotas`)).json()) as { items: KeyQuota[] }).items;
const find = async (key: Key, name: KeyQuota["name"]) => (await read(ann.headers, key.id)).find((quota) => quota.name === name);
const refusal = async (answer: Response | Promise<Response>) => {
  const given = await answer;
  return [given.status, await given.json()] as [number, { code: string; detail: string; details: object }];
};

it("a key with quotas of its own makes nothing that runs without them", async () => {
  const key = await makeKey(ann, { runsPerDay: 1 });
  const wish = { name: "x", programId: "asset_none" };
  for (const [path, body] of [
    ["/api/v1/schedules", { ...wish, cron: "@daily" }],
    ["/api/v1/triggers", wish],
  ] as const)
    expect(await refusal(send(key.headers, "POST", path, body))).toMatchObject([403, { code: "forbidden" }]);
});

describe("runs at once with a key", () => {
  it("are never more than its quota over two servers, all hundred end, and nothing else of its person waits for them", async () => {
    const { target } = server.context.database;
    using directory = createTemporaryDirectory();
    const dataDir = join(directory.path, "data");
    // A process of its own: servers of one process take each other for dead.
    await using second = spawnServer(dataDir, {
      DATABASE_URL: "connectionString" in target ? target.connectionString : "",
      SYLA_WORKER_SLOTS: "8",
    });
    const url = await second.ready();
    const local = readFileSync(join(dataDir, "cli.key"), "utf8").trim();
    const input = { language: "bash", code: "sleep 0.02" };
    const sendTo = async (origin: string, { authorization }: Headers) =>
      await fetch(`${origin}/api/v1/executions`, {
        method: "POST",
        headers: { authorization, "content-type": "application/json" },
        body: JSON.stringify(input),
      });
    // Each server has its own content on disk: what was sent to both can run on both.
    await execute(server, input);
    expect((await sendTo(url, { authorization: `Bearer ${local}` })).status).toBe(202);
    const key = await makeKey(ann, { concurrentRuns: 2 });
    let most = 0;
    const watching = new AbortController();
    onTestFinished(() => watching.abort());
    const watch = (async () => {
      while (!watching.signal.aborted) {
        const row = await queries()
          .selectFrom("runs")
          .select((select) => select.fn.countAll<number>().as("count"))
          .where("api_key_id", "=", key.id)
          .where("status", "in", ["starting", "running", "waiting"])
          .executeTakeFirstOrThrow();
        most = Math.max(most, row.count);
        await sleep(2);
      }
    })();
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => sendTo(n % 2 === 0 ? server.url : url, key.headers)));
    expect(answers.map((answer) => answer.status)).toEqual(Array(100).fill(202));
    expect((await execute(server, quick, ann.headers)).stdout).toBe("quick\n");
    const left = () => queries().selectFrom("runs").select("id").where("owner_id", "=", ann.id).where("status", "=", "queued").execute();
    expect((await left()).length).toBeGreaterThan(5);
    const unfinished = () =>
      queries().selectFrom("runs").select("id").where("owner_id", "=", ann.id).where("status", "not in", ["succeeded"]).execute();
    await expect.poll(unfinished, { timeout: 80_000 }).toEqual([]);
    watching.abort();
    await watch;
    expect(most).toBe(2);
  }, 120_000);

  it("wait as the client waits; a key that may run nothing keeps waiting until it may", async () => {
    const key = await makeKey(ann, { concurrentRuns: 1 });
    const runs = await Promise.all(Array.from({ length: 4 }, () => execute(server, quick, key.headers)));
    expect(runs.map((run) => run.stdout)).toEqual(Array(4).fill("quick\n"));
    await change(ann.headers, key.id, { concurrentRuns: 0 });
    const stuck = await submit(server, quick, key.headers);
    expect((await execute(server, quick, ann.headers)).status).toBe("succeeded");
    expect(await (await send(ann.headers, "GET", `/api/v1/runs/${stuck.id}`)).json()).toMatchObject({ status: "queued" });
    await change(ann.headers, key.id, { concurrentRuns: null });
    await waitForRun(server, stuck.id);
  });

  it("are bound by the key's quota for an administrator too, who has none", async () => {
    const admin = await createAccount(server, "admin");
    const key = await makeKey(admin, { concurrentRuns: 0 });
    const stuck = await submit(server, quick, key.headers);
    expect((await execute(server, quick, admin.headers)).status).toBe("succeeded");
    expect(await (await send(admin.headers, "GET", `/api/v1/runs/${stuck.id}`)).json()).toMatchObject({ status: "queued" });
    await send(admin.headers, "DELETE", `/api/v1/api-keys/${key.id}`);
    await waitForRun(server, stuck.id); // with the key, its quota is gone
  });
});

describe("a quota of a key", () => {
  it("lets exactly as many runs a day in as it says, a hundred at once, and its refusal names it", async () => {
    const key = await makeKey(ann, { runsPerDay: 3 });
    const answers = await Promise.all(Array.from({ length: 100 }, () => send(key.headers, "POST", "/api/v1/executions", quick)));
    const statuses = answers.map((answer) => answer.status);
    expect([statuses.filter((status) => status === 202).length, statuses.filter((status) => status === 429).length]).toEqual([3, 97]);
    const [, problem] = await refusal(send(key.headers, "POST", "/api/v1/executions", quick));
    expect(problem).toMatchObject({
      code: "quota_exceeded",
      details: { quota: "runsPerDay", limit: 3, used: 3, apiKeyId: key.id, apiKeyName: "CI" },
    });
    expect(problem.detail).toMatch(/^The API key “CI” \(key_\w+\) may start 3 runs a day, and has\. It is counted anew at \d{4}-/);
    expect((await send(ann.headers, "POST", "/api/v1/executions", quick)).status).toBe(202);
    expect(await find(key, "runsPerDay")).toMatchObject({ limit: 3, used: 3, warning: true });
    const told = async () =>
      ((await (await send(ann.headers, "GET", "/api/v1/notifications")).json()) as { items: { title: string }[] }).items.map(
        ({ title }) => title,
      );
    await expect.poll(told).toContain("Your API key “CI” has used up its runs of today");
  });

  it("is counted in one order by everything that counts: nobody waits for each other in a circle", async () => {
    const tables = ["usage_counts", "usage_days", "key_usage_days"] as const;
    await sql`create table counted (at serial, work bigint default txid_current(), place int)`.execute(queries());
    await sql`create function note_counted() returns trigger language plpgsql as
      $$ begin insert into counted (place) values (tg_argv[0]::int); return new; end $$`.execute(queries());
    for (const [place, table] of tables.entries())
      await sql`create trigger noted before insert on ${sql.table(table)} for each row execute function note_counted(${sql.lit(place)})`.execute(
        queries(),
      );
    const key = await makeKey(ann, { storageMb: 10 });
    const executed = await execute(server, { ...quick, stdin: "given" }, key.headers);
    const submitted = await submit(server, { ...quick, stdin: "given as well" }, key.headers);
    await waitForRun(server, submitted.id);
    const later = await submit(server, { ...quick, startAt: new Date(Date.now() + 3_600_000).toISOString() }, key.headers);
    await send(key.headers, "POST", `/api/v1/runs/${later.id}/cancel`);
    const headers = { ...key.headers, "content-type": "application/octet-stream" };
    expect((await server.fetch("/api/v1/blobs", { method: "POST", headers, body: "uploaded" })).ok).toBe(true);
    await send(ann.headers, "POST", "/api/v1/runs/bulk", { action: "delete", ids: [executed.id, submitted.id] });
    for (const table of tables) await sql`drop trigger noted on ${sql.table(table)}`.execute(queries());
    const { rows } = await sql<{ places: number[] }>`select array_agg(place order by at) as places from counted group by work`.execute(
      queries(),
    );
    expect(new Set(rows.flatMap(({ places }) => places))).toEqual(new Set([0, 1, 2]));
    for (const { places } of rows) expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  it("counts CPU time and storage, of its runs and its uploads", async () => {
    const key = await makeKey(ann, { cpuSecondsPerMonth: 0 });
    expect((await refusal(send(key.headers, "POST", "/api/v1/executions", quick)))[1]).toMatchObject({
      code: "quota_exceeded",
      details: { quota: "cpuSecondsPerMonth", apiKeyId: key.id },
    });
    await change(ann.headers, key.id, { cpuSecondsPerMonth: 1000, storageMb: 1 });
    const { id } = await submit(
      server,
      { ...quick, code: "head -c 600000 /dev/urandom > /output/a; for i in $(seq 20000); do :; done" },
      key.headers,
    );
    await waitForRun(server, id);
    const bytes = (size: number, headers: Headers = key.headers) =>
      server.fetch("/api/v1/blobs", {
        method: "POST",
        headers: { ...headers, "content-type": "application/octet-stream" },
        body: new Uint8Array(size).fill(size % 250),
      });
    expect((await bytes(300_000)).status).toBe(201);
    await expect.poll(async () => (await find(key, "storageMb"))?.used).toBeGreaterThan(0.89);
    const [status, problem] = await refusal(bytes(200_000));
    expect([status, problem]).toMatchObject([429, { code: "quota_exceeded", details: { quota: "storageMb", apiKeyName: "CI" } }]);
    expect((await bytes(200_000, ann.headers)).status).toBe(201);
    const usage = await queries().selectFrom("key_usage_days").selectAll().where("api_key_id", "=", key.id).execute();
    expect(usage).toMatchObject([{ api_key_id: key.id }]);
    expect(Number(usage[0]?.cpu_ms)).toBeGreaterThan(0);
  });

  it("gives back what was stored for something that did not come about, once, and counts what is there already for nobody", async () => {
    const key = await makeKey(ann, { storageMb: 1 });
    const actor = { userId: ann.id, role: "developer", via: "api-key", keyId: key.id } as const;
    const { runs } = server.context;
    const blobs = ["a", "b"].map((letter) => ({ sha256: letter.repeat(64), size: 400_000 }));
    const used = async () => (await find(key, "storageMb"))?.used;
    const fresh = await runs.recordUploads(actor, blobs);
    expect(await used()).toBe(0.8);
    expect(await runs.recordUploads(actor, blobs)).toEqual([]);
    await runs.recordUpload(actor, "a".repeat(64), 400_000);
    expect(await used()).toBe(0.8);
    await runs.forgetUploads(actor, fresh);
    await runs.forgetUploads(actor, fresh);
    expect(await used()).toBe(0);
    const days = await queries().selectFrom("key_usage_days").select("stored_bytes").where("api_key_id", "=", key.id).execute();
    expect(days).toEqual([{ stored_bytes: 0 }]);
    // It is free again, and no more than it.
    expect((await runs.recordUploads(actor, blobs)).length).toBe(2);
    await expect(runs.recordUploads(actor, [{ sha256: "c".repeat(64), size: 400_000 }])).rejects.toMatchObject({ code: "quota_exceeded" });
  });

  it("on executions a minute is told of in headers, and its refusal names the key", async () => {
    const key = await makeKey(ann, { executionsPerMinute: 1 });
    const first = await send(key.headers, "POST", "/api/v1/executions?wait=true", quick);
    expect([first.status, first.headers.get("ratelimit-limit")]).toEqual([200, "1"]);
    const second = await send(key.headers, "POST", "/api/v1/executions", quick);
    expect(second.headers.get("retry-after")).not.toBeNull();
    expect((await refusal(second))[1]).toMatchObject({ code: "rate_limited", detail: expect.stringContaining("The API key “CI”") });
  });

  it("holds for the tokens that are made with the key, as its limit of requests does", async () => {
    const key = await makeKey(ann, { runsPerDay: 1 });
    const pair = async (apiKey: Key) =>
      (await (
        await server.send("POST", "/api/v1/tokens", { grantType: "api_key", apiKey: apiKey.headers.authorization.slice(7) })
      ).json()) as { accessToken: string };
    const byToken = { authorization: `Bearer ${(await pair(key)).accessToken}` };
    expect((await send(byToken, "POST", "/api/v1/executions?wait=true", quick)).status).toBe(200);
    expect((await refusal(send(key.headers, "POST", "/api/v1/executions", quick)))[1]).toMatchObject({ details: { apiKeyId: key.id } });
    const made = await send(ann.headers, "POST", "/api/v1/api-keys", { name: "slow", requestsPerMinute: 3 });
    const slow = (await made.json()) as { id: string; key: string };
    const slowKey: Key = { id: slow.id, headers: { authorization: `Bearer ${slow.key}` } };
    const tokens = [await pair(slowKey), await pair(slowKey)].map(({ accessToken }) => ({ authorization: `Bearer ${accessToken}` }));
    const statuses: number[] = [];
    for (const headers of [slowKey.headers, ...tokens, ...tokens, slowKey.headers])
      statuses.push((await send(headers, "GET", "/api/v1/users/me")).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429, 429]);
  });

  it("is within its owner's, unless an administrator sets it", async () => {
    const key = await makeKey(ann);
    const [status, problem] = await refusal(change(ann.headers, key.id, { concurrentRuns: 4, storageMb: 5000 }));
    expect([status, problem]).toMatchObject([400, { code: "invalid_request", fields: [{ path: "concurrentRuns" }] }]);
    expect(await find(key, "storageMb")).toEqual({ name: "storageMb", limit: null, used: null, resetsAt: null, warning: false });
    expect((await server.send("PATCH", `/api/v1/api-keys/${key.id}/quotas`, { concurrentRuns: 4 })).status).toBe(200);
    expect(await find(key, "concurrentRuns")).toMatchObject({ limit: 4, used: 0 });
    for (const quotas of [{ concurrentRuns: -1 }, { runsPerDay: 1.5 }, { storageMb: "1" }, { spend: 1 }, { runsPerDay: 3_000_000_000 }])
      expect((await change(ann.headers, key.id, quotas)).status).toBe(400);
    const keys = (await (await server.fetch(`/api/v1/api-keys?userId=${ann.id}`)).json()) as {
      items: { id: string; hasQuotas: boolean }[];
    };
    expect(keys.items.find(({ id }) => id === key.id)).toMatchObject({ hasQuotas: true });
  });

  it("is nobody else's to see or change, and no way round it is the key's", async () => {
    const key = await makeKey(ann, { runsPerDay: 5 });
    const bob = await createAccount(server);
    for (const id of [key.id, "key_none", "%00"]) {
      expect((await send(bob.headers, "GET", `/api/v1/api-keys/${id}/quotas`)).status).toBe(404);
      expect((await change(bob.headers, id, { runsPerDay: 1 })).status).toBe(404);
    }
    expect((await send(bob.headers, "GET", `/api/v1/api-keys?userId=${ann.id}`)).status).toBe(403);
    expect((await change(key.headers, key.id, { runsPerDay: null })).status).toBe(403);
    expect((await send(key.headers, "POST", "/api/v1/api-keys", { name: "more" })).status).toBe(403);
    expect((await send(key.headers, "POST", "/api/v1/users/me/password", {})).status).toBe(403);
    expect((await send(key.headers, "GET", `/api/v1/api-keys/${key.id}/quotas`)).status).toBe(200);
    await change(ann.headers, key.id, { runsPerDay: null });
    const makesAnother = async () => (await send(key.headers, "POST", "/api/v1/api-keys", { name: "more" })).status;
    await expect.poll(makesAnother).toBe(201);
    await change(ann.headers, key.id, { llmSpendPerMonth: 5 });
    await expect.poll(makesAnother).toBe(403);
    expect((await change(key.headers, key.id, { llmSpendPerMonth: null })).status).toBe(403);
  });
});
