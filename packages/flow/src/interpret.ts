import type { FlowBody, FlowGraph, FlowNode } from "@syla/contracts/flow";
import { withoutBypassed } from "./bypass.ts";
import { indexBody } from "./order.ts";
import { attemptsOf } from "./on-error.ts";
import { interfaceOf } from "./ports.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
/** What passes along edges: JSON, or whatever stands for a session, a strategy or a context. */
export type Value = Json | Map<string, Json> | { stand: string };
/**
 * Does what a graph leaves to others: programs, slots, instructions, requirements, code, requests; gives one value for each output. When it throws
 * the node has failed.
 */
export type StandIn = (node: FlowNode, inputs: ReadonlyMap<string, Value>, path: readonly string[]) => ReadonlyMap<string, Value>;

/** Whether Python takes a value for true. */
function isTruthy(value: Value): boolean {
  if (value === null || typeof value !== "object") return Boolean(value);
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  return Object.keys(value).length > 0;
}

/** Whether Python's `==` holds: true is 1 there. */
function isEqual(a: Value, b: Value): boolean {
  const [left, right] = [a, b].map((value) => (typeof value === "boolean" ? Number(value) : value));
  if (left === null || right === null || typeof left !== "object" || typeof right !== "object") return left === right;
  if (left === undefined || right === undefined) return false;
  if (Array.isArray(left) || Array.isArray(right)) {
    return (
      Array.isArray(left) &&
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, index) => isEqual(item, right[index] ?? null))
    );
  }
  const keys = Object.keys(left);
  const [first, second] = [new Map(Object.entries(left)), new Map(Object.entries(right))];
  return keys.length === second.size && keys.every((key) => second.has(key) && isEqual(first.get(key) ?? null, second.get(key) ?? null));
}

