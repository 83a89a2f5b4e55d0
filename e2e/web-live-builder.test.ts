import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CompositionGraph, CreatedComposition } from "@syla/contracts/compositions";
import { createPerson } from "@syla/testkit/runs";
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible } from "./accessible.ts";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";
import { startCuttableProxy } from "./cuttable-proxy.ts";

let web: WebTest;
let ownerHeaders: Record<string, string>;
const password = "a long enough password";
const example: unknown = JSON.parse(
  readFileSync(join(import.meta.dirname, "../examples/compositions/summarise-verify-decide.json"), "utf8"),
);

interface Someone {
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
  return { email: me.email };
}

async function openAs({ email }: Someone, id: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await web.openPage(`/compositions/${id}`, { signedIn: false, ...options });
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await canvas(page).waitFor();
  return page;
}

async function openAsOwner(id: string): Promise<Page> {
  const page = await web.openPage(`/compositions/${id}`);
  await canvas(page).waitFor();
  return page;
}

async function create(name: string): Promise<string> {
  const answer = await web.server.send("POST", "/api/v1/compositions", { name, document: example }, ownerHeaders);
  return ((await answer.json()) as CreatedComposition).asset.id;
}

async function share(id: string, { email }: Someone, level: "view" | "edit"): Promise<string> {
  const answer = await web.server.send("POST", "/api/v1/grants", { resourceType: "asset", resourceId: id, email, level }, ownerHeaders);
  return ((await answer.json()) as { id: string }).id;
}

async function readGraph(id: string): Promise<CompositionGraph> {
  return (await (await web.server.fetch(`/api/v1/compositions/${id}/graph`, { headers: ownerHeaders })).json()) as CompositionGraph;
}

const canvas = (page: Page) => page.getByRole("application", { name: "The graph" });
const node = (page: Page, name: string) => page.locator(".react-flow__node").filter({ hasText: name }).first();
const saved = (page: Page) => page.locator('[data-save="saved"]').waitFor();
const form = (page: Page) => page.getByRole("region", { name: "Configuration" });
const label = (page: Page) => form(page).getByLabel("Label", { exact: true });
const pointer = (page: Page, name: string) => page.locator(`.drawer-pointer[data-name="${name}"]`);

