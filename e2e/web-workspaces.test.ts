import type { Workspace } from "@syla/contracts/workspaces";
import { startTestGitServer, type TestGitServer } from "@syla/testkit/git-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible } from "./accessible.ts";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

let git: TestGitServer;
let web: WebTest;

async function create(name: string, files: Readonly<Record<string, string>>): Promise<Workspace> {
  const me = await web.openPage("/");
  const cookies = await me.context().cookies();
  await me.close();
  const headers = { cookie: cookies.map(({ name: key, value }) => `${key}=${value}`).join("; "), origin: web.server.url };
  const body = { name, files: Object.entries(files).map(([path, content]) => ({ path, content })) };
  return (await (await web.server.send("POST", "/api/v1/workspaces", body, headers)).json()) as Workspace;
}

const change = (id: string, path: string, content: string) =>
  web.server.send("POST", `/api/v1/workspaces/${id}/files`, { changes: [{ op: "write", file: { path, content } }] }, { "if-match": "*" });

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("the workspace pages", () => {
  beforeAll(async () => {
    git = await startTestGitServer();
    web = await startWebTest({ SYLA_NETWORK_ALLOW_PRIVATE: new URL(git.url).host });
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
    await git?.[Symbol.asyncDispose]();
  });

  it("make a workspace, write a file in it, run that, and show what the run has left", async () => {
    const page = await web.openPage("/workspaces");
    await page.getByText("No workspace yet").waitFor();
    await page.getByRole("button", { name: "New workspace" }).click();
    await page.getByLabel("Name", { exact: true }).fill("My bench");
    await page.getByText("To try something").waitFor();
    await expectAccessible(page, "the dialog");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByRole("heading", { name: "My bench" }).waitFor();
    await page.getByRole("button", { name: "New file" }).click();
    await page.getByLabel("Path").fill("hello.sh");
    await page.getByRole("button", { name: "Create" }).click();
    await page.locator(".cm-content").click();
    await page.keyboard.type("echo hello | tee out.txt");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await expect.poll(() => page.getByRole("img", { name: "not saved" }).count()).toBe(0);
    await page.getByRole("button", { name: "Run", exact: true }).click();
    const output = page.getByRole("region", { name: "Output" });
    await output.getByText("Succeeded").waitFor();
    await page.getByRole("treeitem", { name: "out.txt" }).click();
    await page.locator(".cm-content").getByText("hello").waitFor();
    await page.getByRole("link", { name: "Versions" }).click();
    await page.getByText("Before the files of run_").waitFor();
    await page.getByText("out.txt").waitFor();
    await page.getByRole("link", { name: "Runs", exact: true }).last().click();
    await page.getByRole("link", { name: "hello.sh" }).waitFor();
    expect(web.problems).toEqual([]);
  });

  it("put together what two people write, and ask where both have changed the same", async () => {
    const { id } = await create("Shared", { "a.txt": "1\n2\n3\n4\n5\n" });
    const page = await web.openPage(`/workspaces/${id}`);
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+Home");
    await page.keyboard.type("mine ");
    await change(id, "a.txt", "1\n2\n3\n4\ntheirs\n");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.locator(".cm-content").getByText("theirs").waitFor();
    await page.locator(".cm-content").getByText("mine 1").waitFor();

    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+Home");
    await page.keyboard.type("again ");
    await change(id, "a.txt", "other\n2\n3\n4\ntheirs\n");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Somebody else has changed this" });
    await dialog.getByRole("heading", { name: "a.txt" }).waitFor();
    await dialog.getByRole("button", { name: "Keep mine" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.locator(".cm-content").getByText("again mine 1").waitFor();
    await expect.poll(() => page.getByRole("img", { name: "not saved" }).count()).toBe(0);
    expect(web.problems).toEqual([]);
  });

  it("let one follow a repository, say where both have changed the same, and follow it no more", async () => {
    const url = `${git.url}/tools.git`;
    const [first = ""] = git.create("tools", [{ files: { "a.txt": "there\n", "b.txt": "b\n" } }]);
    const { id } = await create("Follows", { "a.txt": "here\n" });
    const page = await web.openPage(`/workspaces/${id}?tab=settings`);
    const section = page.locator("section").filter({ has: page.getByRole("heading", { name: "Mirror of a git repository" }) });
    await section.getByLabel("Address").fill("file:///etc");
    await section.getByRole("button", { name: "Mirror", exact: true }).click();
    await section.getByText("git_url_invalid").waitFor();
    await section.getByLabel("Address").fill(url);
    await section.getByLabel("Branch").fill("main");
    await section.getByLabel("Every").selectOption({ label: "6 hours" });
    await expectAccessible(page, "the form of a mirror");
    await section.getByRole("button", { name: "Mirror", exact: true }).click();
    await section.getByText("Diverged").waitFor();
    await section.getByText('have both changed "a.txt"').waitFor();
    await expectAccessible(page, "a mirror that has diverged");
    await section.getByRole("button", { name: "Keep the workspace’s" }).click();
    await section.getByText("Following").waitFor();
    await section.getByText(`commit ${first.slice(0, 12)}`).waitFor();
    await section.getByText("6 hours", { exact: true }).waitFor();
    await page.getByRole("link", { name: "Files" }).first().click();
    await page.getByRole("treeitem", { name: "b.txt" }).waitFor();
    await page.goto(`/workspaces/${id}?tab=settings`);
    await section.getByRole("button", { name: "Change" }).click();
    await section.getByLabel("Branch").fill("none");
    await section.getByRole("button", { name: "Mirror", exact: true }).click();
    await section.getByText("Failing").waitFor();
    await section.getByText("git_ref_unknown").waitFor();
    await section.getByRole("button", { name: "Mirror now" }).click();
    await section.getByRole("button", { name: "Stop mirroring" }).click();
    await section.getByLabel("Address").waitFor();
    expect(web.problems).toEqual([]);
  });

  it("do the same with many, and can be used by everybody", async () => {
    for (const name of ["One", "Two", "Three"]) await create(name, { "a.txt": name });
    const page = await web.openPage("/workspaces?view=mine&q=T");
    await page.getByLabel("Select Two").check();
    await page.getByLabel("Select Three").check();
    await page.getByText("2 workspaces selected").waitFor();
    await expectAccessible(page, "the list");
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("link", { name: "Two" }).waitFor({ state: "detached" });
    await page.goto("/workspaces?view=deleted");
    await page.getByLabel("Select Two").check();
    await page.getByRole("button", { name: "Restore" }).click();
    await page.getByRole("link", { name: "Two" }).waitFor({ state: "detached" });
    const narrow = await web.openPage("/workspaces", { viewport: { width: 390, height: 800 } });
    await narrow.getByRole("link", { name: "Two" }).waitFor();
    await expectAccessible(narrow, "the list on a phone");
    await narrow.getByRole("link", { name: "Two" }).click();
    for (const tab of ["Files", "Versions", "Runs", "Sharing", "Settings"]) {
      await narrow.getByRole("navigation", { name: "Workspace" }).getByRole("link", { name: tab }).click();
      await narrow.waitForLoadState("networkidle");
      await expectAccessible(narrow, tab);
    }
    expect(web.problems).toEqual([]);
  });
});
