import type { FlowBody } from "@syla/contracts/flow";

/** The graph with new ids for all nodes and edges, in graphs within as well, so that it can lie beside what it is a copy of. */
export function renewIds<Graph extends FlowBody>(graph: Graph, newId: () => string): Graph {
  const ids = new Map(graph.nodes.map(({ id }) => [id, newId()]));
  const idOf = (id: string): string => ids.get(id) ?? id;
  return {
    ...graph,
    nodes: graph.nodes.map((node) => ({
      ...node,
      id: idOf(node.id),
      ...(node.body === undefined ? {} : { body: renewIds(node.body, newId) }),
    })),
    edges: graph.edges.map((edge) => ({
      id: newId(),
      from: { node: idOf(edge.from.node), port: edge.from.port },
      to: { node: idOf(edge.to.node), port: edge.to.port },
    })),
  };
}
