/** What tests do with the builder in the browser. */
import type { CompositionGraph, CreatedComposition } from "@syla/contracts/compositions";
import type { FlowGraph, FlowNode } from "@syla/contracts/flow";
import type { Page } from "playwright-core";
import type { WebTest } from "./browser.ts";

type Server = Pick<WebTest, "server">;

/** What the API answers. @throws when it refuses */
export async function ask<T>(
  { server }: Server,
  method: string,
  path: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<T> {
  const answer = await server.send(method, `/api/v1${path}`, body, headers);
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Makes a composition, and answers its id. */
export async function createComposition(web: Server, name: string, document?: unknown): Promise<string> {
  const input = { name, ...(document === undefined ? {} : { document }) };
  return (await ask<CreatedComposition>(web, "POST", "/compositions", input)).asset.id;
}

/** The draft of a composition. */
export async function readGraph(web: Server, id: string): Promise<CompositionGraph> {
  return await ask(web, "GET", `/compositions/${id}/graph`);
}

/** Changes the draft of a composition. */
export async function changeGraph(web: Server, id: string, edit: (graph: FlowGraph) => FlowGraph): Promise<void> {
  const { graph, revision } = await readGraph(web, id);
  await ask(web, "PUT", `/compositions/${id}/graph`, { graph: edit(graph) }, { "if-match": `"${revision}"` });
}

/** Publishes the draft of a composition. */
export async function publishComposition(web: Server, id: string, version: string): Promise<void> {
  await ask(web, "POST", `/assets/${id}/versions`, { version, message: "" });
}

/** A module that is published as 1.0.0, and a composition that has it, as *Loud*, with both of its ports connected. */
export async function makeModuleUser(web: Server, name: string): Promise<{ readonly module: string; readonly user: string }> {
  const port = (kind: "input" | "output", id: string, x: number, config: object) => ({
    id,
    kind,
    label: "",
    position: { x, y: 0 },
    config,
  });
  const wire = (id: string, [from, output]: readonly [string, string], [to, input]: readonly [string, string]) => ({
    id,
    from: { node: from, port: output },
    to: { node: to, port: input },
  });
  const says = { language: "python", source: "return value.upper()", inputs: [{ name: "value", type: "str" }], returns: "str" };
  const module = await createComposition(web, `${name} module`, {
    format: 1,
    name,
    nodes: [
      port("input", "in", 0, { name: "text", type: "str" }),
      { id: "say", kind: "code", label: "Say it", position: { x: 260, y: 0 }, config: says },
      port("output", "out", 520, { name: "said", type: "str" }),
    ],
    edges: [wire("a", ["in", "value"], ["say", "value"]), wire("b", ["say", "result"], ["out", "value"])],
  });
  await publishComposition(web, module, "1.0.0");
  const { nodes, edges } = (await readGraph(web, module)).graph;
  const config = { composition: { id: module, version: "1.0.0" } };
  const user = await createComposition(web, name, {
    format: 1,
    name,
    nodes: [
      port("input", "in", 0, { name: "text", type: "str" }),
      { id: "m", kind: "module", label: "Loud", position: { x: 260, y: 0 }, config, body: { nodes, edges } },
      port("output", "out", 520, { name: "answer", type: "str" }),
    ],
    edges: [wire("a", ["in", "value"], ["m", "text"]), wire("b", ["m", "said"], ["out", "value"])],
  });
  return { module, user };
}

/** Publishes another version of such a module: its output is called otherwise, something more is needed, and it does something else. */
export async function breakModule(web: Server, module: string, version: string): Promise<void> {
  const volume: FlowNode = {
    id: "volume",
    kind: "input",
    label: "",
    position: { x: 0, y: 200 },
    config: { name: "volume", type: "int", description: "" },
  };
  await changeGraph(web, module, (graph) => ({
    ...graph,
    nodes: [
      ...graph.nodes.map((each): FlowNode => {
        if (each.kind === "output") return { ...each, config: { ...each.config, name: "shouted" } };
        return each.kind === "code" ? { ...each, config: { ...each.config, source: "return value.upper() + '!'" } } : each;
      }),
      volume,
    ],
  }));
  await publishComposition(web, module, version);
}

/** The graph. */
export const canvas = (page: Page) => page.getByRole("application", { name: "The graph" });
/** The first node that shows a text. */
export const node = (page: Page, name: string) => page.locator(".react-flow__node").filter({ hasText: name }).first();
/** Everything is on the server. */
export const saved = (page: Page) => page.locator('[data-save="saved"]').waitFor();
/** What the nodes are called. */
export const titles = async (page: Page) => (await page.locator(".flow-node-title").allTextContents()).toSorted();
/** The wires by what their nodes are called. */
export const wires = (graph: FlowGraph) => {
  const names = new Map(graph.nodes.map((each) => [each.id, each.label === "" && "name" in each.config ? each.config.name : each.label]));
  return graph.edges.map(({ from, to }) => `${names.get(from.node)}.${from.port} -> ${names.get(to.node)}.${to.port}`).toSorted();
};

/** Adds a node by keys: Tab, what it is called, Enter. */
export async function addByKeys(page: Page, query: string): Promise<void> {
  await page.keyboard.press("Tab");
  await page.getByRole("combobox", { name: "Add a node" }).fill(query);
  await page.getByRole("dialog").getByRole("option").first().waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.locator(".react-flow__node:focus").waitFor();
}

/** Fills in the form of the node that is chosen. */
export async function fill(page: Page, label: string, text: string): Promise<void> {
  await page.getByRole("region", { name: "Configuration" }).getByLabel(label, { exact: true }).fill(text);
}

/** Connects the node that has the focus by keys. */
export async function connectByKeys(page: Page, port: string, end: string): Promise<void> {
  await page.keyboard.press("c");
  await page.getByRole("combobox", { name: "A port of this node" }).fill(port);
  await page.keyboard.press("Enter");
  await page.getByRole("combobox", { name: /Where it/ }).fill(end);
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor({ state: "detached" });
}

/** Draws a wire with the mouse; to nothing when there is no end. */
export async function drag(page: Page, from: string, to: string | { readonly x: number; readonly y: number }): Promise<void> {
  await page.locator(from).hover();
  await page.mouse.down();
  if (typeof to === "string") {
    await page.locator(to).hover();
    await page.locator(to).hover();
  } else {
    await page.mouse.move(to.x - 8, to.y - 8);
    await page.mouse.move(to.x, to.y, { steps: 4 });
  }
  await page.mouse.up();
}

/** Drags an item of the palette to a place of the window. */
export async function dragFromPalette(page: Page, label: string, to: { readonly x: number; readonly y: number }): Promise<void> {
  // What was used last is there a second time, above.
  await page.getByRole("complementary", { name: "Palette" }).getByRole("button", { name: label, exact: true }).last().hover();
  await page.mouse.down();
  await page.mouse.move(to.x - 8, to.y - 8, { steps: 4 });
  await page.mouse.move(to.x, to.y, { steps: 2 });
  await page.mouse.up();
}

/** Where a wire begins or ends. */
export const handle = (id: string, port: string, side: "source" | "target") =>
  `.react-flow__handle.${side}[data-nodeid="${id}"][data-handleid="${port}"]`;

/** Adds a node behind the one that is chosen, and names it. */
export async function addInto(page: Page, query: string, label: string): Promise<void> {
  await page.locator(".react-flow__node.selected").focus();
  await addByKeys(page, query);
  if (label !== "") await fill(page, "Label", label);
}
