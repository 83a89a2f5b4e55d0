import { hash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type FieldProblem } from "@syla/contracts/errors";
import { NetworkConnection, type RunNetwork } from "@syla/contracts/network";
import {
  isFinal,
  runStatuses,
  type Artifact,
  type FileInput,
  type ProgramRunInput,
  type Run,
  type RunEvent,
  type RunFilter,
  type RunInput,
  type RunKind,
  type RunStatus,
  type RunSummary,
  type RunTransition,
} from "@syla/contracts/runs";
import type { RerunInput, RunFile } from "@syla/contracts/run-controls";
import type { InputFile } from "@syla/sandbox/spec";
import { TestReport } from "@syla/contracts/tests";
import type { LogDownload } from "@syla/contracts/logs";
import type { FoundLines, LogFilter, LogPattern } from "@syla/contracts/log-search";
import type { RunTrace } from "@syla/contracts/traces";
import type { Actor } from "../access/actor.ts";
import type { ThingAction } from "../access/permission.ts";
import { during, requirePermission, type Access, type Hold, type Thing } from "../access/service.ts";
import type { ResultCache } from "../cache/service.ts";
import type { BlobRef, Blobs } from "../platform/blobs.ts";
import type { CallBook, Models } from "../models/service.ts";
import type { Database, Work } from "../platform/database.ts";
import { encodeEvent } from "../platform/event-stream.ts";
import { newId } from "../platform/ids.ts";
import type { Trees } from "../platform/trees.ts";
import { FairTurns } from "../platform/turns.ts";
import { settling, type Admission, type Allowance, type Quotas } from "../quotas/service.ts";
import { withVersion, type Runtimes } from "../runtimes/service.ts";
import type { Sandboxes } from "../sandboxes/service.ts";
import { toArtifact } from "./artifacts/service.ts";
import { endLinks, listArtifacts } from "./artifacts/store.ts";
import { Batch } from "./batch.ts";
import { cacheKeyOf } from "./cache-key.ts";
import { asProgramInput, changeConfig, isReaching, rerunHash, type ChangeContext } from "./controls/changes.ts";
import { defaultLimits, hashesOf, runConfigs, type RunConfig } from "./config.ts";
import { checkInWorkspace, requireAllowed, within, type RunPlace } from "./in-workspace.ts";
import { readInputFiles } from "./read-input-files.ts";
import { toParts, type EventPart } from "./event-parts.ts";
import type { LiveRelay } from "./live-relay.ts";
import type { LiveRun } from "./live-run.ts";
import type { LiveRuns } from "./live-runs.ts";
import { matcherOf, searchLog, type SearchPage } from "./log-search.ts";
import { shownTo, toRun, toSummary } from "./presenter.ts";
import { requireNetwork, toRunNetwork } from "./network.ts";
import type { QueueBell } from "./queue-bell.ts";
import { QueueGauge } from "./queue-gauge.ts";
import { rehearse } from "./rehearsal.ts";
import { Reuse } from "./reuse.ts";
import { runResults } from "./result.ts";
import { RunLogs } from "./run-logs.ts";
import { rowOf } from "./new-row.ts";
import { RunRecord, writtenRecord } from "./run-record.ts";
import { checkSubmission, requireNoNetwork, storeSubmission, type Submission } from "./submission.ts";
import * as store from "./store.ts";
import { transitionsOf } from "./transitions.ts";
import type { TraceOrigin } from "./tracing/context.ts";
import { tracedCalls, traceOf, type TracedNodes } from "./tracing/spans.ts";
import { placeOf } from "./warmth.ts";
import type { FinishedRun, Worker } from "./worker.ts";

export { ArtifactCollector } from "./artifact-collector.ts";
export { requestCancelOfAll, resumeDecided } from "./store.ts";
export { runError } from "./verdict.ts";
export type { TracedNodes } from "./tracing/spans.ts";

/** Where somebody follows a run that is not here (queued, or on another server), the database is asked this often. */
const followPollMs = 500;

export { requireNetwork, toConnection } from "./network.ts";
export { bytesOf, decodeRecord, encodeRecord, readLog, writeLog, type LogRecord } from "./log-records.ts";
export { heldSecret, profileLimits, programOutputBytes, returnLimits, runConfigs, type RunConfig } from "./config.ts";
export { checkSubmission, refuseReserved, storeSubmission } from "./submission.ts";
export { requireAllowed, ReturnCollector, within, type ReturnedFiles, type RunPlace, type WorkspaceReturns } from "./in-workspace.ts";
export { inputEntries, inputFiles as storedFiles } from "./input-files.ts";
export { usedSecrets } from "./used-secrets.ts";
export { createRedactor, redactText, secretForms, type SecretForms } from "./secret-redactor.ts";

