import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CompositionExport } from "@syla/contracts/compositions";
import type { FlowGraph, FlowNode } from "@syla/contracts/flow";
import { validateFlow } from "@syla/flow/validate";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";
import {
  canvas,
  changeGraph,
  createComposition,
  dragFromPalette,
  fill,
  node,
  publishComposition,
  readGraph as readDraft,
  saved,
  titles,
  wires,
} from "./builder-page.ts";

let web: WebTest;

const exampleText = readFileSync(join(import.meta.dirname, "../examples/compositions/summarise-verify-decide.json"), "utf8");
const example: unknown = JSON.parse(exampleText);

const create = async (name: string, document?: unknown) => await createComposition(web, name, document);
const readGraph = async (id: string): Promise<FlowGraph> => (await readDraft(web, id)).graph;

async function open(id: string, search = ""): Promise<Page> {
  const page = await web.openPage(`/compositions/${id}${search}`);
  await canvas(page).waitFor();
  return page;
}

const labelled = (graph: FlowGraph, label: string): FlowNode => {
  const found = graph.nodes.find((each) => each.label === label);
  if (found === undefined) throw new Error(`there is no ${label}`);
  return found;
};
const placeOf = async (id: string, label: string) => labelled(await readGraph(id), label).position;
const viewport = (page: Page) => page.locator(".react-flow__viewport").getAttribute("style");

const code = (id: string, source: string, x: number) => ({
  id,
  kind: "code",
  label: id,
  position: { x, y: 0 },
  config: { language: "python", source, inputs: [{ name: "value", type: "int" }], returns: "int" },
});
const wire = (id: string, from: string, port: string, to: string) => ({ id, from: { node: from, port }, to: { node: to, port: "value" } });

