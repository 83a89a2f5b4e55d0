import type { Requeued, RunSummary } from "@syla/contracts/runs";
import { createPerson, execute, getRun, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../src/platform/ids.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

type Person = { readonly authorization: string };
const queries = () => server.context.database.queries;
const list = async (query = "", person?: Person) =>
  (await (await server.fetch(`/api/v1/runs?deadLetters=true${query}`, person === undefined ? {} : { headers: person })).json()) as {
    items: RunSummary[];
  };
const idsOf = ({ items }: { items: readonly RunSummary[] }) => items.map(({ id }) => id);
const requeue = async (body: object, person?: Person) =>
  (await (await server.send("POST", "/api/v1/runs/requeue", body, person)).json()) as Requeued;

/** A run that succeeded before, as one that ended otherwise. */
async function addEnded(template: string, error: object | null): Promise<string> {
  const id = newId("run");
  await sql`INSERT INTO runs (id, kind, status, owner_id, language, entrypoint, config, request_hash, attempt, error, finished_at)
    SELECT ${id}, kind, 'failed', owner_id, language, entrypoint, config, request_hash, 3, ${JSON.stringify(error)}::jsonb, now()
    FROM runs WHERE id = ${template}`.execute(queries());
  return id;
}
const lost = { class: "infrastructure", code: "worker_lost", message: "", hint: "", location: null };
const noSandbox = { ...lost, code: "sandbox_failed" };
const own = { ...lost, class: "user_code", code: "nonzero_exit" };

async function addPerson(code: string): Promise<{ person: Person; template: string }> {
  const person = await createPerson(server);
  const { id } = await execute(server, { language: "bash", code }, person);
  await server.fetch(`/api/v1/runs/${id}`); // it is recorded by then
  return { person, template: id };
}

describe("runs that were given up", () => {
  it("are listed to their owner, and queued again one by one, once", async () => {
    const { person, template } = await addPerson("echo again");
    const first = await addEnded(template, lost);
    const second = await addEnded(template, noSandbox);
    const theirOwn = await addEnded(template, own);
    expect(idsOf(await list("", person)).toSorted()).toEqual([first, second].toSorted());
    const answers = await Promise.all(Array.from({ length: 4 }, () => requeue({ ids: [first, theirOwn, "run_none"] }, person)));
    const made = new Set(answers.flatMap(({ requeued }) => requeued.map(({ runId }) => runId)));
    expect(made.size).toBe(1);
    for (const { refused } of answers) {
      const codes = new Map(refused.map(({ id, code }) => [id, code]));
      expect([codes.get(theirOwn), codes.get("run_none")]).toEqual(["not_dead_letter", "not_dead_letter"]);
    }
    const [again = ""] = made;
    expect(await waitForRun(server, again)).toMatchObject({ status: "succeeded", stdout: "again\n", retryOf: first });
    expect(await getRun(server, first)).toMatchObject({ status: "failed", error: { code: "worker_lost" } });
    expect(idsOf(await list("", person))).toEqual([second]);
    expect((await server.fetch(`/api/v1/runs/${again}`, { method: "DELETE", headers: person })).status).toBe(204);
    expect(idsOf(await list("", person))).toEqual([second]);
  });

  it("are queued again by what they ended with", async () => {
    const { person, template } = await addPerson("echo filtered");
    const ids = await Promise.all([addEnded(template, lost), addEnded(template, lost), addEnded(template, noSandbox)]);
    const byCode = await requeue({ code: "worker_lost" }, person);
    expect(byCode.requeued.map(({ id }) => id).toSorted()).toEqual(ids.slice(0, 2).toSorted());
    expect(await requeue({ language: "python" }, person)).toEqual({ requeued: [], refused: [], more: false });
    expect(await requeue({ until: "2020-01-01T00:00:00Z" }, person)).toMatchObject({ requeued: [] });
    expect((await requeue({}, person)).requeued).toMatchObject([{ id: ids[2] }]);
    expect(await list("", person)).toMatchObject({ items: [] });
  });

  it("count as executions of whoever queues their own again", async () => {
    const { person, template } = await addPerson("echo counted");
    const { id } = (await (await server.fetch("/api/v1/users/me", { headers: person })).json()) as { id: string };
    for (let count = 0; count < 3; count += 1) await addEnded(template, lost);
    expect((await server.send("PATCH", `/api/v1/quotas/${id}`, { executionsPerMinute: 2 })).status).toBe(200);
    const answer = await requeue({}, person);
    expect(answer.requeued.length).toBeLessThanOrEqual(2);
    expect(answer.refused.at(-1)).toMatchObject({ code: "rate_limited" });
  });

  it("are everybody's for administrators, who queue them as their owners': within their quotas, or not at all", async () => {
    const { person, template } = await addPerson("echo theirs");
    const { template: otherTemplate, person: other } = await addPerson("echo suspended");
    const [id, hidden] = [await addEnded(template, lost), await addEnded(otherTemplate, lost)];
    expect(await requeue({ ids: [hidden] }, person)).toMatchObject({ requeued: [], refused: [{ code: "not_dead_letter" }] });
    expect((await server.fetch("/api/v1/runs?deadLetters=true&owner=all", { headers: person })).status).toBe(403);
    expect((await server.send("POST", "/api/v1/runs/requeue", { owner: "all" }, person)).status).toBe(403);
    expect(idsOf(await list("&owner=all"))).toEqual(expect.arrayContaining([id, hidden]));
    const me = (await (await server.fetch("/api/v1/users/me", { headers: other })).json()) as { id: string };
    await sql`UPDATE users SET status = 'suspended' WHERE id = ${me.id}`.execute(queries());
    const answer = await requeue({ ids: [id, hidden], owner: "all" });
    expect(answer).toMatchObject({ requeued: [{ id }], refused: [{ id: hidden, code: "account_suspended" }] });
    const { ownerId } = await getRun(server, template);
    expect(await waitForRun(server, answer.requeued[0]?.runId ?? "")).toMatchObject({ ownerId, stdout: "theirs\n" });
    expect(idsOf(await list("&owner=all"))).toContain(hidden);
  });
});
