import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccount } from "../access/people.ts";
import { graph, node } from "../compositions/graphs.ts";
import { compositionsOf, python, type Compositions } from "./setting.ts";

let server: TestServer;
let of: Compositions;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  of = compositionsOf(server, await createAccount(server));
});
afterAll(() => server[Symbol.asyncDispose]());

let count = 0;
/** Fails as often as it is told, in one run; a file says how often it has. */
const flaky = (failures: number) => `# ${(count += 1)}
import pathlib
tries = pathlib.Path("tries.txt")
number = len(tries.read_text()) if tries.exists() else 0
tries.write_text("x" * (number + 1))
if number < ${failures}:
    raise ValueError(f"time {number + 1}")
return v`;
/** One node that fails as its source says, one behind it. */
const failing = (source: string, onError: object, more: ReturnType<typeof node>[] = [], ...ways: string[]) =>
  graph(
    [
      node("in", "input", { name: "a", default: 1 }),
      { ...node("bad", "code", python(source, ["v"])), onError: { waitSeconds: 0, ...onError } },
      node("next", "code", python("return [v]", ["v"])),
      node("out", "output", { name: "z" }),
      ...more,
    ],
    "in.value -> bad.v",
    "bad.result -> next.v",
    "next.result -> out.value",
    ...ways,
  );
const bad = async (runId: string) => (await of.nodes(runId)).find(({ path }) => path === "bad");

describe("a node that fails", () => {
  it("is tried again, and says how often", async () => {
    const run = await of.run(await of.make(failing(flaky(2), { retries: 2 })));
    expect([run.status, await of.outputs(run.id)]).toEqual(["succeeded", { out: [1] }]);
    expect(await bad(run.id)).toMatchObject({ state: "succeeded", attempts: 3, error: null, usedFallback: false });
    const log = await (await of.send("GET", `/runs/${run.id}/log?format=lines`)).text();
    const lines = log
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { nodeId: string; text: string });
    expect(lines.filter(({ nodeId }) => nodeId === "bad").map(({ text }) => text)).toEqual([
      "Attempt 1 of 3 failed: ValueError('time 1')",
      "Attempt 2 of 3 failed: ValueError('time 2')",
    ]);
  });

  it("ends the run when it was tried often enough", async () => {
    const run = await of.run(await of.make(failing(flaky(5), { retries: 1 })));
    expect(run).toMatchObject({ status: "failed", error: { class: "user_code", kind: "ValueError", node: "bad" } });
    expect(await bad(run.id)).toMatchObject({ state: "failed", attempts: 2, error: { message: "ValueError: time 2" } });
  });

  it("goes on with its fallback, which says why, and is made again the next time", async () => {
    const id = await of.make(failing("raise ValueError('no')", { fallback: { result: { a: 2.5 } } }));
    const run = await of.run(id);
    expect([run.status, run.error, await of.outputs(run.id)]).toEqual(["succeeded", null, { out: [{ a: 2.5 }] }]);
    const fell = {
      state: "succeeded",
      usedFallback: true,
      output: { value: { result: { a: 2.5 } } },
      error: { message: "ValueError: no", failureOf: "node" },
    };
    expect(await bad(run.id)).toMatchObject(fell);
    const again = await of.run(id, { restartOf: run.id });
    expect([await bad(again.id), (await of.states(again.id))["next"]]).toMatchObject([{ ...fell, reusedFrom: null }, "reused"]);
  });

  it("is not told for the node that ends the run where something stood for it", async () => {
    const inner = graph(
      [
        node("i", "input", { name: "a" }),
        node("deep", "code", python("raise KeyError('deep')", ["v"])),
        node("o", "output", { name: "b" }),
      ],
      "i.value -> deep.v",
      "deep.result -> o.value",
    );
    const module = { ...node("m", "module", {}), body: { nodes: inner.nodes, edges: inner.edges }, onError: { fallback: { b: 1 } } };
    const last = node("last", "code", python("raise IndexError('last')", ["v"]));
    const drawn = graph(
      [node("in", "input", { name: "a", default: 1 }), module, last, node("out", "output", { name: "z" })],
      "in.value -> m.a",
      "m.b -> last.v",
      "last.result -> out.value",
    );
    const run = await of.run(await of.make(drawn));
    expect(run).toMatchObject({ status: "failed", error: { kind: "IndexError", node: "last" } });
    expect(await of.states(run.id)).toMatchObject({ m: "succeeded", "m/deep": "failed", last: "failed" });
  });

  it("has a fallback that fits its outputs, else nothing is published or run", async () => {
    const id = await of.make(failing("return v", { fallback: { other: 1 } }));
    const refused = await of.send("POST", `/compositions/${id}/runs`, {});
    expect([refused.status, await refused.json()]).toMatchObject([
      409,
      { code: "composition_invalid", detail: expect.stringContaining('"other", which is no output') },
    ]);
  });
});
