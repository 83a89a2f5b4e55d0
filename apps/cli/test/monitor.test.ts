import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunTotals } from "@syla/sdk";
import { createPerson, execute, getRun, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { column, cut, widthOf } from "../src/monitor/cells.ts";
import { readKeys } from "../src/monitor/keys.ts";
import type { Snapshot } from "../src/monitor/snapshot.ts";
import { runCli } from "./run-cli.ts";
import { runOnTerminal, type TerminalRun } from "./terminal.ts";

let server: TestServer;
let env: Record<string, string>;
let open: TerminalRun[] = [];

beforeAll(async () => {
  server = await startTestServer({ SYLA_WORKER_SLOTS: "3" });
  env = { SYLA_URL: server.url, SYLA_API_KEY: server.localKey, SYLA_HOME: mkdtempSync(join(tmpdir(), "syla-cli-home-")) };
  await execute(server, { language: "bash", code: "true" });
  await execute(server, { language: "bash", code: "echo 'no such thing' >&2; exit 3", entrypoint: "broken.sh" });
});
afterEach(async () => {
  for (const run of open) run.child.stdin?.end();
  await Promise.all(open.map(({ ended }) => ended));
  open = [];
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(env["SYLA_HOME"] ?? "", { recursive: true, force: true });
});

function monitor(rows = 24, columns = 80, more: Record<string, string> = {}): TerminalRun {
  const run = runOnTerminal(["monitor", "-n", "0.2"], { ...env, ...more }, rows, columns);
  open.push(run);
  return run;
}

const wait = { timeout: 15_000, interval: 20 };
const ticker = {
  language: "bash",
  code: "trap 'exit 1' TERM; for n in $(seq 1 1000); do echo tick $n; sleep 0.05; done",
  entrypoint: "ticker.sh",
};

describe("syla runs summary", () => {
  test("tells what runs came to, in a pipe and as JSON", async () => {
    const { code, stdout } = await runCli(["runs", "summary", "--since", "24h"], { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^runs +2$/m);
    expect(stdout).toMatch(/^succeeded +50 %, 1 failed$/m);
    expect(stdout).toMatch(/^failed +1$/m);
    const failed = JSON.parse((await runCli(["runs", "summary", "--status", "failed", "--json"], { env })).stdout) as RunTotals;
    expect(failed).toMatchObject({ total: { runs: 1, failed: 1 }, statuses: { succeeded: 1, failed: 1 }, successRate: 0 });
  });

  test("refuses a span and a state that are none", async () => {
    for (const since of ["soon", "0d", "3y"]) expect((await runCli(["runs", "summary", "--since", since], { env })).code).toBe(64);
    expect(await runCli(["runs", "summary", "--status", "lost"], { env })).toMatchObject({
      code: 65,
      stderr: expect.stringContaining("Unknown status"),
    });
    expect((await runCli(["runs", "summary", "--since", "999w"], { env })).stderr).toContain("400 days");
  });
});

describe("syla monitor --once", () => {
  test("prints what there is as plain lines, without a colour or a control character", async () => {
    const { code, stdout } = await runCli(["monitor", "--once"], { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^running +0$/m);
    expect(stdout).toMatch(/^slots +0 of 3 taken, 1 workers$/m);
    expect(stdout).toMatch(/^24 hours +2 runs, 50 % succeeded$/m);
    expect(stdout).toMatch(/^run_\w+\tfailed\t[^\t]+\tbash\tbroken\.sh\tnonzero_exit\t/m);
    expect(stdout).not.toContain("\x1b");
  });

  test("--json is the same as one document; others see no workers", async () => {
    const snapshot = JSON.parse((await runCli(["monitor", "--json"], { env })).stdout) as Snapshot;
    expect(snapshot).toMatchObject({ owner: "me", live: [], totals: { total: { runs: 2, failed: 1 } } });
    expect(snapshot.workers?.items).toHaveLength(1);
    const key = (await createPerson(server)).authorization.replace("Bearer ", "");
    const other = JSON.parse((await runCli(["monitor", "--json"], { env: { ...env, SYLA_API_KEY: key } })).stdout) as Snapshot;
    expect(other).toMatchObject({ workers: null, totals: { total: { runs: 0 } } });
    const refused = await runCli(["monitor", "--once", "--all"], { env: { ...env, SYLA_API_KEY: key } });
    expect([refused.code, refused.stdout, refused.stderr]).toEqual([77, "", expect.stringContaining("forbidden")]);
  });

  test("needs a terminal otherwise, and an interval that can be meant", async () => {
    expect(await runCli(["monitor"], { env })).toMatchObject({ code: 64, stdout: "", stderr: expect.stringContaining("--once") });
    for (const interval of ["0", "-1", "soon"]) expect((await runCli(["monitor", "--once", "-n", interval], { env })).code).toBe(64);
  });
});

describe("syla monitor on a terminal", () => {
  test("fits 80 by 24, follows what happens, and gives the terminal back", async () => {
    const shown = monitor();
    await expect.poll(shown.text, wait).toContain("FAILED LATELY 1");
    expect(shown.display).toMatchObject({ isAlternate: true, isCursorShown: false, hasColours: true });
    expect(shown.lines()).toHaveLength(24);
    expect(Math.max(...shown.lines().map(widthOf))).toBeLessThanOrEqual(80);
    expect(shown.lines()[23]).toBe("q quit  ↑↓ select  enter log  c cancel  / filter");
    expect(shown.text()).toMatch(/24 h: 2 runs {2}50 % succeeded/);
    const { id } = await submit(server, ticker);
    await expect.poll(shown.text, wait).toMatch(/running 1 .*\n/);
    expect(shown.text()).toMatch(new RegExp(`${id.slice(-8)} running .* ticker\\.sh`));
    await server.send("POST", `/api/v1/runs/${id}/cancel`);
    await expect.poll(shown.text, wait).toMatch(/running 0 /);
    // It was drawn again and again, and cleared but once: nothing flickers.
    expect(shown.display.clears).toBe(1);
    shown.press("q");
    expect(await shown.ended).toBe(0);
    expect(shown.display).toMatchObject({ isAlternate: false, isCursorShown: true });
  });

  test("follows the log of the run that is chosen, and cancels it when that is confirmed", async () => {
    const { id } = await submit(server, ticker);
    await waitForRun(server, id, ({ stdout }) => stdout.includes("tick 3"));
    const shown = monitor();
    await expect.poll(shown.text, wait).toMatch(new RegExp(`> ${id.slice(-8)} running`));
    shown.press("\r");
    await expect.poll(shown.text, wait).toContain("tick 30");
    shown.press("\x1b[A\x1b[A");
    await expect.poll(shown.text, wait).toMatch(/\d+ lines below/);
    shown.press("\x1b");
    await expect.poll(shown.text, wait).toContain("FAILED LATELY");
    shown.press("c");
    await expect.poll(shown.text, wait).toContain(`Cancel ${id.slice(-8)} (ticker.sh)? y yes  n no`);
    shown.press("n");
    await expect.poll(shown.text, wait).not.toContain("y yes");
    expect((await getRun(server, id)).status).toBe("running");
    shown.press("cy");
    expect((await waitForRun(server, id)).status).toBe("cancelled");
    await expect.poll(shown.text, wait).toContain("RUNNING AND WAITING 0");
    shown.press("q");
    expect(await shown.ended).toBe(0);
  });

  test("filters by what is typed, moves the choice, and takes the filter back", async () => {
    await execute(server, { language: "bash", code: "exit 4", entrypoint: "other.sh" });
    const shown = monitor();
    await expect.poll(shown.text, wait).toContain("FAILED LATELY 2");
    expect(shown.text()).toMatch(/> \w{8} failed .*other\.sh/);
    shown.press("\x1b[B");
    await expect.poll(shown.text, wait).toMatch(/> \w{8} failed .*broken\.sh/);
    shown.press("/OTHERx\x7f");
    await expect.poll(shown.text, wait).toContain("/OTHER_");
    expect(shown.text()).toContain("FAILED LATELY 1 with “OTHER”");
    shown.press("\r\r");
    await expect.poll(shown.text, wait).toMatch(/other\.sh {2}run_\w+ +failed/);
    shown.press("\x1b");
    await expect.poll(shown.text, wait).toContain("FAILED LATELY 1 with “OTHER”");
    shown.press("\x1b");
    await expect.poll(shown.text, wait).toContain("FAILED LATELY 2");
    shown.press("\x03");
    expect(await shown.ended).toBe(0);
  });

  test("follows the size of the terminal, down to one that is too small", async () => {
    const shown = monitor(30, 120);
    await expect.poll(shown.text, wait).toContain("bash");
    for (const [rows, columns] of [
      [10, 40],
      [3, 12],
      [40, 140],
    ] as const) {
      shown.resize(rows, columns);
      await expect.poll(() => shown.lines().length, wait).toBe(rows);
      expect(Math.max(...shown.lines().map(widthOf))).toBeLessThanOrEqual(columns);
    }
    shown.press("q");
    expect(await shown.ended).toBe(0);
  });

  test("has no colour under NO_COLOR, and the choice is still seen", async () => {
    const shown = monitor(24, 80, { NO_COLOR: "1" });
    await expect.poll(shown.text, wait).toMatch(/^> \w{8} failed/m);
    expect(shown.display.hasColours).toBe(false);
    shown.press("q");
    expect(await shown.ended).toBe(0);
  });

  test.each([
    ["SIGTERM", 15, 143],
    ["SIGHUP", 1, 129],
    ["SIGINT", 2, 130],
  ] as const)("gives the terminal back on %s", async (_name, number, code) => {
    const shown = monitor();
    await expect.poll(shown.text, wait).toContain("FAILED LATELY");
    shown.signal(number);
    expect(await shown.ended).toBe(code);
    expect(shown.display).toMatchObject({ isAlternate: false, isCursorShown: true });
  });

  test("shows nothing of a hostile name or log but its letters", async () => {
    const code = "printf 'a\\033]0;title\\007b\\033[2Jc\\n'; sleep 60";
    const { id } = await submit(server, { language: "bash", code, entrypoint: "evil\u009b2J\u202e.sh" });
    await waitForRun(server, id, ({ stdout }) => stdout !== "");
    const shown = monitor();
    await expect.poll(shown.text, wait).toContain(id.slice(-8));
    shown.press("\r");
    await expect.poll(shown.text, wait).toContain("abc");
    expect(shown.written()).not.toMatch(/title|\u009b|\u202e/);
    expect(shown.display.clears).toBe(1);
    await server.send("POST", `/api/v1/runs/${id}/cancel`);
    shown.press("q");
    expect(await shown.ended).toBe(0);
  });
});

describe("what the monitor is made of", () => {
  test("keys are read from what a terminal sends, and unknown sequences are left out", () => {
    expect(readKeys("q\x1b[A\x1bOB\r\x7f/é\x1b[99~\x01")).toEqual(["q", "up", "down", "enter", "backspace", "/", "é"]);
    expect(readKeys("\x1b[5~\x1b[6~\x03\x1b")).toEqual(["page-up", "page-down", "interrupt", "escape"]);
  });

  test("columns count what a terminal counts", () => {
    expect([widthOf("abc"), widthOf("日本"), widthOf("e\u0301"), widthOf("🦉")]).toEqual([3, 4, 1, 2]);
    expect([cut("abcdef", 4), cut("日本語", 4), cut("ab", 4), cut("ab", 0)]).toEqual(["abc…", "日…", "ab", ""]);
    expect([column("ab", 4), column("ab", 4, "right"), column("日本語", 4), column("a\nb\x1b[2J", 5)]).toEqual([
      "ab  ",
      "  ab",
      "日… ",
      "a b  ",
    ]);
  });
});
