import { hash } from "node:crypto";
import type { NodeRun } from "@syla/contracts/node-runs";
import type { Run, RunEvent } from "@syla/contracts/runs";
import { readEvents } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { expireOldRuns } from "../../src/runs/controls/retention.ts";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccount, type Person } from "../access/people.ts";
import { errorOf } from "../catalog/programs.ts";
import { graph, node, shout } from "../compositions/graphs.ts";
import { compositionsOf, python, type Compositions } from "./setting.ts";

let server: TestServer;
let ann: Person;
let of: Compositions;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  ann = await createAccount(server);
  of = compositionsOf(server, ann);
});
afterAll(() => server[Symbol.asyncDispose]());

/** Nodes in a row, from an input `a` to an output `z`, each with what the one before gave as `v`. */
function row(...sources: readonly string[]) {
  const ids = sources.map((_, index) => `n${index}`);
  const ways = ids.map((id, index) => (index === 0 ? `in.value -> ${id}.v` : `n${index - 1}.result -> ${id}.v`));
  return graph(
    [
      node("in", "input", { name: "a", default: 1 }),
      ...ids.map((id, index) => node(id, "code", python(sources[index] ?? "", ["v"]))),
      node("out", "output", { name: "z" }),
    ],
    ...ways,
    `n${sources.length - 1}.result -> out.value`,
  );
}
const eventsOf = async (id: string) =>
  await Array.fromAsync(readEvents((await of.send("GET", `/runs/${id}/events`)).body as AsyncIterable<Uint8Array>));
const nodeEvents = (events: readonly RunEvent[]) => events.flatMap((event) => (event.type === "node" ? [event.node] : []));

