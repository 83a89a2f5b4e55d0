import type { FlowNode } from "@syla/contracts/flow";
import { compareIds, type FlowIndex } from "./order.ts";

/** Something that is true or false while a graph runs: which way a branch went, or whether any input of a merge came. */
export interface Atom {
  node: string;
  /** `then`, `else`, `approved`, `rejected`; of a merge: `value`. */
  port: string;
  key: string;
}
/** All of them must hold for a node to run; none: it always runs. Sorted by key. */
export type Guard = readonly Atom[];

/** When each node runs. A node is skipped when anything that is connected to it was; a merge when everything was. */
export interface Guards {
  of(node: string): Guard;
  /** When a value comes out of a port. */
  ofPort(node: string, port: string): Guard;
  /** Of a merge that is an atom: it runs when one of these holds. */
  alternatives(node: string): readonly Guard[];
}

const opposites = new Map([
  ["then", "else"],
  ["else", "then"],
  ["approved", "rejected"],
  ["rejected", "approved"],
]);
const maximumSteps = 200;

function isChoice(node: FlowNode): boolean {
  return node.kind === "branch" || node.kind === "approval";
}

function keyOf(guard: Guard): string {
  return guard.map(({ key }) => key).join(" ");
}

/** Guards of every node that is in order. */
export function findGuards(index: FlowIndex): Guards {
  const guards = new Map<string, Guard>();
  const alternatives = new Map<string, readonly Guard[]>();

  function implies(atom: Atom, other: Atom): boolean {
    const seen = new Set([atom.node]);
    const queue = [...(guards.get(atom.node) ?? [])];
    if (alternatives.has(atom.node)) return false;
    for (let at = 0; at < queue.length && at < maximumSteps; at += 1) {
      const next = queue[at];
      if (next === undefined) break;
      if (next.key === other.key) return true;
      if (seen.has(next.node) || alternatives.has(next.node)) continue;
      seen.add(next.node);
      queue.push(...(guards.get(next.node) ?? []));
    }
    return false;
  }

  /** Both must hold. What follows from another one is left out. */
  function both(parts: readonly Guard[]): Guard {
    const [first = [], ...rest] = parts;
    if (rest.every((part) => part === first)) return first;
    const atoms = [...new Map(parts.flat().map((atom) => [atom.key, atom])).values()];
    const kept = atoms.length > 20 ? atoms : atoms.filter((atom) => !atoms.some((other) => other !== atom && implies(other, atom)));
    return kept.toSorted((a, b) => compareIds(a.key, b.key));
  }

  function ofPort(id: string, port: string): Guard {
    const node = index.nodes.get(id);
    const guard = guards.get(id) ?? [];
    if (node === undefined || !isChoice(node)) return guard;
    return both([guard, [{ node: id, port, key: `${id}:${port}` }]]);
  }

  /** The two ways of one branch are the branch itself. */
  function joined(parts: readonly Guard[]): Guard | undefined {
    const left = new Map(parts.map((guard) => [keyOf(guard), guard]));
    for (let again = true; again;) {
      again = false;
      for (const [key, guard] of left) {
        if (guard.length === 0) return [];
        const match = guard.find((atom) => {
          const opposite = opposites.get(atom.port);
          return opposite !== undefined && left.has(keyOf(swap(guard, atom, opposite)));
        });
        if (match === undefined) continue;
        left.delete(key);
        left.delete(keyOf(swap(guard, match, opposites.get(match.port) ?? "")));
        const rest = both([guard.filter((atom) => atom !== match), guards.get(match.node) ?? []]);
        left.set(keyOf(rest), rest);
        again = true;
        break;
      }
    }
    const [only, ...more] = left.values();
    return more.length === 0 ? (only ?? []) : undefined;
  }

  for (const node of index.order) {
    const ports = [...new Map((index.into.get(node.id) ?? []).map(({ from }) => [`${from.node}:${from.port}`, from])).values()];
    const parts = ports.map(({ node: id, port }) => ofPort(id, port));
    if (node.kind !== "merge") {
      guards.set(node.id, both(parts));
      continue;
    }
    const guard = joined(parts);
    if (guard === undefined) alternatives.set(node.id, [...new Map(parts.map((part) => [keyOf(part), part])).values()]);
    guards.set(node.id, guard ?? [{ node: node.id, port: "value", key: `${node.id}:value` }]);
  }
  return { of: (id) => guards.get(id) ?? [], ofPort, alternatives: (id) => alternatives.get(id) ?? [] };
}

function swap(guard: Guard, atom: Atom, port: string): Guard {
  const other = { node: atom.node, port, key: `${atom.node}:${port}` };
  return guard.map((each) => (each === atom ? other : each)).toSorted((a, b) => compareIds(a.key, b.key));
}
