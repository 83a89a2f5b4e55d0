import type { Asset } from "@syla/contracts/assets";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

let web: WebTest;
let page: Page;

const bytes = (text: string, encoding: BufferEncoding = "utf8") => Buffer.from(text, encoding);

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("datasets in the browser", () => {
  beforeAll(async () => {
    web = await startWebTest();
    page = await web.openPage("/catalog");
  });
  afterAll(() => web?.[Symbol.asyncDispose]());

  const choose = async (name: string, buffer: Buffer) =>
    await page.getByLabel("A file of rows").setInputFiles({ name, mimeType: "text/csv", buffer });
  const cell = (text: string) => page.getByRole("gridcell", { name: text, exact: true });
  const upload = async () => await page.getByRole("dialog").getByRole("button", { name: "Upload" }).click();

  it("are uploaded, with what is wrong told by its place", async () => {
    await page.getByRole("button", { name: "New dataset" }).first().click();
    await choose("cities.csv", bytes("city,people\nBerlin,3\nParis,2,1\n"));
    await upload();
    await page.getByText("Line 3: the row has 3 values, and the header 2.").waitFor();
    await choose("cities.csv", bytes("city,people,founded\nZ\xfcrich,434000,\nParis,2100000,250\n", "latin1"));
    await page.getByLabel("Name", { exact: true }).fill("Cities");
    await upload();
    await page.getByRole("button", { name: "Read it as Latin-1" }).click();
    await page.getByRole("heading", { name: "Cities" }).waitFor();
    await cell("Zürich").waitFor();
  });

  it("show many cells quickly, by keyboard, by the page and by search", async () => {
    const names = Array.from({ length: 200 }, (_, index) => `c${index}`);
    const rows = Array.from({ length: 2000 }, (_, row) => names.map((_name, column) => `r${row}c${column}`).join(","));
    await page.getByRole("button", { name: "Other rows" }).click();
    await choose("wide.csv", bytes(`${names.join(",")}\n${rows.join("\n")}\n`));
    await upload();
    await page.getByText("2,000 rows, 200 columns").waitFor();
    const grid = page.getByRole("grid");
    await grid.focus();
    await page.keyboard.press("Control+End");
    await cell("r1999c199").waitFor();
    expect(await page.getByRole("gridcell").count()).toBeLessThan(1500);
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => page.getByRole("group", { name: "The whole value" }).textContent()).toContain("r1999c198");
    await page.keyboard.press("Control+Home");
    await cell("r0c0").waitFor();
    await page.getByLabel("Find in the rows").fill("R1321C17");
    await page.keyboard.press("Enter");
    await page.getByText(/^\d+ rows? found/).waitFor();
    await cell("r1321c1").waitFor();
  });

  it("tell of their columns, splits and versions, and are what a program is run on", async () => {
    await page.getByRole("button", { name: "Other rows" }).click();
    const rows = Array.from({ length: 500 }, (_, row) => `${row},${["red", "green", "blue"][row % 3]},${(row * 7) % 100}`);
    await choose("colours.csv", bytes(`id,colour,points\n${rows.join("\n")}\n`));
    await upload();
    await page.getByText("500 rows, 3 columns").waitFor();
    await page.getByRole("link", { name: "Columns" }).click();
    await page.getByText("0 to 99").waitFor();
    await page.getByRole("link", { name: "Splits" }).click();
    await page.getByRole("button", { name: "Publish" }).click();
    await page.getByText("seed 0").waitFor();
    await page.getByRole("link", { name: "Rows of test" }).click();
    await page.getByText(/^\d\d rows, 3 columns/).waitFor();
    await page.getByRole("link", { name: "Versions" }).click();
    await page.getByText("0.1.3").first().waitFor();
    await page.goto(`${page.url()}&from=0.1.0&to=0.1.3`);
    await page.getByText("2 → 500 rows").waitFor();
    const program = await web.server.send("POST", "/api/v1/assets", {
      type: "program",
      name: "Counter",
      visibility: "public",
      files: [{ path: "main.sh", content: 'wc -l < datasets/cities.csv\necho "$SYLA_DATASETS"\n' }],
    });
    const { id } = (await program.json()) as Asset;
    await page.goto(`/programs/${id}`);
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByRole("button", { name: "Add a dataset" }).click();
    await page.getByLabel("Dataset 1", { exact: true }).selectOption({ label: "Cities" });
    await page.getByLabel("Split").selectOption("test");
    await page.getByRole("dialog").getByRole("button", { name: "Run", exact: true }).click();
    await expect.poll(() => page.locator(".log").textContent(), { timeout: 20_000 }).toContain('"split":"test"');
    await page.getByRole("link", { name: "Configuration" }).click();
    await page.getByText("datasets/cities.csv").waitFor();
    await page.getByRole("link", { name: "Cities" }).click();
    await page.getByRole("link", { name: "Runs", exact: true }).last().click();
    await page.getByRole("table", { name: "Runs" }).getByText("main.sh").first().waitFor();
    expect(web.problems).toEqual([]);
  });
});
