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

    await c.getByRole("treeitem", { name: "notes.md" }).click();
    await a.getByRole("button", { name: /Follow Cleo Ode/ }).click();
    await content(a).getByText("# Notes").waitFor();
    await c.getByRole("treeitem", { name: "main.sh" }).click();
    await content(a).getByText("echo one").waitFor();

    const d = await openAs(dora, path);
    await content(d).getByText("echo one by-ada").waitFor();
    await d.getByText("You may read this file").waitFor();
    await typeAt(d, 1, " hacked");
    await typeAt(c, 3, "!");
    await expect.poll(() => lines(d)).toEqual(["echo one by-ada", "echo two by-ben", "echo three by-cleo!", ""]);
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
