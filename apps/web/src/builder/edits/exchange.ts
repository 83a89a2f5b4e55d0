import type { FlowBody, FlowEdge, FlowGraph } from "@syla/contracts/flow";
import { renewIds } from "@syla/flow/renew-ids";
import { validateFlow } from "@syla/flow/validate";
import { withoutSecrets } from "@syla/flow/without-secrets";
import { graphIn } from "../../compositions/read-document.ts";
import { type Clip, copy } from "./paste.ts";

/** What a copied part of a graph begins with, so that nobody takes another text for one. */
const mark = "nodes of a composition";

const emptyGraph = { format: 1, name: "", description: "", viewport: { x: 0, y: 0, zoom: 1 } } as const;

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

/** A file read as a graph, with ids of its own throughout: what was exported, or a bare graph. */
export function importGraph(text: string): Read<FlowGraph> {
  const document = parse(text);
  if (document.problem !== undefined) return document;
  const read = readGraph(graphIn(document.found));
  return read.problem === undefined ? { found: renewIds(read.found, newId) } : read;
}

function newId(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 12);
}

/** Some nodes as a text for the clipboard. */
export function writeClip(body: FlowBody, ids: ReadonlySet<string>): string {
  const clip = copy(body, ids);
  const { graph } = withoutSecrets({ ...emptyGraph, nodes: [...clip.nodes], edges: [] });
  return JSON.stringify({ [mark]: 1, ...clip, nodes: graph.nodes }, null, 2);
}

/** A text of the clipboard read as nodes; a whole composition is taken as well. */
export function readClip(text: string): Read<Clip> {
  const document = parse(text);
  if (document.problem !== undefined) return document;
  const given = document.found as Record<string, unknown> | null;
  if (typeof given !== "object" || given === null) return { problem: "The text is no part of a composition." };
  const isClip = mark in given;
  const read = readGraph(isClip ? { format: 1, nodes: given["nodes"], edges: given["edges"] } : graphIn(given));
  if (read.problem !== undefined) return read;
  const incoming = isClip && Array.isArray(given["incoming"]) ? readEdges(given["incoming"]) : [];
  return { found: { nodes: read.found.nodes, edges: read.found.edges, incoming } };
}

/** Edges alone: validated like all, between nodes that stand for what is not there. */
function readEdges(edges: unknown): readonly FlowEdge[] {
  return validateFlow({ format: 1, nodes: [], edges }).graph?.edges ?? [];
}
