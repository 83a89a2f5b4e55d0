import { CommanderError } from "commander";
import { usageError } from "./cli-error.ts";
import { printJson } from "./output/print.ts";
import { describeError, reportError } from "./output/report-error.ts";
import { resultOfError } from "./runs/result-document.ts";

/** Says what went wrong with a command line. It is loaded only then. @returns what to exit with */
export function reportFailure(error: unknown, argv: readonly string[]): number {
  const json = argv.includes("--json");
  if (!(error instanceof CommanderError)) return reportError(error, json);
  const wrong = usageError(error.message.replace(/^error: /, "").replaceAll("\n", " "));
  if (argv[0] !== "exec" || !json) return reportError(wrong, json);
  // `syla exec --json` prints its one document in every case
  printJson(resultOfError(describeError(wrong).report));
  return wrong.exitCode;
}
