import { createPerson, execute, getRun, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ SYLA_WORKER_SLOTS: "4" });
});
afterAll(() => server[Symbol.asyncDispose]());

type Person = Awaited<ReturnType<typeof createPerson>>;
const slow = { language: "bash", code: "echo began; exec sleep 60" };
const quick = { language: "bash", code: "echo quick" };
const running = async (id: string) => await waitForRun(server, id, ({ stdout }) => stdout === "began\n");
const cancel = async (id: string) => await server.send("POST", `/api/v1/runs/${id}/cancel`);
const setting = async (runLimit: string | null) =>
  expect((await server.send("PATCH", "/api/v1/admin/settings", { values: { runLimit } })).status).toBe(200);

async function createTeam(person: Person): Promise<string> {
  const answer = await server.send("POST", "/api/v1/teams", { name: "Compilers" }, person);
  return ((await answer.json()) as { id: string }).id;
}

describe("what a team may have at once", () => {
  it("is set by administrators alone, and keeps a member's run waiting until there is room", async () => {
    const owner = await createPerson(server);
    const id = await createTeam(owner);
    await execute(server, quick, owner); // what they may do is remembered by now
    const refused = await server.send("PATCH", `/api/v1/teams/${id}`, { concurrentRuns: 5 }, owner);
    expect([refused.status, await refused.json()]).toMatchObject([403, { code: "forbidden" }]);
    for (const concurrentRuns of [-1, 1.5, "1"])
      expect((await server.send("PATCH", `/api/v1/teams/${id}`, { concurrentRuns })).status).toBe(400);
    const changed = await server.send("PATCH", `/api/v1/teams/${id}`, { concurrentRuns: 1 });
    expect(await changed.json()).toMatchObject({ concurrentRuns: 1 });
    const first = await submit(server, slow, owner);
    await running(first.id);
    const second = await submit(server, quick, owner);
    expect(second.status).toBe("queued");
    expect(await execute(server, quick)).toMatchObject({ status: "succeeded" }); // whoever is not in the team goes on
    expect((await getRun(server, second.id)).status).toBe("queued");
    await cancel(first.id);
    expect(await waitForRun(server, second.id)).toMatchObject({ status: "succeeded" });
    expect(await (await server.send("PATCH", `/api/v1/teams/${id}`, { concurrentRuns: null })).json()).toMatchObject({
      concurrentRuns: null,
    });
  });
});

describe("what the installation may have at once", () => {
  it("holds for administrators too, from one moment to the next", async () => {
    await setting("1");
    const first = await submit(server, slow);
    await running(first.id);
    const person = await createPerson(server);
    const waiting = [await submit(server, quick), await submit(server, quick, person)];
    for (const run of waiting) expect(run.status).toBe("queued");
    await setting(null);
    for (const { id } of waiting) expect(await waitForRun(server, id)).toMatchObject({ status: "succeeded" });
    await cancel(first.id);
    await waitForRun(server, first.id);
  });
});
