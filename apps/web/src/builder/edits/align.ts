import type { FlowBody } from "@syla/contracts/flow";
import { assumedSize, moveTo, type Point, type Sizes } from "./move.ts";

export const alignments = ["left", "center", "right", "top", "middle", "bottom", "across", "down"] as const;
/** `across` and `down` leave the same room between them. */
export type Alignment = (typeof alignments)[number];

interface Box {
  readonly id: string;
  readonly at: number;
  readonly length: number;
}

function place(boxes: readonly Box[], how: "start" | "middle" | "end" | "spread"): Map<string, number> {
  const start = Math.min(...boxes.map(({ at }) => at));
  const end = Math.max(...boxes.map(({ at, length }) => at + length));
  if (how !== "spread") {
    const share = how === "start" ? 0 : how === "middle" ? 0.5 : 1;
    return new Map(boxes.map(({ id, length }) => [id, start + (end - start - length) * share]));
  }
  const sorted = boxes.toSorted((a, b) => a.at - b.at);
  const filled = boxes.reduce((sum, { length }) => sum + length, 0);
  const gap = (end - start - filled) / Math.max(1, boxes.length - 1);
  const places = new Map<string, number>();
  let at = start;
  for (const { id, length } of sorted) {
    places.set(id, at);
    at += length + gap;
  }
  return places;
}

const ways = {
  left: ["x", "start"],
  center: ["x", "middle"],
  right: ["x", "end"],
  top: ["y", "start"],
  middle: ["y", "middle"],
  bottom: ["y", "end"],
  across: ["x", "spread"],
  down: ["y", "spread"],
} as const satisfies Record<Alignment, readonly ["x" | "y", "start" | "middle" | "end" | "spread"]>;

/** The graph with some nodes in line. */
export function align(body: FlowBody, ids: ReadonlySet<string>, sizes: Sizes, alignment: Alignment): FlowBody {
  const chosen = body.nodes.filter(({ id }) => ids.has(id));
  if (chosen.length < 2) return body;
  const [axis, how] = ways[alignment];
  const boxes = chosen.map(({ id, position }): Box => {
    const size = sizes.get(id) ?? assumedSize;
    return { id, at: position[axis], length: axis === "x" ? size.width : size.height };
  });
  const places = place(boxes, how);
  const moved = chosen.map(({ id, position }): [string, Point] => [id, { ...position, [axis]: places.get(id) ?? position[axis] }]);
  return moveTo(body, new Map(moved));
}
