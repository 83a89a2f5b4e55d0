import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createPerson } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../src/platform/ids.ts";
import { encodeRecord } from "../../src/runs/log-records.ts";
import { recoverRuns, sealSpools } from "../../src/runs/recovery.ts";
import { claimRuns, countQueued, requeueRun, requeueUnstarted, setPhase, triesOf } from "../../src/runs/store.ts";
import { maxTries } from "../../src/runs/worker.ts";

/** The server runs nothing: the tests claim what its queue holds. */
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ SYLA_WORKER_SLOTS: "0" });
});
beforeEach(async () => {
  await queries().deleteFrom("runs").execute();
});
afterAll(() => server[Symbol.asyncDispose]());

const queries = () => server.context.database.queries;
const roles = { end_user: 3, developer: 3, admin: -1 };
const claim = async (count: number, { installation = -1, except = null as string | null } = {}) =>
  await claimRuns(queries(), server.context.workerId, count, { roles, installation }, except);
const ownersOf = (runs: readonly { owner_id: string }[]) => runs.map((run) => run.owner_id).toSorted();

async function addPeople(count: number, role: "developer" | "admin" = "developer"): Promise<string[]> {
  const ids = Array.from({ length: count }, () => newId("user"));
  await queries()
    .insertInto("users")
    .values(ids.map((id) => ({ id, name: id, email: `${id}@example.org`, image: null, role })))
    .execute();
  return ids;
}

async function addTeam(concurrentRuns: number, members: readonly string[]): Promise<string> {
  const id = newId("team");
  await queries().insertInto("teams").values({ id, name: id, slug: id, created_by: null, concurrent_runs: concurrentRuns }).execute();
  await queries()
    .insertInto("team_members")
    .values(members.map((userId) => ({ team_id: id, user_id: userId, role: "member" as const })))
    .execute();
  return id;
}

/** Runs that have waited for so many minutes; one that is submitted with a priority has its turn that many minutes earlier. */
async function queue(owner: string, count: number, { priority = 5, waitedMinutes = 0 } = {}): Promise<string[]> {
  const ids = Array.from({ length: count }, () => newId("run"));
  await sql`INSERT INTO runs (id, kind, status, owner_id, language, entrypoint, config, request_hash, priority, available_at, turn_at)
    SELECT id, 'execution', 'queued', ${owner}, 'bash', 'main.sh', '{}', 'none', ${priority}, now() - ${waitedMinutes} * interval '1 minute',
      now() - ${waitedMinutes + priority} * interval '1 minute' FROM unnest(${ids}::text[]) AS new(id)`.execute(queries());
  return ids;
}

async function end(runs: readonly { id: string }[]): Promise<void> {
  await sql`UPDATE runs SET status = 'failed', finished_at = now() WHERE id = ANY(${runs.map(({ id }) => id)})`.execute(queries());
}

