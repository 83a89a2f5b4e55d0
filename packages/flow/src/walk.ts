import type { FlowBody, FlowNode } from "@syla/contracts/flow";

/** A node, and the nodes whose graphs lead to it, outermost first. */
export interface PlacedNode {
  path: readonly string[];
  node: FlowNode;
}

/** Every node of a graph and of the graphs within, each before what lies in it. */
export function* walkNodes(body: FlowBody, path: readonly string[] = []): Generator<PlacedNode> {
  for (const node of body.nodes) {
    yield { path, node };
    if (node.body !== undefined) yield* walkNodes(node.body, [...path, node.id]);
  }
}

/** The graph with every node changed, what lies in one before the node itself. */
export function mapNodes<Graph extends FlowBody>(
  graph: Graph,
  change: (node: FlowNode, path: readonly string[]) => FlowNode,
  path: readonly string[] = [],
): Graph {
  const nodes = graph.nodes.map((node) => {
    const inner = node.body === undefined ? node : { ...node, body: mapNodes(node.body, change, [...path, node.id]) };
    return change(inner, path);
  });
  return { ...graph, nodes };
}

/** The graph with the graph changed that a path leads to; the graph itself when it leads nowhere. */
export function mapBodyAt<Graph extends FlowBody>(graph: Graph, path: readonly string[], change: (body: FlowBody) => FlowBody): Graph {
  const [id, ...rest] = path;
  if (id === undefined) return { ...graph, ...change({ nodes: graph.nodes, edges: graph.edges }) };
  const nodes = graph.nodes.map((node) =>
    node.id === id && node.body !== undefined ? { ...node, body: mapBodyAt(node.body, rest, change) } : node,
  );
  return { ...graph, nodes };
}
