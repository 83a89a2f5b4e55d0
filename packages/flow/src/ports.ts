import type { FlowBody, FlowNode } from "@syla/contracts/flow";
import type { FlowField } from "@syla/contracts/flow-kinds";
import { parseType } from "./type-parser.ts";
import { any, boolean, context, integer, listOf, model, number, optional, strategy, text, unionOf, type FlowType } from "./types.ts";

/** Where an edge may end (input) or begin (output). */
export interface FlowPort {
  name: string;
  type: FlowType;
  /** Of an input: it must be connected. Of an output: always true. */
  isRequired: boolean;
}
/** The types of what is connected, by the port; those that come from a node whose type is not known yet are absent. */
export type ConnectedTypes = ReadonlyMap<string, FlowType>;

function needs(name: string, type: FlowType): FlowPort {
  return { name, type, isRequired: true };
}
function takes(name: string, type: FlowType): FlowPort {
  return { name, type, isRequired: false };
}
function ofFields(fields: readonly FlowField[]): FlowPort[] {
  return fields.map((field) => ({ name: field.name, type: parseType(field.type), isRequired: field.default === undefined }));
}

/** What goes into a graph and comes out of it, sorted by name: the order in which nodes are listed means nothing. */
export function interfaceOf(body: FlowBody): { inputs: FlowPort[]; outputs: FlowPort[] } {
  const inputs: FlowPort[] = [];
  const outputs: FlowPort[] = [];
  for (const node of body.nodes) {
    if (node.kind === "input") {
      inputs.push({ name: node.config.name, type: parseType(node.config.type), isRequired: node.config.default === undefined });
    }
    if (node.kind === "output") outputs.push(needs(node.config.name, parseType(node.config.type)));
  }
  const byName = (a: FlowPort, b: FlowPort) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  return { inputs: inputs.toSorted(byName), outputs: outputs.toSorted(byName) };
}

/** The inputs of a node, in the order in which they are shown. */
export function inputsOf(node: FlowNode): FlowPort[] {
  switch (node.kind) {
    case "input":
    case "note":
    case "model":
    case "sampler":
      return [];
    case "output":
      return [needs("value", parseType(node.config.type))];
    case "slot":
    case "instruct":
      return [...ofFields(node.config.inputs), needs("model", model), takes("strategy", strategy)];
    case "program":
    case "code":
      return ofFields(node.config.inputs);
    case "verifier":
      if (node.config.rule === "requirement") return [needs("value", any), needs("model", model)];
      return [needs("value", node.config.rule === "not_empty" ? any : text)];
    case "branch":
      return [needs("condition", boolean), takes("value", any)];
    case "approval":
      return [needs("value", any)];
    case "merge":
      return node.config.inputs.map((name) => takes(name, mergeable(node.config.mode, node.config.reduce)));
    case "context_read":
      return [takes("context", context)];
    case "context_write":
      return [needs("value", any), takes("context", context)];
    case "http":
      return [takes("query", { kind: "map", key: text, value: any }), takes("body", any)];
    case "map":
      return interfaceOf(node.body ?? { nodes: [], edges: [] }).inputs.map((port) =>
        port.name === "item" ? needs("items", listOf(port.type)) : port,
      );
    case "ivr":
      return interfaceOf(node.body ?? { nodes: [], edges: [] }).inputs.filter(({ name }) => name !== "feedback");
    case "loop":
    case "module":
      return interfaceOf(node.body ?? { nodes: [], edges: [] }).inputs;
  }
}

/** The outputs of a node. Some pass on what they are given, so their types depend on what is connected. */
export function outputsOf(node: FlowNode, connected: ConnectedTypes): FlowPort[] {
  const passed = (port: string): FlowType => connected.get(port) ?? any;
  switch (node.kind) {
    case "output":
    case "note":
      return [];
    case "input":
      return [needs("value", parseType(node.config.type))];
    case "model":
      return [needs("model", model)];
    case "sampler":
      return [needs("strategy", strategy)];
    case "slot":
    case "instruct":
    case "program":
    case "code":
      return [needs("result", parseType(node.config.returns))];
    case "verifier":
      return [needs("passed", boolean)];
    case "branch":
      return [
        needs("then", connected.has("value") ? passed("value") : boolean),
        needs("else", connected.has("value") ? passed("value") : boolean),
      ];
    case "approval":
      return [needs("approved", passed("value")), needs("rejected", passed("value"))];
    case "merge":
      return [
        needs(
          "value",
          mergedType(node.config.mode, node.config.reduce, node.config.inputs.filter((name) => connected.has(name)).map(passed)),
        ),
      ];
    case "context_read":
      return [needs("value", parseType(node.config.type))];
    case "context_write":
      return [needs("context", context)];
    case "http":
      return [needs("body", text), needs("status", integer)];
    case "map":
      return interfaceOf(node.body ?? { nodes: [], edges: [] }).outputs.map(({ name, type }) => needs(name, listOf(type)));
    case "ivr":
      return [
        ...interfaceOf(node.body ?? { nodes: [], edges: [] }).outputs.filter(({ name }) => name !== "feedback"),
        needs("attempts", integer),
      ];
    case "loop":
      return interfaceOf(node.body ?? { nodes: [], edges: [] }).outputs.filter(({ name }) => name !== "done");
    case "module":
      return interfaceOf(node.body ?? { nodes: [], edges: [] }).outputs;
  }
}

function mergeable(mode: "first" | "vote" | "list" | "reduce", reduce: "sum" | "min" | "max" | "join"): FlowType {
  if (mode !== "reduce" || reduce === "min" || reduce === "max") return any;
  return reduce === "join" ? text : number;
}

function mergedType(
  mode: "first" | "vote" | "list" | "reduce",
  reduce: "sum" | "min" | "max" | "join",
  types: readonly FlowType[],
): FlowType {
  if (types.length === 0) return mode === "list" ? listOf(any) : any;
  if (mode === "list") return listOf(unionOf(types));
  if (mode === "reduce" && reduce === "join") return text;
  if (mode === "reduce" && reduce === "sum")
    return types.every((type) => type.kind === "integer") ? { kind: "integer" } : { kind: "number" };
  return unionOf(types);
}

/** The type of an output that is handed on when the node may be skipped. */
export function whenSkipped(type: FlowType): FlowType {
  return optional(type);
}
