import { AppError } from "@syla/contracts/errors";
import type { NetworkConnection, NetworkUsage } from "@syla/contracts/network";
import { SandboxError, type InputFile, type SandboxEvent, type SandboxExit, type SandboxRun } from "@syla/sandbox/spec";
import type { Blobs } from "../platform/blobs.ts";
import type { InstalledRuntime } from "../runtimes/service.ts";
import type { Sandboxes } from "../sandboxes/service.ts";
import { ArtifactCollector, type CollectedArtifact } from "./artifact-collector.ts";
import { artifactLimits, defaultLimits, type RunConfig } from "./config.ts";
import type { LiveRun } from "./live-run.ts";
import { toConnection } from "./network.ts";
import { emptyResult, type RunResult } from "./result.ts";
import { judge, runError, type Verdict } from "./verdict.ts";

/** How long a cancelled program may take to end by itself. */
const cancelGraceMs = 10_000;
const streamAboveBytes = 1024 * 1024;

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
  #run: SandboxRun | null = null;
  #cancelled = false;
  #begun = false;
  #startedAt: Date | null = null;

  constructor(attempt: Attempt, blobs: Blobs, sandboxes: Sandboxes) {
    this.#attempt = attempt;
    this.#blobs = blobs;
    this.#sandboxes = sandboxes;
    this.#artifacts = new ArtifactCollector(blobs, artifactLimits);
  }

  /** SIGTERM, and an end after the grace time. A run that has not begun yet never begins. */
  cancel(graceMs = cancelGraceMs): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#run?.cancel(graceMs);
  }

  /** The program has run, or may have. */
  get begun(): boolean {
    return this.#begun;
  }

  async perform(): Promise<Outcome> {
    try {
      const { config, runtime, entrypoint, ownerId } = this.#attempt;
      if (runtime.spec === null) throw new SandboxError("tier_unavailable", `the runtime ${runtime.definition.name} is not installed`);
      const stdin = config.stdin === null ? null : await this.#blobs.get(config.stdin.sha256);
      const limits = { ...defaultLimits, ...withoutUndefined(config.limits) };
      this.#run = await this.#sandboxes.start(config.tier, {
        tenant: ownerId,
        runtime: runtime.spec,
        entrypoint,
        args: config.args,
        env: config.env,
        stdin,
        files: this.#files(),
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
    const { live, runtime, claimedAt } = this.#attempt;
    const verdict = judge(exit, this.#cancelled, live.stderrTail, runtime.definition.errors);
    const started = this.#startedAt?.getTime() ?? claimedAt;
    const result: RunResult = {
      runtimeVersion: runtime.version,
      limits: this.#run?.limits ?? null,
      startMs: Math.max(0, started - claimedAt),
      runMs: round(exit.runMs),
      stdoutBytes: exit.stdoutBytes,
      stderrBytes: exit.stderrBytes,
      droppedBytes: exit.droppedBytes,
      usage: { cpuMs: round(exit.cpuMs), peakMemoryBytes: exit.peakMemoryBytes, network: this.#networkUsage() },
      skippedArtifacts: this.#artifacts.skipped,
    };
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
    const base = {
      result: { ...emptyResult, runtimeVersion: this.#attempt.runtime.version },
      artifacts: this.#artifacts.artifacts,
      connections: this.#connections(),
      startedAt: this.#startedAt,
    };
    const failed = { status: "failed", exitCode: null, signal: null } as const;
    if (error instanceof CancelledError) return { ...base, verdict: { ...failed, status: "cancelled", error: null }, retryable: false };
    if (error instanceof AppError && error.code === "storage_full")
      return { ...base, verdict: { ...failed, error: runError("infrastructure", "storage_full") }, retryable: false };
    if (error instanceof SandboxError) {
      return {
        ...base,
        verdict: { ...failed, error: runError("infrastructure", error.code, { message: error.message }) },
        retryable: !this.#begun,
      };
    }
    throw error;
  }

  /** The input files; large ones as streams. */
  async *#files(): AsyncGenerator<InputFile> {
    for (const { path, mode, size, sha256 } of this.#attempt.config.files) {
      yield { path, mode, content: size > streamAboveBytes ? await this.#blobs.open(sha256) : await this.#blobs.get(sha256) };
    }
  }
}

class CancelledError extends Error {
  override readonly name = "CancelledError";
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
