import { relative } from "node:path";
import { note } from "../output/progress.ts";
import { describeError, renderError } from "../output/report-error.ts";
import { plainLine } from "../output/terminal-text.ts";
import type { LocalFile } from "./collect-files.ts";
import { awaitChange } from "./watch-files.ts";

/** One of the runs that follow each other. */
export interface WatchedRun {
  /** Resolves with the exit code. */
  readonly ended: Promise<number>;
  /** Ends it before its time. */
  cancel(): void;
  /** Whether somebody has pressed Ctrl-C. */
  readonly isStopped: () => boolean;
}

/** Runs a program again each time that one of its files changes, and ends what still runs first. Ends by Ctrl-C. @returns the last exit code */
export async function rerunOnChange(collect: () => readonly LocalFile[], start: () => WatchedRun): Promise<number> {
  for (;;) {
    const change = awaitChange(collect);
    try {
      const run = start();
      const ended = run.ended.catch(reportAndGoOn);
      const first = await Promise.race([ended, change.happened]);
      if (typeof first === "string") run.cancel();
      const code = await ended;
      if (run.isStopped()) return code;
      if (typeof first !== "string") note(`exit ${code}; waiting for a change, Ctrl-C ends`);
      const path = await change.happened;
      note(plainLine(`${relative(process.cwd(), path)} has changed`));
    } finally {
      change.stop();
    }
  }
}

/** A program that is half written is no reason to leave. */
function reportAndGoOn(error: unknown): number {
  const { report, exitCode } = describeError(error);
  process.stderr.write(renderError(report));
  return exitCode;
}
