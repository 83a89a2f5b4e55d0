import type { Usage } from "@syla/contracts/usage";
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
