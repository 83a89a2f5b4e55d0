import { hostname } from "node:os";
import { execute, getRun, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { newId } from "../../src/platform/ids.ts";
import { describeProcess } from "../../src/workers/process-identity.ts";
import { SilenceWatch } from "../../src/workers/silence-watch.ts";

/** Short, so that those who give no sign are found within seconds. */
const leaseMs = 1500;
const here = JSON.parse(describeProcess() ?? "{}") as { place: string; pid: number; began: number };

describe("workers that are gone", () => {
  let server: TestServer;
  let template: string;
  let counting: string;
  beforeAll(async () => {
    server = await startTestServer({}, { leaseMs });
    template = (await execute(server, { language: "bash", code: "echo ran" })).id;
    counting = (await execute(server, { language: "bash", code: "sleep 0.2; echo once" })).id;
    for (const id of [template, counting]) await server.fetch(`/api/v1/runs/${id}`); // they are recorded by then
  });
  const ending = new AsyncDisposableStack();
  afterAll(async () => {
    await ending.disposeAsync();
    await server[Symbol.asyncDispose]();
  });
  const queries = () => server.context.database.queries;

  /** `lives`: it gives signs until the server ends. `lease`: what it says by the clock of the database, which may be turned. */
  async function addWorker(row: { process?: Partial<typeof here>; lives?: boolean; lease?: number }): Promise<string> {
    const id = newId("worker");
    const process = row.process === undefined ? null : JSON.stringify({ ...here, ...row.process });
    let lease = row.lease ?? 3600;
    const until = () => sql<Date>`now() + ${lease++} * interval '1 second'`;
    await queries()
      .insertInto("workers")
      .values({ id, hostname: "elsewhere", pid: 1, process, lease_until: until(), slots: null, version: null })
      .execute();
    if (row.lives !== true) return id;
    const beat = setInterval(
      () =>
        void queries()
          .updateTable("workers")
          .set({ lease_until: until() })
          .where("id", "=", id)
          .execute()
          .catch(() => {}),
      leaseMs / 5,
    );
    ending.defer(() => clearInterval(beat));
    return id;
  }

  /** A run of a worker in some state, made like one that has run here, so that it can run again. */
  async function addRun(workerId: string, row: { status: string; attempt?: number; cancelled?: boolean }, of = template): Promise<string> {
    const id = newId("run");
    await sql`INSERT INTO runs (id, kind, status, owner_id, language, entrypoint, config, request_hash, attempt, worker_id, claimed_at, cancel_requested_at)
      SELECT ${id}, kind, ${row.status}, owner_id, language, entrypoint, config, request_hash, ${row.attempt ?? 1}, ${workerId}, now(),
        ${row.cancelled === true ? new Date() : null}::timestamptz FROM runs WHERE id = ${of}`.execute(queries());
    return id;
  }
  const stopped = async (id: string) =>
    (await queries().selectFrom("workers").select("stopped_at").where("id", "=", id).executeTakeFirstOrThrow()).stopped_at !== null;

  it("are told by their silence or their process, whatever clocks say, and each of their runs ends truthfully or runs once", async () => {
    const expired = await addWorker({});
    const alive = await addWorker({ lives: true, lease: -7200 });
    const dead = await addWorker({ process: { pid: 4_194_303 } });
    const reused = await addWorker({ process: { began: here.began - 1 } });
    const beside = await addWorker({ process: {}, lives: true });
    const begun = await addRun(expired, { status: "running" });
    const claimed = await addRun(expired, { status: "starting" }, counting);
    const worn = await addRun(expired, { status: "starting", attempt: 3 });
    const cancelled = await addRun(expired, { status: "running", cancelled: true });
    const cancelledEarly = await addRun(expired, { status: "starting", cancelled: true });
    const ofDead = await addRun(dead, { status: "running" });
    const ofReused = await addRun(reused, { status: "starting" });
    const ofAlive = await addRun(alive, { status: "running" });
    const ofBeside = await addRun(beside, { status: "starting" });
    // What cannot run any more ends as well: a language that is gone, a row that makes no sense.
    const cobol = await addRun(expired, { status: "starting" });
    await queries().updateTable("runs").set({ language: "cobol" }).where("id", "=", cobol).execute();
    const broken = await addRun(expired, { status: "starting" });
    await queries()
      .updateTable("runs")
      .set({ config: JSON.stringify({ nothing: true }) })
      .where("id", "=", broken)
      .execute();
    // This worker itself was taken for dead by another one: it carries on, and is looked after again.
    const own = await queries().selectFrom("workers").select("id").where("pid", "=", process.pid).executeTakeFirstOrThrow();
    await queries().updateTable("workers").set({ stopped_at: new Date() }).where("id", "=", own.id).execute();

    const lost = { status: "failed", error: { class: "infrastructure", code: "worker_lost" }, artifactCount: 0 };
    expect(await waitForRun(server, begun)).toMatchObject({ ...lost, attempt: 1 });
    expect(await waitForRun(server, claimed)).toMatchObject({ status: "succeeded", attempt: 2, stdout: "once\n" });
    expect(await waitForRun(server, worn)).toMatchObject({ ...lost, attempt: 3 });
    expect(await waitForRun(server, cancelled)).toMatchObject({ status: "cancelled", error: null });
    expect(await waitForRun(server, cancelledEarly)).toMatchObject({ status: "cancelled", error: null });
    expect(await waitForRun(server, ofDead)).toMatchObject(lost);
    expect(await waitForRun(server, ofReused)).toMatchObject({ status: "succeeded", attempt: 2 });
    expect(await getRun(server, ofAlive)).toMatchObject({ status: "running" });
    expect(await getRun(server, ofBeside)).toMatchObject({ status: "starting" });
    expect(await Promise.all([expired, alive, dead, reused, beside].map(stopped))).toEqual([true, false, true, true, false]);
    expect(await stopped(own.id)).toBe(false);
    const row = async (id: string) =>
      await queries().selectFrom("runs").select(["status", "error"]).where("id", "=", id).executeTakeFirst();
    await expect.poll(() => row(cobol), { timeout: 20_000 }).toMatchObject({ status: "failed", error: { code: "runtime_unavailable" } });
    await expect.poll(() => row(broken), { timeout: 20_000 }).toMatchObject({ status: "failed", error: { code: "internal" } });
    expect(await execute(server, { language: "bash", code: "echo alive" })).toMatchObject({ status: "succeeded" });
  });

  it("are looked after again when a run was given to them late, but not while they give signs", async () => {
    const dead = await addWorker({ process: { pid: 4_194_303 } });
    const alive = await addWorker({ lives: true });
    await queries().updateTable("workers").set({ stopped_at: new Date() }).where("id", "in", [dead, alive]).execute();
    const ofAlive = await addRun(alive, { status: "running" });
    const claimed = await addRun(dead, { status: "starting" }, counting);
    const begun = await addRun(dead, { status: "running" });
    expect(await waitForRun(server, claimed)).toMatchObject({ status: "succeeded", attempt: 2, stdout: "once\n" });
    expect(await waitForRun(server, begun)).toMatchObject({ status: "failed", error: { code: "worker_lost" } });
    expect(await getRun(server, ofAlive)).toMatchObject({ status: "running" });
  });

  it("do not get to write the end of a run that was taken from them", async () => {
    const slow = execute(server, { language: "bash", code: "sleep 0.6; echo too late" });
    const own = await queries().selectFrom("workers").select("id").where("pid", "=", process.pid).executeTakeFirstOrThrow();
    const find = async () =>
      await queries()
        .selectFrom("runs")
        .select(["id", "worker_id"])
        .where("status", "=", "running")
        .where("worker_id", "=", own.id)
        .orderBy("id", "desc")
        .executeTakeFirst();
    await expect.poll(async () => (await find())?.id).toBeDefined();
    const row = await find();
    const other = await addWorker({ lives: true });
    await queries()
      .updateTable("runs")
      .set({ worker_id: other })
      .where("id", "=", row?.id ?? "")
      .execute();
    await sql`UPDATE runs SET status = 'failed', finished_at = now() WHERE id = ${row?.id}`.execute(queries());
    expect(await slow).toMatchObject({ id: row?.id, status: "failed", stdout: "too late\n" });
    expect(await getRun(server, row?.id ?? "")).toMatchObject({ status: "failed", exitCode: null });
    // What was seen of it is kept.
    await expect.poll(async () => await (await server.fetch(`/api/v1/runs/${row?.id}/log`)).text()).toBe("too late\n");
  });
});

describe("the clock of a server", () => {
  afterEach(() => void vi.useRealTimers());

  it("that is turned keeps no run waiting, and takes none from its worker", async () => {
    await using server = await startTestServer({ SYLA_WORKER_SLOTS: "1" }, { leaseMs });
    await using beside = await startTestServer(
      { SYLA_WORKER_SLOTS: "0", DATABASE_URL: server.context.config.databaseUrl?.reveal() ?? "" },
      { leaseMs },
    );
    for (const hours of [1, -2]) {
      const running = await submit(server, { language: "bash", code: "echo began; sleep 2; echo ended" });
      await waitForRun(server, running.id, ({ stdout }) => stdout === "began\n");
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + hours * 3_600_000, shouldAdvanceTime: true });
      const waiting = await submit(server, { language: "bash", code: "echo waited" });
      expect(waiting).toMatchObject({ status: "queued", startAt: null });
      expect(await waitForRun(server, running.id)).toMatchObject({ status: "succeeded", stdout: "began\nended\n", attempt: 1 });
      expect(await waitForRun(server, waiting.id)).toMatchObject({ status: "succeeded", stdout: "waited\n", attempt: 1 });
      vi.useRealTimers();
    }
    const lost = beside.context.database.queries.selectFrom("workers").select("id").where("lost", "=", true);
    expect(await lost.execute()).toEqual([]);
  });
});

