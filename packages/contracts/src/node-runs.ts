import { z } from "zod";
import { CompositionReference } from "./composition-config.ts";
import { flowKinds, type FlowKind } from "./flow-kinds.ts";
import { pageOf, pageQuery } from "./page.ts";
import { route } from "./route.ts";

/** What a run of a composition ran. */
export const RunComposition = z
  .object({
    id: z.string(),
    name: z.string().describe("as it was called then"),
    version: z.string().nullable().describe("null: the draft"),
    graphHash: z.string(),
    references: z.array(CompositionReference).describe("what it used, with the versions that were there"),
    secretVariables: z
      .array(z.string())
      .describe("the variables that hold secrets of its programs' owners; what they hold is in no log and no value"),
    withheldVariables: z.array(z.string()).describe("those whose secrets this run did not get"),
    lineage: z.string().describe("the first of the runs that each began from the one before"),
  })
  .meta({ id: "RunComposition" });
export type RunComposition = z.infer<typeof RunComposition>;

export const nodeStates = ["pending", "running", "waiting", "succeeded", "failed", "skipped", "cancelled", "reused"] as const;
export const NodeState = z.enum(nodeStates).meta({ id: "NodeState" });
export type NodeState = z.infer<typeof NodeState>;

/** What holds still until somebody does something, or for good. */
export function isNodeFinal(state: NodeState): boolean {
  return state !== "pending" && state !== "running" && state !== "waiting";
}

/** The ids of the nodes that lead to a node, and its own, with `/` between; `[3]` behind one that repeats: its fourth turn. */
export const nodePath = z
  .string()
  .min(1)
  .max(1000)
  .regex(/^[A-Za-z0-9_-]+(\[\d{1,9}\])?(\/[A-Za-z0-9_-]+(\[\d{1,9}\])?)*$/, "ids of nodes, separated by /");

/** Values above this are kept as content of their own. */
export const inlineValueBytes = 16 * 1024;

/** A value that went into a node or came out of it: JSON as it is, or where it is kept and how it begins. */
export const ValueRef = z
  .union([
    z.strictObject({ value: z.unknown() }),
    z.strictObject({ blob: z.string().describe("SHA-256 of its JSON"), bytes: z.int(), preview: z.string().describe("how it begins") }),
  ])
  .meta({ id: "ValueRef" });
export type ValueRef = z.infer<typeof ValueRef>;

/** What a node called of language models. The same figures as those of a run. */
export const NodeLlm = z
  .object({
    calls: z.int(),
    failed: z.int(),
    inputTokens: z.int(),
    outputTokens: z.int(),
    cachedTokens: z.int(),
    cost: z.number().nullable().describe("US dollars of the calls whose cost is known; null: of none"),
    unknownCosts: z.int().describe("calls whose cost nobody knows"),
  })
  .meta({ id: "NodeLlm" });
export type NodeLlm = z.infer<typeof NodeLlm>;

/** What making the result of a node had taken that is used again. */
export const NodeSaved = z
  .object({
    ms: z.number(),
    calls: z.int().nullable().describe("of models; null: nobody knows, as with the figures behind it"),
    inputTokens: z.int().nullable(),
    outputTokens: z.int().nullable(),
    cost: z.number().nullable().describe("US dollars of the calls whose cost is known"),
  })
  .meta({ id: "NodeSaved" });
export type NodeSaved = z.infer<typeof NodeSaved>;

/** One node of a composition in a run of it; of a node in a graph that repeats, one turn. */
export const NodeRun = z
  .object({
    path: nodePath,
    nodeId: z.string(),
    kind: z.enum(flowKinds as [FlowKind, ...FlowKind[]]),
    label: z.string(),
    state: NodeState,
    startedAt: z.iso.datetime().nullable(),
    endedAt: z.iso.datetime().nullable(),
    attempts: z.int().describe("how often it has begun: again after a failure, and in a further attempt of the run"),
    inputs: ValueRef.nullable().describe("an object, by the names of its ports; null until it has begun"),
    output: ValueRef.nullable().describe("an object, by the names of its ports"),
    error: z
      .object({
        class: z.enum(["user_code", "limit", "infrastructure", "denied"]),
        code: z.string(),
        message: z.string(),
        hint: z.string(),
        failureOf: z.enum(["node", "sandbox"]),
      })
      .nullable(),
    usedFallback: z.boolean().describe("it failed every time: its outputs are the values that stand for them, `error` is the last failure"),
    llm: NodeLlm.nullable().describe("of its own calls in all attempts: those of nodes within it are theirs; null: it made none"),
    reusedFrom: z.string().nullable().describe("the run whose result it is; null also for a value that was pinned"),
    pinned: z.boolean().describe("its result was given with the run"),
    saved: NodeSaved.nullable().describe("null: it was not used again"),
    approval: z
      .object({
        message: z.string(),
        approved: z.boolean().nullable().describe("null: nobody has decided"),
        comment: z.string().nullable(),
        by: z.object({ id: z.string(), name: z.string() }).nullable(),
        at: z.iso.datetime().nullable(),
      })
      .nullable()
      .describe("of a node where a person decides"),
  })
  .meta({ id: "NodeRun" });
