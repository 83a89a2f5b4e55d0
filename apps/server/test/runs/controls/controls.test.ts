import type { BulkRunsResult, RunFile } from "@syla/contracts/run-controls";
import type { RunComparison } from "@syla/contracts/run-comparison";
import type { Artifact, Run } from "@syla/contracts/runs";
import { createPerson, execute, getRun, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { settleStored } from "../../../src/quotas/store.ts";
import { expireOldRuns } from "../../../src/runs/controls/retention.ts";

let server: TestServer;
let ann: Record<string, string>;
let ben: Record<string, string>;
beforeAll(async () => {
  server = await startTestServer();
  ann = await createPerson(server);
  ben = await createPerson(server);
});
afterAll(() => server[Symbol.asyncDispose]());

type Headers = Record<string, string>;

const files = [
  { path: "main.py", content: "import sys\nfrom part import text\nprint(text, sys.argv[1:], sys.stdin.read())\n" },
  { path: "part.py", content: "text = 'first'\n" },
];

interface Answered<T> {
  readonly status: number;
  readonly body: T;
}

async function send<T>(method: string, path: string, body?: unknown, headers: Headers = {}): Promise<Answered<T>> {
  const answer = await server.send(method, path, body, headers);
  const text = await answer.text();
  return { status: answer.status, body: (text === "" ? null : JSON.parse(text)) as T };
}

async function rerun(id: string, changes?: object, headers: Headers = {}): Promise<Run> {
  const { status, body } = await send<Run>("POST", `/api/v1/runs/${id}/rerun`, changes, headers);
  expect([status, body]).toEqual([202, body]);
  return await waitForRun(server, body.id);
}

const problem = async (method: string, path: string, body?: unknown, headers: Headers = {}) =>
  (await send<{ code: string }>(method, path, body, headers)).body.code;

describe("running again", () => {
  it("takes everything as it was, or with what is said to be otherwise", async () => {
    const first = await execute(server, {
      files,
      entrypoint: "main.py",
      args: ["a"],
      stdin: "in",
      env: { A: "1", B: "2" },
      limits: { wallMs: 30_000 },
    });
    expect(first.stdout).toBe("first ['a'] in\n");
    const same = await rerun(first.id);
    expect(same).toMatchObject({ retryOf: first.id, stdout: first.stdout, env: { A: "1", B: "2" }, files: first.files });

    const changes = { args: ["b", "c"], stdin: "", env: { A: "3" }, limits: { memoryBytes: 64 * 1024 * 1024 }, priority: 7 };
    const other = await rerun(first.id, changes);
    expect(other).toMatchObject({
      retryOf: first.id,
      stdout: "first ['b', 'c'] \n",
      stdinBytes: 0,
      env: { A: "3" },
      requestedLimits: { wallMs: 30_000, memoryBytes: 64 * 1024 * 1024 },
      priority: 7,
    });
  });

  it("takes edited files in the place of those that it had", async () => {
    const first = await execute(server, { files, entrypoint: "main.py" });
    const edited = await rerun(first.id, {
      files: [
        { path: "part.py", content: "text = 'second'\n" },
        { path: "more.txt", content: "x" },
      ],
    });
    expect(edited.stdout).toBe("second [] \n");
    expect(edited.files.map(({ path }) => path).toSorted()).toEqual(["main.py", "more.txt", "part.py"]);
    const { items } = (await send<{ items: RunFile[] }>("GET", `/api/v1/runs/${edited.id}/files`)).body;
    expect(items.map(({ path, from }) => [path, from])).toEqual([
      ["main.py", "run"],
      ["more.txt", "run"],
      ["part.py", "run"],
    ]);
    const without = await rerun(edited.id, { removeFiles: ["part.py"] });
    expect(without.error).toMatchObject({ kind: "ModuleNotFoundError", location: { path: "main.py", line: 2 } });
    expect(without.retryOf).toBe(edited.id);
  });

  it("refuses changes that make no sense, and leaves no run of them", async () => {
    const { id } = await execute(server, { files, entrypoint: "main.py" });
    const path = `/api/v1/runs/${id}/rerun`;
    expect(await problem("POST", path, { entrypoint: "gone.py" })).toBe("entrypoint_missing");
    expect(await problem("POST", path, { removeFiles: ["main.py"] })).toBe("entrypoint_missing");
    expect(await problem("POST", path, { files: [{ path: "../x", content: "" }] })).toBe("invalid_path");
    expect(await problem("POST", path, { files: [{ path: "main.py/x", content: "" }] })).toBe("invalid_path");
    expect(await problem("POST", path, { files: [{ path: "x", blob: "0".repeat(64) }] })).toBe("blob_unknown");
    expect(await problem("POST", path, { version: "1.0.0" })).toBe("invalid_request");
    expect(await problem("POST", path, { stdin: "a", stdinBase64: "YQ==" })).toBe("invalid_request");
    expect(await problem("POST", path, { models: ["nobody-knows"] })).toBe("unknown_model");
    expect(await problem("POST", path, { language: "node" })).toBe("invalid_request");
    const judged = await execute(server, { language: "bash", code: "cat", tests: { cases: [{ stdin: "a", expected: { stdout: "a" } }] } });
    expect(await problem("POST", `/api/v1/runs/${judged.id}/rerun`, { network: "full" })).toBe("invalid_request");
    const { items } = (await send<{ items: Run[] }>("GET", "/api/v1/runs?limit=2")).body;
    expect(items.map((run) => run.id).slice(0, 2)).toEqual([judged.id, id]);
  });

  it("makes one run of one request that is sent twice, and refuses its key for other changes", async () => {
    const { id } = await execute(server, { files, entrypoint: "main.py" });
    const headers = { "idempotency-key": "again-1" };
    const path = `/api/v1/runs/${id}/rerun`;
    const [one, two] = [await send<Run>("POST", path, { args: ["x"] }, headers), await send<Run>("POST", path, { args: ["x"] }, headers)];
    expect(two.body.id).toBe(one.body.id);
    expect(await problem("POST", path, { args: ["y"] }, headers)).toBe("idempotency_conflict");
  });

  it("runs again what is deleted meanwhile, as a run of none", async () => {
    const { id } = await execute(server, { files, entrypoint: "main.py" });
    // Who waits for a run is told of its end before it is in the database, where it is deleted here.
    await server.context.runs.allRecorded();
    const { queries } = server.context.database;
    const isInserting = sql<boolean>`wait_event_type = 'Lock' and datname = current_database() and query like '%insert into runs%'`;
    const waiting = async () =>
      (await sql<{ pid: number }>`select pid from pg_stat_activity where ${isInserting}`.execute(queries)).rows.length;
    const again = await queries.transaction().execute(async (work) => {
      expect((await work.deleteFrom("runs").where("id", "=", id).executeTakeFirst()).numDeletedRows).toBe(1n);
      const sent = send<Run>("POST", `/api/v1/runs/${id}/rerun`);
      await expect.poll(waiting).toBe(1);
      return { sent };
    });
    const { status, body } = await again.sent;
    expect(status).toBe(202);
    expect(await waitForRun(server, body.id)).toMatchObject({ status: "succeeded", retryOf: null });
  });

  it("lets nobody run what they may only look at, or not even see", async () => {
    const { id } = await waitForRun(server, (await submit(server, { files, entrypoint: "main.py" }, ann)).id);
    expect(await problem("POST", `/api/v1/runs/${id}/rerun`, { args: [] }, ben)).toBe("not_found");
    const me = (await send<{ email: string }>("GET", "/api/v1/users/me", undefined, ben)).body;
    await send("POST", "/api/v1/grants", { resourceType: "run", resourceId: id, email: me.email, level: "view" }, ann);
    expect(await problem("POST", `/api/v1/runs/${id}/rerun`, { args: [] }, ben)).toBe("forbidden");
    expect(await problem("POST", `/api/v1/runs/${id}/pin`, { pinned: true }, ben)).toBe("forbidden");
    expect(await problem("DELETE", `/api/v1/runs/${id}`, undefined, ben)).toBe("forbidden");
    expect((await send("GET", `/api/v1/runs/${id}/files`, undefined, ben)).status).toBe(200);
  });
});

describe("deleting", () => {
  it("takes the run with its log, artifacts and links away, gives its room back, and still counts it for the day", async () => {
    const person = await createPerson(server);
    const run = await waitForRun(
      server,
      (await submit(server, { language: "bash", code: "echo hello; head -c 5000 /dev/urandom > /output/a" }, person)).id,
    );
    const before = await figures(person);
    const link = { resourceType: "run", resourceId: run.id, level: "view" };
    expect((await send("POST", "/api/v1/share-links", link, person)).status).toBe(201);
    expect((await send("DELETE", `/api/v1/runs/${run.id}`, undefined, person)).status).toBe(204);
    expect(await problem("GET", `/api/v1/runs/${run.id}`, undefined, person)).toBe("not_found");
    expect(await problem("DELETE", `/api/v1/runs/${run.id}`, undefined, person)).toBe("not_found");
    const after = await figures(person);
    expect(before.stored).toBeGreaterThan(5000);
    expect([after.stored, after.today]).toEqual([0, before.today]);
    const { queries } = server.context.database;
    expect(await queries.selectFrom("artifacts").select("id").where("run_id", "=", run.id).execute()).toEqual([]);
    expect(await queries.selectFrom("grants").select("id").where("resource_id", "=", run.id).execute()).toEqual([]);
  });

  it("waits for the end of a run, and answers no equal run from what is gone", async () => {
    const live = await submit(server, { language: "bash", code: "sleep 60" });
    expect(await problem("DELETE", `/api/v1/runs/${live.id}`)).toBe("run_unfinished");
    await send("POST", `/api/v1/runs/${live.id}/cancel`);
    await waitForRun(server, live.id);
    const input = { language: "bash", code: "echo kept", cache: true };
    const first = await execute(server, input);
    expect((await execute(server, input)).cachedFrom).toBe(first.id);
    expect((await send("DELETE", `/api/v1/runs/${first.id}`)).status).toBe(204);
    expect(await execute(server, input)).toMatchObject({ cached: false });
  });

  it("gives back what nothing else of theirs has, however it was counted, and takes what models were asked along", async () => {
    const person = await createPerson(server);
    const { queries } = server.context.database;
    const make = async () =>
      await waitForRun(server, (await submit(server, { language: "bash", code: "head -c 5000 /dev/zero > /output/a" }, person)).id);
    const [one, two] = [await make(), await make()];
    await settleStored(queries);
    const settled = (await figures(person)).stored;
    await sql`insert into llm_calls (id, run_id, user_id, model_id, model_name, model_owner_id, provider, upstream_model, protocol, operation, streamed,
      status, request_text, response_text) values ('call_of_deleted', ${one.id}, 'u', 'm', 'm', 'u', 'p', 'm', 'openai', 'chat', false, 'succeeded', 'asked', 'said')`.execute(
      queries,
    );
    expect((await send("DELETE", `/api/v1/runs/${one.id}`, undefined, person)).status).toBe(204);
    const log = (await figures(person)).stored - 5000;
    expect([log > 0, log < settled - 5000]).toEqual([true, true]);
    const call = queries.selectFrom("llm_calls").select(["request_text", "response_text", "status"]).where("id", "=", "call_of_deleted");
    expect(await call.execute()).toEqual([{ request_text: null, response_text: null, status: "succeeded" }]);
    expect((await send("DELETE", `/api/v1/runs/${two.id}`, undefined, person)).status).toBe(204);
    expect((await figures(person)).stored).toBe(0);
  });

  /** What somebody has stored, and how many of their runs count for today. */
  async function figures(person: Headers): Promise<{ stored: number; today: number }> {
    const user = (await send<{ id: string }>("GET", "/api/v1/users/me", undefined, person)).body;
    const { queries } = server.context.database;
    const days = await queries.selectFrom("usage_days").select("stored_bytes").where("user_id", "=", user.id).execute();
    const count = async (table: "runs" | "deleted_runs") =>
      (await queries.selectFrom(table).select("id").where("owner_id", "=", user.id).execute()).length;
    return { stored: days.reduce((sum, day) => sum + day.stored_bytes, 0), today: (await count("runs")) + (await count("deleted_runs")) };
  }
});

describe("many at once", () => {
  it("goes through what a filter finds in parts, counts exactly, and repeats nothing", async () => {
    const person = await createPerson(server);
    const made = await Promise.all(
      Array.from({ length: 5 }, async (_, index) => (await submit(server, { language: "bash", code: `exit ${index % 2}` }, person)).id),
    );
    await Promise.all(made.map((id) => waitForRun(server, id)));
    const input = { action: "retry", filter: { status: "failed" }, limit: 1 };
    const headers = { ...person, "idempotency-key": "bulk-1" };
    const first = (await send<BulkRunsResult>("POST", "/api/v1/runs/bulk", input, headers)).body;
    expect(first).toMatchObject({ refused: [], remaining: 1 });
    await Promise.all(first.done.map((id) => waitForRun(server, id)));
    const again = (await send<BulkRunsResult>("POST", "/api/v1/runs/bulk", input, headers)).body;
    expect(again).toEqual(first);
    // As when the server ended before it had answered.
    await server.context.database.queries.deleteFrom("idempotent_requests").execute();
    expect((await send<BulkRunsResult>("POST", "/api/v1/runs/bulk", input, headers)).body).toEqual(first);
    const second = (await send<BulkRunsResult>("POST", "/api/v1/runs/bulk", { ...input, cursor: first.nextCursor }, person)).body;
    expect(second).toMatchObject({ refused: [], remaining: 0, nextCursor: null });
    const retried = await Promise.all([...first.done, ...second.done].map(async (id) => (await waitForRun(server, id)).retryOf));
    expect(new Set(retried)).toEqual(new Set(made.filter((_, index) => index % 2 === 1)));
    const mine = (await send<{ items: Run[] }>("GET", "/api/v1/runs?limit=200", undefined, person)).body.items.length;
    const gone: string[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const part: BulkRunsResult = (
        await send<BulkRunsResult>(
          "POST",
          "/api/v1/runs/bulk",
          { action: "delete", filter: {}, limit: 3, ...(cursor !== "" && { cursor }) },
          person,
        )
      ).body;
      gone.push(...part.done);
      cursor = part.nextCursor;
    }
    expect(new Set(gone).size).toBe(mine);
    expect((await send<{ items: Run[] }>("GET", "/api/v1/runs", undefined, person)).body.items).toEqual([]);
  });

  it("answers with what is done when the server fails in the middle, and goes on from there", async () => {
    const person = await createPerson(server);
    const [first, second, third] = [
      await waitForRun(server, (await submit(server, { language: "bash", code: "exit 1" }, person)).id),
      await waitForRun(server, (await submit(server, { language: "bash", code: "exit 2" }, person)).id),
      await waitForRun(server, (await submit(server, { language: "bash", code: "exit 3" }, person)).id),
    ];
    const { queries } = server.context.database;
    await sql`update runs set config = jsonb_set(config, '{files}', '"broken"') where id = ${second.id}`.execute(queries);
    const input = { action: "retry", ids: [first.id, second.id, third.id] };
    const { body } = await send<BulkRunsResult>("POST", "/api/v1/runs/bulk", input, person);
    expect(body).toMatchObject({ refused: [], remaining: 2 });
    expect(await Promise.all(body.done.map(async (id) => (await waitForRun(server, id)).retryOf))).toEqual([third.id]);
    const rest = { ...input, cursor: body.nextCursor };
    expect((await send("POST", "/api/v1/runs/bulk", rest, person)).status).toBe(500);
    await sql`update runs set config = (select config from runs where id = ${first.id}) where id = ${second.id}`.execute(queries);
    const last = (await send<BulkRunsResult>("POST", "/api/v1/runs/bulk", rest, person)).body;
    expect(await Promise.all(last.done.map(async (id) => (await waitForRun(server, id)).retryOf))).toEqual([second.id, first.id]);
  });

  it("decides on each run by itself", async () => {
    const hers = await waitForRun(server, (await submit(server, { language: "bash", code: "true" }, ann)).id);
    const his = await waitForRun(server, (await submit(server, { language: "bash", code: "true" }, ben)).id);
    const live = await submit(server, { language: "bash", code: "sleep 60" }, ben);
    const body = { action: "delete", ids: [hers.id, his.id, live.id, "run_none", his.id] };
    const { done, refused } = (await send<BulkRunsResult>("POST", "/api/v1/runs/bulk", body, ben)).body;
    expect(done).toEqual([his.id]);
    expect(Object.fromEntries(refused.map(({ id, code }) => [id, code]))).toEqual({
      [hers.id]: "not_found",
      [live.id]: "run_unfinished",
      run_none: "not_found",
    });
    expect((await getRun(server, hers.id)).id).toBe(hers.id);
    const cancelled = (await send<BulkRunsResult>("POST", "/api/v1/runs/bulk", { action: "cancel", filter: {} }, ben)).body;
    expect(cancelled).toMatchObject({ done: [live.id], refused: [], remaining: 0 });
    expect((await waitForRun(server, live.id)).status).toBe("cancelled");
  });

  it.each([
    [{ action: "cancel" }, "invalid_request"],
    [{ action: "cancel", ids: ["a"], filter: {} }, "invalid_request"],
    [{ action: "stop", ids: ["a"] }, "invalid_request"],
    [{ action: "cancel", filter: { owner: "all" } }, "forbidden"],
    [{ action: "cancel", filter: {}, cursor: "nonsense" }, "invalid_cursor"],
    [{ action: "cancel", filter: {}, limit: 101 }, "invalid_request"],
    [{ action: "cancel", filter: { colour: "red" } }, "invalid_request"],
  ])("refuses %j", async (body, code) => {
    expect(await problem("POST", "/api/v1/runs/bulk", body, ben)).toBe(code);
  });
});

describe("keeping", () => {
  it("removes the logs and artifacts of old runs, but of pinned ones", async () => {
    const person = await createPerson(server);
    const make = async () =>
      await waitForRun(server, (await submit(server, { language: "bash", code: "echo said; echo x > /output/a" }, person)).id);
    const [old, pinned, unpinned, fresh] = [await make(), await make(), await make(), await make()];
    for (const { id } of [pinned, unpinned]) {
      const { body } = await send<Run>("POST", `/api/v1/runs/${id}/pin`, { pinned: true }, person);
      expect(body.pinned).toBe(true);
    }
    expect((await send<Run>("POST", `/api/v1/runs/${unpinned.id}/pin`, { pinned: false }, person)).body.pinned).toBe(false);
    const { signal } = new AbortController();
    await expireOldRuns(server.context, 0, signal);
    await expireOldRuns(server.context, 14, signal);
    expect((await getRun(server, old.id)).expiredAt).toBe(null);
    // As if it were ten days later, and the newest run of that day.
    const later = new Date(fresh.finishedAt ?? "").getTime() + 10 * 86_400_000 - 1;
    await expireOldRuns(server.context, 10, signal, later);
    const states = await Promise.all([old, pinned, unpinned, fresh].map(async ({ id }) => (await getRun(server, id)).expiredAt !== null));
    expect(states).toEqual([true, false, true, false]);
    const log = await (await server.fetch(`/api/v1/runs/${old.id}/log?format=jsonl`, { headers: person })).text();
    expect(log).toContain("was removed");
    const left = (await send<{ items: Artifact[] }>("GET", `/api/v1/runs/${old.id}/artifacts`, undefined, person)).body.items;
    expect(left).toEqual([]);
    expect((await getRun(server, pinned.id)).stdout).toBe("said\n");
  });

  it("answers no equal run from what was removed", async () => {
    const input = { language: "bash", code: "echo removed", cache: true };
    const first = await execute(server, input);
    expect((await execute(server, input)).cachedFrom).toBe(first.id);
    await expireOldRuns(server.context, 1, new AbortController().signal, Date.now() + 2 * 86_400_000);
    expect((await getRun(server, first.id)).expiredAt).not.toBe(null);
    expect(await execute(server, input)).toMatchObject({ cached: false, stdout: "removed\n" });
  });
});

describe("comparing", () => {
  it("tells what differs in how they were run, their files, output, artifacts and figures", async () => {
    const program =
      "import sys\nfrom part import lines\nfor line in lines:\n    print(line)\nprint('wrong', file=sys.stderr)\nopen('/output/a.txt', 'w').write(str(len(lines)))\nopen('/output/same.txt', 'w').write('x')\n";
    const first = await execute(server, {
      files: [
        { path: "main.py", content: program },
        { path: "part.py", content: "lines = ['one', 'two', 'three']\n" },
      ],
      entrypoint: "main.py",
      env: { MODE: "a" },
    });
    const second = await rerun(first.id, {
      files: [
        { path: "part.py", content: "lines = ['one', 'zwei', 'three']\n" },
        { path: "notes.txt", content: "n" },
      ],
      env: { MODE: "b" },
      args: ["--fast"],
      limits: { wallMs: 5000 },
    });
    const { body } = await send<RunComparison>("GET", `/api/v1/runs/${first.id}/compare/${second.id}`);
    expect(body.to.retryOf).toBe(first.id);
    expect(body.config).toEqual(
      expect.arrayContaining([
        { field: "args", from: [], to: ["--fast"] },
        { field: "env.MODE", from: "a", to: "b" },
        { field: "limits.wallMs", from: null, to: 5000 },
      ]),
    );
    expect(body.config).toHaveLength(3);
    expect(body.files.map(({ path, status }) => [path, status])).toEqual([
      ["notes.txt", "added"],
      ["part.py", "changed"],
    ]);
    expect(body.stdout).toMatchObject({ equal: false, cut: false, hunks: [{ lines: [" one", "-two", "+zwei", " three"] }] });
    expect(body.stderr).toMatchObject({ equal: true, hunks: [] });
    expect(body.artifacts.map(({ path, status }) => [path, status])).toEqual([
      ["a.txt", "equal"],
      ["same.txt", "equal"],
    ]);
    const stdout = body.metrics.find(({ metric }) => metric === "stdoutBytes");
    expect(stdout).toEqual({ metric: "stdoutBytes", from: 14, to: 15, ratio: 15 / 14 });
    expect(body.models).toEqual([]);
  });

  it("says when it looked at the beginning only, and of what is no text nothing but that it differs", async () => {
    const print = (text: string) => ({ language: "python", code: `import sys\nsys.stdout.buffer.write(${text})\n` });
    const long = await execute(server, print("b'a\\n' * 200000"));
    const longer = await execute(server, print("b'a\\n' * 200000 + b'b'"));
    const compared = async (one: Run, other: Run) =>
      (await send<RunComparison>("GET", `/api/v1/runs/${one.id}/compare/${other.id}`)).body.stdout;
    expect(await compared(long, longer)).toMatchObject({ equal: false, cut: true, fromBytes: 400_000, toBytes: 400_001 });
    const binary = await execute(server, print("bytes([0, 255])"));
    expect(await compared(long, binary)).toMatchObject({ equal: false, hunks: null });
    expect(await compared(long, long)).toMatchObject({ cut: true, hunks: [] });
  });

  it("shows nothing of a run that may not be seen", async () => {
    const hers = await waitForRun(server, (await submit(server, { language: "bash", code: "true" }, ann)).id);
    const his = await waitForRun(server, (await submit(server, { language: "bash", code: "true" }, ben)).id);
    for (const path of [`${hers.id}/compare/${his.id}`, `${his.id}/compare/${hers.id}`, `${his.id}/compare/run_none`])
      expect(await problem("GET", `/api/v1/runs/${path}`, undefined, ben)).toBe("not_found");
  });
});