describe("a claim", () => {
  it("goes round the people who wait, whatever each of them has queued", async () => {
    const [many = "", some = "", one = ""] = await addPeople(3, "admin");
    await queue(many, 100, { priority: 9, waitedMinutes: 5 });
    await queue(some, 3);
    await queue(one, 1, { priority: 0 });
    expect(ownersOf(await claim(3))).toEqual([many, some, one].toSorted());
    expect(ownersOf(await claim(4))).toEqual([many, many, some, some].toSorted());
    expect(ownersOf(await claim(2))).toEqual([many, many]);
  });

  it("leaves one person's runs alone when it is for anybody else", async () => {
    const [ann = "", ben = ""] = await addPeople(2, "admin");
    await queue(ann, 3, { priority: 9, waitedMinutes: 5 });
    expect(await claim(1, { except: ann })).toEqual([]);
    await queue(ben, 1);
    expect(ownersOf(await claim(2, { except: ann }))).toEqual([ben]);
    expect(ownersOf(await claim(2))).toEqual([ann, ann]);
  });

  it("gives a low priority its turn when it has waited a minute for each step", async () => {
    const [person = ""] = await addPeople(1, "admin");
    const [high = ""] = await queue(person, 1, { priority: 9 });
    const [patient = ""] = await queue(person, 1, { priority: 0, waitedMinutes: 10 });
    const [low = ""] = await queue(person, 1, { priority: 0, waitedMinutes: 8 });
    const order = [...(await claim(1)), ...(await claim(1)), ...(await claim(1))];
    expect(order.map(({ id }) => id)).toEqual([patient, high, low]);
  });

  it("leaves what is not yet to begin, however high its priority", async () => {
    const [person = ""] = await addPeople(1);
    const [later = ""] = await queue(person, 1, { priority: 9 });
    await sql`UPDATE runs SET available_at = now() + interval '1 minute' WHERE id = ${later}`.execute(queries());
    const [now = ""] = await queue(person, 1, { priority: 0 });
    expect((await claim(5)).map(({ id }) => id)).toEqual([now]);
  });

  it("is not kept from what may begin by people who have only runs for later", async () => {
    const people = await addPeople(200);
    for (const person of people.slice(1)) await queue(person, 1, { priority: 9 });
    await sql`UPDATE runs SET available_at = now() + interval '1 minute', turn_at = 'infinity'`.execute(queries());
    const [mine = ""] = await queue(people[0] ?? "", 1, { priority: 0 });
    expect((await claim(8)).map(({ id }) => id)).toEqual([mine]);
  });

  it("gives what was for later its turn when its time has come, by its priority", async () => {
    const [person = ""] = await addPeople(1, "admin");
    const [low = ""] = await queue(person, 1, { priority: 0 });
    const [waited = ""] = await queue(person, 1, { priority: 0, waitedMinutes: 5 });
    const startAt = new Date(Date.now() + 60_000).toISOString();
    const answer = await server.send("POST", "/api/v1/runs", { language: "bash", code: "echo 1", priority: 4, startAt });
    const { id: later } = (await answer.json()) as { id: string };
    await sql`UPDATE runs SET owner_id = ${person} WHERE id = ${later}`.execute(queries());
    expect((await claim(0)).length).toBe(0);
    const turnOf = async () =>
      (await sql<{ turn: string }>`SELECT turn_at::text AS turn FROM runs WHERE id = ${later}`.execute(queries())).rows;
    expect(await turnOf()).toEqual([{ turn: "infinity" }]);
    await sql`UPDATE runs SET available_at = now() WHERE id = ${later}`.execute(queries());
    const order = [...(await claim(1)), ...(await claim(1)), ...(await claim(1))];
    expect(order.map(({ id }) => id)).toEqual([waited, later, low]);
  });

  it("does not wait in a circle with whoever has locked a person and then ends their runs", async () => {
    const [person = ""] = await addPeople(1);
    const [id = ""] = await queue(person, 1);
    await sql`UPDATE runs SET turn_at = 'infinity' WHERE id = ${id}`.execute(queries());
    const isWaiting = async () =>
      (
        await sql`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
          AND query LIKE '%claim_runs%'`.execute(queries())
      ).rows.length;
    const claimed = await queries()
      .transaction()
      .execute(async (work) => {
        await sql`SELECT FROM users WHERE id = ${person} FOR UPDATE`.execute(work);
        const claiming = claim(1);
        await expect.poll(isWaiting, { timeout: 20_000 }).toBe(1);
        await sql`UPDATE runs SET status = 'cancelled', finished_at = now() WHERE id = ${id}`.execute(work);
        return { claiming };
      });
    expect(await claimed.claiming).toEqual([]);
  });

  it("keeps to what a team may have at once, over all its members and claims, and lets others by", async () => {
    const [ann = "", bob = "", cleo = "", dan = ""] = await addPeople(4);
    await addTeam(2, [ann, bob]);
    await addTeam(1, [bob, cleo]);
    for (const person of [ann, bob, cleo, dan]) await queue(person, 5);
    const first = (await Promise.all([claim(8), claim(8), claim(8)])).flat();
    const teamRuns = first.filter(({ owner_id: owner }) => owner !== dan);
    expect(first.filter(({ owner_id: owner }) => owner === dan)).toHaveLength(3);
    const count = (...people: string[]) => teamRuns.filter(({ owner_id: owner }) => people.includes(owner)).length;
    expect(count(ann, bob)).toBeLessThanOrEqual(2);
    expect(count(bob, cleo)).toBeLessThanOrEqual(1);
    expect(count(ann, bob, cleo)).toBeGreaterThanOrEqual(2);
    await end(teamRuns);
    expect(await claim(8)).not.toEqual([]);
    await queries().deleteFrom("teams").execute();
  });

  it("never gives out more than the installation may have, to any number of servers", async () => {
    const people = await addPeople(10);
    for (const person of people) await queue(person, 3);
    const claimed = (await Promise.all(Array.from({ length: 6 }, () => claim(4, { installation: 5 })))).flat();
    expect(claimed).toHaveLength(5);
    expect(await claim(4, { installation: 5 })).toEqual([]);
    await end(claimed.slice(0, 2));
    expect(await claim(4, { installation: 5 })).toHaveLength(2);
  });

  it("comes to everybody of very many who wait, and gives each run out once", async () => {
    const people = await addPeople(300);
    for (const person of people) await queue(person, 1);
    const seen = new Set<string>();
    for (let round = 0; seen.size < 300 && round < 200; round++) {
      const claimed = (await Promise.all([claim(8), claim(8)])).flat();
      for (const { id } of claimed) {
        expect(seen.has(id)).toBe(false);
        seen.add(id);
      }
      await end(claimed);
    }
    expect(seen.size).toBe(300);
  });
});

