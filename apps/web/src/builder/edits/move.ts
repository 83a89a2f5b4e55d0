import type { FlowBody, FlowNode } from "@syla/contracts/flow";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** How large nodes are drawn, by their ids. */
export type Sizes = ReadonlyMap<string, { readonly width: number; readonly height: number }>;

/** What is assumed of a node that was not drawn yet. */
export const assumedSize = { width: 200, height: 96 } as const;

/** The graph with nodes at other places; whole pixels, so that documents stay readable. */
export function moveTo(body: FlowBody, places: ReadonlyMap<string, Point>): FlowBody {
  let hasMoved = false;
  const nodes = body.nodes.map((node): FlowNode => {
    const place = places.get(node.id);
    if (place === undefined) return node;
    const position = { x: Math.round(place.x), y: Math.round(place.y) };
    if (position.x === node.position.x && position.y === node.position.y) return node;
    hasMoved = true;
    return { ...node, position };
  });
  return hasMoved ? { nodes, edges: body.edges } : body;
}

/** The graph with some nodes moved by as much. */
export function moveBy(body: FlowBody, ids: ReadonlySet<string>, by: Point): FlowBody {
  return moveTo(
    body,
    new Map(body.nodes.flatMap(({ id, position }) => (ids.has(id) ? [[id, { x: position.x + by.x, y: position.y + by.y }] as const] : []))),
  );
}

/** Some nodes together with what lies in those of them that are frames. */
export function withFramed(body: FlowBody, ids: ReadonlySet<string>, sizes: Sizes): Set<string> {
  const all = new Set(ids);
  for (const frame of body.nodes) {
    if (!ids.has(frame.id) || frame.kind !== "note" || frame.config.frame === undefined) continue;
    const { width, height } = frame.config.frame;
    for (const { id, position } of body.nodes) {
      const size = sizes.get(id) ?? assumedSize;
      const isInside =
        position.x >= frame.position.x &&
        position.y >= frame.position.y &&
        position.x + size.width <= frame.position.x + width &&
        position.y + size.height <= frame.position.y + height;
      if (isInside) all.add(id);
    }
  }
  return all;
}
