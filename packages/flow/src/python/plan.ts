import type { FlowBody, FlowNode } from "@syla/contracts/flow";
import { findGuards, type Guards } from "../guards.ts";
import { attemptsOf } from "../on-error.ts";
import { compareIds, indexBody, type FlowIndex } from "../order.ts";

/** One step of a graph: a quick node, or nodes that take long and do not wait for each other. All of a step have one guard. */
export type Step = readonly FlowNode[];

/** A graph that was looked through: in which order its nodes come, and what takes long. */
export interface Plan {
  index: FlowIndex;
  guards: Guards;
  steps: readonly Step[];
  /** Whether anything in it asks a model, the network or another program. */
  isSlow: boolean;
  /** Whether anything in it, or in a graph within, goes on at the same time. */
  isParallel: boolean;
  /** Of nodes with a graph within. */
  inner: ReadonlyMap<string, Plan>;
}

/** Whether a node takes long: it asks somebody, or waits before it is tried again. */
export function isSlowNode(node: FlowNode, inner: ReadonlyMap<string, Plan>): boolean {
  switch (node.kind) {
    case "slot":
    case "instruct":
    case "http":
    case "program":
      return true;
    case "code":
      return node.config.language === "javascript" || attemptsOf(node) > 1;
    case "verifier":
      return node.config.rule === "requirement";
    default:
      return inner.get(node.id)?.isSlow ?? false;
  }
}

/** How many slow nodes lie before each node on the longest way to it. Slow nodes of one level cannot wait for each other. */
function findLevels(index: FlowIndex, slow: ReadonlySet<string>): FlowNode[][] {
  const levels = new Map<string, number>();
  const groups: FlowNode[][] = [];
  for (const node of index.order) {
    let level = 0;
    for (const { from } of index.into.get(node.id) ?? [])
      level = Math.max(level, (levels.get(from.node) ?? 0) + (slow.has(from.node) ? 1 : 0));
    levels.set(node.id, level);
    (groups[level] ??= []).push(node);
  }
  return groups;
}

/** Sorts what may be sorted anyhow such that nodes of one guard follow each other. */
function byGuard(nodes: readonly FlowNode[], index: FlowIndex, keyOf: (id: string) => string): FlowNode[] {
  const here = new Set(nodes.map(({ id }) => id));
  const waits = new Map(nodes.map(({ id }) => [id, (index.into.get(id) ?? []).filter(({ from }) => here.has(from.node)).length]));
  const ready = new Map<string, FlowNode[]>();
  const add = (node: FlowNode): void => {
    const key = keyOf(node.id);
    const queue = ready.get(key);
    if (queue === undefined) ready.set(key, [node]);
    else queue.push(node);
  };
  for (const node of nodes) if (waits.get(node.id) === 0) add(node);
  const sorted: FlowNode[] = [];
  for (let queue = ready.entries().next().value; queue !== undefined; queue = ready.entries().next().value) {
    const [key, items] = queue;
    // The list grows while it is gone through.
    for (const node of items) {
      sorted.push(node);
      for (const { to } of index.outOf.get(node.id) ?? []) {
        const left = (waits.get(to.node) ?? 0) - 1;
        waits.set(to.node, left);
        const next = left === 0 ? index.nodes.get(to.node) : undefined;
        if (next !== undefined && here.has(next.id)) add(next);
      }
    }
    ready.delete(key);
  }
  return sorted;
}

function isParallelNode(node: FlowNode, inner: Plan | undefined): boolean {
  if (node.kind === "slot") return node.config.isAsync;
  if (inner === undefined) return false;
  return inner.isParallel || (node.kind === "map" && inner.isSlow && node.config.concurrency > 1);
}

/** Decides the order of a graph and of those within. */
export function planBody(body: FlowBody): Plan {
  const index = indexBody(body);
  const guards = findGuards(index);
  const inner = new Map(body.nodes.flatMap((node) => (node.body === undefined ? [] : [[node.id, planBody(node.body)] as const])));
  const slow = new Set(index.order.filter((node) => isSlowNode(node, inner)).map(({ id }) => id));
  const keys = new Map(
    index.order.map(({ id }) => [
      id,
      guards
        .of(id)
        .map(({ key }) => key)
        .join(" "),
    ]),
  );
  const keyOf = (id: string): string => keys.get(id) ?? "";
  const steps = findLevels(index, slow).flatMap((nodes): Step[] => {
    const quick = byGuard(
      nodes.filter(({ id }) => !slow.has(id)),
      index,
      keyOf,
    );
    const long = Map.groupBy(
      nodes.filter(({ id }) => slow.has(id)).toSorted((a, b) => compareIds(a.id, b.id)),
      ({ id }) => keyOf(id),
    );
    return [...quick.map((node) => [node]), ...long.values()];
  });
  const isParallel = steps.some((step) => step.length > 1) || index.order.some((node) => isParallelNode(node, inner.get(node.id)));
  return { index, guards, steps, isSlow: slow.size > 0, isParallel, inner };
}
