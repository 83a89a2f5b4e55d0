import { createHash, hash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { AppError } from "@syla/contracts/errors";
import type { NodeLlm } from "@syla/contracts/node-runs";
import { LRUCache } from "lru-cache";
import type { z } from "zod";
import type { CallBook } from "../models/service.ts";
import type { Blobs } from "../platform/blobs.ts";
import type { Database } from "../platform/database.ts";
import { fieldProblems, toAppError } from "../platform/http-problem.ts";
import type { Logger } from "../platform/logger.ts";
import type { LiveRuns } from "../runs/live-runs.ts";
import { createRedactor, redactText, runConfigs, type SecretForms } from "../runs/service.ts";
import { ApprovalQuestion, isJson, KeptQuestion, NodeReport, reportLimits, type NodeEvent, type SentValue } from "./node-report.ts";
import { foldEvents, type AnsweredResult } from "./fold-events.ts";
import { plannedNode, type RunPlan } from "./plan.ts";
import { llmByPath } from "./llm.ts";
import { toNodeRun } from "./presenter.ts";
import * as store from "./store.ts";

/** What reports of nodes are taken with. */
export interface NodeReportsContext {
  readonly database: Database;
  readonly blobs: Blobs;
  /** The runs that go on here. */
  readonly liveRuns: Pick<LiveRuns, "get">;
  readonly calls: Pick<CallBook, "ofNodes" | "within">;
  readonly logger: Logger;
}

/** What is known of a run while its sandbox reports. */
interface Reporting {
  readonly runId: string;
  readonly ownerId: string;
  /** Whose composition it is, and the first of the runs that go on from each other. */
  readonly compositionOwnerId: string;
  readonly lineage: string;
  readonly plan: RunPlan;
  /** Whether its programs have secrets, which nothing may show. */
  readonly hasSecrets: boolean;
  /** Whether it may call models. */
  readonly hasModels: boolean;
  /** Content that it has sent, by the hash that it has told, as it is kept; and what it may read. */
  readonly sent: Map<string, SentContent>;
  readonly given: Set<string>;
  sentBytes: number;
  /** Kept results that it was answered, by the node. */
  readonly kept: Map<string, AnsweredResult>;
  nodes: number;
  /** Shown one after the other: nothing that is older comes later. */
  showing: Promise<void>;
  /** How many calls were shown of nodes, in words that can be compared. */
  readonly shown: Map<string, string>;
}

/** `bytes`: as it was sent. What is kept is something else where secrets were taken out of it. */
interface SentContent {
  readonly bytes: number;
  readonly kept: { readonly sha256: string; readonly size: number };
}

/** An answer for the sandbox. */
export interface ReportAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Readable;
}

const mostReporting = 2000;
/** What a node calls is shown so often while it runs: with it goes what went in. */
const gatherCallsMs = 1000;
const json = { "content-type": "application/json; charset=utf-8" };

/** Takes what compositions tell of their nodes from within their sandboxes, and answers what is kept. Each reaches its own run alone. */
export class NodeReports {
  readonly #context: NodeReportsContext;
  readonly #runs = new LRUCache<string, Promise<Reporting>>({ max: mostReporting });
  /** Nodes that have called models since they were shown, by their runs. */
  readonly #called = new Map<string, Set<string>>();

  constructor(context: NodeReportsContext) {
    this.#context = context;
  }

