import {
  FlowEdge,
  flowBodyKinds,
  flowHead,
  flowLimits,
  flowNodeShapes,
  type FlowBody,
  type FlowGraph,
  type FlowNode,
} from "@syla/contracts/flow";
import { z } from "zod";
import { checkBody } from "./check-body.ts";
import { migrate } from "./migrate.ts";
import type { FlowProblem } from "./problems.ts";
import { cleanText, isHostile } from "./text.ts";

/** What is wrong with a graph, and the graph when every part of it could be read. */
export interface Validation {
  problems: FlowProblem[];
  graph: FlowGraph | undefined;
}

const Head = z.object(flowHead);
const bodyKinds = new Set<string>(flowBodyKinds);
const rootKeys = new Set([...Object.keys(flowHead), "nodes", "edges"]);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Walks without recursion, so that no input can exhaust the stack. */
function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > flowLimits.jsonDepth) return true;
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item !== "object" || item === null) continue;
      for (const child of Object.values(item)) if (typeof child === "object" && child !== null) next.push(child);
    }
    level = next;
  }
  return false;
}

function describe(issue: z.core.$ZodIssue): string {
  return issue.path.length === 0 ? issue.message : `${issue.path.map(String).join(".")}: ${issue.message}`;
}

/** Reads a graph that may hold anything, and notes what cannot be read. */
class Reader {
  readonly problems: FlowProblem[] = [];
  private nodeCount = 0;
  private readonly composition: string | undefined;

  constructor(composition: string | undefined) {
    this.composition = composition;
  }

  report(path: readonly string[], problem: Omit<FlowProblem, "path" | "severity"> & { severity?: "warning" }): void {
    this.problems.push({ severity: "error", path, ...problem });
  }

  /** The readable part of a graph. Parts that cannot be read are reported and left out. */
  body(value: unknown, path: readonly string[], modules: readonly string[]): FlowBody {
    const nodes: FlowNode[] = [];
    const edges: FlowEdge[] = [];
    if (!isRecord(value) || !Array.isArray(value["nodes"]) || !Array.isArray(value["edges"])) {
      this.report(path, { code: "bad_body", message: "A graph needs `nodes` and `edges`, both lists." });
      return { nodes, edges };
    }
    this.nodeCount += value["nodes"].length;
    if (this.nodeCount > flowLimits.nodes || value["edges"].length > flowLimits.edges) {
      this.report(path, {
        code: "too_large",
        message: `A composition has at most ${flowLimits.nodes} nodes and ${flowLimits.edges} edges.`,
      });
      return { nodes, edges };
    }
    const taken = new Set<string>();
    for (const node of value["nodes"]) if (isRecord(node) && typeof node["id"] === "string") taken.add(node["id"]);
    const seen = new Set<string>();
    for (const [index, raw] of value["nodes"].entries()) {
      const node = this.node(raw, index, path, modules);
      if (node === undefined) continue;
      if (seen.has(node.id)) {
        const id = freshId(node.id, taken);
        this.report(path, {
          code: "duplicate_id",
          node: node.id,
          message: `Two nodes have the id ${node.id}.`,
          fix: { action: "set_id", index, id },
        });
        continue;
      }
      seen.add(node.id);
      nodes.push(node);
    }
    const edgeIds = new Set<string>();
    for (const [index, raw] of value["edges"].entries()) {
      const edge = FlowEdge.safeParse(raw);
      if (!edge.success) {
        this.report(path, { code: "bad_edge", message: `Edge ${index}: ${edge.error.issues.map(describe).join("; ")}` });
        continue;
      }
      if (edgeIds.has(edge.data.id)) {
        this.report(path, { code: "duplicate_id", edge: edge.data.id, message: `Two edges have the id ${edge.data.id}.` });
        continue;
      }
      edgeIds.add(edge.data.id);
      edges.push(edge.data);
    }
    return { nodes, edges };
  }

