import type { FileCoverage, TestCase, Tests } from "@syla/contracts/tests";
import type { EffectiveLimits, InputFile, RuntimeSpec, SandboxLimits } from "@syla/sandbox/spec";
import type { Blobs } from "../../platform/blobs.ts";
import type { Sandboxes } from "../../sandboxes/service.ts";
import type { Attempt } from "../execution.ts";
import { inputFiles } from "../input-files.ts";
import { limitsOf, type PreparedProgram } from "../prepare-program.ts";
import { runCase, type CaseRun } from "./case-run.ts";
import { bytesOf, inputOf } from "./case-verdict.ts";
import { addCoverage, toFileCoverage, type Lines } from "./coverage.ts";

const mebibyte = 1024 * 1024;
/** Of one case: what it prints and leaves is held in memory. */
const maxOutputBytes = 16 * mebibyte;
const collected = { maxBytes: 16 * mebibyte, maxFiles: 200 };
const nothing = { maxBytes: 0, maxFiles: 0 };
const coverageFolder = ".coverage";

/** Puts the cases of a run into sandboxes, and counts what they took. */
export class CaseRunner {
  readonly usage = { cpuMs: 0, peakMemoryBytes: null as number | null, stdoutBytes: 0, stderrBytes: 0, droppedBytes: 0 };
  limits: EffectiveLimits | null = null;
  walls: readonly string[] = [];
  startedAt: Date | null = null;
  begun = false;
  readonly #attempt: Attempt;
  readonly #tests: Tests;
  readonly #blobs: Blobs;
  readonly #sandboxes: Sandboxes;
  readonly #coverage: Lines = new Map();
  #begin: Promise<void> | null = null;
  #sources: Promise<ReadonlyMap<string, string>> | null = null;

  constructor(attempt: Attempt, tests: Tests, blobs: Blobs, sandboxes: Sandboxes) {
    this.#attempt = attempt;
    this.#tests = tests;
    this.#blobs = blobs;
    this.#sandboxes = sandboxes;
  }

  /** Runs one case. @throws SandboxError, the signal's reason */
  async run(testCase: TestCase, program: PreparedProgram, signal: AbortSignal): Promise<CaseRun> {
    const { config, ownerId, entrypoint, runtime } = this.#attempt;
    const limits = this.#limitsOf(testCase);
    // The lines that ran would tell what a hidden case holds.
    const tracer = this.#tests.coverage && testCase.hidden !== true ? runtime.definition.coverage : null;
    const wantsFiles = tracer !== null || (testCase.expected.files?.length ?? 0) > 0;
    const spec = {
      tenant: ownerId,
      runtime: traced(program.runtime(limits), tracer),
      entrypoint,
      args: testCase.args ?? config.args,
      env: config.env,
      stdin: inputOf(testCase) ?? (config.stdin === null ? null : await this.#blobs.get(config.stdin.sha256)),
      limits,
      layers: program.layers,
      artifacts: wantsFiles ? collected : nothing,
      begin: () => this.#beginOnce(signal),
    };
    const files = () => this.#files(program, testCase, tracer);
    const run = await runCase(
      this.#sandboxes,
      config.tier,
      () => ({ ...spec, files: files() }),
      signal,
      (agoMs) => this.#noteStart(agoMs),
    );
    this.#count(run);
    if (tracer !== null) await this.#addCoverage(tracer.format, run);
    return run;
  }

  /** From now on a program may be running, whatever comes. */
  get beginning(): boolean {
    return this.#begin !== null;
  }

  /** Null unless it was asked for. */
  get coverage(): FileCoverage[] | null {
    return this.#tests.coverage ? toFileCoverage(this.#coverage) : null;
  }

  #limitsOf(testCase: TestCase): SandboxLimits {
    const limits = limitsOf(this.#attempt.config.limits);
    const { wallMs = limits.wallMs, memoryBytes = limits.memoryBytes } = testCase.limits ?? {};
    return { ...limits, wallMs, memoryBytes, outputBytes: Math.min(limits.outputBytes, maxOutputBytes) };
  }

  async *#files(program: PreparedProgram, testCase: TestCase, tracer: Tracer): AsyncGenerator<InputFile> {
    const own = testCase.files ?? [];
    const replaced = new Set(own.map((file) => file.path));
    const others = program.files.filter((file) => !replaced.has(file.path));
    yield* inputFiles(this.#blobs, others);
    for (const file of own) yield { path: file.path, mode: 0o644, content: bytesOf(file) ?? Buffer.alloc(0) };
    const text = this.#attempt.runtime.tracer;
    if (tracer?.file && text !== null) yield { path: `${coverageFolder}/${tracer.file}`, mode: 0o644, content: Buffer.from(text) };
  }

  /** Recorded as running once, before the first program gets to run. */
  async #beginOnce(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await (this.#begin ??= this.#attempt.begin());
    this.begun = true;
  }

  #noteStart(agoMs: number): void {
    if (this.startedAt !== null) return;
    this.startedAt = new Date(Date.now() - agoMs);
    this.#attempt.live.status("running", null, this.#attempt.number, this.startedAt.getTime());
  }

  #count({ exit, limits, walls }: CaseRun): void {
    const { usage } = this;
    this.limits ??= limits;
    this.walls = walls;
    usage.cpuMs += exit.cpuMs;
    usage.stdoutBytes += exit.stdoutBytes;
    usage.stderrBytes += exit.stderrBytes;
    usage.droppedBytes += exit.droppedBytes;
    if (exit.peakMemoryBytes !== null) usage.peakMemoryBytes = Math.max(usage.peakMemoryBytes ?? 0, exit.peakMemoryBytes);
  }

  async #addCoverage(format: "lines" | "v8", run: CaseRun): Promise<void> {
    const sources = await (this.#sources ??= this.#readSources());
    for (const [path, report] of run.files)
      if (path.startsWith(`${coverageFolder}/`)) addCoverage(this.#coverage, format, report.toString(), sources);
  }

  async #readSources(): Promise<ReadonlyMap<string, string>> {
    const { config, runtime } = this.#attempt;
    const { extensions } = runtime.definition;
    const own = config.files.filter(({ path, size }) => size <= mebibyte && extensions.some((extension) => path.endsWith(extension)));
    return new Map(await Promise.all(own.map(async ({ path, sha256 }) => [path, (await this.#blobs.get(sha256)).toString()] as const)));
  }
}

type Tracer = Attempt["runtime"]["definition"]["coverage"];

/** The same program, started afresh so that it tells which lines ran; in jails of their own, where nothing is booted ahead. */
function traced(spec: RuntimeSpec, tracer: Tracer): RuntimeSpec {
  if (tracer === null) return spec;
  const env = { ...spec.env, ...tracer.env };
  return { ...spec, name: `${spec.name}+cold`, env, command: tracer.command ?? spec.command, pooling: "cold" };
}
