import { readFileSync } from "node:fs";
import { join } from "node:path";
import { validateFlow } from "@syla/flow/validate";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible } from "./accessible.ts";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";
import {
  addByKeys,
  addInto,
  canvas,
  connectByKeys,
  createComposition,
  drag,
  fill,
  handle,
  node,
  readGraph as readDraft,
  saved,
  titles,
  wires,
} from "./builder-page.ts";

let web: WebTest;

const example: unknown = JSON.parse(
  readFileSync(join(import.meta.dirname, "../examples/compositions/summarise-verify-decide.json"), "utf8"),
);

const create = async (name: string, document?: unknown) => await createComposition(web, name, document);
const readGraph = async (id: string) => await readDraft(web, id);

async function open(id: string, search = ""): Promise<Page> {
  const page = await web.openPage(`/compositions/${id}${search}`);
  await canvas(page).waitFor();
  return page;
}

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("the builder", () => {
  beforeAll(async () => {
    web = await startWebTest();
    await web.openPage("/"); // sets the server up
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("builds summarise, verify, decide from nothing, by keys and by mouse", async () => {
    const id = await create("Decide");
    const page = await open(id);
    await page.setViewportSize({ width: 1680, height: 900 });
    await canvas(page).focus();
    await addByKeys(page, "input");
    await fill(page, "Name", "text");
    await node(page, "text").focus();
    await addByKeys(page, "model");
    await addByKeys(page, "slot");
    await fill(page, "Label", "Summarise");
    await fill(page, "Name", "summarise");
    await node(page, "Summarise").focus();
    await connectByKeys(page, "text", "text");
    await connectByKeys(page, "model", "model");
    await addByKeys(page, "verifier");
    await fill(page, "Label", "Is it faithful?");
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
    await addInto(page, "output", "");
    await fill(page, "Name", "summary");
    await fill(page, "Type", "str | None");
    await page.getByRole("button", { name: "Close the panel" }).click();
    await page.getByRole("button", { name: "Hide the palette" }).click();
    const placed = await node(page, "Accepted").getAttribute("style");
    await page.getByRole("button", { name: "Tidy" }).click();
    await expect.poll(() => node(page, "Accepted").getAttribute("style")).not.toBe(placed);
    await page.getByRole("button", { name: "fit view" }).click();
    const ids = new Map(
      (await saved(page), (await readGraph(id)).graph).nodes.map((each) => [each.label === "" ? each.kind : each.label, each.id]),
    );
    const idOf = (name: string) => ids.get(name) ?? "";
    await drag(page, handle(idOf("Decide"), "then", "source"), handle(idOf("Accepted"), "a", "target"));
    await drag(page, handle(idOf("Decide"), "else", "source"), handle(idOf("Accept it anyway"), "value", "target"));
    await drag(page, handle(idOf("Accept it anyway"), "approved", "source"), handle(idOf("Accepted"), "b", "target"));
    await drag(page, handle(idOf("Accepted"), "value", "source"), handle(idOf("output"), "value", "target"));
    await page
      .getByRole("toolbar")
      .getByRole("button", { name: /problem/i })
      .click();
    await page.getByText("No problems").waitFor();
    await saved(page);
    const { graph } = await readGraph(id);
    expect(validateFlow(graph).problems).toEqual([]);
    expect(wires(graph)).toEqual(
      [
        "Accept it anyway.approved -> Accepted.b",
        "Accepted.value -> summary.value",
        "Decide.else -> Accept it anyway.value",
        "Decide.then -> Accepted.a",
        "Is it faithful?.passed -> Decide.condition",
        "Summarise.result -> Decide.value",
        "Summarise.result -> Is it faithful?.value",
        ".model -> Is it faithful?.model",
        ".model -> Summarise.model",
        "text.value -> Summarise.text",
      ].toSorted(),
    );
    await page.reload();
    await canvas(page).waitFor();
    await node(page, "Accept it anyway").waitFor();
    expect(web.problems).toEqual([]);
  });

  it("lists the wires of a node, and takes them away, without a mouse", async () => {
    const id = await create("Wires", example);
    const page = await open(id);
    await node(page, "Is it faithful?").click();
    const ports = page.getByRole("region", { name: "Ports" });
    await ports.getByRole("button", { name: "Remove the wire from Summarise · result" }).press("Enter");
    await expect.poll(async () => wires((await readGraph(id)).graph)).not.toContain("Summarise.result -> Is it faithful?.value");
    await ports.getByRole("button", { name: "to Decide · condition", exact: true }).press("Enter");
    await page.locator(".react-flow__node.selected").filter({ hasText: "Decide" }).waitFor();
    await ports.getByRole("button", { name: "from Is it faithful? · passed", exact: true }).waitFor();
    expect(web.problems).toEqual([]);
  });

  it("undoes a gesture at a time, and a field's own words within it", async () => {
    const id = await create("Undo", example);
    const page = await open(id);
    await node(page, "Summarise").click();
    await fill(page, "Label", "Shorten");
    await node(page, "Shorten").waitFor();
    await page.keyboard.press("Control+z");
    await expect
      .poll(() => page.getByRole("region", { name: "Configuration" }).getByLabel("Label", { exact: true }).inputValue())
      .not.toBe("Shorten");
    await node(page, "Is it faithful?").click();
    const before = await titles(page);
    await page.keyboard.press("Delete");
    await expect.poll(() => titles(page)).toHaveLength(before.length - 1);
    await canvas(page).press("Control+z");
    await expect.poll(() => titles(page)).toEqual(before);
    await canvas(page).press("Control+Shift+z");
    await expect.poll(() => titles(page)).toHaveLength(before.length - 1);
  });

  it("copies nodes to another composition by the clipboard, and says when a text is none", async () => {
    const [one, other] = [await create("From", example), await create("To")];
    const page = await open(one);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await node(page, "Summarise").click();
    await page.keyboard.press("Control+c");
    await page.goto(`/compositions/${other}`);
    await canvas(page).focus();
    await page.keyboard.press("Control+v");
    await node(page, "Summarise").waitFor();
    await page.evaluate("navigator.clipboard.writeText('nothing of ours')");
    await page.keyboard.press("Control+v");
    await page.getByText("Nothing was pasted. The text is no JSON.").waitFor();
    await saved(page);
    expect((await readGraph(other)).graph.nodes.map(({ label }) => label)).toEqual(["Summarise"]);
    // Within one composition the wires into a copy are kept with Shift.
    await page.goto(`/compositions/${one}`);
    await node(page, "Summarise").click();
    await page.keyboard.press("Control+c");
    await page.keyboard.press("Control+Shift+v");
    await expect.poll(async () => (await titles(page)).filter((title) => title === "Summarise")).toHaveLength(2);
    await saved(page);
    await expect.poll(async () => (await readGraph(one)).graph.edges.length).toBe(13);
  });

  it("offers only what fits where a wire is dropped, and says why others do not", async () => {
    const id = await create("Drop", example);
    const page = await open(id);
    const { graph } = await readGraph(id);
    const model = graph.nodes.find(({ kind }) => kind === "model")?.id ?? "";
    const approval = graph.nodes.find(({ kind }) => kind === "approval")?.id ?? "";
    const box = await canvas(page).boundingBox();
    if (box === null) throw new Error("no canvas");
    await drag(page, handle(model, "model", "source"), { x: box.x + box.width / 2, y: box.y + 40 });
    await page.getByRole("combobox", { name: "Add a node that fits" }).waitFor();
    const offered = await page.getByRole("option").allTextContents();
    expect(offered.some((text) => text.startsWith("Instruct"))).toBe(true);
    expect(offered.some((text) => text.startsWith("Sampler"))).toBe(false);
    await page.getByRole("combobox").fill("instruct");
    await page.keyboard.press("Enter");
    await saved(page);
    await expect.poll(async () => (await readGraph(id)).graph.edges.length).toBe(12);
    await page.getByRole("button", { name: "Close the panel" }).click();
    // Towards what is behind it, a wire would go round.
    await page.locator(handle(approval, "approved", "source")).hover();
    await page.mouse.down();
    const unfit = page.locator(`${handle(graph.nodes.find(({ kind }) => kind === "slot")?.id ?? "", "text", "target")}[data-fit="no"]`);
    await page.mouse.move(box.x + 300, box.y + 300, { steps: 4 });
    await unfit.waitFor();
    expect(await unfit.getAttribute("data-tip")).toMatch(/wait for each other/);
    const merge = graph.nodes.find(({ kind }) => kind === "merge")?.id ?? "";
    await page.locator(`.react-flow__handle.target[data-nodeid="${merge}"][data-fit="yes"]`).first().waitFor();
    await unfit.hover();
    await page.getByRole("tooltip").filter({ hasText: "wait for each other" }).waitFor();
    await page.mouse.up();
    await page.keyboard.press("Escape");
  });

  it("shows what two people have done to one draft who are not connected, and keeps both", async () => {
    const id = await create("Both", example);
    const alone = async () => {
      const page = await open(id);
      await page.routeWebSocket(/\/compositions\/[^/]+\/live$/, (socket) => socket.close());
      await page.reload();
      await canvas(page).waitFor();
      return page;
    };
    const [mine, theirs] = [await alone(), await alone()];
    await node(theirs, "Summarise").click();
    await fill(theirs, "Label", "Theirs");
    await saved(theirs);
    await expect.poll(async () => (await readGraph(id)).graph.nodes.some(({ label }) => label === "Theirs")).toBe(true);
    await node(mine, "Is it faithful?").click();
    await fill(mine, "Label", "Mine");
    const dialog = mine.getByRole("dialog", { name: "Somebody else has changed this" });
    await dialog.getByRole("list", { name: "Their changes" }).getByText("Theirs").first().waitFor();
    await dialog.getByRole("list", { name: "Your changes" }).getByText("Mine").first().waitFor();
    await dialog.getByRole("button", { name: "Keep both" }).click();
    await saved(mine);
    const labels = (await readGraph(id)).graph.nodes.map(({ label }) => label);
    expect(labels).toEqual(expect.arrayContaining(["Mine", "Theirs"]));
  });

  it("leads from a problem to its node, and mends it", async () => {
    const id = await create("Problems", example);
    const page = await open(id);
    await node(page, "Accept it anyway").click();
    await page.keyboard.press("b");
    await page.locator(".flow-node[data-bypassed]").waitFor();
    await node(page, "Decide").click();
    await page.keyboard.press("Delete");
    await node(page, "Decide").waitFor({ state: "detached" });
    await node(page, "summary").click();
    await page.locator(".react-flow__node.selected").filter({ hasText: "summary" }).waitFor();
    await page.keyboard.press("Delete");
    await node(page, "summary").waitFor({ state: "detached" });
    await page
      .getByRole("toolbar")
      .getByRole("button", { name: /problem/i })
      .click();
    const problems = page.getByRole("list", { name: "Problems" });
    await problems
      .getByRole("button", { name: /Accepted/ })
      .first()
      .click();
    await page.locator(".react-flow__node.selected").filter({ hasText: "Accepted" }).waitFor();
    const fixes = problems.getByRole("button", { name: /Remove the node|Remove the wire|Take this type/ });
    await expect.poll(() => fixes.count()).toBeGreaterThan(0);
    const count = await fixes.count();
    await fixes.first().click();
    await expect.poll(() => fixes.count()).not.toBe(count);
  });

  it("collapses to a module, opens it, and shows the code beside it", async () => {
    const id = await create("Module", example);
    const page = await open(id);
    await node(page, "Summarise").click();
    await node(page, "Is it faithful?").click({ modifiers: ["Control"] });
    await page.keyboard.press("Control+Shift+g");
    await node(page, "Module").waitFor();
    await page.keyboard.press("o");
    await page.waitForURL(/in=module/);
    await node(page, "Is it faithful?").waitFor();
    await saved(page);
    await page.reload();
    await node(page, "Is it faithful?").waitFor();
    await page.getByRole("toolbar").getByRole("button", { name: "Code" }).click();
    await node(page, "Summarise").click();
    await page.locator(".cm-line-of-node").first().waitFor();
    expect(await page.locator(".cm-line-of-node").allTextContents()).toEqual(
      expect.arrayContaining([expect.stringContaining("summarise")]),
    );
    await page.getByRole("navigation", { name: "Graphs around" }).getByRole("button", { name: "Composition" }).click();
    await node(page, "Accepted").waitFor();
    await saved(page);
    expect(validateFlow((await readGraph(id)).graph).problems).toEqual([]);
  });

  it("runs, shows each node, waits for a person and goes on; a pinned output is taken for the node's", async () => {
    const code = (id: string, source: string, x: number) => ({
      id,
      kind: "code",
      label: id,
      position: { x, y: 0 },
      config: { language: "python", source, inputs: [{ name: "value", type: "int" }], returns: "int" },
    });
    const wire = (id: string, from: string, port: string, to: string, into = "value") => ({
      id,
      from: { node: from, port },
      to: { node: to, port: into },
    });
    const id = await create("Runs", {
      format: 1,
      name: "Runs",
      nodes: [
        { id: "in", kind: "input", label: "", position: { x: 0, y: 0 }, config: { name: "number", type: "int" } },
        code("Double", "return value * 2", 260),
        { id: "ask", kind: "approval", label: "Ask", position: { x: 520, y: 0 }, config: { message: "Go on?" } },
        code("Increase", "return value + 1", 780),
        { id: "out", kind: "output", label: "", position: { x: 1040, y: 0 }, config: { name: "answer", type: "int | None" } },
      ],
      edges: [
        wire("a", "in", "value", "Double"),
        wire("b", "Double", "result", "ask"),
        wire("c", "ask", "approved", "Increase"),
        wire("d", "Increase", "result", "out"),
      ],
    });
    const page = await open(id);
    await page.getByRole("toolbar").getByRole("button", { name: "Run" }).click();
    const form = page.getByRole("form", { name: "Run" });
    await form.getByRole("button", { name: "Run" }).click();
    await form.getByText("It is needed.").waitFor();
    await form.getByLabel("number").fill("20");
    await form.getByRole("button", { name: "Run" }).click();
    await page.waitForURL(/run=run_/);
    await node(page, "Double").locator('[data-kind="succeeded"]').waitFor({ timeout: 60_000 });
    await node(page, "Ask").locator('[data-kind="waiting"]').waitFor({ timeout: 60_000 });
    await node(page, "Ask").click();
    await page.getByRole("tab", { name: "Node" }).click();
    await page.getByText("Go on?").first().waitFor();
    await page.getByRole("button", { name: "Approve" }).click();
    await node(page, "Increase").locator('[data-kind="succeeded"]').waitFor({ timeout: 60_000 });
    await node(page, "Increase").click();
    await page.getByRole("region", { name: "In the run" }).getByText("41").waitFor();
    // What has changed since is said to be old.
    await fill(page, "Label", "Increase");
    await node(page, "Double").click();
    await page.getByRole("button", { name: "Pin its output" }).click();
    await page.getByLabel("Pinned output").fill('{"result": 100}');
    await node(page, "Double").getByRole("img", { name: "Its output is pinned" }).waitFor();
    await node(page, "Double").click();
    await page.getByRole("button", { name: "Run to here" }).click();
    await page.getByRole("region", { name: "The run" }).getByText("Succeeded").waitFor({ timeout: 60_000 });
    await node(page, "Double").click();
    await page.getByRole("tab", { name: "Node" }).click();
    await page.getByRole("region", { name: "In the run" }).getByText("100").first().waitFor();
    expect(web.problems).toEqual([]);
  });

  it("is accessible, and lets who may only look change nothing", async () => {
    const id = await create("Look", example);
    const page = await open(id);
    await node(page, "Summarise").click();
    await expectAccessible(page, "the builder");
    await web.server.send("POST", `/api/v1/assets/${id}/versions`, { version: "1.0.0", message: "" });
    await page.goto(`/compositions/${id}?version=1.0.0`);
    await node(page, "Summarise").click();
    await page.keyboard.press("Delete");
    await page.getByText("Read only").waitFor();
    expect(await page.getByRole("button", { name: "Add a node" }).count()).toBe(0);
    await node(page, "Summarise").waitFor();
  });
});