/** Order of numbers, and of texts by code points. */
function compare(a: Value, b: Value): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [left, right] = [Array.from(textOf(a)), Array.from(textOf(b))];
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    const difference = (left[index]?.codePointAt(0) ?? 0) - (right[index]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** What is text; types let nothing else come here. */
function textOf(value: Value): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function one(port: string, value: Value): ReadonlyMap<string, Value> {
  return new Map([[port, value]]);
}

function mergeValues(node: Extract<FlowNode, { kind: "merge" }>, values: readonly Value[]): Value {
  const [first = null] = values;
  switch (node.config.mode) {
    case "first":
      return first;
    case "list":
      return values as Json[];
    case "vote": {
      const counts = values.map((value) => values.filter((other) => isEqual(value, other)).length);
      return values[counts.indexOf(Math.max(...counts))] ?? null;
    }
    case "reduce":
      if (node.config.reduce === "join") return values.map(textOf).join("\n");
      if (node.config.reduce === "sum") return values.reduce((sum: number, value) => sum + Number(value), 0);
      return values.reduce((best, value) => {
        const difference = compare(value, best);
        return (node.config.reduce === "min" ? difference < 0 : difference > 0) ? value : best;
      });
  }
}

/**
 * What a sound graph gives for its inputs, computed step by step as its definition says: the reference for what is compiled.
 * Outputs whose value was skipped are null. It throws when a node fails and nothing stands for its outputs.
 */
export function interpret(graph: FlowGraph, inputs: Readonly<Record<string, Json>>, standIn: StandIn): Record<string, Json> {
  return Object.fromEntries(runBody(graph, new Map(Object.entries(inputs)), standIn, [])) as Record<string, Json>;
}

function runBody(written: FlowBody, given: ReadonlyMap<string, Value>, standIn: StandIn, path: readonly string[]): Map<string, Value> {
  const body = withoutBypassed(written);
  const index = indexBody(body);
  const results = new Map<string, ReadonlyMap<string, Value>>();
  const outputs = new Map<string, Value>();
  for (const node of index.order) {
    const edges = index.into.get(node.id) ?? [];
    const inputs = new Map<string, Value>();
    for (const { from, to } of edges) {
      const value = results.get(from.node)?.get(from.port);
      if (value !== undefined) inputs.set(to.port, value);
    }
    const isSkipped = node.kind === "merge" ? inputs.size === 0 : inputs.size < edges.length;
    if (node.kind === "output") outputs.set(node.config.name, inputs.get("value") ?? null);
    else if (!isSkipped) results.set(node.id, tryNode(node, inputs, given, standIn, path));
  }
  return outputs;
}

/** A node that fails is tried again as often as it says; then its fallback stands for its outputs. */
function tryNode(node: FlowNode, ...rest: RunRest): ReadonlyMap<string, Value> {
  for (let left = attemptsOf(node) - 1; ; left -= 1) {
    try {
      return runNode(node, ...rest);
    } catch (error) {
      if (left > 0) continue;
      if (node.onError?.fallback === undefined) throw error;
      return new Map(Object.entries(node.onError.fallback) as [string, Json][]);
    }
  }
}

type RunRest = [inputs: ReadonlyMap<string, Value>, given: ReadonlyMap<string, Value>, standIn: StandIn, path: readonly string[]];

function runNode(
  node: FlowNode,
  inputs: ReadonlyMap<string, Value>,
  given: ReadonlyMap<string, Value>,
  standIn: StandIn,
  path: readonly string[],
): ReadonlyMap<string, Value> {
  const value = inputs.get("value") ?? null;
  switch (node.kind) {
    case "input":
      return one("value", given.get(node.config.name) ?? node.config.default ?? null);
    case "note":
    case "output":
      return new Map();
    case "model":
    case "sampler":
      return one(node.kind === "model" ? "model" : "strategy", { stand: node.id });
    case "branch": {
      const isTaken = isTruthy(inputs.get("condition") ?? null);
      return one(isTaken ? "then" : "else", inputs.has("value") ? value : isTaken);
    }
    case "merge":
      return one(
        "value",
        mergeValues(
          node,
          node.config.inputs.flatMap((port) => {
            const found = inputs.get(port);
            return found === undefined ? [] : [found];
          }),
        ),
      );
    case "verifier":
      return node.config.rule === "requirement" ? standIn(node, inputs, path) : one("passed", verify(node.config, value));
    case "context_read": {
      const context = inputs.get("context");
      const found = context instanceof Map ? context.get(node.config.key) : undefined;
      return one("value", found ?? (context instanceof Map && context.has(node.config.key) ? null : node.config.default));
    }
    case "context_write": {
      const context = inputs.get("context");
      return one("context", new Map([...(context instanceof Map ? context : []), [node.config.key, value as Json]]));
    }
    case "map":
    case "loop":
    case "ivr":
    case "module":
      return runContainer(node, inputs, standIn, path);
    default: {
      const defaults =
        "inputs" in node.config
          ? node.config.inputs.flatMap((field) => (field.default === undefined ? [] : [[field.name, field.default] as const]))
          : [];
      return standIn(node, new Map<string, Value>([...defaults, ...inputs]), path);
    }
  }
}

function verify(config: Extract<FlowNode, { kind: "verifier" }>["config"], value: Value): boolean {
  switch (config.rule) {
    case "contains":
      return textOf(value).includes(config.text);
    case "equals":
      return isEqual(value, config.text);
    case "max_characters":
      return Array.from(textOf(value)).length <= config.limit;
    case "not_empty":
      return ![null, "", [], {}].some((empty) => isEqual(value, empty));
    case "requirement":
      return true;
  }
}

function runContainer(
  node: FlowNode,
  inputs: ReadonlyMap<string, Value>,
  standIn: StandIn,
  path: readonly string[],
): ReadonlyMap<string, Value> {
  const body = node.body ?? { nodes: [], edges: [] };
  const run = (given: ReadonlyMap<string, Value>): Map<string, Value> => runBody(body, given, standIn, [...path, node.id]);
  if (node.kind === "map") {
    const rows = (inputs.get("items") as Json[]).map((item) => run(new Map([...inputs, ["item", item]])));
    return new Map(interfaceOf(body).outputs.map(({ name }) => [name, rows.map((row) => row.get(name) as Json)]));
  }
  const state = new Map(inputs);
  if (node.kind === "loop") {
    for (let turn = 0; turn < node.config.maxTurns; turn += 1) {
      for (const [name, value] of run(state)) state.set(name, value);
      if (isTruthy(state.get("done") ?? null)) break;
    }
    return state;
  }
  if (node.kind === "ivr") {
    for (let attempt = 1; ; attempt += 1) {
      const outputs = run(state);
      if (outputs.has("feedback")) state.set("feedback", outputs.get("feedback") ?? null);
      if (isTruthy(outputs.get("passed") ?? null) || attempt === node.config.loopBudget) return outputs.set("attempts", attempt);
    }
  }
  return run(state);
}