/** What the runs domain is made of. */
export interface RunsContext {
  readonly access: Access;
  readonly database: Database;
  readonly blobs: Blobs;
  readonly runtimes: Runtimes;
  readonly sandboxes: Sandboxes;
  readonly liveRuns: LiveRuns;
  /** The events of runs at other servers. */
  readonly relay: Pick<LiveRelay, "follow">;
  /** Tells the workers that something waits in the queue: see {@link QueueBell}. */
  readonly bell: Pick<QueueBell, "ring">;
  readonly worker: Worker;
  readonly cache: ResultCache;
  readonly quotas: Quotas;
  readonly models: Pick<Models, "forRun" | "checkForRun">;
  readonly queueLimit: number;
  /** Refuses whoever may not run a program of the catalog (any more). */
  readonly requireProgram: (actor: Actor, ran: NonNullable<RunConfig["program"]>) => Promise<unknown>;
  /** Refuses whoever may not run a composition, or something that it uses (any more). */
  readonly requireComposition: (actor: Actor, ran: NonNullable<RunConfig["composition"]>) => Promise<unknown>;
  /** Runs another version of a program. */
  readonly submitVersion: (actor: Actor, input: ProgramRunInput, options: SubmitOptions) => Promise<Run>;
  /** A workspace for a run of somebody's. @throws AppError */
  readonly placeForRun: (
    actor: Actor,
    wish: Pick<RunInput, "writeBack" | "shownInWorkspace"> & { readonly workspaceId: string },
  ) => Promise<RunPlace>;
  /** @throws AppError `workspace_archived`, `workspace_deleted` */
  readonly requireOpen: (workspaceId: string) => Promise<void>;
  readonly mountDatasets: ChangeContext["mountDatasets"];
  /** Whether somebody may run again on datasets that a run had; throws when not. */
  readonly requireDatasets: (actor: Actor, datasets: RunConfig["datasets"]) => Promise<unknown>;
  /** Notes how the newest run of a program stands. */
  readonly noteProgramRun: NoteProgramRun;
  readonly trees: Pick<Trees, "read">;
  readonly calls: Pick<CallBook, "traced">;
  /** The nodes of a run of a composition. */
  readonly nodesOf: (row: store.RunRow) => Promise<TracedNodes>;
  /** A run was cancelled before any worker had it. */
  readonly onCancelled: (id: string) => void;
}

/** Tells the catalog of a run of one of its programs. */
export type NoteProgramRun = (
  assetId: string,
  run: { readonly id: string; readonly status: RunStatus; readonly at: Date },
) => Promise<void>;

/** A record waits so long for those of other runs that are about to end: a statement for one costs as much as for five. */
const gatherRecordsMs = 8;

/** So many runs of a person who has limits may wait, for their turn or for their time. */
const mostQueuedEach = 2000;

/** So long one log is looked through, and so many at once, of different people. */
const searchMs = 10_000;
const searchesAtOnce = 2;

/** How long whoever looks for a run waits until it is in the database. */
const recordingMs = 2000;

/** A run that is recorded while it starts: it stands there as what it is at that moment. */
type StartedRun = { -readonly [K in keyof store.NewRun]: store.NewRun[K] };

/** What can be done with a run. */
export type RunAction = Extract<ThingAction, `run:${string}`>;

/** How a submission is wanted. */
export interface SubmitOptions {
  /** `execution` when left out. */
  readonly kind?: RunKind;
  readonly idempotencyKey: string | null;
  /** The schedule that begins it. */
  readonly scheduleId?: string;
  /** The run that this one repeats. */
  readonly retryOf?: string;
  /** The sizes, by hash, of content that they may read though somebody else has uploaded it. */
  readonly known?: ReadonlyMap<string, number>;
  /** Resolve when the run has ended. */
  readonly wait: boolean;
  /** Where it belongs in the trace of who asks for it. */
  readonly trace?: TraceOrigin;
  readonly signal: AbortSignal;
}

/** Runs: submit, read, follow, cancel. Every call checks the actor's permission. */
export class Runs {
  readonly #context: RunsContext;
  readonly #inserts: Batch<store.NewRun, boolean>;
  /** Of runs in workspaces. They may have to wait for whoever changes one; other runs do not wait with them. */
  readonly #placed: Batch<store.NewRun, boolean>;
  /** Of runs that have ended. One connection: two that lock the row of the same owner cost PostgreSQL more than they gain. */
  readonly #records: Batch<store.NewRun, boolean>;
  /** However many ask for a run, or follow one that is not here: the database is asked for all of them together. */
  readonly #looks: Batch<string, store.RunRow | undefined>;
  readonly #ends = new Map<string, Promise<Uint8Array>>();
  readonly #queue: QueueGauge;
  readonly #reuse: Reuse;
  readonly #logs: RunLogs;
  readonly #searches = new FairTurns(searchesAtOnce);
  /** Runs that may be answered before they are in the database, by id. */
  readonly #recording = new Map<string, Promise<void>>();

