import type { FlowBody, FlowOnError } from "@syla/contracts/flow";
import { withNode } from "./bodies.ts";

/** The graph with what a node does when it fails; null: the run fails then. */
export function setOnError(body: FlowBody, id: string, onError: FlowOnError | null): FlowBody {
  return withNode(body, id, (node) => {
    if (onError !== null) return { ...node, onError };
    if (node.onError === undefined) return node;
    const { onError: _, ...rest } = node;
    return rest;
  });
}
