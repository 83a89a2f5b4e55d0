import { AppError } from "@syla/contracts/errors";
import type { NodeDecision, NodeRun } from "@syla/contracts/node-runs";
import { isFinal } from "@syla/contracts/runs";
import type { Actor } from "../access/actor.ts";
import type { Blobs } from "../platform/blobs.ts";
import type { Database } from "../platform/database.ts";
import { resumeDecided, runConfigs, type Runs } from "../runs/service.ts";
import type { RunPlan } from "./plan.ts";
import { pendingNodes, toNodeRun, type EndedRun } from "./presenter.ts";
import * as store from "./store.ts";

/** What reading and deciding takes. */
export interface RunNodesContext {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly runs: Pick<Runs, "require">;
}

type RunRow = Awaited<ReturnType<Runs["require"]>>;

/** The nodes of runs of compositions, as people see and decide them. */
export class RunNodes {
  readonly #context: RunNodesContext;

  constructor(context: RunNodesContext) {
    this.#context = context;
  }

  async list(actor: Actor, runId: string): Promise<NodeRun[]> {
    const row = await this.#context.runs.require(actor, runId, "run:read");
    const plan = await this.#plan(row);
    if (plan === null) return [];
    const rows = await store.listNodes(this.#context.database.queries, runId);
    const run = endOf(row);
    const shown = actor.via === "link" ? rows.map((node) => ({ ...node, decided_by: null })) : rows;
    return [...shown.map((node) => toNodeRun(node, plan, run)), ...pendingNodes(plan, rows, run)];
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
    const decided = (await this.list(actor, runId)).find((node) => node.path === path);
    if (decided === undefined) throw new AppError("not_found");
    return decided;
  }

  async #plan(row: RunRow): Promise<RunPlan | null> {
    const { composition } = runConfigs.parse(row.config);
    return composition === null ? null : (JSON.parse((await this.#context.blobs.get(composition.plan)).toString()) as RunPlan);
  }
}

/** What was decided of, by the way that it goes. What is content of its own stays with the inputs. */
function outputOf({ inputs, inputs_sha256: sha256 }: store.NodeRow, approved: boolean) {
  const value = sha256 === null && inputs !== null ? ((JSON.parse(inputs) as { value?: unknown }).value ?? null) : null;
  return { text: JSON.stringify({ [approved ? "approved" : "rejected"]: value }), sha256: null, bytes: null };
}

function endOf({ status, error }: RunRow): EndedRun {
  if (!isFinal(status)) return null;
  return { status, errorClass: errorClassOf(error) };
}

function errorClassOf(error: object | null): string | null {
  return error !== null && "class" in error && typeof error.class === "string" ? error.class : null;
}
