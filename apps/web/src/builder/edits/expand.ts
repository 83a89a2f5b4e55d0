import type { FlowBody, FlowEdge, FlowNode } from "@syla/contracts/flow";
import type { PortEnd } from "../facts.ts";
import type { Added } from "./add.ts";
import { edgeIds, nodeIds, takeFresh } from "./fresh.ts";
import { cornerOf } from "./paste.ts";

/** The graph with what a module holds in its place; the graph itself when the node is no module. */
export function expand(body: FlowBody, id: string): Added {
  const module = body.nodes.find((node) => node.id === id);
  if (module?.kind !== "module" || module.body === undefined) return { body, ids: [] };
  const inner = module.body;
  const within = inner.nodes.filter(({ kind }) => kind !== "input" && kind !== "output");
  const others = body.nodes.filter((node) => node.id !== id);
  const taken = nodeIds({ nodes: others, edges: [] });
  const ids = new Map(within.map((node) => [node.id, takeFresh(taken, node.id)]));
  const corner = within.length === 0 ? module.position : cornerOf({ nodes: within, edges: [], incoming: [] });
  const moved = within.map((node): FlowNode => ({
    ...node,
    id: ids.get(node.id) ?? node.id,
    position: { x: node.position.x - corner.x + module.position.x, y: node.position.y - corner.y + module.position.y },
  }));

  const given = new Map(body.edges.flatMap(({ from, to }) => (to.node === id ? [[to.port, from] as const] : [])));
  const inputs = new Map(inner.nodes.flatMap((node) => (node.kind === "input" ? [[node.id, node.config.name] as const] : [])));
  const outputs = new Map(inner.nodes.flatMap((node) => (node.kind === "output" ? [[node.id, node.config.name] as const] : [])));
  /** Where what leaves a port within comes from, seen from outside. */
  const sourceOf = (from: PortEnd): PortEnd | undefined => {
    const name = inputs.get(from.node);
    return name === undefined ? { node: ids.get(from.node) ?? from.node, port: from.port } : given.get(name);
  };
  const takenEdges = edgeIds(body);
  const wire = (from: PortEnd | undefined, to: PortEnd): FlowEdge[] =>
    from === undefined ? [] : [{ id: takeFresh(takenEdges, "e"), from: { ...from }, to: { ...to } }];

  const results = new Map<string, PortEnd>();
  const edges: FlowEdge[] = body.edges.filter(({ from, to }) => from.node !== id && to.node !== id);
  for (const { from, to } of inner.edges) {
    const name = outputs.get(to.node);
    const source = sourceOf(from);
    if (name === undefined) edges.push(...wire(source, { node: ids.get(to.node) ?? to.node, port: to.port }));
    else if (source !== undefined) results.set(name, source);
  }
  for (const { from, to } of body.edges) if (from.node === id && to.node !== id) edges.push(...wire(results.get(from.port), to));
  return { body: { nodes: [...others, ...moved], edges }, ids: [...ids.values()] };
}
