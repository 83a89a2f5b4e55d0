/**
 * Prints how a test run ended, from Vitest's JSON reports: `N passed, N failed[, N flaky][, N skipped]`.
 *
 * `node test-summary.ts REPORT EXIT-CODE [SECOND-REPORT EXIT-CODE]` exits with what the tests came to;
 * `node test-summary.ts --again REPORT` prints the files that are worth a second run.
 */
import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";

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

/** How the tests ended: the closing line, the tests that only passed when they ran again, and the exit code. */
export interface Summary {
  readonly line: string;
  readonly flaky: readonly string[];
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
 */
export function summarize(first: Outcome, second?: Outcome): Summary {
  const again = new Map(second?.report.testResults.map((file) => [file.name, file]));
  const files = first.report.testResults.map((file) => again.get(file.name) ?? file);
  const statuses = files.flatMap((file) => file.assertionResults.map((test) => test.status));
  const count = (...wanted: string[]) => statuses.filter((status) => wanted.includes(status)).length;
  const unloaded = files.filter((file) => file.status === "failed" && failuresOf(file).length === 0).length;
  const exitCode = second?.exitCode ?? first.exitCode;
  const failed = count("failed") + unloaded || Number(exitCode !== 0);
  const skipped = count("skipped", "pending", "todo", "disabled");
  const flaky = first.report.testResults.flatMap((file) => flakyOf(file, again.get(file.name)));
  const parts = [`${count("passed")} passed`, `${failed} failed`];
  if (flaky.length > 0) parts.push(`${flaky.length} flaky`);
  if (skipped > 0) parts.push(`${skipped} skipped`);
  return { line: parts.join(", "), flaky, exitCode: failed === 0 ? exitCode : exitCode || 1 };
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
    const summary = summarize(readOutcome(path, exitCode), second);
    for (const test of summary.flaky) process.stdout.write(`FLAKY  ${test}\n`);
    process.stdout.write(`${summary.line}\n`);
    process.exitCode = summary.exitCode;
  }
}
