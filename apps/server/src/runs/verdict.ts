import { constants } from "node:os";
import { errorCatalog, type ErrorCode } from "@syla/contracts/errors";
import type { RunError, RunStatus } from "@syla/contracts/runs";
import type { SandboxExit } from "@syla/sandbox/spec";
import type { ErrorPattern } from "../runtimes/definition.ts";
import { matchAll } from "./match-text.ts";

/** How a run ended, in the words of the product. */
export interface Verdict {
  readonly status: RunStatus;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly error: RunError | null;
}

type ErrorClass = RunError["class"];

/** A run error from the catalogue. */
export function runError(
  errorClass: ErrorClass,
  code: ErrorCode,
  facts: { message?: string; hint?: string; location?: RunError["location"] } = {},
): RunError {
  const entry = errorCatalog[code];
  return {
    class: errorClass,
    code,
    message: facts.message ?? entry.message,
    hint: facts.hint ?? entry.hint,
    location: facts.location ?? null,
  };
}

/**
 * Judges an exit: limits first, then the program. `stderrTail` and the runtime's patterns tell what kind of failure it was; a line without
 * a file is one of `entrypoint`.
 */
export function judge(
  exit: SandboxExit,
  cancelled: boolean,
  stderrTail: string,
  patterns: readonly ErrorPattern[],
  entrypoint?: string,
): Verdict {
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
  return { status: "failed", ...ended, error: diagnose(exit.exitCode, signal, stderrTail, patterns, entrypoint) };
}

function diagnose(
  exitCode: number | null,
  signal: string | null,
  stderrTail: string,
  patterns: readonly ErrorPattern[],
  entrypoint: string | undefined,
): RunError {
  const matches = matchAll(
    patterns.map(({ pattern }) => pattern),
    stderrTail,
    true,
  );
  const found = matches.at(-1) ?? null;
  if (found !== null) {
    const { code } = patterns[matches.length - 1] as ErrorPattern;
    const { file = entrypoint, line, message } = found.groups ?? {};
    const location = file !== undefined && line !== undefined ? { file, line: Number(line) } : null;
    return runError(code === "out_of_memory" ? "limit" : "user_code", code, {
      location,
      ...(message ? { message: message.slice(0, 1000) } : {}),
    });
  }
  if (signal !== null) return runError("user_code", "killed_by_signal", { message: `The program was ended by ${signal}.` });
  return runError("user_code", "nonzero_exit", { message: `The program ended with exit code ${exitCode}.` });
}

/** `SIGKILL` for 9. */
export function signalName(number: number): string {
  const entry = Object.entries(constants.signals).find(([, value]) => value === number);
  return entry?.[0] ?? `SIG${number}`;
}
