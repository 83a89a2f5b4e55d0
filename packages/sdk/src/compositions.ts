import type {
  CompositionCode,
  CompositionDiff,
  CompositionExport,
  CompositionGraph,
  CompositionProblem,
  compositionRoutes,
  CreatedComposition,
  PaletteItem,
} from "@syla/contracts/compositions";
import type { CompositionDocument } from "@syla/contracts/composition-live";
import type { CompositionRunInputDraft } from "@syla/contracts/composition-runs";
import type { FlowGraph } from "@syla/contracts/flow";
import type { RouteBody, RouteQuery } from "@syla/contracts/route";
import type { Run } from "@syla/contracts/runs";
import type { Revision } from "./assets.ts";
import type { Page } from "./runs.ts";
import { newKey, type CallOptions, type CreateOptions, type Transport } from "./transport.ts";

/** What a composition begins with, and what it is called. */
export type CompositionDraft = RouteBody<typeof compositionRoutes.createComposition>;
/** What of the catalog may be placed. */
export type PaletteQuery = Partial<RouteQuery<typeof compositionRoutes.listPalette>>;

/** Graphs that compile to Python. Finding, sharing, publishing and deleting compositions is done with `assets`, as of everything in the catalog. */
export interface Compositions {
  create(draft?: CompositionDraft, options?: CreateOptions): Promise<CreatedComposition>;
  graph(id: string, version?: string, options?: CallOptions): Promise<CompositionGraph>;
  /** Puts a graph in place of the draft that was loaded as `revision`; refused with `revision_conflict` when it has changed since. */
  put(id: string, graph: FlowGraph, revision: Revision, options?: CallOptions): Promise<CompositionGraph>;
  problems(id: string, version?: string, options?: CallOptions): Promise<readonly CompositionProblem[]>;
  /** The problems of a graph that is not stored. `composition`: which it is a draft of. */
  check(graph: unknown, composition?: string, options?: CallOptions): Promise<readonly CompositionProblem[]>;
  code(id: string, version?: string, options?: CallOptions): Promise<CompositionCode>;
  diff(id: string, ends?: { readonly from?: string; readonly to?: string }, options?: CallOptions): Promise<CompositionDiff>;
  export(id: string, version?: string, options?: CallOptions): Promise<CompositionExport>;
  /** The live document of the draft, which is joined by its id on the live connection. */
  document(id: string, options?: CallOptions): Promise<CompositionDocument>;
  /** The live connection, which speaks the Hocuspocus protocol. */
  live(id: string): WebSocket;
  palette(query?: PaletteQuery, options?: CallOptions): Promise<Page<PaletteItem>>;
  /** Queues a run of a composition, or of a part of it; how its nodes stand is asked of `runs.nodes`. */
  run(id: string, input?: CompositionRunInputDraft, options?: CreateOptions): Promise<Run>;
}

export function createCompositions(transport: Transport): Compositions {
  const at = (version: string | undefined) => (version === undefined ? {} : { version });
  return {
    create: (draft = {}, options = {}) => transport.json("createComposition", { ...options, body: draft }),
    graph: (id, version, options = {}) => transport.json("getCompositionGraph", { ...options, params: { id }, query: at(version) }),
    put: (id, graph, revision, options = {}) =>
      transport.json("putCompositionGraph", { timeoutMs: 0, ...options, params: { id }, body: { graph }, revision }),
    problems: async (id, version, options = {}) =>
      (await transport.json("listCompositionProblems", { ...options, params: { id }, query: at(version) })).problems,
    check: async (graph, composition, options = {}) => {
      const body = { graph, ...(composition === undefined ? {} : { composition }) };
      return (await transport.json("checkCompositionGraph", { ...options, body, repeatable: true })).problems;
    },
    code: (id, version, options = {}) => transport.json("getCompositionCode", { ...options, params: { id }, query: at(version) }),
    diff: (id, ends = {}, options = {}) => transport.json("diffComposition", { ...options, params: { id }, query: ends }),
    export: (id, version, options = {}) => transport.json("exportComposition", { ...options, params: { id }, query: at(version) }),
    document: (id, options = {}) => transport.json("openCompositionDocument", { ...options, params: { id } }),
    live: (id) => transport.socket("joinComposition", { params: { id } }),
    palette: (query = {}, options = {}) => transport.json("listPalette", { ...options, query }),
    run: (id, input = {}, { idempotencyKey, ...options } = {}) =>
      transport.json("runComposition", {
        ...options,
        params: { id },
        body: input,
        headers: { "idempotency-key": idempotencyKey ?? newKey() },
        repeatable: true,
      }),
  };
}
