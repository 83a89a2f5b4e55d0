import type { CanvasPresence } from "@syla/contracts/composition-live";
import type { FlowBody } from "@syla/contracts/flow";
import type { Point } from "../edits/move.ts";

const nowhere: ReadonlyMap<string, Point> = new Map();

/**
 * Where nodes are that are being moved, by their ids; the graph has them where they were. All are as far from there as the one that is held, so
 * they are where they lie as soon as the graph has it.
 */
export function draggedPlaces(body: FlowBody, drags: readonly NonNullable<CanvasPresence["drag"]>[]): ReadonlyMap<string, Point> {
  if (drags.length === 0) return nowhere;
  const places = new Map(body.nodes.map(({ id, position }) => [id, position]));
  return new Map(
    drags.flatMap(({ node, to, along }) => {
      const held = places.get(node);
      if (held === undefined) return [];
      return [node, ...along].flatMap((id): [string, Point][] => {
        const from = places.get(id);
        return from === undefined ? [] : [[id, { x: from.x + to.x - held.x, y: from.y + to.y - held.y }]];
      });
    }),
  );
}
