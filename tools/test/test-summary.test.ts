import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { knownSkips } from "../known-skips.ts";
import { filesToRunAgain, summarize, type Outcome } from "../test-summary.ts";

/** Each file by its name, with its tests as they ended; a file without tests could not be loaded. */
function outcome(files: Readonly<Record<string, Readonly<Record<string, string>>>>, exitCode = 1): Outcome {
  const testResults = Object.entries(files).map(([name, tests]) => ({
    name,
    status: Object.keys(tests).length === 0 || Object.values(tests).includes("failed") ? "failed" : "passed",
    assertionResults: Object.entries(tests).map(([fullName, status]) => ({ fullName, status })),
  }));
  return { report: { testResults }, exitCode };
}

describe("the closing line of a test run", () => {
  it("counts, and a file that could not be loaded is a failure", () => {
    expect(summarize(outcome({ a: { one: "passed", two: "skipped" } }, 0))).toEqual({
      line: "1 passed, 0 failed, 1 skipped",
      flaky: [],
      skips: [expect.stringMatching(/^1 test of .*a: something that it needs is missing here \(“two”\)$/)],
      exitCode: 0,
    });
    expect(summarize(outcome({ a: { one: "failed" }, b: {} })).line).toBe("0 passed, 2 failed");
  });

  it("has a failure for an exit code that no test explains", () => {
    expect(summarize(outcome({ a: { one: "passed" } }))).toMatchObject({ line: "1 passed, 1 failed", exitCode: 1 });
    expect(summarize(outcome({ a: { one: "failed" } }, 0)).exitCode).toBe(1);
  });

  it("takes what ran again as it ended then, and names what passed only then", () => {
    const first = outcome({ a: { one: "passed" }, b: { two: "failed", three: "passed" }, c: {} });
    const second = outcome({ b: { two: "passed", three: "passed" }, c: { four: "passed" } }, 0);
    expect(summarize(first, second)).toEqual({ line: "4 passed, 0 failed, 2 flaky", flaky: ["b: two", "c"], skips: [], exitCode: 0 });
  });

  it("fails when it fails again, when another test of the file does, and when the second run ends otherwise", () => {
    const first = outcome({ a: { one: "passed" }, b: { two: "failed", three: "passed" } });
    expect(summarize(first, outcome({ b: { two: "failed", three: "passed" } }))).toMatchObject({ line: "2 passed, 1 failed", exitCode: 1 });
    expect(summarize(first, outcome({ b: { two: "passed", three: "failed" } })).line).toBe("2 passed, 1 failed");
    expect(summarize(first, outcome({}))).toMatchObject({ line: "2 passed, 1 failed", exitCode: 1 });
    expect(summarize(first, outcome({ b: { two: "passed", three: "passed" } }))).toMatchObject({ line: "3 passed, 1 failed, 1 flaky" });
  });
});

describe("skipped tests", () => {
  const root = join(import.meta.dirname, "../..");
  const known = knownSkips.map(({ file }) => file);

  it("are told by reason, and have failed where nothing is missing unless the reason is known", () => {
    const mellea = join(root, "apps/server/test/gateway/mellea.test.ts");
    const run = outcome({ [mellea]: { "x litellm": "skipped", "y litellm": "skipped", "are templates": "skipped", one: "passed" } }, 0);
    const skips = [
      "2 tests of apps/server/test/gateway/mellea.test.ts: takes too long for every day; SYLA_LONG_RUNS=1 runs it",
      "1 test of apps/server/test/gateway/mellea.test.ts: something that it needs is missing here (“are templates”)",
    ];
    expect(summarize(run)).toEqual({ line: "1 passed, 0 failed, 3 skipped", flaky: [], skips, exitCode: 0 });
    expect(summarize(run, undefined, true)).toEqual({ line: "1 passed, 1 failed, 2 skipped", flaky: [], skips, exitCode: 1 });
  });

  it.each(known)("of %s are known of a file that is there", (file) => {
    expect(existsSync(join(root, file))).toBe(true);
  });
});

describe("files that run again", () => {
  it("are those that failed, when they are few", () => {
    const failing = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, { t: "failed" }]));
    expect(filesToRunAgain(outcome({ ...failing(3), a: { one: "passed" } }).report)).toEqual(["f0", "f1", "f2"]);
    expect(filesToRunAgain(outcome(failing(4)).report)).toEqual([]);
    expect(filesToRunAgain(outcome({ a: { one: "passed" } }).report)).toEqual([]);
  });
});
