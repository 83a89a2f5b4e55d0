import type { Workspace } from "@syla/contracts/workspaces";
import { createPerson } from "@syla/testkit/runs";
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible } from "./accessible.ts";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";
import { startCuttableProxy } from "./cuttable-proxy.ts";

let web: WebTest;
let ownerHeaders: Record<string, string>;
const password = "a long enough password";

interface Someone {
  readonly name: string;
  readonly email: string;
}

/** Somebody with a name and a password. */
async function makePerson(name: string): Promise<Someone> {
  const person = await createPerson(web.server);
  const me = (await (await web.server.fetch("/api/v1/users/me", { headers: person })).json()) as { id: string; email: string };
  const { hashPassword } = await import("@syla/server/accounts/password");
  const { queries } = web.server.context.database;
  await queries.updateTable("users").set({ name }).where("id", "=", me.id).execute();
  await queries
    .insertInto("accounts")
    .values({ id: `acct_${me.id}`, user_id: me.id, account_id: me.id, provider_id: "credential", password: await hashPassword(password) })
    .execute();
  return { name, email: me.email };
}

async function openAs({ email }: Someone, path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await web.openPage(path, { signedIn: false, ...options });
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  return page;
}

async function create(name: string, files: Readonly<Record<string, string>>): Promise<Workspace> {
  const body = { name, kind: "collaborative", files: Object.entries(files).map(([path, content]) => ({ path, content })) };
  return (await (await web.server.send("POST", "/api/v1/workspaces", body, ownerHeaders)).json()) as Workspace;
}

async function share(id: string, { email }: Someone, level: "view" | "edit"): Promise<string> {
  const answer = await web.server.send("POST", "/api/v1/grants", { resourceType: "workspace", resourceId: id, email, level }, ownerHeaders);
  return ((await answer.json()) as { id: string }).id;
}

/** What the file holds at rest. */
async function fileText(id: string, path: string): Promise<string> {
  return await (await web.server.fetch(`/api/v1/workspaces/${id}/file?path=${path}`, { headers: ownerHeaders })).text();
}

const content = (page: Page) => page.locator(".cm-content");
const tags = async (page: Page) => (await page.locator(".cm-person").allTextContents()).toSorted();
/** The lines as somebody reads them, without the names of others. */
const lines = (page: Page) =>
  page.evaluate<string[]>(
    `[...document.querySelectorAll(".cm-line")].map((line) => { const copy = line.cloneNode(true); copy.querySelectorAll(".cm-person, .cm-ySelectionCaret").forEach((one) => one.remove()); return copy.textContent; })`,
  );

