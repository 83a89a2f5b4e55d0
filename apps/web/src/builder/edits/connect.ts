import type { FlowBody, FlowNode } from "@syla/contracts/flow";
import { refusalOf } from "@syla/flow/assignable";
import { type BodyFacts, factsOf, nodesAfter, nodesBefore, type PortEnd, type Wire } from "../facts.ts";
import { edgeIds, takeFresh } from "./fresh.ts";

/** Why a wire may not be drawn, in a sentence; undefined when it may. */
export function refusalToConnect(body: FlowBody, wire: Wire): string | undefined {
  const facts = factsOf(body);
  const [from, to] = [facts.index.nodes.get(wire.from.node), facts.index.nodes.get(wire.to.node)];
  if (from === undefined || to === undefined) return "The node is not there any more.";
  return refusalOfPorts(facts, from, wire.from.port, to, wire.to.port) ?? refusalOfCycle(facts, wire);
}

function refusalOfPorts(facts: BodyFacts, from: FlowNode, output: string, to: FlowNode, input: string): string | undefined {
  const given = facts.outputs(from).find(({ name }) => name === output);
  const wanted = facts.inputs(to).find(({ name }) => name === input);
  if (given === undefined || wanted === undefined) return "There is no such port.";
  const reason = refusalOf(given.type, wanted.type);
  return reason === undefined ? undefined : `It does not fit: ${reason}.`;
}

const cycle = "The nodes would wait for each other. Repeat with a loop instead.";

function refusalOfCycle({ index }: BodyFacts, { from, to }: Wire): string | undefined {
  return from.node === to.node || nodesBefore(index, from.node).has(to.node) ? cycle : undefined;
}

/** A port where a wire could end, and why it may not; undefined when it may. */
export interface Candidate extends PortEnd {
  readonly refusal: string | undefined;
}

/** Every port where a wire that begins at a port could end. */
export function candidatesFor(body: FlowBody, end: PortEnd, side: "output" | "input"): Candidate[] {
  const facts = factsOf(body);
  const node = facts.index.nodes.get(end.node);
  if (node === undefined) return [];
  const around = side === "output" ? nodesBefore(facts.index, end.node) : nodesAfter(facts.index, end.node);
  return body.nodes.flatMap((other) =>
    (side === "output" ? facts.inputs(other) : facts.outputs(other)).map(({ name }): Candidate => {
      const refusal =
        side === "output" ? refusalOfPorts(facts, node, end.port, other, name) : refusalOfPorts(facts, other, name, node, end.port);
      return { node: other.id, port: name, refusal: refusal ?? (around.has(other.id) ? cycle : undefined) };
    }),
  );
}

/** The graph with a wire. An input takes one: what went into it before does so no more. */
export function connect(body: FlowBody, { from, to }: Wire): FlowBody {
  const others = body.edges.filter((edge) => edge.to.node !== to.node || edge.to.port !== to.port);
  const id = takeFresh(edgeIds(body), "e");
  return { nodes: body.nodes, edges: [...others, { id, from: { ...from }, to: { ...to } }] };
}

/** The first way to connect a new node with a port where a wire begins; undefined when none fits. */
export function firstFit(body: FlowBody, end: PortEnd, side: "output" | "input", id: string): Wire | undefined {
  const found = candidatesFor(body, end, side).find(({ node, refusal }) => node === id && refusal === undefined);
  if (found === undefined) return undefined;
  const other = { node: found.node, port: found.port };
  return side === "output" ? { from: end, to: other } : { from: other, to: end };
}
