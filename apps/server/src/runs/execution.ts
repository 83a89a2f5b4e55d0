import { AppError } from "@syla/contracts/errors";
import type { NetworkConnection, NetworkUsage } from "@syla/contracts/network";
import type { RunError } from "@syla/contracts/runs";
import { SandboxError, type SandboxEvent, type SandboxExit, type SandboxRun } from "@syla/sandbox/spec";
import type { Blobs } from "../platform/blobs.ts";
import type { InstalledRuntime } from "../runtimes/service.ts";
import type { Sandboxes } from "../sandboxes/service.ts";
import { ArtifactCollector, type CollectedArtifact } from "./artifact-collector.ts";
import type { Compilation, Compilations } from "./compilations/service.ts";
import { artifactLimits, type RunConfig } from "./config.ts";
import { inputFiles } from "./input-files.ts";
import type { LiveRun } from "./live-run.ts";
import { toConnection } from "./network.ts";
import { limitsOf, prepareProgram } from "./prepare-program.ts";
import { emptyResult, runResults, type RunResult } from "./result.ts";
import { judge, runError, type Verdict } from "./verdict.ts";

/** How long a cancelled program may take to end by itself. */
const cancelGraceMs = 10_000;

/** One attempt at a run, in this process. */
export interface Attempt {
  readonly runId: string;
  readonly ownerId: string;
  readonly number: number;
  readonly runtime: InstalledRuntime;
  readonly entrypoint: string;
  readonly config: RunConfig;
  readonly live: LiveRun;
  readonly claimedAt: number;
  /** Awaited when the sandbox is ready, before the program gets to run: from then on it may have run. Throws to give up. */
  readonly begin: () => Promise<void>;
  /** The program has to be compiled first, which takes a while. */
  readonly onCompiling: () => void;
}

/** What came of an attempt. */
export interface Outcome {
  readonly verdict: Verdict;
  readonly result: RunResult;
  readonly artifacts: readonly CollectedArtifact[];
  /** The first of those that the program made. */
  readonly connections: readonly NetworkConnection[];
  readonly startedAt: Date | null;
  /** The program never ran and the reason may pass: worth another attempt. */
  readonly retryable: boolean;
}

/** Runs one attempt. Everything that goes wrong is an outcome, except what `begin` throws. */
export class Execution {
  readonly #attempt: Attempt;
  readonly #blobs: Blobs;
  readonly #sandboxes: Sandboxes;
  readonly #artifacts: ArtifactCollector;
  readonly #compilations: Compilations;
  readonly #ended = new AbortController();
  #compilation: Compilation | null = null;
  #run: SandboxRun | null = null;
  #cancelled = false;
  #begun = false;
  #startedAt: Date | null = null;

  constructor(attempt: Attempt, blobs: Blobs, sandboxes: Sandboxes, compilations: Compilations) {
    this.#attempt = attempt;
    this.#blobs = blobs;
    this.#sandboxes = sandboxes;
    this.#compilations = compilations;
    this.#artifacts = new ArtifactCollector(blobs, artifactLimits);
  }

