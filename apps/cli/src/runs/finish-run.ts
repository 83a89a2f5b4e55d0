import type { Run, RunError, Syla } from "@syla/sdk";
import { note } from "../output/progress.ts";
import { printJson } from "../output/print.ts";
import { renderError } from "../output/report-error.ts";
import { completeError, describePlace, renderExcerpt } from "../output/run-error.ts";
import { plainLine } from "../output/terminal-text.ts";
import { downloadArtifacts } from "./download-artifacts.ts";
import { exitCodeOfRun } from "./exit-code.ts";
import { resultOfRun } from "./result-document.ts";

/** What a command was told to do with a run that has ended. */
interface FinishFlags {
  readonly json?: boolean;
  readonly outputDir?: string;
}

/** Saves what it left, says how it ended, and answers the exit code that stands for it. */
export async function finishRun(syla: Syla, run: Run, flags: FinishFlags, signal: AbortSignal): Promise<number> {
  const saved = flags.outputDir === undefined ? 0 : await downloadArtifacts(syla, run.id, flags.outputDir, signal);
  if (flags.json === true) printJson(await resultOfRun(syla, run, signal));
  else explain(run, saved, flags);
  return exitCodeOfRun(run);
}

/** The general advice names fields of the API; here it names flags. */
const hints: ReadonlyMap<string, string> = new Map([
  ["timeout", "Raise the limit with --timeout, or make the program faster."],
  ["out_of_memory", "Raise the limit with --resource memory=1G, or use less memory."],
  ["disk_limit", "Raise the limit with --resource disk=2G, or write less."],
  ["cpu_limit", "Raise the limits with --timeout or --resource cpu=2."],
]);

/** So many names of what was left out are told. */
const mostSkipped = 20;

/** What the program's own output does not say. A failure in the program is not told again, only where it was and what helps. */
function explain(run: Run, saved: number, flags: FinishFlags): void {
  if (flags.outputDir !== undefined) note(`${saved} ${saved === 1 ? "file" : "files"} saved in ${flags.outputDir}`);
  if (run.cached) note(`nothing was run: this is the result of ${run.id}`);
  for (const skipped of run.skippedArtifacts.slice(0, mostSkipped))
    note(`not kept from /output: ${plainLine(skipped.path)} (${skipped.reason})`);
  if (run.skippedArtifactCount > mostSkipped) note(`not kept from /output: ${run.skippedArtifactCount - mostSkipped} more`);
  if (run.status === "cancelled") note(`${run.id} was cancelled`);
  if (run.error === null) return;
  const error = completeError(run.error);
  if (error.class === "user_code" && run.signal === null) return tellPlace(error);
  const kind = error.class === "denied" ? "denied" : "infrastructure";
  const hint = hints.get(error.code) ?? error.suggestion?.text ?? error.hint;
  process.stderr.write(renderError({ ...error, hint, class: kind, requestId: null, fields: [] }));
}

/** Without a terminal only what helps: the lines are for eyes. */
function tellPlace(error: RunError): void {
  if (process.stderr.isTTY && error.location !== null && error.excerpt !== null)
    process.stderr.write(`\n${describePlace(error.location)}\n${renderExcerpt(process.stderr, error)}`);
  if (error.suggestion !== null) note(plainLine(error.suggestion.text));
}