async function choose(page: Page, name: string): Promise<void> {
  await node(page, name).click();
  await form(page).waitFor();
}

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("a composition that people draw together", () => {
  beforeAll(async () => {
    web = await startWebTest();
    const me = await web.openPage("/");
    const cookies = await me.context().cookies();
    await me.close();
    ownerHeaders = { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join("; "), origin: web.server.url };
  });
  afterAll(async () => {
    await web[Symbol.asyncDispose]();
  });

  it("shows each the others, what they choose and what they draw, and takes back one's own", async () => {
    const [ben, id] = [await makePerson("Ben Okafor"), await create("Together")];
    await share(id, ben, "edit");
    const [mine, his] = [await openAsOwner(id), await openAs(ben, id)];
    await mine
      .getByRole("list", { name: "Also here" })
      .getByRole("button", { name: /Ben Okafor/ })
      .waitFor();
    await choose(his, "Summarise");
    await mine.locator(".drawer-frame").filter({ hasText: "Ben Okafor" }).waitFor();
    const box = await canvas(his).boundingBox();
    await his.mouse.move((box?.x ?? 0) + 300, (box?.y ?? 0) + 80);
    await pointer(mine, "Ben Okafor").waitFor();

    // Different fields and different nodes, at once.
    await choose(mine, "Is it faithful?");
    await label(mine).fill("Checked by Ada");
    await label(his).fill("Summarised by Ben");
    await node(his, "Checked by Ada").waitFor();
    await node(mine, "Summarised by Ben").waitFor();
    await saved(mine);
    await saved(his);

    // A node that one deletes is gone for the other, with its wires.
    const wires = await mine.locator(".react-flow__edge").count();
    await node(his, "Decide").click();
    await his.keyboard.press("Delete");
    await node(mine, "Decide").waitFor({ state: "detached" });
    await expect.poll(() => mine.locator(".react-flow__edge").count()).toBeLessThan(wires);
    // Each takes back their own.
    await mine.getByRole("button", { name: "Undo" }).click();
    await node(his, "Is it faithful?").waitFor();
    await node(mine, "Summarised by Ben").waitFor();
    expect(await node(mine, "Decide").count()).toBe(0);
    await his.getByRole("button", { name: "Undo" }).click();
    await node(mine, "Decide").waitFor();
    await expect.poll(() => mine.locator(".react-flow__edge").count()).toBe(wires);
    await saved(his);
    await saved(mine);
    const labels = (await readGraph(id)).graph.nodes.map((each) => each.label);
    expect(labels).toContain("Summarised by Ben");
    await expectAccessible(mine, "a composition that two people draw");
    await his.context().close();
    await mine.getByRole("list", { name: "Also here" }).waitFor({ state: "detached" });
    await expect.poll(() => mine.locator(".drawer-frame").count()).toBe(0);
  });

  it("shows what somebody moves while they move it, and saves it when they let it go", async () => {
    const [ben, id] = [await makePerson("Ben Okafor"), await create("Moved")];
    await share(id, ben, "edit");
    const [mine, his] = [await openAsOwner(id), await openAs(ben, id)];
    for (const page of [mine, his]) await page.locator(".react-flow__edge").nth(10).waitFor();
    const placeOf = async () => (await readGraph(id)).graph.nodes.find((each) => each.label === "Summarise")?.position;
    const path = (page: Page) => page.locator(".react-flow__edge-path").evaluateAll((paths) => paths.map((each) => each.getAttribute("d")));
    const placed = async (page: Page) => await node(page, "Summarise").getAttribute("style");
    const [before, where, wires] = [await placeOf(), await placed(mine), await path(mine)];
    const box = await node(his, "Summarise").locator(".flow-node-title").boundingBox();
    if (box === null) throw new Error("no node");
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await his.mouse.move(x, y);
    await his.mouse.down();
    await his.mouse.move(x + 20, y + 60, { steps: 4 });
    await his.mouse.move(x + 30, y + 120, { steps: 4 });
    await expect.poll(() => placed(mine)).not.toBe(where);
    const transform = async (page: Page) => /translate\([^)]*\)/.exec((await placed(page)) ?? "")?.[0];
    await expect.poll(async () => (await transform(mine)) === (await transform(his))).toBe(true);
    expect(await path(mine)).not.toEqual(wires);
    // What he has chosen is framed, wherever it goes.
    const frame = async () => (await mine.locator(".drawer-frame").filter({ hasText: "Ben Okafor" }).boundingBox())?.y ?? 0;
    const top = async () => (await node(mine, "Summarise").boundingBox())?.y ?? 0;
    await expect.poll(async () => Math.abs((await frame()) - (await top())) < 8).toBe(true);
    // Nothing of it is saved yet, nor is it a step of anybody's.
    expect(await placeOf()).toEqual(before);
    expect(await mine.getByRole("button", { name: "Undo" }).isDisabled()).toBe(true);
    await his.mouse.up();
    await saved(his);
    await expect.poll(placeOf).not.toEqual(before);
    const after = await placeOf();
    await expect.poll(() => transform(mine)).toBe(`translate(${after?.x}px, ${after?.y}px)`);
    await his.getByRole("button", { name: "Undo" }).click();
    await expect.poll(() => placed(mine)).toBe(where);
    await expect.poll(placeOf).toEqual(before);
  });

  it("puts letters together that two type into one field, and leaves the carets where they are", async () => {
    const [ben, id] = [await makePerson("Ben Okafor"), await create("Letters")];
    await share(id, ben, "edit");
    const [mine, his] = [await openAsOwner(id), await openAs(ben, id)];
    await choose(mine, "Summarise");
    await choose(his, "Summarise");
    await label(mine).focus();
    await mine.keyboard.press("Home");
    await label(his).focus();
    await his.keyboard.press("End");
    for (const letter of "abc") {
      await mine.keyboard.type(letter);
      await his.keyboard.type(letter.toUpperCase());
    }
    await expect.poll(() => label(mine).inputValue()).toBe("abcSummariseABC");
    await expect.poll(() => label(his).inputValue()).toBe("abcSummariseABC");
    await saved(mine);
    await saved(his);
    expect((await readGraph(id)).graph.nodes.map((each) => each.label)).toContain("abcSummariseABC");
  });

  it("lets a viewer look on, and one whose right is taken back draw no more", async () => {
    const [ben, eve, id] = [await makePerson("Ben Okafor"), await makePerson("Eve Lindt"), await create("Guarded")];
    const grantId = await share(id, ben, "edit");
    await share(id, eve, "view");
    const [his, hers] = [await openAs(ben, id), await openAs(eve, id)];
    await hers.getByText("Read only").waitFor();
    await choose(his, "Summarise");
    await label(his).fill("By Ben");
    await node(hers, "By Ben").waitFor();
    await saved(his);
    await web.server.send("PATCH", `/api/v1/grants/${grantId}`, { level: "view" }, ownerHeaders);
    await label(his).fill("Too late");
    const alert = his.getByRole("alert").filter({ hasText: "You may not change this composition any more." });
    await alert.waitFor();
    expect((await readGraph(id)).graph.nodes.map((each) => each.label)).toContain("By Ben");
    await alert.getByRole("button", { name: "Open it anew" }).click();
    await his.getByText("Read only").waitFor();
    await node(his, "By Ben").waitFor();
    await web.server.send("DELETE", `/api/v1/grants/${grantId}`, undefined, ownerHeaders);
    await his.getByRole("alert").filter({ hasText: "You cannot open this composition any more." }).waitFor();
  });

  it("takes in what a script saves, and draws on without a connection", async () => {
    const [ben, id] = [await makePerson("Ben Okafor"), await create("Cut")];
    await share(id, ben, "edit");
    const proxy = await startCuttableProxy(web.server.url);
    try {
      const mine = await web.openPage(`/compositions/${id}`, { origin: proxy.url });
      await canvas(mine).waitFor();
      const his = await openAs(ben, id);
      await choose(mine, "Summarise");
      await choose(his, "Is it faithful?");
      proxy.refuse();
      proxy.cut();
      await label(mine).fill("Drawn alone");
      await mine.locator('[data-save="saving"]').waitFor();
      await label(his).fill("Drawn meanwhile");
      await saved(his);
      const now = await readGraph(id);
      const nodes = now.graph.nodes.map((each) => (each.label === "Decide" ? { ...each, label: "By a script" } : each));
      const headers = { ...ownerHeaders, "if-match": `"${now.revision}"` };
      const put = await web.server.send("PUT", `/api/v1/compositions/${id}/graph`, { graph: { ...now.graph, nodes } }, headers);
      expect(put.status).toBe(200);
      await node(his, "By a script").waitFor();
      proxy.restore();
      const titles = ["Drawn alone", "Drawn meanwhile", "By a script"];
      for (const page of [mine, his]) for (const title of titles) await node(page, title).waitFor();
      await saved(mine);
      expect((await readGraph(id)).graph.nodes.map((each) => each.label)).toEqual(expect.arrayContaining(titles));
    } finally {
      await proxy.close();
    }
  });
});