describe("a run of a composition", () => {
  it("computes, and tells how each node stands", async () => {
    const id = await of.make(shout);
    const run = await of.run(id, { inputs: { text: "quiet" } });
    expect({ status: run.status, stderr: run.stderr }).toEqual({ status: "succeeded", stderr: "" });
    expect(run).toMatchObject({ kind: "composition", program: null, composition: { id, version: null, lineage: run.id, references: [] } });
    expect(JSON.parse(run.stdout)).toEqual({ loud: "QUIET" });
    const nodes = await of.nodes(run.id);
    expect(nodes.map(({ path, state }) => [path, state])).toEqual([
      ["in", "succeeded"],
      ["out", "succeeded"],
      ["up", "succeeded"],
    ]);
    expect(nodes[2]).toMatchObject({
      nodeId: "up",
      kind: "code",
      attempts: 1,
      inputs: { value: { text: "quiet" } },
      output: { value: { result: "QUIET" } },
      error: null,
      reusedFrom: null,
      pinned: false,
    });
    expect(nodes.every(({ startedAt, endedAt }) => startedAt !== null && endedAt !== null && startedAt <= endedAt)).toBe(true);
  });

  it("tells of its nodes live, and whose the lines of its log are", async () => {
    const id = await of.make(row("print('one'); return v + 1", "print('two'); return v * 10"));
    const run = await of.start(id);
    const events = await eventsOf(run.id);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)).toMatchObject({ type: "end", run: { status: "succeeded" } });
    const last = new Map(nodeEvents(events).map((each): [string, NodeRun] => [each.path, each]));
    expect([...last.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual(await of.nodes(run.id));
    expect(await eventsOf(run.id)).toEqual(events); // the same from the log that is kept
    const lines = (await (await of.send("GET", `/runs/${run.id}/log?format=lines`)).text()).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line) as { nodeId: string; text: string }).slice(0, 2)).toMatchObject([
      { nodeId: "n0", text: "one" },
      { nodeId: "n1", text: "two" },
    ]);
  });

  it("fails with the node that fails, and what is behind it is not run", async () => {
    const run = await of.run(await of.make(row("return v", "return v / 0", "return v")));
    expect(run).toMatchObject({ status: "failed", error: { class: "user_code", kind: "ZeroDivisionError", node: "n1" } });
    const nodes = await of.nodes(run.id);
    expect(nodes.find(({ path }) => path === "n1")).toMatchObject({
      state: "failed",
      error: { class: "user_code", message: "ZeroDivisionError: division by zero", failureOf: "node" },
    });
    expect(await of.states(run.id)).toEqual({ in: "succeeded", n0: "succeeded", n1: "failed", n2: "cancelled", out: "cancelled" });
  });

  it("is of the sandbox where that is lost, and not of the node", async () => {
    const run = await of.run(await of.make(row("import time\ntime.sleep(60)")), { limits: { wallMs: 3000 } });
    expect(run.status).toBe("timed_out");
    expect((await of.nodes(run.id)).find(({ path }) => path === "n0")).toMatchObject({
      state: "failed",
      error: { class: "limit", failureOf: "sandbox" },
    });
  });

  it("ends where it is cancelled, between nodes too", async () => {
    const run = await of.start(await of.make(row("return [v, 'until it is cancelled']", "import time\ntime.sleep(60)", "return v")));
    while ((await of.states(run.id))["n1"] !== "running") await new Promise((resolve) => setTimeout(resolve, 20));
    await of.send("POST", `/runs/${run.id}/cancel`);
    expect((await of.waitFor(run.id)).status).toBe("cancelled");
    expect(await of.states(run.id)).toEqual({ in: "succeeded", n0: "succeeded", n1: "cancelled", n2: "cancelled", out: "cancelled" });
  });

  it("tells of turns, and of branches that were not taken", async () => {
    const inner = graph(
      [
        node("item", "input", { name: "item", type: "int" }),
        node("odd", "code", python("return item % 2 == 1", ["item"], "bool")),
        node("if", "branch"),
        node("twice", "code", python("return item * 2", ["item"])),
        node("made", "output", { name: "doubled" }),
      ],
      "item.value -> odd.item",
      "item.value -> if.value",
      "odd.result -> if.condition",
      "if.then -> twice.item",
      "twice.result -> made.value",
    );
    const whole = graph(
      [
        node("in", "input", { name: "list", type: "list[int]" }),
        node("each", "map", { concurrency: 2 }, { body: { nodes: inner.nodes, edges: inner.edges } }),
        node("out", "output", { name: "all" }),
      ],
      "in.value -> each.items",
      "each.doubled -> out.value",
    );
    const run = await of.run(await of.make(whole), { inputs: { list: [1, 2, 3] } });
    expect([run.status, await of.outputs(run.id)]).toMatchObject(["succeeded", { out: [2, null, 6] }]);
    expect(await of.states(run.id)).toMatchObject({
      "each[0]/twice": "succeeded",
      "each[1]/twice": "skipped",
      "each[2]/twice": "succeeded",
      "each[1]/if": "succeeded",
    });
  });

  it("runs what does not wait for each other at the same time", async () => {
    const alone = (id: string) =>
      node(id, "code", {
        language: "javascript",
        source: "const t = Date.now(); while (Date.now() < t + 10) await new Promise((r) => setTimeout(r, 1500)); return v",
        inputs: [{ name: "v" }],
      });
    const whole = graph(
      [
        node("in", "input", { name: "a", default: 1 }),
        alone("left"),
        alone("right"),
        node("join", "merge", { mode: "list", inputs: ["x", "y"] }),
        node("out", "output", { name: "z" }),
      ],
      "in.value -> left.v",
      "in.value -> right.v",
      "left.result -> join.x",
      "right.result -> join.y",
      "join.value -> out.value",
    );
    const run = await of.run(await of.make(whole), { profile: "medium" });
    expect({ status: run.status, stderr: run.stderr }).toEqual({ status: "succeeded", stderr: "" });
    const [left, right] = ["left", "right"].map((path) => path);
    const nodes = new Map((await of.nodes(run.id)).map((each) => [each.path, each]));
    const [a, b] = [nodes.get(left ?? ""), nodes.get(right ?? "")];
    // Each began before the other had ended.
    expect(String(a?.startedAt) < String(b?.endedAt) && String(b?.startedAt) < String(a?.endedAt)).toBe(true);
  });

  it("has results of 100 MB, of which what is shown is the beginning", { timeout: 300_000 }, async () => {
    const id = await of.make(row("return 'x' * (100 * 1024 * 1024)", "return len(v)"));
    const run = await of.run(id, { profile: "medium", limits: { memoryBytes: 4 * 1024 ** 3, wallMs: 240_000 } });
    expect({ status: run.status, error: run.error }).toEqual({ status: "succeeded", error: null });
    const large = (await of.nodes(run.id)).find(({ path }) => path === "n0");
    expect(large?.output).toEqual({
      blob: expect.stringMatching(/^[0-9a-f]{64}$/),
      bytes: 104_857_600 + '{"result": ""}'.length,
      preview: expect.stringMatching(/^\{"result": "x{400,}/),
    });
    const answer = await of.send("GET", `/runs/${run.id}/node-value?path=n0`);
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect([bytes.length, hash("sha256", bytes)]).toEqual([104_857_614, (large?.output as { blob: string } | undefined)?.blob]);
    const part = await of.send("GET", `/runs/${run.id}/node-value?path=n0`, undefined, { range: "bytes=0-11" });
    expect([part.status, await part.text()]).toEqual([206, '{"result": "']);
    const again = await of.run(id, { from: "n1", profile: "medium", limits: { memoryBytes: 4 * 1024 ** 3, wallMs: 240_000 } });
    expect([again.status, await of.outputs(again.id), (await of.states(again.id))["n0"]]).toEqual([
      "succeeded",
      { out: 104_857_600 },
      "reused",
    ]);
  });

  it("is run again as it was", async () => {
    const first = await of.run(await of.make(row("import uuid\nreturn str(uuid.uuid4())")));
    const answer = await of.send("POST", `/runs/${first.id}/rerun`, {});
    expect([answer.status, answer.status === 202 ? "" : await answer.clone().text()]).toEqual([202, ""]);
    const again = await of.json<Run>(answer);
    const done = await of.waitFor(again.id);
    expect([done.status, done.kind, done.retryOf, done.composition?.lineage]).toEqual(["succeeded", "composition", first.id, again.id]);
    expect(await of.states(again.id)).toEqual({ in: "succeeded", n0: "reused", out: "succeeded" });
    expect(await of.outputs(again.id)).toEqual(await of.outputs(first.id));
  });

  it("keeps its values as long as its log, and its nodes as long as itself", async () => {
    const id = await of.make(row("import uuid\nreturn 'kept ' + str(uuid.uuid4()) * 1000"));
    const first = await of.run(id);
    const { database, cache } = server.context;
    // As if it had run two days ago: its id says when it was made.
    await expireOldRuns({ database, cache }, 1, AbortSignal.timeout(60_000), Date.now() + 2 * 86_400_000);
    expect((await of.nodes(first.id)).map(({ path, state, inputs, output }) => [path, state, inputs, output])).toEqual([
      ["in", "succeeded", null, null],
      ["n0", "succeeded", null, null],
      ["out", "succeeded", null, null],
    ]);
    const second = await of.run(id);
    expect((await of.states(second.id))["n0"]).toBe("succeeded"); // made again
    expect((await of.send("DELETE", `/runs/${second.id}`)).status).toBeLessThan(300);
    const { rows } = await database.queries.executeQuery<{ count: number }>(
      sql<{ count: number }>`select count(*)::int as count from node_runs where run_id = ${second.id}`.compile(database.queries),
    );
    expect(rows).toEqual([{ count: 0 }]);
  });

  it("is one of two at the same time, and neither has the other's nodes", async () => {
    const id = await of.make(row("import time\ntime.sleep(1)\nreturn v + 1"));
    const runs = await Promise.all([1, 2].map(async (a) => await of.run(id, { inputs: { a } })));
    expect(await Promise.all(runs.map(async (run) => await of.outputs(run.id)))).toEqual([{ out: 2 }, { out: 3 }]);
  });
});

