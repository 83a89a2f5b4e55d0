import type { FlowNode } from "@syla/contracts/flow";
import { sortedJson } from "./canonical.ts";
import { referencesOf } from "./references.ts";
import { sha256 } from "./sha256.ts";
import { mapNodes } from "./walk.ts";

/**
 * SHA-256 of what a node does, whatever it is called and wherever it is. `digests`: what the programs and models that it names are made of, by
 * their ids.
 */
export function nodeKey(node: FlowNode, digests: ReadonlyMap<string, string>): string {
  const body =
    node.body === undefined
      ? null
      : mapNodes(node.body, (inner) => ({ ...inner, label: "", config: withoutReuse(inner.config) }) as FlowNode);
  const used = referencesOf({ nodes: [node], edges: [] }).map(({ reference }) => reference.id);
  const made = [...new Set(used)].toSorted().map((id) => [id, digests.get(id) ?? null]);
  return sha256(sortedJson([node.kind, withoutReuse(node.config), body, made]));
}

/** Whether a result is taken again is no part of what makes it. */
function withoutReuse(config: FlowNode["config"]): object {
  if (!("reuse" in config)) return config;
  const { reuse: _, ...rest } = config;
  return rest;
}
