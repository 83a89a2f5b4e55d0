import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createAccount, share, type Person } from "../access/people.ts";
import { graph, node } from "../compositions/graphs.ts";
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

/** A number that is doubled and increased. */
const sums = (increase = "return v + 1") =>
  graph(
    [
      node("in", "input", { name: "n", default: 1 }),
      node("double", "code", python("return v * 2", ["v"])),
      node("more", "code", python(increase, ["v"])),
      node("out", "output", { name: "z" }),
    ],
    "in.value -> double.v",
    "double.result -> more.v",
    "more.result -> out.value",
  );

async function stale(by: Compositions, runId: string, drawn: unknown): Promise<string[]> {
  const answer = await by.send("POST", `/runs/${runId}/stale-nodes`, { graph: drawn });
  if (answer.status !== 200) throw new Error(await answer.text());
  return (await by.json<{ paths: string[] }>(answer)).paths.toSorted();
}

it("of a run those nodes are out of date of which a graph asks something else by now; taken back, none is", async () => {
  const run = await of.run(await of.make(sums()));
  expect(run.status).toBe("succeeded");
  expect(await stale(of, run.id, sums())).toEqual([]);
  expect(await stale(of, run.id, sums("return v + 2"))).toEqual(["more", "out"]);
  expect(await stale(of, run.id, sums())).toEqual([]);
});

it("a run of a part says nothing of what it has left out", async () => {
  const run = await of.run(await of.make(sums()), { until: "double" });
  expect(await stale(of, run.id, sums("return v + 2"))).toEqual([]);
  const { nodes, ...rest } = sums();
  const other = { ...rest, nodes: nodes.map((each) => (each.id === "double" ? { ...each, config: python("return v * 3", ["v"]) } : each)) };
  expect(await stale(of, run.id, other)).toEqual(["double"]);
});

it("a program that has changed makes out of date what comes from it; whoever may not use it is told of the graph alone", async () => {
  const files = (text: string) => [{ path: "main.py", content: `print('"${text}"')\n` }];
  const program = await of.json<{ id: string; revision: number }>(
    of.send("POST", "/assets", {
      type: "program",
      name: "Says",
      config: { runtime: "python", entrypoint: "main.py" },
      files: files("one"),
    }),
  );
  const drawn = graph(
    [
      node("says", "program", { program: { id: program.id }, command: ["python3", "main.py"] }),
      node("side", "code", python("return 1")),
      node("out", "output", { name: "z" }),
    ],
    "says.result -> out.value",
  );
  const run = await of.run(await of.make(drawn));
  expect([run.status, run.error]).toEqual(["succeeded", null]);
  expect(await stale(of, run.id, drawn)).toEqual([]);
  const change = { op: "write", file: { path: "main.py", content: `print('"two"')\n` } };
  const changed = await of.send("POST", `/programs/${program.id}/files`, { changes: [change] }, { "if-match": "*" });
  expect(changed.status).toBe(200);
  expect(await stale(of, run.id, drawn)).toEqual(["out", "says"]);
  const bob = await createAccount(server);
  await share(server, ann, { resourceType: "run", resourceId: run.id, email: bob.email, level: "view" });
  expect(await stale(compositionsOf(server, bob), run.id, drawn)).toEqual([]);
});

it("what is no graph is refused; a run that is nobody's composition has no nodes; of others' runs nothing is told", async () => {
  const run = await of.run(await of.make(sums()));
  const refused = await of.send("POST", `/runs/${run.id}/stale-nodes`, { graph: { nodes: "many" } });
  expect([refused.status, (await of.json<{ code: string }>(refused)).code]).toEqual([400, "invalid_graph"]);
  const plain = await of.json<{ id: string }>(of.send("POST", "/executions?wait=true", { language: "python", code: "print(1)" }));
  expect(await stale(of, plain.id, sums())).toEqual([]);
  const other = compositionsOf(server, await createAccount(server));
  expect((await other.send("POST", `/runs/${run.id}/stale-nodes`, { graph: sums() })).status).toBe(404);
});
