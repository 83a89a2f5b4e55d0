import { isFinal, type RunStatus } from "@syla/contracts/runs";
import { runError } from "../runs/service.ts";
import type { NodeLlm, NodeRun, NodeSaved, ValueRef } from "@syla/contracts/node-runs";
import { plannedNode, type RunPlan } from "./plan.ts";
import { SavedLlm, type NodeRow } from "./store.ts";

type ShownRow = NodeRow & { readonly decided_by_name: string | null };

/** How the run of a node stands; null: it goes on. */
export type EndedRun = { readonly status: RunStatus; readonly errorClass: string | null } | null;

/** A node as it is shown. What a run that has ended left open is told from its end. `llm`: what it called of models. */
export function toNodeRun(row: ShownRow, plan: RunPlan, run: EndedRun, llm: NodeLlm | null): NodeRun {
  const planned = plannedNode(plan, row.path);
  const { state, error } = settle(row, run);
  return {
    path: row.path,
    nodeId: planned?.id ?? row.path,
    kind: planned?.kind ?? "code",
    label: planned?.label ?? "",
    state,
    startedAt: row.started_at?.toISOString() ?? null,
    endedAt: row.ended_at?.toISOString() ?? null,
    attempts: row.attempts,
    inputs: toValue(row.inputs, row.inputs_sha256, row.inputs_bytes),
    output: toValue(row.output, row.output_sha256, row.output_bytes),
    error,
    usedFallback: row.state === "succeeded" && row.error !== null,
    llm,
    reusedFrom: row.source_run_id,
    pinned: row.pinned,
    saved: savedOf(row),
    approval:
      row.message === null
        ? null
        : {
            message: row.message,
            approved: row.approved,
            comment: row.comment,
            by: row.decided_by === null ? null : { id: row.decided_by, name: row.decided_by_name ?? "" },
            at: row.decided_at?.toISOString() ?? null,
          },
  };
}

/** Nodes that the run has not come to. */
export function pendingNodes(plan: RunPlan, rows: readonly Pick<NodeRow, "path">[], run: EndedRun): NodeRun[] {
  const there = new Set(rows.map(({ path }) => path));
  return plan.children
    .filter((path) => !there.has(path))
    .map((path) => ({
      path,
      nodeId: path,
      kind: plannedNode(plan, path)?.kind ?? "code",
      label: plannedNode(plan, path)?.label ?? "",
      state: run === null ? "pending" : "cancelled",
      startedAt: null,
      endedAt: null,
      attempts: 0,
      inputs: null,
      output: null,
      error: null,
      usedFallback: false,
      llm: null,
      reusedFrom: null,
      pinned: false,
      saved: null,
      approval: null,
    }));
}

export function savedOf({ saved_ms: ms, saved_llm: llm }: Pick<NodeRow, "saved_ms" | "saved_llm">): NodeSaved | null {
  if (ms === null) return null;
  const { calls = null, inputTokens = null, outputTokens = null, cost = null } = SavedLlm.nullable().parse(llm) ?? {};
  return { ms: Math.max(0, Math.round(ms * 100) / 100), calls, inputTokens, outputTokens, cost };
}

export function settle({ state, error }: Pick<NodeRow, "state" | "error">, run: EndedRun): Pick<NodeRun, "state" | "error"> {
  if (error !== null) {
    const { kind, message } = error as { kind: string; message: string };
    const { hint } = runError("user_code", "uncaught_exception");
    return { state, error: { class: "user_code", code: "uncaught_exception", message: `${kind}: ${message}`, hint, failureOf: "node" } };
  }
  if (run === null || !isFinal(run.status) || (state !== "running" && state !== "waiting")) return { state, error: null };
  const isOfSandbox = state === "running" && (run.status === "timed_out" || (run.status === "failed" && run.errorClass !== "user_code"));
  if (!isOfSandbox) return { state: "cancelled", error: null };
  const isLimit = run.status === "timed_out" || run.errorClass === "limit";
  const { class: errorClass, code, message, hint } = isLimit ? runError("limit", "timeout") : runError("infrastructure", "worker_lost");
  return { state: "failed", error: { class: errorClass, code, message, hint, failureOf: "sandbox" } };
}

export function toValue(text: string | null, sha256: string | null, bytes: number | null): ValueRef | null {
  if (text === null) return null;
  return sha256 === null ? { value: JSON.parse(text) as unknown } : { blob: sha256, bytes: bytes ?? 0, preview: text };
}
