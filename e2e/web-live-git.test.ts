import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Workspace } from "@syla/contracts/workspaces";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

const execute = promisify(execFile);

describe.skipIf(noBrowser)("a file that somebody has open, and git", () => {
  let web: WebTest;
  beforeAll(async () => {
    web = await startWebTest();
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("shows what is pushed, and gives what is typed to who pulls", async () => {
    using directory = createTemporaryDirectory();
    const folder = join(directory.path, "letters");
    const file = join(folder, "main.py");
    const page = await web.openPage("/workspaces");
    const id = await createWorkspace(page);
    const url = `http://x:${web.server.localKey}@${new URL(web.server.url).host}/git/${id}.git`;
    const git = (...words: string[]) =>
      execute("git", ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", ...words], { cwd: folder, timeout: 30_000 });
    await execute("git", ["clone", "-q", url, folder]);

    await page.goto(`/workspaces/${id}?file=main.py`);
    const lines = () => page.locator(".cm-line").allTextContents();
    await expect.poll(lines).toEqual(["print('first')", ""]);
    writeFileSync(file, "print('pushed')\n");
    await git("commit", "-qam", "Change it");
    expect((await git("push", "-q")).stderr).toContain("Made version 1.");
    await expect.poll(lines).toEqual(["print('pushed')", ""]);

    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("print('typed')");
    await expect
      .poll(async () => {
        await git("pull", "-q");
        return readFileSync(file, "utf8");
      })
      .toBe("print('pushed')\nprint('typed')");
    expect(web.problems).toEqual([]);
  });

  /** One that people edit together, as whoever is signed in there. */
  async function createWorkspace(page: Page): Promise<string> {
    const data = { name: "letters", kind: "collaborative", files: [{ path: "main.py", content: "print('first')\n" }] };
    const answer = await page.request.post("/api/v1/workspaces", { data, headers: { origin: web.server.url } });
    return ((await answer.json()) as Workspace).id;
  }
});
