import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseNotebook } from "@syla/contracts/notebook";
import type { Workspace } from "@syla/contracts/workspaces";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible } from "./accessible.ts";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

let web: WebTest;
/** Where pictures go, to be looked at; nowhere when not set. */
const pictures = process.env["PICTURES"];

async function create(name: string, files: Readonly<Record<string, string>>, kind = "session"): Promise<Workspace> {
  const me = await web.openPage("/");
  const cookies = await me.context().cookies();
  await me.close();
  const headers = { cookie: cookies.map(({ name: key, value }) => `${key}=${value}`).join("; "), origin: web.server.url };
  const body = { name, kind, files: Object.entries(files).map(([path, content]) => ({ path, content })) };
  return (await (await web.server.send("POST", "/api/v1/workspaces", body, headers)).json()) as Workspace;
}

const cell = (page: Page, number: number) => page.getByRole("group", { name: `Cell ${number}`, exact: true });
const code = (page: Page, number: number) => cell(page, number).getByRole("textbox");
const press = (page: Page, name: string) =>
  page.getByRole("toolbar", { name: "Notebook" }).getByRole("button", { name, exact: true }).click();
const settled = (page: Page) => page.getByRole("status", { name: "Kernel" }).getByText("ready").waitFor({ timeout: 60_000 });
/** Writes into the cell that has the cursor, or into one that is pressed first. */
async function write(page: Page, number: number, text: string): Promise<void> {
  await code(page, number).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(text);
}
/** Everything is saved. */
const saved = (page: Page) => page.getByRole("img", { name: "not saved" }).first().waitFor({ state: "detached" });
async function picture(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return;
  mkdirSync(pictures, { recursive: true });
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.waitForTimeout(500);
    await page.screenshot({ path: join(pictures, `${name}-${scheme}.png`) });
  }
  await page.emulateMedia({ colorScheme: "light" });
}

