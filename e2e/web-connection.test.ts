import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser, readLog, startWebTest, type WebTest } from "./browser.ts";
import { type CuttableProxy, startCuttableProxy } from "./cuttable-proxy.ts";

let web: WebTest;
let proxy: CuttableProxy;

async function startTicking(count: number): Promise<string> {
  const code = `import time\nfor n in range(1, ${count + 1}):\n    print("tick", n, flush=True)\n    time.sleep(0.05)\n`;
  const answer = await web.server.send("POST", "/api/v1/runs", { language: "python", code });
  return ((await answer.json()) as { id: string }).id;
}

function expectEveryTick(lines: readonly (readonly [number, string])[], count: number): void {
  expect(lines).toEqual(Array.from({ length: count }, (_, index) => [index + 1, `tick ${index + 1}`]));
}

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("a lost connection", () => {
  beforeAll(async () => {
    web = await startWebTest();
    proxy = await startCuttableProxy(web.server.url);
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
    await proxy?.close();
  });

  it("leaves neither a gap nor a double line in the log", async () => {
    const id = await startTicking(120);
    const page = await web.openPage(`/runs/${id}`, { origin: proxy.url });
    await page.locator(".log-row").nth(5).waitFor();
    proxy.refuse();
    proxy.cut();
    await page.getByText("The connection was lost. Reconnecting").waitFor();
    await page.waitForTimeout(1500);
    proxy.restore();
    await page.locator("[data-status=succeeded]").waitFor();
    expectEveryTick(await readLog(page), 120);
  });

  it("of a machine that slept a minute is noticed on waking, although it looks alive", async () => {
    const id = await startTicking(150);
    const page = await web.openPage("/", { origin: proxy.url });
    // The page's clock can be moved; its timers go on as they are, as they do after a sleep.
    await page.addInitScript("{ const now = Date.now; globalThis.sleptMs = 0; Date.now = () => now.call(Date) + globalThis.sleptMs; }");
    await page.goto(`/runs/${id}`);
    await page.locator(".log-row").nth(5).waitFor();
    proxy.hang();
    const before = await page.locator(".log-row").count();
    await page.waitForTimeout(1000);
    expect(await page.locator(".log-row").count()).toBeLessThanOrEqual(before + 1);
    await page.evaluate("globalThis.sleptMs = 60_000");
    await page.locator("[data-status=succeeded]").waitFor({ timeout: 30_000 });
    expectEveryTick(await readLog(page), 150);
  });

  it("is said on every page while it lasts, and goes away by itself", async () => {
    const page = await web.openPage("/runs", { origin: proxy.url });
    await page.getByRole("heading", { name: "Runs" }).waitFor();
    proxy.refuse();
    proxy.cut();
    await page.getByText("The server cannot be reached").waitFor({ timeout: 40_000 });
    proxy.restore();
    await page.getByText("The server cannot be reached").waitFor({ state: "detached", timeout: 30_000 });
  });
});
