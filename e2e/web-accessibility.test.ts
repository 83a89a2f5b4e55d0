import { AxeBuilder } from "@axe-core/playwright";
import { createSandbox, waitForPort } from "@syla/testkit/sandboxes";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

let web: WebTest;
let paths: Readonly<Record<string, string>>;

const looks = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  small: { colorScheme: "light", viewport: { width: 380, height: 780 } },
} as const;

async function execute(code: string, rest: object = {}): Promise<string> {
  const answer = await web.server.send("POST", "/api/v1/executions?wait=true", { language: "python", code, ...rest });
  return ((await answer.json()) as { id: string }).id;
}

async function expectAccessible(page: Page, name: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
  expect(violations.map(({ id, nodes }) => `${name}: ${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`)).toEqual([]);
  expect(
    await page.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth"),
    `${name} scrolls sideways`,
  ).toBe(0);
}

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("every page", () => {
  beforeAll(async () => {
    web = await startWebTest();
    const good = await execute('open("/output/a.txt", "w").write("text")\nprint("\\033[33mcolour\\033[0m")');
    const bad = await execute('raise ValueError("a rather long message that has to find its place on a small screen as well")');
    const cases = [
      { stdin: "1", expected: { stdout: "1" } },
      { stdin: "2", expected: {}, hidden: true },
      { stdin: "3", expected: { stdout: "4" } },
    ];
    const judged = await execute("n = input()\nif n == '9':\n    pass\nprint(n)", { tests: { cases, coverage: true } });
    const asking =
      'import socket\nsocket.create_connection(("127.0.0.1", 3128)).sendall(b"CONNECT other.example:443 HTTP/1.1\\r\\n\\r\\n")\n';
    const reaching = await execute(`${asking}import time\ntime.sleep(0.2)`, {
      network: { allow: ["a-rather-long-name.of-a-host.example.org"] },
    });
    const sandbox = await createSandbox(web.server, {
      name: "bench",
      files: [{ path: "a.txt", content: "text" }],
      network: { allow: ["a-rather-long-name.of-a-host.example.org", "pypi.org"] },
    });
    const sandboxPath = `/api/v1/sandboxes/${sandbox.id}`;
    await web.server.send("POST", `${sandboxPath}/processes`, { command: ["python3", "-m", "http.server", "8000"] });
    await web.server.send("POST", `${sandboxPath}/exec`, { command: ["python3", "-c", asking] });
    await waitForPort(web.server, sandbox.id, 8000);
    await web.server.context.audit.flushed();
    const { items: events } = (await (await web.server.fetch("/api/v1/audit?limit=1")).json()) as { items: { id: string }[] };
    paths = {
      Home: "/",
      Notifications: "/notifications",
      "Notification preferences": "/settings/notifications",
      Administration: "/admin/overview",
      Users: "/admin/users",
      Deliveries: "/admin/deliveries",
      Announcements: "/admin/announcements",
      "Settings of the server": "/admin/settings",
      Teams: "/teams",
      "New run": `/runs/new?run=${bad}`,
      Runs: "/runs",
      "No runs": "/runs?q=nothing-is-called-this",
      Log: `/runs/${bad}`,
      Tests: `/runs/${judged}`,
      Artifacts: `/runs/${good}?tab=artifacts`,
      Network: `/runs/${reaching}?tab=network`,
      Configuration: `/runs/${good}?tab=configuration`,
      Sandboxes: "/sandboxes",
      Terminal: `/sandboxes/${sandbox.id}`,
      Files: `/sandboxes/${sandbox.id}?tab=files`,
      Console: `/sandboxes/${sandbox.id}?tab=console`,
      Activity: `/sandboxes/${sandbox.id}?tab=activity`,
      Profile: "/settings/profile",
      Security: "/settings/security",
      Sessions: "/settings/sessions",
      "API keys": "/settings/api-keys",
      Invitations: "/invitations",
      Device: "/device",
      "Sign up": "/sign-up",
      "Forgotten password": "/forgot-password",
      "New password": "/reset-password#token=x",
      "Confirm address": "/verify-email#token=x",
      Workers: "/workers",
      Usage: "/usage",
      "Usage of everybody": "/usage?user=all",
      Audit: "/audit",
      "Audit event": `/audit?event=${events[0]?.id}`,
      System: "/system",
      "Not found": "/nowhere",
      "Design system": "/ui",
    };
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  it.each(Object.keys(looks) as (keyof typeof looks)[])("is accessible and fits: %s", { timeout: 180_000 }, async (look) => {
    const entry = await web.openPage(web.setupUrl, { signedIn: false, ...looks[look] });
    await entry.getByRole("heading").waitFor();
    await expectAccessible(entry, "Set-up");
    const page = await web.openPage("/", looks[look]);
    const left = Object.entries(paths);
    const walk = async (own: Page) => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        const [name, path] = next;
        await own.goto(path);
        await own.getByRole("heading", { level: 1 }).waitFor();
        await own.waitForLoadState("networkidle");
        await expectAccessible(own, name);
      }
    };
    await Promise.all([walk(page), walk(await web.openPage("/", looks[look]))]);
    await page.goto("/runs/new");
    await page.getByRole("button", { name: "Network" }).click();
    await page.getByLabel("Some hosts").check();
    await page.getByText("Name at least one host.").waitFor();
    await expectAccessible(page, "Network of a new run");
    await page.goto("/");
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.keyboard.press("Control+K");
    await page.getByRole("option", { name: /Home/ }).waitFor();
    await expectAccessible(page, "Palette");
    await page.keyboard.press("Escape");
    await page.getByRole("option", { name: /Home/ }).waitFor({ state: "hidden" });
    const shortcuts = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await expect // a closing palette still takes keys
      .poll(async () => {
        await page.keyboard.press("?");
        return await shortcuts.isVisible();
      })
      .toBe(true);
    await expectAccessible(page, "Shortcuts");
    expect(web.problems).toEqual([]);
  });

  it("can be gone through with the keyboard alone", async () => {
    const page = await web.openPage("/");
    await page.getByRole("heading", { name: "Home" }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("r");
    await page.getByRole("heading", { name: "Runs" }).waitFor();
    await page.keyboard.press("Control+K");
    await page.getByRole("combobox", { name: /Find a page/ }).fill("system");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "System" }).waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("n");
    await page.locator(".cm-content").waitFor();
    await page.keyboard.type("x");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Tab");
    await expect.poll(() => page.evaluate<boolean>("document.activeElement?.closest('.cm-editor') === null")).toBe(true);
  });

  it("obeys the chosen appearance at once and after a reload", async () => {
    const page = await web.openPage("/settings/profile", { colorScheme: "light" });
    await page.getByRole("button", { name: "Dark" }).click();
    await page.locator("html.dark").waitFor();
    await page.reload();
    await page.locator("html.dark").waitFor();
  });
});