  /** Answers a request of a run's sandbox. Never throws. */
  async answer(runId: string | null, request: IncomingMessage): Promise<ReportAnswer> {
    try {
      if (runId === null) throw new AppError("not_found");
      return await this.#perform(await this.#reporting(runId), request);
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code === "internal") this.#context.logger.error({ err: thrown, runId }, "a report of nodes could not be taken");
      const body = JSON.stringify({ code: error.code, message: error.message, fields: error.fields });
      return { status: error.status, headers: { ...json, ...(request.complete ? {} : { connection: "close" }) }, body };
    }
  }

  async #perform(run: Reporting, request: IncomingMessage): Promise<ReportAnswer> {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const blob = /^\/syla\/v1\/values\/([0-9a-f]{64})$/.exec(path)?.[1];
    if (blob !== undefined && request.method === "PUT") return answered(await this.#take(run, blob, request));
    if (blob !== undefined && request.method === "GET") return await this.#give(run, blob);
    if (request.method === "POST" && path === "/syla/v1/nodes") return answered(await this.#report(run, await read(NodeReport, request)));
    if (request.method === "POST" && path === "/syla/v1/nodes/kept")
      return answered({ kept: await this.#keep(run, await read(KeptQuestion, request)) });
    if (request.method === "POST" && path === "/syla/v1/nodes/approval")
      return answered({ decision: await this.#approval(run, await read(ApprovalQuestion, request)) });
    throw new AppError("not_found");
  }

  async #reporting(runId: string): Promise<Reporting> {
    const known = this.#runs.get(runId) ?? this.#load(runId);
    this.#runs.set(runId, known);
    known.catch(() => this.#runs.delete(runId));
    return await known;
  }

  async #load(runId: string): Promise<Reporting> {
    const { database, blobs } = this.#context;
    const row = await store.findRunConfig(database.queries, runId);
    const { composition, models } = row === undefined ? { composition: null, models: [] } : runConfigs.parse(row.config);
    if (row === undefined || composition === null) throw new AppError("not_found");
    return {
      runId,
      ownerId: row.owner_id,
      compositionOwnerId: composition.ownerId,
      lineage: composition.lineage ?? runId,
      hasSecrets: composition.secrets.length > 0,
      plan: JSON.parse((await blobs.get(composition.plan)).toString()) as RunPlan,
      sent: new Map(),
      given: new Set(),
      sentBytes: 0,
      kept: new Map(),
      nodes: await store.countNodes(database.queries, runId),
      hasModels: models.length > 0,
      showing: Promise.resolve(),
      shown: new Map(),
    };
  }

  /** Content of a value, which later reports name. */
  async #take(run: Reporting, sha256: string, request: IncomingMessage): Promise<{ sha256: string; bytes: number }> {
    const room = Math.min(reportLimits.valueBytes, reportLimits.runBytes - run.sentBytes);
    const { content, kept } = await this.#put(run, request, room);
    if (content.sha256 !== sha256) throw new AppError("invalid_request", { message: "The content does not have that hash." });
    if (!run.sent.has(sha256)) run.sentBytes += content.size;
    run.sent.set(sha256, { bytes: content.size, kept });
    return { sha256, bytes: content.size };
  }

  async #put(run: Reporting, request: IncomingMessage, room: number) {
    const forms = this.#confidential(run);
    if (forms === null) {
      const stored = await this.#context.blobs.putStream(request, { maxBytes: room });
      return { content: stored, kept: stored };
    }
    const content = { sha256: "", size: 0 };
    // What stands for a secret may be twice as long.
    const kept = await this.#context.blobs.putStream(withoutSecrets(request, forms, content, room), { maxBytes: room * 2 });
    return { content, kept };
  }

  /** What is to be taken out of everything that a run reports; null: nothing. @throws AppError `conflict` when it does not go on here */
  #confidential(run: Reporting): SecretForms | null {
    if (!run.hasSecrets) return null;
    const forms = this.#context.liveRuns.get(run.runId)?.confidential ?? null;
    if (forms === null) throw new AppError("conflict");
    return forms;
  }

  async #give(run: Reporting, sha256: string): Promise<ReportAnswer> {
    if (!run.given.has(sha256)) throw new AppError("not_found");
    return { status: 200, headers: { "content-type": "application/json" }, body: await this.#context.blobs.open(sha256) };
  }

  async #report(run: Reporting, { attempt, events }: z.infer<typeof NodeReport>): Promise<{ full: boolean }> {
    const { database } = this.#context;
    for (const event of events) this.#check(run, event);
    const forms = this.#confidential(run);
    const shown = events.map((event) => this.#shown(run, forms, event));
    const changes = foldEvents(shown, {
      keptFor: ({ path, source }) => this.#answered(run, path, source),
      resultKey: ({ path, key }) => (key === undefined ? null : this.#resultKey(run, path, key)),
    });
    const taken = await this.#letIn(run, changes);
    const rows = await database.queries.transaction().execute(async (work) => {
      if ((await store.holdRunning(work, run.runId, attempt)) === undefined) throw new AppError("conflict");
      return await store.writeNodes(work, run.runId, attempt, taken);
    });
    const begun = new Map(taken.map((change) => [change.path, change.begun]));
    run.nodes += rows.filter((row) => row.attempt === attempt && row.attempts <= Math.max(1, begun.get(row.path) ?? 1)).length;
    await this.#show(run, rows);
    return { full: taken.length < changes.length };
  }

  /** Turns are as many as a program likes: those that are too many are left out. */
  async #letIn(run: Reporting, changes: readonly store.NodeChange[]): Promise<store.NodeChange[]> {
    if (run.nodes + changes.length <= reportLimits.nodes) return [...changes];
    const known = new Set(
      await store.findPaths(
        this.#context.database.queries,
        run.runId,
        changes.map(({ path }) => path),
      ),
    );
    let room = Math.max(0, reportLimits.nodes - run.nodes);
    return changes.filter(({ path }) => known.has(path) || !path.includes("[") || room-- > 0);
  }

  /** A node has called a model: whoever follows the run sees that soon. */
  noteCall(runId: string, path: string): void {
    if (this.#context.liveRuns.get(runId) === undefined) return;
    const waiting = this.#called.get(runId);
    if (waiting !== undefined) return void waiting.add(path);
    this.#called.set(runId, new Set([path]));
    setTimeout(() => void this.#showCalls(runId), gatherCallsMs).unref();
  }

  async #showCalls(runId: string): Promise<void> {
    const paths = [...(this.#called.get(runId) ?? [])];
    this.#called.delete(runId);
    try {
      if (this.#context.liveRuns.get(runId) === undefined) return;
      const run = await this.#reporting(runId);
      await this.#show(run, () => store.findNodes(this.#context.database.queries, runId, paths));
    } catch (error) {
      const { code } = toAppError(error);
      if (code !== "not_found") this.#context.logger.warn({ err: error, runId }, "what nodes have called could not be shown");
    }
  }

  /** Whoever follows the run sees it now: what has changed of nodes, or, where these are still to be read, those that have called more by then. */
  async #show(run: Reporting, changed: readonly store.NodeRow[] | (() => Promise<store.NodeRow[]>)): Promise<void> {
    const show = async (): Promise<void> => {
      const rows = typeof changed === "function" ? await changed() : changed;
      if (rows.length === 0) return;
      const live = this.#context.liveRuns.get(run.runId);
      const called = await this.#llmOf(run, rows);
      for (const row of rows.toSorted((a, b) => a.seq - b.seq)) {
        const llm = called.get(row.path) ?? null;
        const words = JSON.stringify(llm);
        if (typeof changed === "function" && words === run.shown.get(row.path)) continue;
        if (llm !== null) run.shown.set(row.path, words);
        live?.node(toNodeRun({ ...row, decided_by_name: null }, run.plan, null, llm));
      }
    };
    const turn = run.showing.then(show);
    run.showing = turn.catch(() => {});
    await turn;
  }

  async #llmOf({ runId, hasModels }: Reporting, rows: readonly store.NodeRow[]): Promise<Map<string, NodeLlm>> {
    if (!hasModels) return new Map();
    const paths = rows.map(({ path }) => path);
    return llmByPath(await this.#context.calls.ofNodes(runId, paths));
  }

  /** A report of a node that the composition has, with values that this run has sent. @throws AppError */
  #check(run: Reporting, { path, inputs, output }: Pick<NodeEvent, "path" | "inputs" | "output">): void {
    if (plannedNode(run.plan, path) === undefined) throw new AppError("node_unknown", { details: { path } });
    for (const value of [inputs, output]) this.#checkValue(run, value);
  }

  #checkValue(run: Reporting, value: SentValue | undefined): void {
    if (value !== undefined && "blob" in value && run.sent.get(value.blob)?.bytes !== value.bytes)
      throw new AppError("blob_unknown", { details: { sha256: value.blob } });
  }

  /** The event with content as it is kept, and without secrets. What had one in it is no result that could be taken again. */
  #shown(run: Reporting, forms: SecretForms | null, event: NodeEvent): NodeEvent {
    if (forms === null) return event;
    const { inputs, output, key, error, ...rest } = event;
    const out = output && this.#asKept(run, forms, output);
    return {
      ...rest,
      ...(inputs && { inputs: this.#asKept(run, forms, inputs) }),
      ...(out && { output: out }),
      ...(key !== undefined && isSame(out, output) && { key }),
      ...(error && { error: { kind: redactText(error.kind, forms), message: redactText(error.message, forms) } }),
    };
  }

  #asKept(run: Reporting, forms: SecretForms | null, value: SentValue): SentValue {
    if (forms === null) return value;
    if ("json" in value) return redactJson(value, forms);
    const kept = run.sent.get(value.blob)?.kept;
    // A secret may begin where the preview ends.
    const preview = createRedactor(forms).push(Buffer.from(value.preview)).toString();
    return kept === undefined ? value : { blob: kept.sha256, bytes: kept.size, preview };
  }

  #answered(run: Reporting, path: string, source: string | undefined): AnsweredResult {
    const kept = run.kept.get(path);
    if (kept === undefined || kept.run_id !== source)
      throw new AppError("invalid_request", { message: `Nothing was answered that ${path} could take again.` });
    return kept;
  }

  /** For whom, and for the compositions of whom, a result is kept; some only where it stands, in runs that go on from each other or in this one. */
  #resultKey(run: Reporting, path: string, key: string): string {
    // Plans of older releases do not say it.
    const reuse = plannedNode(run.plan, path)?.reuse ?? "lineage";
    const scope = reuse === "always" ? [] : [reuse === "run" ? run.runId : run.lineage, path];
    return hash("sha256", JSON.stringify([run.ownerId, run.compositionOwnerId, key, ...scope]));
  }

  async #keep(run: Reporting, { path, key }: z.infer<typeof KeptQuestion>): Promise<{ output: object; source: string } | null> {
    this.#check(run, { path });
    const kept = await store.findKept(this.#context.database.queries, this.#resultKey(run, path, key));
    if (kept === undefined) return null;
    const { output, output_sha256: sha256, run_id: source } = kept;
    if (sha256 !== null && !(await this.#context.blobs.has(sha256))) return null;
    run.kept.set(path, { ...kept, saved: await this.#savedBy(kept) });
    if (sha256 !== null) run.given.add(sha256);
    return { output: sha256 === null ? { json: output } : { blob: sha256 }, source };
  }

  /** What making a kept result had taken of models. */
  async #savedBy({ holder, path, state, saved_llm: saved }: store.KeptResult): Promise<store.SavedLlm | null> {
    if (state === "reused") return store.SavedLlm.nullable().parse(saved);
    const { calls, inputTokens, outputTokens, cost } = await this.#context.calls.within(holder, path);
    return { calls, inputTokens, outputTokens, cost: calls === 0 ? 0 : cost };
  }

  /** What was decided of this value; else the run waits for somebody from now on. */
  async #approval(run: Reporting, question: z.infer<typeof ApprovalQuestion>): Promise<"approved" | "rejected" | "waiting"> {
    this.#check(run, question);
    if (plannedNode(run.plan, question.path)?.kind !== "approval") throw new AppError("node_unknown");
    const { attempt, path, seq } = question;
    const forms = this.#confidential(run);
    const inputs = this.#asKept(run, forms, question.inputs);
    const message = forms === null ? question.message : redactText(question.message, forms);
    if (path.includes("[") && run.nodes >= reportLimits.nodes) throw new AppError("payload_too_large");
    const sha256 = "blob" in inputs ? inputs.blob : null;
    const text = "blob" in inputs ? inputs.preview : inputs.json;
    const { decision, rows } = await this.#context.database.queries.transaction().execute(async (work) => {
      if ((await store.holdRunning(work, run.runId, attempt)) === undefined) throw new AppError("conflict");
      const before = await store.findDecision(work, run.runId, path);
      if (before !== undefined && before.inputs === text && before.inputs_sha256 === sha256)
        return { decision: before.approved === true ? ("approved" as const) : ("rejected" as const), rows: [] };
      const change: store.NodeChange = {
        path,
        seq,
        state: "waiting",
        begins: true,
        begun: 1,
        startedAt: new Date(),
        endedAt: null,
        inputs: { text, sha256, bytes: "blob" in inputs ? inputs.bytes : null },
        output: null,
        error: null,
        resultKey: null,
        sourceRunId: null,
        pinned: false,
        savedMs: null,
        savedLlm: null,
        message,
      };
      await store.forgetDecision(work, run.runId, path);
      return { decision: "waiting" as const, rows: await store.writeNodes(work, run.runId, attempt, [change]) };
    });
    run.nodes += rows.length;
    await this.#show(run, rows);
    return decision;
  }
}

