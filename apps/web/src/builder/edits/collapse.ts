import type { FlowBody, FlowEdge, FlowNode } from "@syla/contracts/flow";
import { findGuards } from "@syla/flow/guards";
import { indexBody } from "@syla/flow/order";
import { whenSkipped } from "@syla/flow/ports";
import { any, type FlowType, printType } from "@syla/flow/types";
import { type BodyFacts, factsOf, nodesAfter, nodesBefore, type PortEnd } from "../facts.ts";
import type { Added } from "./add.ts";
import { nodeIds, takeFresh } from "./fresh.ts";
import { cornerOf } from "./paste.ts";

const keyOf = ({ node, port }: PortEnd): string => `${node} ${port}`;
/** How far from the rest what goes in and comes out is drawn. */
const aside = 280;

/** What of a choice can become a module: inputs and outputs of the graph stay outside. */
function collapsible(body: FlowBody, ids: ReadonlySet<string>): Set<string> {
  return new Set(body.nodes.flatMap(({ id, kind }) => (ids.has(id) && kind !== "input" && kind !== "output" ? [id] : [])));
}

/** Why some nodes cannot become a module, in a sentence; undefined when they can. */
export function refusalToCollapse(body: FlowBody, ids: ReadonlySet<string>): string | undefined {
  const chosen = collapsible(body, ids);
  if (chosen.size === 0) return "Choose nodes that are no inputs or outputs of the graph.";
  const { index } = factsOf(body);
  const [before, after] = [new Set<string>(), new Set<string>()];
  for (const id of chosen) {
    for (const other of nodesBefore(index, id)) before.add(other);
    for (const other of nodesAfter(index, id)) after.add(other);
  }
  const between = body.nodes.find(({ id }) => !chosen.has(id) && before.has(id) && after.has(id));
  if (between === undefined) return undefined;
  return `${between.label === "" ? between.id : between.label} lies between them: the module would wait for itself.`;
}

/** The graph with some nodes within a module, which is called as what went into them and came out. */
export function collapse(body: FlowBody, ids: ReadonlySet<string>, label = "Module"): Added {
  const chosen = collapsible(body, ids);
  const within = body.nodes.filter(({ id }) => chosen.has(id));
  const incoming = body.edges.filter(({ from, to }) => !chosen.has(from.node) && chosen.has(to.node));
  const outgoing = body.edges.filter(({ from, to }) => chosen.has(from.node) && !chosen.has(to.node));
  const inside: FlowBody = { nodes: within, edges: body.edges.filter(({ from, to }) => chosen.has(from.node) && chosen.has(to.node)) };
  const module = { id: takeFresh(nodeIds(body), "module"), taken: nodeIds(inside), names: new Set<string>() };
  const corner = cornerOf({ ...inside, incoming: [] });
  const right = Math.max(...within.map(({ position }) => position.x));
  const facts = factsOf(body);

  const inputs = new Map<string, FlowNode & { kind: "input" }>();
  const innerEdges: FlowEdge[] = [...inside.edges];
  const outerEdges: FlowEdge[] = body.edges.filter(({ from, to }) => !chosen.has(from.node) && !chosen.has(to.node));
  for (const edge of incoming) {
    let input = inputs.get(keyOf(edge.from));
    if (input === undefined) {
      const name = takeFresh(module.names, edge.to.port, 100);
      const type = printType(typeOf(facts, edge.from));
      const place = { x: corner.x - aside, y: corner.y + inputs.size * 120 };
      input = {
        id: takeFresh(module.taken, `in_${inputs.size + 1}`),
        kind: "input",
        label: "",
        position: place,
        config: { name, type, description: "" },
      };
      inputs.set(keyOf(edge.from), input);
      outerEdges.push({ id: edge.id, from: edge.from, to: { node: module.id, port: name } });
    }
    innerEdges.push({ id: edge.id, from: { node: input.id, port: "value" }, to: edge.to });
  }

  const guards = findGuards(indexBody({ nodes: [...within, ...inputs.values()], edges: innerEdges }));
  const outputs = new Map<string, FlowNode & { kind: "output" }>();
  const outNames = new Set<string>();
  for (const edge of outgoing) {
    let output = outputs.get(keyOf(edge.from));
    if (output === undefined) {
      const name = takeFresh(outNames, edge.from.port, 100);
      const given = typeOf(facts, edge.from);
      const type = printType(guards.ofPort(edge.from.node, edge.from.port).length > 0 ? whenSkipped(given) : given);
      const place = { x: right + aside, y: corner.y + outputs.size * 120 };
      output = {
        id: takeFresh(module.taken, `out_${outputs.size + 1}`),
        kind: "output",
        label: "",
        position: place,
        config: { name, type, description: "" },
      };
      outputs.set(keyOf(edge.from), output);
      innerEdges.push({ id: edge.id, from: edge.from, to: { node: output.id, port: "value" } });
    }
    outerEdges.push({ id: edge.id, from: { node: module.id, port: output.config.name }, to: edge.to });
  }

  const node: FlowNode = {
    id: module.id,
    kind: "module",
    label,
    position: corner,
    config: {},
    body: { nodes: [...inputs.values(), ...within, ...outputs.values()], edges: innerEdges },
  };
  const others = body.nodes.filter(({ id }) => !chosen.has(id));
  return { body: { nodes: [...others, node], edges: outerEdges }, ids: [module.id] };
}

function typeOf(facts: BodyFacts, { node, port }: PortEnd): FlowType {
  const found = facts.index.nodes.get(node);
  return (found === undefined ? undefined : facts.outputs(found).find(({ name }) => name === port)?.type) ?? any;
}
