import { availableParallelism } from "node:os";
import { Tests, type TestCase, type TestCheck } from "@syla/contracts/tests";
import { SandboxError } from "@syla/sandbox/spec";
import type { Compilation } from "../compilations/service.ts";
import { CancelledError, failedOutcome, HandedBackError, type Attempt, type Outcome } from "../execution.ts";
import { prepareProgram, type Preparation, type PreparedProgram } from "../prepare-program.ts";
import { emptyResult, type RunResult } from "../result.ts";
import { PhaseClock, type Phase } from "../tracing/phases.ts";
import { runError, type Verdict } from "../verdict.ts";
import type { CaseRun } from "./case-run.ts";
import { CaseRunner } from "./case-runner.ts";
import { comparisonOf, judgeEnd, judgeOutput, type CaseVerdict } from "./case-verdict.ts";
import { CheckerError, openChecker, type Checker, type CheckersContext } from "./checker.ts";
import { describeCase, judgedCase, storeReport, unrunCase, type JudgedCase } from "./report.ts";

/** No other case begins after it. */
const longestMs = 3_600_000;
/** Of each stream of a case. */
const loggedBytes = 64 * 1024;
const failed = { status: "failed", exitCode: null, signal: null } as const;

/** Runs a program once for each test case, in a fresh sandbox each, and judges what it did. Everything that goes wrong is an outcome. */
export class JudgedExecution {
  readonly #attempt: Attempt;
  readonly #context: CheckersContext & Preparation;
  readonly #ended = new AbortController();
  readonly #checkers = new Map<string, Promise<Checker>>();
  readonly #clock: PhaseClock;
  #compilation: Compilation | null = null;
  #runner: CaseRunner | null = null;

  constructor(attempt: Attempt, context: CheckersContext & Preparation) {
    this.#attempt = attempt;
    this.#clock = new PhaseClock(attempt.claimedAt);
    this.#context = context;
  }

  /** Ends the cases that run, and begins no others. */
  cancel(): void {
    this.#ended.abort(new CancelledError());
  }

