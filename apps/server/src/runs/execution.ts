import { AppError } from "@syla/contracts/errors";
import type { NetworkConnection, NetworkUsage } from "@syla/contracts/network";
import type { RunError } from "@syla/contracts/runs";
import { SandboxError, type SandboxEvent, type SandboxExit, type SandboxRun } from "@syla/sandbox/spec";
import { datasetVariables } from "../datasets/service.ts";
import type { ModelAccess, RunAccess } from "../gateway/run-access.ts";
import type { Blobs } from "../platform/blobs.ts";
import type { Secret } from "../platform/secret.ts";
import { outlastOutage } from "../platform/database.ts";
import { toAppError } from "../platform/http-problem.ts";
import type { InstalledRuntime } from "../runtimes/service.ts";
import type { Sandboxes } from "../sandboxes/service.ts";
import { awaitSandbox } from "./await-sandbox.ts";
import { ArtifactCollector, type CollectedArtifact } from "./artifact-collector.ts";
import type { Compilation } from "./compilations/service.ts";
import { artifactLimits, heldSecret, returnLimits, type RunConfig } from "./config.ts";
import { inputEntries } from "./input-files.ts";
import { describeReturn, ReturnCollector, type ReturnedFiles } from "./in-workspace.ts";
import type { LiveRun } from "./live-run.ts";
import { explainFailure } from "./failures/explain.ts";
import { toConnection } from "./network.ts";
import { limitsOf, prepareProgram, type Preparation, type PreparedProgram } from "./prepare-program.ts";
import { emptyResult, runResults, type RunResult } from "./result.ts";
import { RunRedaction } from "./run-redaction.ts";
import { secretForms } from "./secret-redactor.ts";
import { traceEnvironment } from "./tracing/context.ts";
import { PhaseClock, type Phase } from "./tracing/phases.ts";
import { judge, runError, type Verdict } from "./verdict.ts";

/** How long a cancelled program may take to end by itself: it is over within a second. */
const cancelGraceMs = 750;

/** One attempt at a run, in this process. */
export interface Attempt {
  readonly runId: string;
  readonly ownerId: string;
  /** The API key that it counts against, besides its owner. */
  readonly keyId: string | null;
  readonly number: number;
  readonly runtime: InstalledRuntime;
  readonly entrypoint: string;
  readonly config: RunConfig;
  readonly live: LiveRun;
  readonly claimedAt: number;
  /** Awaited when the sandbox is ready, before the program gets to run: from then on it may have run. Throws to give up. */
  readonly begin: () => Promise<void>;
  /** Something has to be done first, which takes a while. */
  readonly onPhase: (phase: string) => void;
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
  /** Nothing was wrong: another worker is to have it. */
  readonly handedBack: boolean;
}

/** Runs one attempt. Everything that goes wrong is an outcome, except what `begin` throws. */
export class Execution {
  readonly #attempt: Attempt;
  readonly #blobs: Blobs;
  readonly #sandboxes: Sandboxes;
  readonly #artifacts: ArtifactCollector;
  /** What comes back of its workspace; null when nothing is to. */
  readonly #returns: ReturnCollector | null;
  /** Whose bytes come now. */
  #incoming: "artifact" | "returned" = "artifact";
  readonly #preparation: Preparation;
  readonly #ended = new AbortController();
  #compilation: Compilation | null = null;
  #program: PreparedProgram | null = null;
  /** Lets go of what its sandbox shows, when that has ended or was not to be had. */
  #releaseTree: (() => void) | null = null;
  #run: SandboxRun | null = null;
  #cancelled = false;
  /** From now on it may be running, whatever comes. */
  #beginning = false;
  readonly #redaction = new RunRedaction();
  #begun = false;
  #startedAt: Date | null = null;
  #sandboxAt = 0;
  readonly #models: ModelAccess;
  #access: RunAccess | null = null;
  readonly #clock: PhaseClock;

  constructor(attempt: Attempt, blobs: Blobs, sandboxes: Sandboxes, preparation: Preparation, models: ModelAccess) {
    this.#models = models;
    this.#attempt = attempt;
    this.#clock = new PhaseClock(attempt.claimedAt);
    this.#blobs = blobs;
    this.#sandboxes = sandboxes;
    this.#preparation = preparation;
    this.#artifacts = new ArtifactCollector(blobs, artifactLimits);
    this.#returns = attempt.config.workspace?.writeBack === true ? new ReturnCollector(blobs) : null;
  }

