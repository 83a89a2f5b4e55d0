import type { FlowBody, FlowNode } from "@syla/contracts/flow";
import { typesOf } from "@syla/flow/check-body";
import { type FlowIndex, indexBody } from "@syla/flow/order";
import { type FlowPort, inputsOf, outputsOf } from "@syla/flow/ports";
import { any, type FlowType } from "@syla/flow/types";

/** One end of a wire. */
export interface PortEnd {
  readonly node: string;
  readonly port: string;
}

/** A wire that is, or could be. */
export interface Wire {
  readonly from: PortEnd;
  readonly to: PortEnd;
}

/** What is asked about a graph while it is edited; worked out once for each state of it. */
export interface BodyFacts {
  readonly index: FlowIndex;
  readonly inputs: (node: FlowNode) => readonly FlowPort[];
  /** With the types that they have because of what is connected. */
  readonly outputs: (node: FlowNode) => readonly FlowPort[];
}

const known = new WeakMap<FlowBody, BodyFacts>();
const inputsOfNodes = new WeakMap<FlowNode, readonly FlowPort[]>();

function knownInputs(node: FlowNode): readonly FlowPort[] {
  const found = inputsOfNodes.get(node) ?? inputsOf(node);
  inputsOfNodes.set(node, found);
  return found;
}

/** What is known of a graph. */
export function factsOf(body: FlowBody): BodyFacts {
  const found = known.get(body);
  if (found !== undefined) return found;
  const index = indexBody(body);
  const types = typesOf(index);
  const outputs = new Map<string, readonly FlowPort[]>();
  const facts: BodyFacts = {
    index,
    inputs: knownInputs,
    outputs: (node) => {
      const before = outputs.get(node.id);
      if (before !== undefined) return before;
      const ofNode = types.get(node.id) ?? new Map<string, FlowType>();
      const ports = outputsOf(node, new Map()).map((port) => ({ ...port, type: ofNode.get(port.name) ?? any }));
      outputs.set(node.id, ports);
      return ports;
    },
  };
  known.set(body, facts);
  return facts;
}

/** The nodes from which one gets something, itself included. */
export function nodesBefore({ into }: FlowIndex, id: string): Set<string> {
  return reach(id, (at) => (into.get(at) ?? []).map(({ from }) => from.node));
}

/** The nodes that get something from one, itself included. */
export function nodesAfter({ outOf }: FlowIndex, id: string): Set<string> {
  return reach(id, (at) => (outOf.get(at) ?? []).map(({ to }) => to.node));
}

function reach(start: string, next: (id: string) => readonly string[]): Set<string> {
  const seen = new Set([start]);
  const queue = [start];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const other of next(id)) {
      if (seen.has(other)) continue;
      seen.add(other);
      queue.push(other);
    }
  }
  return seen;
}
