import type { FlowGraph, FlowNode } from "@syla/contracts/flow";
import { walkNodes } from "@syla/flow/walk";
import type { BodyPath } from "./edits/bodies.ts";
import { kindLooks, titleOf } from "./kinds.ts";

/** A node that answers to words, and why. */
export interface FoundNode {
  readonly path: BodyPath;
  readonly node: FlowNode;
  /** Where in it the words are, when not in its title. */
  readonly excerpt: string;
}

const aroundWords = 24;

/** All texts of a configuration, as somebody would look for them. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "number") return [String(value)];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}

function excerptOf(text: string, at: number, length: number): string {
  const [from, to] = [Math.max(0, at - aroundWords), at + length + aroundWords];
  return `${from > 0 ? "…" : ""}${text.slice(from, to)}${to < text.length ? "…" : ""}`.replaceAll(/\s+/g, " ");
}

/** How well a node answers: by its title, its kind or id, or what it is told. */
function rate(node: FlowNode, query: string): { readonly score: number; readonly excerpt: string } | undefined {
  const title = titleOf(node).toLowerCase();
  if (title.startsWith(query)) return { score: 4, excerpt: "" };
  if (title.includes(query)) return { score: 3, excerpt: "" };
  if (`${kindLooks[node.kind].label} ${node.id}`.toLowerCase().includes(query)) return { score: 2, excerpt: "" };
  for (const text of textsOf(node.config)) {
    const at = text.toLowerCase().indexOf(query);
    if (at >= 0) return { score: 1, excerpt: excerptOf(text, at, query.length) };
  }
  return undefined;
}

/** The nodes of a graph that answer to words, those of graphs within as well; the best first. */
export function findNodes(graph: FlowGraph, query: string): FoundNode[] {
  const words = query.trim().toLowerCase();
  const found: (FoundNode & { readonly score: number })[] = [];
  for (const { path, node } of walkNodes(graph)) {
    const rated = words === "" ? { score: 0, excerpt: "" } : rate(node, words);
    if (rated !== undefined) found.push({ path, node, ...rated });
  }
  return found.toSorted((a, b) => b.score - a.score || a.path.length - b.path.length);
}