/** Puts the cursor at the end of a line and types. */
async function typeAt(page: Page, line: number, text: string): Promise<void> {
  await content(page).click();
  await page.keyboard.press("Control+Home");
  for (let count = 1; count < line; count += 1) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("End");
  await page.keyboard.type(text);
}

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("files that people edit together", () => {
  beforeAll(async () => {
    web = await startWebTest();
    const me = await web.openPage("/");
    const cookies = await me.context().cookies();
    await me.close();
    ownerHeaders = { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join("; "), origin: web.server.url };
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("show three people each other's words and cursors, and what one of them runs; who may not write any more is told", async () => {
    const [ben, cleo, dora] = [await makePerson("Ben Marsh"), await makePerson("Cleo Ode"), await makePerson("Dora Reader")];
    const { id } = await create("Together", { "main.sh": "echo one\necho two\necho three\n", "notes.md": "# Notes\n" });
    const grant = await share(id, ben, "edit");
    await share(id, cleo, "edit");
    await share(id, dora, "view");
    const path = `/workspaces/${id}?file=main.sh`;
    const a = await web.openPage(path);
    const b = await openAs(ben, path, { colorScheme: "dark" });
    const c = await openAs(cleo, path);
    for (const page of [a, b, c]) await content(page).getByText("echo three").waitFor();
    await typeAt(a, 1, " by-ada");
    await typeAt(b, 2, " by-ben");
    await typeAt(c, 3, " by-cleo");
    const written = ["echo one by-ada", "echo two by-ben", "echo three by-cleo", ""];
    for (const page of [a, b, c]) await expect.poll(() => lines(page)).toEqual(written);
    await expect.poll(() => tags(a)).toEqual(["Ben Marsh", "Cleo Ode"]);
    await expect.poll(() => tags(b)).toEqual(["Ada Lovelace", "Cleo Ode"]);
    await a.getByRole("img", { name: "open with Ben Marsh, Cleo Ode" }).waitFor();
    await a.getByText("Saved", { exact: true }).waitFor();
    await expectAccessible(a, "a file that three people edit");
    await expectAccessible(b, "the same, dark");

    await b.getByRole("button", { name: "Run", exact: true }).click();
    for (const page of [a, b, c]) await page.getByRole("region", { name: "Output" }).getByText("three by-cleo").waitFor();
    await a.getByText("Ben Marsh has run this").waitFor();
    expect(await b.getByText("has run this").count()).toBe(0);
    await expectAccessible(a, "what somebody else runs");

    // Whoever looks at something else in the panel is not taken back.
    await a.getByRole("group", { name: "Panels" }).getByRole("button", { name: "Problems" }).click();
    await a.locator('section[aria-label="Problems"]').waitFor();
    await typeAt(c, 3, "!");
    await expect.poll(() => lines(a)).toContain("echo three by-cleo!");
    await a.locator('section[aria-label="Problems"]').waitFor();
    await a.getByRole("group", { name: "Panels" }).getByRole("button", { name: "Output" }).click();

    const d = await openAs(dora, path);
    await content(d).getByText("echo one by-ada").waitFor();
    await d.getByText("You may read this file").waitFor();
    await typeAt(d, 1, " hacked");
    await typeAt(c, 3, "!");
    await expect.poll(() => lines(d)).toEqual(["echo one by-ada", "echo two by-ben", "echo three by-cleo!!", ""]);
    expect(await lines(a)).toEqual(await lines(d));

    await web.server.send("PATCH", `/api/v1/grants/${grant}`, { level: "view" }, ownerHeaders);
    await typeAt(b, 2, "?");
    await b.getByText("What you have written since is only here.").waitFor();
    await b.getByRole("button", { name: "Discard and reload" }).click();
    await expect.poll(() => lines(b)).toEqual(await lines(a));
    await b.getByText("You may read this file").waitFor();
    await web.server.send("DELETE", `/api/v1/grants/${grant}`, undefined, ownerHeaders);
    await b.getByText("Your access to this workspace has ended").waitFor();
    expect(web.problems).toEqual([]);
  }, 240_000);

  it("are followed to where somebody is, until the viewer writes, points or scrolls", async () => {
    const cleo = await makePerson("Cleo Ode");
    const long = Array.from({ length: 400 }, (_, index) => `line ${index + 1}\n`).join("");
    const { id } = await create("Followed", { "a.txt": "short\n", "long.txt": long, "notes.md": "# Notes\n" });
    await share(id, cleo, "edit");
    const a = await web.openPage(`/workspaces/${id}?file=a.txt`);
    const c = await openAs(cleo, `/workspaces/${id}?file=notes.md`);
    for (const page of [a, c]) await content(page).waitFor();
    const follow = a.getByRole("button", { name: /Follow Cleo Ode/ });
    const stop = a.getByRole("button", { name: /Stop following Cleo Ode/ });
    await follow.click();
    await content(a).getByText("# Notes").waitFor();
    await a.getByText("Following Cleo Ode until you type or scroll").waitFor();
    await c.getByRole("treeitem", { name: "long.txt" }).click();
    await expect.poll(() => lines(c)).toContain("line 1");
    await content(c).click();
    await c.keyboard.press("Control+End");
    await c.keyboard.type("the end");
    await expect.poll(() => lines(a)).toContain("the end");
    await c.keyboard.press("Control+Home");
    await c.keyboard.type("the top ");
    await expect.poll(() => lines(a)).toContain("the top line 1");
    await expectAccessible(a, "a file in which somebody is followed");
    // The wheel ends it: what they do then moves nothing here.
    await content(a).hover();
    await a.mouse.wheel(0, 2000);
    await follow.waitFor();
    await expect.poll(() => lines(a)).toContain("line 110");
    await c.keyboard.press("Control+End");
    await c.keyboard.type(" again");
    await c.getByText("Saved", { exact: true }).waitFor();
    await expect.poll(() => fileText(id, "long.txt")).toContain("the end again");
    expect(await lines(a)).not.toContain("the end again");
    // So does a key.
    await follow.click();
    await expect.poll(() => lines(a)).toContain("the end again");
    await content(a).focus();
    await a.keyboard.press("ArrowUp");
    await follow.waitFor();
    // And another file.
    await follow.click();
    await stop.waitFor();
    await a.getByRole("treeitem", { name: "a.txt" }).click();
    await content(a).getByText("short").waitFor();
    await follow.waitFor();
    expect(new URL(a.url()).searchParams.get("file")).toBe("a.txt");
    expect(web.problems).toEqual([]);
  }, 120_000);

  it("go to lines, and are laid out, as other files do", async () => {
    const { id } = await create("Lines", { "a.json": '{"a":1,\n"b":2}\n', "long.txt": "x\n".repeat(300) + "needle\n" });
    const ben = await makePerson("Ben Marsh");
    await share(id, ben, "edit");
    const [a, b] = [await web.openPage(`/workspaces/${id}?file=long.txt&line=301`), await openAs(ben, `/workspaces/${id}?file=a.json`)];
    await content(a).getByText("needle").waitFor();
    await content(b).getByText('"b":2').waitFor();
    await a.getByRole("treeitem", { name: "a.json" }).click();
    await content(a).getByText('"b":2').waitFor();
    await a.getByRole("button", { name: /^Format/ }).click();
    for (const page of [a, b]) await expect.poll(() => lines(page)).toEqual(['{ "a": 1, "b": 2 }', ""]);
    await content(a).click();
    await a.keyboard.press("Control+z");
    for (const page of [a, b]) await expect.poll(() => lines(page)).toEqual(['{"a":1,', '"b":2}', ""]);
    expect(web.problems).toEqual([]);
  }, 120_000);

  it("stay open where somebody else deletes them, and can be put back", async () => {
    const ben = await makePerson("Ben Marsh");
    const { id } = await create("Deleted", { "a.txt": "first\n", "b.txt": "other\n" });
    await share(id, ben, "edit");
    const a = await web.openPage(`/workspaces/${id}`);
    const b = await openAs(ben, `/workspaces/${id}`);
    for (const page of [a, b]) await content(page).getByText("first").waitFor();
    await typeAt(a, 1, " and more");
    await a.getByText("Saved", { exact: true }).waitFor();
    await b.getByRole("treeitem", { name: "a.txt" }).press("Delete");
    await content(b).getByText("other").waitFor();
    await a.getByText("Somebody has deleted this file.").waitFor();
    await typeAt(a, 1, " and after");
    await expectAccessible(a, "a file that somebody has deleted");
    await a.getByRole("button", { name: "Put it back" }).click();
    await expect.poll(() => a.getByText("Somebody has deleted this file.").count()).toBe(0);
    await expect.poll(() => fileText(id, "a.txt")).toBe("first and more and after\n");
    await b.getByRole("treeitem", { name: "a.txt" }).click();
    await expect.poll(() => lines(b)).toEqual(["first and more and after", ""]);
    expect(web.problems).toEqual([]);
  }, 120_000);

  it("put together what is written without a connection and what others write meanwhile", async () => {
    const ben = await makePerson("Ben Marsh");
    const { id } = await create("Apart", { "a.txt": "first\nlast\n" });
    await share(id, ben, "edit");
    const proxy = await startCuttableProxy(web.server.url);
    try {
      const a = await web.openPage(`/workspaces/${id}`, { origin: proxy.url });
      const b = await openAs(ben, `/workspaces/${id}`);
      for (const page of [a, b]) await content(page).getByText("last").waitFor();
      await typeAt(a, 1, " here");
      await expect.poll(() => lines(b)).toEqual(["first here", "last", ""]);
      proxy.refuse();
      proxy.cut();
      await a.getByText(/^Connecting/).waitFor();
      await typeAt(a, 1, " and offline");
      await a.getByText("No connection: what you write is kept here").waitFor();
      await typeAt(b, 2, " of them");
      await typeAt(b, 1, " by ben");
      proxy.restore();
      await a.getByText("Saved", { exact: true }).waitFor();
      const words = ["first here", " and offline", " by ben"];
      const first = async (page: Page) => (await lines(page))[0] ?? "";
      const hasAll = (line: string) => words.every((word) => line.includes(word));
      for (const page of [a, b]) await expect.poll(async () => hasAll(await first(page))).toBe(true);
      expect(await lines(a)).toEqual(await lines(b));
      expect((await lines(a))[1]).toBe("last of them");
      expect(web.problems.filter((problem) => !problem.includes("WebSocket"))).toEqual([]);
    } finally {
      await proxy.close();
    }
  }, 120_000);
});
