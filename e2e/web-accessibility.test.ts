import { join } from "node:path";
import { createSandbox, waitForPort } from "@syla/testkit/sandboxes";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible } from "./accessible.ts";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";
import { watchRequests } from "./settled.ts";

let web: WebTest;
const directory = createTemporaryDirectory();
let page: Page;
let made: Made;

/** What the pages show: runs, a sandbox and an event, by their ids. */
type Made = Record<
  "good" | "bad" | "judged" | "reaching" | "sandbox" | "event" | "shareToken" | "analysed" | "program" | "dataset",
  string
>;

const paths: Readonly<Record<string, (made: Made) => string>> = {
  Home: () => "/",
  "Share link": ({ shareToken }) => `/share#${shareToken}`,
  Notifications: () => "/notifications",
  "Notification preferences": () => "/settings/notifications",
  Administration: () => "/admin/overview",
  Users: () => "/admin/users",
  Deliveries: () => "/admin/deliveries",
  Announcements: () => "/admin/announcements",
  Storage: () => "/admin/storage",
  Backups: () => "/admin/backups",
  "Settings of the server": () => "/admin/settings",
  Teams: () => "/teams",
  "New run": ({ bad }) => `/runs/new?run=${bad}`,
  Runs: () => "/runs",
  "No runs": () => "/runs?q=nothing-is-called-this",
  Log: ({ bad }) => `/runs/${bad}`,
  Tests: ({ judged }) => `/runs/${judged}`,
  Artifacts: ({ good }) => `/runs/${good}?tab=artifacts`,
  Network: ({ reaching }) => `/runs/${reaching}?tab=network`,
  Configuration: ({ good }) => `/runs/${good}?tab=configuration`,
  Catalog: () => "/catalog",
  "Catalog as a table": () => "/catalog?layout=table&view=all",
  "Nothing in the catalog": () => "/catalog?q=nothing-is-called-this",
  Program: ({ program }) => `/programs/${program}`,
  "Files of a program": ({ program }) => `/programs/${program}?tab=files`,
  "Versions of a program": ({ program }) => `/programs/${program}?tab=versions`,
  "Sharing of a program": ({ program }) => `/programs/${program}?tab=sharing`,
  "Settings of a program": ({ program }) => `/programs/${program}?tab=settings`,
  Dataset: ({ dataset }) => `/datasets/${dataset}`,
  "Columns of a dataset": ({ dataset }) => `/datasets/${dataset}?tab=columns`,
  "Splits of a dataset": ({ dataset }) => `/datasets/${dataset}?tab=splits`,
  "Versions of a dataset": ({ dataset }) => `/datasets/${dataset}?tab=versions&from=0.1.0&to=0.1.1`,
  Sandboxes: () => "/sandboxes",
  Terminal: ({ sandbox }) => `/sandboxes/${sandbox}`,
  Files: ({ sandbox }) => `/sandboxes/${sandbox}?tab=files`,
  Console: ({ sandbox }) => `/sandboxes/${sandbox}?tab=console`,
  Activity: ({ sandbox }) => `/sandboxes/${sandbox}?tab=activity`,
  Profile: () => "/settings/profile",
  Security: () => "/settings/security",
  Sessions: () => "/settings/sessions",
  "API keys": () => "/settings/api-keys",
  "Invitation to a team": () => "/teams/join?invitation=inv_none",
  Invitations: () => "/invitations",
  Device: () => "/device",
  "Sign up": () => "/sign-up",
  "Forgotten password": () => "/forgot-password",
  "New password": () => "/reset-password#token=x",
  "Confirm address": () => "/verify-email#token=x",
  Workers: () => "/workers",
  Usage: () => "/usage",
  "Usage of everybody": () => "/usage?user=all",
  Audit: () => "/audit",
  "Audit event": ({ event }) => `/audit?event=${event}`,
  Analyze: () => "/analyze",
  "An analysis": ({ analysed }) => `/analyze?run=${analysed}&file=slots.py&line=3`,
  System: () => "/system",
  "Not found": () => "/nowhere",
  "Design system": () => "/ui",
};

const looks = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  small: { colorScheme: "light", viewport: { width: 380, height: 780 } },
} as const;
type Look = keyof typeof looks;

async function execute(code: string, rest: object = {}): Promise<string> {
  const answer = await web.server.send("POST", "/api/v1/executions?wait=true", { language: "python", code, ...rest });
  return ((await answer.json()) as { id: string }).id;
}

