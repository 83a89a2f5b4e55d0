import { randomBytes } from "node:crypto";
import type { CompositionReference } from "@syla/contracts/composition-config";
import { CompositionExport, compositionFormat, type CreatedComposition } from "@syla/contracts/compositions";
import { AppError } from "@syla/contracts/errors";
import type { FlowGraph } from "@syla/contracts/flow";
import { referenceOf, referencesOf, withoutReference } from "@syla/flow/references";
import { renewIds } from "@syla/flow/renew-ids";
import { mapNodes } from "@syla/flow/walk";
import { withoutSecrets } from "@syla/flow/without-secrets";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import type { Catalog } from "../catalog/service.ts";
import { readGraph } from "./graph-files.ts";
import { keyOf } from "./references.ts";

/** What is around the graph of a document. The graph itself is read like any. */
const Envelope = z.strictObject({
  ...CompositionExport.shape,
  name: z.string().max(1000).default(""),
  description: z.string().max(20_000).default(""),
  graph: z.unknown(),
  references: z
    .array(z.object({ kind: z.string(), id: z.string(), version: z.string().nullable(), name: z.string().max(1000).nullable() }))
    .max(5000)
    .default([]),
  leftOut: z.unknown().optional(),
});

/** What a composition begins with. */
export interface Beginning {
  readonly name: string;
  readonly description: string;
  readonly graph: FlowGraph;
  /** What people call what it uses, where that is known. */
  readonly names: ReadonlyMap<string, string>;
}

type Missing = CreatedComposition["missing"];

/** The document of a composition, without secrets and with the names of what it uses, as far as the actor may know them. */
export async function writeDocument(
  catalog: Pick<Catalog, "get">,
  actor: Actor,
  { name, description, graph: kept }: { readonly name: string; readonly description: string; readonly graph: FlowGraph },
): Promise<CompositionExport> {
  const { graph, removed } = withoutSecrets(kept);
  const used = new Map(referencesOf(graph).map(({ reference }) => [keyOf(reference), reference]));
  const references: CompositionExport["references"] = [];
  for (const reference of used.values()) references.push({ ...reference, name: await nameOf(catalog, actor, reference) });
  return { format: compositionFormat, name, description, graph, references, leftOut: removed };
}

async function nameOf(catalog: Pick<Catalog, "get">, actor: Actor, { id }: CompositionReference): Promise<string | null> {
  return await known(catalog.get(actor, id).then((asset) => asset.name));
}

/** Null for what is not there for the actor. */
async function known<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AppError && error.status < 500) return null;
    throw error;
  }
}

/** Reads what was exported, or a bare graph. @throws AppError `invalid_graph` */
export function readDocument(document: unknown): Beginning {
  const hasFormat = typeof document === "object" && document !== null && "format" in document && typeof document.format === "string";
  if (!hasFormat) return ofGraph(document);
  const parsed = Envelope.safeParse(document);
  if (!parsed.success) {
    const fields = parsed.error.issues.map(({ path, message }) => ({ path: ["document", ...path].map(String).join("."), message }));
    throw new AppError("invalid_graph", { message: "This is no document of a composition that this version reads.", fields });
  }
  const { name, description, references } = parsed.data;
  const names = references.flatMap((reference) => (reference.name === null ? [] : [[reference.id, reference.name] as const]));
  const beginning = ofGraph(parsed.data.graph);
  return { ...beginning, name: name === "" ? beginning.name : name, description, names: new Map(names) };
}

function ofGraph(value: unknown): Beginning {
  const { graph } = readGraph(value);
  return { name: graph.name, description: graph.description, graph, names: new Map() };
}

/** The graph with ids of its own, without what is not here for the actor; and what that is. */
export async function settleIn(
  catalog: Pick<Catalog, "resolve">,
  actor: Actor,
  { graph, names }: Beginning,
): Promise<{ graph: FlowGraph; missing: Missing }> {
  const renewed = renewIds(graph, newNodeId);
  const isHere = new Map<string, boolean>();
  for (const { reference } of referencesOf(renewed)) {
    const key = keyOf(reference);
    if (isHere.has(key)) continue;
    const { id, version, kind } = reference;
    isHere.set(key, (await known(catalog.resolve(actor, "asset:read", id, version ?? undefined, kind))) !== null);
  }
  const missing: Missing = [];
  const settled = mapNodes(renewed, (node, path) => {
    const reference = referenceOf(node);
    if (reference === undefined || isHere.get(keyOf(reference)) === true) return node;
    missing.push({ path: [...path], node: node.id, reference, name: names.get(reference.id) ?? null });
    return withoutReference(node);
  });
  return { graph: settled, missing };
}

/** Random, so that graphs can be put together that were copied in different places. */
function newNodeId(): string {
  return `n${randomBytes(8).toString("hex")}`;
}
