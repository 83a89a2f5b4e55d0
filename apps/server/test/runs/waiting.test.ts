import { describeWait, type Queue, type RunWait, waitReasons } from "@syla/contracts/queue";
import type { RunInputDraft } from "@syla/contracts/runs";
import { newId } from "@syla/server/platform/ids";
import { createPerson, getRun, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRanking } from "../../src/runs/waiting/ranking.ts";
import { rankWaiting } from "../../src/runs/waiting/store.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ SYLA_WORKER_SLOTS: "4" });
});
afterAll(() => server[Symbol.asyncDispose]());

const sleeper: RunInputDraft = { language: "bash", code: "exec sleep 60", entrypoint: "sleeper.sh" };
const quick: RunInputDraft = { language: "bash", code: "true", entrypoint: "quick.sh" };

type Person = Readonly<Record<string, string>>;

const why = async (id: string, headers: Person = {}) =>
  (await (await server.fetch(`/api/v1/runs/${id}/queue`, { headers })).json()) as RunWait;
const queue = async () => (await (await server.fetch("/api/v1/queue")).json()) as Queue;

/** Resolves when the worker has heard that it takes nothing more. */
async function drain(): Promise<void> {
  await server.send("POST", `/api/v1/workers/${server.context.workerId}/drain`);
  const person = await createPerson(server);
  const reason = async () => {
    const { id } = await submit(server, quick, person);
    const told = await why(id, person);
    await end([id]);
    return told.reason;
  };
  await expect.poll(reason).toBe("no_worker");
}

async function start(count: number, person: Person): Promise<string[]> {
  const runs = [];
  for (let index = 0; index < count; index += 1) runs.push(await submit(server, sleeper, person));
  for (const { id } of runs) await waitForRun(server, id, ({ status }) => status === "running");
  return runs.map(({ id }) => id);
}

async function end(ids: readonly string[]): Promise<void> {
  for (const id of ids) await server.send("POST", `/api/v1/runs/${id}/cancel`);
  for (const id of ids) await waitForRun(server, id);
}

