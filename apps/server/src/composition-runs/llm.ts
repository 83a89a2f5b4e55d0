import type { LlmTotals } from "@syla/contracts/models";
import { addLlm, outerPath, type NodeLlm } from "@syla/contracts/node-runs";

type Called = readonly { readonly path: string | null; readonly total: LlmTotals }[];

function toNodeLlm({ estimates: _estimates, ...llm }: LlmTotals): NodeLlm {
  return llm;
}

/** What nodes called, by the paths that the calls name. */
export function llmByPath(called: Called): Map<string, NodeLlm> {
  return new Map(called.flatMap(({ path, total }) => (path === null ? [] : [[path, toNodeLlm(total)] as const])));
}

/**
 * The same for nodes that there are. A call of a node that is not shown, a turn too many, is one of what that lies in; calls that name no node, or one
 * that nobody knows, are of none.
 */
export function assignLlm(
  called: Called,
  known: ReadonlySet<string>,
): { readonly of: Map<string, NodeLlm>; readonly ofNoNode: NodeLlm | null } {
  const of = new Map<string, NodeLlm>();
  let ofNoNode: NodeLlm | null = null;
  for (const { path, total } of called) {
    let at = path;
    while (at !== null && !known.has(at)) at = outerPath(at);
    const llm = addLlm(at === null ? ofNoNode : (of.get(at) ?? null), toNodeLlm(total));
    if (at === null) ofNoNode = llm;
    else if (llm !== null) of.set(at, llm);
  }
  return { of, ofNoNode };
}
