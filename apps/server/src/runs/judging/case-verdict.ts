import type { TestCase, TestCheck, TestVerdict } from "@syla/contracts/tests";
import type { ReadLanguage } from "../failures/read-failure.ts";
import { judge } from "../verdict.ts";
import type { CaseRun } from "./case-run.ts";
import type { CheckedOutput } from "./checker.ts";
import { compareExact, compareTolerant, compareTrimmed } from "./compare.ts";

/** What is said of a case. `message` may hold what the case holds. */
export interface CaseVerdict {
  readonly verdict: TestVerdict;
  readonly message: string | null;
}

/** What judging an end needs to know of the program. */
export interface JudgedProgram {
  readonly language: ReadLanguage;
  readonly entrypoint: string;
}

/** Judges how a case ended, before its output is looked at; null: it ended as it should. */
export function judgeEnd(testCase: TestCase, { exit, stderr }: CaseRun, program: JudgedProgram): CaseVerdict | null {
  const { error, status } = judge(exit, false, stderr.toString(), program.language, program.entrypoint);
  if (status === "timed_out") return { verdict: "time_limit", message: "it ran longer than its time limit" };
  if (error?.code === "out_of_memory") return { verdict: "memory_limit", message: "it used more memory than its limit" };
  const wanted = testCase.expected.exitCode ?? 0;
  if (exit.exitCode === wanted && exit.reason === null) return null;
  if (exit.exitCode === 0) return { verdict: "wrong_answer", message: `exit code 0 instead of ${wanted}` };
  const place = error?.location ? ` (${error.location.path}:${error.location.line})` : "";
  return { verdict: "runtime_error", message: `${error?.message ?? `exit code ${exit.exitCode}`}${place}` };
}

type Compare = (checked: CheckedOutput) => Promise<string | null>;

/** How a case's output is compared, by itself or by `program` for checkers. */
export function comparisonOf(check: TestCheck, program: Compare | null): Compare {
  if (check === "exact") return ({ expected, output }) => compareExact(expected, output);
  if (check === "trimmed") return ({ expected, output }) => compareTrimmed(expected, output);
  if ("tolerance" in check) return ({ expected, output }) => compareTolerant(expected, output, check.tolerance);
  if (program === null) throw new Error("a checker that was not opened");
  return program;
}

/** Compares what a case gave with what was expected of it. */
export async function judgeOutput(testCase: TestCase, run: CaseRun, compare: Compare, usesChecker: boolean): Promise<CaseVerdict> {
  const input = inputOf(testCase) ?? Buffer.alloc(0);
  const expected = expectedOutput(testCase);
  if (expected !== null || usesChecker) {
    if (run.cut) return wrong("it printed more than its output limit");
    const message = await compare({ input, output: run.stdout, expected: expected ?? Buffer.alloc(0) });
    if (message !== null) return wrong(message);
  }
  for (const file of testCase.expected.files ?? []) {
    const output = run.files.get(file.path);
    if (output === undefined) return wrong(`/output/${file.path} is missing`);
    const message = await compare({ input, output, expected: bytesOf(file) ?? Buffer.alloc(0) });
    if (message !== null) return wrong(`/output/${file.path}: ${message}`);
  }
  return { verdict: "accepted", message: null };
}

/** What the case gives on standard input; null: nothing of its own. */
export function inputOf(testCase: TestCase): Buffer | null {
  return bytesOf({ content: testCase.stdin, contentBase64: testCase.stdinBase64 });
}

/** What it should print; null: that does not matter. */
export function expectedOutput({ expected }: TestCase): Buffer | null {
  return bytesOf({ content: expected.stdout, contentBase64: expected.stdoutBase64 });
}

/** Content that was given as text or as base64; null when it was not given. */
export function bytesOf(
  content: { readonly content?: string | undefined } | { readonly contentBase64?: string | undefined },
): Buffer | null {
  if ("contentBase64" in content && content.contentBase64 !== undefined) return Buffer.from(content.contentBase64, "base64");
  return "content" in content && content.content !== undefined ? Buffer.from(content.content) : null;
}

function wrong(message: string): CaseVerdict {
  return { verdict: "wrong_answer", message };
}
