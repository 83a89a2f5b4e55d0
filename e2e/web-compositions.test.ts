import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Asset, AssetPage } from "@syla/contracts/assets";
import type { CreatedComposition } from "@syla/contracts/compositions";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible } from "./accessible.ts";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

let web: WebTest;

const send = async <T>(method: string, path: string, body?: object): Promise<T> =>
  (await (await web.server.send(method, `/api/v1${path}`, body)).json()) as T;
const listed = async (): Promise<string[]> => (await send<AssetPage>("GET", "/assets?type=composition")).items.map(({ name }) => name);

const using = (program: string) => ({
  format: 1,
  name: "Uses a tool",
  nodes: [
    { id: "t", kind: "program", config: { program: { id: program }, command: ["python3", "main.py"] } },
    { id: "out", kind: "output", config: { name: "result" } },
  ],
  edges: [{ id: "e", from: { node: "t", port: "result" }, to: { node: "out", port: "value" } }],
});

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("compositions in the catalog in the browser", () => {
  beforeAll(async () => {
    web = await startWebTest();
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("begins with a template, and is found by its type", async () => {
    const page = await web.openPage("/catalog");
    await page.getByRole("button", { name: "New composition" }).first().click();
    const dialog = page.getByRole("dialog", { name: "New composition" });
    await dialog.getByLabel("Name").fill("Mend the notes");
    await dialog.getByLabel("Begins with").selectOption("template");
    await dialog.getByLabel("Template").selectOption({ label: "Repair" });
    await dialog.getByRole("button", { name: "Create" }).click();
    await page.waitForURL(/\/compositions\/comp_/);
    const { items } = await send<AssetPage>("GET", "/assets?type=composition");
    expect(items).toMatchObject([{ name: "Mend the notes", type: "composition" }]);
    await page.goto(new URL("/catalog?type=composition", web.server.url).href);
    await page.getByRole("link", { name: "Mend the notes" }).waitFor();
    await page.getByRole("img", { name: "Composition" }).first().waitFor();
    await page.getByRole("button", { name: "Programs", exact: true }).click();
    await page.getByRole("button", { name: "Compositions", exact: true }).click();
    await page.getByRole("link", { name: "Mend the notes" }).waitFor({ state: "detached" });
  });

  it("begins with a file, says before what is wrong with it and what is not here, and refuses what is none", async () => {
    using folder = createTemporaryDirectory();
    const write = (name: string, text: string): string => {
      const file = join(folder.path, name);
      writeFileSync(file, text);
      return file;
    };
    const page = await web.openPage("/catalog");
    await page.getByRole("button", { name: "New composition" }).first().click();
    const dialog = page.getByRole("dialog", { name: "New composition" });
    const create = dialog.getByRole("button", { name: "Create" });
    await dialog.getByLabel("Begins with").selectOption("file");
    expect(await create.isDisabled()).toBe(true);
    await dialog.getByLabel("File", { exact: true }).setInputFiles(write("text.json", "no JSON"));
    await dialog.getByText("This file is no JSON.").waitFor();
    await dialog.getByLabel("File", { exact: true }).setInputFiles(write("nothing.json", "{}"));
    await dialog.getByText("This is not the graph of a composition: nothing can be made of it.").waitFor();
    await dialog
      .getByLabel("File", { exact: true })
      .setInputFiles(write("newer.json", JSON.stringify({ format: 99, nodes: [], edges: [] })));
    await dialog
      .getByRole("list", { name: "Problems" })
      .getByText(/format 1/)
      .waitFor();
    expect(await create.isDisabled()).toBe(true);
    const missing = "prog_00000000000000000000000000";
    const exported = {
      format: "syla.composition/1",
      name: "Uses a tool",
      description: "",
      graph: using(missing),
      references: [{ kind: "program", id: missing, version: null, name: "Their tool" }],
      leftOut: [{ path: [], node: "t", field: "config.command.1", reason: "something in it looks like a key or a token" }],
    };
    await dialog.getByLabel("File", { exact: true }).setInputFiles(write("given.json", JSON.stringify(exported)));
    const review = dialog.getByRole("region", { name: "The file" });
    await review.getByText("Uses a tool, 2 nodes, 1 wire").waitFor();
    await review
      .getByRole("list", { name: "Problems" })
      .getByText(/is not here, or not for you to see\. It is called “Their tool”\./)
      .waitFor();
    await review.getByRole("list", { name: "Left out" }).getByText("t: command.1, something in it looks like a key or a token").waitFor();
    await expectAccessible(page, "what a file holds");
    expect(await listed()).not.toContain("Uses a tool");
    await create.click();
    const notHere = page.getByRole("dialog", { name: "Some of it is not here" });
    await notHere.getByText("program Their tool").waitFor();
    expect(await listed()).toContain("Uses a tool");
    await notHere.getByRole("link", { name: "Open it" }).click();
    await page.waitForURL(/\/compositions\/comp_/);
  });

  it("begins with a file that is dropped, under the name that it has or another", async () => {
    const page = await web.openPage("/catalog");
    await page.getByRole("button", { name: "New composition" }).first().click();
    const dialog = page.getByRole("dialog", { name: "New composition" });
    await dialog.getByLabel("Begins with").selectOption("file");
    const text = JSON.stringify({ format: 1, name: "Dropped", nodes: [{ id: "n", kind: "note", config: { text: "Hello" } }], edges: [] });
    const transfer = await page.evaluateHandle(
      `(() => { const transfer = new DataTransfer(); transfer.items.add(new File([${JSON.stringify(text)}], "dropped.json")); return transfer; })()`,
    );
    await dialog.getByText("Or drop it here.").dispatchEvent("drop", { dataTransfer: transfer });
    await dialog.getByText("dropped.json was dropped.").waitFor();
    await dialog.getByText("Dropped, 1 node, 0 wires").waitFor();
    await dialog.getByRole("button", { name: "Create" }).click();
    await page.waitForURL(/\/compositions\/comp_/);
    expect(await listed()).toContain("Dropped");
  });

  it("is told of before what it uses is deleted", async () => {
    const files = [{ path: "main.py", content: "print(1)\n" }];
    const tool = await send<Asset>("POST", "/assets", { type: "program", name: "Tool", files });
    const made = await send<CreatedComposition>("POST", "/compositions", { name: "User of the tool", document: using(tool.id) });
    const page = await web.openPage(`/programs/${tool.id}?tab=settings`);
    await page.getByText("1 composition uses it and cannot be run without:").waitFor();
    expect(await page.getByRole("link", { name: "User of the tool" }).getAttribute("href")).toContain(made.asset.id);
  });

  it("is shown by a link as the Python that it is", async () => {
    const document = {
      format: 1,
      name: "Echo",
      nodes: [
        { id: "in", kind: "input", config: { name: "text", type: "str" } },
        { id: "out", kind: "output", config: { name: "text", type: "str" } },
      ],
      edges: [{ id: "e", from: { node: "in", port: "value" }, to: { node: "out", port: "value" } }],
    };
    const made = await send<CreatedComposition>("POST", "/compositions", { name: "Echo by link", document });
    await send("PATCH", "/admin/settings", { values: { anonymousLinks: "true" } });
    const link = { resourceType: "asset", resourceId: made.asset.id, level: "view" };
    const { token } = await send<{ token: string }>("POST", "/share-links", link);
    const guest = await web.openPage("/sign-in", { signedIn: false });
    await guest.goto(new URL(`/share#${token}`, web.server.url).href);
    await guest.getByRole("heading", { name: "Echo by link" }).waitFor();
    await guest.getByRole("link", { name: "Code" }).click();
    await guest.getByText("def echo(").first().waitFor();
  });
});
