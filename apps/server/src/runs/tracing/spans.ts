import { outerPath, type NodeLlm, type NodeSaved, type NodeState } from "@syla/contracts/node-runs";
import { isFinal, type RunTransition } from "@syla/contracts/runs";
import type { RunTrace, Span } from "@syla/contracts/traces";
import type { TracedCalls } from "../../models/service.ts";
import { runConfigs } from "../config.ts";
import { runResults } from "../result.ts";
import type { RunRow } from "../store.ts";
import { transitionsOf } from "../transitions.ts";
import { executionPart, spanIdOf, traceIdOfRun } from "./context.ts";
import type { Phase } from "./phases.ts";

/** A trace shows so many calls of models. */
export const tracedCalls = 2000;

/** What the process that has the run knows ahead of its row. */
export interface LiveFacts {
  readonly startedAt: Date | null;
  readonly phases: readonly Phase[];
}

/** A node of a composition that has begun. Times are milliseconds since the epoch. */
export interface TracedNode {
  readonly path: string;
  readonly kind: string;
  readonly label: string;
  readonly state: NodeState;
  readonly from: number;
  readonly to: number | null;
  /** With what lies within it. */
  readonly llm: NodeLlm | null;
  readonly saved: NodeSaved | null;
}

/** The nodes of a run that its trace shows, and how many more there are. */
export interface TracedNodes {
  readonly nodes: readonly TracedNode[];
  readonly omitted: number;
}

const noNodes: TracedNodes = { nodes: [], omitted: 0 };

const phaseNames: Readonly<Record<Phase["name"], string>> = {
  environment: "Environment",
  compile: "Compilation",
  workspace: "Workspace",
  sandbox: "Sandbox",
  artifacts: "Artifacts",
};

/** The trace of a run: nothing is written for it but what its row, its result and its calls of models say. */
export function traceOf(row: RunRow, calls: TracedCalls | null, live: LiveFacts | null, traced: TracedNodes = noNodes): RunTrace {
  const { trace: origin } = runConfigs.parse(row.config);
  const requestMs = origin?.requestMs ?? 0;
  const beganAt = row.created_at.getTime() - requestMs;
  const endedAt = row.finished_at?.getTime() ?? null;
  const tree = new SpanTree(row.id, beganAt, endedAt);
  const root = tree.add("run", null, {
    kind: "run",
    name: row.entrypoint,
    from: beganAt,
    to: endedAt,
    status: row.status === "succeeded" ? "ok" : row.status === "cancelled" ? "cancelled" : isFinal(row.status) ? "failed" : "running",
  });
  if (origin?.requestMs != null)
    tree.add("request", root, { kind: "request", name: "Request", from: beganAt, to: row.created_at.getTime() });
  const executions = addAttempts(tree, root, row, live);
  const last = executions.at(-1) ?? { id: root, from: beganAt };
  const nodes = addNodes(tree, last, executions, traced);
  if (calls !== null) addCalls(tree, last, executions, nodes, calls);
  return {
    runId: row.id,
    traceId: traceIdOfRun(row.id, origin),
    parentSpanId: origin?.parentId ?? null,
    startedAt: new Date(beganAt).toISOString(),
    durationMs: endedAt === null ? null : round(Math.max(0, endedAt - beganAt)),
    spans: tree.spans,
    omitted: calls === null ? 0 : calls.total.calls - calls.calls.length,
    omittedNodes: traced.omitted,
    totals: calls === null || calls.total.calls === 0 ? null : calls.total,
  };
}

interface Execution {
  readonly id: string;
  readonly from: number;
}

