import { notify } from "@syla/server/notifications/service";
import { createPerson } from "@syla/testkit/runs";
import type { Quota } from "@syla/contracts/quotas";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

let web: WebTest;

const tell = async (page: Page, title: string) => {
  const { id } = (await (await page.request.get("/api/v1/users/me")).json()) as { id: string };
  await web.server.context.database.queries
    .transaction()
    .execute((work) => notify(work, { userId: id, type: "run_finished", title, link: "/runs" }));
};

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("notifications and administration in the browser", () => {
  beforeAll(async () => {
    web = await startWebTest({ SYLA_WORKER_SLOTS: "0" });
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("the bell counts what comes, without a reload, and the list reads and deletes it", async () => {
    const page = await web.openPage("/");
    await page.getByRole("button", { name: "Notifications", exact: true }).waitFor();
    await tell(page, "main.py failed");
    await tell(page, "other.py failed");
    await page.getByRole("button", { name: "Notifications, 2 unread" }).click();
    await page.getByRole("link", { name: "other.py failed" }).click();
    await page.getByRole("heading", { name: "Runs", level: 1 }).waitFor();
    await page.getByRole("button", { name: "Notifications, 1 unread" }).waitFor();
    await page.goto("/notifications?show=unread");
    await page.getByRole("link", { name: "main.py failed" }).waitFor();
    expect(await page.getByText("other.py failed").count()).toBe(0);
    await page.getByRole("button", { name: "Mark all as read" }).click();
    await page.getByText("Nothing matches these filters").waitFor();
    await page.getByRole("button", { name: "Notifications", exact: true }).waitFor();
    await page.getByRole("button", { name: "Unread", exact: true }).click();
    await page.getByRole("button", { name: "Delete “main.py failed”" }).click();
    await page.getByText("main.py failed").waitFor({ state: "detached" });
    expect(web.problems).toEqual([]);
  });

  it("what lies above a page comes and goes by mouse and keyboard: the text of an icon, the bell, the account", async () => {
    const page = await web.openPage("/");
    const icon = page.getByRole("button", { name: "Keyboard shortcuts" });
    const tip = page.getByRole("tooltip").getByText("Keyboard shortcuts");
    await icon.hover();
    await tip.waitFor();
    await page.keyboard.press("Escape");
    await tip.waitFor({ state: "detached" });
    await page.getByRole("banner").getByRole("link", { name: "New run" }).focus();
    await page.keyboard.press("Tab");
    await tip.waitFor();
    const bell = page.getByRole("button", { name: "Notifications", exact: true });
    await bell.click();
    await tip.waitFor({ state: "detached" });
    const newest = page.getByRole("dialog", { name: "Notifications" });
    await newest.getByText("All notifications").waitFor();
    await page.keyboard.press("Escape");
    await newest.waitFor({ state: "hidden" });
    expect(await page.evaluate("document.activeElement?.getAttribute('aria-label')")).toBe("Notifications");
    await page.getByRole("button", { name: /account of/ }).click();
    await page.getByRole("menuitem", { name: "Profile" }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Settings" }).waitFor();
    expect(web.problems).toEqual([]);
  });

  it("preferences are kept", async () => {
    const page = await web.openPage("/settings/notifications");
    await page.getByRole("checkbox", { name: "A new version of what you use: E-mail" }).waitFor();
    expect(await page.getByText("Somebody mentions you").count()).toBe(0);
    await page.getByText("They are off.").waitFor();
    await page.getByRole("button", { name: "Turn on" }).click();
    await page.getByText("Quiet from 22:00 to 07:00, UTC.").waitFor();
    await page.getByLabel("Address").fill("http://10.0.0.1/");
    await page.getByRole("button", { name: "Save", exact: true }).last().click();
    await page.getByRole("alert").filter({ hasText: "webhook_refused" }).waitFor();
    await page.reload();
    await page.getByText("Quiet from 22:00 to 07:00, UTC.").waitFor();
  });

  it("an administrator announces, acts as somebody and stops, suspends and deletes", async () => {
    const person = await createPerson(web.server);
    const { id } = (await (await web.server.fetch("/api/v1/users/me", { headers: person })).json()) as { id: string };
    const page = await web.openPage("/admin/announcements");
    await page.getByLabel("Title").fill("Maintenance at noon");
    await page.getByRole("button", { name: "Announce" }).click();
    await page.getByRole("button", { name: "Close “Maintenance at noon”" }).click();
    await page.getByRole("button", { name: "Take down Maintenance at noon" }).click();
    await page.getByText("No announcement").waitFor();

    await page.goto(`/admin/users?q=${id}`);
    await page.getByRole("button", { name: `Manage ${id}` }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Act as them" }).click();
    await dialog.getByLabel("Reason").fill("a ticket");
    await dialog.getByRole("button", { name: `Act as ${id}` }).click();
    await page.getByText(`You are acting as ${id}.`).waitFor();
    expect(await page.getByRole("link", { name: "Administration" }).count()).toBe(0);
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await page.getByRole("link", { name: "Administration" }).waitFor();
    expect(await page.getByText("You are acting as").count()).toBe(0);

    await page.goto(`/admin/users?user=${id}`);
    await dialog.getByRole("button", { name: "Suspend" }).click();
    await dialog.getByLabel("Reason").fill("spam");
    await dialog.getByRole("button", { name: `Suspend ${id}` }).click();
    await dialog.getByRole("status").getByText(`${id} is suspended.`).waitFor();
    await dialog.getByText("suspended: spam").waitFor();
    await dialog.getByRole("button", { name: "Reactivate" }).click();
    await dialog.getByRole("button", { name: "Let them in" }).click();
    await dialog.getByText(`${id} may sign in again.`).waitFor();
    await page.getByRole("button", { name: "Delete this account …" }).click();
    await page.getByRole("button", { name: `Delete ${id}` }).click();
    await page.getByText(`The account of ${id} is deleted.`).waitFor();
    await expect.poll(async () => (await web.server.fetch(`/api/v1/users/${id}`)).status).toBe(404);
  });

  it("an administrator changes what somebody may use, their role and how they sign in", async () => {
    const person = await createPerson(web.server);
    const { id } = (await (await web.server.fetch("/api/v1/users/me", { headers: person })).json()) as { id: string };
    const limits = async () => {
      const { items } = (await (await web.server.fetch("/api/v1/quotas", { headers: person })).json()) as { items: Quota[] };
      return Object.fromEntries(items.map(({ name, limit, isDefault }) => [name, isDefault ? "default" : limit]));
    };
    const page = await web.openPage(`/admin/users?user=${id}`);
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Runs a day", { exact: true }).selectOption({ label: "a limit of their own" });
    await dialog.getByLabel("Runs a day: limit").fill("many");
    await dialog.getByRole("button", { name: "Save quotas" }).click();
    await dialog.getByText("a whole number").waitFor();
    await dialog.getByLabel("Runs a day: limit").fill("7");
    await dialog.getByLabel("Storage, MB", { exact: true }).selectOption({ label: "no limit" });
    await dialog.getByRole("button", { name: "Save quotas" }).click();
    await dialog.getByText("The quotas hold from now on.").waitFor();
    expect(await limits()).toMatchObject({ runsPerDay: 7, storageMb: -1, concurrentRuns: "default" });
    expect(await dialog.getByLabel("Runs a day", { exact: true }).textContent()).toContain("default: 50");
    await dialog.getByRole("button", { name: "Reset to the defaults" }).click();
    await dialog.getByRole("button", { name: "Save quotas" }).click();
    await expect.poll(async () => new Set(Object.values(await limits()))).toEqual(new Set(["default"]));

    await dialog.getByLabel("Role", { exact: true }).selectOption("end_user");
    await dialog.getByRole("button", { name: "Make them end user" }).click();
    await dialog.getByText(`The role of ${id} is end user from now on.`).waitFor();
    await dialog.getByRole("button", { name: "Password link" }).click();
    await dialog.getByRole("button", { name: "Make the link" }).click();
    await dialog.getByText(/\/reset-password#/).waitFor();
    await dialog.getByRole("button", { name: "Sign out everywhere" }).click();
    await dialog.getByRole("button", { name: "Sign them out" }).click();
    await dialog.getByText(`${id} is signed out everywhere.`).waitFor();
    await dialog.getByRole("button", { name: "Close" }).first().click();
    await page.goto("/admin/users?role=end_user");
    await page.getByRole("button", { name: `Manage ${id}` }).waitFor();
    await page.getByRole("button", { name: "Clear" }).click();
    expect(new URL(page.url()).search).toBe("");
    expect(web.problems).toEqual([]);
  });
});
