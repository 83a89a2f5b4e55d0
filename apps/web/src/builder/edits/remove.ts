import type { FlowBody } from "@syla/contracts/flow";

/** The graph without some nodes, what is wired to them, and some edges. */
export function remove(body: FlowBody, nodes: ReadonlySet<string>, edges: ReadonlySet<string> = new Set()): FlowBody {
  return {
    nodes: body.nodes.filter(({ id }) => !nodes.has(id)),
    edges: body.edges.filter(({ id, from, to }) => !edges.has(id) && !nodes.has(from.node) && !nodes.has(to.node)),
  };
}
