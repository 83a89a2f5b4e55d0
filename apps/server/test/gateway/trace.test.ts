import type { Model } from "@syla/contracts/models";
import type { Run } from "@syla/contracts/runs";
import type { RunTrace, Span } from "@syla/contracts/traces";
import { execute, submit, waitForRun } from "@syla/testkit/runs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccount, share } from "../access/people.ts";
import { openGateway, type GatewaySetting } from "./gateway-setting.ts";

let setting: GatewaySetting;
let model: Model;

beforeAll(async () => {
  setting = await openGateway();
  model = await setting.model("GPT");
});
afterAll(() => setting[Symbol.asyncDispose]());

const traceOf = async ({ id }: Pick<Run, "id">, person = setting.ann) =>
  await setting.json<RunTrace>(setting.send(person, "GET", `/api/v1/runs/${id}/trace`));
const named = (trace: RunTrace, kind: Span["kind"]) => trace.spans.filter((span) => span.kind === kind);
const one = (trace: RunTrace, kind: Span["kind"]) => {
  const [span, ...more] = named(trace, kind);
  if (span === undefined || more.length > 0) throw new Error(`${named(trace, kind).length} spans of the kind ${kind}`);
  return span;
};
const run = (code: string, input: object = {}, headers: Record<string, string> = {}) =>
  execute(setting.server, { language: "python", code, ...input }, { ...setting.ann.headers, ...headers });

const call = `
import json, os, urllib.request
body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hello"}]}).encode()
urllib.request.urlopen(urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body, {"content-type": "application/json"})).read()
`;

describe("the trace of a run", () => {
  it("has each part of it, in its place", async () => {
    const done = await run(`import os; open("/output/a.txt", "w").write("a"); print(os.environ["TRACEPARENT"])`);
    expect(done.status).toBe("succeeded");
    const trace = await traceOf(done);
    const root = one(trace, "run");
    const program = one(trace, "execution");
    const start = one(trace, "start");
    const sandbox = one(trace, "sandbox");
    expect(trace).toMatchObject({ runId: done.id, parentSpanId: null, omitted: 0, totals: null, durationMs: root.durationMs });
    expect(done.stdout.trim()).toBe(`00-${trace.traceId}-${program.id}-01`);
    expect([root.parentId, one(trace, "request").parentId, one(trace, "queue").parentId]).toEqual([null, root.id, root.id]);
    expect([start.parentId, sandbox.parentId, one(trace, "workspace").parentId]).toEqual([root.id, start.id, sandbox.id]);
    expect([program.parentId, one(trace, "artifacts").parentId]).toEqual([root.id, root.id]);
    expect(trace.spans.every(({ status, durationMs }) => status === "ok" && durationMs !== null)).toBe(true);
    expect(new Set(trace.spans.map(({ id }) => id)).size).toBe(trace.spans.length);
    expect(program.startMs).toBeGreaterThanOrEqual(sandbox.startMs);
    expect(program.durationMs).toBe(done.timings.runMs);
    const places = new Map(trace.spans.map(({ id }, index) => [id, index]));
    expect(trace.spans.every(({ parentId }, index) => parentId === null || (places.get(parentId) ?? index) < index)).toBe(true);
  });

  it("belongs to the trace of who asked for it, unless what they say is none", async () => {
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    const parent = "00f067aa0ba902b7";
    const code = `import os; print(os.environ["TRACEPARENT"])`;
    const joined = await run(code, {}, { traceparent: `00-${traceId}-${parent}-01` });
    expect(await traceOf(joined)).toMatchObject({ traceId, parentSpanId: parent });
    expect(joined.stdout).toContain(`00-${traceId}-`);
    const again = await setting.json<Run>(setting.send(setting.ann, "POST", `/api/v1/runs/${joined.id}/rerun`));
    await waitForRun(setting.server, again.id);
    expect((await traceOf(again)).traceId).not.toBe(traceId);
    for (const wrong of [
      `00-${"0".repeat(32)}-${parent}-01`,
      `00-${traceId}-${"0".repeat(16)}-01`,
      "00-x-y-01",
      `ff-${traceId}-${parent}-01`,
    ])
      expect(await traceOf(await run(code, {}, { traceparent: wrong }))).toMatchObject({ parentSpanId: null });
    const own = await run(code, { env: { TRACEPARENT: "mine" } });
    expect(own.stdout.trim()).toBe("mine");
  });

  it("has each call of a model below the program, with each request to the provider", async () => {
    setting.llm.behave({ status: 503, times: 1 });
    const done = await run(call, { models: [model.id] });
    setting.llm.behave({});
    expect(done.status).toBe("succeeded");
    const trace = await traceOf(done);
    const llm = one(trace, "llm");
    expect(llm).toMatchObject({ parentId: one(trace, "execution").id, status: "ok", name: "chat GPT" });
    expect(llm.llm).toMatchObject({ model: "GPT", provider: "openai", attempts: 2 });
    const sent = named(trace, "attempt");
    expect(sent.map(({ parentId, status, note }) => [parentId, status, note])).toEqual([
      [llm.id, "failed", "HTTP 503"],
      [llm.id, "ok", "HTTP 200"],
    ]);
    expect((sent[1]?.startMs ?? 0) - (sent[0]?.startMs ?? 0)).toBeGreaterThanOrEqual(sent[0]?.durationMs ?? 0);
    expect(trace.totals).toMatchObject({ calls: 1, inputTokens: llm.llm?.inputTokens, cost: llm.llm?.cost });
  });

  it("is there while the run goes on, and says what has not ended", async () => {
    const { id } = await submit(setting.server, { language: "bash", code: "echo on; sleep 60" }, setting.ann.headers);
    await waitForRun(setting.server, id, ({ stdout }) => stdout === "on\n");
    const live = await traceOf({ id });
    expect([one(live, "run"), one(live, "execution")].map(({ status, durationMs }) => [status, durationMs])).toEqual([
      ["running", null],
      ["running", null],
    ]);
    expect(one(live, "start").durationMs).not.toBeNull();
    await setting.send(setting.ann, "POST", `/api/v1/runs/${id}/cancel`);
    await expect.poll(async () => (await traceOf({ id })).durationMs, { timeout: 20_000 }).not.toBeNull();
    const ended = await traceOf({ id });
    expect([one(ended, "run").status, one(ended, "execution").status]).toEqual(["cancelled", "cancelled"]);
  });

  it("is shown to whoever may see the run, and to nobody else", async () => {
    const done = await run("print(1)");
    const ben = await createAccount(setting.server);
    expect((await setting.send(ben, "GET", `/api/v1/runs/${done.id}/trace`)).status).toBe(404);
    await share(setting.server, setting.ann, { resourceType: "run", resourceId: done.id, email: ben.email, level: "view" });
    expect((await traceOf(done, ben)).runId).toBe(done.id);
  });
});