describe("a run is refused", () => {
  it.each([
    ["with inputs that it does not have", { inputs: { text: "a", more: 1 } }, "input_invalid", ["inputs.more"]],
    ["without those that it needs", {}, "input_invalid", ["inputs.text"]],
    ["with inputs of another type", { inputs: { text: 5 } }, "input_invalid", ["inputs.text"]],
    ["until a node that is not there", { inputs: { text: "a" }, until: "nothing" }, "node_unknown", ["until"]],
    ["with a pin of no node", { inputs: { text: "a" }, pins: { nothing: {} } }, "node_unknown", ["pins.nothing"]],
    ["with a pin that is not whole", { inputs: { text: "a" }, pins: { up: { other: 1 } } }, "input_invalid", ["pins.up"]],
    ["with a pin of an output", { inputs: { text: "a" }, pins: { out: {} } }, "input_invalid", ["pins.out"]],
  ])("%s", async (_, input, code, paths) => {
    const id = await of.make(shout);
    const error = await errorOf(of.send("POST", `/compositions/${id}/runs`, input));
    expect(error).toMatchObject({ code, fields: paths.map((path) => ({ path })) });
  });

  it("of a draft with errors, and of what somebody may not run", async () => {
    const bad = await of.make(graph([node("out", "output", { name: "z" })]));
    expect(await errorOf(of.send("POST", `/compositions/${bad}/runs`, {}))).toMatchObject({ code: "composition_invalid" });
    const bob = compositionsOf(server, await createAccount(server));
    const id = await of.make(shout);
    expect(await errorOf(bob.send("POST", `/compositions/${id}/runs`, { inputs: { text: "a" } }))).toMatchObject({ code: "not_found" });
    const run = await of.run(id, { inputs: { text: "a" } });
    for (const path of [`/runs/${run.id}/nodes`, `/runs/${run.id}/node-value?path=up`])
      expect(await errorOf(bob.send("GET", path))).toMatchObject({ code: "not_found" });
    expect(await errorOf(bob.send("POST", `/compositions/${id}/runs`, { restartOf: run.id }))).toMatchObject({ code: "not_found" });
  });

  it("twice for one key with other inputs, and is one run with the same", async () => {
    const id = await of.make(shout);
    const key = { "idempotency-key": "once" };
    const ask = (text: string) => of.send("POST", `/compositions/${id}/runs`, { inputs: { text } }, key);
    const [first, second] = await Promise.all([ask("a"), ask("a")].map(async (answer) => await of.json<Run>(answer)));
    expect(second?.id).toBe(first?.id);
    expect(await errorOf(ask("b"))).toMatchObject({ code: "idempotency_conflict" });
  });
});

