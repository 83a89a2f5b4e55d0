import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repositoryRoot } from "../source-files.ts";

/** What `npm test` and `npm run check` print and exit with. */
interface Outcome {
  readonly test: string;
  readonly testCode: number;
  readonly check: string;
  readonly checkCode: number;
}

// A stand-in for npm: what is tested here is how the script adds up and what it exits with.
const npm = `#!/bin/sh
if [ "$1" = test ]; then echo "some noise"; echo "$TEST_LINE"; exit "$TEST_CODE"; fi
echo "$CHECK_LINE"; exit "$CHECK_CODE"
`;

const folder = mkdtempSync(join(tmpdir(), "syla-ci-run-"));
const script = join(folder, ".ci/run");
beforeAll(() => {
  mkdirSync(join(folder, ".ci"));
  mkdirSync(join(folder, "bin"));
  copyFileSync(join(repositoryRoot, ".ci/run"), script);
  writeFileSync(join(folder, "bin/npm"), npm);
  chmodSync(join(folder, "bin/npm"), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(outcome: Partial<Outcome>, readme = "```sh\nnpm test\n```\n"): { lastLine: string | undefined; code: number | null } {
  const { test, testCode, check, checkCode } = {
    test: "10 passed, 0 failed",
    testCode: 0,
    check: "8 passed, 0 failed",
    checkCode: 0,
    ...outcome,
  };
  writeFileSync(join(folder, "README.md"), readme);
  const env = {
    PATH: `${join(folder, "bin")}:${process.env["PATH"]}`,
    TEST_LINE: test,
    TEST_CODE: `${testCode}`,
    CHECK_LINE: check,
    CHECK_CODE: `${checkCode}`,
  };
  const { stdout, status } = spawnSync(script, { env, encoding: "utf8" });
  return { lastLine: stdout.trim().split("\n").at(-1), code: status };
}

describe(".ci/run", () => {
  it("adds up what passed", () => {
    expect(run({})).toEqual({ lastLine: "18 passed, 0 failed", code: 0 });
    expect(run({ test: "10 passed, 0 failed, 3 skipped" })).toEqual({ lastLine: "18 passed, 0 failed", code: 0 });
  });

  it("fails with a test or a check", () => {
    expect(run({ test: "9 passed, 1 failed", testCode: 1 })).toEqual({ lastLine: "17 passed, 1 failed", code: 1 });
    expect(run({ check: "6 passed, 2 failed", checkCode: 1 })).toEqual({ lastLine: "16 passed, 2 failed", code: 1 });
  });

  it("fails when a part ends without saying how it went", () => {
    expect(run({ test: "", testCode: 69 })).toEqual({ lastLine: "8 passed, 1 failed", code: 1 });
    expect(run({ test: "", testCode: 0 })).toEqual({ lastLine: "8 passed, 1 failed", code: 1 });
  });

  it("fails with an exit code that no test explains", () => {
    expect(run({ testCode: 1 })).toEqual({ lastLine: "18 passed, 1 failed", code: 1 });
  });

  it("runs the command that the README names, or fails", () => {
    expect(run({}, "make test\n")).toEqual({ lastLine: "0 passed, 1 failed", code: 1 });
  });
});
