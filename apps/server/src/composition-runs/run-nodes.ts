import { AppError } from "@syla/contracts/errors";
import type { FlowKind } from "@syla/contracts/flow-kinds";
import { llmWithin, type Approval, type NodeDecision, type NodeLlm, type NodeRun } from "@syla/contracts/node-runs";
import { isFinal } from "@syla/contracts/runs";
import type { Actor } from "../access/actor.ts";
import type { CallBook } from "../models/service.ts";
import type { Blobs } from "../platform/blobs.ts";
import type { Database } from "../platform/database.ts";
import { readCursor, toPage } from "../platform/page-cursor.ts";
import { resumeDecided, runConfigs, type Runs, type TracedNodes } from "../runs/service.ts";
import { assignLlm } from "./llm.ts";
import { plannedNode, type RunPlan } from "./plan.ts";
import { pendingNodes, savedOf, settle, toNodeRun, toValue, type EndedRun } from "./presenter.ts";
import * as store from "./store.ts";

/** What reading and deciding takes. */
export interface RunNodesContext {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly runs: Pick<Runs, "require">;
  readonly calls: Pick<CallBook, "ofNodes">;
}

type RunRow = Awaited<ReturnType<Runs["require"]>>;
type TracedRun = Pick<RunRow, "id" | "config" | "status" | "error">;

/** Kinds that take no time: they hand a value on, or say what others are to use. */
const quick: ReadonlySet<string> = new Set<FlowKind>([
  "input",
  "output",
  "model",
  "sampler",
  "branch",
  "merge",
  "context_read",
  "context_write",
]);
/** A trace shows so many nodes. */
const tracedNodes = 2000;

/** The nodes of runs of compositions, as people see and decide them. */
export class RunNodes {
  readonly #context: RunNodesContext;

  constructor(context: RunNodesContext) {
    this.#context = context;
  }

