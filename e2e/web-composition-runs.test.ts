import { existsSync } from "node:fs";
import { join } from "node:path";
import { startLlm, type LlmStandIn } from "@syla/testkit/llm";
import { startTestPackageIndex, type TestPackageIndex } from "@syla/testkit/package-index";
import type { CreatedComposition } from "@syla/contracts/compositions";
import type { Model } from "@syla/contracts/models";
import type { Run } from "@syla/contracts/runs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { standInMellea } from "../apps/server/test/composition-runs/stand-in-mellea.ts";
import { expectAccessible } from "./accessible.ts";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

const uv = join(import.meta.dirname, "../.build/runtimes/uv/uv");
let web: WebTest;
let llm: LlmStandIn;
let index: TestPackageIndex;

const node = (page: Page, name: string) => page.locator(".react-flow__node").filter({ hasText: name }).first();
const json = async <T>(answer: Promise<Response>) => {
  const given = await answer;
  if (!given.ok) throw new Error(`${given.status} ${await given.text()}`);
  return (await given.json()) as T;
};

describe.skipIf(noBrowser !== null || !existsSync(uv))("runs of compositions in the browser", () => {
  beforeAll(async () => {
    llm = await startLlm();
    llm.behave({ text: "well", usage: { input: 1000, output: 500 } });
    index = await startTestPackageIndex();
    index.publish(standInMellea);
    web = await startWebTest({ SYLA_MODEL_ALLOW_PRIVATE: `127.0.0.1:${llm.port}`, SYLA_UV: uv, SYLA_PYTHON_INDEX: index.url });
    await web.openPage("/"); // sets the server up
  }, 120_000);
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
    await llm?.[Symbol.asyncDispose]();
    await index?.[Symbol.asyncDispose]();
  });

  /** Two questions side by side, one for each word, and a person. */
  async function create(): Promise<string> {
    const config = { provider: "openai-compatible", modelId: "upstream-1", baseUrl: `${llm.url}/v1`, prices: { input: 1, output: 2 } };
    const model = await json<Model>(web.server.send("POST", "/api/v1/models", { name: "Granite", config }));
    const ask = (id: string, prompt: string, x: number, y: number) => ({
      id,
      kind: "instruct",
      label: prompt.split(" ")[0],
      position: { x, y },
      config: { prompt, inputs: [{ name: "text", type: "str" }] },
    });
    const wire = (id: string, from: string, to: string) => {
      const end = (text: string) => ({ node: text.split(".")[0], port: text.split(".")[1] });
      return { id, from: end(from), to: end(to) };
    };
    const words = {
      nodes: [
        { id: "word", kind: "input", label: "", position: { x: 0, y: 0 }, config: { name: "item", type: "str" } },
        { id: "session", kind: "model", label: "", position: { x: 0, y: 120 }, config: { modelId: model.id, model: { id: model.id } } },
        ask("say", "Explain {{text}}", 280, 0),
        { id: "said", kind: "output", label: "", position: { x: 560, y: 0 }, config: { name: "said", type: "str" } },
      ],
      edges: [wire("a", "word.value", "say.text"), wire("b", "session.model", "say.model"), wire("c", "say.result", "said.value")],
    };
    const document = {
      format: 1,
      name: "Tea",
      nodes: [
        { id: "in", kind: "input", label: "", position: { x: 0, y: 0 }, config: { name: "text", type: "str", default: "tea" } },
        { id: "model", kind: "model", label: "", position: { x: 0, y: 160 }, config: { modelId: model.id, model: { id: model.id } } },
        ask("praise", "Praise {{text}}", 280, 0),
        ask("blame", "Blame {{text}}", 280, 200),
        {
          id: "list",
          kind: "code",
          label: "Words",
          position: { x: 560, y: 0 },
          config: {
            language: "python",
            source: "return ['a', 'b', 'c', one + other]",
            inputs: [
              { name: "one", type: "str" },
              { name: "other", type: "str" },
            ],
            returns: "list[str]",
          },
        },
        { id: "each", kind: "map", label: "Each word", position: { x: 840, y: 0 }, config: { concurrency: 2 }, body: words },
        { id: "ask", kind: "approval", label: "Publish", position: { x: 1120, y: 0 }, config: { message: "Publish what it says?" } },
        { id: "out", kind: "output", label: "", position: { x: 1400, y: 0 }, config: { name: "all" } },
      ],
      edges: [
        wire("a", "in.value", "praise.text"),
        wire("b", "in.value", "blame.text"),
        wire("c", "model.model", "praise.model"),
        wire("d", "model.model", "blame.model"),
        wire("e", "praise.result", "list.one"),
        wire("f", "blame.result", "list.other"),
        wire("g", "list.result", "each.items"),
        wire("h", "each.said", "ask.value"),
        wire("i", "ask.approved", "out.value"),
      ],
    };
    return (await json<CreatedComposition>(web.server.send("POST", "/api/v1/compositions", { name: "Tea", document }))).asset.id;
  }

  it("tell what each node called of models, ask the person, and say what was saved", { timeout: 240_000 }, async () => {
    const id = await create();
    const { id: run } = await json<Run>(web.server.send("POST", `/api/v1/compositions/${id}/runs`, {}));
    const page = await web.openPage(`/compositions/${id}?run=${run}&panel=run`, { viewport: { width: 1440, height: 900 } });
    await node(page, "Publish").locator('[data-kind="waiting"]').waitFor({ timeout: 120_000 });
    // Live, without having looked again.
    await node(page, "Praise").getByText("1.5k tok · $0.0020").waitFor();
    await node(page, "Each word").getByText("6k tok · $0.0080").waitFor();
    await page.getByRole("region", { name: "The run" }).getByText("6 model calls · 6,000 tokens in, 3,000 out · $0.01").waitFor();
    await node(page, "Each word").click();
    await page.getByRole("tab", { name: "Node" }).click();
    const facts = page.getByRole("region", { name: "In the run" });
    await facts.getByText("4,000 in, 2,000 out").waitFor();
    await expectAccessible(page, "a run on the canvas");

    await page.goto("/");
    const list = page.getByRole("list", { name: "Waiting for your decision" });
    await list.getByText(/^Tea · /).waitFor();
    await list.getByRole("link", { name: "Publish what it says?" }).click();
    const asking = page.getByRole("region", { name: "Waiting for a decision" });
    await asking.getByText("Publish waits for a decision").waitFor();
    await expectAccessible(page, "a run that waits for a decision");
    await asking.getByLabel("Comment").fill("It is true.");
    await asking.getByRole("button", { name: "Approve" }).click();
    await page.getByText("Succeeded").first().waitFor({ timeout: 60_000 });
    expect(await asking.getByRole("button", { name: "Approve" }).count()).toBe(0);

    await page.getByRole("link", { name: "Trace" }).click();
    const spans = page.getByRole("treegrid", { name: "Spans" });
    await spans
      .getByRole("row", { name: /^Each word/ })
      .getByText("4 calls · 4,000 → 2,000 tokens")
      .waitFor();
    expect(await spans.getByRole("row", { name: /^Explain \(/ }).count()).toBe(4);
    expect(await spans.getByRole("row", { name: /failed/ }).count()).toBe(0); // what waited has not failed

    const again = await json<Run>(web.server.send("POST", `/api/v1/compositions/${id}/runs`, {}));
    await page.goto(`/compositions/${id}?run=${again.id}&panel=run`);
    await node(page, "Publish").locator('[data-kind="waiting"]').waitFor({ timeout: 60_000 });
    await page
      .getByRole("region", { name: "The run" })
      .getByText(/^Used again, and saved: .*, 6 model calls, 9,000 tokens, \$0\.01$/)
      .waitFor();
    await web.server.send("POST", `/api/v1/runs/${again.id}/cancel`);
    expect(web.problems).toEqual([]);
  });
});