/** A number that is doubled and then increased. */
const chain = (second: string) => ({
  format: 1,
  name: "Chain",
  nodes: [
    { id: "in", kind: "input", label: "", position: { x: 0, y: 0 }, config: { name: "number", type: "int", default: 20 } },
    code("Double", "return value * 2", 260),
    code("Increase", second, 520),
    { id: "out", kind: "output", label: "", position: { x: 780, y: 0 }, config: { name: "answer", type: "int" } },
  ],
  edges: [wire("a", "in", "value", "Double"), wire("b", "Double", "result", "Increase"), wire("c", "Increase", "result", "out")],
});

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("the canvas of the builder", () => {
  beforeAll(async () => {
    web = await startWebTest();
    await web.openPage("/"); // sets the server up
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("takes what is dragged from the palette where it is let go, on an empty canvas and beside what is there", async () => {
    const id = await create("Dragged");
    const page = await open(id);
    const box = await canvas(page).boundingBox();
    if (box === null) throw new Error("no canvas");
    /** Whether a node lies at a place of the canvas, but for a step of the grid. */
    const lies = async (name: string, x: number, y: number) => {
      const at = await node(page, name).boundingBox();
      return at !== null && Math.hypot(at.x - box.x - x, at.y - box.y - y) <= 16;
    };
    await page.getByText("Place the first node").waitFor();
    const search = page.getByRole("searchbox", { name: "Search the palette" });
    await search.fill("prompt");
    await dragFromPalette(page, "Instruct", { x: box.x + 60, y: box.y + 80 });
    await node(page, "Instruct").waitFor();
    await page.getByText("Place the first node").waitFor({ state: "detached" });
    await expect.poll(() => lies("Instruct", 60, 80)).toBe(true);
    await search.fill("");
    await page.getByRole("heading", { name: "Recently used" }).waitFor();
    await dragFromPalette(page, "Verifier", { x: box.x + 92, y: box.y + 320 });
    await node(page, "Verifier").waitFor();
    await expect.poll(() => lies("Verifier", 92, 320)).toBe(true);
    expect(await lies("Instruct", 60, 80)).toBe(true);
    await saved(page);
    const places = (await readGraph(id)).nodes.map(({ position }) => position);
    expect(places.flatMap(({ x, y }) => [x % 16, y % 16])).toEqual([0, 0, 0, 0]);
    // What was used last is offered first, the newest before the others.
    const recent = page.locator("section").filter({ has: page.getByRole("heading", { name: "Recently used" }) });
    await expect.poll(() => recent.getByRole("button").allTextContents()).toEqual(["Verifier", "Instruct"]);
    await canvas(page).press("Control+z");
    await expect.poll(() => titles(page)).toEqual(["Instruct"]);
    expect(web.problems).toEqual([]);
  });

  it("puts what is dropped on a wire into it where it fits, and beside it where not", async () => {
    const id = await create("Into a wire", chain("return value + 1"));
    const page = await open(id);
    await page.locator(".react-flow__edge").nth(2).waitFor();
    await page.getByRole("button", { name: "fit view" }).click();
    const before = wires(await readGraph(id));
    const between = async () => {
      const [from, to] = [await node(page, "Double").boundingBox(), await node(page, "Increase").boundingBox()];
      const port = await node(page, "Double").locator(".react-flow__handle.source").boundingBox();
      if (from === null || to === null || port === null) throw new Error("no wire");
      return { x: (from.x + from.width + to.x) / 2, y: port.y + port.height / 2 };
    };
    await dragFromPalette(page, "Model", await between());
    await page.getByText("It does not fit into this wire, and stands by itself.").waitFor();
    await saved(page);
    expect(wires(await readGraph(id))).toEqual(before);
    await canvas(page).press("Control+z");
    await expect.poll(() => titles(page)).toHaveLength(4);
    await dragFromPalette(page, "Code", await between());
    await expect
      .poll(async () => wires(await readGraph(id)))
      .toEqual([".result -> Increase.value", "Double.result -> .value", "Increase.result -> answer.value", "number.value -> Double.value"]);
    await canvas(page).press("Control+z");
    await expect.poll(async () => wires(await readGraph(id))).toEqual(before);
    expect(web.problems).toEqual([]);
  });

  it("offers nodes where it is double-clicked; a note stands there with its words", async () => {
    const id = await create("Notes", chain("return value + 1"));
    const page = await open(id);
    const box = await canvas(page).boundingBox();
    if (box === null) throw new Error("no canvas");
    await page.mouse.dblclick(box.x + 80, box.y + 60);
    await page.getByRole("combobox", { name: "Add a node" }).fill("comment");
    await page.getByRole("option").first().waitFor();
    await page.keyboard.press("Enter");
    await page.getByText("An empty note").waitFor();
    await fill(page, "Text", "Doubles, then adds one.");
    const note = page.locator(".flow-note").filter({ hasText: "Doubles, then adds one." });
    await note.waitFor();
    const at = await note.boundingBox();
    expect(Math.hypot((at?.x ?? 0) - box.x - 80, (at?.y ?? 0) - box.y - 60)).toBeLessThan(24);
    await saved(page);
    expect(validateFlow(await readGraph(id)).problems).toEqual([]);
    expect(web.problems).toEqual([]);
  });

  it("runs on from what has failed, from a node, and a node alone; what has changed since is marked", { timeout: 240_000 }, async () => {
    const id = await create("Parts", chain("raise ValueError('not yet')"));
    const page = await open(id);
    const run = page.getByRole("region", { name: "The run" });
    const stands = async (name: string, state: string) =>
      await node(page, name).locator(`[data-kind="${state}"]`).waitFor({ timeout: 60_000 });
    await page.getByRole("toolbar").getByRole("button", { name: "Run" }).click();
    await page.getByRole("form", { name: "Run" }).getByRole("button", { name: "Run" }).click();
    await stands("Double", "succeeded");
    await stands("Increase", "failed");
    await run.getByText("Failed").first().waitFor();
    await changeGraph(web, id, (graph) => ({
      ...graph,
      nodes: graph.nodes.map((each): FlowNode =>
        each.kind === "code" && each.label === "Increase" ? { ...each, config: { ...each.config, source: "return value + 1" } } : each,
      ),
    }));
    await page.locator(".flow-node[data-stale]").filter({ hasText: "Increase" }).waitFor();
    expect(await page.locator(".flow-node[data-stale]").filter({ hasText: "Double" }).count()).toBe(0);
    await run.getByText("The graph has changed since.").waitFor();
    await run.getByRole("button", { name: "Restart from failed" }).click();
    await stands("Increase", "succeeded");
    await stands("Double", "reused");
    await run.getByText("Succeeded").first().waitFor();
    await run.getByText("The graph has changed since.").waitFor({ state: "detached" });
    await node(page, "Double").click();
    await page.getByRole("tab", { name: "Node" }).click();
    await page.getByRole("button", { name: "Run from here" }).click();
    await stands("Double", "succeeded");
    await stands("Increase", "succeeded");
    await node(page, "Increase").click();
    await page.getByRole("tab", { name: "Node" }).click();
    await page.getByRole("button", { name: "Run only this" }).click();
    await page.getByText("Only Increase").waitFor();
    await stands("Double", "reused");
    await run.getByText("Succeeded").first().waitFor({ timeout: 60_000 });
    expect(web.problems).toEqual([]);
  });

  it("shows what is out of date after a reload, too, and as long as it is", { timeout: 240_000 }, async () => {
    const id = await create("Out of date", chain("return value + 1"));
    const page = await open(id, "?panel=run");
    const stale = page.locator(".flow-node[data-stale] .flow-node-title");
    const names = async () => (await stale.allTextContents()).toSorted();
    // What nothing else here has computed.
    await page.getByRole("form", { name: "Run" }).getByLabel("number").fill("2111");
    await page.getByRole("form", { name: "Run" }).getByRole("button", { name: "Run" }).click();
    await node(page, "answer").locator('[data-kind="succeeded"]').waitFor({ timeout: 60_000 });
    expect(await names()).toEqual([]);
    await node(page, "Double").click();
    await page.getByRole("tab", { name: "Node" }).click();
    await page.getByRole("region", { name: "Configuration" }).getByLabel("Language").selectOption("javascript");
    await expect.poll(names).toEqual(["Double", "Increase", "answer"]);
    await page.getByRole("region", { name: "In the run" }).getByText("Succeeded, out of date").waitFor();
    await saved(page);
    await page.reload();
    await expect.poll(names).toEqual(["Double", "Increase", "answer"]);
    await node(page, "Double").getByRole("img", { name: "Succeeded, out of date" }).waitFor();
    expect(await node(page, "number").getByRole("img", { name: "Succeeded", exact: true }).count()).toBe(1);
    await page.getByRole("toolbar").getByRole("button", { name: "Run" }).click();
    const run = page.getByRole("region", { name: "The run" });
    await run.getByText("Out of date: 3 nodes.").waitFor();
    // As it was, it says what it said.
    await changeGraph(web, id, (graph) => ({
      ...graph,
      nodes: graph.nodes.map((each): FlowNode =>
        each.kind === "code" && each.label === "Double" ? { ...each, config: { ...each.config, language: "python" } } : each,
      ),
    }));
    await expect.poll(names).toEqual([]);
    // One step, taken back.
    await node(page, "Increase").click();
    await page.getByRole("tab", { name: "Node" }).click();
    await page.getByRole("region", { name: "Configuration" }).getByLabel("Language").selectOption("javascript");
    await expect.poll(names).toEqual(["Increase", "answer"]);
    await page.getByRole("button", { name: "Undo" }).click();
    await expect.poll(names).toEqual([]);
    // Whoever comes later is led to what was run last.
    await page.goto(`/compositions/${id}?panel=run`);
    await page.getByRole("button", { name: "Show the last run" }).click();
    await node(page, "answer").locator('[data-kind="succeeded"]').waitFor();
    expect(web.problems).toEqual([]);
  });

  it("lines up, spreads and groups; a frame takes along what lies in it, as one step; nodes snap", async () => {
    const id = await create("Places", chain("return value + 1"));
    const page = await open(id);
    await node(page, "Increase").click();
    await page.keyboard.press("Shift+ArrowDown");
    await page.keyboard.press("Shift+ArrowDown");
    await expect.poll(() => placeOf(id, "Increase")).toEqual({ x: 520, y: 32 });
    await node(page, "Double").click({ modifiers: ["Control"] });
    await page.getByRole("button", { name: "Align" }).click();
    await page.getByRole("menuitem", { name: "Upper edges" }).click();
    await expect.poll(() => placeOf(id, "Increase")).toEqual({ x: 520, y: 0 });
    await page.getByRole("group", { name: "What is chosen" }).getByRole("button", { name: "Group" }).click();
    const frame = page.locator(".react-flow__node-frame");
    await frame.waitFor();
    await page.getByRole("button", { name: "fit view" }).click();
    const from = await frame.boundingBox();
    if (from === null) throw new Error("no frame");
    await page.mouse.move(from.x + 30, from.y + 12);
    await page.mouse.down();
    await page.mouse.move(from.x + 40, from.y + 60, { steps: 3 });
    await page.mouse.move(from.x + 45, from.y + 100, { steps: 3 });
    await page.mouse.up();
    await expect.poll(async () => (await placeOf(id, "Double")).y).toBeGreaterThan(0);
    const graph = await readGraph(id);
    const moved = labelled(graph, "Double").position;
    expect(labelled(graph, "Increase").position).toEqual({ x: moved.x + 260, y: moved.y });
    expect(labelled(graph, "Group").position.x % 16).toBe(0);
    await canvas(page).press("Control+z");
    await expect.poll(() => placeOf(id, "Double")).toEqual({ x: 260, y: 0 });
    await expect.poll(() => placeOf(id, "Increase")).toEqual({ x: 520, y: 0 });
    expect(web.problems).toEqual([]);
  });

  it("shows the whole in small, and leads there; colours and badges say what is what", async () => {
    const id = await create("Small", example);
    const page = await open(id);
    await node(page, "Summarise").waitFor();
    const overview = page.getByRole("img", { name: "Overview of the graph" });
    const before = await viewport(page);
    await overview.click({ position: { x: 12, y: 12 } });
    await expect.poll(() => viewport(page)).not.toBe(before);
    const drawn = await page.evaluate<number>(
      `(() => {
        const picture = document.querySelector(".flow-overview canvas");
        return picture.getContext("2d").getImageData(0, 0, picture.width, picture.height).data.filter((value) => value > 0).length;
      })()`,
    );
    expect(drawn).toBeGreaterThan(100);
    await expect(node(page, "Model").locator(".flow-node-badge").textContent()).resolves.toBe("ollama");
    const classes = await page
      .locator(".react-flow__edge")
      .evaluateAll((edges) => edges.map((edge) => /wire-\w+/.exec(edge.getAttribute("class") ?? "")?.[0] ?? ""));
    expect(new Set(classes)).toEqual(new Set(["wire-io", "wire-model", "wire-program", "wire-primitive", "wire-utility"]));
    const tips = await node(page, "Summarise")
      .locator(".flow-port")
      .evaluateAll((ports) => ports.map((port) => port.getAttribute("data-tip") ?? ""));
    expect(tips).toEqual(expect.arrayContaining([expect.stringMatching(/^text: str, needed/), expect.stringMatching(/^result: str/)]));
  });

  it("finds a node by what it is told, wherever it lies, and leads there", async () => {
    const id = await create("Find", example);
    const page = await open(id);
    await node(page, "Summarise").click();
    await node(page, "Is it faithful?").click({ modifiers: ["Control"] });
    await canvas(page).press("Control+Shift+g");
    await node(page, "Module").waitFor();
    await canvas(page).press("Control+f");
    const field = page.getByRole("combobox", { name: /Find a node/ });
    await field.fill("nothing is called this");
    await page.getByText("No node answers to “nothing is called this”.").waitFor();
    await field.fill("is it faith");
    await expect.poll(() => page.getByRole("option").first().textContent()).toMatch(/Is it faithful\?.*in Module/);
    await page.keyboard.press("Enter");
    await page.locator(".react-flow__node.selected").filter({ hasText: "Is it faithful?" }).waitFor();
    await page.waitForURL(/in=module/);
    await page.locator(".react-flow__node:focus").filter({ hasText: "Is it faithful?" }).waitFor();
    await page.getByRole("button", { name: "Find in the graph" }).click();
    await field.fill("accept it anyway");
    await page.keyboard.press("Enter");
    const found = page.locator(".react-flow__node.selected").filter({ hasText: "Accept it anyway" });
    // The address says what is chosen.
    await page.waitForURL(new RegExp(`node=${await found.getAttribute("data-id")}(&|$)`));
    await page.reload();
    await found.waitFor();
    // Put back, the module is the nodes that it was.
    await node(page, "Module").click();
    await page.keyboard.press("Control+Shift+e");
    await node(page, "Is it faithful?").waitFor();
    await expect.poll(async () => wires(await readGraph(id)).length).toBe(11);
    expect(web.problems).toEqual([]);
  });

  it("exports without secrets, takes a dropped file, and is replaced by an imported one in one step", async () => {
    const id = await create("Exchange", {
      format: 1,
      name: "Exchange",
      nodes: [
        {
          id: "call",
          kind: "http",
          label: "Call",
          position: { x: 0, y: 0 },
          config: { url: "https://example.org/", allowedHosts: ["example.org"], headers: { Authorization: "Bearer of a secret" } },
        },
      ],
      edges: [],
    });
    const page = await open(id);
    await node(page, "Call").waitFor();
    const exporting = async () => {
      const download = page.waitForEvent("download");
      await page.getByRole("button", { name: "More" }).click();
      await page.getByRole("menuitem", { name: "Export as JSON" }).click();
      return readFileSync(await (await download).path(), "utf8");
    };
    const text = await exporting();
    expect(text).not.toContain("of a secret");
    expect((JSON.parse(text) as CompositionExport).leftOut).toMatchObject([{ field: "config.headers.Authorization" }]);
    await page.getByText("1 value that may be secret is left out of the file.").waitFor();
    // Dropped on the canvas, what is in a file comes to what is there.
    const transfer = await page.evaluateHandle(
      `(() => { const transfer = new DataTransfer(); transfer.items.add(new File([${JSON.stringify(exampleText)}], "more.json", { type: "application/json" })); return transfer; })()`,
    );
    await canvas(page).dispatchEvent("drop", { dataTransfer: transfer, clientX: 700, clientY: 400 });
    await node(page, "Summarise").waitFor();
    await expect.poll(async () => (await titles(page)).length).toBe(10);
    // Imported, it takes the place of what is there.
    await page
      .getByLabel("A composition as JSON")
      .setInputFiles({ name: "x.json", mimeType: "application/json", buffer: Buffer.from("{}") });
    await page.getByText(/Nothing was imported\./).waitFor();
    await page
      .getByLabel("A composition as JSON")
      .setInputFiles({ name: "x.json", mimeType: "application/json", buffer: Buffer.from(text) });
    await expect.poll(async () => (await titles(page)).length).toBe(1);
    await canvas(page).press("Control+z");
    await expect.poll(async () => (await titles(page)).length).toBe(10);
    expect(web.problems).toEqual([]);
  });

  it("leads from a line of the code to its node, and from one version to another", { timeout: 120_000 }, async () => {
    const id = await create("Versions", chain("return value + 1"));
    await publishComposition(web, id, "1.0.0");
    const page = await open(id, "?panel=code");
    await page.locator(".cm-line").filter({ hasText: "return value * 2" }).click();
    await page.locator(".react-flow__node.selected").filter({ hasText: "Double" }).waitFor();
    await page.getByRole("tab", { name: "Node" }).click();
    await fill(page, "Label", "Twice");
    await node(page, "Increase").click();
    await page.keyboard.press("Delete");
    await expect.poll(async () => (await readGraph(id)).nodes.length).toBe(3);
    // What is seen is what runs.
    await page.goto(`/compositions/${id}?version=1.0.0&panel=run`);
    await page.getByRole("form", { name: "Run" }).getByRole("button", { name: "Run" }).click();
    await node(page, "Increase").locator('[data-kind="succeeded"], [data-kind="reused"]').waitFor({ timeout: 60_000 });
    await page.goto(`/compositions/${id}?tab=versions`);
    const differences = page.getByRole("list", { name: "Differences" });
    await differences.getByText("Twice, Code: label").waitFor();
    await differences.getByText("Increase, Code", { exact: false }).first().waitFor();
    await page.getByRole("button", { name: "Restore 1.0.0 into what is there now" }).click();
    await expect.poll(async () => (await readGraph(id)).nodes.map(({ label }) => label)).toContain("Double");
    expect((await readGraph(id)).nodes).toHaveLength(4);
    expect(web.problems).toEqual([]);
  });
});
