import type { FlowBody } from "@syla/contracts/flow";

const longestId = 64;

/** The name itself, or with the first number that makes it new; it is taken from then on. */
export function takeFresh(taken: Set<string>, wanted: string, longest = longestId): string {
  const base = wanted.slice(0, longest - 6);
  let name = base;
  for (let number = 2; taken.has(name); number += 1) name = `${base}_${number}`;
  taken.add(name);
  return name;
}

export function nodeIds(body: FlowBody): Set<string> {
  return new Set(body.nodes.map(({ id }) => id));
}

export function edgeIds(body: FlowBody): Set<string> {
  return new Set(body.edges.map(({ id }) => id));
}