describe("somebody who has to decide", () => {
  let count = 0;
  /** Each computes something else: what another has kept is of no use to it. */
  const withApproval = () =>
    graph(
      [
        node("in", "input", { name: "a", default: 1 }),
        node("before", "code", python(`import uuid\nreturn "${(count += 1)} " + str(uuid.uuid4())`, ["v"])),
        node("ask", "approval", { message: "Good enough?" }),
        node("yes", "code", python("return 'yes ' + v", ["v"])),
        node("no", "code", python("return 'no ' + v", ["v"])),
        node("said", "merge", { mode: "first", inputs: ["x", "y"] }),
        node("out", "output", { name: "z" }),
      ],
      "in.value -> before.v",
      "before.result -> ask.value",
      "ask.approved -> yes.v",
      "ask.rejected -> no.v",
      "yes.result -> said.x",
      "no.result -> said.y",
      "said.value -> out.value",
    );
  const isWaiting = ({ status }: Run) => status === "waiting" || status === "failed";
  const decide = (runId: string, body: object, who = of) => who.send("POST", `/runs/${runId}/decisions`, { path: "ask", ...body });

  it.each([
    [true, "yes"],
    [false, "no"],
  ])("makes it go on when they do: %s", async (approved, word) => {
    const run = await of.waitFor((await of.start(await of.make(withApproval()))).id, isWaiting);
    expect(run).toMatchObject({ status: "waiting", phase: "approval", finishedAt: null });
    expect(await of.states(run.id)).toMatchObject({ before: "succeeded", ask: "waiting", yes: "pending" });
    const before = (await of.nodes(run.id)).find(({ path }) => path === "before");
    const value = (before?.output as { value: { result: string } } | undefined)?.value.result;
    const decided = await decide(run.id, { approved, comment: "  because " });
    expect([decided.status, await of.json<NodeRun>(decided)]).toMatchObject([
      200,
      { state: "succeeded", approval: { message: "Good enough?", approved, comment: "because", by: { id: ann.id } } },
    ]);
    expect(await errorOf(decide(run.id, { approved }))).toMatchObject({ code: "node_not_waiting" });
    const done = await of.waitFor(run.id);
    expect({ status: done.status, stderr: done.stderr, attempt: done.attempt }).toEqual({ status: "succeeded", stderr: "", attempt: 2 });
    expect(await of.outputs(run.id)).toEqual({ out: `${word} ${value ?? ""}` });
    // What is before it was run once.
    expect((await of.nodes(run.id)).find(({ path }) => path === "before")).toEqual(before);
    expect(await of.states(run.id)).toMatchObject({ [word === "yes" ? "no" : "yes"]: "skipped" });
    const transitions = await of.json<{ items: { status: string }[] }>(of.send("GET", `/runs/${run.id}/transitions`));
    expect(transitions.items.map(({ status }) => status)).toEqual([
      "queued",
      "starting",
      "running",
      "waiting",
      "queued",
      "starting",
      "running",
      "succeeded",
    ]);
    const log = await (await of.send("GET", `/runs/${run.id}/log?format=lines`)).text();
    expect(log).not.toContain("was lost");
  });

  it("is waited for by whoever follows: one row of events, before and after", async () => {
    const run = await of.start(await of.make(withApproval()));
    const following = eventsOf(run.id);
    await of.waitFor(run.id, isWaiting);
    await decide(run.id, { approved: true });
    const events = await following;
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    const statuses = events.flatMap((event) => (event.type === "status" ? [`${event.attempt} ${event.status}`] : []));
    expect(statuses).toEqual(["1 queued", "1 starting", "1 running", "1 waiting", "2 queued", "2 starting", "2 running"]);
    const asked = nodeEvents(events).filter(({ path }) => path === "ask");
    expect(asked.map(({ state }) => state)).toEqual(["waiting"]);
    expect(events.at(-1)).toMatchObject({ type: "end", run: { status: "succeeded" } });
    expect(await eventsOf(run.id)).toEqual(events);
  });

  it("keeps nothing else waiting: a run that waits is none of those that somebody may have at once", async () => {
    const eve = await createAccount(server);
    const hers = compositionsOf(server, eve);
    expect((await server.send("PATCH", `/api/v1/quotas/${eve.id}`, { concurrentRuns: 1 })).status).toBe(200);
    const first = await hers.waitFor((await hers.start(await hers.make(withApproval()))).id, isWaiting);
    const second = await hers.waitFor((await hers.start(await hers.make(withApproval()))).id, isWaiting);
    expect([first.status, second.status]).toEqual(["waiting", "waiting"]);
    for (const { id } of [first, second]) expect((await decide(id, { approved: true }, hers)).status).toBe(200);
    expect([(await hers.waitFor(first.id)).status, (await hers.waitFor(second.id)).status]).toEqual(["succeeded", "succeeded"]);
  });

  it("may end it in place of that", async () => {
    const run = await of.waitFor((await of.start(await of.make(withApproval()))).id, isWaiting);
    await of.send("POST", `/runs/${run.id}/cancel`);
    expect((await of.waitFor(run.id)).status).toBe("cancelled");
    expect(await of.states(run.id)).toMatchObject({ before: "succeeded", ask: "cancelled" });
    expect(await errorOf(decide(run.id, { approved: true }))).toMatchObject({ code: "node_not_waiting" });
  });

  it("is one of two at once, and no stranger", async () => {
    const run = await of.waitFor((await of.start(await of.make(withApproval()))).id, isWaiting);
    const bob = compositionsOf(server, await createAccount(server));
    expect(await errorOf(decide(run.id, { approved: true }, bob))).toMatchObject({ code: "not_found" });
    const answers = await Promise.all([decide(run.id, { approved: true }), decide(run.id, { approved: false })]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect((await of.waitFor(run.id)).status).toBe("succeeded");
  });
});
