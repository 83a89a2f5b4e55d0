import type { FlowBody, FlowNode } from "@syla/contracts/flow";

/** The nodes whose graphs lead to the one that is meant, outermost first; of the composition itself empty. */
export type BodyPath = readonly string[];

/** The graph that a path leads to; undefined when there is none any more. */
export function bodyAt(graph: FlowBody, path: BodyPath): FlowBody | undefined {
  let body: FlowBody | undefined = graph;
  for (const id of path) body = body?.nodes.find((node) => node.id === id)?.body;
  return body;
}

/** The graph with one change in the graph that a path leads to; itself when nothing has changed. */
export function changeAt<Graph extends FlowBody>(graph: Graph, path: BodyPath, change: (body: FlowBody) => FlowBody): Graph {
  const [id, ...rest] = path;
  if (id === undefined) {
    const { nodes, edges } = change(graph);
    return nodes === graph.nodes && edges === graph.edges ? graph : { ...graph, nodes, edges };
  }
  return withNode(graph, id, (node) => {
    if (node.body === undefined) return node;
    const body = changeAt(node.body, rest, change);
    return body === node.body ? node : { ...node, body };
  });
}

/** The graph with one node replaced; itself when it is the same. */
export function withNode<Graph extends FlowBody>(graph: Graph, id: string, change: (node: FlowNode) => FlowNode): Graph {
  const at = graph.nodes.findIndex((node) => node.id === id);
  const before = graph.nodes[at];
  if (before === undefined) return graph;
  const after = change(before);
  return after === before ? graph : { ...graph, nodes: graph.nodes.with(at, after) };
}
