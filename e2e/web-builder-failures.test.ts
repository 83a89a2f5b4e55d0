import type { CompositionGraph, CreatedComposition } from "@syla/contracts/compositions";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible } from "./accessible.ts";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

let web: WebTest;
const wire = (id: string, from: string, out: string, to: string, into: string) => ({
  id,
  from: { node: from, port: out },
  to: { node: to, port: into },
});
/** A node that fails, between an input and an output. */
const failing = {
  format: 1,
  name: "Fails",
  nodes: [
    { id: "in", kind: "input", label: "", position: { x: 0, y: 0 }, config: { name: "number", type: "int", default: 3 } },
    {
      id: "bad",
      kind: "code",
      label: "Halve",
      position: { x: 300, y: 0 },
      config: {
        language: "python",
        source: "if v % 2:\n    raise ValueError('odd')\nreturn v // 2",
        inputs: [{ name: "v", type: "int" }],
        returns: "int",
      },
    },
    { id: "out", kind: "output", label: "", position: { x: 600, y: 0 }, config: { name: "half", type: "int" } },
  ],
  edges: [wire("a", "in", "value", "bad", "v"), wire("b", "bad", "result", "out", "value")],
};

const node = (page: Page, name: string) => page.locator(".react-flow__node").filter({ hasText: name }).first();
const saved = (page: Page) => page.locator('[data-save="saved"]').waitFor();

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("the form of a node that may fail", () => {
  beforeAll(async () => {
    web = await startWebTest();
    await web.openPage("/"); // sets the server up
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("says what happens then, and the canvas shows that it did", { timeout: 240_000 }, async () => {
    const answer = await web.server.send("POST", "/api/v1/compositions", { name: "Fails", document: failing });
    const { asset } = (await answer.json()) as CreatedComposition;
    const nodeOf = async () => {
      const read = await web.server.fetch(`/api/v1/compositions/${asset.id}/graph`);
      return ((await read.json()) as CompositionGraph).graph.nodes.find(({ label }) => label === "Halve");
    };
    const page = await web.openPage(`/compositions/${asset.id}`);
    await page.setViewportSize({ width: 1440, height: 900 });
    await node(page, "Halve").click({ timeout: 90_000 });
    const form = page.getByRole("region", { name: "When it fails" });
    await form.getByLabel("Retries").fill("1");
    await form.getByLabel("First wait, seconds").fill("0");
    await form.getByRole("checkbox", { name: "Go on with fallback outputs" }).check();
    await form.getByLabel("Fallback", { exact: true }).fill('{"result": "none"}');
    await page.getByText('The fallback for "result" is not int.').first().waitFor();
    await form.getByLabel("Fallback", { exact: true }).fill("{");
    await form.getByText("It must be JSON").waitFor();
    await form.getByLabel("Fallback", { exact: true }).fill('{"result": -1}');
    await form.getByText("It must be JSON").waitFor({ state: "detached" });
    await expect.poll(nodeOf, { timeout: 20_000 }).toMatchObject({ onError: { retries: 1, waitSeconds: 0, fallback: { result: -1 } } });
    await saved(page);
    await expectAccessible(page, "the form of a node that may fail");
    await page.getByRole("toolbar").getByRole("button", { name: "Run" }).click();
    await page.getByRole("form", { name: "Run" }).getByRole("button", { name: "Run" }).click();
    await node(page, "Halve").locator('[data-kind="succeeded"]').waitFor({ timeout: 60_000 });
    await node(page, "Halve").getByText("fallback · 2 attempts").waitFor();
    await node(page, "Halve").click();
    await page.getByRole("tab", { name: "Node" }).click();
    const ran = page.getByRole("region", { name: "In the run" });
    await ran.getByText("its fallback stands for its outputs").waitFor();
    await ran.getByText("ValueError: odd").waitFor();
    // Taken back, nothing is left of it.
    await form.getByLabel("Retries").fill("0");
    await form.getByRole("checkbox", { name: "Go on with fallback outputs" }).uncheck();
    await expect.poll(async () => Object.keys((await nodeOf()) ?? {}), { timeout: 20_000 }).not.toContain("onError");
    expect(web.problems).toEqual([]);
  });

  it("says whether later runs take its result", async () => {
    const answer = await web.server.send("POST", "/api/v1/compositions", { name: "Reuse", document: failing });
    const { asset } = (await answer.json()) as CreatedComposition;
    const page = await web.openPage(`/compositions/${asset.id}`);
    await node(page, "Halve").click({ timeout: 90_000 });
    await page.getByRole("region", { name: "Configuration" }).getByLabel("Reuse", { exact: true }).selectOption("never");
    await page.getByText("Each run makes its result anew.").waitFor();
    await page.getByRole("region", { name: "Configuration" }).getByLabel("Reuse", { exact: true }).selectOption("");
    await page.getByText("Each run makes its result anew.").waitFor({ state: "detached" });
    expect(web.problems).toEqual([]);
  });
});
