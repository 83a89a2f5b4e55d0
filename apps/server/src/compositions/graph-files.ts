import { CompositionConfig, compositionFile, type CompositionPort } from "@syla/contracts/composition-config";
import { compositionLimits } from "@syla/contracts/compositions";
import { AppError } from "@syla/contracts/errors";
import type { FlowGraph, FlowNode } from "@syla/contracts/flow";
import type { TreeFileInput } from "@syla/contracts/assets";
import { hashGraph } from "@syla/flow/canonical";
import type { FlowProblem } from "@syla/flow/problems";
import { referencesOf } from "@syla/flow/references";
import { validateFlow } from "@syla/flow/validate";
import { walkNodes } from "@syla/flow/walk";
import { LRUCache } from "lru-cache";
import type { Blobs } from "../platform/blobs.ts";
import type { TreeEntry } from "../platform/trees.ts";

/** A graph as it is kept, with what is wrong with it in itself. */
export interface KeptGraph {
  readonly graph: FlowGraph;
  readonly problems: readonly FlowProblem[];
  readonly hash: string;
}

/** Graphs in memory: each is asked for many times while somebody draws. What one takes is a few times its text. */
const rememberedBytes = 96 * 1024 ** 2;
const timesItsText = 6;
/** So many problems are told of what is refused. */
const mostToldProblems = 100;
/** Of what goes in and comes out, so much is described; longer defaults are not. */
const mostPorts = 200;
const longestDefault = 1000;

/** The graphs of compositions: the one file that each has. */
export class GraphFiles {
  readonly #blobs: Pick<Blobs, "get" | "put">;
  readonly #memory = new LRUCache<string, KeptGraph>({ maxSize: rememberedBytes });

  constructor(blobs: Pick<Blobs, "get" | "put">) {
    this.#blobs = blobs;
  }

  /** The file of a composition that is new. */
  begin(name: string): TreeFileInput[] {
    return [{ path: compositionFile, executable: false, content: print(emptyGraph(name)) }];
  }

  /** What the files of a composition say of it. @throws AppError `invalid_graph` */
  async describe(entries: readonly TreeEntry[]): Promise<CompositionConfig> {
    return describeGraph(await this.read(entries));
  }

  /** The graph in the files of a composition. @throws AppError `invalid_graph`, `payload_too_large` */
  async read(entries: readonly TreeEntry[]): Promise<KeptGraph> {
    const [entry] = entries;
    if (entry?.path !== compositionFile || entries.length > 1)
      throw new AppError("invalid_graph", { message: `A composition has one file, ${compositionFile}.` });
    const known = this.#memory.get(entry.sha256);
    if (known !== undefined) return known;
    requireSize(entry.size);
    return this.#remember(entry, readGraph(parse((await this.#blobs.get(entry.sha256)).toString())));
  }

  /** Stores a graph as the file of a composition. @throws AppError `payload_too_large` */
  async write(kept: KeptGraph): Promise<TreeEntry> {
    const bytes = Buffer.from(print(kept.graph));
    requireSize(bytes.length);
    const entry: TreeEntry = { path: compositionFile, mode: 420, ...(await this.#blobs.put(bytes)) };
    this.#remember(entry, kept);
    return entry;
  }

  #remember({ sha256, size }: TreeEntry, kept: KeptGraph): KeptGraph {
    this.#memory.set(sha256, kept, { size: Math.max(1, size * timesItsText) });
    return kept;
  }
}

export function emptyGraph(name: string): FlowGraph {
  return { format: 1, name, description: "", viewport: { x: 0, y: 0, zoom: 1 }, nodes: [], edges: [] };
}

/** What may be anything, and what is wrong with it. `composition`: the id under which it is to be kept. */
export function lookAt(value: unknown, composition?: string): { graph: FlowGraph | undefined; problems: readonly FlowProblem[] } {
  const { graph, problems } = validateFlow(value, composition);
  if (graph === undefined) return { graph, problems };
  const used = new Set(referencesOf(graph).map(({ reference }) => JSON.stringify(reference)));
  if (used.size <= compositionLimits.references) return { graph, problems };
  const message = `A composition uses at most ${compositionLimits.references} things of the catalog; this one uses ${used.size}.`;
  return { graph: undefined, problems: [{ code: "too_large", severity: "error", path: [], message }, ...problems] };
}

/** The same of what is to be kept. @throws AppError `invalid_graph`, with what is wrong */
export function readGraph(value: unknown, composition?: string): KeptGraph {
  const { graph, problems } = lookAt(value, composition);
  const errors = problems.filter(({ severity }) => severity === "error");
  if (graph === undefined)
    throw new AppError("invalid_graph", {
      message: `This is not the graph of a composition: ${errors[0]?.message ?? "it cannot be read."}`,
      fields: errors.slice(0, mostToldProblems).map((problem) => ({ path: placeOf(problem), message: problem.message })),
      details: { problems: errors.slice(0, mostToldProblems) },
    });
  return { graph, problems, hash: hashGraph(graph) };
}

/** Where a problem is, as a field of the request. */
export function placeOf({ path, node, edge }: Pick<FlowProblem, "path" | "node" | "edge">): string {
  return ["graph", ...path, ...(node === undefined ? [] : [node]), ...(edge === undefined ? [] : [edge])].join(".");
}

function print(graph: FlowGraph): string {
  return `${JSON.stringify(graph, null, 2)}\n`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError("invalid_graph", { message: `${compositionFile} is no JSON.`, cause });
  }
}

function requireSize(bytes: number): void {
  if (bytes > compositionLimits.bytes)
    throw new AppError("payload_too_large", {
      message: `A composition takes at most ${compositionLimits.bytes / 1024 / 1024} MiB as JSON.`,
      hint: "Keep data in datasets, and long code in programs.",
    });
}

/** What the database takes as text: no NUL, no halves of letters. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\ufffd");
}

function describeGraph({ graph, problems, hash }: KeptGraph): CompositionConfig {
  const references = new Map(
    referencesOf(graph).map(({ reference: { kind, id, version } }) => {
      const shown = { kind, id: storable(id), version: version === null ? null : storable(version) };
      return [JSON.stringify(shown), shown];
    }),
  );
  return {
    graphHash: hash,
    inputs: graph.nodes.flatMap((node) => (node.kind === "input" ? [toPort(node)] : [])).slice(0, mostPorts),
    outputs: graph.nodes.flatMap((node) => (node.kind === "output" ? [toPort(node)] : [])).slice(0, mostPorts),
    references: [...references.values()],
    nodes: [...walkNodes(graph)].length,
    problems: problems.filter(({ severity }) => severity === "error").length,
  };
}

function toPort({ kind, config }: Extract<FlowNode, { kind: "input" | "output" }>): CompositionPort {
  const base = { name: storable(config.name), type: storable(config.type), description: storable(config.description) };
  const given = kind === "input" && "default" in config ? config.default : undefined;
  const required = kind === "output" || given === undefined;
  const text = JSON.stringify(given) ?? "";
  const isShown = !required && text.length <= longestDefault && storable(text) === text && !/\\u(?:0000|d[89a-f])/i.test(text);
  return { ...base, required, ...(isShown ? { default: given } : {}) };
}
