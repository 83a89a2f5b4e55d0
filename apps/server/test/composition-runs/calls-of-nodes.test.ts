import { existsSync } from "node:fs";
import { join } from "node:path";
import { llmWithin, type NodeLlm, type NodeRun } from "@syla/contracts/node-runs";
import type { LlmCall, Model } from "@syla/contracts/models";
import type { Run } from "@syla/contracts/runs";
import type { RunTrace } from "@syla/contracts/traces";
import { startTestPackageIndex, type TestPackageIndex } from "@syla/testkit/package-index";
import { readEvents } from "@syla/testkit/runs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { graph, node } from "../compositions/graphs.ts";
import { openGateway, type GatewaySetting } from "../gateway/gateway-setting.ts";
import { compositionsOf, python, type Compositions } from "./setting.ts";
import { standInMellea } from "./stand-in-mellea.ts";

const uv = join(import.meta.dirname, "../../../../.build/runtimes/uv/uv");
/** One call of the stand-in, by the prices of its model. */
const oneCall = { inputTokens: 1000, outputTokens: 500, cost: 0.002 };
const llm = (calls: number): NodeLlm => ({
  calls,
  failed: 0,
  inputTokens: calls * oneCall.inputTokens,
  outputTokens: calls * oneCall.outputTokens,
  cachedTokens: 0,
  cost: calls * oneCall.cost,
  unknownCosts: 0,
});

// uv is installed by tools/test.sh where pip can be used; nothing here can be tried without it.
const byText = (one: readonly unknown[], other: readonly unknown[]) => String(one).localeCompare(String(other));

