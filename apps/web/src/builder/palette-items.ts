import type { PaletteItem } from "@syla/contracts/compositions";
import type { FlowBody, FlowGraph, FlowNode } from "@syla/contracts/flow";
import { flowConfigs, flowKinds, type FlowKind } from "@syla/contracts/flow-kinds";
import { addNode } from "./edits/add.ts";
import { firstFit } from "./edits/connect.ts";
import type { Point } from "./edits/move.ts";
import type { PortEnd } from "./facts.ts";
import { type Category, kindLooks, newNode } from "./kinds.ts";

/** The type of what is dragged from the palette: the key of the item. */
export const draggedItem = "application/x-syla-node";

/** Something that can be placed. */
export interface Placeable {
  readonly key: string;
  readonly kind: FlowKind;
  readonly category: Category;
  readonly label: string;
  readonly text: string;
  readonly words: string;
  /** Whose it is, or who serves it. */
  readonly aside: string;
  /** Why it cannot be placed; null when it can. */
  readonly unusable: string | null;
  /** Of the catalog; undefined: a kind of its own. */
  readonly item: PaletteItem | undefined;
}

/** The kinds themselves. */
export const kindItems: readonly Placeable[] = flowKinds.map((kind) => {
  const { label, category, text, words } = kindLooks[kind];
  return { key: kind, kind, category, label, text, words, aside: "", unusable: null, item: undefined };
});

/** What of the catalog may be placed. */
export function catalogItem(item: PaletteItem): Placeable {
  return {
    key: item.key,
    kind: item.kind,
    category: kindLooks[item.kind].category,
    label: item.label,
    text: item.description,
    words: item.asset.name,
    aside: item.provider ?? (item.asset.name === item.label ? "" : item.asset.name),
    unusable: item.unusable,
    item,
  };
}

/** A node made of an item. The graph of a module has to be read first. */
export function nodeOf({ kind, item, label }: Placeable, position: Point, module?: FlowGraph): FlowNode {
  const node = newNode(kind, position);
  if (item === undefined) return node;
  const config = flowConfigs[kind].safeParse(item.config);
  const named = { ...node, label, config: config.success ? config.data : node.config };
  return (module === undefined ? named : { ...named, body: { nodes: module.nodes, edges: module.edges } }) as FlowNode;
}

/** How well an item answers to words; 0 when it does not. */
function scoreOf({ label, words, text, aside }: Placeable, query: string): number {
  let score = 1;
  for (const word of query.toLowerCase().split(/\s+/)) {
    if (word === "") continue;
    if (label.toLowerCase().startsWith(word)) score += 8;
    else if (label.toLowerCase().includes(word)) score += 4;
    else if (`${words} ${aside}`.toLowerCase().includes(word)) score += 2;
    else if (text.toLowerCase().includes(word)) score += 1;
    else return 0;
  }
  return score;
}

/** The items that answer to words, the best first. */
export function search(items: readonly Placeable[], query: string): Placeable[] {
  return items
    .map((item, index) => ({ item, index, score: scoreOf(item, query) }))
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => (query.trim() === "" ? 0 : b.score - a.score) || a.index - b.index)
    .map(({ item }) => item);
}

/** Whether a node of an item could be wired to where a wire begins. */
export function fits(body: FlowBody, item: Placeable, end: PortEnd, side: "output" | "input"): boolean {
  const added = addNode(body, sampleOf(item));
  return firstFit(added.body, end, side, added.ids[0] ?? "") !== undefined;
}

/** A node with the ports of an item; of a module they are told by the catalog, its graph is not needed. */
function sampleOf(item: Placeable): FlowNode {
  const node = nodeOf(item, { x: 0, y: 0 });
  if (item.item === undefined || item.kind !== "module") return node;
  const ports = (kind: "input" | "output"): FlowNode[] =>
    (kind === "input" ? item.item?.inputs : item.item?.outputs)?.map((port, index) => ({
      ...newNode(kind, { x: 0, y: 0 }),
      id: `${kind}_${index}`,
      config: flowConfigs[kind].parse({
        name: port.name,
        type: port.type,
        ...(kind === "input" && !port.required ? { default: null } : {}),
      }),
    })) as FlowNode[];
  return { ...node, body: { nodes: [...ports("input"), ...ports("output")], edges: [] } } as FlowNode;
}

const recentKey = "syla.builder.recent";
const mostRecent = 6;

/** The keys of what was placed last, the newest first. */
export function readRecent(): readonly string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(recentKey) ?? "[]");
    return Array.isArray(stored) ? stored.filter((key): key is string => typeof key === "string").slice(0, mostRecent) : [];
  } catch {
    return [];
  }
}

export function noteRecent(key: string): void {
  try {
    localStorage.setItem(recentKey, JSON.stringify([key, ...readRecent().filter((other) => other !== key)].slice(0, mostRecent)));
  } catch {
    // Storage may be blocked; then nothing is remembered.
  }
}
