import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser, startWebTest, typeProgram, type WebTest } from "./browser.ts";

let web: WebTest;

describe.skipIf(noBrowser ?? (existsSync("/usr/bin/gcc") ? false : "gcc is not installed"))("languages in the browser", () => {
  beforeAll(async () => {
    // Nothing has been installed there.
    web = await startWebTest({ SYLA_RUNTIMES_DIR: "/nowhere" });
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("are chosen with their version, and say how they start and what is missing", async () => {
    const page = await web.openPage("/runs/new?language=python");
    const picker = page.getByLabel("Language");
    await page.getByText("forked", { exact: true }).waitFor();
    await picker.selectOption("c");
    await page.getByText("compiled", { exact: true }).waitFor();
    await picker.selectOption("bun");
    await page.getByText("Bun is not installed on this server.").waitFor();
    await page.getByRole("button", { name: "Copy command syla runtimes install bun" }).waitFor();
    // The address wins over what was being written.
    await page.goto(`${new URL(page.url()).origin}/runs/new?language=node@24`);
    await expect.poll(() => picker.inputValue()).toBe("node@24");
    await page.getByText("booted ahead", { exact: true }).waitFor();
    await page.goto(`${new URL(page.url()).origin}/system`);
    await page.getByText("compiled, once for equal source").first().waitFor();
  });

  it("that are compiled show the error at its line, and how long it took", async () => {
    const page = await web.openPage("/runs/new?language=c");
    await expect.poll(() => page.getByLabel("Language").inputValue()).toBe("c");
    await typeProgram(page, "int main(void) {\n  return x;\n}\n");
    await page.getByRole("button", { name: "Run", exact: false }).last().click();
    await page.getByText("compile_error").first().waitFor();
    await page.getByText("main.c:2").first().waitFor();
    const id = new URL(page.url()).searchParams.get("run");
    await page.goto(`${new URL(page.url()).origin}/runs/${id}`);
    await page.getByText("Compile", { exact: true }).waitFor();
  });
});
