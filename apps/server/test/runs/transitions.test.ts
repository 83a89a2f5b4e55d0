import type { RunTransition } from "@syla/contracts/runs";
import { execute, getRun, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../src/platform/ids.ts";
import { describeProcess } from "../../src/workers/process-identity.ts";

let server: TestServer;
let template: string;
beforeAll(async () => {
  server = await startTestServer({ SYLA_WORKER_SLOTS: "2" });
  template = (await execute(server, { language: "bash", code: "true" })).id;
  await getRun(server, template); // it is recorded by then
});
afterAll(() => server[Symbol.asyncDispose]());

const queries = () => server.context.database.queries;
const update = async (id: string, set: string) => await sql`UPDATE runs SET ${sql.raw(set)} WHERE id = ${id}`.execute(queries());

async function historyOf(id: string): Promise<RunTransition[]> {
  return ((await (await server.fetch(`/api/v1/runs/${id}/transitions`)).json()) as { items: RunTransition[] }).items;
}

const legal: Readonly<Record<string, readonly string[]>> = {
  queued: ["starting", "failed", "cancelled"],
  starting: ["running", "queued", "failed", "cancelled", "timed_out"],
  running: ["waiting", "queued", "succeeded", "failed", "cancelled", "timed_out"],
  waiting: ["running", "queued", "failed", "cancelled", "timed_out"],
  succeeded: [],
  failed: [],
  cancelled: [],
  timed_out: [],
};
const states = Object.keys(legal);
const isHeld = (status: string) => status === "starting" || status === "running" || status === "waiting";

/** A run in some state that no worker looks at: its turn is far off, and its worker lives. */
async function addRun(status: string): Promise<string> {
  const id = newId("run");
  const worker = isHeld(status) ? server.context.workerId : null;
  await sql`INSERT INTO runs (id, kind, status, owner_id, language, entrypoint, config, request_hash, available_at, turn_at, worker_id, claimed_at)
    SELECT ${id}, kind, ${status}, owner_id, language, entrypoint, config, request_hash, now() + interval '1 hour', now() + interval '1 hour',
      ${worker}, CASE WHEN ${isHeld(status)} THEN now() END FROM runs WHERE id = ${template}`.execute(queries());
  return id;
}

describe("the states of a run", () => {
  it("follow each other as is written down, and the database refuses every other step", async () => {
    for (const from of states)
      for (const to of states) {
        if (from === to) continue;
        const id = await addRun(from);
        const back =
          to === "queued" ? ", attempt = attempt + 1, worker_id = NULL, claimed_at = NULL, available_at = now() + interval '1 hour'" : "";
        const held = to === "starting" ? `, worker_id = '${server.context.workerId}', claimed_at = now()` : "";
        const step = update(id, `status = '${to}'${back}${held}`).then(
          () => "taken",
          (error: unknown) => String(error),
        );
        const wanted = legal[from]?.includes(to) === true ? /^taken$/ : /illegal run transition|has ended/;
        expect(await step, `${from} -> ${to}`).toMatch(wanted);
        if (wanted.source === "^taken$") continue;
        const row = await queries().selectFrom("runs").select("status").where("id", "=", id).executeTakeFirst();
        expect(row?.status).toBe(from);
      }
    await queries().deleteFrom("runs").where("id", "!=", template).execute();
  });

  it("count an attempt exactly when a run is put back, and one that is claimed has a worker", async () => {
    const id = await addRun("starting");
    await expect(update(id, "status = 'queued', worker_id = NULL, claimed_at = NULL")).rejects.toThrow(/illegal attempt 1 -> 1/);
    await expect(update(id, "status = 'running', attempt = 2")).rejects.toThrow(/illegal attempt 1 -> 2/);
    await expect(update(id, "status = 'queued', attempt = 2")).rejects.toThrow(/runs_claimed/);
    await expect(update(id, "status = 'running', worker_id = NULL")).rejects.toThrow(/runs_claimed/);
    await queries().deleteFrom("runs").where("id", "=", id).execute();
  });

  it("are over when a run has ended: nothing that it says of itself is changed", async () => {
    const before = await getRun(server, template);
    for (const change of [
      "exit_code = 1",
      "error = '{}'",
      "result = NULL",
      "finished_at = now()",
      "attempt = 2",
      "worker_id = NULL",
      "cause = 'none'",
      "history = '[]'",
    ])
      await expect(update(template, change)).rejects.toThrow(/has ended/);
    expect(await getRun(server, template)).toEqual(before);
    await update(template, "visibility = 'public'"); // who may see it is another matter
    await update(template, "visibility = 'private'");
  });
});

describe("the history of a run", () => {
  it("of one that was waited for is what its row tells, in order", async () => {
    const run = await execute(server, { language: "bash", code: "exit 3" });
    const history = await historyOf(run.id);
    expect(history).toMatchObject([
      { status: "queued", at: run.createdAt, attempt: 1, workerId: null, cause: "submitted" },
      { status: "starting", attempt: 1, workerId: server.context.workerId, cause: null },
      { status: "running", at: run.startedAt, attempt: 1, cause: null },
      { status: "failed", at: run.finishedAt, attempt: 1, cause: "nonzero_exit" },
    ]);
    const { rows } = await sql<{ history: unknown }>`SELECT history FROM runs WHERE id = ${run.id}`.execute(queries());
    expect(rows).toEqual([{ history: null }]);
    const again = (await (await server.send("POST", `/api/v1/runs/${run.id}/rerun`)).json()) as { id: string };
    await waitForRun(server, again.id);
    expect((await historyOf(again.id))[0]).toMatchObject({ status: "queued", cause: "rerun" });
  });

  it("shows a run that is going on, waits for a person and is cancelled", async () => {
    const run = await submit(server, { language: "bash", code: "echo began; exec sleep 60" });
    await waitForRun(server, run.id, ({ stdout }) => stdout === "began\n");
    expect((await historyOf(run.id)).map(({ status }) => status)).toEqual(["queued", "starting", "running"]);
    await update(run.id, "status = 'waiting', cause = 'approval'");
    await update(run.id, "status = 'running', cause = NULL");
    await server.send("POST", `/api/v1/runs/${run.id}/cancel`);
    await waitForRun(server, run.id);
    expect((await historyOf(run.id)).map(({ status, cause }) => [status, cause])).toEqual([
      ["queued", "submitted"],
      ["starting", null],
      ["running", null],
      ["waiting", "approval"],
      ["running", null],
      ["cancelled", "cancel_requested"],
    ]);
  });

  it("keeps the attempts that a lost worker made, with their cause", async () => {
    const lost = newId("worker");
    await queries()
      .insertInto("workers")
      .values({
        id: lost,
        hostname: "here",
        pid: process.pid,
        process: describeProcess()?.replace(/"began":\d+/, '"began":7') ?? null,
        lease_until: new Date(Date.now() - 1000),
        slots: null,
        version: null,
      })
      .execute();
    const id = await addRun("starting");
    await update(id, `worker_id = '${lost}', available_at = now(), turn_at = now()`);
    await waitForRun(server, id);
    expect(await historyOf(id)).toMatchObject([
      { status: "queued", attempt: 1, cause: "submitted" },
      { status: "starting", attempt: 1, workerId: lost },
      { status: "queued", attempt: 2, workerId: null, cause: "worker_lost" },
      { status: "starting", attempt: 2, workerId: server.context.workerId },
      { status: "running", attempt: 2 },
      { status: "succeeded", attempt: 2, cause: null },
    ]);
  });
});
