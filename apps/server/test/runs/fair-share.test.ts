import { createPerson, execute, getRun, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ SYLA_WORKER_SLOTS: "2", SYLA_JAIL_LIMIT: "2" });
});
afterAll(() => server[Symbol.asyncDispose]());

const sleeper = { language: "bash", code: "echo started; exec sleep 60" };
const cancel = async (id: string) => await server.send("POST", `/api/v1/runs/${id}/cancel`);

describe("one person who has every slot, and more in the queue", () => {
  it("does not keep the others out, however they come; and has all of them while nobody else does", async () => {
    const ids: string[] = [];
    for (let count = 0; count < 6; count += 1) ids.push((await submit(server, sleeper)).id);
    const [first = "", second = ""] = ids;
    for (const id of [first, second]) await waitForRun(server, id, ({ stdout }) => stdout === "started\n");
    const [ann, ben] = await Promise.all([createPerson(server), createPerson(server)]);
    // There is a slot for one of them at a time, and a jail.
    const runs = await Promise.all([
      execute(server, { language: "bash", code: "echo ann" }, ann),
      execute(server, { language: "bash", code: "echo ben" }, ben),
    ]);
    expect(runs.map(({ stdout }) => stdout)).toEqual(["ann\n", "ben\n"]);
    const states = await Promise.all(ids.map(async (id) => (await getRun(server, id)).status));
    expect(states).toEqual(["running", "running", "queued", "queued", "queued", "queued"]);
    await cancel(first);
    await waitForRun(server, ids[2] ?? "", ({ status }) => status === "running");
    await Promise.all(ids.map(cancel));
    await Promise.all(ids.map((id) => waitForRun(server, id)));
  });
});
