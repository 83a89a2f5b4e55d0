import type { FlowBody, FlowNode } from "@syla/contracts/flow";
import { flowConfigs, type FlowConfig, type FlowKind } from "@syla/contracts/flow-kinds";
import {
  ArrowDownToLine,
  ArrowUpFromLine,
  Braces,
  Brain,
  Boxes,
  CircleCheckBig,
  Code,
  Combine,
  Dices,
  FileCode2,
  GitBranch,
  Globe,
  Layers,
  type LucideIcon,
  MessageSquareText,
  PencilLine,
  Repeat,
  Repeat2,
  StickyNote,
  UserCheck,
  BookOpen,
} from "lucide-react";
import type { Point } from "./edits/move.ts";

/** What a kind belongs to; wires have the colour of where they come from. */
export const categories = ["io", "program", "model", "primitive", "utility", "note"] as const;
export type Category = (typeof categories)[number];

/** How each is written. */
export const categoryLabels: Readonly<Record<Category, string>> = {
  io: "Inputs and outputs",
  program: "Programs",
  model: "Models",
  primitive: "Primitives",
  utility: "Utilities",
  note: "Notes",
};

interface KindLook {
  readonly label: string;
  readonly category: Category;
  readonly icon: LucideIcon;
  /** What it does, in a sentence. */
  readonly text: string;
  /** Other words that people look for it with. */
  readonly words: string;
  /** What a new one begins with, besides the defaults of its shape. */
  readonly start: object;
}

/** How each kind of node is written, drawn and begun. */
export const kindLooks: Readonly<Record<FlowKind, KindLook>> = {
  input: {
    label: "Input",
    category: "io",
    icon: ArrowDownToLine,
    text: "A value that the composition is given.",
    words: "parameter argument",
    start: { name: "input", type: "str" },
  },
  output: {
    label: "Output",
    category: "io",
    icon: ArrowUpFromLine,
    text: "A value that comes out of the composition.",
    words: "result return",
    start: { name: "output", type: "Any" },
  },
  program: {
    label: "Command",
    category: "program",
    icon: FileCode2,
    text: "Runs a command: JSON in, JSON out.",
    words: "program shell process",
    start: { command: ["python", "main.py"], inputs: [{ name: "value", type: "Any" }] },
  },
  slot: {
    label: "Slot",
    category: "program",
    icon: Braces,
    text: "A generative function: a model answers in the type that it returns.",
    words: "generative function",
    start: { name: "answer", inputs: [{ name: "text", type: "str" }] },
  },
  module: {
    label: "Module",
    category: "program",
    icon: Boxes,
    text: "A graph within this one.",
    words: "composition subgraph group",
    start: {},
  },
  model: {
    label: "Model",
    category: "model",
    icon: Brain,
    text: "The model that others ask.",
    words: "llm session",
    start: { modelId: "granite4:micro" },
  },
  instruct: {
    label: "Instruct",
    category: "primitive",
    icon: MessageSquareText,
    text: "Asks a model with a prompt, and checks requirements.",
    words: "prompt ask llm",
    start: { prompt: "{{text}}", inputs: [{ name: "text", type: "str" }] },
  },
  verifier: {
    label: "Verifier",
    category: "primitive",
    icon: CircleCheckBig,
    text: "Says whether a value is as it should be.",
    words: "check requirement validate",
    start: { rule: "requirement", text: "It answers the question." },
  },
  sampler: {
    label: "Sampler",
    category: "primitive",
    icon: Dices,
    text: "How often to ask, and which answer to take.",
    words: "strategy rejection repair majority",
    start: { strategy: "rejection" },
  },
  ivr: {
    label: "Instruct, validate, repair",
    category: "primitive",
    icon: Repeat2,
    text: "Repeats a graph until it says that it passed.",
    words: "loop budget",
    start: {},
  },
  branch: {
    label: "Branch",
    category: "utility",
    icon: GitBranch,
    text: "Goes one way or the other.",
    words: "if condition else switch",
    start: {},
  },
  map: {
    label: "Map",
    category: "utility",
    icon: Layers,
    text: "Does the same with each item of a list.",
    words: "each for parallel",
    start: {},
  },
  loop: {
    label: "Loop",
    category: "utility",
    icon: Repeat,
    text: "Repeats a graph until it is done.",
    words: "while repeat agent",
    start: {},
  },
  merge: {
    label: "Merge",
    category: "utility",
    icon: Combine,
    text: "One value of several: the first, the vote, a list, a sum.",
    words: "join vote ensemble combine list",
    start: { mode: "first", inputs: ["a", "b"] },
  },
  context_read: {
    label: "Read context",
    category: "utility",
    icon: BookOpen,
    text: "Reads what was kept under a name.",
    words: "memory get",
    start: { key: "key" },
  },
  context_write: {
    label: "Write context",
    category: "utility",
    icon: PencilLine,
    text: "Keeps a value under a name.",
    words: "memory set",
    start: { key: "key" },
  },
  code: {
    label: "Code",
    category: "utility",
    icon: Code,
    text: "A few lines of Python or JavaScript.",
    words: "python javascript function script",
    start: { language: "python", source: "return value\n", inputs: [{ name: "value", type: "Any" }] },
  },
  http: {
    label: "HTTP request",
    category: "utility",
    icon: Globe,
    text: "Asks a server, of those that are named.",
    words: "fetch url api web",
    start: { url: "https://example.org/", allowedHosts: ["example.org"] },
  },
  approval: {
    label: "Approval",
    category: "utility",
    icon: UserCheck,
    text: "Waits for a person to decide.",
    words: "human review wait",
    start: {},
  },
  note: { label: "Note", category: "note", icon: StickyNote, text: "Words beside the graph.", words: "comment text", start: { text: "" } },
};

