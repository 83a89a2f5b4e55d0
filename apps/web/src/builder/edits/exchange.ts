import type { FlowBody, FlowEdge, FlowGraph, FlowNode } from "@syla/contracts/flow";
import { validateFlow } from "@syla/flow/validate";
import { type Clip, copy } from "./paste.ts";

/** What a copied part of a graph begins with, so that nobody takes another text for one. */
const mark = "nodes of a composition";

/** Headers whose values are mostly secrets. */
const secretHeader = /auth|cookie|token|secret|key|password|session/i;

function withoutSecrets(node: FlowNode): FlowNode {
  const inner = node.body === undefined ? node : { ...node, body: { ...node.body, nodes: node.body.nodes.map(withoutSecrets) } };
  if (inner.kind !== "http") return inner;
  const headers = Object.fromEntries(
    Object.entries(inner.config.headers).map(([name, value]) => [name, secretHeader.test(name) ? "" : value]),
  );
  return { ...inner, config: { ...inner.config, headers } };
}

/** A graph as a file: without what may be a secret. */
export function exportGraph(graph: FlowGraph): string {
  return `${JSON.stringify({ ...graph, nodes: graph.nodes.map(withoutSecrets) }, null, 2)}\n`;
}

/** A text read as a graph, or why it is none. */
export type Read<Found> =
  | { readonly found: Found; readonly problem?: undefined }
  | { readonly found?: undefined; readonly problem: string };

const mostCharacters = 20_000_000;

function parse(text: string): Read<unknown> {
  if (text.length > mostCharacters) return { problem: "The text is too long." };
  try {
    return { found: JSON.parse(text) as unknown };
  } catch {
    return { problem: "The text is no JSON." };
  }
}

function readGraph(document: unknown): Read<FlowGraph> {
  const { graph, problems } = validateFlow(document);
  const first = problems.find(({ severity }) => severity === "error");
  return graph === undefined ? { problem: first?.message ?? "The text is no composition." } : { found: graph };
}

/** A file read as a graph, with ids of its own throughout. */
export function importGraph(text: string): Read<FlowGraph> {
  const document = parse(text);
  if (document.problem !== undefined) return document;
  const read = readGraph(document.found);
  return read.problem === undefined ? { found: { ...read.found, ...withNewIds(read.found) } } : read;
}

/** The graph under new ids: two imports of one file share none. Ids of the graphs within are named with the graph they lie in. */
function withNewIds(body: FlowBody): FlowBody {
  const ids = new Map(body.nodes.map(({ id }) => [id, newId()]));
  const end = ({ node, port }: FlowEdge["from"]) => ({ node: ids.get(node) ?? node, port });
  return {
    nodes: body.nodes.map((node): FlowNode => {
      const renamed = { ...node, id: ids.get(node.id) ?? node.id };
      return node.body === undefined ? renamed : { ...renamed, body: withNewIds(node.body) };
    }),
    edges: body.edges.map((edge) => ({ id: newId(), from: end(edge.from), to: end(edge.to) })),
  };
}

function newId(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 12);
}

/** Some nodes as a text for the clipboard. */
export function writeClip(body: FlowBody, ids: ReadonlySet<string>): string {
  const clip = copy(body, ids);
  return JSON.stringify({ [mark]: 1, ...clip, nodes: clip.nodes.map(withoutSecrets) }, null, 2);
}

/** A text of the clipboard read as nodes; a whole composition is taken as well. */
export function readClip(text: string): Read<Clip> {
  const document = parse(text);
  if (document.problem !== undefined) return document;
  const given = document.found as Record<string, unknown> | null;
  if (typeof given !== "object" || given === null) return { problem: "The text is no part of a composition." };
  const isClip = mark in given;
  const read = readGraph(isClip ? { format: 1, nodes: given["nodes"], edges: given["edges"] } : given);
  if (read.problem !== undefined) return read;
  const incoming = isClip && Array.isArray(given["incoming"]) ? readEdges(given["incoming"]) : [];
  return { found: { nodes: read.found.nodes, edges: read.found.edges, incoming } };
}

/** Edges alone: validated like all, between nodes that stand for what is not there. */
function readEdges(edges: unknown): readonly FlowEdge[] {
  return validateFlow({ format: 1, nodes: [], edges }).graph?.edges ?? [];
}
