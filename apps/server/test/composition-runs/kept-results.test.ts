import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Model } from "@syla/contracts/models";
import { startTestPackageIndex, type TestPackageIndex } from "@syla/testkit/package-index";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAccount, share } from "../access/people.ts";
import { graph, node } from "../compositions/graphs.ts";
import { openGateway, type GatewaySetting } from "../gateway/gateway-setting.ts";
import { compositionsOf, python, type Compositions } from "./setting.ts";
import { standInMellea } from "./stand-in-mellea.ts";

const uv = join(import.meta.dirname, "../../../../.build/runtimes/uv/uv");

// uv is installed by tools/test.sh where pip can be used; nothing here can be tried without it.
describe.skipIf(!existsSync(uv))("results of nodes that are kept", () => {
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
  beforeEach(() => {
    setting.llm.behave({});
    setting.llm.seen.length = 0;
  });
  afterAll(async () => {
    await setting[Symbol.asyncDispose]();
    await index[Symbol.asyncDispose]();
  });

  const ask = (prompt: string) => ({ prompt, inputs: [{ name: "text", type: "str" }] });
  /** Two questions side by side, and a node that joins the answers, as its source says. */
  const joined = (source: string, more = "") =>
    graph(
      [
        node("in", "input", { name: "text", type: "str" }),
        node("model", "model", { modelId: model.id }),
        node("good", "instruct", ask(`Good of {{text}}${more}`)),
        node("bad", "instruct", ask(`Bad of {{text}}${more}`)),
        node("join", "code", { ...python(source, ["a", "b"]), returns: "str" }),
        node("out", "output", { name: "both", type: "str" }),
      ],
      "in.value -> good.text",
      "in.value -> bad.text",
      "model.model -> good.model",
      "model.model -> bad.model",
      "good.result -> join.a",
      "bad.result -> join.b",
      "join.result -> out.value",
    );
  const asked = () => setting.llm.seen.length;

  it("are taken again for the same, and made again for anything else", { timeout: 120_000 }, async () => {
    setting.llm.behave({ text: "well", usage: { input: 1000, output: 500 } });
    const id = await of.make(joined("return a + '/' + b"));
    const first = await of.run(id, { inputs: { text: "tea" } });
    expect({ status: first.status, stderr: first.stderr, error: first.error }).toEqual({ status: "succeeded", stderr: "", error: null });
    expect([asked(), first.usage?.llm?.calls, await of.outputs(first.id)]).toEqual([2, 2, { out: "well/well" }]);
    const second = await of.run(id, { inputs: { text: "tea" } });
    expect([asked(), second.usage?.llm?.calls, await of.outputs(second.id)]).toEqual([2, 0, { out: "well/well" }]);
    const nodes = await of.nodes(second.id);
    expect(nodes.find(({ path }) => path === "good")).toMatchObject({
      state: "reused",
      reusedFrom: first.id,
      output: { value: { result: "well" } },
      saved: { ms: expect.any(Number), calls: 1, inputTokens: 1000, outputTokens: 500, cost: 0.002 },
      llm: null,
    });
    // Another composition that does the same, whatever its nodes are called.
    const other = joined("return a + '+' + b");
    other.nodes.forEach((each) => (each.label = `The ${each.kind}`));
    const third = await of.run(await of.make(other), { inputs: { text: "tea" } });
    expect([asked(), await of.outputs(third.id)]).toEqual([2, { out: "well+well" }]);
    expect((await of.run(id, { inputs: { text: "coffee" } })).status).toBe("succeeded");
    expect(asked()).toBe(4);
    expect((await of.run(await of.make(joined("return a + b", "!")), { inputs: { text: "tea" } })).status).toBe("succeeded");
    expect(asked()).toBe(6);
  });

  it("are nobody else's", { timeout: 120_000 }, async () => {
    const id = await of.make(joined("return a + b", "?"));
    await of.run(id, { inputs: { text: "tea" } });
    expect(asked()).toBe(2);
    const bob = await createAccount(setting.server);
    const grant = { resourceType: "asset", level: "run", email: bob.email };
    for (const resourceId of [id, model.id]) await share(setting.server, setting.ann, { ...grant, resourceId });
    const his = compositionsOf(setting.server, bob);
    const run = await his.run(id, { inputs: { text: "tea" } });
    expect([run.status, asked()]).toEqual(["succeeded", 4]);
  });

  it("cost nothing where a run goes on from one that failed", { timeout: 120_000 }, async () => {
    const id = await of.make(joined("raise ValueError('no')", "."));
    const failed = await of.run(id, { inputs: { text: "tea" } });
    expect(failed).toMatchObject({ status: "failed", error: { class: "user_code", kind: "ValueError", node: "join" } });
    expect([asked(), await of.states(failed.id)]).toEqual([
      2,
      { in: "succeeded", model: "succeeded", good: "succeeded", bad: "succeeded", join: "failed", out: "cancelled" },
    ]);
    await of.send("PUT", `/compositions/${id}/graph`, { graph: joined("return a + b", ".") }, { "if-match": "*" });
    const again = await of.run(id, { restartOf: failed.id });
    expect([again.status, again.retryOf, again.composition?.lineage]).toEqual(["succeeded", failed.id, failed.id]);
    expect([asked(), again.usage?.llm?.calls]).toEqual([2, 0]);
    expect(await of.states(again.id)).toMatchObject({ good: "reused", bad: "reused", join: "succeeded" });
  });

  it("are left aside from a node on, or taken for what is before one, or given", { timeout: 120_000 }, async () => {
    const id = await of.make(joined("return a + b", ","));
    const inputs = { text: "tea" };
    const early = await of.run(id, { inputs, only: "join" });
    expect(early).toMatchObject({ status: "failed", error: { node: expect.stringMatching(/good|bad/) } });
    expect(asked()).toBe(0);
    const part = await of.run(id, { inputs, until: "good" });
    expect([part.status, asked(), await of.states(part.id)]).toEqual([
      "succeeded",
      1,
      { in: "succeeded", model: "succeeded", good: "succeeded" },
    ]);
    const pinned = await of.run(id, { inputs, pins: { bad: { result: "given" } } });
    expect([pinned.status, asked(), (await of.states(pinned.id))["bad"]]).toEqual(["succeeded", 1, "reused"]);
    expect((await of.nodes(pinned.id)).find(({ path }) => path === "bad")).toMatchObject({
      pinned: true,
      reusedFrom: null,
      output: { value: { result: "given" } },
    });
    await of.run(id, { inputs });
    expect(asked()).toBe(2); // what was given is not kept for others
    const alone = await of.run(id, { inputs, only: "join" });
    expect([alone.status, asked(), (await of.states(alone.id))["join"]]).toEqual(["succeeded", 2, "succeeded"]);
    const anew = await of.run(id, { inputs, from: "good" });
    expect([anew.status, asked(), await of.states(anew.id)]).toMatchObject([
      "succeeded",
      3,
      { good: "succeeded", bad: "reused", join: "succeeded" },
    ]);
  });
});
