import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

const examples = join(import.meta.dirname, "../apps/server/test/programs/analysis/fixtures/examples");
let web: WebTest;

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("the page that analyses programs", () => {
  beforeAll(async () => {
    web = await startWebTest();
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("shows what a folder is, with the code of what is chosen, at an address that survives", async () => {
    const page = await web.openPage("/analyze");
    await page.getByText("Drop a program's folder here").waitFor();
    await page.getByLabel("Folder").setInputFiles(examples);
    await page.getByText(/^\d+ files, read with Python 3/).waitFor();
    await page.getByRole("button", { name: /translate\(text, into\) → str/ }).click();
    const code = page.getByRole("region", { name: "Code of docs/examples/tutorial/101_first_slot.py" });
    await code.getByText("def translate(text: str").waitFor();
    await page.getByText("the language to translate it into", { exact: false }).first().waitFor();
    await page.getByText("mellea does not bind self", { exact: false }).waitFor();

    await page.getByRole("link", { name: /^Calls/ }).click();
    await page.getByRole("button", { name: /instruct in Desk\.improve/ }).click();
    expect(await page.getByText("Requires: short · No promises.", { exact: false }).count()).toBe(1);
    await page.reload();
    await page.getByRole("region", { name: "Code of letter_desk/desk.py" }).getByText("Make this friendlier").waitFor();
    expect(await page.getByRole("button", { name: /instruct in Desk\.improve/ }).getAttribute("aria-pressed")).toBe("true");

    await page.getByRole("link", { name: /^Slots/ }).click();
    await page.getByRole("button", { name: /title\(letter\)/ }).click();
    await page
      .getByRole("region", { name: /letters\.ipynb$/ })
      .getByText("# cell 3")
      .waitFor();
    await page.getByRole("link", { name: /^Secrets/ }).click();
    await page.getByText("No secrets").waitFor();
    await page.getByRole("link", { name: "run", exact: true }).click();
    await page.waitForURL(/\/runs\/run_/);
    expect(web.problems).toEqual([]);
  });

  it("says when there is no such analysis", async () => {
    const page = await web.openPage("/analyze?run=run_none");
    await page.getByRole("alert").filter({ hasText: "not_found" }).waitFor();
    expect(web.problems).toEqual([]);
  });
});
