import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { admin, noBrowser, startWebTest, type WebTest } from "./browser.ts";

let web: WebTest;

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("signing in", () => {
  beforeAll(async () => {
    web = await startWebTest();
    await web.openPage("/"); // sets the server up
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("says that the password is wrong, with the code and the request id, and then lets in", async () => {
    const page = await web.openPage("/runs?status=failed", { signedIn: false });
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByLabel("E-mail address").fill(admin.email);
    await page.getByLabel("Password").fill("a wrong password");
    await page.getByRole("button", { name: "Sign in" }).click();
    const problem = page.getByRole("alert");
    await problem.getByText("invalid_credentials").waitFor();
    await problem.getByRole("button", { name: /Copy request id/ }).waitFor();
    await page.getByLabel("Password").fill(admin.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Runs" }).waitFor();
    expect(new URL(page.url()).search).toBe("?status=failed");
  });

  it("never leads to another site afterwards", async () => {
    const page = await web.openPage("/sign-in?next=//example.org/", { signedIn: false });
    await page.getByLabel("E-mail address").fill(admin.email);
    await page.getByLabel("Password").fill(admin.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Home" }).waitFor();
    expect(new URL(page.url()).origin).toBe(web.server.url);
  });

  it("signs out, and another tab notices", async () => {
    const page = await web.openPage("/");
    await page.getByRole("button", { name: /account of/ }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.goto("/runs");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });

  it("creates an API key, shows it once, and revokes it", async () => {
    const page = await web.openPage("/sign-in?next=/settings/api-keys", { signedIn: false });
    await page.getByLabel("E-mail address").fill(admin.email);
    await page.getByLabel("Password").fill(admin.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByLabel("Name").fill("a build machine");
    await page.getByRole("button", { name: "Create key" }).click();
    const shown = page.getByRole("status").filter({ hasText: "It is not shown again" });
    const key = (await shown.locator("[tabindex='0']").textContent()) ?? "";
    expect((await web.server.fetch("/api/v1/users/me", { headers: { authorization: `Bearer ${key}` } })).status).toBe(200);
    await page.reload();
    await page.getByText("a build machine").waitFor();
    expect(await page.getByText(key).count()).toBe(0);
    await page.getByRole("button", { name: "Revoke a build machine" }).click();
    await page.getByRole("button", { name: "Revoke key" }).click();
    await page.getByText("No API keys yet").waitFor();
    expect((await web.server.fetch("/api/v1/users/me", { headers: { authorization: `Bearer ${key}` } })).status).toBe(401);
    expect(web.problems).toEqual([]);
  });
});