function answered(body: object): ReportAnswer {
  return { status: 200, headers: json, body: JSON.stringify(body) };
}

async function read<T extends z.ZodType>(shape: T, request: IncomingMessage): Promise<z.output<T>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > reportLimits.bytes) throw new AppError("payload_too_large");
    chunks.push(chunk);
  }
  let document: unknown;
  try {
    document = JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw new AppError("invalid_request", { message: "The body is not valid JSON." });
  }
  const parsed = shape.safeParse(document);
  if (!parsed.success) throw new AppError("invalid_request", { fields: fieldProblems("body", parsed.error.issues) });
  return parsed.data;
}

/** Whether nothing was taken out of a value. */
function isSame(kept: SentValue | undefined, sent: SentValue | undefined): boolean {
  if (kept === undefined || sent === undefined) return kept === sent;
  return "blob" in kept ? "blob" in sent && kept.blob === sent.blob : "json" in sent && kept.json === sent.json;
}

/** What is sent, with what it was noted in `content`, and without secrets. */
async function* withoutSecrets(
  request: AsyncIterable<Buffer>,
  forms: SecretForms,
  content: { sha256: string; size: number },
  room: number,
): AsyncGenerator<Buffer> {
  const sum = createHash("sha256");
  const redactor = createRedactor(forms);
  for await (const chunk of request) {
    content.size += chunk.length;
    if (content.size > room) throw new AppError("payload_too_large");
    sum.update(chunk);
    yield redactor.push(chunk);
  }
  content.sha256 = sum.digest("hex");
  yield redactor.end();
}

/** JSON without secrets, which is JSON still: itself when there was none in it. */
function redactJson(value: { json: string }, forms: SecretForms): SentValue {
  const text = redactText(value.json, forms);
  if (text === value.json) return value;
  if (isJson(text)) return { json: text };
  const clean = (item: unknown): unknown => {
    if (Array.isArray(item)) return item.map(clean);
    if (typeof item === "object" && item !== null)
      return Object.fromEntries(Object.entries(item).map(([name, inner]) => [redactText(name, forms), clean(inner)]));
    const written = String(item);
    return redactText(written, forms) === written ? item : redactText(written, forms);
  };
  const cleaned = JSON.stringify(clean(JSON.parse(value.json)));
  // What is a secret only together with the signs around it.
  return { json: redactText(cleaned, forms) === cleaned ? cleaned : JSON.stringify({ "[secret]": null }) };
}
