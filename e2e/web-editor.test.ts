import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Workspace } from "@syla/contracts/workspaces";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible } from "./accessible.ts";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

let web: WebTest;

async function create(name: string, files: Readonly<Record<string, string>>): Promise<Workspace> {
  const me = await web.openPage("/");
  const cookies = await me.context().cookies();
  await me.close();
  const headers = { cookie: cookies.map(({ name: key, value }) => `${key}=${value}`).join("; "), origin: web.server.url };
  const body = { name, files: Object.entries(files).map(([path, content]) => ({ path, content })) };
  return (await (await web.server.send("POST", "/api/v1/workspaces", body, headers)).json()) as Workspace;
}

const item = (page: Page, name: string) => page.getByRole("treeitem", { name, exact: true });

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("the editor of a workspace", () => {
  beforeAll(async () => {
    web = await startWebTest();
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("makes, renames, moves and deletes by keys, and takes a deletion back", async () => {
    const { id } = await create("Tree", { "a.txt": "one\n", "src/b.txt": "two\n", "src/c.txt": "three\n" });
    const page = await web.openPage(`/workspaces/${id}`);
    await item(page, "src").focus();
    await page.keyboard.press("F2");
    const dialog = page.getByRole("dialog", { name: "Rename or move" });
    await dialog.getByLabel("Path").fill("lib");
    await dialog.getByRole("button", { name: "Move" }).click();
    await item(page, "lib").waitFor();
    await item(page, "b.txt").waitFor();
    await page.getByRole("button", { name: "New file" }).click();
    await page.getByLabel("Path").fill("A.TXT");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByText("differ only in case").waitFor();
    await page.getByLabel("Path").fill("lib/new.txt");
    await page.getByRole("button", { name: "Create" }).click();
    await item(page, "new.txt").waitFor();
    await item(page, "lib").focus();
    await page.keyboard.press("Delete");
    await page.getByText("3 files of “lib” deleted.").waitFor();
    await item(page, "lib").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Undo" }).click();
    await item(page, "c.txt").click();
    await page.locator(".cm-content").getByText("three").waitFor();
    await expectAccessible(page, "the editor");
    expect(web.problems).toEqual([]);
  });

  it("opens by letters, finds and replaces in all files", async () => {
    // So many that their list scrolls: a box that does takes the focus, too.
    const others = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`many/${index}.md`, "birds\n"]));
    const { id } = await create("Search", { "a/long/path.txt": "a cat\n", "b.txt": "no cats\n", "c.txt": "dogs\n", ...others });
    const page = await web.openPage(`/workspaces/${id}?file=c.txt`);
    await item(page, "b.txt").waitFor();
    await page.keyboard.press("Control+p");
    await page.locator("[role=combobox]:focus").waitFor();
    await page.keyboard.type("alpath");
    await page.getByRole("option", { name: "path.txt" }).waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL(/path\.txt/);
    await page.keyboard.press("Control+Shift+f");
    await page.getByRole("textbox", { name: "Search in files" }).fill("cat");
    await page.keyboard.press("Enter");
    await page.getByText("2 lines in 2 files.").waitFor();
    await page.getByRole("button", { name: "1 no cats" }).click();
    await page.waitForURL(/file=b\.txt&line=1&column=4|line=1/);
    await page.getByLabel("Replace with, as it is written").fill("bird");
    await page.getByRole("button", { name: "Replace …" }).click();
    await page.getByRole("button", { name: "Replace 2 places in 2 files" }).click();
    await page.locator(".cm-content").getByText("no birds").waitFor();
    expect(web.problems).toEqual([]);
  });

  it("offers again what was not saved, and shows large and binary files in part", async () => {
    const { id } = await create("Drafts", { "a.txt": "first\n", "b.bin": "\0\u0001bytes", "c.txt": "x".repeat(1024 * 1024 + 1) });
    const page = await web.openPage(`/workspaces/${id}?file=a.txt`);
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+Home");
    await page.keyboard.type("draft ");
    await page.getByRole("img", { name: "not saved" }).waitFor();
    page.on("dialog", (dialog) => void dialog.accept());
    await page.reload();
    await page.getByRole("button", { name: "Take it up" }).click();
    await page.locator(".cm-content").getByText("draft first").waitFor();
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await expect.poll(() => page.getByRole("img", { name: "not saved" }).count()).toBe(0);
    await item(page, "b.bin").click();
    await page.getByText("00000000  00 01 62 79").waitFor();
    await item(page, "c.txt").click();
    await page.getByRole("button", { name: "Show the beginning" }).click();
    await page.getByText("The first 1 MiB of").waitFor();
    expect(web.problems).toEqual([]);
  });

  it("marks what is wrong after a save, and formats", async () => {
    const { id } = await create("Wrong", {
      "a.py": "x = (\n",
      "b.py": "def  f( a ):\n  return {  'a':1 }\n",
      "c.js": "const  a = [1,2]\n",
    });
    const page = await web.openPage(`/workspaces/${id}?file=b.py`);
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+Shift+m");
    const problems = page.getByRole("region", { name: "Problems" }).last();
    await problems.getByRole("button", { name: "SyntaxError: '(' was never closed" }).click();
    await page.waitForURL(/file=a\.py.*line=1&column=5/);
    await page.locator(".cm-lintRange-error").waitFor();
    await expectAccessible(page, "problems");
    await page.keyboard.press("Control+a");
    await page.keyboard.type("x = 1");
    await page.keyboard.press("Control+s");
    await problems.getByText("Nothing is wrong").waitFor();
    await page.locator(".cm-lintRange-error").waitFor({ state: "detached" });

    await item(page, "b.py").click();
    await page.locator(".cm-content").getByText("def  f").waitFor();
    await page.keyboard.press("Shift+Alt+f");
    await page.locator(".cm-content").getByText("def f(a):").waitFor();
    await page.locator(".cm-content").getByText('return {"a": 1}').waitFor();
    await item(page, "c.js").click();
    await page.locator(".cm-content").getByText("const  a").waitFor();
    await page.keyboard.press("Shift+Alt+f");
    await page.locator(".cm-content").getByText("const a = [1, 2];").waitFor();
    expect(web.problems).toEqual([]);
  });

  it("has a terminal on the files, and what is changed there is saved", async () => {
    const { id } = await create("Shell", { "a.txt": "one\n", "gone.txt": "two\n", "run.sh": "true\n" });
    const page = await web.openPage(`/workspaces/${id}?file=a.txt`);
    await page.locator(".cm-content").getByText("one").waitFor();
    await page.keyboard.press("Control+Backquote");
    await page.getByRole("button", { name: "Start one" }).click();
    await page.locator(".xterm-rows").getByText("$").first().waitFor();
    await page.locator(".xterm-helper-textarea").focus();
    await page.keyboard.type("echo changed >> a.txt; mkdir -p new; echo made > new/b.txt; rm gone.txt; chmod +x run.sh; echo rea''dy\n");
    await page.locator(".xterm-rows").getByText("ready", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Save now" }).click();
    await page.getByText("4 files saved").waitFor();
    await item(page, "b.txt").waitFor();
    await item(page, "gone.txt").waitFor({ state: "detached" });
    await page.locator(".cm-content").getByText("changed").waitFor();
    await expectAccessible(page, "a terminal beside the files");
    expect(web.problems).toEqual([]);
  });

  it("uploads folders, and is usable on a phone", async () => {
    const { id } = await create("Upload", { "a.txt": "one\n" });
    using folder = createTemporaryDirectory();
    await mkdir(join(folder.path, "up", "deep"), { recursive: true });
    await writeFile(join(folder.path, "up", "deep", "x.txt"), "uploaded\n");
    const page = await web.openPage(`/workspaces/${id}`, { viewport: { width: 390, height: 800 } });
    await page.locator(".cm-content").getByText("one").waitFor();
    const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.getByRole("button", { name: "Upload a folder" }).click()]);
    await chooser.setFiles(join(folder.path, "up"));
    await page.getByText("1 file uploaded.").waitFor();
    await page.getByRole("button", { name: "Files", exact: true }).click();
    await item(page, "x.txt").click();
    await page.locator(".cm-content").getByText("uploaded").waitFor();
    await expectAccessible(page, "the editor on a phone");
    expect(web.problems).toEqual([]);
  });
});
