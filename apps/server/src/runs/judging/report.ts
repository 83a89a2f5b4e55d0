import type { FileCoverage, TestCase, TestDetail, TestReport, TestResult } from "@syla/contracts/tests";
import type { Blobs } from "../../platform/blobs.ts";
import { signalName } from "../verdict.ts";
import type { RunResult } from "../result.ts";
import type { CaseRun } from "./case-run.ts";
import { expectedOutput, inputOf, type CaseVerdict } from "./case-verdict.ts";

const detailBytes = 4096;

/** A case that has been judged; the detail of a hidden one is null. */
export interface JudgedCase {
  readonly result: TestResult;
  readonly detail: TestDetail | null;
}

/** What may be said of a hidden case: nothing that its input or the expected output could be told from. */
const hiddenMessages: Readonly<Record<TestResult["verdict"], string | null>> = {
  accepted: null,
  wrong_answer: "the answer is not the expected one",
  time_limit: "it ran longer than its time limit",
  memory_limit: "it used more memory than its limit",
  runtime_error: "the program failed",
  compile_error: null,
  skipped: null,
};

/** A case that was run. */
export function judgedCase(testCase: TestCase, index: number, run: CaseRun, { verdict, message }: CaseVerdict): JudgedCase {
  const { exit } = run;
  const hidden = testCase.hidden === true;
  const result = {
    name: nameOf(testCase, index),
    hidden,
    verdict,
    message: hidden ? hiddenMessages[verdict] : message,
    exitCode: hidden ? null : exit.exitCode,
    signal: hidden || exit.signal === null ? null : signalName(exit.signal),
    runMs: round(exit.runMs),
    cpuMs: round(exit.cpuMs),
    peakMemoryBytes: exit.peakMemoryBytes,
  };
  return { result, detail: hidden ? null : detailOf(testCase, run) };
}

/** A case that was not run. */
export function unrunCase(testCase: TestCase, index: number, verdict: "skipped" | "compile_error"): JudgedCase {
  const nothing = { message: null, exitCode: null, signal: null, runMs: null, cpuMs: null, peakMemoryBytes: null };
  return { result: { name: nameOf(testCase, index), hidden: testCase.hidden === true, verdict, ...nothing }, detail: null };
}

/** Stores the report of a run; its summary is part of the run's result. @throws AppError `storage_full` */
export async function storeReport(
  blobs: Blobs,
  judged: readonly JudgedCase[],
  coverage: FileCoverage[] | null,
): Promise<RunResult["tests"]> {
  const cases = judged.map(({ result }) => result);
  const summary = {
    verdict: cases.find(({ verdict }) => verdict !== "accepted")?.verdict ?? ("accepted" as const),
    passed: cases.filter(({ verdict }) => verdict === "accepted").length,
    total: cases.length,
    cases,
    coverage: coverage === null ? null : { covered: sum(coverage, "covered"), total: sum(coverage, "total") },
  };
  const report: TestReport = { summary, details: judged.map(({ detail }) => detail), coverage };
  const stored = await blobs.write(Buffer.from(JSON.stringify(report)));
  await stored.sync();
  return { summary, report: stored.sha256 };
}

/** A case's line in the log. */
export function describeCase(index: number, { name, verdict, runMs, message }: TestResult): string {
  const text = `[case ${index + 1}, ${name}: ${verdict} in ${Math.round(runMs ?? 0)} ms${message === null ? "" : `: ${message}`}]`;
  return `${text.replaceAll(/\p{Cc}/gu, " ")}\n`;
}

function nameOf(testCase: TestCase, index: number): string {
  return testCase.name ?? `case ${index + 1}`;
}

function detailOf(testCase: TestCase, run: CaseRun): TestDetail {
  const expected = expectedOutput(testCase);
  return {
    stdin: head(inputOf(testCase) ?? Buffer.alloc(0)),
    expected: expected === null ? null : head(expected),
    stdout: head(run.stdout),
    stderr: head(run.stderr),
  };
}

function head(bytes: Buffer): string {
  return bytes.length > detailBytes ? `${bytes.subarray(0, detailBytes).toString()}…` : bytes.toString();
}

function sum(files: readonly FileCoverage[], name: "covered" | "total"): number {
  return files.reduce((total, file) => total + file[name], 0);
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
