import { createPerson } from "@syla/testkit/runs";
import { startLlm, type LlmStandIn } from "@syla/testkit/llm";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { admin, noBrowser, startWebTest, typeProgram, type WebTest } from "./browser.ts";

let web: WebTest;
let llm: LlmStandIn;
const password = "a long enough password";
const key = "sk-planted-in-the-browser";

const program = `import json, os, urllib.request, urllib.error
body = json.dumps({"model": "gpt", "max_tokens": 1000, "messages": [{"role": "user", "content": "Hello"}]}).encode()
request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body, {"content-type": "application/json"})
try: print(json.load(urllib.request.urlopen(request))["choices"][0]["message"]["content"])
except urllib.error.HTTPError as error: print(json.load(error)["error"]["message"])`;

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("models in the browser", () => {
  beforeAll(async () => {
    llm = await startLlm();
    llm.key = key;
    llm.behave({ usage: { input: 1000, output: 1000 } });
    web = await startWebTest({ SYLA_MODEL_ALLOW_PRIVATE: `127.0.0.1:${llm.port}` });
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
    await llm?.[Symbol.asyncDispose]();
  });

  async function openAs(email: string, path: string): Promise<Page> {
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

  /** A program of the first admin that is bound to their model. */
  async function makeProgram(modelId: string | null, name = "Greeter"): Promise<string> {
    const config = { runtime: "python", entrypoint: "main.py", modelId };
    const files = [{ path: "main.py", content: program }];
    const made = await web.server.send("POST", "/api/v1/assets", { type: "program", name, files, config });
    return ((await made.json()) as { id: string }).id;
  }

  async function shareFrom(owner: Page, email: string): Promise<void> {
    await owner.getByLabel("E-mail address").fill(email);
    await owner.getByLabel("Level", { exact: true }).selectOption("run");
    await owner.getByRole("button", { name: "Share", exact: true }).last().click();
    await owner.getByText("shared directly").waitFor();
  }

  async function startProgram(page: Page, programId: string): Promise<void> {
    await page.goto(`/programs/${programId}`);
    await page.getByRole("button", { name: "Run", exact: true }).first().click();
    await page.getByRole("dialog").getByRole("button", { name: "Run", exact: true }).click();
  }

  /** Runs the program, and answers what it printed. */
  async function runIt(page: Page, programId: string): Promise<string> {
    await startProgram(page, programId);
    await page.waitForURL(/\/runs\/run_/);
    await expect.poll(() => page.locator(".log").textContent(), { timeout: 30_000 }).toMatch(/You said|The cap/);
    return (await page.locator(".log").textContent()) ?? "";
  }

  /** Runs inline code with the model. */
  async function runCode(page: Page): Promise<string> {
    await page.goto("/runs/new?language=python");
    await typeProgram(page, program);
    await page.getByRole("button", { name: "Model", exact: true }).click();
    await page.getByLabel("Model", { exact: true }).selectOption({ index: 1 });
    await page.getByRole("button", { name: "Run", exact: false }).last().click();
    await expect.poll(() => page.locator(".log").textContent(), { timeout: 30_000 }).toMatch(/You said|The cap/);
    return (await page.locator(".log").textContent()) ?? "";
  }

  it("are added with a key that is never shown, shared with a cap, called by the other, and taken back", async () => {
    const email = await givePassword(await createPerson(web.server));
    const owner = await web.openPage("/models");
    await owner.getByRole("button", { name: "Add a model" }).click();
    await owner.getByLabel("Name", { exact: true }).fill("My model");
    await owner.getByLabel("Provider", { exact: true }).selectOption("openai-compatible");
    await owner.getByLabel("Model", { exact: true }).fill("upstream-1");
    await owner.getByLabel("Address").fill(`${llm.url}/v1`);
    await owner.getByRole("button", { name: "New", exact: true }).click();
    const dialog = owner.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("provider key");
    await dialog.getByLabel("Secret").fill(key);
    await dialog.getByRole("button", { name: "Store secret" }).click();
    await dialog.waitFor({ state: "detached" });
    await owner.getByLabel("Input, $ a million tokens", { exact: true }).fill("1");
    await owner.getByLabel("Output, $ a million tokens", { exact: true }).fill("2");
    await owner.getByRole("button", { name: "Test" }).click();
    await owner.getByText(/It answers in/).waitFor();
    await owner.getByRole("button", { name: "Add model" }).click();
    await owner.getByRole("heading", { name: "My model" }).waitFor();
    expect(await owner.content()).not.toContain(key);

    await owner.getByRole("button", { name: "Share" }).click();
    const sharing = owner.getByRole("dialog");
    await shareFrom(owner, email);
    await sharing.getByRole("button", { name: "Close" }).click();
    await owner.getByRole("link", { name: "Who may spend" }).click();
    await owner.getByLabel(`Cap of ${email}, dollars`).fill("0.004");
    await owner.getByRole("button", { name: `Set: ${email}` }).click();
    await owner.getByText("$0.00 of $0.0040 a month spent").waitFor();

    const modelPage = new URL(owner.url()).pathname;
    const programId = await makeProgram(modelPage.split("/").at(-1) ?? "");
    await owner.goto(`/programs/${programId}?tab=sharing`);
    await shareFrom(owner, email);

    const other = await openAs(email, "/models");
    await other.getByRole("link", { name: "My model" }).waitFor();
    expect(await runIt(other, programId)).toContain("You said: Hello");
    expect(await runIt(other, programId)).toContain("The cap of $0.0040 a month");
    const notice = other.getByRole("group", { name: "Refused calls" });
    await notice.getByText(/A call of My model was refused\. The cap of \$0\.0040 a month .* is reached.* counted anew at/).waitFor();
    await notice.getByText(`My model belongs to ${admin.name}, who can raise the cap.`).waitFor();
    expect(await other.content()).not.toContain(key);
    await other
      .getByRole("navigation", { name: "Run" })
      .getByRole("link", { name: /^Models/ })
      .click();
    await other
      .getByText(/The cap of/)
      .first()
      .waitFor();

    await owner.goto(modelPage);
    // By whom, and by which program.
    await owner
      .getByText(/2,000 tokens · \$0\.0030/)
      .nth(1)
      .waitFor();
    await owner.getByText("Greeter", { exact: true }).waitFor();
    await owner.getByRole("link", { name: "Who may spend" }).click();
    await owner.getByLabel(`Cap of ${email}, dollars`).fill("0.02");
    await owner.getByRole("button", { name: `Set: ${email}` }).click();
    await owner.getByText("$0.0030 of $0.02 a month spent").waitFor();
    expect(await runIt(other, programId)).toContain("You said: Hello");
    expect(await runCode(other)).toContain("You said: Hello");
    await owner.getByRole("link", { name: "Calls" }).click();
    await owner.getByRole("cell", { name: "$0.0030", exact: true }).first().waitFor();

    await owner.getByRole("button", { name: "Share" }).click();
    await owner.getByRole("button", { name: `Revoke ${email}` }).click();
    await owner.getByText("Shared with nobody yet.").waitFor();
    await startProgram(other, programId);
    await other.getByRole("dialog").getByText("There is no such model here, or you may not use it.").waitFor();
    await other.goto("/models");
    await other.getByText("No models yet").waitFor();
    await owner.goto("/credentials");
    await owner.getByText("used by 1 thing").waitFor();
    await owner.getByRole("button", { name: "Delete provider key" }).click();
    await owner.getByText("and will fail from then on").waitFor();
    await owner.getByRole("button", { name: "Keep it" }).click();
    expect(web.problems).toEqual([]);
  }, 240_000);

  it("of the system are kept by administrators in a page of their own, and a program is bound to one in its settings", async () => {
    const page = await web.openPage("/admin/models");
    await page.getByRole("button", { name: "Add a system model" }).click();
    await page.getByLabel("Who may select it").selectOption("private");
    await page.getByLabel("Name", { exact: true }).fill("Everybody's model");
    await page.getByLabel("Provider", { exact: true }).selectOption("openai-compatible");
    await page.getByLabel("Model", { exact: true }).fill("upstream-1");
    await page.getByLabel("Address").fill(`${llm.url}/v1`);
    await page.getByRole("button", { name: "New", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("system key");
    await dialog.getByLabel("Secret").fill(key);
    await dialog.getByRole("button", { name: "Store secret" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Test" }).click();
    await page.getByText(/It answers in/).waitFor();
    await page.getByRole("button", { name: "Add model" }).click();
    await page.getByRole("heading", { name: "Everybody's model" }).waitFor();
    await page.getByText("the system: its administrators change it").waitFor();
    const modelId = new URL(page.url()).pathname.split("/")[2] ?? "";
    await page.getByRole("link", { name: "Who may spend" }).click();
    await page.getByLabel("Who may select it").selectOption("public");
    await page.getByText("Everybody together").waitFor();

    const programId = await makeProgram(null, "Bound to nothing");
    await page.goto(`/programs/${programId}?tab=settings`);
    await page.getByLabel("Model", { exact: true }).selectOption(modelId);
    await page.getByLabel("Resources", { exact: true }).selectOption("medium");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    const saved = async () => (await (await web.server.send("GET", `/api/v1/assets/${programId}`)).json()) as object;
    await expect.poll(saved).toMatchObject({ config: { modelId, profile: "medium" } });

    await page.goto("/environments");
    await page.getByRole("button", { name: "Add an index" }).click();
    await page.getByLabel("Name", { exact: true }).fill("Acme");
    await page.getByLabel("Address").fill("https://packages.example.org/simple");
    await page.getByLabel("Packages from it").fill("acme-*");
    await page.getByRole("button", { name: "New", exact: true }).click();
    expect(await dialog.getByLabel("Host, the only one it is sent to").inputValue()).toBe("packages.example.org");
    await dialog.getByLabel("Name", { exact: true }).fill("Acme reader");
    await dialog.getByLabel("Secret").fill(key);
    await dialog.getByRole("button", { name: "Store secret" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Add index" }).click();
    await page.getByRole("button", { name: "Change Acme" }).click();
    await page.getByLabel("Address").fill("https://elsewhere.example.org/simple");
    await page.getByRole("button", { name: "Save index" }).click();
    await page.getByText("is for packages.example.org, and is sent nowhere else").first().waitFor();
    await page.getByLabel("Address").fill("https://packages.example.org/other");
    await page.getByLabel("Packages from it").fill("acme-* acme_more");
    await page.getByRole("button", { name: "Save index" }).click();
    await page.getByText("https://packages.example.org/other").waitFor();
    expect(web.problems).toEqual([]);
  });
});
