import type { compositionRunRoutes } from "@syla/contracts/composition-runs";
import type { Approval, NodeLlm, NodeRun, nodeRunRoutes } from "@syla/contracts/node-runs";
import type { RouteBody, RouteQuery } from "@syla/contracts/route";
import type { Run } from "@syla/contracts/runs";
import type { Page } from "./runs.ts";
import type { CallOptions, CreateOptions, Transport } from "./transport.ts";

/** What is to be run of a composition, and with what. */
export type CompositionRunDraft = RouteBody<typeof compositionRunRoutes.runComposition>;

/** Runs of compositions, and how their nodes stand. Everything else is done with `runs`. */
export interface CompositionRuns {
  start(compositionId: string, input: CompositionRunDraft, options?: CreateOptions): Promise<Run>;
  nodes(runId: string, options?: CallOptions): Promise<readonly NodeRun[]>;
  /** The same, with what was called of models by none of them. */
  report(runId: string, options?: CallOptions): Promise<{ readonly items: readonly NodeRun[]; readonly ofNoNode: NodeLlm | null }>;
  /** The paths of those whose results are out of date: `graph` asks something else of them, or of what they get something from. */
  stale(runId: string, graph: unknown, options?: CallOptions): Promise<readonly string[]>;
  /** What went into a node or came out of it, as JSON, however large. */
  value(runId: string, path: string, side: "inputs" | "output", options?: CallOptions): Promise<Response>;
  /** Where runs wait for somebody to decide who may be you. */
  approvals(query?: Partial<RouteQuery<typeof nodeRunRoutes.listApprovals>>, options?: CallOptions): Promise<Page<Approval>>;
  /** Approves or rejects where a run waits for a person. */
  decide(
    runId: string,
    decision: { readonly path: string; readonly approved: boolean; readonly comment?: string },
    options?: CallOptions,
  ): Promise<NodeRun>;
}

export function createCompositionRuns(transport: Transport): CompositionRuns {
  return {
    start: (id, input, options = {}) => transport.json("runComposition", { ...options, params: { id }, body: input }),
    nodes: async (id, options = {}) => (await transport.json("listRunNodes", { ...options, params: { id } })).items,
    report: (id, options = {}) => transport.json("listRunNodes", { ...options, params: { id } }),
    stale: async (id, graph, options = {}) =>
      (await transport.json("listStaleRunNodes", { ...options, params: { id }, body: { graph }, repeatable: true })).paths,
    value: (id, path, side, options = {}) =>
      transport.raw("readRunNodeValue", { timeoutMs: 0, ...options, params: { id }, query: { path, side } }),
    approvals: (query = {}, options = {}) => transport.json("listApprovals", { ...options, query }),
    decide: (id, decision, options = {}) => transport.json("decideRunNode", { ...options, params: { id }, body: decision }),
  };
}