/** Resolves when the page has drawn itself so. */
async function changeLook(look: Look): Promise<void> {
  const { colorScheme, viewport } = { viewport: { width: 1280, height: 800 }, ...looks[look] };
  await page.setViewportSize(viewport);
  await page.emulateMedia({ colorScheme });
  await page.locator(`html.${colorScheme}`).waitFor();
  await page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))");
}

/** What a link does: the page stays, the router is told. */
const goTo = (address: string) => `history.pushState({}, "", ${JSON.stringify(address)}); dispatchEvent(new PopStateEvent("popstate"))`;

/** A program with a version, and something that differs from it. */
async function createProgram(): Promise<string> {
  const body = {
    type: "program",
    name: "A program with a rather long name that has to find its place",
    description: "What it does",
    tags: ["weather", "a-rather-long-tag-of-a-program"],
    files: [{ path: "a-rather-long-folder/main.py", content: "print(1)\n" }],
  };
  const { id } = (await (await web.server.send("POST", "/api/v1/assets", body)).json()) as { id: string };
  await web.server.send("POST", `/api/v1/assets/${id}/versions`, { message: "The first one" });
  const changes = [{ op: "write", file: { path: "a-rather-long-folder/main.py", content: "print(2)\n" } }];
  await web.server.send("POST", `/api/v1/programs/${id}/files`, { changes }, { "if-match": "*" });
  return id;
}