  /** SIGTERM, and an end after the grace time. A run that has not begun yet never begins. */
  cancel(graceMs = cancelGraceMs): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#ended.abort(new CancelledError());
    this.#run?.cancel(graceMs);
  }

  /** Gives it up for another worker, unless the program has begun. */
  handBack(): void {
    if (!this.#beginning) this.#ended.abort(new HandedBackError());
  }

  /** The program has run, or may have. */
  get begun(): boolean {
    return this.#begun;
  }

  get startedAt(): Date | null {
    return this.#startedAt;
  }

  get phases(): readonly Phase[] {
    return this.#clock.phases;
  }

  async perform(): Promise<Outcome> {
    try {
      const { config, entrypoint, ownerId, runId, number } = this.#attempt;
      if (config.workspace !== null) await this.#preparation.workspaces.requireOpen(config.workspace.id);
      const preparing = Date.now();
      const program = (this.#program = await prepareProgram(this.#attempt, this.#preparation, this.#ended.signal));
      this.#compilation = program.compilation;
      this.#clock.addPreparation(preparing, program.environmentMs, program.compilation !== null);
      if (program.error !== null) return this.#refuse(await this.#explain(program.error));
      const stdin = config.stdin === null ? null : await this.#blobs.get(config.stdin.sha256);
      const limits = limitsOf(config.limits);
      this.#access = await this.#openModels(limits.wallMs);
      const secrets = await this.#openSecrets();
      this.#sandboxAt = Date.now();
      const runtime = program.runtime(limits);
      const held = program.tree === null ? null : await this.#preparation.treeFolders.hold(program.tree.sha256, program.tree.line);
      this.#releaseTree = held?.release ?? null;
      const files = held === null ? program.files : program.besides;
      const starting = this.#sandboxes.start(config.tier, {
        tenant: ownerId,
        runtime,
        entrypoint,
        args: config.args,
        env: {
          ...traceEnvironment(runId, config.trace, number),
          ...program.env,
          ...this.#access?.env,
          ...datasetVariables(config.datasets),
          ...(config.composition === null ? secrets : {}),
          ...config.env,
          ...(config.composition !== null && secrets),
          ...(config.composition !== null && { SYLA_ATTEMPT: String(number) }),
        },
        ...(this.#access !== null && { gatewayToken: this.#access.token.reveal() }),
        stdin,
        ...(held !== null && { tree: held.tree }),
        files: this.#clock.during("workspace", inputEntries(this.#blobs, files, program.links, config.datasets)),
        layers: program.layers,
        limits,
        network: config.network,
        artifacts: artifactLimits,
        ...(this.#returns !== null && { returns: returnLimits }),
        begin: () => this.#begin(),
      });
      starting.catch(() => this.#letGoOfTree()); // it may come to nothing when nobody waits for it any more
      this.#run = await awaitSandbox(starting, this.#ended.signal, () => this.#beginning);
      if (this.#cancelled) this.#run.cancel(cancelGraceMs);
      for await (const event of this.#run.events) {
        if (event.type === "exit") return await this.#finish(event);
        await this.#handle(event);
      }
      throw new SandboxError("sandbox_failed", "the sandbox ended without a result");
    } catch (error) {
      await this.#artifacts.abandon();
      await this.#returns?.abandon();
      return this.#fail(error);
    } finally {
      this.#program?.release();
      if (this.#run !== null) this.#letGoOfTree();
      await this.#access?.close().catch(() => {}); // the token expires by itself
    }
  }

  #letGoOfTree(): void {
    this.#releaseTree?.();
    this.#releaseTree = null;
  }

  /** The owner's secrets for the program, as variables; from now on they are taken out of whatever it says. */
  async #openSecrets(): Promise<Record<string, string>> {
    const { program, composition } = this.#attempt.config;
    if (composition !== null && composition.secrets.length > 0) return await this.#openForNodes(composition.secrets);
    if (program === null || program.secrets.length === 0) return {};
    const opened = await this.#preparation.openSecrets(program.ownerId, program.secrets);
    this.#redaction.add(opened.map(({ value }) => value));
    return Object.fromEntries(opened.map(({ variable, value }) => [variable, value.reveal()]));
  }

  /** Those of the programs of a composition, by names that its hooks know: each program is given its own. */
  async #openForNodes(secrets: NonNullable<RunConfig["composition"]>["secrets"]): Promise<Record<string, string>> {
    const values: Record<string, string> = {};
    const all: Secret[] = [];
    for (const [index, secret] of secrets.entries()) {
      const [opened] = await this.#preparation.openSecrets(secret.ownerId, [secret]);
      if (opened === undefined) continue;
      all.push(opened.value);
      values[heldSecret(index)] = opened.value.reveal();
    }
    this.#redaction.add(all);
    this.#attempt.live.confidential = secretForms(all);
    return values;
  }

  /** What was held back of the output. */
  #flushOutput(): void {
    for (const stream of ["stdout", "stderr"] as const) {
      const rest = this.#redaction.endOutput(stream);
      if (rest.length > 0) this.#attempt.live.output(stream, rest);
    }
  }

  async #endArtifact(): Promise<void> {
    const rest = this.#redaction.endArtifact();
    if (rest.length > 0) await this.#takeIn(rest);
  }

  async #takeIn(data: Buffer): Promise<void> {
    if (this.#incoming === "artifact") await this.#artifacts.data(data);
    else await this.#returns?.data(data);
  }

  #output(stream: "stdout" | "stderr", data: Buffer): void {
    const text = this.#redaction.output(stream, data);
    if (text.length > 0) this.#attempt.live.output(stream, text);
  }

  async #openModels(wallMs: number): Promise<RunAccess | null> {
    const { runId, ownerId, keyId, config } = this.#attempt;
    if (config.models.length === 0 && config.composition === null) return null;
    const input = {
      runId,
      userId: ownerId,
      programId: (config.program ?? config.composition)?.id ?? null,
      keyId,
      modelIds: config.models,
      wallMs,
    };
    const access = await this.#models.open(input);
    this.#redaction.add([access.confidential]);
    return access;
  }

  #refuse(error: RunError): Outcome {
    const verdict = { status: "failed", exitCode: null, signal: null, error } as const;
    const result = { ...emptyResult, ...this.#compileTimes(), runtimeVersion: this.#attempt.runtime.version };
    return {
      verdict,
      result,
      artifacts: [],
      connections: [],
      startedAt: null,
      retryable: error.class === "infrastructure",
      handedBack: false,
    };
  }

  #compileTimes(): Pick<RunResult, "environmentMs" | "compileMs" | "compileCached" | "phases"> {
    const environmentMs = this.#program?.environmentMs ?? null;
    const { compileMs = null, cached = null } = this.#compilation ?? {};
    return { environmentMs, compileMs, compileCached: cached, phases: this.#clock.phases };
  }

  async #begin(): Promise<void> {
    this.#ended.signal.throwIfAborted();
    this.#beginning = true;
    await this.#attempt.begin();
    this.#begun = true;
  }

  async #handle(event: Exclude<SandboxEvent, SandboxExit>): Promise<void> {
    const { live, number } = this.#attempt;
    switch (event.type) {
      case "started":
        this.#startedAt = new Date(Date.now() - event.agoMs);
        this.#clock.add("sandbox", this.#sandboxAt, this.#startedAt.getTime());
        return live.status("running", null, number, this.#startedAt.getTime());
      case "output":
        this.#output(event.stream, event.data);
        return await live.hasRoom();
      case "dropped":
        return live.output("system", Buffer.from(`[${event.bytes} bytes of output were left out here: the run's output limit]\n`));
      case "artifact":
        await this.#endArtifact();
        this.#incoming = "artifact";
        return await this.#artifacts.begin(this.#redaction.beginArtifact(event.path));
      case "artifact-data":
        return await this.#takeIn(this.#redaction.artifact(event.data));
      case "returned":
        await this.#endArtifact();
        this.#incoming = "returned";
        return await this.#returns?.begin(event, this.#redaction.beginArtifact(event.path));
      case "gone":
        return this.#returns?.gone(event.paths);
      case "left":
        return this.#returns?.left(event);
      case "skipped":
        return this.#artifacts.skip(this.#redaction.text(event.path), event.reason);
    }
  }

  async #finish(exit: SandboxExit): Promise<Outcome> {
    this.#flushOutput();
    await this.#endArtifact();
    await this.#artifacts.end();
    const workspace = await this.#takeBack(exit);
    if (this.#startedAt !== null && this.#artifacts.artifacts.length > 0)
      this.#clock.add("artifacts", this.#startedAt.getTime() + exit.runMs);
    const llm = (await this.#access?.totals().catch(() => null)) ?? null;
    const { live, runtime, claimedAt, entrypoint } = this.#attempt;
    const judged = judge(exit, this.#cancelled, live.stderrEnds, runtime.definition, entrypoint);
    const verdict = judged.error === null ? judged : { ...judged, error: await this.#explain(judged.error) };
    const started = this.#startedAt?.getTime() ?? claimedAt;
    const result = runResults.trust({
      runtimeVersion: runtime.version,
      limits: this.#run?.limits ?? null,
      walls: this.#run?.walls ?? [],
      startMs: Math.max(0, round(started - claimedAt - (this.#compilation?.compileMs ?? 0) - (this.#program?.environmentMs ?? 0))),
      ...this.#compileTimes(),
      runMs: round(exit.runMs),
      stdoutBytes: exit.stdoutBytes,
      stderrBytes: exit.stderrBytes,
      droppedBytes: exit.droppedBytes,
      usage: { cpuMs: round(exit.cpuMs), peakMemoryBytes: exit.peakMemoryBytes, network: this.#networkUsage(), llm },
      tests: null,
      workspace,
      skippedArtifacts: this.#artifacts.skipped,
      skippedArtifactCount: this.#artifacts.skippedCount,
    });
    const { artifacts } = this.#artifacts;
    const { startedAt } = this;
    return { verdict, result, artifacts, connections: this.#connections(), startedAt, retryable: false, handedBack: false };
  }

  /** What it has changed in its workspace goes there. What becomes of it is said in the log where that is not what was to be expected. */
  async #takeBack(exit: SandboxExit): Promise<RunResult["workspace"]> {
    const { runId, ownerId, keyId, config, live } = this.#attempt;
    if (this.#returns === null || config.workspace === null) return null;
    const found = await this.#returns.end();
    const { id: workspaceId, tree } = config.workspace;
    const isEnded = exit.exitCode !== null && exit.reason === null && !exit.outOfMemory && !this.#cancelled;
    const putIn = this.#program?.files ?? [];
    const result =
      found === null ? tooMuch : await this.#returnFiles({ ...found, runId, ownerId, keyId, workspaceId, tree, putIn, isEnded });
    const text = describeReturn(result, this.#returns.skipped);
    if (text !== null) live.output("system", Buffer.from(text));
    return result;
  }

  /** The run itself has ended as it has, whatever becomes of this. */
  async #returnFiles(files: ReturnedFiles): Promise<NonNullable<RunResult["workspace"]>> {
    try {
      return await outlastOutage(() => this.#preparation.workspaces.takeBack(files));
    } catch (thrown) {
      const { code, message } = toAppError(thrown);
      if (code === "internal") throw thrown;
      return { outcome: "refused", changed: files.changed.length, version: null, error: { code, message } };
    }
  }

  /** What the run's own files tell of an error. */
  async #explain(error: RunError): Promise<RunError> {
    const { config, live, runtime } = this.#attempt;
    const run = {
      language: runtime.definition.name,
      config,
      limits: limitsOf(config.limits),
      connections: this.#connections(),
      files: this.#program?.files ?? config.files,
      stderr: live.stderrEnds,
    };
    return await explainFailure(error, run, this.#blobs);
  }

  #networkUsage(): NetworkUsage | null {
    const usage = this.#run?.network() ?? null;
    if (usage === null) return null;
    const { sentBytes, receivedBytes, connections, refused } = usage;
    return { policy: this.#attempt.config.network, sentBytes, receivedBytes, connections, refused };
  }

  #connections(): NetworkConnection[] {
    return this.#redaction.connections((this.#run?.network()?.log ?? []).map(toConnection));
  }

  #fail(error: unknown): Outcome {
    const result = { ...emptyResult, ...this.#compileTimes(), runtimeVersion: this.#attempt.runtime.version };
    const verdict = { status: "failed", exitCode: null, signal: null, error: null } as const;
    const { artifacts } = this.#artifacts;
    const connections = this.#connections();
    const { startedAt } = this;
    const base = { verdict, result, artifacts, connections, startedAt, retryable: false, handedBack: false };
    return failedOutcome(error instanceof HandedBackError && this.#cancelled ? new CancelledError() : error, base, this.#begun);
  }
}

const tooMuch = {
  outcome: "refused",
  changed: 0,
  version: null,
  error: { code: "payload_too_large", message: "there are more or larger files than a workspace holds, or some that cannot be read" },
} as const;

/** What comes of an attempt that an error ended. Throws it when it is no fault of the sandbox, of the disk, or of who cancelled. */
export function failedOutcome(error: unknown, base: Outcome, begun: boolean): Outcome {
  const { verdict } = base;
  if (error instanceof CancelledError) return { ...base, verdict: { ...verdict, status: "cancelled", error: null } };
  if (error instanceof HandedBackError) return { ...base, handedBack: true };
  if (error instanceof AppError && error.code === "storage_full")
    return { ...base, verdict: { ...verdict, error: runError("infrastructure", "storage_full") } };
  if (error instanceof AppError && error.code === "storage_unavailable")
    return { ...base, verdict: { ...verdict, error: runError("infrastructure", error.code) }, retryable: !begun };
  if (error instanceof AppError && error.code === "environment_unavailable")
    return {
      ...base,
      verdict: { ...verdict, error: runError("infrastructure", error.code, { message: error.message, hint: error.hint }) },
    };
  if (error instanceof AppError && (error.code.startsWith("credential_") || error.code.startsWith("workspace_")))
    return { ...base, verdict: { ...verdict, error: runError("denied", error.code, { message: error.message, hint: error.hint }) } };
  if (error instanceof AppError && error.code.startsWith("kms_"))
    return {
      ...base,
      verdict: { ...verdict, error: runError("infrastructure", error.code, { message: error.message, hint: error.hint }) },
      retryable: error.code === "kms_unavailable" && !begun,
    };
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

/** Another worker is to have it. */
export class HandedBackError extends Error {
  override readonly name = "HandedBackError";
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
