import { gzipSync } from "node:zlib";
import type { Asset } from "@syla/contracts/assets";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

let web: WebTest;
/** What the first load of the catalog may weigh. */
const mostScriptBytes = 224 * 1024;

async function create(name: string, more: object = {}): Promise<Asset> {
  const body = { type: "program", name, files: [{ path: "main.py", content: "print('one')\nprint('two')\n" }], ...more };
  return (await (await web.server.send("POST", "/api/v1/assets", body)).json()) as Asset;
}

async function writeFile(id: string, path: string, content: string): Promise<void> {
  const body = { changes: [{ op: "write", file: { path, content } }] };
  await web.server.send("POST", `/api/v1/programs/${id}/files`, body, { "if-match": "*" });
}

async function readFile(id: string, path: string): Promise<string> {
  return await (await web.server.fetch(`/api/v1/programs/${id}/file?path=${path}`)).text();
}

/** Copies of a program in the table itself, for making each would take long: `Copy 1`, … with the tag `copies`, and the first 300 with `few`. */
async function copyAsset(id: string, count: number): Promise<void> {
  const { queries } = web.server.context.database;
  const columns = [
    "type",
    "description",
    "slots",
    "owner_id",
    "visibility",
    "tree_sha256",
    "config",
    "search",
    "created_by",
    "updated_by",
  ] as const;
  const { config, ...row } = await queries.selectFrom("assets").select(columns).where("id", "=", id).executeTakeFirstOrThrow();
  const copies = Array.from({ length: count }, (_, index) => ({
    ...row,
    config: JSON.stringify(config),
    id: `prog_${String(index + 1).padStart(26, "0")}`,
    name: `Copy ${index + 1}`,
    name_key: `copy ${index + 1}`,
    slug: `copy-${index + 1}`,
    tags: ["copies", index < 300 ? "few" : "many"],
  }));
  for (let start = 0; start < count; start += 1000)
    await queries
      .insertInto("assets")
      .values(copies.slice(start, start + 1000))
      .execute();
}

