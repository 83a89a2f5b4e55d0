import type { Visibility } from "@syla/contracts/access";
import type { ArtifactLink, ArtifactLinkInputDraft } from "@syla/contracts/artifacts";
import type { FoundLine, FoundLines } from "@syla/contracts/log-search";
import type { LogLevel } from "@syla/contracts/log-levels";
import type { TestReport } from "@syla/contracts/tests";
import type { RunNetwork } from "@syla/contracts/network";
import type { NodeRun, nodeRunRoutes } from "@syla/contracts/node-runs";
import type { RunWait } from "@syla/contracts/queue";
import type { RouteBody, RouteQuery } from "@syla/contracts/route";
import type { RunComparison } from "@syla/contracts/run-comparison";
import type { BulkRunsInputDraft, BulkRunsResult, RerunInputDraft, RunFile } from "@syla/contracts/run-controls";
import type {
  Artifact,
  Run,
  ProgramRunInputDraft,
  RunEvent,
  RunInputDraft,
  runRoutes,
  RunSummary,
  RunTransition,
  Requeued,
} from "@syla/contracts/runs";
import type { RunTotals, runTotalRoutes } from "@syla/contracts/run-totals";
import type { RunTrace } from "@syla/contracts/traces";
import { type FollowOptions, followStream } from "./run-events.ts";
import { iteratePages } from "./pages.ts";
import { newKey, type CallOptions, type CreateOptions, type Transport } from "./transport.ts";

/** Filters and page of the runs list. */
export type ListRunsQuery = Omit<Partial<RouteQuery<typeof runRoutes.listRuns>>, "limit"> & { readonly limit?: number | undefined };

/** Which runs are counted: the filters of the list. */
export type RunTotalsQuery = RouteQuery<typeof runTotalRoutes.summarizeRuns>;

/** One page; ask for the next with `cursor: nextCursor`. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** Proxies cut what is silent for longer. */
const waitSeconds = 50;

/** Which lines of a log. */
export interface LogFilterQuery {
  readonly stream?: "stdout" | "stderr" | "system" | "all" | undefined;
  /** Lines of this level or graver. */
  readonly level?: LogLevel | undefined;
  /** What this node of a composition has written. */
  readonly node?: string | undefined;
}

/** Which part of a log, and in which form. A level and a node are for `text` and `lines`. */
export interface LogQuery extends LogFilterQuery {
  /** `raw`: the bytes; `text`: lines without control sequences; `jsonl`: one event a line; `lines`: lines with their facts, as JSON. */
  readonly format?: "raw" | "text" | "jsonl" | "lines";
  /** With `text`: each line begins with its time. */
  readonly timestamps?: boolean;
}

/** What to look for in a log, where, and which page of it. */
export interface LogSearchQuery extends LogFilterQuery {
  /** What a line holds; every line when left out. */
  readonly q?: string | undefined;
  /** `q` is a regular expression in RE2's syntax. */
  readonly regex?: boolean | undefined;
  readonly matchCase?: boolean | undefined;
  /** Only lines after the one of this number. */
  readonly after?: number | undefined;
  readonly limit?: number | undefined;
}

/** A page of what a run left in /output. */
export interface ListArtifactsQuery {
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
  /** Part of a path. */
  readonly q?: string | undefined;
}

/** Which bytes of an artifact. */
export interface DownloadArtifactOptions extends CallOptions {
  /** From byte `start` to before byte `end`; all when left out. An artifact that is empty is answered whole. */
  readonly range?: { readonly start: number; readonly end?: number };
}

/** How to run code. */
export interface ExecuteOptions extends CreateOptions {
  /** Hold the answer until the run has ended; true by default. */
  readonly wait?: boolean | undefined;
}

/** Code to a result in one call. */
export interface Executions {
  /** Runs code and, unless `wait` is false, answers when it has ended. A failed program is a run, not an exception. */
  run(input: RunInputDraft, options?: ExecuteOptions): Promise<Run>;
}

