import type { RunTotals } from "@syla/contracts/run-totals";
import type { RunSummary } from "@syla/contracts/runs";
import { newId } from "@syla/server/platform/ids";
import { createPerson, execute, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

type Person = Readonly<Record<string, string>>;

async function totals(query: string, headers: Person): Promise<RunTotals> {
  const answer = await server.fetch(`/api/v1/runs/summary?${query}`, { headers });
  expect(answer.status).toBe(200);
  return (await answer.json()) as RunTotals;
}

async function refusal(query: string, headers: Person): Promise<readonly [number, string]> {
  const answer = await server.fetch(`/api/v1/runs/summary?${query}`, { headers });
  return [answer.status, ((await answer.json()) as { code: string }).code];
}

/** Two that succeeded, one that failed, one that ran too long, one that was cancelled. */
async function makeRuns(person: Person): Promise<string[]> {
  const ids: string[] = [];
  for (const [entrypoint, code] of [
    ["good.sh", "true"],
    ["good.py", "print(1)"],
    ["bad.sh", "exit 3"],
    ["slow.sh", "sleep 9"],
  ] as const)
    ids.push((await execute(server, { code, entrypoint, ...(entrypoint === "slow.sh" ? { limits: { wallMs: 50 } } : {}) }, person)).id);
  const { id } = await submit(server, { language: "bash", code: "sleep 60", entrypoint: "gone.sh" }, person);
  await server.send("POST", `/api/v1/runs/${id}/cancel`, undefined, person);
  await waitForRun(server, id);
  return [...ids, id];
}

async function addCall(
  runId: string,
  model: string,
  call: { cost: number | null; status?: string; input?: number; output?: number },
): Promise<void> {
  const { queries } = server.context.database;
  const { cost, status = "succeeded", input = 100, output = 20 } = call;
  await sql`insert into llm_calls (id, run_id, user_id, model_id, model_name, model_owner_id, provider, upstream_model, protocol, operation, streamed,
      status, input_tokens, output_tokens, cached_tokens, cost)
    select ${newId("llm")}, id, owner_id, ${model}, ${`Name of ${model}`}, owner_id, 'openai-compatible', 'm', 'openai', 'chat', false,
      ${status}, ${input}, ${output}, 0, ${cost} from runs where id = ${runId}`.execute(queries);
}

describe("what runs come to", () => {
  it("is counted by state, with success and durations, and by day, program and person", async () => {
    const ann = await createPerson(server);
    await makeRuns(ann);
    const { statuses, total, successRate, days, programs, models, people } = await totals("", ann);
    expect(statuses).toEqual({ queued: 0, starting: 0, running: 0, waiting: 0, succeeded: 2, failed: 1, cancelled: 1, timed_out: 1 });
    expect(total).toMatchObject({ runs: 5, succeeded: 2, failed: 2, cancelled: 1, calls: 0, cost: 0 });
    expect(successRate).toBe(0.5);
    expect(total.p50Ms ?? 0).toBeGreaterThan(0);
    expect(total.p95Ms ?? 0).toBeGreaterThanOrEqual(total.p50Ms ?? Infinity);
    expect(days).toMatchObject([{ day: new Date().toISOString().slice(0, 10), runs: 5, succeeded: 2 }]);
    expect(programs).toMatchObject([{ id: "", name: null, runs: 5 }]);
    expect(people).toMatchObject([{ runs: 5, failed: 2 }]);
    expect(models).toEqual([]);
  });

  it("is nothing, and not zero of something, for who has run nothing", async () => {
    const answer = await totals("", await createPerson(server));
    expect(answer).toMatchObject({ successRate: null, days: [], programs: [], people: [], total: { runs: 0, p50Ms: null, cost: 0 } });
    expect(Object.values(answer.statuses).every((count) => count === 0)).toBe(true);
  });

  it("has the same runs as the list under the same filters; states are counted whatever state is chosen", async () => {
    const ann = await createPerson(server);
    await makeRuns(ann);
    for (const filter of [
      "",
      "status=failed",
      "status=failed,timed_out",
      "language=python",
      "q=good",
      "q=good&status=failed",
      "kind=execution",
    ]) {
      const { items } = (await (await server.fetch(`/api/v1/runs?limit=200&${filter}`, { headers: ann })).json()) as {
        items: RunSummary[];
      };
      const { total, days } = await totals(filter, ann);
      expect([filter, total.runs, days.reduce((sum, day) => sum + day.runs, 0)]).toEqual([filter, items.length, items.length]);
    }
    expect((await totals("status=failed", ann)).statuses).toMatchObject({ succeeded: 2, failed: 1, timed_out: 1, cancelled: 1 });
    expect((await totals("q=good&status=failed", ann)).statuses).toMatchObject({ succeeded: 2, failed: 0 });
  });

  it("adds up tokens and cost of the calls of these runs, by model too, and tells what is unknown", async () => {
    const ann = await createPerson(server);
    const [first = "", second = ""] = await makeRuns(ann);
    await addCall(first, "model_a", { cost: 2_000_000_000 });
    await addCall(first, "model_a", { cost: null });
    await addCall(second, "model_a", { cost: 500_000_000 });
    await addCall(second, "model_b", { cost: 5_000_000_000, input: 7 });
    await addCall(second, "model_b", { cost: null, status: "running", input: 1000 });
    const { total, models } = await totals("", ann);
    expect(total).toMatchObject({ runs: 5, calls: 4, inputTokens: 307, outputTokens: 80, cost: 7.5, unknownCosts: 1 });
    expect(models).toMatchObject([
      { id: "model_b", name: "Name of model_b", runs: 1, calls: 1, cost: 5 },
      { id: "model_a", name: "Name of model_a", runs: 2, calls: 3, cost: 2.5, unknownCosts: 1 },
    ]);
    expect((await totals("q=good.sh", ann)).total).toMatchObject({ runs: 1, calls: 2, cost: 2, unknownCosts: 1 });
    expect((await totals("status=failed", ann)).total).toMatchObject({ runs: 1, calls: 0, cost: 0 });
  });

  it("is of what the list would show: nobody's secrets, everybody's for administrators only", async () => {
    const [ann, bob] = [await createPerson(server), await createPerson(server)];
    const [id = ""] = await makeRuns(ann);
    expect((await totals("", bob)).total.runs).toBe(0);
    expect((await totals("owner=shared", bob)).total.runs).toBe(0);
    await server.send("PATCH", `/api/v1/runs/${id}`, { visibility: "public" }, ann);
    expect((await totals("owner=visible", bob)).total.runs).toBe(1);
    expect(await refusal("owner=all", bob)).toEqual([403, "forbidden"]);
    const all = await totals("owner=all", {});
    expect(all.total.runs).toBeGreaterThanOrEqual(5);
    expect(all.people.length).toBeGreaterThan(1);
  });

  it("refuses what cannot be meant", async () => {
    const ann = await createPerson(server);
    const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
    for (const query of [
      "status=lost",
      "since=yesterday",
      `since=${ago(401)}`,
      `since=${ago(1)}&until=${ago(2)}`,
      "owner=nobody",
      "program=%00",
    ])
      expect([query, ...(await refusal(query, ann))]).toEqual([query, 400, "invalid_request"]);
    expect((await totals("q=%00", ann)).total.runs).toBe(0);
    expect(await refusal("", { authorization: "" })).toEqual([401, "unauthenticated"]);
  });
});
