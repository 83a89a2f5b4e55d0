import { createPerson, execute } from "@syla/testkit/runs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

let web: WebTest;

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("the pages of the audit trail and of usage", () => {
  beforeAll(async () => {
    web = await startWebTest();
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("show who did what, filtered by the address, with the details of one event", async () => {
    const run = await execute(web.server, { language: "bash", code: "true" });
    await web.server.send("POST", `/api/v1/runs/${run.id}/cancel`);
    await web.server.context.audit.flushed();
    const page = await web.openPage("/audit?outcome=failed");
    const rows = page.getByRole("table", { name: "Audit trail" }).getByRole("button");
    await expect.poll(() => rows.allTextContents()).toEqual(["run.cancel"]);
    await page.getByRole("button", { name: "Clear" }).click();
    await page.getByRole("button", { name: "run.create" }).waitFor();
    await page.getByRole("button", { name: "run.cancel" }).click();
    const drawer = page.getByRole("dialog", { name: "run.cancel" });
    await drawer.getByText("run_finished").waitFor();
    await page.reload();
    await drawer.getByRole("button", { name: "Only this thing" }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get("resource")).toBe(run.id);
    await expect.poll(() => rows.allTextContents()).toEqual(["run.cancel", "run.create"]);
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "CSV" }).click()]);
    expect(download.suggestedFilename()).toMatch(/^audit-.*\.csv$/);
  });

  it("verify the trail, and name the event that was changed", async () => {
    await web.server.context.sealer.seal(-60_000);
    const page = await web.openPage("/audit");
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByText("The audit trail is as it was sealed.").waitFor();
    const { queries } = web.server.context.database;
    const { id } = await queries.selectFrom("audit_events").select("id").where("action", "=", "run.cancel").executeTakeFirstOrThrow();
    await queries.transaction().execute(async (work) => {
      await work
        .selectNoFrom((select) =>
          select.fn("set_config", [select.val("session_replication_role"), select.val("replica"), select.val(true)]).as("role"),
        )
        .execute();
      await work.updateTable("audit_events").set({ outcome: "ok" }).where("id", "=", id).execute();
    });
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByText(`The event ${id} of seal`).waitFor();
  });

  it("show what was used, and how much of the quotas that is", async () => {
    const person = await createPerson(web.server);
    await execute(web.server, { language: "bash", code: "exit 1" }, person);
    const { id } = (await (await web.server.fetch("/api/v1/users/me", { headers: person })).json()) as { id: string };
    await web.server.send("PATCH", `/api/v1/quotas/${id}`, { runsPerDay: 1 });
    const page = await web.openPage("/usage", { signedIn: false, extraHTTPHeaders: person });
    await page.getByText("1 of 1", { exact: true }).waitFor();
    await page.getByLabel("Used up").waitFor();
    await page.getByRole("img", { name: /^Runs: 1, 0 % succeeded in 30 days, at most 1 on one$/ }).waitFor();
    await page.getByRole("button", { name: "7 days" }).click();
    await page.getByRole("img", { name: /^Runs: 1, 0 % succeeded in 7 days/ }).waitFor();
    await page.getByRole("button", { name: "Table" }).click();
    await page
      .getByRole("region", { name: "By day" })
      .getByRole("cell", { name: new Date().toISOString().slice(0, 10) })
      .waitFor();
    await page.getByRole("button", { name: "Models" }).click();
    expect(new URL(page.url()).search).toBe("?days=7&view=table&by=model");
    await page.reload();
    await page.getByText("Nothing was used in these days.").waitFor();
    expect(await page.getByRole("button", { name: "Everybody" }).count()).toBe(0);
    expect(await page.getByRole("link", { name: "Audit" }).count()).toBe(0);
    await page.goto("/audit");
    await page.getByRole("alert").filter({ hasText: "forbidden" }).waitFor();
    const admins = await web.openPage("/usage");
    await admins.getByRole("button", { name: "Everybody" }).click();
    await admins.getByRole("heading", { name: "People" }).waitFor();
    expect(new URL(admins.url()).search).toBe("?user=all");
    await admins.getByRole("listitem").filter({ hasText: id }).getByRole("button", { name: "Quotas" }).click();
    const editor = admins.getByRole("dialog", { name: `Quotas of ${id}` });
    await editor.getByLabel("Runs a day: limit").fill("many");
    await editor.getByRole("button", { name: "Save" }).click();
    await editor.getByText("a whole number").waitFor();
    await editor.getByLabel("Runs a day: limit").fill("7");
    await editor.getByRole("button", { name: "Save" }).click();
    await editor.waitFor({ state: "detached" });
    await page.goto("/usage");
    await page.getByText("1 of 7", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Set a budget" }).click();
    const dialog = page.getByRole("dialog", { name: "Set a budget" });
    await dialog.getByLabel("Dollars a month").fill("0.001");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText("an amount like 50 or 0.50").waitFor();
    await dialog.getByLabel("Dollars a month").fill("0.50");
    await dialog.getByLabel("Refuse calls that could pass it").check();
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByText("$0.00 of $0.50", { exact: true }).waitFor();
    await page.getByText("stops calls", { exact: true }).waitFor();
    await page.getByRole("button", { name: /^Change the budget/ }).click();
    await page.getByRole("button", { name: "Take it away" }).click();
    await page.getByText("There is none. A budget tells you").waitFor();
    expect(web.problems).toEqual([]);
  });
});