const table = `display({"plain": 1})
class Rows:
    def _repr_html_(self):
        return "<table><tr><th>planet</th><th>moons</th></tr><tr><td>Mars</td><td>2</td></tr></table>"
Rows()`;

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("a notebook", () => {
  beforeAll(async () => {
    web = await startWebTest();
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it(
    "is made, keeps variables from cell to cell, shows what comes of them, and has it still after a reload",
    { timeout: 240_000 },
    async () => {
      const { id } = await create("Numbers", { "helper.py": "def double(x):\n    return 2 * x\n" });
      const page = await web.openPage(`/workspaces/${id}`);
      await page.getByRole("button", { name: "New notebook" }).click();
      await write(page, 1, "from helper import double\nx = double(21)\nprint('ready')");
      await page.keyboard.press("Shift+Enter");
      await cell(page, 1).getByText("ready", { exact: true }).waitFor({ timeout: 60_000 });
      await settled(page);
      await write(page, 2, "x");
      await page.keyboard.press("Shift+Enter");
      await cell(page, 2).getByText("42", { exact: true }).waitFor();
      await write(page, 3, table);
      await page.keyboard.press("Shift+Enter");
      await cell(page, 3).frameLocator("iframe").getByText("Mars").waitFor();
      await write(page, 4, "1 / 0");
      await page.keyboard.press("Control+Enter");
      await cell(page, 4).getByText("ZeroDivisionError").first().waitFor();
      await settled(page);
      await cell(page, 2).getByText("[2]").waitFor();

      await write(page, 2, "x + 1");
      await cell(page, 2).getByText("changed", { exact: true }).waitFor();
      await page.keyboard.press("Escape");
      await expect.poll(() => page.evaluate("document.activeElement.getAttribute('aria-label')")).toBe("Cell 2");
      await page.keyboard.press("a");
      await expect.poll(() => page.locator("[data-cell]").count()).toBe(5);
      await page.keyboard.press("m");
      await page.keyboard.press("Enter");
      await page.locator(".cm-editor.cm-focused").waitFor();
      await page.keyboard.insertText("# Doubling\n\nTwice **21** is `42`. <script>document.title = 'no'</script>");
      await page.keyboard.press("Shift+Enter");
      await cell(page, 2).getByRole("heading", { name: "Doubling" }).waitFor();
      await picture(page, "notebook");
      await expectAccessible(page, "a notebook");

      await page.getByRole("button", { name: "Save", exact: true }).click();
      await saved(page);
      await page.reload();
      await cell(page, 3).getByText("42", { exact: true }).waitFor();
      await cell(page, 4).frameLocator("iframe").getByText("Mars").waitFor();
      await cell(page, 3).getByText("changed", { exact: true }).waitFor();
      await settled(page);
      await write(page, 5, "x * 100");
      await page.keyboard.press("Control+Enter");
      await cell(page, 5).getByText("4200", { exact: true }).waitFor();
      await saved(page);
      await page.setViewportSize({ width: 380, height: 800 });
      await picture(page, "notebook-narrow");
      await page.setViewportSize({ width: 1280, height: 800 });

      await page.getByRole("link", { name: "Sandbox", exact: true }).click();
      await page.locator(".xterm-rows").getByText("$").first().waitFor();
      await page.keyboard.type("echo made > made.txt");
      await page.keyboard.press("Enter");
      await page.getByRole("button", { name: "Save now" }).click();
      await page.getByText("1 file saved").waitFor();
      await picture(page, "sandbox");
      await expectAccessible(page, "the sandbox of a workspace");
      await page.getByRole("link", { name: "Files" }).click();
      await page.getByRole("treeitem", { name: "made.txt" }).waitFor();
      expect(web.problems).toEqual([]);
      await page.close();
    },
  );

  it("interrupts what never ends, stops at what fails, restarts without variables, and is downloaded", async () => {
    const { id } = await create("Endless", {});
    const page = await web.openPage(`/workspaces/${id}`);
    await page.getByRole("button", { name: "New notebook" }).click();
    await write(page, 1, "y = 1\nimport time\nwhile True:\n    print('tick', flush=True)\n    time.sleep(0.1)");
    await page.keyboard.press("Shift+Enter");
    await cell(page, 1).locator("pre", { hasText: "tick" }).waitFor({ timeout: 60_000 });
    await cell(page, 1).getByText("[*]").waitFor();
    await write(page, 2, "y");
    await page.keyboard.press("Control+Enter");
    await cell(page, 2).getByText("[…]").waitFor();
    await press(page, "Interrupt");
    await picture(page, "interrupted");
    await cell(page, 1).getByText("KeyboardInterrupt").first().waitFor();
    await settled(page);
    await page.keyboard.press("Control+Enter");
    await cell(page, 2).getByText("1", { exact: true }).waitFor();
    await settled(page);
    await write(page, 1, "z = 5");
    await press(page, "Restart the kernel");
    await cell(page, 2).getByText("not run here").waitFor();
    await press(page, "Run all");
    await cell(page, 2).getByText("NameError").first().waitFor();
    await settled(page);

    const isDownloaded = page.waitForEvent("download");
    await press(page, "More for the notebook");
    await page.getByRole("menuitem", { name: "Download the notebook" }).click();
    const file = await (await isDownloaded).path();
    const { cells } = parseNotebook(readFileSync(file, "utf8"));
    expect(cells.map(({ source, executionCount }) => [source, executionCount])).toEqual([
      ["z = 5", 1],
      ["y", 2],
    ]);
    expect(cells[1]?.outputs).toMatchObject([{ output_type: "error", ename: "NameError" }]);
    await cell(page, 1).click({ position: { x: 4, y: 4 } });
    await page.keyboard.press("d");
    await page.keyboard.press("d");
    await expect.poll(() => page.locator("[data-cell]").count()).toBe(1);
    await page.keyboard.press("z");
    await expect.poll(() => page.locator("[data-cell]").count()).toBe(2);
    expect(web.problems).toEqual([]);
    await page.close();
  });

  it("shows a broken one as text, and keeps what it does not know of others", async () => {
    const foreign = {
      cells: [{ cell_type: "code", execution_count: 7, metadata: { big: "BIG" }, outputs: [], source: ["a = 1\n", "a"], own: 1 }],
      metadata: { kernelspec: { name: "ir", language: "R" }, x: { y: null } },
      nbformat: 4,
      nbformat_minor: 2,
      extra: [1.5],
    };
    const text = JSON.stringify(foreign).replace('"BIG"', "123456789012345678901234567890");
    const { id } = await create("Foreign", { "broken.ipynb": "{ no json", "r.ipynb": text });
    const page = await web.openPage(`/workspaces/${id}?file=broken.ipynb`);
    await page.getByText("This file cannot be opened as a notebook").waitFor();
    await page.locator(".cm-content").getByText("{ no json").waitFor();
    await page.goto(`/workspaces/${id}?file=r.ipynb`);
    await page.getByText("in a language that is not run here").waitFor();
    await cell(page, 1).getByText("[7]").waitFor();
    await code(page, 1).click();
    await page.keyboard.press("Control+End");
    await page.keyboard.insertText(" + 1");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await saved(page);
    const written = await page.evaluate(async (at) => await (await fetch(`/api/v1/workspaces/${at}/file?path=r.ipynb`)).text(), id);
    expect(written).toContain("123456789012345678901234567890");
    const { cells, ...rest } = JSON.parse(written) as typeof foreign;
    const { cells: before, ...others } = foreign;
    expect(rest).toEqual(others);
    expect(cells[0]).toMatchObject({ ...before[0], metadata: {}, source: ["a = 1\n", "a + 1"] });
    expect(web.problems).toEqual([]);
    await page.close();
  });
});