describe("a run whose worker goes before it has begun", () => {
  it("has as many tries as any, however often a worker was stopped in order", async () => {
    const [person = ""] = await addPeople(1);
    const [id = ""] = await queue(person, 1);
    const put = async (isLost: boolean) =>
      await queries()
        .transaction()
        .execute((work) => requeueUnstarted(work, server.context.workerId, isLost, maxTries));
    const tries: number[] = [];
    for (const isLost of [false, true, false, false, true, false]) {
      const [claimed] = await claim(1);
      if (claimed !== undefined) tries.push(triesOf(claimed));
      expect(await put(isLost)).toEqual([id]);
    }
    expect(tries).toEqual([1, 1, 2, 2, 2, 3]);
    expect((await claim(1)).map(triesOf)).toEqual([3]);
    expect(await put(true)).toEqual([]);
  });
});

describe("a run that is put back", () => {
  it("stays with the worker that has taken it again, however often that is said", async () => {
    const [person = ""] = await addPeople(1);
    await queue(person, 1);
    const { workerId } = server.context;
    const [first] = await claim(1);
    if (first === undefined) throw new Error("nothing was claimed");
    await requeueRun(queries(), first, workerId, "database_unavailable");
    const [second] = await claim(1);
    await requeueRun(queries(), first, workerId, "database_unavailable");
    await setPhase(queries(), first, workerId, "compiling");
    const row = await queries().selectFrom("runs").selectAll().where("id", "=", first.id).executeTakeFirstOrThrow();
    expect(row).toEqual(second);
    expect([row.status, row.attempt]).toEqual(["starting", 2]);
  });
});

describe("the log that a killed server has left", () => {
  it("is kept of a run whose end nobody has noticed yet, and is still its log when somebody does", async () => {
    using folder = createTemporaryDirectory();
    const { blobs, logger, workerId } = server.context;
    const [person = ""] = await addPeople(1);
    const [id = ""] = await queue(person, 1);
    await claim(1);
    await sql`UPDATE runs SET status = 'running', started_at = now() WHERE id = ${id}`.execute(queries());
    const line = { type: "log", seq: 1, time: Date.now(), stream: "stdout", text: "said before\n" } as const;
    writeFileSync(join(folder.path, `${id}.jsonl`), encodeRecord(line));
    await sealSpools(queries(), blobs, folder.path, logger);
    const log = async () => await (await server.fetch(`/api/v1/runs/${id}/log`)).text();
    expect(await log()).toBe("said before\n");
    const recovered = queries()
      .transaction()
      .execute((work) => recoverRuns(work, workerId));
    expect(await recovered).toEqual([id]);
    expect(await log()).toBe("said before\n");
  });
});

describe("the queue", () => {
  it("is not filled by runs whose time has not come, and holds so many of one person who has limits", async () => {
    const person = await createPerson(server);
    const me = (await (await server.fetch("/api/v1/users/me", { headers: person })).json()) as { id: string };
    const submit = (more: object = {}, headers = {}) =>
      server.send("POST", "/api/v1/runs", { language: "bash", code: "echo 1", ...more }, { ...person, ...headers });
    const kept = { "idempotency-key": "kept" };
    expect((await submit({}, kept)).status).toBe(202);
    await queue(me.id, 1999);
    await queries()
      .updateTable("runs")
      .set({ available_at: sql<Date>`now() + interval '1 year'` })
      .execute();
    expect(await countQueued(queries())).toBe(0);
    for (const startAt of [undefined, new Date(Date.now() + 60_000).toISOString()])
      expect(await (await submit({ startAt })).json()).toMatchObject({
        code: "queue_full",
        detail: expect.stringContaining("2000 of your runs"),
      });
    expect((await submit({}, kept)).status).toBe(202);
    const [other = ""] = await addPeople(1);
    await queue(other, 1);
    expect(ownersOf(await claim(5))).toEqual([other]);
  });

  it("gives nothing of somebody who is suspended, and loses it when that is done by an administrator", async () => {
    const [ann = "", bob = ""] = await addPeople(2);
    await queue(ann, 2);
    const [claimed] = await claim(1);
    expect((await server.send("POST", `/api/v1/users/${ann}/suspend`, { reason: "x" })).status).toBe(200);
    const rows = await queries().selectFrom("runs").select(["id", "status", "cancel_requested_at"]).where("owner_id", "=", ann).execute();
    expect(rows.map(({ status }) => status).toSorted()).toEqual(["cancelled", "starting"]);
    expect(rows.find(({ id }) => id === claimed?.id)?.cancel_requested_at).not.toBeNull();
    await queue(ann, 1);
    await queue(bob, 1);
    expect(ownersOf(await claim(5))).toEqual([bob]);
  });
});
