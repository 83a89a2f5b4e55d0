import type { FlowBody, FlowNode } from "@syla/contracts/flow";
import { canonicalBody, sortedJson } from "./canonical.ts";
import { nodeKey } from "./node-key.ts";
import { indexBody } from "./order.ts";
import { sha256 } from "./sha256.ts";

/**
 * What a graph asks of each of its nodes, by their paths: SHA-256 of what the node does and of what is asked of all that it gets something from.
 * While it is equal, a result that was made says what would be made now. Nodes that never run (passed over, on a cycle or behind one) are not among
 * them. `digests`: what the programs and models that it names are made of, by their ids.
 */
export function askedOf(graph: FlowBody, digests: ReadonlyMap<string, string>): Map<string, string> {
  const asked = new Map<string, string>();
  askOf(canonicalBody(graph), "", "", digests, asked);
  return asked;
}

/** `given`: what its inputs are asked from. */
function askOf(body: FlowBody, path: string, given: string, digests: ReadonlyMap<string, string>, asked: Map<string, string>): void {
  const { order, into } = indexBody(body);
  for (const node of order) {
    const at = `${path}${node.id}`;
    const wires = (into.get(node.id) ?? []).map(({ from, to }) => [to.port, from.port, asked.get(`${path}${from.node}`)]);
    const ask = sha256(sortedJson([nodeKey(node, digests), wires, node.kind === "input" ? given : ""]));
    asked.set(at, ask);
    if (node.body !== undefined) askOf(node.body, `${at}/`, goesRound(node) ? ask : sha256(sortedJson(wires)), digests, asked);
  }
}

/** Whether what comes out of the graph within goes into it again. */
function goesRound({ kind }: FlowNode): boolean {
  return kind === "loop" || kind === "ivr";
}
