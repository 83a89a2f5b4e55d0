import { setTimeout as sleep } from "node:timers/promises";
import { isFinal, Run, type RunInputDraft } from "@syla/contracts/runs";
import { SandboxError } from "@syla/sandbox/spec";
import { createPerson, execute, followRun, getRun, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Worker } from "../../src/runs/worker.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ SYLA_WORKER_SLOTS: "1", SYLA_QUEUE_LIMIT: "25" });
});
afterAll(() => server[Symbol.asyncDispose]());

const cancel = async (id: string) => await server.send("POST", `/api/v1/runs/${id}/cancel`);
const quick = (name: string): RunInputDraft => ({ code: "echo $0", entrypoint: `${name}.sh` });

/** Fills the one slot until it is let go. */
async function occupy(): Promise<{ id: string; release(): Promise<void> }> {
  const run = await submit(server, { language: "bash", code: "echo started; exec sleep 60" });
  await waitForRun(server, run.id, ({ stdout }) => stdout === "started\n");
  return {
    id: run.id,
    async release() {
      await cancel(run.id);
      await waitForRun(server, run.id);
    },
  };
}

describe("the queue", () => {
  it("takes the highest priority first, and the longest waiting among equals", async () => {
    const slot = await occupy();
    const order: [string, number][] = [
      ["low", 1],
      ["normal", 5],
      ["high", 9],
      ["normal-later", 5],
      ["high-later", 9],
    ];
    const runs: Run[] = [];
    for (const [name, priority] of order) runs.push(await submit(server, { ...quick(name), priority }));
    for (const run of runs) expect(run).toMatchObject({ status: "queued", limits: null, timings: { queueMs: null } });
    await slot.release();
    const ended = await Promise.all(runs.map((run) => waitForRun(server, run.id)));
    const byStart = ended.toSorted((a, b) => (a.startedAt ?? "").localeCompare(b.startedAt ?? ""));
    expect(byStart.map((run) => run.entrypoint)).toEqual(["high.sh", "high-later.sh", "normal.sh", "normal-later.sh", "low.sh"]);
    for (const run of ended) expect(run.timings.queueMs).toBeGreaterThan(0);
  });

  it("keeps a run until its time, and gives its place to nobody but those that may begin", async () => {
    const startAt = new Date(Date.now() + 1500).toISOString();
    const later = await submit(server, { ...quick("later"), priority: 9, startAt });
    expect(later).toMatchObject({ status: "queued", startAt });
    expect(await execute(server, quick("meanwhile"))).toMatchObject({ status: "succeeded", startAt: null });
    const ended = await waitForRun(server, later.id);
    expect(ended).toMatchObject({ status: "succeeded", startAt: null });
    expect(Date.parse(ended.startedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(startAt));
    const never = await submit(server, { ...quick("never"), startAt: new Date(Date.now() + 86_400_000).toISOString() });
    expect((await cancel(never.id)).status).toBe(202);
    expect(await getRun(server, never.id)).toMatchObject({ status: "cancelled", startedAt: null });
    for (const time of ["tomorrow", "2027-01-01", new Date(Date.now() + 400 * 86_400_000).toISOString()]) {
      const refused = await server.send("POST", "/api/v1/runs", { ...quick("refused"), startAt: time });
      expect([refused.status, await refused.json()]).toMatchObject([400, { fields: [{ path: expect.stringContaining("startAt") }] }]);
    }
  });

  it("lets followers and waiting clients of a queued run see it through", async () => {
    const slot = await occupy();
    const waiting = execute(server, quick("waited"));
    const run = await submit(server, quick("followed"));
    const following = Array.fromAsync(followRun(server, run.id));
    await sleep(50);
    await slot.release();
    const events = await following;
    expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.map((event) => (event.type === "status" ? event.status : event.type))).toEqual([
      "queued",
      "starting",
      "running",
      "log",
      "end",
    ]);
    expect(await waiting).toMatchObject({ status: "succeeded", stdout: "waited.sh\n" });
  });

  it("is full at its limit, and says when to try again", async () => {
    const slot = await occupy();
    const send = (index: number) => server.send("POST", "/api/v1/runs", quick(`n${index}`));
    const accepted: Response[] = [];
    const key = { "idempotency-key": "accepted" };
    const repeat = () => server.send("POST", "/api/v1/runs", quick("repeated"), key);
    accepted.push(await repeat());
    for (let index = 1; index < 25; index++) accepted.push(await send(index));
    expect(accepted.map((answer) => answer.status)).toEqual(Array(25).fill(202));
    for (const answer of await Promise.all(Array.from({ length: 20 }, (_, index) => send(index)))) {
      expect(answer.status).toBe(429);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(await answer.json()).toMatchObject({ code: "queue_full" });
    }
    expect((await repeat()).status).toBe(202); // what was accepted stays accepted
    await slot.release();
    for (const answer of accepted) {
      const { id } = Run.parse(await answer.json());
      expect(await waitForRun(server, id)).toMatchObject({ status: "succeeded" });
    }
    expect(await execute(server, quick("again"))).toMatchObject({ status: "succeeded" });
  });
});

