import type { Asset } from "@syla/sdk";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible } from "./accessible.ts";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";
import { ask, canvas, changeGraph, createComposition, fill, node, readGraph, saved, titles } from "./builder-page.ts";

let web: WebTest;
/** More than are drawn while they are not in sight; as many as there may be where there is time. */
const size = process.env["SYLA_LONG_RUNS"] === undefined ? 3500 : 5000;

const code = (id: string, label: string, x: number, y = 0, more: object = {}) => ({
  id,
  kind: "code",
  label,
  position: { x, y },
  config: { language: "python", source: "return value", inputs: [{ name: "value", type: "Any", default: null }], ...more },
});
const wire = (id: string, from: string, to: string, port = "value") => ({
  id,
  from: { node: from, port: "result" },
  to: { node: to, port },
});

async function open(id: string, search = ""): Promise<Page> {
  const page = await web.openPage(`/compositions/${id}${search}`);
  await canvas(page).waitFor();
  return page;
}

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("what is hard on the builder", () => {
  beforeAll(async () => {
    web = await startWebTest();
    await web.openPage("/"); // sets the server up
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("texts of any kind are shown as texts", async () => {
    const texts = [
      `<img src=x onerror="window.isHacked = true"><script>window.isHacked = true</script>`,
      `"""'''\\\n#{} $\{window.isHacked = true}`,
      "\u202e\u2066turned\u0007",
      "界🧨".repeat(66),
    ];
    const names = ["class", "__proto__", "a b\n\"'", "constructor"];
    const id = await createComposition(web, "Texts");
    // What is made of a document has ids of its own; what is saved, those that it has.
    const drawn = {
      description: texts[0],
      nodes: [
        ...texts.map((text, index) => code(["__proto__", "constructor", "toString", "a"][index] ?? "", text, index * 260)),
        { ...code("ports", "Ports", 0, 300, { inputs: names.map((name) => ({ name, type: "Any", default: null })), source: "return 1" }) },
        {
          id: "slot",
          kind: "slot",
          label: texts[0],
          position: { x: 300, y: 300 },
          config: { name: "say", inputs: [], docstring: `${texts[1]}\n\n${texts[0]}`, requirements: texts },
        },
        { id: "note", kind: "note", label: texts[0], position: { x: 600, y: 300 }, config: { text: texts.join("\n") } },
      ],
      edges: [wire("e", "__proto__", "constructor")],
    };
    await changeGraph(web, id, (graph) => ({ ...graph, ...drawn }) as typeof graph);
    const page = await open(id, "?panel=code");
    await node(page, "<img src=x").waitFor();
    expect((await titles(page)).filter((title) => title.startsWith("<img"))).toHaveLength(2);
    for (const text of texts.slice(0, 2)) await node(page, text.slice(0, 12)).click();
    await page.getByRole("tab", { name: "Problems" }).click();
    await page.getByRole("tab", { name: "Node" }).click();
    await page.getByRole("button", { name: "Find in the graph" }).click();
    await page.getByRole("combobox", { name: /Find a node/ }).fill("<script");
    await page.getByRole("dialog").getByRole("option").first().waitFor();
    await page.keyboard.press("Escape");
    // Named as nodes are not, they are moved and saved like any.
    await node(page, "Ports").click();
    await page.keyboard.press("Shift+ArrowDown");
    await saved(page);
    await expect.poll(async () => (await readGraph(web, id)).graph.nodes.find(({ id: at }) => at === "ports")?.position.y).toBe(316);
    expect(await page.evaluate("window.isHacked")).toBeUndefined();
    await expectAccessible(page, "a graph of texts of any kind");
    expect(web.problems).toEqual([]);
  });

  it("graphs in graphs, as deep as they may be, are opened from the address, and left again", async () => {
    const deep = (depth: number): object => ({
      nodes: [
        depth === 0
          ? code("last", "The innermost", 0)
          : { id: "m", kind: "module", label: `Level ${depth}`, position: { x: 0, y: 0 }, config: {}, body: deep(depth - 1) },
      ],
      edges: [],
    });
    const id = await createComposition(web, "Deep");
    await changeGraph(web, id, (graph) => ({ ...graph, ...deep(11) }));
    const path = Array.from({ length: 11 }, () => "m").join("/");
    const page = await open(id, `?in=${encodeURIComponent(path)}`);
    await node(page, "The innermost").waitFor();
    const around = page.getByRole("navigation", { name: "Graphs around" });
    expect(await around.getByRole("button").count()).toBe(12);
    // What is around it leaves room for what is done with it.
    const run = await page.getByRole("toolbar", { name: "Builder" }).getByRole("button", { name: "Run" }).boundingBox();
    expect((run?.x ?? 0) + (run?.width ?? 0)).toBeLessThanOrEqual(1280);
    await node(page, "The innermost").click();
    await page.keyboard.press("u");
    await node(page, "Level 1").waitFor();
    await around.getByRole("button", { name: "Composition" }).click();
    await node(page, "Level 11").waitFor();
    expect(web.problems).toEqual([]);
  });

  it("what is gone, has changed, or is not theirs to use is said at its node, and before a run", async () => {
    const program = await ask<Asset>(web, "POST", "/assets", {
      type: "program",
      name: "Gone",
      config: { runtime: "python", entrypoint: "main.py" },
      files: [{ path: "main.py", content: "print(1)\n" }],
    });
    const id = await createComposition(web, "Uses");
    await changeGraph(web, id, (graph) => ({
      ...graph,
      nodes: [
        {
          id: "p",
          kind: "program",
          label: "Program",
          position: { x: 0, y: 0 },
          config: { program: { id: program.id }, command: ["python3", "main.py"], inputs: [], returns: "Any" },
        },
        {
          id: "model",
          kind: "model",
          label: "Model",
          position: { x: 0, y: 200 },
          config: { model: { id: "model_00000000000000000000000000" }, modelId: "granite", provider: "ollama", options: {} },
        },
        { id: "out", kind: "output", label: "", position: { x: 300, y: 0 }, config: { name: "x", type: "Any", description: "" } },
      ],
      edges: [wire("e", "p", "out")],
    }));
    await web.server.send("DELETE", `/api/v1/assets/${program.id}`);
    const page = await open(id);
    for (const name of ["Program", "Model"]) await node(page, name).getByRole("img", { name: "Has a problem" }).waitFor();
    const toolbar = page.getByRole("toolbar", { name: "Builder" });
    await toolbar.getByRole("button", { name: /2 problems/ }).click();
    const problems = page.getByRole("list", { name: "Problems" });
    await problems.getByText(/has been deleted/).waitFor();
    await problems.getByText(/is not here, or not for you to see/).waitFor();
    await toolbar.getByRole("button", { name: "Run" }).click();
    await page.getByRole("form", { name: "Run" }).getByRole("button", { name: "Run" }).click();
    await page.getByRole("alert").filter({ hasText: "has been deleted" }).first().waitFor();
    expect(web.problems).toEqual([]);
  });

  it(`${size} nodes are opened, looked through, changed and saved`, { timeout: 240_000 }, async () => {
    const columns = 70;
    const id = await createComposition(web, "Many", {
      format: 1,
      name: "Many",
      nodes: Array.from({ length: size }, (_, index) =>
        code(`n${index}`, `Step ${index}`, (index % columns) * 280, Math.floor(index / columns) * 160),
      ),
      edges: Array.from({ length: size - 1 }, (_, index) => wire(`e${index}`, `n${index}`, `n${index + 1}`)),
    });
    const page = await web.openPage(`/compositions/${id}`);
    await page.locator(".react-flow__node").first().waitFor({ timeout: 120_000 });
    await canvas(page).press("Control+f");
    await page.getByRole("combobox", { name: /Find a node/ }).fill("Step 3210");
    await page.getByRole("dialog").getByRole("option").first().waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".react-flow__node:focus").filter({ hasText: "Step 3210" }).waitFor();
    // What is not in sight is not drawn.
    expect(await page.locator(".react-flow__node").count()).toBeLessThan(1000);
    await fill(page, "Label", "Found");
    await node(page, "Found").waitFor();
    await saved(page);
    await expect.poll(async () => (await readGraph(web, id)).graph.nodes.some(({ label }) => label === "Found")).toBe(true);
    await page.getByRole("button", { name: "Undo" }).click();
    await node(page, "Step 3210").waitFor();
    expect(web.problems).toEqual([]);
  });

  it("of a large result the beginning is shown, and all of it is a file", { timeout: 240_000 }, async () => {
    const id = await createComposition(web, "Large", {
      format: 1,
      name: "Large",
      nodes: [code("big", "Big", 0, 0, { source: "return 'x' * 20_000_000", inputs: [] })],
      edges: [],
    });
    const page = await open(id, "?panel=run");
    await page.getByRole("form", { name: "Run" }).getByRole("button", { name: "Run" }).click();
    await node(page, "Big").locator('[data-kind="succeeded"]').waitFor({ timeout: 120_000 });
    await node(page, "Big").click();
    await page.getByRole("tab", { name: "Node" }).click();
    const facts = page.getByRole("region", { name: "In the run" });
    await facts.getByText(/Output, 19\.1 MiB; this is how it begins/).waitFor();
    expect((await facts.getByLabel("Output", { exact: true }).textContent())?.length).toBeLessThan(20_000);
    // What is too large to be held cannot be pinned.
    expect(await facts.getByRole("button", { name: "Pin its output" }).count()).toBe(0);
    const download = page.waitForEvent("download");
    await facts.getByRole("button", { name: "Download: Output" }).click();
    expect((await download).suggestedFilename()).toMatch(/-output\.json$/);
    expect(web.problems).toEqual([]);
  });
});
