import type { FlowBody } from "@syla/contracts/flow";
import { assumedSize, type Sizes } from "./edits/move.ts";

export type Direction = "left" | "right" | "up" | "down";

/** The node that lies nearest in a direction; undefined when there is none. */
export function neighbour(body: FlowBody, sizes: Sizes, id: string, direction: Direction): string | undefined {
  const middle = (node: FlowBody["nodes"][number]) => {
    const { width, height } = sizes.get(node.id) ?? assumedSize;
    return { x: node.position.x + width / 2, y: node.position.y + height / 2 };
  };
  const here = body.nodes.find((node) => node.id === id);
  if (here === undefined) return undefined;
  const from = middle(here);
  const sign = direction === "left" || direction === "up" ? -1 : 1;
  let best: { readonly id: string; readonly distance: number } | undefined;
  for (const node of body.nodes) {
    if (node.id === id) continue;
    const { x, y } = middle(node);
    const [along, aside] = direction === "left" || direction === "right" ? [x - from.x, y - from.y] : [y - from.y, x - from.x];
    if (along * sign <= 0) continue;
    // What lies straight ahead is nearer than what lies aside.
    const distance = along * sign + 2 * Math.abs(aside);
    if (best === undefined || distance < best.distance) best = { id: node.id, distance };
  }
  return best?.id;
}