/** Runs: what was executed, what is being executed. */
export interface Runs {
  list(query?: ListRunsQuery, options?: CallOptions): Promise<Page<RunSummary>>;
  /** All pages, one run after another, newest first. */
  iterate(query?: ListRunsQuery, options?: CallOptions): AsyncGenerator<RunSummary, void, void>;
  /** What the runs of a list come to: by state, success, duration, tokens and cost. */
  totals(query?: RunTotalsQuery, options?: CallOptions): Promise<RunTotals>;
  get(id: string, options?: CallOptions): Promise<Run>;
  /** Why it waits, and its place in the queue. */
  explainWait(id: string, options?: CallOptions): Promise<RunWait>;
  /** The run when it has ended, however long that takes; `signal` ends the wait. */
  wait(id: string, options?: Omit<CallOptions, "timeoutMs">): Promise<Run>;
  /** Queues code that is sent along, or a program of the catalog (`programId`). */
  create(input: RunInputDraft | ProgramRunInputDraft, options?: CreateOptions): Promise<Run>;
  /** Shows it to everybody who is signed in, or only to those it is shared with. */
  setVisibility(id: string, visibility: Visibility, options?: CallOptions): Promise<Run>;
  /** SIGTERM, and SIGKILL after the grace time. */
  cancel(id: string, options?: CallOptions): Promise<Run>;
  /** How the nodes of a run of a composition stand. */
  nodes(id: string, options?: CallOptions): Promise<readonly NodeRun[]>;
  /** Approves or rejects where a run waits for a person. */
  decide(id: string, decision: RouteBody<typeof nodeRunRoutes.decideRunNode>, options?: CallOptions): Promise<NodeRun>;
  /** Queues a run again, as it was or with something changed; the new run's `retryOf` is this one. */
  rerun(id: string, changes?: RerunInputDraft, options?: CreateOptions): Promise<Run>;
  /** The files that it had: of its program, and those that were sent along. */
  files(id: string, options?: CallOptions): Promise<readonly RunFile[]>;
  /** Keeps its log and artifacts for good, or as long as those of others. */
  setPinned(id: string, pinned: boolean, options?: CallOptions): Promise<Run>;
  /** Deletes a run that has ended, with its log and artifacts. */
  delete(id: string, options?: CallOptions): Promise<void>;
  /** One part of cancelling, retrying or deleting many runs; go on with `cursor: nextCursor`. */
  bulk(input: BulkRunsInputDraft, options?: CreateOptions): Promise<BulkRunsResult>;
  /** All parts, one after another. */
  bulkAll(input: BulkRunsInputDraft, options?: CallOptions): AsyncGenerator<BulkRunsResult, void, void>;
  /** What differs between two runs. */
  compare(from: string, to: string, options?: CallOptions): Promise<RunComparison>;
  /** Queues runs again that the installation failed: those with these ids, or all that match. */
  requeue(input: RouteBody<typeof runRoutes.requeueRuns>, options?: CallOptions): Promise<Requeued>;
  /** Follows a run live until its `end` event; resumes by itself after a lost connection, without a gap or a double. */
  events(id: string, options?: FollowOptions): AsyncGenerator<RunEvent, void, void>;
  /** The log, its body unread: `.text()`, `.bytes()` or `.body`. */
  log(id: string, query?: LogQuery, options?: CallOptions): Promise<Response>;
  logUrl(id: string, query?: LogQuery): string;
  /** A page of the lines that match; go on with `after: nextAfter`. */
  searchLog(id: string, query: LogSearchQuery, options?: CallOptions): Promise<FoundLines>;
  /** All lines that match, page by page. */
  findLines(id: string, query: LogSearchQuery, options?: CallOptions): AsyncGenerator<FoundLine, void, void>;
  /** What it left in /output, by path; all of it. */
  artifacts(id: string, options?: CallOptions): Promise<readonly Artifact[]>;
  /** A page of it; go on with `cursor: nextCursor`. */
  listArtifacts(id: string, query?: ListArtifactsQuery, options?: CallOptions): Promise<Page<Artifact>>;
  /** The connections that the run made, when it has ended. */
  network(id: string, options?: CallOptions): Promise<RunNetwork>;
  /** The states that the run came through, the first first. */
  transitions(id: string, options?: CallOptions): Promise<readonly RunTransition[]>;
  /** What the run consisted of: its phases and its calls of models, with times, tokens and cost. */
  trace(id: string, options?: CallOptions): Promise<RunTrace>;
  /** One artifact, or a part of it, its body unread. */
  downloadArtifact(id: string, artifactId: string, options?: DownloadArtifactOptions): Promise<Response>;
  artifactUrl(id: string, artifactId: string): string;
  /** Where an HTML page among them is shown as a sandboxed document. */
  artifactViewUrl(id: string, artifactId: string): string;
  /** All artifacts as a zip archive, its body unread. */
  downloadArtifacts(id: string, options?: CallOptions): Promise<Response>;
  artifactsUrl(id: string): string;
  /** A link with which anybody can download an artifact (`artifactId`), or all of them, until it expires. */
  createArtifactLink(id: string, input?: ArtifactLinkInputDraft, options?: CallOptions): Promise<ArtifactLink>;
  /** Revokes every link that was made so far. */
  revokeArtifactLinks(id: string, options?: CallOptions): Promise<void>;
  /** Everything that came of the run's test cases. */
  tests(id: string, options?: CallOptions): Promise<TestReport>;
  /** One input file of the run, its body unread. */
  file(id: string, path: string, options?: CallOptions): Promise<Response>;
  /** What the run was given on stdin, its body unread. */
  stdin(id: string, options?: CallOptions): Promise<Response>;
}