  /** Gives it up for another worker, unless a program has begun. */
  handBack(): void {
    if (this.#runner?.beginning !== true) this.#ended.abort(new HandedBackError());
  }

  /** A program has run, or may have. */
  get begun(): boolean {
    return this.#runner?.begun ?? false;
  }

  get startedAt(): Date | null {
    return this.#runner?.startedAt ?? null;
  }

  get phases(): readonly Phase[] {
    return this.#clock.phases;
  }

  async perform(): Promise<Outcome> {
    const { blobs, sandboxes } = this.#context;
    try {
      const tests = await this.#readTests();
      const runner = (this.#runner = new CaseRunner(this.#attempt, tests, blobs, sandboxes));
      const preparing = Date.now();
      const program = await prepareProgram(this.#attempt, this.#context, this.#ended.signal);
      this.#compilation = program.compilation;
      this.#clock.addPreparation(preparing, program.environmentMs, program.compilation !== null);
      if (program.error !== null) return await this.#refuse(tests, program.error);
      const judged = await this.#judgeAll(tests, program, runner);
      return this.#outcome(verdictOf(judged), await storeReport(blobs, judged, runner.coverage));
    } catch (error) {
      if (error instanceof CheckerError) return this.#outcome({ ...failed, error: error.error }, null);
      return failedOutcome(error, this.#outcome({ ...failed, error: null }, null), this.begun);
    }
  }

  async #readTests(): Promise<Tests> {
    const { tests } = this.#attempt.config;
    if (tests === null) throw new Error("a run without test cases cannot be judged");
    return Tests.parse(JSON.parse((await this.#context.blobs.get(tests.sha256)).toString()));
  }

  /** Every case, as many at once as asked for and as there are processors. The log has them in order. */
  async #judgeAll(tests: Tests, program: PreparedProgram, runner: CaseRunner): Promise<JudgedCase[]> {
    const judged = new Map<number, JudgedCase>();
    const unlogged = new Map<number, Logged>();
    const waiting = [...tests.cases.keys()];
    let logged = 0;
    const judgeNext = async () => {
      const index = waiting.shift() as number;
      const testCase = tests.cases[index] as TestCase;
      const run = await runner.run(testCase, program, this.#ended.signal);
      const judgedNow = judgedCase(testCase, index, run, await this.#judge(tests, testCase, run));
      judged.set(index, judgedNow);
      unlogged.set(index, beginningOf(run, judgedNow));
      if (tests.stopOnFailure && judgedNow.result.verdict !== "accepted") waiting.length = 0;
      for (let ready = unlogged.get(logged); ready !== undefined; ready = unlogged.get(++logged)) {
        this.#log(logged, judged.get(logged) as JudgedCase, ready);
        unlogged.delete(logged);
      }
    };
    const lane = async () => {
      try {
        while (waiting.length > 0) await judgeNext();
      } catch (error) {
        this.#ended.abort(error); // the others have nothing to go on for; the first reason counts
      }
    };
    const late = setTimeout(() => (waiting.length = 0), longestMs);
    const lanes = Math.min(tests.parallel, availableParallelism(), tests.cases.length);
    await Promise.all(Array.from({ length: lanes }, lane)).finally(() => clearTimeout(late));
    this.#ended.signal.throwIfAborted();
    return tests.cases.map((testCase, index) => judged.get(index) ?? unrunCase(testCase, index, "skipped"));
  }

  async #judge(tests: Tests, testCase: TestCase, run: CaseRun): Promise<CaseVerdict> {
    const { runtime, entrypoint } = this.#attempt;
    const { failure } = run.exit;
    if (failure !== null) throw new SandboxError("sandbox_failed", `the program cannot be started: ${failure.message}`);
    const ended = judgeEnd(testCase, run, { language: runtime.definition, entrypoint });
    if (ended !== null) return ended;
    const check = testCase.check ?? tests.check;
    const checker = typeof check === "object" && "program" in check ? await this.#checker(check) : null;
    const compare = comparisonOf(check, checker === null ? null : (checked) => checker(checked, this.#ended.signal));
    try {
      return await judgeOutput(testCase, run, compare, checker !== null);
    } catch (error) {
      // Not the end of the run: a program could have its checker fail to be spared the verdict.
      if (error instanceof CheckerError) return { verdict: "wrong_answer", message: error.error.message };
      throw error;
    }
  }

  /** One for equal programs. */
  #checker({ program }: Extract<TestCheck, { program: unknown }>): Promise<Checker> {
    const key = JSON.stringify(program);
    const known = this.#checkers.get(key);
    if (known !== undefined) return known;
    const { ownerId, config } = this.#attempt;
    const opening = openChecker(this.#context, program, { ownerId, tier: config.tier }, this.#ended.signal);
    this.#checkers.set(key, opening);
    return opening;
  }

  /** A line for each case, and what it printed when that may be seen. */
  #log(index: number, { result }: JudgedCase, printed: Logged): void {
    const { live } = this.#attempt;
    live.output("system", Buffer.from(describeCase(index, result)));
    for (const stream of ["stdout", "stderr"] as const) if (printed[stream].length > 0) live.output(stream, printed[stream]);
  }

  async #refuse(tests: Tests, error: NonNullable<Verdict["error"]>): Promise<Outcome> {
    if (error.class === "infrastructure") return { ...this.#outcome({ ...failed, error }, null), retryable: true };
    const judged = tests.cases.map((testCase, index) => unrunCase(testCase, index, "compile_error"));
    return this.#outcome({ ...failed, error }, await storeReport(this.#context.blobs, judged, null));
  }

  #outcome(verdict: Verdict, tests: RunResult["tests"]): Outcome {
    const { claimedAt, runtime } = this.#attempt;
    const startedAt = this.#runner?.startedAt ?? null;
    const compileMs = this.#compilation?.compileMs ?? null;
    const result = {
      ...emptyResult,
      runtimeVersion: runtime.version,
      compileMs,
      compileCached: this.#compilation?.cached ?? null,
      phases: this.#clock.phases,
      tests,
      ...(startedAt !== null && this.#runner !== null && measured(this.#runner, startedAt, claimedAt + (compileMs ?? 0))),
    };
    return { verdict, result, artifacts: [], connections: [], startedAt, retryable: false, handedBack: false };
  }
}

type Logged = Pick<CaseRun, "stdout" | "stderr">;

/** What is logged of a case; the rest of a long output need not wait until the cases before it have ended. */
function beginningOf(run: CaseRun, { result }: JudgedCase): Logged {
  const copy = (bytes: Buffer) => Buffer.from(result.hidden ? "" : bytes.subarray(0, loggedBytes));
  return { stdout: copy(run.stdout), stderr: copy(run.stderr) };
}

function measured({ limits, walls, usage }: CaseRunner, startedAt: Date, readyAt: number): Partial<RunResult> {
  const { cpuMs, peakMemoryBytes, ...bytes } = usage;
  return {
    limits,
    walls,
    startMs: Math.max(0, Math.round(startedAt.getTime() - readyAt)),
    runMs: Math.max(0, Date.now() - startedAt.getTime()),
    ...bytes,
    usage: { cpuMs: Math.round(cpuMs * 100) / 100, peakMemoryBytes, network: null, llm: null },
  };
}

function verdictOf(judged: readonly JudgedCase[]): Verdict {
  const wrong = judged.filter(({ result }) => result.verdict !== "accepted");
  const first = wrong[0]?.result;
  if (first === undefined) return { status: "succeeded", exitCode: null, signal: null, error: null };
  const counts = `${judged.length - wrong.length} of ${judged.length} test cases were accepted`;
  const error = runError("user_code", "tests_failed", { message: `${counts}; the first that was not: ${first.name} (${first.verdict}).` });
  return { ...failed, error };
}
