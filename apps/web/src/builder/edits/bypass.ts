import type { FlowBody, FlowNode } from "@syla/contracts/flow";
import { mayBypass } from "@syla/flow/bypass";

/** The graph with some nodes passed over, or, when all that may be are, with none of them. */
export function toggleBypass(body: FlowBody, ids: ReadonlySet<string>): FlowBody {
  const able = body.nodes.filter((node) => ids.has(node.id) && mayBypass(node));
  if (able.length === 0) return body;
  const on = able.some(({ bypassed }) => bypassed !== true);
  const chosen = new Set(able.map(({ id }) => id));
  const nodes = body.nodes.map((node): FlowNode => {
    if (!chosen.has(node.id) || (node.bypassed === true) === on) return node;
    const { bypassed: _, ...rest } = node;
    return on ? { ...node, bypassed: true } : (rest as FlowNode);
  });
  return { nodes, edges: body.edges };
}