export function createExecutions(transport: Transport): Executions {
  return {
    run: (input, { wait = true, idempotencyKey, ...options } = {}) =>
      transport.json("createExecution", {
        ...(wait && { timeoutMs: 0 }),
        ...options,
        query: { wait: String(wait) },
        body: input,
        headers: { "idempotency-key": idempotencyKey ?? newKey() },
        repeatable: true,
      }),
  };
}

export function createRuns(transport: Transport): Runs {
  const list: Runs["list"] = (query = {}, options = {}) => transport.json("listRuns", { ...options, query });
  const bulk: Runs["bulk"] = (input, { idempotencyKey, ...options } = {}) =>
    transport.json("bulkRuns", { ...options, body: input, headers: { "idempotency-key": idempotencyKey ?? newKey() }, repeatable: true });
  const searchLog: Runs["searchLog"] = (id, query, options = {}) =>
    transport.json("searchLog", {
      ...options,
      params: { id },
      query: { ...query, regex: asFlag(query.regex), matchCase: asFlag(query.matchCase) },
    });
  const listArtifacts: Runs["listArtifacts"] = (id, query = {}, options = {}) =>
    transport.json("listArtifacts", { ...options, params: { id }, query });
  return {
    list,
    iterate: (query, options) => iteratePages((cursor) => list({ ...query, ...(cursor !== null && { cursor }) }, options)),
    totals: (query = {}, options = {}) => transport.json("summarizeRuns", { ...options, query }),
    get: (id, options = {}) => transport.json("getRun", { ...options, params: { id } }),
    explainWait: (id, options = {}) => transport.json("explainWait", { ...options, params: { id } }),
    async wait(id, options = {}) {
      for (;;) {
        const timeoutMs = (waitSeconds + 30) * 1000;
        const run = await transport.json("waitRun", { ...options, timeoutMs, params: { id }, query: { seconds: String(waitSeconds) } });
        if (run.finishedAt !== null) return run;
      }
    },
    create: (input, { idempotencyKey, ...options } = {}) =>
      transport.json("createRun", {
        ...options,
        body: input,
        headers: { "idempotency-key": idempotencyKey ?? newKey() },
        repeatable: true,
      }),
    setVisibility: (id, visibility, options = {}) => transport.json("updateRun", { ...options, params: { id }, body: { visibility } }),
    cancel: (id, options = {}) => transport.json("cancelRun", { ...options, params: { id }, repeatable: true }),
    nodes: async (id, options = {}) => (await transport.json("listRunNodes", { ...options, params: { id } })).items,
    decide: (id, decision, options = {}) => transport.json("decideRunNode", { ...options, params: { id }, body: decision }),
    rerun: (id, changes = {}, { idempotencyKey, ...options } = {}) =>
      transport.json("rerunRun", {
        ...options,
        params: { id },
        body: changes,
        headers: { "idempotency-key": idempotencyKey ?? newKey() },
        repeatable: true,
      }),
    files: async (id, options = {}) => (await transport.json("listRunFiles", { ...options, params: { id } })).items,
    setPinned: (id, pinned, options = {}) => transport.json("pinRun", { ...options, params: { id }, body: { pinned }, repeatable: true }),
    delete: async (id, options = {}) => void (await transport.json("deleteRun", { ...options, params: { id } })),
    bulk,
    async *bulkAll(input, options = {}) {
      let { cursor } = input;
      for (;;) {
        const part = await bulk({ ...input, ...(cursor !== undefined && { cursor }) }, options);
        yield part;
        if (part.nextCursor === null) return;
        cursor = part.nextCursor;
      }
    },
    compare: (from, to, options = {}) => transport.json("compareRuns", { ...options, params: { id: from, other: to } }),
    requeue: (input, options = {}) => transport.json("requeueRuns", { ...options, body: input, repeatable: true }),
    events: (id, options) => followStream(transport, "streamRun", id, options),
    log: (id, query = {}, options = {}) =>
      transport.raw("downloadLog", { ...options, params: { id }, query: { ...query, timestamps: asFlag(query.timestamps) } }),
    logUrl: (id, query = {}) => transport.url("downloadLog", { params: { id }, query: { ...query } }),
    network: (id, options = {}) => transport.json("getRunNetwork", { ...options, params: { id } }),
    transitions: async (id, options = {}) => (await transport.json("listRunTransitions", { ...options, params: { id } })).items,
    trace: (id, options = {}) => transport.json("getRunTrace", { ...options, params: { id } }),
    searchLog,
    async *findLines(id, query, options = {}) {
      let { after } = query;
      for (;;) {
        const page = await searchLog(id, { limit: 1000, ...query, after }, options);
        yield* page.items;
        if (page.nextAfter === null) return;
        after = page.nextAfter;
      }
    },
    artifacts: async (id, options) => {
      const all: Artifact[] = [];
      for await (const artifact of iteratePages((cursor) => listArtifacts(id, { ...(cursor !== null && { cursor }) }, options)))
        all.push(artifact);
      return all;
    },
    listArtifacts,
    downloadArtifact: (id, artifactId, { range, ...options } = {}) =>
      transport.raw("downloadArtifact", {
        ...options,
        params: { id, artifactId },
        ...rangeHeader(range),
      }),
    artifactUrl: (id, artifactId) => transport.url("downloadArtifact", { params: { id, artifactId } }),
    artifactViewUrl: (id, artifactId) => transport.url("viewArtifact", { params: { id, artifactId } }),
    downloadArtifacts: (id, options = {}) => transport.raw("downloadArtifacts", { ...options, params: { id } }),
    artifactsUrl: (id) => transport.url("downloadArtifacts", { params: { id } }),
    createArtifactLink: (id, input = {}, options = {}) => transport.json("createArtifactLink", { ...options, params: { id }, body: input }),
    revokeArtifactLinks: async (id, options = {}) => void (await transport.json("revokeArtifactLinks", { ...options, params: { id } })),
    tests: (id, options = {}) => transport.json("getTestReport", { ...options, params: { id } }),
    file: (id, path, options = {}) => transport.raw("readRunFile", { ...options, params: { id }, query: { path } }),
    stdin: (id, options = {}) => transport.raw("readRunStdin", { ...options, params: { id } }),
  };
}

/** Asks for a part of a content; all of it when undefined. */
export function rangeHeader(range: DownloadArtifactOptions["range"]): { readonly headers?: { readonly range: string } } {
  return range === undefined ? {} : { headers: { range: `bytes=${range.start}-${range.end === undefined ? "" : range.end - 1}` } };
}

/** A switch of a query: what is off is left out. */
export function asFlag(on: boolean | undefined): "true" | undefined {
  return on === true ? "true" : undefined;
}