describe("watching for silence", () => {
  const leases = { a: 0, b: 0 };
  let now = 0;
  const watch = new SilenceWatch(15_000, 5000, () => now);
  const look = (afterMs: number) => {
    now += afterMs;
    return [...watch.observe(Object.entries(leases).map(([id, lease]) => ({ id, lease_until: new Date(lease) })))];
  };

  it("finds who gives no sign for the time of a lease, and nobody by what a clock says", () => {
    look(5000);
    for (const turned of [3_600_000, -7_200_000, 1]) {
      leases.a += turned;
      expect(look(5000)).toEqual([]);
    }
    leases.a += 1;
    expect(look(5000)).toEqual(["b"]);
  });

  it("counts no time in which nobody could be seen", () => {
    leases.b += 1;
    expect([look(5000), look(3_600_000), look(3_600_000)]).toEqual([[], [], []]);
    leases.a += 1;
    expect([look(3_600_000), look(5000)]).toEqual([[], ["b"]]);
  });
});

describe("a worker that stops", () => {
  it("says so, and hands over what it had", async () => {
    await using server = await startTestServer({ SYLA_DRAIN_SECONDS: "0" });
    const { queries } = server.context.database;
    const live = async () => await queries.selectFrom("workers").selectAll().where("stopped_at", "is", null).execute();
    expect(await live()).toMatchObject([{ hostname: hostname(), pid: process.pid }]);
    const run = execute(server, { language: "bash", code: "echo began; sleep 30" }).catch(() => null);
    const began = async () => {
      const row = await queries.selectFrom("runs").select("id").executeTakeFirst();
      return row === undefined ? "" : (await getRun(server, row.id)).stdout;
    };
    await expect.poll(began).toBe("began\n");
    const [{ id } = { id: "" }] = await live();
    const member = server.context.services.find((service) => service.name === "worker-lease");
    await server.context.services.find((service) => service.name === "worker")?.stop();
    await member?.stop();
    expect(await queries.selectFrom("runs").select(["status", "error", "worker_id"]).execute()).toMatchObject([
      { status: "failed", error: { code: "worker_lost" }, worker_id: id },
    ]);
    expect(await live()).toEqual([]);
    await run;
  });
});
