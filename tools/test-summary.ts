/**
 * Prints how a test run ended, from Vitest's JSON reports: `N passed, N failed[, N flaky][, N skipped]`.
 *
 * `node test-summary.ts REPORT EXIT-CODE [SECOND-REPORT EXIT-CODE]` exits with what the tests came to, and tells what was skipped and why. Where
 * everything is installed (`CI`, unless `SYLA_MAY_SKIP` is `true`), a test that is skipped for no known reason has failed.
 * `node test-summary.ts --again REPORT` prints the files that are worth a second run.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { reasonToSkip } from "./known-skips.ts";

interface Report {
  readonly testResults: readonly FileResult[];
}

interface FileResult {
  readonly status: string;
  readonly name: string;
  readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
}

/** A test run and what it exited with. */
export interface Outcome {
  readonly report: Report;
  readonly exitCode: number;
}

/** How the tests ended: the closing line, the tests that only passed when they ran again, those that were skipped, and the exit code. */
export interface Summary {
  readonly line: string;
  readonly flaky: readonly string[];
  /** By reason, how many and where. */
  readonly skips: readonly string[];
  readonly exitCode: number;
}

/** More files than these do not fail by chance. */
const mostAgain = 3;

/** The files that failed, when they are few; none when the run ended for a reason that is none of theirs. */
export function filesToRunAgain({ testResults }: Report): string[] {
  const failed = testResults.filter(({ status }) => status === "failed").map(({ name }) => name);
  return failed.length > mostAgain ? [] : failed;
}

/**
 * A file that could not be loaded counts as one failure, and so does an exit code that no test explains.
 * `second`: the files that failed, run again, which count as they ended then; what failed before and passed now is flaky.
 * `isComplete`: nothing is missing here, so that what is skipped for no known reason should have run.
 */
export function summarize(first: Outcome, second?: Outcome, isComplete = false): Summary {
  const again = new Map(second?.report.testResults.map((file) => [file.name, file]));
  const files = first.report.testResults.map((file) => again.get(file.name) ?? file);
  const statuses = files.flatMap((file) => file.assertionResults.map((test) => test.status));
  const count = (...wanted: string[]) => statuses.filter((status) => wanted.includes(status)).length;
  const unloaded = files.filter((file) => file.status === "failed" && failuresOf(file).length === 0).length;
  const exitCode = second?.exitCode ?? first.exitCode;
  const skips = files.flatMap(skipsOf);
  const unexplained = isComplete ? skips.filter(({ reason }) => reason === undefined).length : 0;
  const failed = (count("failed") + unloaded || Number(exitCode !== 0)) + unexplained;
  const skipped = skips.length - unexplained;
  const flaky = first.report.testResults.flatMap((file) => flakyOf(file, again.get(file.name)));
  const parts = [`${count("passed")} passed`, `${failed} failed`];
  if (flaky.length > 0) parts.push(`${flaky.length} flaky`);
  if (skipped > 0) parts.push(`${skipped} skipped`);
  return { line: parts.join(", "), flaky, skips: tellSkips(skips), exitCode: failed === 0 ? exitCode : exitCode || 1 };
}

interface Skip {
  readonly file: string;
  readonly test: string;
  readonly reason: string | undefined;
}

const skippedStatuses = new Set(["skipped", "pending", "todo", "disabled"]);

function skipsOf({ name, assertionResults }: FileResult): Skip[] {
  const file = relative(join(import.meta.dirname, ".."), name);
  return assertionResults
    .filter(({ status }) => skippedStatuses.has(status))
    .map(({ fullName }) => ({ file, test: fullName, reason: reasonToSkip(file, fullName) }));
}

/** One line for each file and reason; of what has no reason the first test as well. */
function tellSkips(skips: readonly Skip[]): string[] {
  const groups = Map.groupBy(skips, ({ file, reason }) => `${file}: ${reason ?? "something that it needs is missing here"}`);
  return [...groups].map(([what, [first, ...others]]) => {
    const count = 1 + others.length;
    return `${count === 1 ? "1 test" : `${count} tests`} of ${what}${first?.reason === undefined ? ` (“${first?.test ?? ""}”)` : ""}`;
  });
}

function flakyOf(file: FileResult, again: FileResult | undefined): string[] {
  if (again === undefined || again.status === "failed") return [];
  const failures = failuresOf(file);
  return failures.length === 0 ? [file.name] : failures.map(({ fullName }) => `${file.name}: ${fullName}`);
}

function failuresOf(file: FileResult) {
  return file.assertionResults.filter(({ status }) => status === "failed");
}

function readReport(path = ""): Report {
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Report) : { testResults: [] };
}

function readOutcome(path: string, exitCode = "1"): Outcome {
  return { report: readReport(path), exitCode: Number(exitCode) };
}

if (import.meta.main) {
  const [path = "", exitCode, secondPath, secondExitCode] = process.argv.slice(2);
  if (path === "--again") {
    process.stdout.write(
      filesToRunAgain(readReport(exitCode))
        .map((file) => relative(process.cwd(), file))
        .join("\n"),
    );
  } else {
    const second = secondPath === undefined ? undefined : readOutcome(secondPath, secondExitCode);
    const isComplete = Boolean(process.env["CI"]) && process.env["SYLA_MAY_SKIP"] !== "true";
    const summary = summarize(readOutcome(path, exitCode), second, isComplete);
    for (const test of summary.skips) process.stdout.write(`SKIPPED  ${test}\n`);
    for (const test of summary.flaky) process.stdout.write(`FLAKY  ${test}\n`);
    process.stdout.write(`${summary.line}\n`);
    process.exitCode = summary.exitCode;
  }
}
