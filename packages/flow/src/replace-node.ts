import type { FlowBody, FlowEdge, FlowNode } from "@syla/contracts/flow";
import { checkBody } from "./check-body.ts";
import { mapBodyAt } from "./walk.ts";

/** A graph in which a node was replaced, and the edges that did not fit any more. */
export interface Replaced<Graph extends FlowBody> {
  graph: Graph;
  removed: FlowEdge[];
}

/**
 * Puts a node in place of the one of the same id, in the graph that a path leads to. Its edges stay where the node still has their port, and
 * what goes through them still fits.
 */
export function replaceNode<Graph extends FlowBody>(graph: Graph, path: readonly string[], node: FlowNode): Replaced<Graph> {
  let removed: FlowEdge[] = [];
  const next = mapBodyAt(graph, path, (body) => {
    const changed = { nodes: body.nodes.map((other) => (other.id === node.id ? node : other)), edges: body.edges };
    const before = unfit(body, node.id);
    const now = unfit(changed, node.id);
    removed = changed.edges.filter(({ id }) => now.has(id) && !before.has(id));
    return { ...changed, edges: changed.edges.filter(({ id }) => !now.has(id) || before.has(id)) };
  });
  return { graph: next, removed };
}

/** The edges of a node that do not fit where they end or begin. */
function unfit(body: FlowBody, node: string): Set<string> {
  const own = new Set(body.edges.filter(({ from, to }) => from.node === node || to.node === node).map(({ id }) => id));
  const wrong = checkBody(body, []).flatMap(({ code, path, edge }) =>
    path.length === 0 && edge !== undefined && (code === "unknown_port" || code === "type_mismatch") ? [edge] : [],
  );
  return new Set(wrong.filter((edge) => own.has(edge)));
}

/** Puts another version of the composition that a module was taken from in place of the module's graph. */
export function updateModule<Graph extends FlowBody>(
  graph: Graph,
  { path, node: id }: { path: readonly string[]; node: string },
  origin: { id: string; version: string; graph: FlowBody },
): Replaced<Graph> {
  let found: FlowNode | undefined;
  mapBodyAt(graph, path, (body) => {
    found = body.nodes.find((node) => node.id === id);
    return body;
  });
  if (found?.kind !== "module") return { graph, removed: [] };
  const { nodes, edges } = origin.graph;
  const config = { composition: { id: origin.id, version: origin.version } };
  return replaceNode(graph, path, { ...found, config, body: { nodes, edges } });
}
