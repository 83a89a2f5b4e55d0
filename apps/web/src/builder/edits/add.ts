import type { FlowBody, FlowNode } from "@syla/contracts/flow";
import type { PortEnd } from "../facts.ts";
import { connect, firstFit } from "./connect.ts";
import { nodeIds, takeFresh } from "./fresh.ts";

/** A graph after something was added, and what was. */
export interface Added {
  readonly body: FlowBody;
  readonly ids: readonly string[];
}

/** The name of an input, output or argument that no other of its kind has. */
function withFreshName(body: FlowBody, node: FlowNode): FlowNode {
  if (node.kind !== "input" && node.kind !== "output") return node;
  const taken = new Set(body.nodes.flatMap((other) => (other.kind === node.kind && "name" in other.config ? [other.config.name] : [])));
  return { ...node, config: { ...node.config, name: takeFresh(taken, node.config.name, 100) } } as FlowNode;
}

/** The graph with a node, under an id of its own. */
export function addNode(body: FlowBody, node: FlowNode): Added {
  const id = takeFresh(nodeIds(body), node.id);
  return { body: { nodes: [...body.nodes, withFreshName(body, { ...node, id })], edges: body.edges }, ids: [id] };
}

/** The same with a wire to the port where one was begun, as far as something fits. */
export function addConnected(body: FlowBody, node: FlowNode, end: PortEnd, side: "output" | "input"): Added {
  const added = addNode(body, node);
  const wire = firstFit(added.body, end, side, added.ids[0] ?? "");
  return wire === undefined ? added : { ...added, body: connect(added.body, wire) };
}