describe("cancelling", () => {
  it("a queued run ends it at once, and it never runs", async () => {
    const slot = await occupy();
    const run = await submit(server, quick("never"));
    const following = Array.fromAsync(followRun(server, run.id));
    const response = await cancel(run.id);
    expect(response.status).toBe(202);
    expect(Run.parse(await response.json())).toMatchObject({ status: "cancelled", error: null, startedAt: null });
    const events = await following;
    expect(events.at(-1)).toMatchObject({ type: "end", run: { status: "cancelled" } });
    await slot.release();
    await sleep(50);
    expect(await getRun(server, run.id)).toMatchObject({ status: "cancelled", stdout: "", startedAt: null });
  });

  it("a running program lets it say good-bye", async () => {
    const code = "trap 'sleep 0.4; echo bye; exit 0' TERM\necho started\nwhile :; do sleep 0.02; done";
    const run = await submit(server, { language: "bash", code });
    await waitForRun(server, run.id, ({ stdout }) => stdout === "started\n");
    expect((await cancel(run.id)).status).toBe(202);
    expect((await cancel(run.id)).status).toBe(202); // twice does no harm
    expect(await waitForRun(server, run.id)).toMatchObject({ status: "cancelled", stdout: "started\nbye\n", error: null });
  });

  it("ends what ignores signals, waits for a person, is compiled, or waits for a sandbox, and leaves nothing", async () => {
    const stubborn = await submit(server, { language: "bash", code: "trap '' TERM\necho started\nwhile :; do sleep 0.02; done" });
    await waitForRun(server, stubborn.id, ({ stdout }) => stdout === "started\n");
    await cancel(stubborn.id);
    expect(await waitForRun(server, stubborn.id)).toMatchObject({ status: "cancelled", error: null });

    const asking = await submit(server, { language: "bash", code: "echo started; exec sleep 60" });
    await waitForRun(server, asking.id, ({ stdout }) => stdout === "started\n");
    await server.context.database.queries.updateTable("runs").set({ status: "waiting" }).where("id", "=", asking.id).execute();
    await cancel(asking.id);
    expect(await waitForRun(server, asking.id)).toMatchObject({ status: "cancelled", error: null });

    // A sandbox that takes for ever, for the program or for its compiler: it is taken for what it is when it comes at last.
    for (const [language, phase, code] of [
      ["bash", "running", "echo never"],
      ["c", "compiling", "int main(void) { return 0; }"],
    ] as const) {
      const { sandboxes } = server.context;
      const start = sandboxes.start.bind(sandboxes);
      const late = Promise.withResolvers<void>();
      const asked = Promise.withResolvers<void>();
      const began = vi.fn<() => void>();
      const stalled = vi.spyOn(sandboxes, "start").mockImplementation(async (tier, spec) => {
        asked.resolve();
        await late.promise;
        const begin = async () => {
          await spec.begin?.();
          began();
        };
        return await start(tier, spec.begin === undefined ? spec : { ...spec, begin });
      });
      try {
        const run = await submit(server, { language, code }, { "idempotency-key": `never ${language}` });
        await asked.promise;
        // The slot of the run before may have been free only when this one was in the queue; what else it waits for is noted beside.
        const now = await getRun(server, run.id);
        expect(now.status === "running" ? "running" : now.phase).toBeOneOf(["running", "waiting_for_sandbox", phase]);
        await cancel(run.id);
        expect(await waitForRun(server, run.id)).toMatchObject({ status: "cancelled", stdout: "", startedAt: null });
      } finally {
        late.resolve();
        stalled.mockRestore();
      }
      expect(await execute(server, quick("next"))).toMatchObject({ status: "succeeded" });
      expect(began).not.toHaveBeenCalled();
    }
  });

  it("a run that has ended is refused, and changes nothing", async () => {
    const run = await execute(server, quick("done"));
    const response = await cancel(run.id);
    expect([response.status, await response.json()]).toMatchObject([409, { code: "run_finished" }]);
    expect(await getRun(server, run.id)).toEqual(run);
  });

  it("at any moment of its life leaves a run that has ended, and the slot free", async () => {
    for (let delay = 0; delay < 12; delay++) {
      const run = await submit(server, { language: "bash", code: "exec sleep 60" });
      await sleep(delay * 3);
      expect((await cancel(run.id)).status).toBe(202);
      const ended = await waitForRun(server, run.id);
      expect(ended).toMatchObject({ status: "cancelled", error: null });
      expect(ended.finishedAt).not.toBeNull();
    }
    // The same for runs that are just being claimed from the queue.
    for (let delay = 0; delay < 12; delay++) {
      const slot = await occupy();
      const run = await submit(server, { language: "bash", code: "exec sleep 60" });
      await slot.release();
      await sleep(delay * 3);
      expect((await cancel(run.id)).status).toBe(202);
      expect(await waitForRun(server, run.id)).toMatchObject({ status: "cancelled" });
    }
    expect(await execute(server, quick("free"))).toMatchObject({ status: "succeeded" });
  });
});

