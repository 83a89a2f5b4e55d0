import type { FlowBody, FlowNode } from "@syla/contracts/flow";
import { type Added, addNode } from "./add.ts";
import { assumedSize, type Sizes } from "./move.ts";

const room = 24;
/** For its title. */
const head = 40;

/** The graph with a frame around some nodes. */
export function group(body: FlowBody, ids: ReadonlySet<string>, sizes: Sizes): Added {
  const chosen = body.nodes.filter(({ id }) => ids.has(id));
  if (chosen.length === 0) return { body, ids: [] };
  const boxes = chosen.map(({ id, position }) => ({ ...position, ...(sizes.get(id) ?? assumedSize) }));
  const [left, top] = [Math.min(...boxes.map(({ x }) => x)), Math.min(...boxes.map(({ y }) => y))];
  const [right, bottom] = [Math.max(...boxes.map(({ x, width }) => x + width)), Math.max(...boxes.map(({ y, height }) => y + height))];
  const frame: FlowNode = {
    id: "group",
    kind: "note",
    label: "Group",
    position: { x: left - room, y: top - room - head },
    config: { text: "", frame: { width: right - left + 2 * room, height: bottom - top + 2 * room + head } },
  };
  const added = addNode(body, frame);
  // Frames come first: what is drawn later lies above.
  const nodes = added.body.nodes;
  return { ids: added.ids, body: { nodes: [...nodes.slice(-1), ...nodes.slice(0, -1)], edges: body.edges } };
}
