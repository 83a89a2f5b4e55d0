import type { FlowBody, FlowEdge, FlowGraph, FlowNode } from "@syla/contracts/flow";
import { sortedJson } from "@syla/flow/canonical";

/** Two people's changes of one graph in one, and the nodes that both have changed: of those it has ours. */
export interface Merged {
  readonly graph: FlowGraph;
  readonly clashes: readonly string[];
}

const textOf = (item: unknown): string => (item === undefined ? "" : sortedJson(item));
const endsOf = ({ from, to }: FlowEdge): string => sortedJson([from.node, from.port, to.node, to.port]);

/** What a three-way merge takes: whichever side has changed; ours where both have, otherwise. */
function choose<Item>(
  base: Item | undefined,
  mine: Item | undefined,
  theirs: Item | undefined,
): { item: Item | undefined; isClash: boolean } {
  const [was, ours, others] = [textOf(base), textOf(mine), textOf(theirs)];
  if (ours === was) return { item: theirs, isClash: false };
  return { item: mine, isClash: others !== was && others !== ours };
}

function byKey<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item> {
  return new Map(items.map((item) => [keyOf(item), item]));
}

function mergeItems<Item>(
  [base, mine, theirs]: readonly [readonly Item[], readonly Item[], readonly Item[]],
  keyOf: (item: Item) => string,
): { items: Item[]; clashes: string[] } {
  const [was, ours, others] = [byKey(base, keyOf), byKey(mine, keyOf), byKey(theirs, keyOf)];
  const items: Item[] = [];
  const clashes: string[] = [];
  for (const key of new Set([...others.keys(), ...ours.keys()])) {
    const { item, isClash } = choose(was.get(key), ours.get(key), others.get(key));
    if (item !== undefined) items.push(item);
    if (isClash) clashes.push(key);
  }
  return { items, clashes };
}

function mergeBodies(base: FlowBody, mine: FlowBody, theirs: FlowBody): { body: FlowBody; clashes: string[] } {
  const { items: nodes, clashes } = mergeItems<FlowNode>([base.nodes, mine.nodes, theirs.nodes], ({ id }) => id);
  const there = new Set(nodes.map(({ id }) => id));
  const { items } = mergeItems<FlowEdge>(
    [base.edges, mine.edges, theirs.edges].map((edges) => edges.map((edge) => ({ ...edge, id: "" }))) as [
      FlowEdge[],
      FlowEdge[],
      FlowEdge[],
    ],
    endsOf,
  );
  const names = new Map([...theirs.edges, ...mine.edges].map((edge) => [endsOf(edge), edge.id]));
  const taken = new Set<string>();
  const ends = new Set<string>();
  const edges = items.flatMap((edge): FlowEdge[] => {
    const end = `${edge.to.node} ${edge.to.port}`;
    if (!there.has(edge.from.node) || !there.has(edge.to.node) || ends.has(end)) return [];
    ends.add(end);
    let id = names.get(endsOf(edge)) ?? "e";
    for (let number = 2; taken.has(id); number += 1) id = `e_${number}`;
    taken.add(id);
    return [{ ...edge, id }];
  });
  return { body: { nodes, edges }, clashes };
}

/** One graph of what two people made of the same one. Graphs within nodes are taken as a whole. */
export function mergeGraphs(base: FlowGraph, mine: FlowGraph, theirs: FlowGraph): Merged {
  const { body, clashes } = mergeBodies(base, mine, theirs);
  const name = choose(base.name, mine.name, theirs.name).item ?? mine.name;
  const description = choose(base.description, mine.description, theirs.description).item ?? mine.description;
  return { graph: { ...mine, name, description, ...body }, clashes };
}