  /** SIGTERM, and an end after the grace time. A run that has not begun yet never begins. */
  cancel(graceMs = cancelGraceMs): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#ended.abort(new CancelledError());
    this.#run?.cancel(graceMs);
  }

  /** The program has run, or may have. */
  get begun(): boolean {
    return this.#begun;
  }

  async perform(): Promise<Outcome> {
    try {
      const { config, entrypoint, ownerId } = this.#attempt;
      const program = await prepareProgram(this.#attempt, this.#compilations, this.#ended.signal);
      this.#compilation = program.compilation;
      if (program.error !== null) return this.#refuse(program.error);
      const stdin = config.stdin === null ? null : await this.#blobs.get(config.stdin.sha256);
      const limits = limitsOf(config.limits);
      this.#run = await this.#sandboxes.start(config.tier, {
        tenant: ownerId,
        runtime: program.runtime(limits),
        entrypoint,
        args: config.args,
        env: config.env,
        stdin,
        files: inputFiles(this.#blobs, program.files),
        limits,
        network: config.network,
        artifacts: artifactLimits,
        begin: () => this.#begin(),
      });
      if (this.#cancelled) this.#run.cancel(cancelGraceMs);
      for await (const event of this.#run.events) {
        if (event.type === "exit") return await this.#finish(event);
        await this.#handle(event);
      }
      throw new SandboxError("sandbox_failed", "the sandbox ended without a result");
    } catch (error) {
      await this.#artifacts.abandon();
      return this.#fail(error);
    }
  }

  #refuse(error: RunError): Outcome {
    const verdict = { status: "failed", exitCode: null, signal: null, error } as const;
    const result = { ...emptyResult, ...this.#compileTimes(), runtimeVersion: this.#attempt.runtime.version };
    return { verdict, result, artifacts: [], connections: [], startedAt: null, retryable: error.class === "infrastructure" };
  }

  #compileTimes(): Pick<RunResult, "compileMs" | "compileCached"> {
    return { compileMs: this.#compilation?.compileMs ?? null, compileCached: this.#compilation?.cached ?? null };
  }

  async #begin(): Promise<void> {
    if (this.#cancelled) throw new CancelledError();
    await this.#attempt.begin();
    this.#begun = true;
  }

  async #handle(event: Exclude<SandboxEvent, SandboxExit>): Promise<void> {
    const { live, number } = this.#attempt;
    switch (event.type) {
      case "started":
        this.#startedAt = new Date(Date.now() - event.agoMs);
        return live.status("running", null, number, this.#startedAt.getTime());
      case "output":
        return live.output(event.stream, event.data);
      case "dropped":
        return live.output("system", Buffer.from(`[${event.bytes} bytes of output were left out here: the run's output limit]\n`));
      case "artifact":
        return await this.#artifacts.begin(event.path);
      case "artifact-data":
        return await this.#artifacts.data(event.data);
      case "skipped":
        return this.#artifacts.skip(event.path, event.reason);
    }
  }

  async #finish(exit: SandboxExit): Promise<Outcome> {
    await this.#artifacts.end();
    const { live, runtime, claimedAt, entrypoint } = this.#attempt;
    const verdict = judge(exit, this.#cancelled, live.stderrTail, runtime.definition.errors, entrypoint);
    const started = this.#startedAt?.getTime() ?? claimedAt;
    const result = runResults.trust({
      runtimeVersion: runtime.version,
      limits: this.#run?.limits ?? null,
      startMs: Math.max(0, round(started - claimedAt - (this.#compilation?.compileMs ?? 0))),
      ...this.#compileTimes(),
      runMs: round(exit.runMs),
      stdoutBytes: exit.stdoutBytes,
      stderrBytes: exit.stderrBytes,
      droppedBytes: exit.droppedBytes,
      usage: { cpuMs: round(exit.cpuMs), peakMemoryBytes: exit.peakMemoryBytes, network: this.#networkUsage() },
      tests: null,
      skippedArtifacts: this.#artifacts.skipped,
    });
    const { artifacts } = this.#artifacts;
    return { verdict, result, artifacts, connections: this.#connections(), startedAt: this.#startedAt, retryable: false };
  }

  #networkUsage(): NetworkUsage | null {
    const usage = this.#run?.network() ?? null;
    if (usage === null) return null;
    const { sentBytes, receivedBytes, connections, refused } = usage;
    return { policy: this.#attempt.config.network, sentBytes, receivedBytes, connections, refused };
  }

  #connections(): NetworkConnection[] {
    return (this.#run?.network()?.log ?? []).map(toConnection);
  }

  #fail(error: unknown): Outcome {
    const result = { ...emptyResult, ...this.#compileTimes(), runtimeVersion: this.#attempt.runtime.version };
    const verdict = { status: "failed", exitCode: null, signal: null, error: null } as const;
    const { artifacts } = this.#artifacts;
    const connections = this.#connections();
    return failedOutcome(error, { verdict, result, artifacts, connections, startedAt: this.#startedAt, retryable: false }, this.#begun);
  }
}

/** What comes of an attempt that an error ended. Throws it when it is no fault of the sandbox, of the disk, or of who cancelled. */
export function failedOutcome(error: unknown, base: Outcome, begun: boolean): Outcome {
  const { verdict } = base;
  if (error instanceof CancelledError) return { ...base, verdict: { ...verdict, status: "cancelled", error: null } };
  if (error instanceof AppError && error.code === "storage_full")
    return { ...base, verdict: { ...verdict, error: runError("infrastructure", "storage_full") } };
  if (error instanceof SandboxError) {
    const failure = runError("infrastructure", error.code, { message: error.message });
    return { ...base, verdict: { ...verdict, error: failure }, retryable: !begun };
  }
  throw error;
}

/** A run was cancelled before it had begun. */
export class CancelledError extends Error {
  override readonly name = "CancelledError";
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
