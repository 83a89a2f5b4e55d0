import { readFileSync } from "node:fs";
import { createPerson, execute, submit } from "@syla/testkit/runs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

let web: WebTest;
const password = "a long enough password";

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("share links in the browser", () => {
  beforeAll(async () => {
    web = await startWebTest();
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  async function choose(page: Page, allowed: boolean): Promise<void> {
    await page.goto("/admin/settings");
    const row = page.locator("[data-setting=anonymousLinks]");
    await row.getByRole("combobox").selectOption(allowed ? "true" : "false");
    await row.getByText("chosen here").waitFor();
    await expect.poll(() => row.getByRole("combobox").inputValue()).toBe(String(allowed));
  }

  /** Makes a link in the sharing dialog of the run's page. */
  async function makeLink(page: Page, id: string): Promise<string> {
    await page.goto(`/runs/${id}`);
    await page.getByRole("button", { name: "Share" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Share with").selectOption("link");
    await dialog.getByText(/view it without signing in/).waitFor();
    await dialog.getByLabel("Level", { exact: true }).selectOption("run");
    await dialog.getByRole("button", { name: "Make link" }).click();
    const link = new URL((await dialog.getByText(/\/share#syla_share_/).textContent()) ?? "");
    return link.pathname + link.hash;
  }

  it("open without signing in, show the live log and what was left, and end with the link", async () => {
    const owner = await web.openPage("/");
    await choose(owner, true);
    const run = await submit(web.server, {
      code: "for i in $(seq 600); do echo line $i; sleep 0.2; done",
      entrypoint: "count.sh",
      limits: { wallMs: 120_000 },
    });
    const path = await makeLink(owner, run.id);
    const asked: string[] = [];
    const guest = await web.openPage("/sign-in", { signedIn: false });
    guest.on("request", (request) => asked.push(request.url(), request.headers()["referer"] ?? ""));
    await guest.goto(path);
    await guest.getByRole("heading", { name: "count.sh" }).waitFor();
    await expect.poll(() => guest.locator(".log").textContent()).toContain("line 2");
    expect(await guest.getByRole("button", { name: "Cancel" }).count()).toBe(0);
    await guest.getByRole("link", { name: "Artifacts" }).click();
    await guest.getByText("Artifacts come when the run ends").waitFor();
    await guest.reload();
    await guest.getByText("Artifacts come when the run ends").waitFor();
    expect(asked.filter((url) => url.includes("syla_share_"))).toEqual([]);
    await guest.getByRole("link", { name: "Log" }).click();
    await expect.poll(() => guest.locator(".log").textContent()).toContain("line");
    await owner.getByRole("button", { name: /^Revoke syla_share/ }).click();
    await guest.getByText("share_link_invalid").first().waitFor();
    expect(await guest.locator(".log-row").count()).toBe(0);
    await web.server.send("POST", `/api/v1/runs/${run.id}/cancel`);
    expect(web.problems).toEqual([]);
  }, 180_000);

  it("let artifacts and the log be downloaded, and are kept by signing in", async () => {
    const person = await createPerson(web.server);
    const me = (await (await web.server.fetch("/api/v1/users/me", { headers: person })).json()) as { id: string; email: string };
    const { hashPassword } = await import("@syla/server/accounts/password");
    await web.server.context.database.queries
      .insertInto("accounts")
      .values({ id: `acct_${me.id}`, user_id: me.id, account_id: me.id, provider_id: "credential", password: await hashPassword(password) })
      .execute();
    const owner = await web.openPage("/");
    await choose(owner, true);
    const { id } = await execute(web.server, { code: "echo said; echo made > /output/a.txt", entrypoint: "make.sh" });
    const path = await makeLink(owner, id);
    const guest = await web.openPage(path, { signedIn: false });
    await expect.poll(() => guest.locator(".log").textContent()).toContain("said");
    const save = async (label: string) => {
      const [download] = await Promise.all([guest.waitForEvent("download"), guest.getByRole("button", { name: label }).click()]);
      return [download.suggestedFilename(), readFileSync(await download.path(), "utf8")];
    };
    expect(await save("Download the whole log")).toEqual([`${id}-all.log`, "said\n"]);
    await guest.getByRole("link", { name: "Artifacts" }).click();
    await guest.getByText("made").waitFor();
    expect(await save("Download a.txt")).toEqual(["a.txt", "made\n"]);
    await guest.getByRole("link", { name: "Sign in to run it" }).click();
    await guest.getByLabel("E-mail address").fill(me.email);
    expect(guest.url()).not.toContain("syla_share_");
    await guest.getByLabel("Password", { exact: true }).fill(password);
    await guest.getByRole("button", { name: "Sign in" }).click();
    await guest.getByRole("button", { name: "Open what was shared" }).click();
    await guest.waitForURL(`**/runs/${id}`);
    await guest.getByText("you can run again it").waitFor();
    expect(web.problems).toEqual([]);
  }, 180_000);

  it("ask to sign in while that is not allowed", async () => {
    const owner = await web.openPage("/");
    await choose(owner, true);
    const { id } = await execute(web.server, { code: "true", entrypoint: "quiet.sh" });
    const path = await makeLink(owner, id);
    await choose(owner, false);
    const guest = await web.openPage(path, { signedIn: false });
    await guest.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(guest.url()).not.toContain("syla_share_");
    await owner.goto(`/runs/${id}`);
    await owner.getByRole("button", { name: "Share" }).click();
    await owner.getByRole("dialog").getByLabel("Share with").selectOption("link");
    await owner.getByText(/for people who have an account here/).waitFor();
    expect(web.problems).toEqual([]);
  }, 180_000);

  it("show a program to look at, and are made anew when they are lost", async () => {
    const owner = await web.openPage("/");
    await choose(owner, true);
    const files = [
      { path: "README.md", content: "# Counting\n\nIt counts <b>everything</b>.\n" },
      { path: "src/main.sh", content: "echo counted" },
    ];
    const config = { runtime: "bash", entrypoint: "src/main.sh" };
    const made = await web.server.send("POST", "/api/v1/assets", { type: "program", name: "Counting", files, config });
    const { id } = (await made.json()) as { id: string };
    await web.server.send("POST", `/api/v1/assets/${id}/versions`, { version: "1.0.0", message: "The first one" });
    await owner.goto(`/programs/${id}?tab=sharing`);
    await owner.getByLabel("Share with").selectOption("link");
    await owner.getByRole("button", { name: "Make link" }).click();
    const read = async () => {
      const link = new URL(
        (await owner
          .getByText(/\/share#syla_share_/)
          .last()
          .textContent()) ?? "",
      );
      return link.pathname + link.hash;
    };
    const path = await read();
    const guest = await web.openPage(path, { signedIn: false });
    await guest.getByRole("heading", { name: "Counting", level: 1 }).waitFor();
    await guest.getByText("It counts <b>everything</b>.").waitFor();
    await guest.getByText("The first one").waitFor();
    await guest.getByRole("link", { name: "Files" }).click();
    await guest.getByRole("treeitem", { name: "main.sh" }).click();
    await guest.getByText("echo counted").waitFor();
    expect(await guest.getByRole("button", { name: /Run|Share|Edit|Clone/ }).count()).toBe(0);

    await owner.getByRole("button", { name: /^Copy link syla_share/ }).click();
    await owner.getByRole("button", { name: "Make it anew" }).click();
    await owner.getByText("Copy the link now. The one before leads nowhere any more.").waitFor();
    const next = await read();
    expect(next).not.toBe(path);
    await guest.reload();
    await guest.getByText("share_link_invalid").first().waitFor();
    expect(await guest.getByText("echo counted").count()).toBe(0);
    await guest.goto("/sign-in");
    await guest.goto(next);
    await guest.getByRole("heading", { name: "Counting", level: 1 }).waitFor();

    await owner.reload();
    await owner.getByLabel("Share with").selectOption("link");
    await owner.getByLabel("Only for people who sign in").check();
    await owner.getByRole("button", { name: "Make link" }).click();
    await owner.getByText("for people who sign in · redeemed by 0").waitFor();
    await guest.goto("/sign-up");
    await guest.goto(await read());
    await guest.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(web.problems).toEqual([]);
  }, 180_000);
});