describe("why a run waits", () => {
  it("is its owner's limit, told with its figures and its place", async () => {
    const ann = await createPerson(server);
    const going = await start(3, ann);
    const [first, second] = [await submit(server, quick, ann), await submit(server, quick, ann)];
    expect(await why(first.id, ann)).toEqual({ reason: "person_limit", position: 1, until: null, limit: 3, live: 3 });
    expect(await why(second.id, ann)).toMatchObject({ reason: "person_limit", position: 2 });
    expect(await why(going[0] ?? "", ann)).toEqual({ reason: null, position: null, until: null, limit: null, live: null });
    const { waiting, claimed, items, claims } = await queue();
    expect([waiting, claimed]).toEqual([2, 3]);
    expect(items.map(({ runId }) => runId)).toEqual([first.id, second.id]);
    expect(claims).toMatchObject(
      going.map((runId) => ({ runId, status: "running", workerId: server.context.workerId, entrypoint: "sleeper.sh" })),
    );
    expect(Date.parse(claims[0]?.claimedAt ?? "")).toBeLessThanOrEqual(Date.now() + 1000);
    await end([...going, second.id, first.id]);
  });

  it("is that every slot is taken", async () => {
    const admin = await createPerson(server, "admin");
    const going = await start(4, admin);
    const waiting = await submit(server, quick, admin);
    expect(await why(waiting.id, admin)).toEqual({ reason: "no_capacity", position: 1, until: null, limit: 4, live: 4 });
    // Not the limit of somebody who has nothing going on, however many of theirs wait.
    const ann = await createPerson(server);
    const ids: string[] = [];
    for (let count = 0; count < 4; count += 1) ids.push((await submit(server, quick, ann)).id);
    expect(await why(ids[3] ?? "", ann)).toMatchObject({ reason: "no_capacity", limit: 4, live: 4 });
    // Nobody knows whether every slot is taken when one worker does not say how many it has.
    const { queries } = server.context.database;
    const silent = {
      id: newId("worker"),
      hostname: "silent",
      pid: 1,
      lease_until: new Date(Date.now() + 3_600_000),
      slots: null,
      version: null,
    };
    await queries.insertInto("workers").values(silent).execute();
    expect(await why(ids[0] ?? "", ann)).toMatchObject({ reason: "turn", limit: null });
    const last = await why(ids[3] ?? "", ann);
    expect(last).toMatchObject({ reason: "person_limit", limit: 3, live: 0 });
    expect(describeWait(last)).toBe("Its owner may have 3 runs at once, and others of theirs come first.");
    await queries.deleteFrom("workers").where("id", "=", silent.id).execute();
    await end([...ids, ...going, waiting.id]);
  });

  it("is read from the queue once for all who ask at the same time, and anew for a run that has come since", async () => {
    await drain();
    const ann = await createPerson(server);
    let reads = 0;
    const ranking = createRanking(server.context.database.queries, async (queries) => {
      reads += 1;
      return await rankWaiting(queries);
    });
    const [first, second] = [await submit(server, quick, ann), await submit(server, quick, ann)];
    const asked = [first, second, first, second, first].map(async ({ id }) => (await ranking.find(id))?.place);
    expect(await Promise.all(asked)).toEqual([1, 2, 1, 2, 1]);
    expect(reads).toBe(1);
    const third = await submit(server, quick, ann);
    expect((await ranking.find(third.id))?.place).toBe(3);
    expect(reads).toBe(2);
    await server.send("POST", `/api/v1/workers/${server.context.workerId}/resume`);
    for (const { id } of [first, second, third]) await waitForRun(server, id);
  });

  it("is that its time has not come, or that no worker takes runs", async () => {
    const ann = await createPerson(server);
    const startAt = new Date(Date.now() + 3_600_000).toISOString();
    const later = await submit(server, { ...quick, startAt }, ann);
    expect(await why(later.id, ann)).toEqual({ reason: "for_later", position: null, until: startAt, limit: null, live: null });
    expect(await queue()).toMatchObject({ waiting: 0, later: 1, items: [{ runId: later.id, reason: "for_later", position: null }] });
    await drain();
    const waiting = await submit(server, quick, ann);
    expect(await why(waiting.id, ann)).toMatchObject({ reason: "no_worker", position: 1 });
    await server.send("POST", `/api/v1/workers/${server.context.workerId}/resume`);
    await waitForRun(server, waiting.id);
    await end([later.id]);
  });

  it("is the limit of the installation, of a team, or of a key", async () => {
    const limit = async (runLimit: string | null) => await server.send("PATCH", "/api/v1/admin/settings", { values: { runLimit } });
    const ann = await createPerson(server);
    await limit("1");
    const [first = ""] = await start(1, ann);
    const held = await submit(server, quick, ann);
    expect(await why(held.id, ann)).toMatchObject({ reason: "installation_limit", limit: 1, live: 1 });
    await limit(null);
    await waitForRun(server, held.id);

    const { id: team } = (await (await server.send("POST", "/api/v1/teams", { name: "Compilers" }, ann)).json()) as { id: string };
    await server.send("PATCH", `/api/v1/teams/${team}`, { concurrentRuns: 1 });
    const ofTeam = await submit(server, quick, ann);
    expect(await why(ofTeam.id, ann)).toMatchObject({ reason: "team_limit", limit: 1, live: 1 });
    await end([ofTeam.id]);
    await server.send("PATCH", `/api/v1/teams/${team}`, { concurrentRuns: null });

    const made = await server.send("POST", "/api/v1/api-keys", { name: "limited" }, ann);
    const { id: keyId, key } = (await made.json()) as { id: string; key: string };
    await server.send("PATCH", `/api/v1/api-keys/${keyId}/quotas`, { concurrentRuns: 0 });
    const ofKey = await submit(server, quick, { authorization: `Bearer ${key}` });
    expect(await why(ofKey.id, ann)).toMatchObject({ reason: "key_limit", limit: 0, live: 0 });
    await end([first, ofKey.id]);
  });

  it("is in the order in which runs begin: whoever has fewest first", async () => {
    const [ann, ben] = [await createPerson(server), await createPerson(server)];
    await drain();
    const ids: string[] = [];
    for (const person of [ann, ann, ann, ben, ben]) ids.push((await submit(server, sleeper, person)).id);
    const [a1, a2, a3, b1, b2] = ids;
    expect((await queue()).items.map(({ runId }) => runId)).toEqual([a1, b1, a2, b2, a3]);
    await server.send("POST", `/api/v1/workers/${server.context.workerId}/resume`);
    for (const id of [a1, b1, a2, b2]) await waitForRun(server, id ?? "", ({ status }) => status === "running");
    expect((await getRun(server, a3 ?? "")).status).toBe("queued");
    await end(ids);
  });

  it("is nobody else's business, and said for every reason", async () => {
    const [ann, ben] = [await createPerson(server), await createPerson(server)];
    const { id } = await submit(server, { ...quick, startAt: new Date(Date.now() + 3_600_000).toISOString() }, ann);
    expect((await server.fetch(`/api/v1/runs/${id}/queue`, { headers: ben })).status).toBe(404);
    expect((await server.fetch("/api/v1/runs/run_none/queue", { headers: ann })).status).toBe(404);
    expect((await server.fetch("/api/v1/queue?limit=0")).status).toBe(400);
    const said = new Set([null, ...waitReasons].map((reason) => describeWait({ reason, limit: 3, live: 3 })));
    expect(said.size).toBe(waitReasons.length + 1);
    await end([id]);
  });
});
