import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AssetPage } from "@syla/contracts/assets";
import type { FlowGraph, FlowNode } from "@syla/contracts/flow";
import { validateFlow } from "@syla/flow/validate";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible } from "./accessible.ts";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";
import {
  ask,
  breakModule,
  canvas,
  changeGraph,
  createComposition,
  makeModuleUser,
  node,
  publishComposition,
  readGraph,
  wires,
} from "./builder-page.ts";

let web: WebTest;

const example: unknown = JSON.parse(
  readFileSync(join(import.meta.dirname, "../examples/compositions/summarise-verify-decide.json"), "utf8"),
);

const create = async (name: string, document?: unknown) => await createComposition(web, name, document);
const graphOf = async (id: string): Promise<FlowGraph> => (await readGraph(web, id)).graph;

async function open(id: string, search = ""): Promise<Page> {
  const page = await web.openPage(`/compositions/${id}${search}`);
  await canvas(page).waitFor();
  return page;
}

const named = (graph: FlowGraph, label: string): FlowNode | undefined => graph.nodes.find((each) => each.label === label);
const section = (page: Page) => page.getByRole("region", { name: "The module" });

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("modules of the builder", () => {
  beforeAll(async () => {
    web = await startWebTest();
    await web.openPage("/"); // sets the server up
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("makes a composition of its own of what is chosen, in one step that can be undone", async () => {
    const id = await create("Whole", example);
    const before = await graphOf(id);
    const page = await open(id);
    await node(page, "Summarise").click();
    await node(page, "Is it faithful?").click({ modifiers: ["Control"] });
    await page.getByRole("group", { name: "What is chosen" }).getByRole("button", { name: "Make a module" }).click();
    const dialog = page.getByRole("dialog", { name: "Make a module" });
    expect(await dialog.getByRole("list", { name: "Goes in" }).textContent()).toBe("text: str");
    expect(await dialog.getByRole("list", { name: "Comes out" }).textContent()).toBe("passed: boolresult: str");
    await expectAccessible(page, "making a module");
    await dialog.getByLabel("Name").fill("Faithful summary");
    await dialog.getByRole("button", { name: "Make it" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByText("“Faithful summary” is a composition of its own now, version 1.0.0.").waitFor();
    await section(page).getByText("version 1.0.0, the newest").waitFor();
    const { items } = await ask<AssetPage>(web, "GET", "/assets?type=composition");
    const made = items.find(({ name }) => name === "Faithful summary");
    expect(made).toMatchObject({ version: "1.0.0" });
    await expect
      .poll(async () => named(await graphOf(id), "Faithful summary")?.config)
      .toEqual({
        composition: { id: made?.id, version: "1.0.0" },
      });
    const graph = await graphOf(id);
    expect(validateFlow(graph).problems).toEqual([]);
    expect(wires(graph)).toEqual(
      expect.arrayContaining(["text.value -> Faithful summary.text", "Faithful summary.passed -> Decide.condition"]),
    );
    const own = await graphOf(made?.id ?? "");
    expect(validateFlow(own).problems).toEqual([]);
    expect(own.nodes.map(({ kind }) => kind).toSorted()).toEqual(["input", "model", "output", "output", "slot", "verifier"]);
    await canvas(page).press("Control+z");
    await node(page, "Is it faithful?").waitFor();
    await expect.poll(async () => wires(await graphOf(id))).toEqual(wires(before));
    await canvas(page).press("Control+Shift+z");
    await node(page, "Faithful summary").waitFor();
    expect(web.problems).toEqual([]);
  });

  it("says that a module has a newer version, what it changes and what breaks, and updates it", async () => {
    const { module, user } = await makeModuleUser(web, "Updates");
    const page = await open(user);
    await node(page, "Loud").click();
    await section(page).getByText("version 1.0.0, the newest").waitFor();
    await breakModule(web, module, "2.0.0");
    // Nothing is loaded anew: the page is told that something was published.
    await node(page, "Loud").getByRole("img", { name: "A newer version is there" }).waitFor();
    await section(page).getByText("Version 2.0.0 is there").waitFor();
    await section(page).getByRole("button", { name: "Update" }).click();
    const dialog = page.getByRole("dialog", { name: "Update “Loud”" });
    const breaks = dialog.getByRole("region", { name: "What breaks" });
    await breaks.getByText("The output said is there no more.").waitFor();
    await breaks.getByText("The input volume is new: int, and has to be connected.").waitFor();
    await breaks.getByText("The wire from Loud · said to answer · value is removed.").waitFor();
    await dialog.getByRole("region", { name: "What else goes in and comes out" }).getByText("The output shouted is new: str.").waitFor();
    await dialog.getByRole("list", { name: "Changes within the module" }).getByText("Say it, Code: source").waitFor();
    await expectAccessible(page, "updating a module");
    await dialog.getByRole("button", { name: "Update to 2.0.0" }).click();
    await page.getByText("“Loud” is at version 2.0.0 now. 1 wire did not fit any more.").waitFor();
    await node(page, "Loud").getByRole("img", { name: "A newer version is there" }).waitFor({ state: "detached" });
    await expect
      .poll(async () => named(await graphOf(user), "Loud")?.config)
      .toEqual({
        composition: { id: module, version: "2.0.0" },
      });
    expect(wires(await graphOf(user))).toEqual(["text.value -> Loud.text"]);
    await canvas(page).press("Control+z");
    await expect.poll(async () => wires(await graphOf(user))).toEqual(["Loud.said -> answer.value", "text.value -> Loud.text"]);
    // From the list of problems one gets there as well.
    await page.getByRole("tab", { name: "Problems" }).click();
    await page.getByRole("list", { name: "Problems" }).getByRole("button", { name: "Update the module" }).click();
    await page.getByRole("dialog", { name: "Update “Loud”" }).getByRole("button", { name: "Update to 2.0.0" }).waitFor();
    expect(web.problems).toEqual([]);
  });

  it("lets who may only look see what an update changes, and change nothing", async () => {
    const { module, user } = await makeModuleUser(web, "Looked at");
    await publishComposition(web, user, "1.0.0");
    await changeGraph(web, module, (graph) => ({
      ...graph,
      nodes: graph.nodes.map((each) => (each.kind === "code" ? { ...each, label: "Shout" } : each)),
    }));
    await publishComposition(web, module, "1.1.0");
    const page = await open(user, "?version=1.0.0");
    await node(page, "Loud").click();
    await section(page).getByRole("button", { name: "What changes" }).click();
    const dialog = page.getByRole("dialog", { name: "Update “Loud”" });
    await dialog.getByText("Shout, Code: label").waitFor();
    expect(await dialog.getByRole("button", { name: "Update to 1.1.0" }).isDisabled()).toBe(true);
  });
});
