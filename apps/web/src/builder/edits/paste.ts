import type { FlowBody, FlowEdge, FlowNode } from "@syla/contracts/flow";
import type { Added } from "./add.ts";
import { edgeIds, nodeIds, takeFresh } from "./fresh.ts";
import type { Point } from "./move.ts";

/** Part of a graph as it is copied. */
export interface Clip {
  readonly nodes: readonly FlowNode[];
  readonly edges: readonly FlowEdge[];
  /** Wires from nodes that were not copied. */
  readonly incoming: readonly FlowEdge[];
}

/** Some nodes, the wires between them and those that lead to them. */
export function copy(body: FlowBody, ids: ReadonlySet<string>): Clip {
  return {
    nodes: body.nodes.filter(({ id }) => ids.has(id)),
    edges: body.edges.filter(({ from, to }) => ids.has(from.node) && ids.has(to.node)),
    incoming: body.edges.filter(({ from, to }) => !ids.has(from.node) && ids.has(to.node)),
  };
}

/** The upper left corner of what was copied. */
export function cornerOf({ nodes }: Clip): Point {
  return { x: Math.min(...nodes.map(({ position }) => position.x)), y: Math.min(...nodes.map(({ position }) => position.y)) };
}

/** The graph with a copy, under ids of its own, moved by as much. Wires from elsewhere are kept when they are wanted and still begin somewhere. */
export function paste(body: FlowBody, clip: Clip, by: Point, keepsIncoming: boolean): Added {
  const taken = nodeIds(body);
  const ids = new Map(clip.nodes.map(({ id }) => [id, takeFresh(taken, id)]));
  const names = {
    input: new Set(body.nodes.flatMap((node) => (node.kind === "input" ? [node.config.name] : []))),
    output: new Set(body.nodes.flatMap((node) => (node.kind === "output" ? [node.config.name] : []))),
  };
  const nodes = clip.nodes.map((node): FlowNode => {
    const id = ids.get(node.id) ?? node.id;
    const moved = { ...node, id, position: { x: Math.round(node.position.x + by.x), y: Math.round(node.position.y + by.y) } };
    if (moved.kind !== "input" && moved.kind !== "output") return moved;
    return { ...moved, config: { ...moved.config, name: takeFresh(names[moved.kind], moved.config.name, 100) } } as FlowNode;
  });
  const there = nodeIds(body);
  const kept = keepsIncoming ? clip.incoming.filter(({ from }) => there.has(from.node)) : [];
  const takenEdges = edgeIds(body);
  const edges = [...clip.edges, ...kept].map(({ from, to }): FlowEdge => ({
    id: takeFresh(takenEdges, "e"),
    from: { node: ids.get(from.node) ?? from.node, port: from.port },
    to: { node: ids.get(to.node) ?? to.node, port: to.port },
  }));
  return { body: { nodes: [...body.nodes, ...nodes], edges: [...body.edges, ...edges] }, ids: [...ids.values()] };
}

/** The graph with some nodes a second time, a little beside; wires into them are kept. */
export function duplicate(body: FlowBody, ids: ReadonlySet<string>): Added {
  return paste(body, copy(body, ids), { x: 32, y: 32 }, true);
}
