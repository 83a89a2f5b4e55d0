import type { FlowBody, FlowEdge, FlowGraph, FlowNode } from "@syla/contracts/flow";
import { withoutBypassed } from "./bypass.ts";
import { compareIds } from "./order.ts";
import { sha256 } from "./sha256.ts";

/** JSON with sorted keys: equal values give equal text. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => compareIds(a, b)));
  });
}

function compareEdges(a: FlowEdge, b: FlowEdge): number {
  return (
    compareIds(a.to.node, b.to.node) ||
    compareIds(a.to.port, b.to.port) ||
    compareIds(a.from.node, b.from.node) ||
    compareIds(a.from.port, b.from.port)
  );
}

/** What a graph does, without how it is drawn: no positions, no notes, nothing that is passed over, sorted, and edges named by their place. */
export function canonicalBody(given: FlowBody): FlowBody {
  const body = withoutBypassed(given);
  const nodes = body.nodes
    .filter(({ kind }) => kind !== "note")
    .map((node): FlowNode => {
      const still = { ...node, position: { x: 0, y: 0 } };
      return node.body === undefined ? still : { ...still, body: canonicalBody(node.body) };
    })
    .toSorted((a, b) => compareIds(a.id, b.id));
  const edges = body.edges.toSorted(compareEdges).map((edge, index) => ({ ...edge, id: `e${index}` }));
  return { nodes, edges };
}

/** The graph such that graphs that do the same, under the same names, are the same. */
export function canonicalGraph(graph: FlowGraph): FlowGraph {
  return { format: 1, name: graph.name, description: graph.description, viewport: { x: 0, y: 0, zoom: 1 }, ...canonicalBody(graph) };
}

/** SHA-256 of what a graph does. Moving, notes and the order in the document do not change it; labels do: code is named after them. */
export function hashGraph(graph: FlowGraph): string {
  return sha256(sortedJson(canonicalGraph(graph)));
}