async function type(page: Page, text: string): Promise<void> {
  await page.locator(".cm-content").first().click();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(text);
}

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("the catalog in the browser", () => {
  beforeAll(async () => {
    web = await startWebTest();
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("makes a program, which is written, saved, published and told apart from before", async () => {
    const page = await web.openPage("/catalog");
    await page.getByText("Nothing of yours yet").waitFor();
    await page.getByRole("button", { name: "New program" }).first().click();
    await page.getByLabel("Name").fill("Word count");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByRole("heading", { name: "Word count" }).waitFor();
    await page.getByRole("treeitem", { name: "main.py" }).waitFor();
    const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    await type(page, "print('first')\n");
    await page.getByText("1 file not saved").waitFor();
    await page.keyboard.press("Control+S");
    await expect.poll(() => readFile(id, "main.py")).toBe("print('first')\n");
    await page.getByText("1 file not saved").waitFor({ state: "detached" });

    await page.getByRole("button", { name: "New file" }).click();
    await page.getByLabel("Path").fill("lib/words.py");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByRole("treeitem", { name: "words.py" }).waitFor();
    await page.getByRole("button", { name: "Rename or move the file" }).click();
    await page.getByLabel("Path").fill("MAIN.py");
    await page.getByRole("button", { name: "Move", exact: true }).click();
    await page.getByText("differ only in case").waitFor();
    await page.getByLabel("Path").fill("lib/count.py");
    await page.getByRole("button", { name: "Move", exact: true }).click();
    await page.getByRole("treeitem", { name: "count.py" }).waitFor();

    await page.getByRole("button", { name: "Publish" }).click();
    await page.getByRole("button", { name: "1.0.0 (major)" }).click();
    await page.getByLabel("What has changed").fill("The first one");
    await page.getByRole("dialog").getByRole("button", { name: "Publish" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await writeFile(id, "main.py", "print('second')\n");
    await page.getByRole("link", { name: "Versions" }).click();
    await page.getByText("The first one").waitFor();
    await page.getByText("1 file differs").waitFor();
    await page.locator(".cm-deletedChunk, .cm-deletedLine").first().waitFor();
    expect(await page.locator(".merge-view").textContent()).toContain("second");
    await page.getByRole("button", { name: "Restore 1.0.0" }).click();
    await page.getByText("Nothing differs").waitFor();
    expect(await readFile(id, "main.py")).toBe("print('first')\n");

    await page.getByRole("link", { name: "Files" }).click();
    await page.getByRole("treeitem", { name: "main.py" }).click();
    await type(page, "print('third')\n");
    await page.getByRole("button", { name: "Save as version" }).click();
    await page.getByLabel("What has changed").fill("The third one");
    await page.getByRole("button", { name: "Save and publish" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(await readFile(id, "main.py")).toBe("print('third')\n");
    const versions = await (await web.server.fetch(`/api/v1/assets/${id}/versions`)).json();
    expect(versions).toMatchObject({ items: [{ version: "1.0.1", message: "The third one" }, { version: "1.0.0" }] });
    expect(web.problems).toEqual([]);
  }, 120_000);

  it("shows what somebody else has saved meanwhile, and lets one decide", async () => {
    const { id } = await create("Edited by two");
    const page = await web.openPage(`/programs/${id}?tab=files`);
    await page.locator(".cm-content").waitFor();
    await type(page, "print('mine')\nprint('two')\n");
    await writeFile(id, "other.txt", "theirs");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await expect.poll(() => readFile(id, "main.py")).toBe("print('mine')\nprint('two')\n");
    expect(await readFile(id, "other.txt")).toBe("theirs");

    await type(page, "print('mine again')\nprint('two')\n");
    await writeFile(id, "main.py", "print('mine')\nprint('theirs')\n");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Somebody else has changed this" });
    await dialog.locator(".merge-view").getByText("mine again").waitFor();
    expect(await dialog.locator(".merge-view").textContent()).toContain("theirs");
    await dialog.getByRole("button", { name: "Save what is shown" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(await readFile(id, "main.py")).toBe("print('mine again')\nprint('two')\n");

    await type(page, "print('once more')\n");
    await writeFile(id, "main.py", "print('theirs wins')\n");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await dialog.getByRole("button", { name: "Take theirs" }).click();
    await dialog.waitFor({ state: "detached" });
    await expect.poll(() => page.locator(".cm-content").textContent()).toContain("theirs wins");
    expect(web.problems).toEqual([]);
  }, 120_000);

  it("is searched, narrowed, changed in bulk, and stays as its address says", async () => {
    for (const [name, tags] of [
      ["Weather report", ["weather"]],
      ["Weather map", ["weather", "maps"]],
      ["Invoices", ["finance"]],
    ] as const)
      await create(name, { tags });
    const page = await web.openPage("/catalog");
    const names = () => page.getByRole("list", { name: "Assets" }).getByRole("heading").allTextContents();
    await page.getByLabel("Search the catalog").fill("weath");
    await expect.poll(names).toHaveLength(2);
    await page.getByRole("button", { name: "Only with the tag maps" }).click();
    await expect.poll(names).toEqual(["Weather map"]);
    await page.reload();
    await expect.poll(names).toEqual(["Weather map"]);
    await page.getByRole("button", { name: "Clear" }).click();
    await page.getByRole("button", { name: "As a table" }).click();
    await page.getByRole("checkbox", { name: "Select Weather map" }).check();
    await page.getByRole("checkbox", { name: "Select Invoices" }).check();
    await page.getByRole("button", { name: "Tag", exact: true }).click();
    await page.getByLabel("Add").fill("Not a tag!");
    await page.getByText("is no tag").waitFor();
    await page.getByLabel("Add").fill("chosen");
    await page.getByRole("dialog").getByRole("button", { name: "Tag" }).click();
    await page.getByRole("button", { name: "Only with the tag chosen" }).first().click();
    await page.getByText("2 assets", { exact: true }).waitFor();
    await page.getByRole("checkbox", { name: "Select all that are shown" }).check();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("Nothing matches").waitFor();
    await page.getByRole("link", { name: "Deleted" }).click();
    await page.getByRole("checkbox", { name: "Select Invoices" }).check();
    await page.getByRole("button", { name: "Restore" }).click();
    await page.getByText("1 asset", { exact: true }).waitFor();
    await page.goto("/catalog?q=invoices");
    await expect.poll(names).toEqual(["Invoices"]);
    await create("Invoices of others");
    await expect.poll(names).toContain("Invoices of others");
    expect(web.problems).toEqual([]);
  }, 120_000);

  it("of thousands is scrolled by keys, narrowed, selected and exported whole", async () => {
    const { id } = await create("One of many");
    const thousands = 3000;
    await copyAsset(id, thousands);
    const page = await web.openPage("/catalog?view=all&tags=copies&layout=table&sort=name");
    await page.getByText("60 assets so far").waitFor();
    const top = () => page.evaluate<number>("document.querySelector('[data-scrolls]').scrollTop");
    await page.keyboard.press("End");
    await page.getByText("260 assets so far").waitFor();
    const end = await top();
    expect(end).toBeGreaterThan(1000);
    await page.keyboard.press("PageUp");
    await expect.poll(top).toBeLessThan(end);
    await page.keyboard.press("Home");
    await expect.poll(top).toBe(0);
    await page.getByRole("checkbox", { name: "Select all that are shown" }).check();
    await page.getByRole("button", { name: "Select everything that matches" }).click();
    await page.getByText(/^3[,.\s]?000 assets selected$/).waitFor({ timeout: 60_000 });
    await page.keyboard.press("End");
    await page.getByRole("link", { name: "Copy 999", exact: true }).waitFor();
    expect(await page.locator("tbody tr").count()).toBeLessThan(150);

    await page.goto("/catalog?view=all&tags=copies,few&layout=table");
    await page.getByText("60 assets so far").waitFor();
    await page.getByRole("checkbox", { name: "Select all that are shown" }).check();
    await page.getByRole("button", { name: "Select everything that matches" }).click();
    await page.getByText("300 assets selected").waitFor();
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Export" }).click();
    expect((await download).suggestedFilename()).toBe("assets.zip");
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("Nothing matches").waitFor({ timeout: 60_000 });
    expect(web.problems).toEqual([]);
  }, 180_000);

  it("has settings that tell of somebody else's change, and lists its sharing", async () => {
    const { id } = await create("Settings");
    const page = await web.openPage(`/programs/${id}?tab=settings`);
    await page.getByLabel("Name").fill("Renamed");
    await web.server.send("PATCH", `/api/v1/assets/${id}`, { description: "theirs" }, { "if-match": "*" });
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Somebody else has changed this").waitFor();
    await page.getByRole("button", { name: "Save mine all the same" }).click();
    await page.getByRole("heading", { name: "Renamed" }).waitFor();
    expect(await (await web.server.fetch(`/api/v1/assets/${id}`)).json()).toMatchObject({ name: "Renamed", description: "theirs" });
    await page.getByRole("link", { name: "Sharing" }).click();
    await page.getByLabel("Visibility").selectOption("public");
    await expect.poll(async () => ((await (await web.server.fetch(`/api/v1/assets/${id}`)).json()) as Asset).visibility).toBe("public");
    expect(web.problems).toEqual([]);
  }, 60_000);

  it("is light: what the first load of its page takes", async () => {
    const page = await web.openPage("/catalog");
    await page.getByRole("heading", { name: "Catalog" }).waitFor();
    await page.waitForLoadState("networkidle");
    const scripts = await page.evaluate<string[]>(
      `performance.getEntriesByType("resource").map((entry) => entry.name).filter((name) => name.endsWith(".js"))`,
    );
    const sizes = await Promise.all(scripts.map(async (url) => gzipSync(await (await fetch(url)).bytes()).length));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    expect(total, `${scripts.length} scripts`).toBeLessThan(mostScriptBytes);
    expect(total).toBeGreaterThan(50 * 1024);
  }, 60_000);
});
