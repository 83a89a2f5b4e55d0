import { constants } from "node:os";
import { errorCatalog, type ErrorCode } from "@syla/contracts/errors";
import type { RunError, RunStatus } from "@syla/contracts/runs";
import type { SandboxExit } from "@syla/sandbox/spec";
import { readFailure, type ReadLanguage } from "./failures/read-failure.ts";
import { traceFacts } from "./failures/trace.ts";

/** How a run ended, in the words of the product. */
export interface Verdict {
  readonly status: RunStatus;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly error: RunError | null;
}

type ErrorClass = RunError["class"];

/** What a run error says besides its class and code; the catalogue has the message and the hint of each code. */
type ErrorFacts = Partial<Omit<RunError, "class" | "code">>;

/** A run error from the catalogue. */
export function runError(errorClass: ErrorClass, code: ErrorCode, facts: ErrorFacts = {}): RunError {
  const { message, hint } = errorCatalog[code];
  return { ...noPlace, message, hint, ...facts, class: errorClass, code };
}

/** Of an error that no line of the program is to blame for. */
export const noPlace = {
  kind: null,
  location: null,
  frames: [],
  causes: [],
  excerpt: null,
  suggestion: null,
  node: null,
} satisfies ErrorFacts;

/**
 * Judges an exit: limits first, then the program. What it printed as errors tells what kind of failure it was; a line without a file is one of
 * `entrypoint`.
 */
export function judge(exit: SandboxExit, cancelled: boolean, stderr: string, language: ReadLanguage, entrypoint?: string): Verdict {
  const signal = exit.signal === null ? null : signalName(exit.signal);
  const ended = { exitCode: exit.exitCode, signal };
  if (exit.failure !== null)
    return { status: "failed", ...ended, error: runError("infrastructure", "command_not_found", { message: exit.failure.message }) };
  if (exit.reason === "cancelled" || (cancelled && exit.reason === null)) return { status: "cancelled", ...ended, error: null };
  if (exit.reason === "timeout") return { status: "timed_out", ...ended, error: runError("limit", "timeout") };
  if (exit.outOfMemory) return { status: "failed", ...ended, error: runError("limit", "out_of_memory") };
  if (exit.reason === "disk" || signal === "SIGXFSZ") return { status: "failed", ...ended, error: runError("limit", "disk_limit") };
  if (signal === "SIGXCPU") return { status: "failed", ...ended, error: runError("limit", "cpu_limit") };
  if (exit.reason !== null) return { status: "failed", ...ended, error: runError("infrastructure", "worker_lost") };
  if (exit.exitCode === 0) return { status: "succeeded", ...ended, error: null };
  return { status: "failed", ...ended, error: diagnose(exit.exitCode, signal, stderr, language, entrypoint) };
}

function diagnose(
  exitCode: number | null,
  signal: string | null,
  stderr: string,
  language: ReadLanguage,
  entrypoint: string | undefined,
): RunError {
  const trace = readFailure(language, stderr, entrypoint);
  if (trace !== null) {
    const { message, ...facts } = traceFacts(trace);
    return runError(trace.code === "out_of_memory" ? "limit" : "user_code", trace.code, { ...facts, ...(message ? { message } : {}) });
  }
  if (signal !== null) return runError("user_code", "killed_by_signal", { message: `The program was ended by ${signal}.`, kind: signal });
  return runError("user_code", "nonzero_exit", { message: `The program ended with exit code ${exitCode}.` });
}

/** `SIGKILL` for 9. */
export function signalName(number: number): string {
  const entry = Object.entries(constants.signals).find(([, value]) => value === number);
  return entry?.[0] ?? `SIG${number}`;
}