describe("a worker that is drained", () => {
  const ask = async (verb: "drain" | "resume") => {
    expect((await server.send("POST", `/api/v1/workers/${server.context.workerId}/${verb}`)).status).toBe(200);
  };

  it("hands back what does not begin, which is none of its tries", async () => {
    const { sandboxes } = server.context;
    const start = sandboxes.start.bind(sandboxes);
    const judged = { ...quick("judged"), tests: { cases: [{ name: "a", expected: { stdout: "judged.sh\n" } }] } };
    for (const [input, often] of [
      [quick("back"), 3],
      [judged, 1],
    ] as const) {
      const late = Promise.withResolvers<void>();
      const stalled = vi.spyOn(sandboxes, "start").mockImplementation(async (tier, spec) => {
        await late.promise;
        return await start(tier, spec);
      });
      const run = await submit(server, input, { "idempotency-key": `back ${input.entrypoint}` });
      for (let times = 1; times <= often; times += 1) {
        await waitForRun(server, run.id, ({ status, attempt }) => status !== "queued" && attempt === times);
        await ask("drain");
        const back = await waitForRun(server, run.id, ({ status }) => status === "queued");
        expect(back).toMatchObject({ attempt: times + 1, startedAt: null });
        // A fourth attempt that fails is the first try.
        if (times === 3) stalled.mockRejectedValueOnce(new SandboxError("no_capacity", "none"));
        if (times === often) late.resolve();
        await ask("resume");
      }
      const attempts = often === 3 ? 5 : 2;
      expect(await waitForRun(server, run.id)).toMatchObject({ status: "succeeded", attempt: attempts });
      stalled.mockRestore();
      const { items } = (await (await server.fetch(`/api/v1/runs/${run.id}/transitions`)).json()) as { items: { cause: string }[] };
      expect(items.filter(({ cause }) => cause === "worker_drained")).toHaveLength(often);
      expect(items.filter(({ cause }) => cause === "no_capacity")).toHaveLength(attempts - often - 1);
    }
  });

  it("hands back what a claim brings that was on its way", async () => {
    const { queries } = server.context.database;
    const slot = await occupy();
    const run = await submit(server, quick("late"), await createPerson(server));
    const paused = vi.spyOn(Worker.prototype, "pause");
    const isClaiming = async () =>
      (
        await sql`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
          AND query LIKE '%claim_runs%'`.execute(queries)
      ).rows.length;
    await queries.transaction().execute(async (work) => {
      await sql`SELECT FROM users WHERE id = (SELECT owner_id FROM runs WHERE id = ${run.id}) FOR UPDATE`.execute(work);
      await slot.release();
      await expect.poll(isClaiming, { timeout: 20_000 }).toBe(1);
      await ask("drain");
      await expect.poll(() => paused.mock.calls.length, { timeout: 20_000 }).toBeGreaterThan(0);
    });
    const back = await waitForRun(server, run.id, ({ status, attempt }) => isFinal(status) || attempt > 1);
    expect(back).toMatchObject({ status: "queued", attempt: 2, startedAt: null });
    await ask("resume");
    expect(await waitForRun(server, run.id)).toMatchObject({ status: "succeeded", attempt: 2 });
    paused.mockRestore();
  });
});

