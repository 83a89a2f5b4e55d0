import type { FlowBody, FlowNode } from "@syla/contracts/flow";

/** A node, and the ids that lead to it with `/` between. */
export interface PlacedNode {
  readonly node: FlowNode;
  readonly path: string;
}

/** Every node of a graph and of those within. */
export function nodesOf(body: FlowBody, path = ""): PlacedNode[] {
  return body.nodes.flatMap((node) => {
    const own = `${path}${node.id}`;
    return [{ node, path: own }, ...(node.body === undefined ? [] : nodesOf(node.body, `${own}/`))];
  });
}

/** The same graph with some nodes changed. */
export function mapNodes<Body extends FlowBody>(body: Body, change: (node: FlowNode) => FlowNode): Body {
  const nodes = body.nodes.map((node): FlowNode => {
    const changed = change(node);
    return changed.body === undefined ? changed : { ...changed, body: mapNodes(changed.body, change) };
  });
  return { ...body, nodes };
}