  private node(raw: unknown, index: number, path: readonly string[], modules: readonly string[]): FlowNode | undefined {
    if (!isRecord(raw)) {
      this.report(path, { code: "bad_node", message: `Node ${index} is no object.` });
      return undefined;
    }
    const { body, ...rest } = raw;
    const at = typeof raw["id"] === "string" ? { node: raw["id"] } : {};
    const kind = typeof raw["kind"] === "string" ? raw["kind"] : "";
    const shape = flowNodeShapes.get(kind);
    if (shape === undefined) {
      const fix = typeof raw["id"] === "string" ? { fix: { action: "remove_node", node: raw["id"] } as const } : {};
      this.report(path, {
        code: "unknown_kind",
        ...at,
        message: `There is no kind of node ${JSON.stringify(kind.slice(0, 100))}.`,
        ...fix,
      });
      return undefined;
    }
    const parsed = shape.safeParse(rest);
    if (!parsed.success) {
      for (const issue of parsed.error.issues) {
        const code = issue.path[0] === "config" ? "bad_config" : "bad_node";
        this.report(path, { code, ...at, message: describe(issue) });
      }
      return undefined;
    }
    const node = parsed.data as unknown as FlowNode;
    if (isHostile(node.label)) {
      const label = cleanText(node.label);
      const message = "The label has characters that are not seen or turn it around.";
      this.report(path, { code: "hostile_text", severity: "warning", ...at, message, fix: { action: "set_label", node: node.id, label } });
    }
    return this.withBody(node, body, path, modules);
  }

  private withBody(node: FlowNode, body: unknown, path: readonly string[], modules: readonly string[]): FlowNode | undefined {
    if (!bodyKinds.has(node.kind)) {
      if (body === undefined) return node;
      this.report(path, { code: "bad_node", node: node.id, message: `A node of kind ${node.kind} holds no graph.` });
      return undefined;
    }
    if (body === undefined) {
      this.report(path, { code: "missing_body", node: node.id, message: `A node of kind ${node.kind} needs a graph (\`body\`).` });
      return undefined;
    }
    const inner = [...path, node.id];
    if (inner.length > flowLimits.depth) {
      this.report(path, { code: "too_deep", node: node.id, message: `Graphs lie in each other at most ${flowLimits.depth} deep.` });
      return undefined;
    }
    const origin = node.kind === "module" ? node.config.composition?.id : undefined;
    if (origin !== undefined && (modules.includes(origin) || origin === this.composition)) {
      const fix = { action: "remove_node", node: node.id } as const;
      this.report(path, { code: "self_containing", node: node.id, message: `The composition ${origin} contains itself.`, fix });
    }
    return { ...node, body: this.body(body, inner, origin === undefined ? modules : [...modules, origin]) };
  }

  root(value: unknown): FlowGraph | undefined {
    if (isTooDeep(value)) {
      this.report([], { code: "too_deep", message: `The document is more than ${flowLimits.jsonDepth} levels deep.` });
      return undefined;
    }
    if (!isRecord(value)) {
      this.report([], { code: "not_a_graph", message: "A composition is a JSON object." });
      return undefined;
    }
    const migrated = migrate(value);
    if (migrated === undefined) {
      this.report([], {
        code: "unsupported_format",
        message: `Format ${JSON.stringify(value["format"]) ?? "(none)"} is not known; this version reads format 1.`,
      });
      return undefined;
    }
    for (const key of Object.keys(migrated)) {
      if (!rootKeys.has(key)) this.report([], { code: "bad_field", message: `A composition has no ${JSON.stringify(key.slice(0, 100))}.` });
    }
    const head = Head.safeParse(migrated);
    for (const issue of head.error?.issues ?? []) this.report([], { code: "bad_field", message: describe(issue) });
    const body = this.body({ nodes: migrated["nodes"], edges: migrated["edges"] }, [], []);
    return { ...(head.data ?? { format: 1, name: "", description: "", viewport: { x: 0, y: 0, zoom: 1 } }), ...body };
  }
}

function freshId(id: string, taken: Set<string>): string {
  for (let number = 2; ; number += 1) {
    const fresh = `${id.slice(0, 56)}-${number}`;
    if (taken.has(fresh)) continue;
    taken.add(fresh);
    return fresh;
  }
}

/**
 * Every problem of a document, whatever it is. `composition` is the id under which it is kept, if it is: a module must not lead back to it.
 */
export function validateFlow(value: unknown, composition?: string): Validation {
  const reader = new Reader(composition);
  const graph = reader.root(value);
  const isReadable = reader.problems.every(({ severity }) => severity === "warning");
  if (graph !== undefined) reader.problems.push(...checkBody(graph, []));
  return { problems: reader.problems, graph: isReadable ? graph : undefined };
}

/** Whether nothing but warnings is left. */
export function isSound(problems: readonly FlowProblem[]): boolean {
  return problems.every(({ severity }) => severity === "warning");
}
