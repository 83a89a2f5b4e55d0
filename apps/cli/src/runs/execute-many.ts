import { basename } from "node:path";
import type { Syla } from "@syla/sdk";
import { printJson } from "../output/print.ts";
import { describeError, renderError } from "../output/report-error.ts";
import { note } from "../output/progress.ts";
import { style, styleStatus } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatDuration } from "../output/units.ts";
import type { PreparedRun } from "./build-input.ts";
import { execute, type ExecuteOptions } from "./execute.ts";
import { exitCodeOfRun } from "./exit-code.ts";
import { LostRunError } from "./lost-run-error.ts";
import { createNamedWriter } from "./output-writer.ts";
import { type ExecResult, resultOfError, resultOfRun } from "./result-document.ts";

/** One of several programs, under the name that its lines have. */
export interface NamedRun {
  readonly name: string;
  readonly prepared: PreparedRun;
  readonly workspace: string | undefined;
}

interface Outcome {
  readonly name: string;
  readonly exitCode: number;
  readonly result: ExecResult;
}

/** Names that tell files apart: their last parts, or, where these are equal, all of what was given. */
export function nameFiles(targets: readonly string[]): string[] {
  const names = targets.map((target) => basename(target));
  return targets.map((target, index) => (names.filter((name) => name === names[index]).length > 1 ? target : (names[index] ?? target)));
}

/** Runs several programs, so many at once; each is told of, and one that fails stops no other. @returns the highest exit code */
export async function executeMany(
  syla: Syla,
  runs: readonly NamedRun[],
  { atOnce, json, ...options }: ExecuteOptions & { readonly atOnce: number; readonly json: boolean },
): Promise<number> {
  const outcomes: Outcome[] = [];
  const waiting = [...runs.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined && !options.cancel.isCancelled(); next = waiting.shift()) {
      const [index, run] = next;
      outcomes[index] = await executeOne(syla, run, options, json);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, runs.length) }, work));
  const ended = outcomes.filter((outcome) => outcome !== undefined);
  // those that Ctrl-C left where they were
  const left = runs.length - ended.length;
  const exitCode = Math.max(left > 0 ? 130 : 0, ...ended.map((outcome) => outcome.exitCode));
  if (json) printJson({ items: ended.map(({ name, result }) => ({ file: name, ...result })), notStarted: left, exitCode });
  else tell(ended, left);
  return exitCode;
}

async function executeOne(syla: Syla, { name, prepared, workspace }: NamedRun, options: ExecuteOptions, json: boolean): Promise<Outcome> {
  const label = plainLine(name);
  const writers = { stdout: createNamedWriter(process.stdout, label), stderr: createNamedWriter(process.stderr, label) };
  try {
    const run = await execute(syla, prepared, { ...options, workspace, writers, print: !json });
    return { name, exitCode: exitCodeOfRun(run), result: await resultOfRun(syla, run, options.cancel.signal) };
  } catch (error) {
    const { report, exitCode } = describeError(error);
    if (!json) process.stderr.write(`${label} | ${renderError(report)}`);
    return { name, exitCode, result: resultOfError(report, error instanceof LostRunError ? error.runId : null) };
  }
}

function tell(outcomes: readonly Outcome[], left: number): void {
  const widest = Math.max(0, ...outcomes.map(({ name }) => plainLine(name).length));
  for (const { name, exitCode, result } of outcomes) {
    const status = styleStatus(process.stderr, result.status);
    const why = result.error === null ? "" : ` ${style(process.stderr, "dim", `(${plainLine(result.error.code)})`)}`;
    note(`${plainLine(name).padEnd(widest)}  ${status}${why}  exit ${exitCode}  ${formatDuration(result.timings.totalMs)}`);
  }
  if (left > 0) note(`${left} ${left === 1 ? "file was" : "files were"} not started`);
}
