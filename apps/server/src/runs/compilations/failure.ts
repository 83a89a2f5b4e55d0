import type { RunError } from "@syla/contracts/runs";
import type { SandboxExit, SandboxLimits } from "@syla/sandbox/spec";
import type { ArtifactCollector } from "../artifact-collector.ts";
import { matchAll } from "../match-text.ts";
import { frameOf, locationOf } from "../failures/trace.ts";
import { runError } from "../verdict.ts";
import type { CompilerResult } from "./compiler.ts";

const mebibyte = 1024 * 1024;

/** Why nothing came of a compilation, in the words of the product; null when something did. */
export function judgeCompilation(
  { exit, messages }: CompilerResult,
  { artifacts, skipped }: Pick<ArtifactCollector, "artifacts" | "skipped">,
  limits: SandboxLimits,
  patterns: readonly RegExp[],
): RunError | null {
  const beyond = exceeded(exit, limits);
  if (beyond !== null) return runError("user_code", "compile_error", beyond);
  if (exit.failure !== null) return runError("infrastructure", "command_not_found", { message: exit.failure.message });
  if (skipped[0] !== undefined)
    return runError("user_code", "compile_error", {
      message: `What the compiler made cannot be kept: ${skipped[0].path} (${skipped[0].reason}).`,
    });
  if (exit.exitCode === 0 && artifacts.length > 0) return null;
  return runError("user_code", "compile_error", firstError(messages, patterns) ?? { message: describeEnd(exit) });
}

/** The server's own limits of compiling: the program's author cannot raise them. */
function exceeded(exit: SandboxExit, limits: SandboxLimits): { message: string; hint: string } | null {
  const advice = (option: string) => `Make the program smaller, or ask an administrator to raise ${option}.`;
  if (exit.reason === "timeout")
    return { message: `The compiler ran longer than its limit of ${limits.wallMs / 1000} s.`, hint: advice("SYLA_COMPILE_SECONDS") };
  if (exit.outOfMemory)
    return {
      message: `The compiler needed more memory than its limit of ${Math.round(limits.memoryBytes / mebibyte)} MiB.`,
      hint: advice("SYLA_COMPILE_MEMORY"),
    };
  if (exit.reason === "disk")
    return { message: `The compiler wrote more than ${Math.round(limits.diskBytes / mebibyte)} MiB.`, hint: "Make the program smaller." };
  return null;
}

/** The error that comes first in the text, whichever pattern finds it. */
function firstError(messages: string, patterns: readonly RegExp[]): { message?: string; location?: RunError["location"] } | null {
  const found = matchAll(patterns, messages).filter((match) => match !== null);
  const earliest = found.toSorted((a, b) => a.index - b.index)[0];
  if (earliest === undefined) return null;
  const { file, line, column, message } = earliest.groups ?? {};
  const location = file !== undefined && line !== undefined ? locationOf(frameOf(file, line, column ?? null)) : null;
  return { location, ...(message ? { message: message.slice(0, 1000) } : {}) };
}

function describeEnd(exit: SandboxExit): string {
  if (exit.exitCode === 0) return "The compiler made nothing that could be run.";
  return exit.signal === null ? `The compiler ended with exit code ${exit.exitCode}.` : `The compiler was ended by signal ${exit.signal}.`;
}
