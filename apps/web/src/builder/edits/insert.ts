import type { FlowBody, FlowNode } from "@syla/contracts/flow";
import { type Added, addNode } from "./add.ts";
import { connect, firstFit } from "./connect.ts";

/** The graph with a node in the middle of a wire: what came by the wire goes into it, and comes out of it to where the wire led. Undefined: it does not fit. */
export function insertInto(body: FlowBody, node: FlowNode, edge: string): Added | undefined {
  const wire = body.edges.find(({ id }) => id === edge);
  const added = addNode(body, node);
  const [id = ""] = added.ids;
  const first = wire === undefined ? undefined : firstFit(added.body, wire.from, "output", id);
  if (wire === undefined || first === undefined) return undefined;
  const begun = connect(added.body, first);
  const second = firstFit(begun, wire.to, "input", id);
  return second === undefined ? undefined : { ...added, body: connect(begun, second) };
}