  constructor(context: RunsContext) {
    this.#context = context;
    this.#logs = new RunLogs(context);
    this.#reuse = new Reuse({
      cache: context.cache,
      liveRuns: context.liveRuns,
      find: async (id) => {
        const recording = this.#recording.get(id);
        if (recording !== undefined) await this.#recorded([recording]);
        return await store.findRun(context.database.queries, id);
      },
      present: (row) => this.#present(row),
    });
    this.#queue = new QueueGauge(() => store.countQueued(context.database.queries), context.queueLimit);
    this.#inserts = new Batch(async (runs) => await this.#insert(runs));
    this.#placed = new Batch(async (runs) => await this.#insert(runs));
    this.#looks = new Batch(async (ids) => await store.findRuns(context.database.queries, ids));
    this.#records = new Batch(async (runs) => await this.#insert(runs), {
      lanes: 1,
      enough: () => context.worker.unrecorded,
      gatherMs: gatherRecordsMs,
    });
  }

  /** Records a run and starts it, at once when a slot is free. The answer is the run as it is then, or as it ended with `wait`. */
  async submit(actor: Actor, wish: RunInput, options: SubmitOptions): Promise<Run> {
    if (wish.workspaceId !== undefined) return await this.#submitInWorkspace(actor, wish, wish.workspaceId, options);
    for (const path of ["writeBack", "shownInWorkspace"] as const)
      if (wish[path] !== undefined) throw new AppError("invalid_request", { fields: [{ path, message: "is for runs in a workspace" }] });
    const input = { ...wish, ...(await this.#context.models.forRun(actor, wish.models, wish.network)) };
    requireNetwork(actor, input.network, this.#context.sandboxes, input.models.length);
    const context = { ...this.#context, queries: this.#context.database.queries };
    const checked = await checkSubmission(context, actor.userId, input, options.known);
    const key = cacheKeyOf(actor.userId, input, checked);
    // A key that has made a run stands for that run.
    const spent = options.idempotencyKey !== null && key !== null && (await this.#isSpent(actor.userId, options.idempotencyKey));
    const known = key === null || spent ? null : await this.#reuse.find(key, wallMsOf(input), options);
    if (known?.run !== undefined) return known.run;
    const submission = await storeSubmission(this.#context, checked, input, key, options.kind);
    return await this.#enqueue(actor, submission, null, options, known?.id);
  }

  /** The same in a workspace: its files are in the working folder, its limits and its network hold. */
  async #submitInWorkspace(actor: Actor, wish: RunInput, workspaceId: string, options: SubmitOptions): Promise<Run> {
    const { writeBack, shownInWorkspace } = wish;
    const place = await this.#context.placeForRun(actor, { workspaceId, writeBack, shownInWorkspace });
    requireAllowed(place, wish.network);
    const asked = wish.network === "none" ? place.network : wish.network;
    const reach = await this.#context.models.forRun(actor, wish.models, asked);
    requireNetwork(actor, reach.network, this.#context.sandboxes, reach.models.length);
    const context = { ...this.#context, queries: this.#context.database.queries };
    const { input, checked } = await checkInWorkspace(context, actor.userId, { ...wish, ...reach }, place);
    const stored = await storeSubmission(this.#context, checked, input, null, options.kind);
    await this.#context.blobs.keep([place.workspace.tree]);
    const config = { ...stored.config, workspace: place.workspace };
    const { revision: _revision, tree: _tree, ...same } = place.workspace;
    const requestHash = hash("sha256", JSON.stringify([stored.requestHash, same]));
    return await this.#enqueue(actor, { ...stored, config, requestHash }, null, options);
  }

  /** The same for what has been checked and stored already: a program of the catalog. */
  async submitProgram(actor: Actor, submission: Submission, options: SubmitOptions): Promise<Run> {
    return await this.#enqueue(actor, submission, options.retryOf ?? null, options);
  }

  /** The same configuration again, or with changes, as a new run that points to this one. */
  async rerun(actor: Actor, id: string, changes: RerunInput, options: SubmitOptions): Promise<Run> {
    const row = await this.#find(actor, id, "run:rerun");
    const before = runConfigs.parse(row.config);
    if (changes.version !== undefined)
      return await this.#context.submitVersion(actor, await asProgramInput(this.#context.blobs, row, before, changes), {
        ...options,
        retryOf: id,
      });
    const { models, network } = await this.#reach(actor, before, changes);
    requireNetwork(actor, network, this.#context.sandboxes, before.composition === null ? models.length : 1);
    if (before.tests !== null) requireNoNetwork(network);
    if (before.workspace !== null) {
      const place = await this.#context.placeForRun(actor, { workspaceId: before.workspace.id, writeBack: false });
      requireAllowed(place, network);
      within(place.profile, { ...before.limits, ...changes.limits });
    }
    const program = before.program === null ? null : { ...before.program, asItIs: before.program.asItIs && !isReaching(changes) };
    if (program !== null) await this.#context.requireProgram(actor, program);
    if (before.composition !== null) await this.#context.requireComposition(actor, before.composition);
    if (before.datasets.length > 0 && changes.datasets === undefined) await this.#context.requireDatasets(actor, before.datasets);
    const runtime = this.#context.runtimes.get(withVersion(row.language, before.version));
    const context = { ...this.#context, queries: this.#context.database.queries };
    const changed =
      Object.keys(changes).length === 0
        ? {
            config: before,
            entrypoint: row.entrypoint,
            priority: row.priority,
            given: [],
            written: Promise.resolve(),
            synced: () => Promise.resolve(),
          }
        : await changeConfig(context, actor, row, before, changes);
    // It runs on the files that the first one had, and what it leaves is its own.
    const workspace = before.workspace === null ? null : { ...before.workspace, writeBack: false, shown: false };
    const composition = before.composition === null ? null : { ...before.composition, lineage: null };
    const config = { ...changed.config, models, network, program, composition, workspace, cache: null };
    await this.#context.blobs.keep(hashesOf(before));
    const submission: Submission = {
      ...changed,
      config,
      kind: row.kind as RunKind,
      program,
      isReady: (program ?? composition)?.environmentId == null,
      runtime,
      startAt: null,
      requestHash: rerunHash(id, changes),
    };
    return await this.#enqueue(actor, submission, id, options);
  }

  /** The models and the network of a run that is run again. @throws AppError */
  async #reach(actor: Actor, before: RunConfig, changes: RerunInput): Promise<Pick<RunConfig, "models" | "network">> {
    const wish = changes.network ?? before.network;
    // What a composition tells of its nodes goes that way.
    const network = before.composition !== null && wish === "none" ? "gateway" : wish;
    if (changes.models === undefined) {
      await this.#context.models.checkForRun(actor, before.models);
      return { models: before.models, network };
    }
    // The network was the gateway's because there were models.
    const reached = await this.#context.models.forRun(actor, changes.models, network === "gateway" ? "none" : network);
    return before.composition !== null && reached.network === "none" ? { ...reached, network: "gateway" } : reached;
  }

  /** Files of a request as a sandbox takes them. @throws AppError `invalid_path`, `blob_unknown` */
  async inputFiles(actor: Actor, files: readonly FileInput[]): Promise<AsyncIterable<InputFile>> {
    return await readInputFiles(this.#context.database.queries, this.#context.blobs, actor.userId, files);
  }

  /** Runs something ahead of the first run, which then finds its code compiled. */
  async rehearse(): Promise<void> {
    await rehearse(this.#context);
  }

  async get(actor: Actor, id: string): Promise<Run> {
    return shownTo(actor, await this.#present(await this.#find(actor, id, "run:read")));
  }

  /** The run as it has ended, or as it is when the signal says that it is enough. */
  async wait(actor: Actor, id: string, signal: AbortSignal): Promise<Run> {
    await this.#find(actor, id, "run:read");
    await this.#waitRow(id, signal);
    return await this.get(actor, id); // who may read it may have changed meanwhile
  }

  async list(actor: Actor, filter: RunFilter): Promise<{ items: RunSummary[]; nextCursor: string | null }> {
    if (!checkListFilter(actor, filter)) return { items: [], nextCursor: null };
    await this.allRecorded();
    const rows = await store.listRuns(this.#context.database.queries, filter, actor, decodeCursor(filter.cursor));
    const items = rows.slice(0, filter.limit);
    const last = rows.length > filter.limit ? items.at(-1) : undefined;
    return { items: items.map(toSummary), nextCursor: last === undefined ? null : encodeCursor(last.id) };
  }

  /** Resolves when the runs that were answered are in the database, and their results kept; after a while in any case. */
  async allRecorded(): Promise<void> {
    await this.#recorded(this.#recording.values());
  }

  /** What sharing needs to know of a run. Undefined when there is none. */
  async thing(id: string): Promise<Thing | undefined> {
    const row = await this.#row(id);
    return row === undefined ? undefined : toThing(row);
  }

  /** Shows a run to everybody who is signed in, or only to those it is shared with: then links to its artifacts end too. */
  async setVisibility(actor: Actor, id: string, visibility: Thing["visibility"]): Promise<Run> {
    await this.#find(actor, id, "run:share");
    if (visibility === "private") await endLinks(this.#context.database.queries, id);
    const row = await store.setVisibility(this.#context.database.queries, id, visibility);
    if (row === undefined) throw new AppError("not_found");
    return await this.#present(row);
  }

  async cancel(actor: Actor, id: string): Promise<Run> {
    await this.#find(actor, id, "run:cancel");
    const row = await store.requestCancel(this.#context.database.queries, id);
    if (row === undefined) throw new AppError("run_finished");
    if (row.status === "cancelled") this.#context.onCancelled(id);
    this.#context.worker.cancel(id);
    return await this.#present(row);
  }

  /**
   * The run's events after `lastSeq` as they are sent, live, up to and with `end`, or to the end of the actor's access. Whoever reads the same
   * is given the same bytes.
   */
  async *follow(actor: Actor, id: string, lastSeq: number, gone: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    const row = await this.#find(actor, id, "run:log");
    const hold = this.hold(actor, row, "run:log", gone);
    yield* during(hold, this.#events(actor, row, lastSeq, hold.signal));
  }

  async *#events(actor: Actor, found: store.RunRow, lastSeq: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { id } = found;
    let row = found;
    let seq = lastSeq;
    using watching = new DisposableStack();
    watching.defer(this.#context.liveRuns.watch(id));
    let live: LiveRun | undefined;
    for (;;) {
      // One that was handed back is another worker's: what it was here tells nothing any more.
      live = this.#context.liveRuns.get(id) ?? (live?.stored === true ? live : undefined);
      const known = isFinal(row.status) ? [] : this.#partsElsewhere(row, seq, signal);
      for await (const part of live?.followParts(seq, signal) ?? known) {
        seq = part.lastSeq;
        yield part.bytes;
      }
      if (signal.aborted) return;
      row = (await this.#looks.add(id)) ?? row;
      if (isFinal(row.status) && this.#context.liveRuns.get(id) === undefined) break;
      await this.#context.liveRuns.changed(id, followPollMs, signal);
    }
    const stored = live?.stored === true ? live : null;
    if (stored === null || seq < stored.lastSeq)
      for await (const part of toParts(this.#logs.stored(row, seq))) {
        seq = part.lastSeq;
        yield part.bytes;
      }
    yield await this.#end(actor, row, seq + 1, stored);
  }

  /** The last event. Many who follow a run ask for it at once: it is made for all of them. */
  #end(actor: Actor, row: store.RunRow, seq: number, live: LiveRun | null): Promise<Uint8Array> {
    const key = `${row.id} ${seq} ${actor.via === "link"}`;
    const made = this.#ends.get(key) ?? this.#encodeEnd(actor, row, seq, live).finally(() => this.#ends.delete(key));
    this.#ends.set(key, made);
    return made;
  }

  async #encodeEnd(actor: Actor, row: store.RunRow, seq: number, live: LiveRun | null): Promise<Uint8Array> {
    const heads = live === null ? await this.#logs.heads(row) : { stdout: live.stdoutHead, stderr: live.stderrHead };
    const run = shownTo(actor, toRun(row, heads));
    const end: RunEvent = { type: "end", seq, time: (row.finished_at ?? new Date()).toISOString(), run };
    return Buffer.from(encodeEvent(end));
  }

  /** Of a run that is not here: as its server sends them, each at once, or as they are stored. */
  #partsElsewhere(row: store.RunRow, seq: number, signal: AbortSignal): AsyncGenerator<EventPart> {
    const { worker, relay } = this.#context;
    const isSent = row.worker_id !== null && row.worker_id !== worker.id && !isFinal(row.status);
    return isSent ? toParts(relay.follow(row.id, seq, signal), 1) : toParts(this.#logs.stored(row, seq));
  }

  /** The log as it is downloaded. */
  async *log(actor: Actor, id: string, wish: LogDownload): AsyncGenerator<Buffer> {
    yield* this.#logs.download(await this.#find(actor, id, "run:log"), wish);
  }

  /** A page of those lines of the log that match. @throws AppError `invalid_pattern` */
  async searchLog(actor: Actor, id: string, wish: LogPattern & LogFilter & SearchPage, signal: AbortSignal): Promise<FoundLines> {
    const row = await this.#find(actor, id, "run:log");
    const matcher = await matcherOf(wish);
    return await this.#searches.take(actor.userId, signal, async () => {
      const until = Date.now() + searchMs;
      return await searchLog(this.#logs.lines(row), matcher, wish, wish, () => signal.aborted || Date.now() > until);
    });
  }

  /** Everything that it left in /output, by path. */
  async artifacts(actor: Actor, id: string): Promise<Artifact[]> {
    await this.#find(actor, id, "run:read");
    return (await listArtifacts(this.#context.database.queries, id)).map(toArtifact);
  }

  /** The states that the run came through; nobody who is not signed in is told by which worker. */
  async transitions(actor: Actor, id: string): Promise<RunTransition[]> {
    const transitions = transitionsOf(await this.#find(actor, id, "run:read"));
    return actor.via === "link" ? transitions.map((step) => ({ ...step, workerId: null })) : transitions;
  }

  /** What the run consisted of, as far as it has come. */
  async trace(actor: Actor, id: string): Promise<RunTrace> {
    const row = await this.#find(actor, id, "run:read");
    const { models } = runConfigs.parse(row.config);
    const calls = models.length === 0 ? null : await this.#context.calls.traced(id, tracedCalls);
    const nodes = row.kind === "composition" ? await this.#context.nodesOf(row) : undefined;
    return traceOf(row, calls, this.#context.worker.liveFacts(id), nodes);
  }

  /** The connections that the run made. */
  async network(actor: Actor, id: string): Promise<RunNetwork> {
    const row = await this.#find(actor, id, "run:read");
    const stored = await store.findConnections(this.#context.database.queries, id);
    const result = row.result === null ? null : runResults.parse(row.result);
    return toRunNetwork(runConfigs.parse(row.config), result, stored === null ? [] : NetworkConnection.array().parse(stored));
  }

  /** The files that it had: of its program or its workspace, and those that were sent along in their place. */
  async files(actor: Actor, id: string): Promise<RunFile[]> {
    return await this.filesOf(runConfigs.parse((await this.#find(actor, id, "run:read")).config));
  }

  async filesOf({ files, program, workspace }: RunConfig): Promise<RunFile[]> {
    const own = new Set(files.map(({ path }) => path));
    const from = workspace === null ? ("program" as const) : ("workspace" as const);
    const treeHash = workspace?.tree ?? program?.tree ?? null;
    const tree = treeHash === null ? [] : await this.#context.trees.read(treeHash);
    return [
      ...tree.filter(({ path }) => !own.has(path)).map(({ path, size, sha256 }) => ({ path, size, sha256, from })),
      ...files.map(({ path, size, sha256 }) => ({ path, size, sha256, from: "run" as const })),
    ].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** The row of a run, for somebody who may do this with it. @throws AppError `not_found`, `forbidden` */
  async require(actor: Actor, id: string, action: RunAction): Promise<store.RunRow> {
    return await this.#find(actor, id, action);
  }

  /** Holds what somebody may do with a run: the signal aborts when they may do so no more, or have gone. Decide first. */
  hold(actor: Actor, row: store.RunRow, action: RunAction, gone: AbortSignal): Hold {
    return this.#context.access.hold(actor, action, toThing(row), () => this.thing(row.id), gone);
  }

  async present(row: store.RunRow): Promise<Run> {
    return await this.#present(row);
  }

  /** The hash of an input file, or of what was on stdin (`path` null). */
  async input(actor: Actor, id: string, path: string | null): Promise<string | null> {
    const config = runConfigs.parse((await this.#find(actor, id, "run:input")).config);
    if (path === null) return config.stdin?.sha256 ?? null;
    const tree = config.workspace?.tree ?? config.program?.tree ?? null;
    const file =
      config.files.find((candidate) => candidate.path === path) ??
      (tree === null ? undefined : (await this.#context.trees.read(tree)).find((entry) => entry.path === path));
    if (file === undefined) throw new AppError("not_found");
    return file.sha256;
  }

  /** What came of the run's test cases. */
  async testReport(actor: Actor, id: string): Promise<TestReport> {
    const row = await this.#find(actor, id, "run:read");
    const report = row.result === null ? undefined : runResults.parse(row.result).tests?.report;
    if (report === undefined || !(await this.#context.blobs.has(report))) throw new AppError("not_found");
    return TestReport.parse(JSON.parse((await this.#context.blobs.get(report)).toString()));
  }

  /** Notes an upload of theirs. @throws AppError `quota_exceeded` when there is no room for it */
  async recordUpload(actor: Actor, sha256: string, size: number): Promise<void> {
    const { quotas } = this.#context;
    // What is counted already costs nobody anything, and no key.
    if ((await this.uploadSizes(actor.userId, [sha256])).has(sha256)) return;
    await quotas.letStore(actor, [{ sha256, size }], (work) => store.recordUpload(work, actor.userId, sha256, size));
  }

  /** Counts several uploads of theirs at once. @returns those that were not counted before @throws AppError `quota_exceeded` */
  async recordUploads(actor: Actor, blobs: readonly BlobRef[]): Promise<readonly BlobRef[]> {
    const { quotas } = this.#context;
    const known = await this.uploadSizes(
      actor.userId,
      blobs.map((blob) => blob.sha256),
    );
    const fresh = [...new Map(blobs.map((blob) => [blob.sha256, blob])).values()].filter((blob) => !known.has(blob.sha256));
    if (fresh.length === 0) return [];
    await quotas.letStore(actor, fresh, async (work) => {
      for (const { sha256, size } of fresh) await store.recordUpload(work, actor.userId, sha256, size);
    });
    return fresh;
  }

  /** Takes back what `recordUploads` answered: nothing has come of it. */
  async forgetUploads(actor: Actor, blobs: readonly BlobRef[]): Promise<void> {
    if (blobs.length === 0) return;
    const { database, quotas } = this.#context;
    const hashes = blobs.map((blob) => blob.sha256);
    await database.queries.transaction().execute(async (work) => {
      const bytes = await settling(work, [actor.userId], () => store.forgetUploads(work, actor.userId, hashes));
      await quotas.giveBackStorage(work, actor, bytes);
    });
  }

  /** The sizes of those contents that somebody has uploaded. */
  async uploadSizes(ownerId: string, hashes: readonly string[]): Promise<Map<string, number>> {
    return hashes.length === 0 ? new Map() : await store.findUploads(this.#context.database.queries, ownerId, hashes);
  }

  async #enqueue(
    actor: Actor,
    submission: Submission,
    retryOf: string | null,
    options: SubmitOptions,
    id: string = newId("run"),
  ): Promise<Run> {
    const { worker, quotas } = this.#context;
    const createdAt = new Date();
    const allowance = await quotas.allowanceOf(actor, submission.kind);
    const isLater = submission.startAt !== null && submission.startAt > createdAt;
    const reserved = !isLater && (await worker.reserve({ id, ownerId: actor.userId }, options.wait, submission.priority));
    const compiles = submission.runtime.definition.compile !== null;
    const firstPhase = submission.isReady ? (compiles ? "compiling" : null) : "building_environment";
    const run: StartedRun = {
      id,
      kind: submission.kind,
      ownerId: actor.userId,
      language: submission.runtime.definition.name,
      entrypoint: submission.entrypoint,
      config: runConfigs.trust({ ...submission.config, trace: options.trace ?? null }),
      requestHash: submission.requestHash,
      idempotencyKey: options.idempotencyKey,
      scheduleId: options.scheduleId ?? null,
      retryOf,
      apiKeyId: allowance?.key?.id ?? null,
      priority: submission.priority,
      createdAt,
      availableAt: isLater ? submission.startAt : null,
      claimedAt: reserved ? new Date() : null,
      workerId: reserved ? worker.id : null,
      program: submission.program,
      phase: reserved ? firstPhase : null,
      end: null,
    };
    if (allowance !== null) return await this.#enqueueLimited(run, submission, options, allowance);
    if (reserved) return await this.#startNow(run, submission, options);
    const isNew = await this.#queue.admit(() => this.#insertWith(submission, run));
    return await this.#answerQueued(run, isNew === true, options);
  }

  /** Whether its owner has as many in the queue as one may have. */
  async #hasMany({ ownerId }: store.NewRun): Promise<boolean> {
    return await store.hasManyQueued(this.#context.database.queries, ownerId, mostQueuedEach);
  }

  /** What the catalog shows of it; nothing depends on it. */
  #noteStart(run: store.NewRun): void {
    const { id, createdAt: at } = run;
    const asset = store.assetOf(run);
    if (asset !== null) this.#context.noteProgramRun(asset.id, { id, status: "queued", at }).catch(() => {});
  }

  /** `isLimited`: its owner may have only so many in the queue. */
  async #answerQueued(run: store.NewRun, isNew: boolean, options: SubmitOptions, isLimited = false): Promise<Run> {
    if (isNew) this.#noteStart(run);
    const row = isNew ? rowOf(run) : await this.#repeated(run);
    if (row === undefined)
      throw new AppError("queue_full", {
        retryAfter: 5,
        ...(isLimited && (await this.#hasMany(run)) && { message: `${mostQueuedEach} of your runs are waiting already.` }),
      });
    return options.wait ? await this.#waitRow(row.id, options.signal) : await this.#present(row);
  }

  /** The same for somebody who has limits. The row comes first: it is what is counted, and it may have to wait although a slot is free. */
  async #enqueueLimited(run: StartedRun, submission: Submission, options: SubmitOptions, allowance: Allowance): Promise<Run> {
    const { worker, database, quotas } = this.#context;
    const reserved = run.workerId !== null;
    let inserted: Awaited<ReturnType<typeof store.insertAdmitted>> | undefined;
    try {
      await submission.synced();
      const given = run.kind === "analysis" ? [] : submission.given;
      const insert = (hasRoom: boolean) =>
        quotas.letIn(allowance, given, (admit) =>
          store.insertAdmitted(database, run, (work) => this.#admit(work, run, admit), { hasRoom, mostEach: mostQueuedEach }),
        );
      inserted = reserved ? await insert(await this.#queue.hasRoom()) : await this.#queue.admit(() => insert(true));
      if (reserved && inserted?.isNew === true && !inserted.claimed) this.#queue.note();
    } catch (error) {
      if (reserved && error instanceof AppError) worker.unreserve(run.id);
      else if (reserved) void worker.giveBack(run.id).catch(() => {}); // the error itself is what counts
      throw error;
    }
    if (inserted?.claimed === true) return await this.#startNow(run, submission, options, true);
    if (reserved) worker.unreserve(run.id); // before anybody hears of it, who may be this worker
    if (inserted?.isNew === true) await this.#context.bell.ring([placeOf(run)]);
    return await this.#answerQueued({ ...run, workerId: null, claimedAt: null, phase: null }, inserted?.isNew === true, options, true);
  }

  /** What was let in once is not counted again when it is sent again. */
  async #admit(work: Work, { idempotencyKey: key, ownerId }: store.NewRun, admit: (work: Work) => Promise<Admission>): Promise<Admission> {
    try {
      return await admit(work);
    } catch (refusal) {
      const isRepeated =
        refusal instanceof AppError && key !== null && (await store.findByIdempotencyKey(work, ownerId, key)) !== undefined;
      if (isRepeated) return { mayStart: false, newBytes: 0 };
      throw refusal;
    }
  }

  /** Runs in a slot that is free. With an idempotency key the row comes first: the same request may be on its way twice. */
  async #startNow(run: StartedRun, submission: Submission, options: SubmitOptions, inserted = false): Promise<Run> {
    const { worker } = this.#context;
    // Of one in a workspace, too: whoever would end that looks for runs in it. Nodes are those of a run that is there.
    const isFirstWritten = options.idempotencyKey !== null || run.config.workspace !== null || run.config.composition !== null;
    if (isFirstWritten && !inserted) {
      const isNew = await this.#insertWith(submission, run).catch((error: unknown) => {
        void worker.giveBack(run.id).catch(() => {}); // the run's own error is what counts
        throw error;
      });
      if (!isNew) {
        worker.unreserve(run.id);
        const first = await this.#repeated(run);
        if (first === undefined) throw new AppError("conflict");
        return options.wait ? await this.#waitRow(first.id, options.signal) : await this.#present(first);
      }
    }
    this.#noteStart(run);
    const record = !isFirstWritten && !inserted ? this.#newRecord(run, submission) : writtenRecord();
    const ended = Promise.withResolvers<FinishedRun>();
    const begin = async () => {
      if (run.phase === null) return;
      if (record.begun) {
        // The row says what it said when its writing began.
        await record.ensure();
        await worker.begin(run.id, 1);
      }
      run.phase = null;
    };
    const done = worker.performReserved(rowOf(run), submission.runtime, begin, record, (finished) => {
      this.#keepTrack(run.id, done);
      ended.resolve(finished);
    });
    done.catch(() => {}); // seen by whoever waits; otherwise the row itself tells
    if (!options.wait) {
      await record.ensure().catch((error: unknown) => {
        worker.abandon(run.id);
        throw error;
      });
      return await this.#present(rowOf(run));
    }
    record.defer((error) => {
      worker.abandon(run.id);
      ended.reject(error); // whoever waits is told now, not when the database is back
    });
    using watching = new DisposableStack();
    watching.defer(this.#context.liveRuns.watch(run.id));
    const finished = await Promise.race([ended.promise, done]).catch((error: unknown) => {
      if (!record.written) throw error;
      return null; // whatever became of it is in the database
    });
    if (finished === null || !isFinal(finished.row.status)) return await this.#waitRow(run.id, options.signal);
    return toRun(finished.row, finished.heads);
  }

  async #isSpent(ownerId: string, idempotencyKey: string): Promise<boolean> {
    return (await store.findByIdempotencyKey(this.#context.database.queries, ownerId, idempotencyKey)) !== undefined;
  }

  /** Whoever looks for the run from now on waits until it can be found. */
  #keepTrack(id: string, done: Promise<unknown>): void {
    const recorded = done.then(
      () => void this.#recording.delete(id),
      () => void this.#recording.delete(id),
    );
    this.#recording.set(id, recorded);
  }

  async #recorded(records: Iterable<Promise<void>>): Promise<void> {
    if (this.#recording.size > 0) await Promise.race([Promise.all(records), sleep(recordingMs, undefined, { ref: false })]);
  }

  #newRecord(run: store.NewRun, submission: Submission): RunRecord {
    return new RunRecord(async (end, onSent) => {
      if (end === null) return void (await this.#insertWith(submission, run));
      await submission.written;
      await this.#records.add({ ...run, end }, onSent);
    });
  }

  async #insert(runs: readonly store.NewRun[]): Promise<boolean[]> {
    const { database } = this.#context;
    const inserted = new Set(await store.insertRuns(database, runs));
    const places = runs.filter((run) => run.workerId === null && inserted.has(run.id)).map(placeOf);
    if (places.length > 0) await this.#context.bell.ring(places);
    return runs.map((run) => inserted.has(run.id));
  }

  /** Inserts a run once its content is on the disk. False: its idempotency key was used before. */
  async #insertWith(submission: Submission, run: store.NewRun): Promise<boolean> {
    await submission.synced();
    return await (run.config.workspace === null ? this.#inserts : this.#placed).add(run);
  }

  /**
   * The run that the same key made before, if any, where a run was not inserted.
   *
   * @throws AppError `idempotency_conflict` when the request was another one; `workspace_archived`, `workspace_deleted` when that is why
   */
  async #repeated(run: store.NewRun): Promise<store.RunRow | undefined> {
    const row =
      run.idempotencyKey === null
        ? undefined
        : await store.findByIdempotencyKey(this.#context.database.queries, run.ownerId, run.idempotencyKey);
    if (row !== undefined && row.request_hash !== run.requestHash) throw new AppError("idempotency_conflict");
    if (row === undefined && run.config.workspace !== null) await this.#context.requireOpen(run.config.workspace.id);
    return row;
  }

  async #waitRow(id: string, signal: AbortSignal): Promise<Run> {
    using watching = new DisposableStack();
    watching.defer(this.#context.liveRuns.watch(id));
    for (;;) {
      const row = await this.#looks.add(id);
      if (row === undefined) throw new AppError("not_found");
      if (isFinal(row.status) || signal.aborted) return await this.#present(row);
      await this.#context.liveRuns.changed(id, followPollMs, signal);
    }
  }

  async #row(id: string): Promise<store.RunRow | undefined> {
    const recording = this.#recording.get(id);
    if (recording !== undefined) await this.#recorded([recording]);
    return id.includes("\0") ? undefined : await this.#looks.add(id);
  }

  async #find(actor: Actor, id: string, action: RunAction): Promise<store.RunRow> {
    const row = await this.#row(id);
    if (row === undefined) throw new AppError("not_found");
    await this.#context.access.require(actor, action, toThing(row));
    return row;
  }

  async #present(row: store.RunRow): Promise<Run> {
    return toRun(row, await this.#logs.heads(row));
  }
}

function toThing(row: store.RunRow): Thing {
  return {
    type: "run",
    id: row.id,
    ownerId: row.owner_id,
    visibility: row.visibility === "public" ? "public" : "private",
    name: row.entrypoint,
    ...(row.shown_in_workspace && row.workspace_id !== null ? { shownIn: row.workspace_id } : {}),
  };
}

function wallMsOf(input: RunInput): number {
  return input.limits.wallMs ?? defaultLimits.wallMs;
}

function encodeCursor(id: string): string {
  return Buffer.from(id).toString("base64url");
}

function decodeCursor(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const id = Buffer.from(cursor, "base64url").toString();
  if (!/^run_[0-9a-z]{26}$/.test(id)) throw new AppError("invalid_cursor");
  return id;
}

/** Refuses what may not be asked for. Answers whether any run can match. @throws AppError `forbidden`, `invalid_request` */
export function checkListFilter(
  actor: Actor,
  { owner, status, q, language }: Pick<RunFilter, "owner" | "status" | "q" | "language">,
): boolean {
  if (owner === "all") requirePermission(actor, "run:list-all");
  checkStatuses(status);
  return q?.includes("\0") !== true && language?.includes("\0") !== true;
}

function checkStatuses(text: string | undefined): void {
  const unknown = (text?.split(",") ?? []).filter((status) => !runStatuses.some((known) => known === status));
  const fields: FieldProblem[] = unknown.map((status) => ({ path: "status", message: `${JSON.stringify(status)} is not a status` }));
  if (fields.length > 0) throw new AppError("invalid_request", { message: `Unknown status. Known: ${runStatuses.join(", ")}.`, fields });
}
