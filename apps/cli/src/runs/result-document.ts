import type { Run, Syla } from "@syla/sdk";
import type { ErrorReport } from "../output/report-error.ts";

/** What `syla exec --json` prints: one document, the same fields always. docs/cli.md describes it; fields are only ever added. */
export interface ExecResult {
  readonly runId: string | null;
  readonly status: Run["status"];
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
  readonly timings: Run["timings"];
  readonly tier: Run["tier"] | null;
  readonly limits: Run["limits"];
  readonly network: NonNullable<Run["usage"]>["network"];
  readonly cached: boolean;
  readonly error: { readonly class: string; readonly code: string; readonly message: string; readonly hint: string } | null;
}

/** What the run record itself holds of an output, in bytes; more is in the log. */
const inlineBytes = 64 * 1024;

/** The document of a run, with the whole output. */
export async function resultOfRun(syla: Syla, run: Run, signal: AbortSignal): Promise<ExecResult> {
  const whole = async (stream: "stdout" | "stderr", bytes: number) =>
    bytes > inlineBytes || run.truncated ? (await syla.runs.log(run.id, { stream }, { signal })).text() : run[stream];
  return {
    runId: run.id,
    status: run.status,
    exitCode: run.exitCode,
    signal: run.signal,
    stdout: await whole("stdout", run.output.stdoutBytes),
    stderr: await whole("stderr", run.output.stderrBytes),
    truncated: run.truncated,
    timings: run.timings,
    tier: run.tier,
    limits: run.limits,
    network: run.usage?.network ?? null,
    cached: run.cached,
    error: run.error,
  };
}

/** The document when there was never a run, or when we lost sight of it. */
export function resultOfError({ class: kind, code, message, hint }: ErrorReport, runId: string | null = null): ExecResult {
  const timings = { queueMs: null, startMs: null, environmentMs: null, compileMs: null, compileCached: null, runMs: null, totalMs: null };
  return {
    runId,
    status: "failed",
    exitCode: null,
    signal: null,
    stdout: "",
    stderr: "",
    truncated: false,
    timings,
    tier: null,
    limits: null,
    network: null,
    cached: false,
    error: { class: kind, code, message, hint },
  };
}
