import { createHmac } from "node:crypto";
import { execute } from "@syla/testkit/runs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { admin, noBrowser, startWebTest, type WebTest } from "./browser.ts";

let web: WebTest;
const bob = { name: "Bob", email: "bob@example.org", password: "correct horse battery" };

const carol = { name: "Carol", email: "carol@example.org", password: "horse battery staple" };

/** The code that an authenticator shows now (RFC 6238) for a secret in base32. */
function currentCode(secret: string): string {
  const letters = Array.from(secret, (letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"));
  const bytes = letters.join("").match(/.{8}/g) ?? [];
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const key = Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
  const mac = createHmac("sha1", key).update(step).digest();
  const number = mac.readUInt32BE((mac.at(-1) ?? 0) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("accounts in the browser", () => {
  beforeAll(async () => {
    web = await startWebTest({ SYLA_SIGN_UP: "invite" });
    await web.openPage("/"); // sets the server up
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("invites somebody, who makes an account with the link", async () => {
    const page = await web.openPage("/invitations");
    await page.getByLabel("E-mail address").fill(bob.email);
    await page.getByRole("button", { name: "Invite", exact: true }).click();
    const shown = page.getByRole("status").filter({ hasText: "is invited" });
    const link = (await shown.getByRole("button").getAttribute("title")) ?? "";
    const theirs = await web.openPage(link, { signedIn: false });
    await theirs.getByLabel("Name").fill(bob.name);
    await theirs.getByLabel("Password").fill(bob.password);
    await theirs.getByRole("button", { name: "Create account and sign in" }).click();
    await theirs.getByRole("heading", { name: "Home" }).waitFor();
    const again = await web.openPage(link, { signedIn: false });
    await again.getByLabel("Name").fill("Eve");
    await again.getByLabel("Password").fill(bob.password);
    await again.getByRole("button", { name: "Create account and sign in" }).click();
    await again.getByRole("alert").getByText("link_invalid").waitFor();
  });

  it("shares with somebody who has no account, and invites them in the same place", async () => {
    const page = await web.openPage("/");
    const { id } = await execute(web.server, { code: "echo hello", entrypoint: "hello.sh" });
    await page.goto(`/runs/${id}`);
    await page.getByRole("button", { name: "Share" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("E-mail address").fill(carol.email);
    await dialog.getByRole("button", { name: "Share", exact: true }).click();
    await dialog.getByRole("button", { name: `Make an invitation for ${carol.email}` }).click();
    const link = (await dialog.getByText(/\/sign-up#token=/).textContent()) ?? "";
    const theirs = await web.openPage(link, { signedIn: false });
    await theirs.getByLabel("Name").fill(carol.name);
    await theirs.getByLabel("Password").fill(carol.password);
    await theirs.getByRole("button", { name: "Create account and sign in" }).click();
    await theirs.getByRole("heading", { name: "Home" }).waitFor();
    await theirs.goto(`/runs/${id}`);
    await theirs.getByRole("heading", { name: "hello.sh" }).waitFor();
    expect(web.problems).toEqual([]);
  });

  it("turns the second factor on, and asks for it at the next sign-in", async () => {
    const page = await web.openPage("/sign-in?next=/settings/security", { signedIn: false });
    await page.getByLabel("E-mail address").fill(bob.email);
    await page.getByLabel("Password").fill(bob.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("button", { name: "Turn on" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Password").fill(bob.password);
    await dialog.getByRole("button", { name: "Go on" }).click();
    const secret = (await dialog.getByRole("button", { name: /Copy secret/ }).getAttribute("title")) ?? "";
    await dialog.getByLabel("Code").fill(currentCode(secret));
    await dialog.getByRole("button", { name: "Turn on" }).click();
    const recovery = (await dialog.getByRole("listitem").first().textContent()) ?? "";
    await dialog.getByRole("button", { name: "I have kept them" }).click();
    await page.getByText("10 recovery codes are left.").waitFor();

    const next = await web.openPage("/sign-in", { signedIn: false });
    await next.getByLabel("E-mail address").fill(bob.email);
    await next.getByLabel("Password").fill(bob.password);
    await next.getByRole("button", { name: "Sign in" }).click();
    await next.getByLabel("Code").fill(recovery);
    await next.getByRole("button", { name: "Sign in" }).click();
    await next.getByRole("heading", { name: "Home" }).waitFor();
  });

  it("lets a device in that shows the code", async () => {
    const begun = await web.server.send("POST", "/api/v1/device-codes", { clientName: "a laptop" }, { authorization: "" });
    const code = (await begun.json()) as { deviceCode: string; verificationUrlComplete: string };
    const page = await web.openPage(code.verificationUrlComplete);
    await page.getByText("a laptop").waitFor();
    await page.getByRole("button", { name: "Let in" }).click();
    await page.getByRole("heading", { name: "The device is signed in" }).waitFor();
    const redeemed = await web.server.send("POST", "/api/v1/device-codes/token", { deviceCode: code.deviceCode }, { authorization: "" });
    expect(await redeemed.json()).toMatchObject({ name: "a laptop", user: { email: admin.email } });
  });

  it("makes a key for chosen parts", async () => {
    const page = await web.openPage("/settings/api-keys");
    await page.getByLabel("Name").fill("reader");
    await page.getByLabel("What it may do").selectOption("chosen");
    await page.getByRole("button", { name: "read" }).first().waitFor();
    expect(await page.getByRole("button", { name: "Create key" }).isDisabled()).toBe(true);
    await page.getByRole("button", { name: "read" }).first().click();
    await page.getByRole("button", { name: "Create key" }).click();
    await page.getByText("It is not shown again").waitFor();
    await page.getByText("access:read", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Quotas of reader" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("has no quotas of its own").waitFor();
    await dialog.getByLabel("Runs a day").fill("many");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText("a whole number or nothing").waitFor();
    await dialog.getByLabel("Runs a day").fill("20");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByText(/quotas of its own/).waitFor();
    await page.getByRole("button", { name: "Quotas of reader" }).click();
    await dialog.getByText("0 of 20").waitFor();
    expect(web.problems).toEqual([]);
  });
});