/** A dataset with splits. */
async function createDataset(): Promise<string> {
  const rows = Array.from(
    { length: 300 },
    (_, row) => `${row},a value that is rather long and has to find its place ${row % 3},${row / 7}`,
  );
  const body = `id,a-rather-long-name-of-a-column-that-has-to-find-its-place,number\n${rows.join("\n")}\n`;
  const answer = await web.server.fetch("/api/v1/datasets?name=A%20dataset%20with%20a%20rather%20long%20name", {
    method: "POST",
    body,
    headers: { "content-type": "application/octet-stream" },
  });
  const { id } = (await answer.json()) as { id: string };
  const splits = {
    shares: [
      { name: "train", percent: 80 },
      { name: "test", percent: 20 },
    ],
  };
  await web.server.send("POST", `/api/v1/datasets/${id}/splits`, { splits }, { "if-match": "*" });
  return id;
}

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("every page", () => {
  beforeAll(async () => {
    const backups = { SYLA_BACKUP_TO: join(directory.path, "backups"), SYLA_BACKUP_PASSPHRASE: "correct horse battery staple" };
    web = await startWebTest({ SYLA_ANONYMOUS_LINKS: "true", ...backups });
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
    const slots = "from mellea import generative\n@generative\ndef summarize_a_rather_long_letter(text: str) -> str: ...\n";
    const files = [
      { path: "slots.py", content: slots },
      { path: "bad.py", content: "x = (" },
    ];
    const analysis = await web.server.send("POST", "/api/v1/analyses", { files });
    const { runId: analysed } = (await analysis.json()) as { runId: string };
    const program = await createProgram();
    const dataset = await createDataset();
    await web.server.context.backups.backUpWhenDue();
    await web.server.context.audit.flushed();
    const key = await web.server.send("POST", "/api/v1/api-keys", { name: "CI" });
    const { id: keyId } = (await key.json()) as { id: string };
    await web.server.send("PATCH", `/api/v1/api-keys/${keyId}/quotas`, { runsPerDay: 20, cpuSecondsPerMonth: 3600 });
    const link = await web.server.send("POST", "/api/v1/share-links", { resourceType: "run", resourceId: good, level: "run" });
    const { token: shareToken } = (await link.json()) as { token: string };
    const { items: events } = (await (await web.server.fetch("/api/v1/audit?limit=1")).json()) as { items: { id: string }[] };
    made = { good, bad, judged, reaching, sandbox: sandbox.id, event: events[0]?.id ?? "", shareToken, analysed, program, dataset };
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  // First, because the others sign in, which sets the server up.
  it.each(Object.keys(looks) as Look[])("lets the server be set up accessibly: %s", async (look) => {
    const entry = await web.openPage(web.setupUrl, { signedIn: false, ...looks[look] });
    await entry.getByRole("heading").waitFor();
    await expectAccessible(entry, "Set-up");
    for (const [name, address, text] of [
      ["Shared log", `/share#${made.shareToken}`, "colour"],
      ["Shared artifacts", `/share?tab=artifacts#${made.shareToken}`, "text"],
      ["Wrong share link", "/share#syla_share_wrong", "share_link_invalid"],
    ] as const) {
      await entry.goto("about:blank"); // another fragment alone loads nothing
      await entry.goto(address);
      await entry.getByText(text).first().waitFor();
      await expectAccessible(entry, name);
    }
  });

  describe("of somebody who is signed in", () => {
    let settled: () => Promise<void>;
    beforeAll(async () => {
      page = await web.openPage("/", { reducedMotion: "reduce" });
      settled = watchRequests(page);
    });

    /** Goes to another page as a link does, over one that shares nothing with it. What stands behind `#` is read by a page that loads. */
    async function visit(address: string): Promise<void> {
      const between = page.getByRole("heading", { level: 1, name: "Page not found" });
      if (address.includes("#")) await page.goto(address);
      else {
        await page.evaluate(goTo("/nowhere"));
        await between.waitFor();
        await page.evaluate(goTo(address));
        if (address !== "/nowhere") await between.waitFor({ state: "hidden" });
      }
      await page.getByRole("heading", { level: 1 }).waitFor();
      await settled();
    }

    // A page follows the window and the system, so each is drawn once; that one starts in every look is tried below.
    it.each(Object.keys(paths))("is accessible and fits, wide and small, light and dark: %s", async (name) => {
      const address = paths[name]?.(made) ?? "";
      expect((await web.server.fetch(address, { headers: { accept: "text/html" } })).status).toBe(200);
      await visit(address);
      for (const look of Object.keys(looks) as Look[]) {
        await changeLook(look);
        await expectAccessible(page, look, { onlyColours: look === "dark" });
      }
      expect(web.problems).toEqual([]);
    });
  });

  it.each(Object.keys(looks) as Look[])("opens what lies above it accessibly: %s", async (look) => {
    const above = await web.openPage("/", looks[look]);
    await above.goto("/runs/new");
    await above.getByRole("button", { name: "Network" }).click();
    await above.getByLabel("Some hosts").check();
    await above.getByText("Name at least one host.").waitFor();
    await expectAccessible(above, "Network of a new run");
    await above.goto("/settings/api-keys");
    await above.getByRole("button", { name: "Quotas of CI" }).click();
    await above.getByRole("dialog").getByText("0 of 20").waitFor();
    await expectAccessible(above, "Quotas of a key");
    await above.goto(`/runs/${made.good}`);
    await above.getByRole("button", { name: "Share" }).click();
    await above.getByLabel("Share with").selectOption("link");
    await above.getByText("Whoever has the link syla_share_").waitFor();
    await expectAccessible(above, "Sharing by a link");
    await above.goto("/");
    await above.getByRole("heading", { level: 1 }).waitFor();
    await above.keyboard.press("Control+K");
    await above.getByRole("option", { name: /Home/ }).waitFor();
    await expectAccessible(above, "Palette");
    await above.keyboard.press("Escape");
    await above.getByRole("option", { name: /Home/ }).waitFor({ state: "hidden" });
    const shortcuts = above.getByRole("dialog", { name: "Keyboard shortcuts" });
    await expect // a closing palette still takes keys
      .poll(async () => {
        await above.keyboard.press("?");
        return await shortcuts.isVisible();
      })
      .toBe(true);
    await expectAccessible(above, "Shortcuts");
    expect(web.problems).toEqual([]);
  });

  it("can be gone through with the keyboard alone", async () => {
    const own = await web.openPage("/");
    await own.getByRole("heading", { name: "Home" }).waitFor();
    await own.keyboard.press("g");
    await own.keyboard.press("r");
    await own.getByRole("heading", { name: "Runs" }).waitFor();
    await own.keyboard.press("Control+K");
    await own.getByRole("combobox", { name: /Find a page/ }).fill("system");
    await own.keyboard.press("Enter");
    await own.getByRole("heading", { name: "System" }).waitFor();
    await own.keyboard.press("Tab");
    await own.keyboard.press("n");
    await own.locator(".cm-content").waitFor();
    await own.keyboard.type("x");
    await own.keyboard.press("Escape");
    await own.keyboard.press("Escape");
    await own.keyboard.press("Tab");
    await expect.poll(() => own.evaluate<boolean>("document.activeElement?.closest('.cm-editor') === null")).toBe(true);
  });

  it("obeys the chosen appearance at once and after a reload", async () => {
    const own = await web.openPage("/settings/profile", { colorScheme: "light" });
    await own.getByRole("button", { name: "Dark" }).click();
    await own.locator("html.dark").waitFor();
    await own.reload();
    await own.locator("html.dark").waitFor();
  });
});
