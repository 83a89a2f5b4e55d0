import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

let web: WebTest;

async function execute(code: string, limits: object = {}): Promise<string> {
  const answer = await web.server.send("POST", "/api/v1/executions?wait=true", { language: "python", code, limits });
  return ((await answer.json()) as { id: string }).id;
}

const lines = 100_000;

/** Scrolls through the log for a second, and answers how long each frame took, in milliseconds. */
const scrollFrames = `new Promise((resolve) => {
  const log = document.querySelector(".log");
  const frames = [];
  let before = performance.now();
  const began = before;
  const step = (now) => {
    frames.push(now - before);
    before = now;
    log.scrollTop = (log.scrollHeight * (now - began)) / 1000;
    if (now - began < 1000) requestAnimationFrame(step);
    else resolve(frames.slice(1));
  };
  requestAnimationFrame(step);
})`;

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("logs and artifacts in the browser", () => {
  beforeAll(async () => {
    web = await startWebTest();
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it("narrow a log by level, node and pattern, and keep that in the address", async () => {
    const id = await execute(
      [
        "print('INFO:a:started')",
        "print('WARNING:a:slow 1')",
        "print('WARNING:a:slow 22')",
        "print('\\033]6277;node=summarise\\007from a node')",
        "print('plain')",
      ].join("\n"),
    );
    const page = await web.openPage(`/runs/${id}`);
    const rows = page.locator(".log-row .log-text");
    await expect
      .poll(() => rows.allTextContents())
      .toEqual(["INFO:a:started", "WARNING:a:slow 1", "WARNING:a:slow 22", "from a node", "plain"]);
    await page.getByLabel("Level").selectOption("warn");
    await expect.poll(() => rows.allTextContents()).toEqual(["WARNING:a:slow 1", "WARNING:a:slow 22"]);
    await page.getByRole("button", { name: "Regular expression" }).click();
    await page.getByLabel("Search the log").fill("slow \\d\\d");
    await page.getByText("1 of 1").waitFor();
    await page.waitForURL(/level=warn&find=slow/);
    const download = page.getByRole("link", { name: "Download these lines" });
    expect(await download.getAttribute("href")).toContain("level=warn");
    await page.reload();
    await page.getByText("1 of 1").waitFor();
    await page.getByLabel("Search the log").fill("(");
    await page.getByText("no pattern").waitFor();
    await page.getByLabel("Search the log").fill("");
    await page.getByLabel("Level").selectOption("");
    await page.getByLabel("Node").selectOption("summarise");
    await expect.poll(() => rows.allTextContents()).toEqual(["from a node"]);
    expect(web.problems).toEqual([]);
  });

  it("scroll through a hundred thousand lines, of which only those that are seen are drawn", async () => {
    const id = await execute(`for n in range(1, ${lines + 1}): print("line", n, "of the log" * 3)`);
    const page = await web.openPage(`/runs/${id}`);
    await page.getByRole("log", { name: "Output, 100,000 lines" }).waitFor();
    const frames = await page.evaluate<number[]>(scrollFrames);
    expect(frames.length).toBeGreaterThan(1);
    await page.locator(".log-row").getByText(`line ${lines} `).waitFor();
    expect(await page.locator(".log-row").count()).toBeLessThan(120);
    await page.getByLabel("Search the log").fill("line 99999 ");
    await page.getByText("1 of 1").waitFor();
    await page.locator(".log-row[data-current]").getByText("line 99999").waitFor();
    await page.goto(`/runs/${id}#L54321`);
    await page.locator(".log-row[data-linked]").getByText("line 54321 ").waitFor();
    expect(web.problems).toEqual([]);
  });

  it("preview what a program left, whatever it is, and let it do nothing", async () => {
    const id = await execute(
      [
        "import json",
        "w = lambda name, text: open('/output/' + name, 'w').write(text)",
        "w('data.json', json.dumps({'name': 'x', 'deep': {'list': list(range(150))}}))",
        "w('broken.json', '{')",
        `w('notes.md', '# Title\\n\\n<img src=x onerror="document.title=1">\\n\\n[bad](javascript:alert(1)) [good](https://example.org) ![pic](http://example.org/x.png)')`,
        'w(\'page.html\', \'<h1 id=h>Before</h1><script>try { parent.document.title = "reached" } catch { document.getElementById("h").textContent = "Plot: " + origin }</script>\')',
        "w('table.csv', 'name,value\\n' + ''.join(f'row {n},{n}\\n' for n in range(5000)))",
      ].join("\n"),
    );
    const page = await web.openPage(`/runs/${id}?tab=artifacts&path=data.json`);
    const choose = async (name: string) => await page.getByRole("button", { name, exact: true }).click();
    await page.getByRole("region", { name: "data.json" }).getByText('"deep"').waitFor();
    await choose("broken.json");
    await page.getByRole("region", { name: "broken.json" }).getByText("{").waitFor();
    await choose("notes.md");
    const notes = page.getByRole("region", { name: "notes.md" });
    await notes.getByRole("heading", { name: "Title" }).waitFor();
    expect(await notes.locator("img, script").count()).toBe(0);
    expect(await notes.getByRole("link").evaluateAll((links) => links.map((link) => (link as unknown as { href: string }).href))).toEqual([
      "https://example.org/",
    ]);
    await choose("page.html");
    await page.frameLocator("iframe").getByRole("heading", { name: "Plot: null" }).waitFor();
    expect(await page.title()).not.toContain("reached");
    await page.getByRole("button", { name: "Source" }).click();
    await page.getByRole("region", { name: "page.html" }).getByText("parent.document.title").waitFor();
    await choose("table.csv");
    const table = page.getByRole("table", { name: "table.csv" });
    await table.getByRole("cell", { name: "row 3", exact: true }).waitFor();
    expect(await table.getByRole("row").count()).toBeLessThan(80);
    const [archive] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download all" }).click()]);
    expect(archive.suggestedFilename()).toBe(`${id}.zip`);
    await page.getByRole("button", { name: "Link", exact: true }).click();
    await page.getByRole("button", { name: "Make a link" }).click();
    await page.getByText("/api/v1/artifact-links/").waitFor();
    expect(web.problems).toEqual([]);
  });
});
