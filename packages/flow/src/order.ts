import type { FlowBody, FlowEdge, FlowNode } from "@syla/contracts/flow";

/** A graph with what is asked about it all the time. */
export interface FlowIndex {
  nodes: ReadonlyMap<string, FlowNode>;
  /** Edges that end at a node, by its id. */
  into: ReadonlyMap<string, readonly FlowEdge[]>;
  outOf: ReadonlyMap<string, readonly FlowEdge[]>;
  /** Nodes such that each comes after what it needs; among equals by id. Nodes on cycles, and after them, are left out. */
  order: readonly FlowNode[];
}

function push<Key, Item>(map: Map<Key, Item[]>, key: Key, item: Item): void {
  const items = map.get(key);
  if (items === undefined) map.set(key, [item]);
  else items.push(item);
}

/** Ids in ascending order, whatever the language of the machine. */
export function compareIds(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Looks at every node and edge once; edges that lead nowhere are passed over. */
export function indexBody(body: FlowBody): FlowIndex {
  const nodes = new Map(body.nodes.map((node) => [node.id, node]));
  const into = new Map<string, FlowEdge[]>();
  const outOf = new Map<string, FlowEdge[]>();
  for (const edge of body.edges) {
    if (!nodes.has(edge.from.node) || !nodes.has(edge.to.node)) continue;
    push(into, edge.to.node, edge);
    push(outOf, edge.from.node, edge);
  }
  const waits = new Map([...nodes.keys()].map((id) => [id, into.get(id)?.length ?? 0]));
  const order: FlowNode[] = [];
  let ready = [...nodes.keys()].filter((id) => waits.get(id) === 0);
  while (ready.length > 0) {
    const next: string[] = [];
    for (const id of ready.toSorted(compareIds)) {
      const node = nodes.get(id);
      if (node !== undefined) order.push(node);
      for (const { to } of outOf.get(id) ?? []) {
        const left = (waits.get(to.node) ?? 0) - 1;
        waits.set(to.node, left);
        if (left === 0) next.push(to.node);
      }
    }
    ready = next;
  }
  return { nodes, into, outOf, order };
}

/** The nodes of each cycle (of each group of nodes that all reach each other), sorted. Without recursion: graphs may be long. */
export function findCycles(index: FlowIndex): string[][] {
  const ordered = new Set(index.order.map(({ id }) => id));
  const cycles: string[][] = [];
  const numbers = new Map<string, number>();
  const lows = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  for (const root of index.nodes.keys()) {
    if (ordered.has(root) || numbers.has(root)) continue;
    const calls: { id: string; next: number }[] = [{ id: root, next: 0 }];
    while (calls.length > 0) {
      const call = calls[calls.length - 1];
      if (call === undefined) break;
      if (call.next === 0) {
        numbers.set(call.id, numbers.size);
        lows.set(call.id, numbers.size - 1);
        stack.push(call.id);
        onStack.add(call.id);
      }
      const edges = index.outOf.get(call.id) ?? [];
      const lower = (by: number | undefined) => lows.set(call.id, Math.min(lows.get(call.id) ?? 0, by ?? 0));
      // Coming back from a child.
      const child = call.next > 0 ? edges[call.next - 1]?.to.node : undefined;
      if (child !== undefined && onStack.has(child)) lower(lows.get(child));
      const target = edges[call.next]?.to.node;
      call.next += 1;
      if (target !== undefined) {
        if (!numbers.has(target)) calls.push({ id: target, next: 0 });
        else if (onStack.has(target)) lower(numbers.get(target));
        continue;
      }
      calls.pop();
      if (lows.get(call.id) !== numbers.get(call.id)) continue;
      const group = stack.splice(stack.lastIndexOf(call.id));
      for (const id of group) onStack.delete(id);
      if (group.length > 1 || edges.some(({ to }) => to.node === call.id)) cycles.push(group.toSorted(compareIds));
    }
  }
  return cycles;
}
