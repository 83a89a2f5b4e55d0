import type { FlowBody, FlowEdge, FlowNode } from "@syla/contracts/flow";
import { inputsOf } from "./ports.ts";
import type { FlowType } from "./types.ts";

/** What a node works with, not on. */
function isInner(type: FlowType): boolean {
  return type.kind === "model" || type.kind === "context" || (type.kind === "opaque" && type.name === "SamplingStrategy");
}

/** Whether a node may be passed over: it takes a value and gives one. */
export function mayBypass(node: FlowNode): boolean {
  return node.kind !== "output" && carries(node).length > 0;
}

function carries(node: FlowNode): string[] {
  return inputsOf(node).flatMap(({ name, type }) => (isInner(type) ? [] : [name]));
}

/**
 * The graph without the nodes that are passed over: whoever had their result gets what went into their first input that is connected. Edges
 * that lead to nothing then are left out. Of the graphs within nothing is changed.
 */
export function withoutBypassed(body: FlowBody): FlowBody {
  const passed = new Map(body.nodes.filter((node) => node.bypassed === true && mayBypass(node)).map((node) => [node.id, node]));
  if (passed.size === 0) return body;
  const given = new Map<string, FlowEdge["from"]>();
  for (const { from, to } of body.edges) if (passed.has(to.node)) given.set(`${to.node} ${to.port}`, from);
  const sourceOf = (from: FlowEdge["from"]): FlowEdge["from"] | undefined => {
    const seen = new Set<string>();
    for (let at: FlowEdge["from"] | undefined = from; at !== undefined;) {
      const node = passed.get(at.node);
      if (node === undefined) return at;
      if (seen.has(node.id)) return undefined;
      seen.add(node.id);
      at = carries(node)
        .map((name) => given.get(`${node.id} ${name}`))
        .find((each) => each !== undefined);
    }
    return undefined;
  };
  const edges = body.edges.flatMap((edge) => {
    if (passed.has(edge.to.node)) return [];
    const from = sourceOf(edge.from);
    return from === undefined ? [] : [{ ...edge, from }];
  });
  return { nodes: body.nodes.filter(({ id }) => !passed.has(id)), edges };
}
