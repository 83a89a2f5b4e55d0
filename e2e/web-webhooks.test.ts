import type { Asset } from "@syla/contracts/assets";
import type { Schedule } from "@syla/contracts/schedules";
import type { Trigger } from "@syla/contracts/triggers";
import { startWebhookReceiver, type WebhookReceiver } from "@syla/testkit/webhook-receiver";
import type { Page } from "playwright-core";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible } from "./accessible.ts";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

let web: WebTest;
let receiver: WebhookReceiver;

/** Colours that are on their way to others are hard to read. */
const still = { reducedMotion: "reduce" } as const;

async function inSmallAndDark(page: Page, look: () => Promise<void>): Promise<void> {
  const before = page.viewportSize() ?? { width: 1280, height: 800 };
  await page.setViewportSize({ width: 380, height: 800 });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.locator("html.dark").waitFor();
  await page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))");
  await look();
  await page.setViewportSize(before);
}

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("webhooks and triggers in the browser", () => {
  beforeAll(async () => {
    receiver = await startWebhookReceiver();
    web = await startWebTest({ SYLA_WEBHOOK_ALLOW_PRIVATE: "127.0.0.1", SYLA_WORKER_SLOTS: "1" });
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
    await receiver[Symbol.asyncDispose]();
  });

  it("a webhook is made, tested, looked into and sent to again", async () => {
    const page = await web.openPage("/webhooks", still);
    await page.getByText("No webhooks yet").waitFor();
    await page.getByLabel("Name").fill("Ours");
    await page.getByLabel("Address").fill(receiver.url);
    await page.getByRole("checkbox", { name: "asset.updated" }).check();
    await page.getByRole("button", { name: "failed", exact: true }).click();
    await page.getByRole("button", { name: "Add webhook" }).click();
    const shown = page.getByRole("status").filter({ hasText: "It is not shown again" });
    const secret = /whsec_[\w+/]{43}=/.exec((await shown.textContent()) ?? "")?.[0] ?? "";
    await page.getByRole("link", { name: "Ours" }).click();
    await page.getByRole("heading", { name: "Ours", level: 1 }).waitFor();
    await page.getByText("run.finished, asset.updated").waitFor();
    receiver.behave({ status: 500, body: "out of order" });
    await page.getByRole("button", { name: "Send a test" }).click();
    await page.getByRole("button", { name: /^Waiting webhook\.test it answered with 500/ }).click();
    await page.getByRole("region", { name: "Answer" }).getByText("out of order").waitFor();
    await page.getByRole("region", { name: "Request" }).getByText('"type": "webhook.test"').waitFor();
    await page.getByText("Failing", { exact: true }).waitFor();
    await expectAccessible(page, "webhook");
    await inSmallAndDark(page, () => expectAccessible(page, "webhook, small and dark"));
    receiver.behave({ status: 204 });
    await page.getByRole("button", { name: "Replay", exact: true }).click();
    await page.getByRole("button", { name: /^Taken webhook\.test/ }).waitFor();
    const [first, last] = [receiver.received[0], receiver.received.at(-1)];
    expect(last?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect(new Webhook(secret).verify(last?.body ?? "", last?.headers ?? {})).toMatchObject({ type: "webhook.test" });
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("No webhooks yet").waitFor();
    await expectAccessible(page, "webhooks");
    expect(web.problems).toEqual([]);
  });

  it("a program has a trigger with a command to call it, and its last calls", async () => {
    const files = [{ path: "main.py", content: "print(input())" }];
    const made = await web.server.send("POST", "/api/v1/assets", { type: "program", name: "Hook", files });
    const { id } = (await made.json()) as Asset;
    const page = await web.openPage(`/programs/${id}?tab=triggers`, still);
    await page.getByText("No triggers yet").waitFor();
    await page.getByLabel("Name").fill("From outside");
    await page.getByLabel("How callers prove themselves").selectOption("bearer");
    await page.getByRole("button", { name: "Add trigger" }).click();
    const shown = page.getByRole("status").filter({ hasText: "It is not shown again" });
    const secret = /whsec_[\w+/]{43}=/.exec((await shown.textContent()) ?? "")?.[0] ?? "";
    await page.getByRole("heading", { name: "From outside" }).waitFor();
    await page.getByText("Nobody has called it yet.").waitFor();
    await page.getByRole("button", { name: "Show curl" }).click();
    await page.getByRole("region", { name: "A call with curl" }).getByText("authorization: Bearer $SECRET").waitFor();
    const list = await page.request.get("/api/v1/triggers");
    const [{ url } = { url: "" }] = ((await list.json()) as { items: Trigger[] }).items;
    const call = (token: string) => fetch(`${url}?wait=30`, { method: "POST", headers: { authorization: `Bearer ${token}` }, body: "hi" });
    expect((await call(secret)).status).toBe(200);
    expect((await call("wrong")).status).toBe(401);
    await page.getByText("started a run").waitFor();
    await page.getByText("was not proved (wrong)").waitFor();
    await expectAccessible(page, "triggers");
    await inSmallAndDark(page, () => expectAccessible(page, "triggers, small and dark"));
    await page.getByRole("button", { name: "Switch off" }).click();
    await page.getByRole("button", { name: "Switch on" }).waitFor();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Delete for good" }).click();
    await page.getByText("No triggers yet").waitFor();
    expect(web.problems).toEqual([]);
  });

  it("a schedule keeps words together that are quoted, and is not overwritten by an old form", async () => {
    const files = [{ path: "main.py", content: "print(1)" }];
    expect((await web.server.send("POST", "/api/v1/assets", { type: "program", name: "Report", files })).status).toBe(201);
    const page = await web.openPage("/schedules", still);
    await page.getByRole("button", { name: "New schedule" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("Nightly");
    await dialog.getByLabel("Arguments").fill(`--city 'New York`);
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText("A quote is not closed").waitFor();
    await dialog.getByLabel("Arguments").fill(`--city 'New York' "it's"`);
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByRole("button", { name: "Change Nightly" }).click();
    expect(await dialog.getByLabel("Arguments").inputValue()).toBe(String.raw`--city 'New York' 'it'\''s'`);
    const list = await page.request.get("/api/v1/schedules");
    const [made] = ((await list.json()) as { items: Schedule[] }).items;
    expect(made?.run.args).toEqual(["--city", "New York", "it's"]);
    const change = { method: "PATCH", data: { name: "Weekly" }, headers: { origin: web.server.url } };
    expect((await page.request.fetch(`/api/v1/schedules/${made?.id}`, change)).status()).toBe(200);
    await dialog.getByLabel("Name").fill("Monthly");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText("It has been changed since you loaded it.").waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("Weekly", { exact: true }).waitFor();
    expect(web.problems).toEqual([]);
  });
});
