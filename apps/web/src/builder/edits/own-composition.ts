import type { FlowBody, FlowEdge, FlowGraph, FlowNode } from "@syla/contracts/flow";
import { collapse } from "./collapse.ts";
import { nodeIds, takeFresh } from "./fresh.ts";

/** What some nodes would be as a composition of their own. */
export interface ModuleDraft {
  /** The graph with a module in their place. */
  readonly body: FlowBody;
  /** The module in it. */
  readonly id: string;
  /** What lies in it: the graph of the new composition. */
  readonly graph: FlowGraph;
  /** Models and samplers that others ask as well: the module has copies. */
  readonly copied: readonly FlowNode[];
}

/** What exists only inside a composition, so that it cannot be handed to another: it comes along. */
function comesAlong({ kind }: FlowNode): boolean {
  return kind === "model" || kind === "sampler";
}

/** Models and samplers belong to what asks them: within where only that asks them, copied where others do as well. */
function takeAlong(body: FlowBody, ids: ReadonlySet<string>) {
  const [chosen, taken] = [new Set(ids), nodeIds(body)];
  const copies = new Map<string, FlowNode>();
  const copied: FlowNode[] = [];
  for (const node of body.nodes) {
    if (!comesAlong(node)) continue;
    const askers = body.edges.flatMap(({ from, to }) => (from.node === node.id ? [ids.has(to.node)] : []));
    if (askers.length === 0) continue;
    if (askers.every(Boolean)) chosen.add(node.id);
    else chosen.delete(node.id);
    if (!askers.some(Boolean) || askers.every(Boolean)) continue;
    const copy = { ...node, id: takeFresh(taken, node.id) };
    copies.set(node.id, copy);
    copied.push(node);
    chosen.add(copy.id);
  }
  const edges = body.edges.map((edge): FlowEdge => {
    const copy = copies.get(edge.from.node);
    return copy === undefined || !ids.has(edge.to.node) ? edge : { ...edge, from: { ...edge.from, node: copy.id } };
  });
  return { body: { nodes: [...body.nodes, ...copies.values()], edges }, chosen, copied };
}

function graphOf(name: string, { nodes, edges }: FlowBody): FlowGraph {
  return { format: 1, name, description: "", viewport: { x: 0, y: 0, zoom: 1 }, nodes, edges };
}

/** Some nodes as a composition of their own; what leads into them and out of them becomes what goes in and comes out. */
export function draftModule(given: FlowBody, ids: ReadonlySet<string>, name: string): ModuleDraft {
  const { body, chosen, copied } = takeAlong(given, ids);
  const collapsed = collapse(body, chosen, name);
  const id = collapsed.ids[0] ?? "";
  const inner = collapsed.body.nodes.find((node) => node.id === id)?.body ?? { nodes: [], edges: [] };
  return { body: collapsed.body, id, graph: graphOf(name, inner), copied };
}

/** The same of a module that is there already and is from nowhere; undefined where there is none. */
export function draftOfModule(body: FlowBody, id: string, name: string): ModuleDraft | undefined {
  const node = body.nodes.find((each) => each.id === id);
  if (node?.kind !== "module" || node.body === undefined) return undefined;
  return { body, id, graph: graphOf(name, node.body), copied: [] };
}

/** The graph with a module that knows where in the catalog it is from. */
export function adoptModule(
  { body, id }: Pick<ModuleDraft, "body" | "id">,
  origin: { readonly id: string; readonly version: string | null; readonly graph: FlowBody },
): FlowBody {
  const { nodes, edges } = origin.graph;
  const composition = { id: origin.id, ...(origin.version === null ? {} : { version: origin.version }) };
  return {
    nodes: body.nodes.map((node) =>
      node.id === id && node.kind === "module" ? { ...node, config: { composition }, body: { nodes, edges } } : node,
    ),
    edges: body.edges,
  };
}