export type NodeRun = z.infer<typeof NodeRun>;

/** The path of what a node lies in, or of the node that a turn is of; null: it is one of the composition's own. */
export function outerPath(path: string): string | null {
  if (path.endsWith("]")) return path.slice(0, path.lastIndexOf("["));
  const end = path.lastIndexOf("/");
  return end < 0 ? null : path.slice(0, end);
}

/** Two sums of calls as one. */
export function addLlm(one: NodeLlm | null, other: NodeLlm | null): NodeLlm | null {
  if (one === null || other === null) return one ?? other;
  return {
    calls: one.calls + other.calls,
    failed: one.failed + other.failed,
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    cachedTokens: one.cachedTokens + other.cachedTokens,
    cost: one.cost === null || other.cost === null ? (one.cost ?? other.cost) : one.cost + other.cost,
    unknownCosts: one.unknownCosts + other.unknownCosts,
  };
}

/** What nodes called, each with what lies within it, by their paths. Nodes that called nothing are not among them. */
export function llmWithin(nodes: readonly { readonly path: string; readonly llm: NodeLlm | null }[]): Map<string, NodeLlm> {
  const sums = new Map<string, NodeLlm>();
  for (const { path, llm } of nodes) {
    for (let at: string | null = llm === null ? null : path; at !== null; at = outerPath(at)) {
      const sum = addLlm(sums.get(at) ?? null, llm);
      if (sum !== null) sums.set(at, sum);
    }
  }
  return sums;
}

/** What a person decides where a run waits for them. The node is named in the body: proxies change slashes in addresses. */
export const NodeDecision = z
  .strictObject({
    path: nodePath,
    approved: z.boolean(),
    comment: z
      .string()
      .trim()
      .max(4000)
      .refine((text) => !text.includes("\0") && text.isWellFormed(), "no NUL, valid Unicode")
      .default(""),
  })
  .meta({ id: "NodeDecision" });
export type NodeDecision = z.output<typeof NodeDecision>;

/** Where a run waits for somebody to decide. */
export const Approval = z
  .object({
    runId: z.string(),
    composition: z.object({ id: z.string(), name: z.string().describe("as it was called then") }),
    runOwner: z.object({ id: z.string(), name: z.string() }),
    path: nodePath,
    message: z.string(),
    inputs: ValueRef.nullable().describe("an object with what is to be decided of, as `value`"),
    since: z.iso.datetime().nullable(),
  })
  .meta({ id: "Approval" });
export type Approval = z.infer<typeof Approval>;

const common = { tag: "runs", auth: "user", params: z.object({ id: z.string().max(64) }) } as const;

/** The nodes of runs of compositions. Changes come live with the run's events, as `node`. */
export const nodeRunRoutes = {
  listRunNodes: route({
    ...common,
    method: "GET",
    path: "/api/v1/runs/:id/nodes",
    summary: "List how the nodes of a run of a composition stand",
    link: "run",
    responses: {
      200: z.object({
        items: z.array(NodeRun),
        ofNoNode: NodeLlm.nullable().describe("calls of models that none of the nodes is known to have made; null: there are none"),
      }),
    },
    errors: ["not_found"],
  }),
  listStaleRunNodes: route({
    ...common,
    scope: "runs:read",
    audit: "run.check",
    method: "POST",
    path: "/api/v1/runs/:id/stale-nodes",
    summary:
      "List the nodes of a run whose results are out of date: a graph asks something else of them, or of what they get something from",
    body: z.strictObject({
      graph: z.unknown().describe("a FlowGraph, as its composition is by now; see composition.schema.gen.json"),
    }),
    responses: { 200: z.object({ paths: z.array(nodePath).describe("without turns, with nodes that are gone") }) },
    errors: ["not_found", "invalid_graph", "payload_too_large"],
  }),
  readRunNodeValue: route({
    ...common,
    method: "GET",
    path: "/api/v1/runs/:id/node-value",
    summary: "Read what went into a node or came out of it, as JSON, however large",
    query: z.object({ path: nodePath, side: z.enum(["inputs", "output"]).default("output") }),
    headers: z.object({ range: z.string().max(256).optional() }),
    responses: { 200: "bytes", 206: "bytes" },
    errors: ["not_found", "node_unknown", "range_not_satisfiable"],
  }),
  listApprovals: route({
    tag: "runs",
    auth: "user",
    method: "GET",
    path: "/api/v1/approvals",
    summary: "List where runs wait for somebody to decide: yours, and those that you may change; of the newest run first",
    query: z.object(pageQuery),
    responses: { 200: pageOf(Approval) },
    errors: ["invalid_cursor"],
  }),
  decideRunNode: route({
    ...common,
    audit: "run.decide",
    method: "POST",
    path: "/api/v1/runs/:id/decisions",
    summary: "Approve or reject where a run waits for a person; it then goes on",
    body: NodeDecision,
    responses: { 200: NodeRun },
    errors: ["not_found", "forbidden", "node_not_waiting"],
  }),
};
