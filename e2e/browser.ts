/** A real browser against a real server: what every test of the web pages shares. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startTestServer, type ServerVariables, type TestServer } from "@syla/testkit/server";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { onTestFinished, TestRunner } from "vitest";

const executable = [process.env["CHROMIUM"] ?? "", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  existsSync,
);

/** Why browser tests cannot run here; null when they can. `npm test` names the command that installs what is missing. */
export const noBrowser: string | null = executable ? null : "chromium is not installed";

/** The first admin, as the tests set it up. */
export const admin = { name: "Ada Lovelace", email: "ada@example.org", password: "analytical engine" } as const;

/** A browser, a server, and a page for each test that asks for one. */
export interface WebTest {
  readonly server: TestServer;
  readonly setupUrl: string;
  /**
   * A page of a person who has signed in (the first call sets the server up), unless `signedIn` is false. It is closed with the test that
   * opens it: a page that nobody looks at any more draws whatever happens all the same.
   */
  openPage(path: string, options?: BrowserContextOptions & { signedIn?: boolean; origin?: string }): Promise<Page>;
  /** What pages threw or complained about so far. */
  readonly problems: readonly string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a server with data of its own and a browser. */
export async function startWebTest(variables: ServerVariables = {}): Promise<WebTest> {
  const server = await startTestServer(variables);
  const browser = await launchBrowser();
  const { setupUrl } = JSON.parse(readFileSync(join(server.dataDir, "server.json"), "utf8")) as { setupUrl: string };
  const problems: string[] = [];
  let cookie: Promise<string> | null = null;
  return {
    server,
    setupUrl,
    problems,
    async openPage(path, { signedIn = true, origin = server.url, ...options } = {}) {
      const context = await browser.newContext({ baseURL: origin, viewport: { width: 1280, height: 800 }, ...options });
      if (TestRunner.getCurrentTest() !== undefined) onTestFinished(() => context.close());
      if (signedIn) {
        cookie ??= setUp(server, setupUrl);
        const [name = "", value = ""] = (await cookie).split(/=(.*)/s);
        await context.addCookies([{ name, value, url: origin, httpOnly: true, sameSite: "Lax" }]);
      }
      const page = await context.newPage();
      page.on("pageerror", (error) => problems.push(`${page.url()}: ${error.message}`));
      page.on("console", (message) => {
        if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
          problems.push(`${page.url()}: ${message.text()}`);
      });
      await page.goto(path);
      return page;
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

function launchBrowser(): Promise<Browser> {
  // No page lives long enough to earn back what it costs to optimise its scripts.
  const args = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--js-flags=--no-opt --no-maglev",
  ];
  return chromium.launch({ executablePath: executable ?? "", args });
}

/** Uses the set-up link over HTTP and answers the session cookie. */
async function setUp(server: TestServer, setupUrl: string): Promise<string> {
  const token = new URL(setupUrl).searchParams.get("token") ?? "";
  const answer = await server.send("POST", "/api/v1/setup", { token, ...admin }, { authorization: "" });
  const cookie = answer.headers.getSetCookie()[0]?.split(";")[0];
  if (!cookie) throw new Error(`no session cookie came with ${answer.status}`);
  return cookie;
}

/** Puts a program into the editor of the page, in place of what is there. */
export async function typeProgram(page: Page, code: string): Promise<void> {
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(code);
}

const readRows = `[...document.querySelectorAll(".log-row")].map((row) =>
  [Number(row.querySelector(".log-number").textContent), row.querySelector(".log-text").textContent])`;
const scrollOn = `(() => {
  const log = document.querySelector(".log");
  const before = log.scrollTop;
  log.scrollBy(0, log.clientHeight - 40);
  return log.scrollTop === before;
})()`;

/** Every line that a log shows, by scrolling through all of it: `[number, text]`. */
export async function readLog(page: Page): Promise<(readonly [number, string])[]> {
  const lines = new Map<number, string>();
  await page.evaluate("document.querySelector('.log').scrollTo(0, 0)");
  for (;;) {
    await page.waitForTimeout(100);
    for (const [number, text] of await page.evaluate<[number, string][]>(readRows)) lines.set(number, text);
    if (await page.evaluate<boolean>(scrollOn)) return [...lines].toSorted(([a], [b]) => a - b);
  }
}
