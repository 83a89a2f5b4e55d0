import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Asset } from "@syla/contracts/assets";
import type { ProgramEnvironment } from "@syla/contracts/environments";
import type { Run } from "@syla/contracts/runs";
import { startTestPackageIndex, type TestPackageIndex } from "@syla/testkit/package-index";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible } from "./accessible.ts";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

const uv = join(import.meta.dirname, "../.build/runtimes/uv/uv");

// Without a browser there is nothing to look with, without uv nothing to look at; `npm test` says how to install both.
describe.skipIf(noBrowser !== null || !existsSync(uv))("the pages of environments", () => {
  let web: WebTest;
  let index: TestPackageIndex;
  beforeAll(async () => {
    index = await startTestPackageIndex();
    web = await startWebTest({ SYLA_UV: uv, SYLA_PYTHON_INDEX: index.url });
    index.publish({ name: "greet", version: "1.0", license: "MIT", requires: ["words>=2"], files: { "greet.py": "" } });
    index.publish({ name: "words", version: "1.0", files: { "words.py": "" } });
    index.publish({ name: "words", version: "2.0", files: { "words.py": "" } });
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
    await index[Symbol.asyncDispose]();
  });

  const make = async (name: string, requirements: string): Promise<Asset> => {
    const config = { runtime: "python", entrypoint: "main.py", dependencies: { source: "requirements", file: "requirements.txt" } };
    const files = [
      { path: "main.py", content: "print('ran')" },
      { path: "requirements.txt", content: requirements },
    ];
    return (await (await web.server.send("POST", "/api/v1/assets", { type: "program", name, files, config })).json()) as Asset;
  };
  const run = async (program: Asset) =>
    (await (await web.server.send("POST", "/api/v1/runs?wait=true", { programId: program.id })).json()) as Run;
  const environmentOf = async (program: Asset) =>
    ((await (await web.server.fetch(`/api/v1/programs/${program.id}/environment`)).json()) as ProgramEnvironment).environment?.id ?? "";

  it("list what is there, and show packages with licences and the log of the build", async () => {
    const program = await make("Greetings", "greet\n");
    const done = await run(program);
    const page = await web.openPage(`/runs/${done.id}?tab=configuration`);
    await page.getByRole("link", { name: "its packages" }).click();
    await page.getByRole("heading", { name: /^Environment of python 3/ }).waitFor();
    const packages = page.getByRole("region", { name: "Packages" });
    await packages.getByRole("row", { name: "greet 1.0 MIT" }).waitFor();
    await packages.getByRole("row", { name: "words 2.0 not said" }).waitFor();
    await page.getByText("+ greet==1.0").waitFor();
    await page.getByRole("link", { name: "Environments", exact: true }).click();
    await page.getByRole("heading", { name: "Environments", level: 1 }).waitFor();
    await page.getByRole("button", { name: "Everybody's" }).click();
    await page.getByRole("link", { name: "greet" }).waitFor();
    await page.getByRole("searchbox", { name: "Search" }).fill("nothing-like-that");
    await page.getByText("None like that").waitFor();
    expect(web.problems).toEqual([]);
  });

  it("explain a conflict in the words of the package manager, at once for who follows the build", async () => {
    const program = await make("Contradiction", "greet\nwords<2\n");
    const failed = await run(program);
    expect(failed.error?.code).toBe("dependency_conflict");
    const page = await web.openPage(`/environments/${await environmentOf(program)}`);
    const alert = page.getByRole("alert");
    await alert.getByText("The dependencies contradict each other.").waitFor();
    await alert.getByText(/depends? on words>=2/).waitFor();
    index.publish({ name: "slow", version: "1.0", files: { "slow.py": "" } });
    index.behave("slow-1.0-py3-none-any.whl", "stall");
    const slow = await make("Slow", "slow\n");
    await web.server.send("POST", `/api/v1/programs/${slow.id}/environment/build`, {});
    const live = await web.openPage(`/environments/${await environmentOf(slow)}`);
    await live.getByText("Building: downloading").waitFor();
    index.behave("slow-1.0-py3-none-any.whl", "down");
    expect(web.problems).toEqual([]);
  });

  it("lead into a terminal in the environment of a program, and begin it anew when the program has changed", async () => {
    index.publish({ name: "late", version: "1.0", files: { "late.py": "" } });
    index.behave("late-1.0-py3-none-any.whl", "stall");
    const program = await make("Worked in", "late\n");
    const address = `/programs/${program.id}?tab=environment`;
    const page = await web.openPage(address);
    await page.getByRole("button", { name: "Open terminal" }).click();
    await page.getByText("Its packages are being installed, see below.").waitFor();
    await page.getByText("Building: downloading").waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("This sandbox has ended: it was deleted.").waitFor();
    index.behave("late-1.0-py3-none-any.whl", "serve");
    await page.getByRole("button", { name: "Open terminal" }).click();
    await page.waitForURL(/\/sandboxes\/sbx_/);
    const first = page.url();
    const rows = page.locator(".xterm-rows");
    await expect.poll(() => rows.textContent(), { timeout: 20_000 }).toContain("$");
    await page.keyboard.type("python -c 'import late; print(6 * 7, late.__name__)'\n");
    await expect.poll(() => rows.textContent(), { timeout: 20_000 }).toContain("42 late");
    await page.getByRole("link", { name: "Sandboxes", exact: true }).click();
    await page.getByRole("listitem").filter({ hasText: "python, environment of Worked in" }).waitFor();
    const change = { changes: [{ op: "write", file: { path: "more.txt", content: "more" } }] };
    await web.server.send("POST", `/api/v1/programs/${program.id}/files`, change, { "if-match": "*" });
    await page.getByRole("link", { name: "Worked in", exact: true }).last().click();
    await page.getByText(/has changed since it was started/).waitFor();
    await expectAccessible(page, address);
    await page.getByRole("button", { name: "Restart" }).click();
    await page.waitForURL((url) => url.pathname.startsWith("/sandboxes/sbx_"));
    expect(page.url()).not.toBe(first);
    await page.goto(address);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("This sandbox has ended: it was deleted.").waitFor();
    expect(web.problems).toEqual([]);
  });

  it("are usable by everybody, in both colours and on small screens", async () => {
    const program = await make("Looked at", "greet\n");
    await run(program);
    const id = await environmentOf(program);
    for (const colorScheme of ["light", "dark"] as const)
      for (const path of ["/environments?owner=all", `/environments/${id}`]) {
        const page = await web.openPage(path, { colorScheme, viewport: { width: 380, height: 800 } });
        await page.getByText("Ready").first().waitFor();
        await expectAccessible(page, path);
      }
    expect(web.problems).toEqual([]);
  });
});
