import type { Grant } from "@syla/contracts/access";
import { createPerson, submit } from "@syla/testkit/runs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

let web: WebTest;
const password = "a long enough password";

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("sharing in the browser", () => {
  beforeAll(async () => {
    web = await startWebTest();
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  /** Another person, who signs in in a browser of their own. */
  async function openAs(email: string, path: string) {
    const page = await web.openPage(path, { signedIn: false });
    await page.getByLabel("E-mail address").fill(email);
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    return page;
  }

  async function givePassword(person: { authorization: string }): Promise<string> {
    const me = (await (await web.server.fetch("/api/v1/users/me", { headers: person })).json()) as { id: string; email: string };
    const { hashPassword } = await import("@syla/server/accounts/password");
    await web.server.context.database.queries
      .insertInto("accounts")
      .values({ id: `acct_${me.id}`, user_id: me.id, account_id: me.id, provider_id: "credential", password: await hashPassword(password) })
      .execute();
    return me.email;
  }

  it("tells another person at once, who follows the live log until it is taken back", async () => {
    const email = await givePassword(await createPerson(web.server));
    const owner = await web.openPage("/");
    const other = await openAs(email, "/");
    await other.getByRole("button", { name: "Notifications", exact: true }).waitFor();
    const run = await submit(web.server, {
      code: "for i in $(seq 600); do echo line $i; sleep 0.2; done",
      entrypoint: "count.sh",
      limits: { wallMs: 120_000 },
    });
    await owner.goto(`/runs/${run.id}`);
    await owner.getByRole("button", { name: "Share" }).click();
    const dialog = owner.getByRole("dialog");
    await dialog.getByLabel("E-mail address").fill(email);
    await dialog.getByRole("button", { name: "Share", exact: true }).click();
    await dialog.getByText("shared directly").waitFor();

    await other.getByRole("button", { name: "Notifications, 1 unread" }).click();
    await other.getByRole("link", { name: /has shared “count.sh” with you/ }).click();
    await expect.poll(() => other.locator(".log").textContent()).toContain("line");
    expect(await other.getByRole("button", { name: "Share" }).count()).toBe(0);

    await dialog.getByRole("button", { name: `Revoke ${email}` }).click();
    await dialog.getByText("Shared with nobody yet.").waitFor();
    await other.getByText("not_found").first().waitFor();
    expect(await other.locator(".log-row").count()).toBe(0);
    await other.goto("/runs?owner=shared");
    await other.getByText("No run matches these filters").waitFor();
    await other.getByRole("button", { name: "Notifications", exact: true }).waitFor();
    await web.server.send("POST", `/api/v1/runs/${run.id}/cancel`);
    expect(web.problems).toEqual([]);
  }, 180_000);

  it("lets a team be made, joined by a link, and shared with", async () => {
    const email = await givePassword(await createPerson(web.server));
    const owner = await web.openPage("/teams");
    await owner.getByLabel("Name", { exact: true }).fill("Compilers");
    await owner.getByRole("button", { name: "Create team" }).click();
    await owner.getByRole("heading", { name: "Compilers" }).waitFor();
    await owner.getByLabel("E-mail address").fill(email);
    await owner.getByRole("button", { name: "Invite" }).click();
    const link = (await owner.getByText(/\/teams\/join#/).textContent()) ?? "";
    const other = await openAs(email, new URL(link).pathname + new URL(link).hash);
    await other.getByRole("button", { name: "Join" }).click();
    await other.getByRole("heading", { name: "Compilers" }).waitFor();
    await owner.reload();
    await owner.getByText(email).first().waitFor();
    await other.getByRole("button", { name: "Leave" }).click();
    await other.getByText("You are in no team yet").waitFor();
    expect(web.problems).toEqual([]);
  });

  it("changes how far and how long in place, says who has it and why, and hands over what no mail brings", async () => {
    const files = [{ path: "main.sh", content: "echo 1" }];
    const made = await web.server.send("POST", "/api/v1/assets", { type: "program", name: "Counting", files });
    const { id } = (await made.json()) as { id: string };
    const page = await web.openPage(`/programs/${id}?tab=sharing`);
    const email = "nobody@example.org";
    await page.getByLabel("E-mail address").fill(email);
    await page.getByRole("button", { name: "Share", exact: true }).last().click();
    const notice = page.getByRole("status").filter({ hasText: `Shared with ${email}.` });
    await notice.getByText("This server sends no mail").waitFor();
    await page.evaluate("navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }");
    await notice.getByRole("button", { name: "Copy the address of the page" }).click();
    expect(await page.evaluate("window.copied")).toBe(`${web.server.url}/programs/${id}`);
    const grant = async () => {
      const answer = await web.server.fetch(`/api/v1/grants?resourceType=asset&resourceId=${id}`);
      return ((await answer.json()) as { items: Grant[] }).items[0];
    };
    await page.getByLabel(`Level of ${email}`).selectOption("edit");
    await expect.poll(async () => (await grant())?.level).toBe("edit");
    await page.getByRole("button", { name: `End of ${email}` }).click();
    await page.getByLabel(`Access of ${email}`, { exact: true }).selectOption("at");
    await page.getByLabel(`Access of ${email}: day and time`).fill("2041-05-06T07:08");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await expect.poll(async () => (await grant())?.expiresAt).toBe(new Date("2041-05-06T07:08").toISOString());
    await page.getByText(/shared directly, until 6 May 2041/).waitFor();
    await page.getByRole("button", { name: `End of ${email}` }).click();
    await page.getByLabel(`Access of ${email}`, { exact: true }).selectOption("never");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await expect.poll(async () => (await grant())?.expiresAt).toBe(null);
    expect((await grant())?.level).toBe("edit");
    await page.getByText("Ada Lovelace (you)").waitFor();
    await page.getByLabel("Visibility").selectOption("public");
    await page.getByText("it is public").waitFor();
    expect(web.problems).toEqual([]);
  });
});