/** The states of each attempt, with what was measured of the one that the row holds. */
function addAttempts(tree: SpanTree, root: string, row: RunRow, live: LiveFacts | null): Execution[] {
  const steps = transitionsOf(row);
  const executions: Execution[] = [];
  for (const [index, step] of steps.entries()) {
    const { attempt } = step;
    const from = Date.parse(step.at);
    const next = steps[index + 1];
    const isLatest = attempt === row.attempt;
    if (step.status === "queued") {
      const part = { kind: "queue" as const, name: "Queue", from, to: timeOf(next), attempt, note: requeueNote(step) };
      tree.add(`queue ${attempt}`, root, next === undefined || next.status === "starting" ? part : { ...part, status: endOf(next).status });
    } else if (step.status === "starting") {
      const startedAt = isLatest ? (live?.startedAt?.getTime() ?? timeOf(next)) : timeOf(next);
      const part = { kind: "start" as const, name: "Start", from, to: startedAt, attempt };
      const start = tree.add(
        `start ${attempt}`,
        root,
        next === undefined || next.status === "running" ? part : { ...part, ...endOf(next) },
      );
      const phases = isLatest ? phasesOf(row, live) : [];
      // The sandbox comes before the workspace that is put into it.
      const before = phases.filter(({ name }) => name !== "artifacts").toSorted((a, b) => a.at - b.at || b.ms - a.ms);
      let sandbox: string | null = null;
      for (const phase of before) {
        const id = tree.addPhase(phase, phase.name === "workspace" && sandbox !== null ? sandbox : start, from, attempt);
        if (phase.name === "sandbox") sandbox = id;
      }
      const begun = live?.startedAt ?? null;
      if (isLatest && next === undefined && begun !== null) executions.push(addExecution(tree, root, row, attempt, begun.getTime(), null));
    } else if (step.status === "running" && !executions.some(({ id }) => id === tree.idOf(executionPart(attempt)))) {
      const begun = isLatest ? (live?.startedAt?.getTime() ?? from) : from;
      const end = steps.slice(index + 1).find(({ status }) => status !== "running" && status !== "waiting");
      executions.push(addExecution(tree, root, row, attempt, begun, end ?? null));
    } else if (step.status === "waiting") {
      tree.add(`waiting ${index}`, executions.at(-1)?.id ?? root, { kind: "waiting", name: "Waiting", from, to: timeOf(next), attempt });
    }
  }
  return executions;
}

function addExecution(tree: SpanTree, root: string, row: RunRow, attempt: number, from: number, end: RunTransition | null): Execution {
  const isLatest = attempt === row.attempt;
  const result = isLatest && row.result !== null ? runResults.parse(row.result) : null;
  const to = result?.runMs == null ? timeOf(end ?? undefined) : from + result.runMs;
  const part = { kind: "execution" as const, name: "Program", from, to, attempt };
  const id = tree.add(executionPart(attempt), root, end === null ? part : { ...part, ...endOf(end) });
  const artifacts = result?.phases.find(({ name }) => name === "artifacts");
  if (artifacts !== undefined) tree.addPhase(artifacts, root, row.claimed_at?.getTime() ?? from, attempt);
  return { id, from };
}

/** How a part ended that this step followed. */
function endOf({ status, cause }: RunTransition): { readonly status: Span["status"]; readonly note: string | null } {
  // It had waited for somebody, and goes on.
  if (status === "queued" && cause === "decided") return { status: "ok", note: null };
  return { status: status === "succeeded" ? "ok" : status === "cancelled" ? "cancelled" : "failed", note: cause };
}

function phasesOf(row: RunRow, live: LiveFacts | null): readonly Phase[] {
  return row.result === null ? (live?.phases ?? []) : runResults.parse(row.result).phases;
}

function requeueNote({ attempt, cause }: RunTransition): string | null {
  return attempt > 1 ? cause : null;
}

function timeOf(step: RunTransition | undefined): number | null {
  return step === undefined ? null : Date.parse(step.at);
}

/** Each node below what it lies in, or below the program. @returns their spans by their paths */
function addNodes(tree: SpanTree, last: Execution, executions: readonly Execution[], { nodes }: TracedNodes): Map<string, string> {
  const spans = new Map<string, string>();
  const depthOf = ({ path }: TracedNode) => path.split("/").length;
  for (const node of nodes.toSorted((a, b) => depthOf(a) - depthOf(b))) {
    const { path, kind, label, state, from, to, llm, saved } = node;
    const parent = nearest(spans, outerPath(path)) ?? executionAt(executions, from) ?? last;
    const id = tree.add(`node ${path}`, parent.id, {
      kind: "node",
      name: `${label === "" ? kind : label}${turnOf(path)}`,
      from,
      to,
      status: state === "failed" ? "failed" : state === "cancelled" ? "cancelled" : to === null && state !== "succeeded" ? "running" : "ok",
      note: state === "reused" ? "used again" : state === "waiting" ? "waits for a person" : null,
      node: { path, kind, state, llm, saved },
    });
    spans.set(path, id);
  }
  return spans;
}

