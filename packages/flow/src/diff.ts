import type { FlowBody, FlowEdge, FlowNode } from "@syla/contracts/flow";
import { sortedJson } from "./canonical.ts";

interface Change {
  /** The nodes whose graphs lead to this one, outermost first. */
  path: readonly string[];
}
/** What happened to one node. `fields` are `label`, `kind`, `bypassed`, `onError` and the names within its configuration, as `config.prompt`. */
export type NodeChange = Change & { node: string } & ({ change: "added" | "removed" | "moved" } | { change: "changed"; fields: string[] });
/** What happened to one edge, which is told by its ends: an edge that was drawn again is the same. */
export type EdgeChange = Change & { change: "added" | "removed"; from: FlowEdge["from"]; to: FlowEdge["to"] };
export interface FlowDiff {
  nodes: NodeChange[];
  edges: EdgeChange[];
}

function endsOf({ from, to }: FlowEdge): string {
  return sortedJson([from.node, from.port, to.node, to.port]);
}

function changedFields(before: FlowNode, after: FlowNode): string[] {
  const fields: string[] = [];
  if (before.kind !== after.kind) fields.push("kind");
  if (before.label !== after.label) fields.push("label");
  if (before.bypassed !== after.bypassed) fields.push("bypassed");
  if (sortedJson([before.onError]) !== sortedJson([after.onError])) fields.push("onError");
  const [old, now] = [new Map(Object.entries(before.config)), new Map(Object.entries(after.config))];
  for (const name of new Set([...old.keys(), ...now.keys()])) {
    if (sortedJson([old.get(name)]) !== sortedJson([now.get(name)])) fields.push(`config.${name}`);
  }
  return fields;
}

function compareNodes(before: FlowNode | undefined, after: FlowNode, path: readonly string[], diff: FlowDiff): void {
  const at = { path, node: after.id };
  if (before === undefined) {
    diff.nodes.push({ ...at, change: "added" });
    return;
  }
  const fields = changedFields(before, after);
  if (fields.length > 0) diff.nodes.push({ ...at, change: "changed", fields });
  if (before.position.x !== after.position.x || before.position.y !== after.position.y) diff.nodes.push({ ...at, change: "moved" });
  const empty = { nodes: [], edges: [] };
  if (before.body !== undefined || after.body !== undefined) compare(before.body ?? empty, after.body ?? empty, [...path, after.id], diff);
}

function compare(before: FlowBody, after: FlowBody, path: readonly string[], diff: FlowDiff): void {
  const old = new Map(before.nodes.map((node) => [node.id, node]));
  const now = new Set(after.nodes.map(({ id }) => id));
  for (const { id } of before.nodes) if (!now.has(id)) diff.nodes.push({ path, node: id, change: "removed" });
  for (const node of after.nodes) compareNodes(old.get(node.id), node, path, diff);
  const oldEdges = new Set(before.edges.map(endsOf));
  const nowEdges = new Set(after.edges.map(endsOf));
  for (const edge of before.edges)
    if (!nowEdges.has(endsOf(edge))) diff.edges.push({ path, change: "removed", from: edge.from, to: edge.to });
  for (const edge of after.edges) if (!oldEdges.has(endsOf(edge))) diff.edges.push({ path, change: "added", from: edge.from, to: edge.to });
}

/** What leads from one graph to the other, graphs within included. Nodes are the same when they have the same id. */
export function diffGraphs(before: FlowBody, after: FlowBody): FlowDiff {
  const diff: FlowDiff = { nodes: [], edges: [] };
  compare(before, after, [], diff);
  return diff;
}