/** The defaults of a kind with what it begins with. */
function configOf<Kind extends FlowKind>(kind: Kind): FlowConfig<Kind> {
  return flowConfigs[kind].parse(kindLooks[kind].start) as FlowConfig<Kind>;
}

/** The graph that a new node of a kind holds; undefined when it holds none. */
function bodyOf(kind: FlowKind): FlowBody | undefined {
  const input = (name: string, y = 0, type = "Any"): FlowNode => plain("input", `in_${name}`, 0, y, { name, type });
  const output = (name: string, y = 0, type = "Any"): FlowNode => plain("output", `out_${name}`, 320, y, { name, type });
  const wire = (id: string, from: string, to: string) => ({ id, from: { node: from, port: "value" }, to: { node: to, port: "value" } });
  switch (kind) {
    case "map":
      return { nodes: [input("item"), output("result")], edges: [wire("e", "in_item", "out_result")] };
    case "loop":
      return {
        nodes: [
          input("value"),
          output("value"),
          plain("code", "is_done", 0, 140, { language: "python", source: "return True\n", inputs: [], returns: "bool" }),
          output("done", 140, "bool"),
        ],
        edges: [wire("e", "in_value", "out_value"), { ...wire("e_2", "is_done", "out_done"), from: { node: "is_done", port: "result" } }],
      };
    case "ivr":
      return {
        nodes: [
          input("value"),
          output("result"),
          plain("code", "check", 0, 140, { language: "python", source: "return True\n", inputs: [], returns: "bool" }),
          output("passed", 140, "bool"),
        ],
        edges: [wire("e", "in_value", "out_result"), { ...wire("e_2", "check", "out_passed"), from: { node: "check", port: "result" } }],
      };
    case "module":
      return { nodes: [input("value"), output("value")], edges: [wire("e", "in_value", "out_value")] };
    default:
      return undefined;
  }
}

function plain(kind: FlowKind, id: string, x: number, y: number, config: object): FlowNode {
  return { id, kind, label: "", position: { x, y }, config: flowConfigs[kind].parse(config) } as FlowNode;
}

/** A node as it begins, with its kind for an id. */
export function newNode(kind: FlowKind, position: Point): FlowNode {
  const body = bodyOf(kind);
  const node = { id: kind, kind, label: "", position: { x: Math.round(position.x), y: Math.round(position.y) }, config: configOf(kind) };
  return { ...node, ...(body === undefined ? {} : { body }) } as FlowNode;
}

/** What a node is called where nobody has called it anything. */
export function titleOf(node: FlowNode): string {
  if (node.label.trim() !== "") return node.label;
  if (node.kind === "input" || node.kind === "output" || node.kind === "slot") return node.config.name;
  if (node.kind === "model") return node.config.modelId;
  return kindLooks[node.kind].label;
}
