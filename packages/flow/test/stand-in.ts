import type { FlowGraph, FlowNode } from "@syla/contracts/flow";
import { sortedJson } from "../src/canonical.ts";
import { interpret, type Json, type StandIn, type Value } from "../src/interpret.ts";
import { sha256 } from "../src/sha256.ts";
import { operations } from "./random-graph.ts";

function digest(...parts: unknown[]): string {
  return sha256(pythonJson(parts));
}

/** JSON as Python writes it: with spaces. */
function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const keys = Object.keys(JSON.parse(sortedJson(value)) as object);
  return `{${keys.map((key) => `${JSON.stringify(key)}: ${pythonJson((value as Record<string, unknown>)[key])}`).join(", ")}}`;
}

function valuesOf(inputs: ReadonlyMap<string, Value>, asText: boolean): Record<string, unknown> {
  const own = [...inputs].filter(([name]) => name !== "model" && name !== "strategy");
  return Object.fromEntries(own.map(([name, value]) => [name, asText && typeof value !== "string" ? JSON.stringify(value) : value]));
}

function answer(node: FlowNode, inputs: ReadonlyMap<string, Value>, tries: Map<string, number>): [string, Json] {
  switch (node.kind) {
    case "instruct":
      return ["result", digest("instruct", node.config.prompt, valuesOf(inputs, true), node.config.requirements).slice(0, 6)];
    case "slot":
      return ["result", digest("slot", node.config.name, valuesOf(inputs, false)).slice(0, 6)];
    case "verifier":
      return ["passed", Number.parseInt(digest("requirement", node.config.text, inputs.get("value"))[0] ?? "", 16) % 2 === 0];
    case "code": {
      const { source } = node.config;
      const [, key, failures] = /^return syla_flaky\("(\w+)", (\d+), a\)$/.exec(source) ?? [];
      if (key !== undefined) {
        const count = (tries.get(key) ?? 0) + 1;
        tries.set(key, count);
        if (count <= Number(failures)) throw new Error("not yet");
        return ["result", inputs.get("a") as Json];
      }
      const operation = Object.values(operations).find(({ python }) => python === source);
      if (operation !== undefined) return ["result", operation.run(...([...inputs.values()] as never[])) as Json];
      const constants: Record<string, Json> = { "return 5": 5, "return True": true, 'return "none"': "none", "return [1, 2]": [1, 2] };
      return ["result", constants[source] ?? null];
    }
    default:
      throw new Error(`no stand-in for ${node.kind}`);
  }
}

/** What `stand-in.py` does, here, for one run of a graph: some nodes fail a few times at first. */
function newStandIn(): StandIn {
  const tries = new Map<string, number>();
  return (node, inputs) => {
    const ordered =
      "inputs" in node.config && node.kind === "code"
        ? new Map(node.config.inputs.map(({ name }) => [name, inputs.get(name) ?? null]))
        : inputs;
    return new Map([answer(node, ordered, tries)]);
  };
}

/** What a graph gives, or that it fails. */
export function expectedOf(graph: FlowGraph, inputs: Readonly<Record<string, Json>>): Record<string, Json> | "fails" {
  try {
    return interpret(graph, inputs, newStandIn());
  } catch {
    return "fails";
  }
}
