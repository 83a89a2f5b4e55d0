import type { FlowBody, FlowNode } from "@syla/contracts/flow";
import type { FlowConfig, FlowKind } from "@syla/contracts/flow-kinds";
import { bodyAt, type BodyPath, changeAt, withNode } from "./bodies.ts";

/** The graph with another label of a node. */
export function setLabel(body: FlowBody, id: string, label: string): FlowBody {
  return withNode(body, id, (node) => (node.label === label ? node : { ...node, label }));
}

/** The graph with another configuration of a node. Wires to an input or output that is called otherwise now stay. */
export function configure<Graph extends FlowBody>(graph: Graph, path: BodyPath, id: string, config: FlowConfig<FlowKind>): Graph {
  const before = bodyAt(graph, path)?.nodes.find((node) => node.id === id);
  if (before === undefined) return graph;
  const renamed = renamedInput(before, config);
  const inner = changeAt(graph, path, (body) => {
    const changed = withNode(body, id, (node) => ({ ...node, config }) as FlowNode);
    return renamed === undefined ? changed : renamePort(changed, "to", id, ...renamed);
  });
  const container = path.at(-1);
  if (container === undefined || (before.kind !== "input" && before.kind !== "output")) return inner;
  const name = "name" in config ? config.name : before.config.name;
  if (name === before.config.name) return inner;
  const end = before.kind === "input" ? "to" : "from";
  return changeAt(inner, path.slice(0, -1), (body) => renamePort(body, end, container, before.config.name, name));
}

function namesOf(config: object): readonly string[] {
  if (!("inputs" in config) || !Array.isArray(config.inputs)) return [];
  return config.inputs.map((input: string | { name: string }) => (typeof input === "string" ? input : input.name));
}

/** The one input that has another name: the old one and the new one. */
function renamedInput(before: FlowNode, config: object): [string, string] | undefined {
  const [old, now] = [namesOf(before.config), namesOf(config)];
  if (old.length !== now.length) return undefined;
  const changed = old.flatMap((name, index): [string, string][] => (now[index] === name ? [] : [[name, now[index] ?? name]]));
  return changed.length === 1 && !old.includes(changed[0]?.[1] ?? "") ? changed[0] : undefined;
}

function renamePort(body: FlowBody, end: "from" | "to", id: string, before: string, after: string): FlowBody {
  const edges = body.edges.map((edge) =>
    edge[end].node === id && edge[end].port === before ? { ...edge, [end]: { node: id, port: after } } : edge,
  );
  return { nodes: body.nodes, edges };
}