describe("whoever waits for a run", () => {
  const wait = (id: string, seconds: number, init: RequestInit = {}) => server.fetch(`/api/v1/runs/${id}/wait?seconds=${seconds}`, init);

  it("has it when it ends, or as it is when the time is over, and may go away", async () => {
    const slot = await occupy();
    const run = await submit(server, quick("awaited"));
    expect(await (await wait(run.id, 0)).json()).toMatchObject({ id: run.id, status: "queued" });
    expect(await (await wait(run.id, 0.05)).json()).toMatchObject({ status: "queued" });
    const leaving = new AbortController();
    const left = wait(run.id, 300, { signal: leaving.signal });
    const ended = wait(run.id, 60);
    leaving.abort();
    await expect(left).rejects.toThrow(/abort/i);
    await slot.release();
    expect(await (await ended).json()).toMatchObject({ status: "succeeded", stdout: "awaited.sh\n" });
    for (const seconds of [-1, 301, "x"]) expect((await server.fetch(`/api/v1/runs/${run.id}/wait?seconds=${seconds}`)).status).toBe(400);
    expect((await server.fetch(`/api/v1/runs/${run.id}/wait`, { headers: await createPerson(server) })).status).toBe(404);
  });
});

describe("an idempotency key", () => {
  const keyed = (key: string, input: RunInputDraft, headers: Record<string, string> = {}) =>
    server.send("POST", "/api/v1/executions", input, { "idempotency-key": key, ...headers });

  it("makes one run of one request, however often and however fast it is sent", async () => {
    const input = { language: "python", code: "import uuid\nprint(uuid.uuid4())" };
    const answers = await Promise.all(Array.from({ length: 20 }, () => keyed("storm", input)));
    const runs = await Promise.all(answers.map(async (answer) => Run.parse(await answer.json())));
    expect(new Set(runs.map((run) => run.id)).size).toBe(1);
    const waited = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const answer = await server.send("POST", "/api/v1/executions?wait=true", input, { "idempotency-key": "storm" });
        expect(answer.status).toBe(200);
        return Run.parse(await answer.json());
      }),
    );
    expect(new Set(waited.map((run) => run.stdout)).size).toBe(1);
    expect(waited[0]).toMatchObject({ id: runs[0]?.id, status: "succeeded", idempotencyKey: "storm" });
    const { items } = (await (await server.fetch("/api/v1/runs?language=python")).json()) as { items: { id: string }[] };
    expect(items.filter((item) => item.id === runs[0]?.id)).toHaveLength(1);
  });

  it("also while the run has to queue", async () => {
    const slot = await occupy();
    const answers = await Promise.all(Array.from({ length: 8 }, () => keyed("queued", quick("once"))));
    const runs = await Promise.all(answers.map(async (answer) => Run.parse(await answer.json())));
    expect(new Set(runs.map((run) => run.id)).size).toBe(1);
    await slot.release();
    await waitForRun(server, runs[0]?.id ?? "");
  });

  it("is refused for another request, and is each person's own", async () => {
    const first = Run.parse(await (await keyed("mine", quick("a"))).json());
    const response = await keyed("mine", quick("b"));
    expect([response.status, await response.json()]).toMatchObject([409, { code: "idempotency_conflict" }]);
    expect((await keyed("mine", { ...quick("a"), args: ["x"] })).status).toBe(409);
    const other = Run.parse(await (await keyed("mine", quick("b"), await createPerson(server))).json());
    expect(other.id).not.toBe(first.id);
    await waitForRun(server, first.id);
  });

  it("works for reruns, and is refused when it is not a key", async () => {
    const first = await execute(server, quick("original"));
    const rerun = () => server.send("POST", `/api/v1/runs/${first.id}/rerun`, undefined, { "idempotency-key": "rerun" });
    const [one, two] = [Run.parse(await (await rerun()).json()), Run.parse(await (await rerun()).json())];
    expect(one.id).toBe(two.id);
    expect(one.id).not.toBe(first.id);
    await waitForRun(server, one.id);
    expect((await keyed("x".repeat(256), quick("a"))).status).toBe(400);
  });
});
