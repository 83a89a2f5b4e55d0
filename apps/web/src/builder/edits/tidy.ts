import { Graph, layout } from "@dagrejs/dagre";
import type { FlowBody } from "@syla/contracts/flow";
import { assumedSize, moveTo, type Point, type Sizes } from "./move.ts";

const gaps = { nodesep: 32, edgesep: 16, ranksep: 96 } as const;

/**
 * The graph laid out from left to right, so that wires lead one way; of some nodes only those, where they are. Notes and frames stay where
 * they are.
 */
export function tidy(body: FlowBody, ids: ReadonlySet<string>, sizes: Sizes): FlowBody {
  const chosen = body.nodes.filter(({ id, kind }) => kind !== "note" && (ids.size === 0 || ids.has(id)));
  if (chosen.length === 0) return body;
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", ...gaps });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of chosen) graph.setNode(id, { ...(sizes.get(id) ?? assumedSize) });
  for (const { from, to } of body.edges) if (graph.hasNode(from.node) && graph.hasNode(to.node)) graph.setEdge(from.node, to.node);
  layout(graph);
  const corner = (of: (point: Point) => number): number => Math.min(...chosen.map(({ position }) => of(position)));
  const placed = chosen.map(({ id }): [string, Point] => {
    const { x, y, width, height } = graph.node(id) as unknown as Point & { width: number; height: number };
    return [id, { x: x - width / 2, y: y - height / 2 }];
  });
  const [left, top] = [Math.min(...placed.map(([, { x }]) => x)), Math.min(...placed.map(([, { y }]) => y))];
  const [x0, y0] = [corner(({ x }) => x), corner(({ y }) => y)];
  return moveTo(body, new Map(placed.map(([id, { x, y }]) => [id, { x: x - left + x0, y: y - top + y0 }])));
}
