import { existsSync } from "node:fs";
import { join } from "node:path";
import { startLlm, type LlmStandIn } from "@syla/testkit/llm";
import { startTestPackageIndex, type TestPackageIndex } from "@syla/testkit/package-index";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { standInMellea } from "../apps/server/test/composition-runs/stand-in-mellea.ts";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";
import {
  addByKeys,
  addInto,
  ask,
  canvas,
  connectByKeys,
  createComposition,
  drag,
  fill,
  handle,
  node,
  readGraph,
  saved,
} from "./builder-page.ts";

const uv = join(import.meta.dirname, "../.build/runtimes/uv/uv");
let web: WebTest;
let llm: LlmStandIn;
let index: TestPackageIndex;

/** From now on the page notes how each node stood, as it was shown. */
const watchStates = `(() => {
  window.seenStates = [];
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      if (!target.matches(".flow-node[data-state]")) continue;
      window.seenStates.push(target.querySelector(".flow-node-title").textContent + " " + target.dataset.state);
    }
  }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["data-state"] });
})()`;
const seenStates = async (page: Page) => await page.evaluate<string[]>("window.seenStates");

describe.skipIf(noBrowser !== null || !existsSync(uv))("a composition from an empty canvas to its answer", () => {
  beforeAll(async () => {
    llm = await startLlm();
    index = await startTestPackageIndex();
    index.publish(standInMellea);
    web = await startWebTest({ SYLA_MODEL_ALLOW_PRIVATE: `127.0.0.1:${llm.port}`, SYLA_UV: uv, SYLA_PYTHON_INDEX: index.url });
    await web.openPage("/"); // sets the server up
    const config = { provider: "openai-compatible", modelId: "upstream-1", baseUrl: `${llm.url}/v1`, prices: { input: 1, output: 2 } };
    await ask(web, "POST", "/models", { name: "Granite", config });
  }, 120_000);
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
    await llm?.[Symbol.asyncDispose]();
    await index?.[Symbol.asyncDispose]();
  });

  it("is drawn, run, broken, mended, and goes on from there without asking the model again", { timeout: 300_000 }, async () => {
    const id = await createComposition(web, "Decide");
    const page = await web.openPage(`/compositions/${id}`);
    await page.setViewportSize({ width: 1680, height: 900 });
    await page.getByText("Place the first node").waitFor();

    // By keys.
    await canvas(page).focus();
    await addByKeys(page, "input");
    await fill(page, "Name", "text");
    await fill(page, "Type", "str");
    await node(page, "text").focus();
    await addByKeys(page, "granite");
    await addByKeys(page, "slot");
    await fill(page, "Label", "Summarise");
    await fill(page, "Name", "summarise");
    await fill(page, "Docstring", "Summarise a text in two sentences.");
    await node(page, "Summarise").focus();
    await connectByKeys(page, "text", "text");
    await connectByKeys(page, "model", "model");
    await addByKeys(page, "verifier");
    await fill(page, "Label", "Is it faithful?");
    await fill(page, "Text", "It says nothing that the text does not say.");
    await node(page, "Is it faithful?").focus();
    await connectByKeys(page, "value", "summarise result");
    await connectByKeys(page, "model", "model");
    await addByKeys(page, "branch");
    await fill(page, "Label", "Decide");
    await node(page, "Decide").focus();
    await connectByKeys(page, "condition", "passed");
    await connectByKeys(page, "value", "summarise result");
    await addByKeys(page, "approval");
    await fill(page, "Label", "Accept it anyway");
    await addInto(page, "merge", "Accepted");
    await addInto(page, "code", "Polish");
    await addInto(page, "output", "");
    await fill(page, "Name", "summary");

    // By mouse.
    await page.getByRole("button", { name: "Close the panel" }).click();
    await page.getByRole("button", { name: "Hide the palette" }).click();
    await page.getByRole("button", { name: "Tidy" }).click();
    await page.getByRole("button", { name: "fit view" }).click();
    await saved(page);
    const { nodes } = (await readGraph(web, id)).graph;
    const idOf = (name: string) => nodes.find(({ label, kind }) => label === name || (label === "" && kind === name))?.id ?? "";
    await drag(page, handle(idOf("Decide"), "then", "source"), handle(idOf("Accepted"), "a", "target"));
    await drag(page, handle(idOf("Decide"), "else", "source"), handle(idOf("Accept it anyway"), "value", "target"));
    await drag(page, handle(idOf("Accept it anyway"), "approved", "source"), handle(idOf("Accepted"), "b", "target"));
    await drag(page, handle(idOf("Accepted"), "value", "source"), handle(idOf("Polish"), "value", "target"));
    await drag(page, handle(idOf("Polish"), "result", "source"), handle(idOf("output"), "value", "target"));
    const toolbar = page.getByRole("toolbar", { name: "Builder" });
    await toolbar.getByRole("button", { name: /problem/i }).click();
    await page.getByText("No problems").waitFor();

    // Run, and watched.
    llm.behave({ script: ["Tea is good.", "yes"], usage: { input: 1000, output: 500 }, slowMs: 300 });
    llm.seen.length = 0;
    await toolbar.getByRole("button", { name: "Run" }).click();
    await page.evaluate(watchStates);
    const form = page.getByRole("form", { name: "Run" });
    await form.getByLabel("text").fill("Tea is good for many things.");
    await form.getByRole("button", { name: "Run" }).click();
    const run = page.getByRole("region", { name: "The run" });
    const stands = async (name: string, state: string) =>
      await node(page, name).locator(`[data-kind="${state}"]`).waitFor({ timeout: 120_000 });
    await stands("summary", "succeeded");
    await stands("Accept it anyway", "skipped");
    await run.getByText("Succeeded").first().waitFor();
    const seen = await seenStates(page);
    for (const name of ["Summarise", "Is it faithful?"]) {
      expect(seen).toEqual(expect.arrayContaining([`${name} running`, `${name} succeeded`]));
      expect(seen.indexOf(`${name} running`)).toBeLessThan(seen.indexOf(`${name} succeeded`));
    }
    expect(seen.indexOf("Summarise succeeded")).toBeLessThan(seen.indexOf("Is it faithful? succeeded"));
    expect(llm.seen.length).toBe(2);
    await node(page, "Summarise").getByText("1.5k tok").waitFor();
    await node(page, "summary").click();
    await page.getByRole("tab", { name: "Node" }).click();
    await page.getByRole("region", { name: "In the run" }).getByText("Tea is good.").first().waitFor();

    // Broken.
    const source = async (text: string) => {
      await node(page, "Polish").click();
      await page.getByRole("tab", { name: "Node" }).click();
      await page.getByRole("region", { name: "Configuration" }).locator(".cm-content").click();
      await page.keyboard.press("Control+A");
      await page.keyboard.insertText(text);
    };
    await source("raise ValueError('broken')");
    await page.locator(".flow-node[data-stale]").filter({ hasText: "Polish" }).waitFor();
    await toolbar.getByRole("button", { name: "Run" }).click();
    await form.getByRole("button", { name: "Run" }).click();
    await stands("Polish", "failed");
    await stands("Summarise", "reused");
    await run.getByText("Failed").first().waitFor();
    await run.getByRole("button", { name: "Go to Polish" }).waitFor();
    expect(llm.seen.length).toBe(2);

    // Mended, and gone on with.
    await source("return value.strip() + '!'");
    await saved(page);
    await toolbar.getByRole("button", { name: "Run" }).click();
    await run.getByRole("button", { name: "Restart from failed" }).click();
    await stands("Polish", "succeeded");
    await stands("Summarise", "reused");
    await stands("Is it faithful?", "reused");
    await run.getByText("Succeeded").first().waitFor();
    await run.getByText(/^Used again, and saved: .*2 model calls, 3,000 tokens/).waitFor();
    expect(llm.seen.length).toBe(2);
    await node(page, "summary").click();
    await page.getByRole("tab", { name: "Node" }).click();
    await page.getByRole("region", { name: "In the run" }).getByText("Tea is good.!").first().waitFor();
    expect(web.problems).toEqual([]);
  });
});
