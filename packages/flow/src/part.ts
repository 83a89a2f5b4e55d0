import type { FlowBody, FlowGraph, FlowNode } from "@syla/contracts/flow";

/** What is wanted of a graph, by the paths of nodes: ids with `/` between; turns are passed over. */
export interface Wish {
  /** Nothing behind this node. */
  until?: string | undefined;
  /** This node and what is behind it anew. */
  from?: string | undefined;
  /** This node anew, with kept results before it. */
  only?: string | undefined;
}

/** A part of a graph that can be run by itself. Paths are those of the hooks: without turns. */
export interface Part {
  graph: FlowGraph;
  /** Nodes that are run whatever is kept of them. */
  forced: string[];
  /** Nodes of which something has to be kept. */
  required: string[];
}

/** The path without the turns of what repeats. */
export function withoutTurns(path: string): string {
  return path.replaceAll(/\[\d+\]/g, "");
}

/** The nodes that a path leads through, outermost first; undefined when there is no such node. */
export function findPath(graph: FlowBody, path: string): FlowNode[] | undefined {
  const found: FlowNode[] = [];
  let body: FlowBody | undefined = graph;
  for (const id of withoutTurns(path).split("/")) {
    const node: FlowNode | undefined = body?.nodes.find((each) => each.id === id && each.kind !== "note");
    if (node === undefined) return undefined;
    found.push(node);
    body = node.body;
  }
  return found;
}

/** What is reached from a node, itself included. */
function reach(body: FlowBody, from: string, direction: "before" | "behind"): Set<string> {
  const next = new Map<string, string[]>();
  for (const edge of body.edges) {
    const [near, far] = direction === "behind" ? [edge.from.node, edge.to.node] : [edge.to.node, edge.from.node];
    next.set(near, [...(next.get(near) ?? []), far]);
  }
  const reached = new Set([from]);
  // The set grows while it is gone through.
  for (const id of reached) for (const far of next.get(id) ?? []) reached.add(far);
  return reached;
}

function pathsWithin(node: FlowNode, path: string): string[] {
  return [path, ...(node.body?.nodes.flatMap((inner) => pathsWithin(inner, `${path}/${inner.id}`)) ?? [])];
}

/** A node with all that is behind it in its graph, and the nodes that it lies in with all that is behind those. */
function behind(graph: FlowBody, nodes: readonly FlowNode[]): string[] {
  let body: FlowBody = graph;
  let path = "";
  const forced: string[] = [];
  for (const [index, node] of nodes.entries()) {
    const reached = reach(body, node.id, "behind");
    const isLast = index === nodes.length - 1;
    for (const other of body.nodes) {
      if (!reached.has(other.id)) continue;
      const own = `${path}${other.id}`;
      forced.push(...(other.id === node.id && !isLast ? [own] : pathsWithin(other, own)));
    }
    path = `${path}${node.id}/`;
    body = node.body ?? { nodes: [], edges: [] };
  }
  return forced;
}

function prune(graph: FlowGraph, kept: ReadonlySet<string>): FlowGraph {
  return {
    ...graph,
    nodes: graph.nodes.filter(({ id }) => kept.has(id)),
    edges: graph.edges.filter(({ from, to }) => kept.has(from.node) && kept.has(to.node)),
  };
}

/**
 * What is to be run of a graph. A node within another stands for that one where something is left out: a graph within runs as a whole.
 * Undefined when there is no such node.
 */
export function partOf(graph: FlowGraph, { until, from, only }: Wish): Part | undefined {
  const last = only ?? until;
  const ends = last === undefined ? undefined : findPath(graph, last);
  const begins = from === undefined ? undefined : findPath(graph, from);
  if ((last !== undefined && ends === undefined) || (from !== undefined && begins === undefined)) return undefined;
  const [end] = ends ?? [];
  const part = end === undefined ? graph : prune(graph, reach(graph, end.id, "before"));
  const forced = begins === undefined ? [] : behind(graph, begins);
  if (only === undefined || ends === undefined || end === undefined) return { graph: part, forced, required: [] };
  const paths = ends.map((_, index) =>
    ends
      .slice(0, index + 1)
      .map(({ id }) => id)
      .join("/"),
  );
  return { graph: part, forced: paths, required: part.nodes.filter(({ id }) => id !== end.id).map(({ id }) => id) };
}
