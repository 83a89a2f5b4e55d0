import { newId } from "@syla/server/platform/ids";
import type { Usage, UsageGroups } from "@syla/contracts/usage";
import { sql } from "kysely";
import { createPerson, execute, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

type Person = { readonly authorization: string };
const idOf = async (person: Person) => ((await (await server.fetch("/api/v1/users/me", { headers: person })).json()) as { id: string }).id;
const read = async (query: string, headers: Record<string, string> = {}) => {
  const answer = await server.fetch(`/api/v1/usage?${query}`, { headers });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Usage;
};
const today = () => new Date().toISOString().slice(0, 10);

describe("usage", () => {
  it("counts each run once, whatever becomes of it and on whichever way it came", async () => {
    const [limited, free] = [await createPerson(server), await createPerson(server, "admin")];
    for (const person of [limited, free]) {
      const waited = await execute(server, { language: "python", code: "sum(range(2_000_000))" }, person);
      await execute(server, { language: "bash", code: "exit 3" }, person);
      await execute(server, { language: "bash", code: "sleep 5", limits: { wallMs: 50 } }, person);
      const { id } = await submit(server, { language: "bash", code: "echo x > /output/x" }, person);
      await waitForRun(server, id);
      const cancelled = await submit(server, { language: "bash", code: "sleep 60" }, person);
      await server.send("POST", `/api/v1/runs/${cancelled.id}/cancel`, undefined, person);
      await waitForRun(server, cancelled.id);
      await expect.poll(async () => (await read("", person)).total.runs).toBe(5);
      const { total, days } = await read("", person);
      expect(days).toMatchObject([{ day: today(), runs: 5, executions: 5, failed: 2 }]);
      expect(total.cpuMs).toBeGreaterThanOrEqual(Math.floor(waited.usage?.cpuMs ?? 0));
      expect(total.storedBytes).toBeGreaterThan(2);
      expect(total.runMs).toBeGreaterThan(0);
    }
  });

  it("adds up over days, and over people for administrators", async () => {
    const [ann, bob] = [await createPerson(server), await createPerson(server)];
    const { queries } = server.context.database;
    for (const [person, day, runs] of [
      [ann, "2026-01-01", 4],
      [ann, "2026-01-03", 2],
      [bob, "2026-01-03", 1],
    ] as const)
      await queries
        .insertInto("usage_days")
        .values({ user_id: await idOf(person), day, runs, cpu_ms: runs * 1000 })
        .execute();
    const span = "from=2026-01-01&to=2026-01-03";
    expect(await read(span, ann)).toMatchObject({
      days: [
        { day: "2026-01-01", runs: 4 },
        { day: "2026-01-03", runs: 2 },
      ],
      total: { runs: 6 },
      people: [],
    });
    expect((await read("from=2026-01-02&to=2026-01-03", ann)).total.runs).toBe(2);
    const all = await read(`${span}&user=all`);
    expect(all).toMatchObject({ days: [{ runs: 4 }, { runs: 3 }], total: { runs: 7, cpuMs: 7000 } });
    expect(all.people).toMatchObject([
      { userId: await idOf(ann), cpuMs: 6000 },
      { userId: await idOf(bob), cpuMs: 1000 },
    ]);
    expect((await read(`${span}&user=${await idOf(bob)}`)).total.runs).toBe(1);
  });

  it("of others is for administrators", async () => {
    const [ann, bob] = [await createPerson(server), await createPerson(server)];
    const ask = async (query: string, person: Person) => (await server.fetch(`/api/v1/usage?${query}`, { headers: person })).status;
    expect(await ask(`user=${await idOf(ann)}`, ann)).toBe(200);
    expect(await ask(`user=${await idOf(ann)}`, bob)).toBe(403);
    expect(await ask("user=all", bob)).toBe(403);
    expect(await ask("", { authorization: "" })).toBe(401);
  });

  it.each(["from=2026-02-30", "from=yesterday", "from=2026-02-02&to=2026-02-01", "from=1900-01-01", `user=${"x".repeat(65)}`])(
    "refuses %s",
    async (query) => {
      expect((await server.fetch(`/api/v1/usage?${query}`)).status).toBe(400);
    },
  );
});

describe("what runs came to", () => {
  const groups = async (query: string, headers: Record<string, string> = {}) => {
    const answer = await server.fetch(`/api/v1/usage/groups?${query}`, { headers });
    expect(answer.status).toBe(200);
    return (await answer.json()) as UsageGroups;
  };

  it("is counted as they end, by outcome, also of those that never began, and stays when they are deleted", async () => {
    const person = await createPerson(server);
    const userId = await idOf(person);
    const ran = await execute(server, { language: "python", code: "sum(range(200_000))" }, person);
    const failed = await execute(server, { language: "bash", code: "exit 3" }, person);
    await execute(server, { language: "bash", code: "sleep 5", limits: { wallMs: 50 } }, person);
    const never = await submit(server, { language: "bash", code: "true", startAt: new Date(Date.now() + 3_600_000).toISOString() }, person);
    await server.send("POST", `/api/v1/runs/${never.id}/cancel`, undefined, person);
    await server.send("POST", "/api/v1/executions?wait=true", { language: "bash", code: "echo 1", cache: true }, person);
    // Answered from what is known: no run.
    await server.send("POST", "/api/v1/executions?wait=true", { language: "bash", code: "echo 1", cache: true }, person);
    const expected = {
      runs: 5,
      succeeded: 2,
      cancelled: 1,
      failures: { userCode: 1, limit: 1, infrastructure: 0, denied: 0 },
      calls: 0,
      cost: 0,
    };
    await expect.poll(async () => (await groups("", person)).total).toMatchObject(expected);
    const { total, groups: days } = await groups("by=day", person);
    expect(days).toMatchObject([{ key: today(), name: null, ...expected }]);
    expect(total.cpuMs).toBeGreaterThanOrEqual(Math.floor(ran.usage?.cpuMs ?? 0));
    expect(total.p95Ms).toBeGreaterThan(45);
    const deleted = await server.send("POST", "/api/v1/runs/bulk", { action: "delete", ids: [ran.id, failed.id] }, person);
    expect(deleted.status).toBe(200);
    const recounted = await server.send("POST", "/api/v1/usage/recount");
    expect(await recounted.json()).toEqual({ differing: 0 });
    expect((await groups("", person)).total).toEqual(total);
    const { queries } = server.context.database;
    await sql`update usage_counts set ended = ended + 1 where user_id = ${userId} and outcome = 'limit'`.execute(queries);
    expect(await (await server.send("POST", "/api/v1/usage/recount")).json()).toEqual({ differing: 1 });
    expect((await groups("", person)).total).toEqual(total);
    // Whatever ends meanwhile does not wait, and neither does counting for it.
    await sql`update usage_counts set cpu_ms = cpu_ms - 1 where user_id = ${userId} and outcome = 'limit'`.execute(queries);
    await queries.transaction().execute(async (work) => {
      await sql`update usage_counts set ended = ended where user_id = ${userId} and outcome = 'user_code'`.execute(work);
      expect(await (await server.send("POST", "/api/v1/usage/recount")).json()).toEqual({ differing: 1 });
    });
    expect((await groups("", person)).total).toEqual(total);
  });

  it("takes no duration from what never ran", async () => {
    const person = await createPerson(server);
    const { id } = await submit(
      server,
      { language: "bash", code: "true", startAt: new Date(Date.now() + 3_600_000).toISOString() },
      person,
    );
    await server.send("POST", `/api/v1/runs/${id}/cancel`, undefined, person);
    await expect.poll(async () => (await groups("", person)).total).toMatchObject({ runs: 1, cancelled: 1, p50Ms: null, p95Ms: null });
  });

  it("is told by day, person and program, with durations to within 5 %, and as CSV", async () => {
    const [ann, bob] = [await createPerson(server), await createPerson(server)];
    const { queries } = server.context.database;
    const durations = [1, 7, 30, 31, 400, 800, 1000, 5000, 20_000, 90_000];
    for (const [index, runMs] of durations.entries())
      await queries
        .insertInto("runs")
        .values({
          ...(await aRun()),
          id: newId("run"),
          owner_id: await idOf(index < 7 ? ann : bob),
          asset_id: index % 2 === 0 ? "prog_=gone" : null,
          status: index === 3 ? "failed" : "succeeded",
          error: index === 3 ? JSON.stringify({ class: "denied", code: "x" }) : null,
          result: JSON.stringify({ runMs, usage: { cpuMs: 10 } }),
          finished_at: new Date(index < 5 ? "2026-01-01T23:59:59.999Z" : "2026-01-02T00:00:00Z"),
        })
        .execute();
    await server.send("POST", "/api/v1/usage/recount");
    const span = "from=2026-01-01&to=2026-01-02";
    const all = await groups(`${span}&user=all&by=day`);
    expect(all.groups.map(({ key, runs, cpuMs }) => [key, runs, cpuMs])).toEqual([
      ["2026-01-01", 5, 50],
      ["2026-01-02", 5, 50],
    ]);
    expect(all.total).toMatchObject({ runs: 10, succeeded: 9, failures: { denied: 1 } });
    const isNear = (value: number | null, exact: number) => Math.abs((value ?? 0) / exact - 1) < 0.05;
    expect([isNear(all.total.p50Ms, 400), isNear(all.total.p95Ms, 90_000)]).toEqual([true, true]);
    const people = await groups(`${span}&user=all&by=user&limit=1`);
    expect(people).toMatchObject({ omitted: 1, groups: [{ key: await idOf(ann), name: await idOf(ann), runs: 7 }] });
    expect((await groups(`${span}&by=program`, bob)).groups.map(({ key, name, runs }) => [key, name, runs])).toEqual([
      ["", null, 2],
      ["prog_=gone", null, 1],
    ]);
    expect((await groups(`${span}&program=prog_%3Dgone`, bob)).total.runs).toBe(1);
    const csv = await server.fetch(`/api/v1/usage/export?${span}&by=program`, { headers: bob });
    expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    const lines = (await csv.text()).trim().split("\r\n");
    expect(lines.map((line) => line.split(",").slice(0, 5).join(","))).toEqual([
      "program,name,runs,succeeded,cancelled",
      ",,2,2,0",
      "prog_=gone,,1,1,0",
    ]);
  });

  it("goes along when runs are given away, and stays as nobody's when an account is deleted", async () => {
    const [ann, bob] = [await createPerson(server), await createPerson(server)];
    const [annId, bobId] = [await idOf(ann), await idOf(bob)];
    await execute(server, { language: "bash", code: "true" }, ann);
    await execute(server, { language: "bash", code: "true" }, bob);
    await expect.poll(async () => (await groups("", bob)).total.runs).toBe(1);
    await expect.poll(async () => (await groups("", ann)).total.runs).toBe(1);
    expect((await server.send("DELETE", `/api/v1/users/${annId}?transferTo=${bobId}`)).status).toBeLessThan(300);
    expect((await groups("", bob)).total.runs).toBe(2);
    const before = (await groups("user=all")).total.runs;
    expect((await server.send("DELETE", `/api/v1/users/${bobId}`)).status).toBeLessThan(300);
    expect((await groups(`user=${bobId}`)).total.runs).toBe(0);
    expect((await groups("user=all")).total.runs).toBe(before);
    expect(await (await server.send("POST", "/api/v1/usage/recount")).json()).toEqual({ differing: 0 });
  });

  it("of others is for administrators", async () => {
    const [ann, bob] = [await createPerson(server), await createPerson(server)];
    const ask = async (query: string) => (await server.fetch(`/api/v1/usage/groups?${query}`, { headers: bob })).status;
    expect(await ask(`user=${await idOf(bob)}`)).toBe(200);
    for (const query of [`user=${await idOf(ann)}`, "user=all", "team=team_none", "team=team_none&user=all"])
      expect(await ask(query)).toBe(403);
    for (const query of ["by=colour", "limit=0", "from=2026-02-02&to=2026-02-01", "program=%00"]) expect(await ask(query)).toBe(400);
    expect((await server.fetch("/api/v1/usage/export?user=all", { headers: bob })).status).toBe(403);
  });
});

/** A run as it might have been written. */
async function aRun() {
  const { queries } = server.context.database;
  const row = await queries.selectFrom("runs").selectAll().where("finished_at", "is not", null).limit(1).executeTakeFirstOrThrow();
  const { config, history: _history, ...rest } = row;
  return { ...rest, config: JSON.stringify(config), retry_of: null };
}
