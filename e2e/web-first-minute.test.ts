import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { admin, noBrowser, startWebTest, typeProgram, type WebTest } from "./browser.ts";

let web: WebTest;

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("the first minute", () => {
  beforeAll(async () => {
    web = await startWebTest();
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("leads from the set-up link to a program's live output and its page", async () => {
    const page = await web.openPage(web.setupUrl, { signedIn: false });
    await page.getByLabel("Name").fill(admin.name);
    await page.getByLabel("E-mail address").fill(admin.email);
    await page.getByLabel("Password").fill("short");
    await page.getByRole("button", { name: "Create account and sign in" }).click();
    expect(page.url()).toContain("/setup");
    await page.getByLabel("Password").fill(admin.password);
    await page.getByRole("button", { name: "Create account and sign in" }).click();

    await page.getByRole("heading", { name: "Home" }).waitFor();
    await page.getByText("Nothing of yours has run yet.").waitFor();
    await page.getByRole("navigation", { name: "Start" }).getByRole("link", { name: "Import a program" }).waitFor();
    await page.getByRole("button", { name: "Run the Python example" }).click();
    await page.getByRole("log").getByText("Hello from Python").waitFor();
    await page.getByText("Succeeded").first().waitFor();

    await page.getByRole("banner").getByRole("link", { name: "New run" }).click();
    await page.locator(".cm-content").waitFor();
    await typeProgram(page, 'import time\nprint("first", flush=True)\ntime.sleep(3)\nprint("last")\n');
    await page.keyboard.press("Control+Enter");
    await page.getByRole("log").getByText("first").waitFor();
    expect(await page.locator("[data-status=running]").count()).toBe(1);
    await page.getByRole("log").getByText("last").waitFor();
    await page.locator("[data-status=succeeded]").waitFor();

    await page.getByRole("link", { name: "Open run" }).click();
    await page.getByRole("heading", { name: "main.py" }).waitFor();
    await page.getByRole("log").getByText("last").waitFor();
    await page.getByRole("link", { name: "Configuration" }).click();
    await page.getByRole("region", { name: "main.py" }).getByText("time.sleep(3)").waitFor();
    await page.getByRole("region", { name: "Limits" }).getByText("Memory").waitFor();
    expect(web.problems).toEqual([]);
  });

  it("keeps the draft and the last output over a reload", async () => {
    const page = await web.openPage("/sign-in?next=/runs/new", { signedIn: false });
    await page.getByLabel("E-mail address").fill(admin.email);
    await page.getByLabel("Password").fill(admin.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator(".cm-content").waitFor();
    await typeProgram(page, 'raise ValueError("kept draft")\n');
    await page.keyboard.press("Control+Enter");
    await page.getByRole("group", { name: "Error" }).getByText("uncaught_exception").waitFor();
    await page.reload();
    await page.locator(".cm-content").getByText("kept draft").waitFor();
    await page.getByRole("log").getByText("ValueError: kept draft").waitFor();
    await page.getByRole("button", { name: "main.py:1" }).click();
  });

  it("does not take the set-up link twice", async () => {
    const page = await web.openPage(web.setupUrl, { signedIn: false });
    await page.getByRole("heading", { name: "This server is set up" }).waitFor();
  });

  it("edits and reruns a run with all its files, input and arguments", async () => {
    const files = [{ path: "data/rows.txt", content: "a row\n" }];
    const code = 'import sys\nprint(open("data/rows.txt").read(), sys.stdin.read(), sys.argv[1])\n';
    const answer = await web.server.send("POST", "/api/v1/executions?wait=true", {
      language: "python",
      code,
      files,
      stdin: "from stdin",
      args: ["two words"],
    });
    const { id } = (await answer.json()) as { id: string };
    const page = await web.openPage("/sign-in", { signedIn: false });
    await page.getByLabel("E-mail address").fill(admin.email);
    await page.getByLabel("Password").fill(admin.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Home" }).waitFor();
    await page.goto(`/runs/new?from=${id}`);
    await page.locator(".cm-content").getByText("rows.txt").waitFor();
    await page.keyboard.press("Control+Enter");
    await page.getByRole("log").getByText("a row").waitFor();
    await page.getByRole("log").getByText("from stdin two words").waitFor();
  });
});
