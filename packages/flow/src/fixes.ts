import type { FlowBody, FlowNode } from "@syla/contracts/flow";
import type { FlowFix, FlowProblem } from "./problems.ts";
import { withoutReference } from "./references.ts";
import { replaceNode } from "./replace-node.ts";

/** A graph of which nothing is known but that a problem was found in it. */
type Loose = Pick<FlowBody, "nodes" | "edges">;
/** A fix that needs nothing but the graph. */
type PlainFix = Exclude<FlowFix, { action: "update_module" }>;

/**
 * The graph with a problem's fix made, as a new object; the graph itself when the problem has none. A module is updated by `updateModule`, which
 * needs its other version.
 */
export function applyFix<Graph extends Loose>(graph: Graph, problem: Pick<FlowProblem, "path" | "fix">): Graph {
  const { fix } = problem;
  return fix === undefined || fix.action === "update_module" ? graph : { ...graph, ...changeAt(graph, problem.path, fix) };
}

function changeAt(body: Loose, path: readonly string[], fix: PlainFix): Loose {
  const [id, ...rest] = path;
  if (id === undefined) return change(body, fix);
  const nodes = body.nodes.map((node) =>
    node.id === id && node.body !== undefined ? { ...node, body: { ...node.body, ...changeAt(node.body, rest, fix) } } : node,
  );
  return { nodes, edges: body.edges };
}

function change({ nodes, edges }: Loose, fix: PlainFix): Loose {
  switch (fix.action) {
    case "remove_node":
      return {
        nodes: nodes.filter(({ id }) => id !== fix.node),
        edges: edges.filter(({ from, to }) => from.node !== fix.node && to.node !== fix.node),
      };
    case "remove_edge":
      return { nodes, edges: edges.filter(({ id }) => id !== fix.edge) };
    case "set_label":
      return { nodes: nodes.map((node) => (node.id === fix.node ? { ...node, label: fix.label } : node)), edges };
    case "set_id":
      return { nodes: nodes.map((node, index) => (index === fix.index ? { ...node, id: fix.id } : node)), edges };
    case "set_type":
      return {
        nodes: nodes.map((node) => (node.id === fix.node ? { ...node, config: { ...node.config, type: fix.type } } : node) as FlowNode),
        edges,
      };
    case "set_config": {
      const node = nodes.find(({ id }) => id === fix.node);
      return node === undefined ? { nodes, edges } : replaceNode({ nodes, edges }, [], { ...node, config: fix.config } as FlowNode).graph;
    }
    case "detach_module":
      return { nodes: nodes.map((node) => (node.id === fix.node ? withoutReference(node) : node)), edges };
  }
}