/** Which turn of the innermost graph that repeats a node is of. */
function turnOf(path: string): string {
  const turn = /\[(\d+)\][^[]*$/.exec(path)?.[1];
  return turn === undefined ? "" : ` (${Number(turn) + 1})`;
}

/** The span of a node, or of the innermost that it lies in. */
function nearest(spans: ReadonlyMap<string, string>, path: string | null): { readonly id: string } | undefined {
  for (let at = path; at !== null; at = outerPath(at)) {
    const id = spans.get(at);
    if (id !== undefined) return { id };
  }
  return undefined;
}

function executionAt(executions: readonly Execution[], from: number): Execution | undefined {
  return executions.findLast((execution) => execution.from <= from + clockSlackMs);
}

/** Each call below the program, or the node of it, that made it, and below it what was sent to the provider. */
function addCalls(
  tree: SpanTree,
  last: Execution,
  executions: readonly Execution[],
  nodes: ReadonlyMap<string, string>,
  { calls }: TracedCalls,
): void {
  for (const call of calls) {
    const from = Date.parse(call.startedAt);
    const parent = nearest(nodes, call.nodePath) ?? executionAt(executions, from) ?? last;
    const status =
      call.status === "running" ? "running" : call.status === "succeeded" ? "ok" : call.status === "cancelled" ? "cancelled" : "failed";
    const id = tree.add(`llm ${call.id}`, parent.id, {
      kind: "llm",
      name: `${call.operation} ${call.model.name}`,
      from,
      to: call.totalMs === null ? (status === "running" ? null : from) : from + call.totalMs,
      status,
      note: call.error === null ? null : `${call.error.code}: ${call.error.message}`,
      llm: {
        callId: call.id,
        model: call.model.name,
        provider: call.provider,
        operation: call.operation,
        streamed: call.streamed,
        cached: call.cached,
        attempts: call.attempts,
        inputTokens: call.inputTokens,
        outputTokens: call.outputTokens,
        cachedTokens: call.cachedTokens,
        isEstimate: call.isEstimate,
        cost: call.cost,
        firstByteMs: call.firstByteMs,
      },
    });
    for (const [index, sent] of call.sent.entries())
      tree.add(`attempt ${call.id} ${index + 1}`, id, {
        kind: "attempt",
        name: `Attempt ${index + 1}`,
        from: from + sent.at,
        to: from + sent.at + sent.ms,
        attempt: index + 1,
        status: sent.status !== null && sent.status < 400 ? "ok" : "failed",
        note: sent.status === null ? sent.code : `HTTP ${sent.status}`,
      });
  }
}

/** A call's time is the database's, and a run's the server's. */
const clockSlackMs = 50;

interface Part {
  readonly kind: Span["kind"];
  readonly name: string;
  /** Milliseconds since the epoch; `to` is null while it goes on. */
  readonly from: number;
  readonly to: number | null;
  readonly status?: Span["status"];
  readonly attempt?: number | null;
  readonly note?: string | null;
  readonly llm?: Span["llm"];
  readonly node?: Span["node"];
}

class SpanTree {
  readonly spans: Span[] = [];
  readonly #runId: string;
  readonly #beganAt: number;
  readonly #endedAt: number | null;

  constructor(runId: string, beganAt: number, endedAt: number | null) {
    this.#runId = runId;
    this.#beganAt = beganAt;
    this.#endedAt = endedAt;
  }

  idOf(part: string): string {
    return spanIdOf(this.#runId, part);
  }

  /** Whatever has not ended by itself has ended with the run. */
  add(
    part: string,
    parentId: string | null,
    { kind, name, from, to, status, attempt = null, note = null, llm = null, node = null }: Part,
  ): string {
    const id = this.idOf(part);
    const end = to ?? this.#endedAt;
    this.spans.push({
      id,
      parentId,
      kind,
      name,
      startMs: round(Math.max(0, from - this.#beganAt)),
      durationMs: end === null ? null : round(Math.max(0, end - from)),
      status: status ?? (end === null ? "running" : "ok"),
      attempt,
      note,
      llm,
      node,
    });
    return id;
  }

  addPhase({ name, at, ms }: Phase, parentId: string, claimedAt: number, attempt: number): string {
    const from = claimedAt + at;
    return this.add(`${name} ${attempt}`, parentId, { kind: name, name: phaseNames[name], from, to: from + ms, attempt });
  }
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