describe.skipIf(!existsSync(uv))("what nodes call of models", () => {
  let setting: GatewaySetting;
  let index: TestPackageIndex;
  let model: Model;
  let of: Compositions;

  beforeAll(async () => {
    index = await startTestPackageIndex();
    index.publish(standInMellea);
    setting = await openGateway({ SYLA_UV: uv, SYLA_PYTHON_INDEX: index.url, SYLA_RATE_LIMIT: "0" });
    model = await setting.model("Granite");
    of = compositionsOf(setting.server, setting.ann);
  }, 120_000);
  beforeEach(() => setting.llm.behave({ text: "well", usage: { input: oneCall.inputTokens, output: oneCall.outputTokens } }));
  afterAll(async () => {
    await setting[Symbol.asyncDispose]();
    await index[Symbol.asyncDispose]();
  });

  const report = async (run: Pick<Run, "id">) =>
    await of.json<{ items: NodeRun[]; ofNoNode: NodeLlm | null }>(of.send("GET", `/runs/${run.id}/nodes`));
  const callsOf = async (run: Pick<Run, "id">) =>
    (await of.json<{ items: LlmCall[] }>(of.send("GET", `/runs/${run.id}/llm-calls?limit=100`))).items;
  const called = (items: readonly NodeRun[]) =>
    Object.fromEntries(items.flatMap(({ path, llm: own }) => (own === null ? [] : [[path, own]])));
  const ask = (prompt: string) => ({ prompt, inputs: [{ name: "text", type: "str" }] });
  /** Calls the model with nothing but the standard library, with more headers and to another path where that is said. */
  const call = (more = "") => `
import json, os, threading, urllib.request
def ask(headers={}, base=None):
    body = json.dumps({"model": ${JSON.stringify(model.id)}, "messages": [{"role": "user", "content": "Hello"}]}).encode()
    at = base or os.environ["OPENAI_BASE_URL"]
    request = urllib.request.Request(at + "/chat/completions", body, {"content-type": "application/json", **headers})
    urllib.request.urlopen(request).read()
${more}`;
  /** Everything in it is behind the input and before the output. */
  const around = (...nodes: readonly { id: string; kind: string }[]) =>
    graph(
      [
        node("in", "input", { name: "text", type: "str", default: "tea" }),
        node("model", "model", { modelId: model.id }),
        ...nodes,
        node("all", "merge", { mode: "list", inputs: nodes.map(({ id }) => id) }),
        node("out", "output", { name: "all" }),
      ],
      ...nodes.flatMap(({ id, kind }) => [
        `in.value -> ${id}.text`,
        `${id}.result -> all.${id}`,
        ...(kind === "instruct" ? [`model.model -> ${id}.model`] : []),
      ]),
      "all.value -> out.value",
    );
  const javaScript = `for (let index = 0; index < 4; index += 1) await fetch(process.env.OPENAI_BASE_URL + "/chat/completions", {
  method: "POST", headers: { "content-type": "application/json" },
  body: JSON.stringify({ model: MODEL, messages: [{ role: "user", content: "Hello" }] }),
}).then((answer) => answer.json());
return text;`;

  it("is counted for each, also where they run at the same time, and adds up to what the run called", { timeout: 180_000 }, async () => {
    const drawn = around(
      node("good", "instruct", ask("Good of {{text}}")),
      node("bad", "instruct", ask("Bad of {{text}}")),
      node("twice", "code", python(call("ask()\nask()\nreturn text"), ["text"])),
      node("script", "code", {
        language: "javascript",
        source: javaScript.replace("MODEL", JSON.stringify(model.id)),
        inputs: [{ name: "text" }],
        returns: "Any",
      }),
      node("thread", "code", python(call("own = threading.Thread(target=ask)\nown.start()\nown.join()\nask()\nreturn text"), ["text"])),
    );
    const run = await of.start(await of.make(drawn));
    const events = await Array.fromAsync(readEvents((await of.send("GET", `/runs/${run.id}/events`)).body as AsyncIterable<Uint8Array>));
    const done = await of.waitFor(run.id);
    expect({ status: done.status, stderr: done.stderr, error: done.error }).toEqual({ status: "succeeded", stderr: "", error: null });
    const { items, ofNoNode } = await report(run);
    expect(called(items)).toEqual({ good: llm(1), bad: llm(1), twice: llm(2), script: llm(4), thread: llm(1) });
    expect(ofNoNode).toEqual(llm(1));
    expect(done.usage?.llm).toEqual(llm(10));
    // Whoever followed it has seen the same.
    const last = new Map(events.flatMap((event) => (event.type === "node" ? [[event.node.path, event.node.llm] as const] : [])));
    expect(Object.fromEntries([...last].filter(([, own]) => own !== null))).toEqual(called(items));
    expect((await callsOf(run)).map(({ nodePath }) => nodePath ?? "none").toSorted()).toEqual(
      ["bad", "good", "none", "script", "script", "script", "script", "thread", "twice", "twice"].toSorted(),
    );
  });

  it("is counted for each turn; what lies in a node is its own", { timeout: 120_000 }, async () => {
    const inner = graph(
      [
        node("item", "input", { name: "item", type: "str" }),
        node("session", "model", { modelId: model.id }),
        node("say", "instruct", ask("Say {{text}}")),
        node("made", "output", { name: "said" }),
      ],
      "item.value -> say.text",
      "session.model -> say.model",
      "say.result -> made.value",
    );
    const whole = graph(
      [
        node("in", "input", { name: "list", type: "list[str]" }),
        node("each", "map", { concurrency: 3 }, { body: { nodes: inner.nodes, edges: inner.edges } }),
        node("out", "output", { name: "all" }),
      ],
      "in.value -> each.items",
      "each.said -> out.value",
    );
    const id = await of.make(whole);
    const run = await of.run(id, { inputs: { list: ["a", "b", "c"] } });
    const { items, ofNoNode } = await report(run);
    expect([run.status, ofNoNode]).toEqual(["succeeded", null]);
    expect(called(items)).toEqual({ "each[0]/say": llm(1), "each[1]/say": llm(1), "each[2]/say": llm(1) });
    expect(llmWithin(items).get("each")).toMatchObject({ calls: 3, inputTokens: 3000, outputTokens: 1500 });
    // Taken again as a whole, it saves what all turns had taken.
    const again = await of.run(id, { inputs: { list: ["a", "b", "c"] } });
    const map = (await report(again)).items.find(({ path }) => path === "each");
    expect(map).toMatchObject({
      state: "reused",
      llm: null,
      saved: { ms: expect.any(Number) as number, calls: 3, inputTokens: 3000, outputTokens: 1500, cost: 0.006 },
    });
    const third = await of.run(id, { inputs: { list: ["a", "b", "c"] } });
    expect((await report(third)).items.find(({ path }) => path === "each")?.saved).toEqual(map?.saved);
    expect(third.usage?.llm?.calls).toBe(0);
  });

  it("is in the trace: calls below their nodes, with the sums of what lies within", { timeout: 120_000 }, async () => {
    const inner = graph(
      [
        node("item", "input", { name: "item", type: "str" }),
        node("say", "code", python(call("ask()\nreturn item"), ["item"])),
        node("made", "output", { name: "said" }),
      ],
      "item.value -> say.item",
      "say.result -> made.value",
    );
    const whole = graph(
      [
        node("in", "input", { name: "list", type: "list[str]" }),
        node("each", "map", {}, { body: { nodes: inner.nodes, edges: inner.edges }, label: "Each of them" }),
        node("model", "model", { modelId: model.id }),
        node("more", "instruct", { prompt: "More", inputs: [] }),
        node("out", "output", { name: "all" }),
      ],
      "in.value -> each.items",
      "model.model -> more.model",
      "each.said -> out.value",
    );
    const run = await of.run(await of.make(whole), { inputs: { list: ["a", "b"] } });
    expect({ status: run.status, error: run.error }).toEqual({ status: "succeeded", error: null });
    const trace = await of.json<RunTrace>(of.send("GET", `/runs/${run.id}/trace`));
    const names = new Map(trace.spans.map((span) => [span.id, span.node?.path ?? span.kind]));
    const below = trace.spans.flatMap((span) =>
      span.kind === "node" || span.kind === "llm" ? [[span.node?.path ?? "llm", names.get(span.parentId ?? "")]] : [],
    );
    expect(below.toSorted(byText)).toEqual(
      [
        ["each", "execution"],
        ["each[0]/say", "each"],
        ["each[1]/say", "each"],
        ["more", "execution"],
        ["llm", "each[0]/say"],
        ["llm", "each[1]/say"],
        ["llm", "more"],
      ].toSorted(byText),
    );
    expect(trace.spans.find(({ node: at }) => at?.path === "each")).toMatchObject({
      name: "Each of them",
      status: "ok",
      node: { kind: "map", state: "succeeded", llm: { calls: 2, inputTokens: 2000 }, saved: null },
    });
    expect(trace.spans.find(({ node: at }) => at?.path === "each[1]/say")?.name).toBe("code (2)");
    expect(trace.omittedNodes).toBe(0);
    const places = new Map(trace.spans.map(({ id }, place) => [id, place]));
    expect(trace.spans.every(({ parentId }, place) => parentId === null || (places.get(parentId) ?? place) < place)).toBe(true);
  });

  it("is a run's own word, and counts for nobody else", { timeout: 120_000 }, async () => {
    const quiet = await of.run(await of.make(around(node("good", "instruct", ask("Fine is {{text}}")))));
    const lies = [
      'ask({"X-Syla-Node": "other"})', // one that is there, beside what is true: neither counts
      'ask({}, "http://127.0.0.1:3128/syla/v1/of/other/v1")',
      'ask({}, "http://127.0.0.1:3128/syla/v1/of/nobody.at:7.all/v1")',
      `for path in ("..", "a b", "x" * 1001):
    try:
        ask({}, "http://127.0.0.1:3128/syla/v1/of/" + urllib.request.quote(path) + "/v1")
    except Exception as error:
        print(type(error).__name__)`,
      "return text",
    ];
    const run = await of.run(
      await of.make(
        around(
          node("liar", "code", python(call(lies.join("\n")), ["text"])),
          node("other", "code", python("return text", ["text"])),
          node("good", "instruct", ask("Truth of {{text}}")),
        ),
      ),
    );
    expect({ status: run.status, error: run.error }).toEqual({ status: "succeeded", error: null });
    const { items, ofNoNode } = await report(run);
    const sum = items.reduce((calls, { llm: own }) => calls + (own?.calls ?? 0), ofNoNode?.calls ?? 0);
    expect(sum).toBe(run.usage?.llm?.calls);
    expect(called(items)).toMatchObject({ other: { calls: 1 }, good: llm(1) });
    expect(called((await report(quiet)).items)).toEqual({ good: llm(1) });
    expect((await report(quiet)).ofNoNode).toBeNull();
  });

  it("is of no node for who calls with a key", async () => {
    const answer = await setting.send(
      setting.ann,
      "POST",
      "/v1/chat/completions",
      { model: model.id, messages: [{ role: "user", content: "Hello" }] },
      { "x-syla-node": "good" },
    );
    expect(answer.status).toBe(200);
    expect(await setting.lastCall(model)).toMatchObject({ runId: null, nodePath: null });
  });
});
