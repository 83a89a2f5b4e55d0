import type { CompositionReference } from "@syla/contracts/composition-config";
import type { FlowBody, FlowNode } from "@syla/contracts/flow";
import { walkNodes, type PlacedNode } from "./walk.ts";

/** A node that uses something of the catalog. */
export interface NodeReference extends PlacedNode {
  reference: CompositionReference;
}

interface Named {
  id: string;
  version?: string | undefined;
}

function toReference(kind: CompositionReference["kind"], named: Named | undefined): CompositionReference | undefined {
  return named === undefined ? undefined : { kind, id: named.id, version: named.version ?? null };
}

/** What of the catalog a node uses itself. */
export function referenceOf(node: FlowNode): CompositionReference | undefined {
  switch (node.kind) {
    case "program":
    case "slot":
      return toReference("program", node.config.program);
    case "model":
      return toReference("model", node.config.model);
    case "module":
      return toReference("composition", node.config.composition);
    default:
      return undefined;
  }
}

/** The node without what it uses of the catalog. */
export function withoutReference(node: FlowNode): FlowNode {
  switch (node.kind) {
    case "program": {
      const { program: _, ...config } = node.config;
      return { ...node, config };
    }
    case "slot": {
      const { program: _, ...config } = node.config;
      return { ...node, config };
    }
    case "model": {
      const { model: _, ...config } = node.config;
      return { ...node, config };
    }
    case "module":
      return { ...node, config: {} };
    default:
      return node;
  }
}

/** Every node that uses something of the catalog, in graphs within as well. */
export function referencesOf(body: FlowBody): NodeReference[] {
  return [...walkNodes(body)].flatMap(({ path, node }) => {
    const reference = referenceOf(node);
    return reference === undefined ? [] : [{ path, node, reference }];
  });
}
