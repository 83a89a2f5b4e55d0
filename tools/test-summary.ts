/** Prints the closing line of a test run, `N passed, N failed[, N skipped]`, from Vitest's JSON report. */
import { existsSync, readFileSync } from "node:fs";

interface Report {
  readonly testResults: readonly {
    readonly status: string;
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** A file that could not be loaded counts as one failure, and so does an exit code that no test explains. */
export function summarize(report: Report, exitCode: number): string {
  const statuses = report.testResults.flatMap((file) => file.assertionResults.map((test) => test.status));
  const count = (...wanted: string[]) => statuses.filter((status) => wanted.includes(status)).length;
  const unloaded = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const failed = count("failed") + unloaded;
  const skipped = count("skipped", "pending", "todo", "disabled");
  return `${count("passed")} passed, ${failed === 0 && exitCode !== 0 ? 1 : failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
}

if (import.meta.main) {
  const [path = "", exitCode = "1"] = process.argv.slice(2);
  const report: Report = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Report) : { testResults: [] };
  process.stdout.write(`${summarize(report, Number(exitCode))}\n`);
}
