import type { Run } from "@syla/contracts/runs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser, startWebTest, typeProgram, type WebTest } from "./browser.ts";

let web: WebTest;

describe.skipIf(noBrowser)("judged runs and kept results", () => {
  beforeAll(async () => {
    web = await startWebTest();
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("a table of verdicts, with what open cases were given and printed, and the lines that never ran", async () => {
    const code = "word = input()\nif word == 'never':\n    print('never')\nprint(word.upper())";
    const cases = [
      { name: "right", stdin: "a", expected: { stdout: "A" } },
      { name: "wrong", stdin: "b", expected: { stdout: "b" } },
      { name: "secret", stdin: "c", expected: { stdout: "x" }, hidden: true },
    ];
    const body = { language: "python", code, tests: { cases, coverage: true } };
    const { id } = (await (await web.server.send("POST", "/api/v1/executions?wait=true", body)).json()) as Run;
    const page = await web.openPage(`/runs/${id}`);
    const table = page.getByRole("table", { name: "Test cases" });
    await expect.poll(() => table.getByRole("row").count()).toBe(4);
    expect(await table.getByRole("row").nth(1).textContent()).toContain("Accepted");
    expect(await table.getByRole("row").nth(3).textContent()).toContain("the answer is not the expected one");
    await page.getByRole("button", { name: "Details of wrong" }).click();
    expect(await page.locator("pre").allTextContents()).toEqual(["b", "b", "B\n"]);
    expect(await page.getByRole("button", { name: "Details of secret" }).count()).toBe(0);
    await page.getByText("never ran:").getByRole("link", { name: "3" }).click();
    await page.waitForURL(/tab=configuration&file=main.py&line=3/);
    expect(web.problems).toEqual([]);
  });

  it("a program that does the same every time is not run twice", async () => {
    const page = await web.openPage("/runs/new?language=python");
    await typeProgram(page, "import os\nprint(os.urandom(8).hex())");
    await page.getByRole("button", { name: "Reuse" }).click();
    await page.getByText("The program does the same every time").click();
    const run = async () => {
      const answered = page.waitForResponse(
        (response) => response.url().endsWith("/api/v1/runs") && response.request().method() === "POST",
      );
      await page.keyboard.press("Control+Enter");
      return ((await (await answered).json()) as Run).id;
    };
    const first = await run();
    await page.locator("[data-status=succeeded]").waitFor();
    expect(await run()).toBe(first);
    await page.getByText("kept result of an earlier run").waitFor();
  });
});
