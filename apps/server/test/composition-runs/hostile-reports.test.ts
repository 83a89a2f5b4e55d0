import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccount, type Person } from "../access/people.ts";
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

/** Sends what it likes to where reports go, from within a node: `send(method, path, body)` answers status and text. */
const sender = `
import http.client, json
def send(method, path, body=None, raw=None):
    connection = http.client.HTTPConnection("127.0.0.1", 3128, timeout=30)
    connection.request(method, path, body=raw if raw is not None else None if body is None else json.dumps(body).encode())
    answer = connection.getresponse()
    return [answer.status, answer.read().decode()[:300]]
def report(*events, attempt=1):
    return send("POST", "/syla/v1/nodes", {"attempt": attempt, "events": list(events)})
event = {"seq": 1000000, "path": "other", "at": 1700000000000, "state": "succeeded", "inputs": {"json": "{}"}, "output": {"json": "{}"}}
`;
let count = 0;
const hostile = (source: string, input: unknown = null) =>
  of.make(
    graph(
      [
        node("in", "input", { name: "a", default: input }),
        node("bad", "code", python(`# ${(count += 1)}${sender}${source}`, ["v"])),
        node("other", "code", python("return v", ["v"])),
        node("out", "output", { name: "z" }),
      ],
      "in.value -> bad.v",
      "bad.result -> other.v",
      "other.result -> out.value",
    ),
  );
/** What the node answered. */
async function said(source: string, input: unknown = null): Promise<[number, string][]> {
  const run = await of.run(await hostile(source, input));
  expect({ status: run.status, stderr: run.stderr }).toEqual({ status: "succeeded", stderr: "" });
  return (await of.outputs(run.id))["out"] as [number, string][];
}
const statuses = (answers: readonly [number, string][]) => answers.map(([status]) => status);

describe("what a sandbox reports of nodes", () => {
  it("is taken of nodes that there are, with what it has sent, and in its attempt alone", async () => {
    const answers = await said(`return [
  report({**event, "path": "nothing"}),
  report({**event, "path": "../other"}),
  report({**event, "path": "__proto__"}),
  report({**event, "path": "constructor"}),
  report({**event, "output": {"blob": "0" * 64, "bytes": 1, "preview": ""}}),
  report({**event, "state": "waiting"}),
  report({**event, "state": "reused", "key": "0" * 64, "source": "run_none"}),
  report({**event, "seq": 1e300}),
  report({**event, "at": -1}),
  report({**event, "more": 1}),
  report(event, attempt=2),
  report(*[event] * 500),
  report(),
  send("POST", "/syla/v1/nodes", {"attempt": 1}),
  send("POST", "/syla/v1/nodes", raw=b"{"),
  send("POST", "/syla/v1/nodes", raw=b"[" * 100000),
  send("POST", "/syla/v1/nodes/kept", {"attempt": 1, "path": "nothing", "key": "0" * 64}),
  send("POST", "/syla/v1/nodes/approval", {"attempt": 1, "seq": 1, "path": "other", "message": "", "inputs": {"json": "{}"}}),
  send("GET", "/syla/v1/values/" + "0" * 64),
  send("DELETE", "/syla/v1/nodes"),
  send("GET", "/syla/v1/../../api/v1/runs"),
]`);
    expect(statuses(answers)).toEqual([
      400, 400, 400, 400, 400, 400, 400, 400, 400, 400, 409, 400, 400, 400, 400, 400, 400, 400, 404, 404, 404,
    ]);
  });

  it("is its own run's: content of others is not read by its hash", async () => {
    const secret = await of.run(await hostile("return 'the secret of another run ' + 'x' * 20000"));
    const value = (await of.nodes(secret.id)).find(({ path }) => path === "bad")?.output as { blob: string; bytes: number };
    expect(value.blob).toMatch(/^[0-9a-f]{64}$/);
    const answers = await said(
      `return [
  send("GET", "/syla/v1/values/" + v["blob"]),
  report({**event, "output": {"blob": v["blob"], "bytes": v["bytes"], "preview": ""}}),
  send("PUT", "/syla/v1/values/" + v["blob"], raw=b"something else"),
]`,
      value,
    );
    expect(statuses(answers)).toEqual([404, 400, 400]);
  });

  it("is told apart from what comes later by its number: an old one changes nothing", async () => {
    const run = await of.run(
      await hostile(
        `report({**event, "seq": 500000}); return [report({**event, "seq": 400000, "state": "failed", "error": {"kind": "E", "message": "m"}})]`,
      ),
    );
    expect((await of.nodes(run.id)).find(({ path }) => path === "other")).toMatchObject({ state: "succeeded", error: null });
  });

  it("is bounded: what is too much is left out, and the run goes on", { timeout: 120_000 }, async () => {
    const answers = await said(`
answers = []
for batch in range(110):
    answers.append(report(*[{**event, "seq": 1000 + batch * 200 + index, "path": f"other[{batch * 200 + index}]"} for index in range(200)]))
return [answers[0], answers[-1]]`);
    expect(answers).toEqual([
      [200, '{"full":false}'],
      [200, '{"full":true}'],
    ]);
  });

  it("holds NUL, halves of characters and deep JSON without harm", async () => {
    const run = await of.run(
      await hostile(`
deep = []
for _ in range(500):
    deep = [deep]
return {"nul": "a\\0b", "half": "\\ud800", "deep": deep, "big": 12345678901234567890}`),
    );
    expect({ status: run.status, error: run.error }).toEqual({ status: "succeeded", error: null });
    expect(await of.outputs(run.id)).toMatchObject({ out: { nul: "a\0b", half: "\ud800" } });
    expect(await (await of.send("GET", `/runs/${run.id}/node-value?path=bad`)).text()).toContain("12345678901234567890");
  });
});