  /** How they stand, and what was called of models by none of them. */
  async list(actor: Actor, runId: string): Promise<{ items: NodeRun[]; ofNoNode: NodeLlm | null }> {
    const row = await this.#context.runs.require(actor, runId, "run:read");
    const plan = await this.#plan(row);
    if (plan === null) return { items: [], ofNoNode: null };
    const rows = await store.listNodes(this.#context.database.queries, runId);
    const run = endOf(row);
    const shown = actor.via === "link" ? rows.map((node) => ({ ...node, decided_by: null })) : rows;
    const { of, ofNoNode } = assignLlm(await this.#called(row), new Set(rows.map(({ path }) => path)));
    const begun = shown.map((node) => toNodeRun(node, plan, run, of.get(node.path) ?? null));
    return { items: [...begun, ...pendingNodes(plan, rows, run)], ofNoNode };
  }

  /** Where a value is: JSON, or the hash of its content. @throws AppError `not_found`, `node_unknown` */
  async value(
    actor: Actor,
    runId: string,
    path: string,
    side: "inputs" | "output",
  ): Promise<{ json: string } | { sha256: string; size: number }> {
    await this.#context.runs.require(actor, runId, "run:read");
    const row = await store.findNode(this.#context.database.queries, runId, path);
    const [text, sha256, size] =
      side === "inputs" ? [row?.inputs, row?.inputs_sha256, row?.inputs_bytes] : [row?.output, row?.output_sha256, row?.output_bytes];
    if (sha256 != null) return { sha256, size: size ?? 0 };
    if (text == null) throw new AppError("node_unknown", { message: `The run has no ${side} of ${path}.` });
    return { json: text };
  }

  /** Where runs wait for somebody who may be the actor. @throws AppError `invalid_cursor` */
  async approvals(actor: Actor, { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number }) {
    const [runId = "", path = ""] = readCursor(cursor, /^run_[0-9a-z]{26} \S{1,1000}$/)?.split(" ") ?? [];
    const after = runId === "" ? null : ([runId, path] as const);
    const rows = await store.listApprovals(this.#context.database.queries, actor, { limit, after });
    return toPage(rows, limit, (row) => `${row.run_id} ${row.path}`, toApproval);
  }

  /** @throws AppError `not_found`, `forbidden`, `node_not_waiting` */
  async decide(actor: Actor, runId: string, { path, approved, comment }: NodeDecision): Promise<NodeRun> {
    const { database, runs } = this.#context;
    const run = await runs.require(actor, runId, "run:cancel");
    const plan = await this.#plan(run);
    if (plan === null) throw new AppError("node_not_waiting");
    await database.queries.transaction().execute(async (work) => {
      const locked = await store.lockRun(work, runId);
      const node = await store.findNode(work, runId, path);
      if (locked === undefined || isFinal(locked.status) || node?.state !== "waiting") throw new AppError("node_not_waiting");
      await store.decide(work, runId, { path, approved, comment, by: actor.userId, output: outputOf(node, approved) });
      await resumeDecided(work, runId);
    });
    const decided = (await this.list(actor, runId)).items.find((node) => node.path === path);
    if (decided === undefined) throw new AppError("not_found");
    return decided;
  }

  /** What a trace shows of them. Nodes that only hand a value on are left out, and what is behind the first ones. */
  async traced(row: TracedRun): Promise<TracedNodes> {
    const plan = await this.#plan(row);
    if (plan === null) return { nodes: [], omitted: 0 };
    const all = await store.listTraced(this.#context.database.queries, row.id);
    const shown = all.filter(({ path, state }) => state === "reused" || !quick.has(plannedNode(plan, path)?.kind ?? "code"));
    const { of } = assignLlm(await this.#called(row), new Set(all.map(({ path }) => path)));
    const within = llmWithin([...of].map(([path, llm]) => ({ path, llm })));
    const run = endOf(row);
    const nodes = shown.slice(0, tracedNodes).map((node) => {
      const planned = plannedNode(plan, node.path);
      return {
        path: node.path,
        kind: planned?.kind ?? "code",
        label: planned?.label ?? "",
        state: settle(node, run).state,
        from: node.started_at?.getTime() ?? 0,
        to: node.ended_at?.getTime() ?? null,
        llm: within.get(node.path) ?? null,
        saved: savedOf(node),
      };
    });
    return { nodes, omitted: shown.length - nodes.length };
  }

  async #called(row: TracedRun) {
    return runConfigs.parse(row.config).models.length === 0 ? [] : await this.#context.calls.ofNodes(row.id);
  }

  async #plan(row: TracedRun): Promise<RunPlan | null> {
    const { composition } = runConfigs.parse(row.config);
    return composition === null ? null : (JSON.parse((await this.#context.blobs.get(composition.plan)).toString()) as RunPlan);
  }
}

function toApproval(row: store.ApprovalRow): Approval {
  return {
    runId: row.run_id,
    composition: { id: row.composition_id ?? "", name: row.composition_name ?? "" },
    runOwner: { id: row.owner_id, name: row.owner_name ?? "" },
    path: row.path,
    message: row.message ?? "",
    inputs: toValue(row.inputs, row.inputs_sha256, row.inputs_bytes),
    since: row.started_at?.toISOString() ?? null,
  };
}

/** What was decided of, by the way that it goes. What is content of its own stays with the inputs. */
function outputOf({ inputs, inputs_sha256: sha256 }: store.NodeRow, approved: boolean) {
  const value = sha256 === null && inputs !== null ? ((JSON.parse(inputs) as { value?: unknown }).value ?? null) : null;
  return { text: JSON.stringify({ [approved ? "approved" : "rejected"]: value }), sha256: null, bytes: null };
}

function endOf({ status, error }: TracedRun): EndedRun {
  if (!isFinal(status)) return null;
  return { status, errorClass: errorClassOf(error) };
}

function errorClassOf(error: object | null): string | null {
  return error !== null && "class" in error && typeof error.class === "string" ? error.class : null;
}
