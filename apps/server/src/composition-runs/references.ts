import { hash } from "node:crypto";
import type { CompositionReference } from "@syla/contracts/composition-config";
import { AppError } from "@syla/contracts/errors";
import type { FlowGraph } from "@syla/contracts/flow";
import type { Actor } from "../access/actor.ts";
import type { Catalog, ResolvedAsset } from "../catalog/service.ts";
import type { Models } from "../models/service.ts";
import { mapNodes, nodesOf } from "./graph-nodes.ts";

/** What references are looked up in. */
export interface ReferencesContext {
  readonly catalog: Pick<Catalog, "resolve">;
  readonly models: Pick<Models, "resolveNames" | "checkForRun">;
}

/** What a composition uses, as it is now for somebody who may run all of it. */
export interface ResolvedReferences {
  /** With models by the ids that the gateway knows them by. */
  readonly graph: FlowGraph;
  readonly references: readonly CompositionReference[];
  readonly programs: readonly ResolvedAsset<"program">[];
  readonly models: readonly string[];
  /** What each program and model is made of, by its id. */
  readonly digests: ReadonlyMap<string, string>;
}

/** Looks up what a graph names. `model`: in place of every model in it. @throws AppError `reference_unusable`, `unknown_model`, … */
export async function resolveReferences(
  context: ReferencesContext,
  actor: Actor,
  graph: FlowGraph,
  model: string | undefined,
): Promise<ResolvedReferences> {
  const programs = await resolvePrograms(context, actor, graph);
  const modules = await resolveModules(context, actor, graph);
  const models = await resolveModels(context, actor, graph, model);
  await context.models.checkForRun(actor, [...new Set(models.values())]);
  const ids = [...new Set(models.values())];
  const digests = new Map(programs.map(({ asset, tree, config }) => [asset.id, digest([tree?.sha256 ?? null, config])]));
  const modelReferences: CompositionReference[] = [];
  for (const id of ids) {
    const revision = await revisionOf(context, actor, id);
    digests.set(id, digest([id, revision]));
    modelReferences.push({ kind: "model", id, version: null });
  }
  const resolved = mapNodes(graph, (node) => {
    if (node.kind !== "model") return node;
    const id = models.get(model ?? node.config.model?.id ?? node.config.modelId) ?? node.config.modelId;
    const { baseUrl: _baseUrl, ...config } = node.config;
    // Every model is reached through the gateway, which speaks this for all of them.
    return { ...node, config: { ...config, model: { id }, provider: "ollama", modelId: id } };
  });
  const programReferences = programs.map(({ asset, version }): CompositionReference => ({ kind: "program", id: asset.id, version }));
  return { graph: resolved, references: [...programReferences, ...modelReferences, ...modules], programs, models: ids, digests };
}

function digest(parts: readonly unknown[]): string {
  return hash("sha256", JSON.stringify(parts));
}

/** A model of somebody else's may be used by who cannot look at it: then it is known by its id alone. */
async function revisionOf({ catalog }: ReferencesContext, actor: Actor, id: string): Promise<number | null> {
  return await catalog.resolve(actor, "asset:run", id, undefined, "model").then(
    ({ asset }) => asset.revision,
    () => null,
  );
}

async function resolvePrograms({ catalog }: ReferencesContext, actor: Actor, graph: FlowGraph): Promise<ResolvedAsset<"program">[]> {
  const found = new Map<string, ResolvedAsset<"program">>();
  for (const { node, path } of nodesOf(graph)) {
    const named = node.kind === "program" || node.kind === "slot" ? node.config.program : undefined;
    if (named === undefined) continue;
    const known = found.get(named.id);
    const version = named.version ?? null;
    if (known === undefined)
      found.set(
        named.id,
        await usable(path, "program", named.id, () => catalog.resolve(actor, "asset:run", named.id, named.version, "program")),
      );
    else if (known.version !== version)
      throw new AppError("dependency_conflict", {
        message: `The composition uses two versions of one program: ${known.asset.name} ${known.version ?? "as it is"} and ${version ?? "as it is"}.`,
        hint: "Let all nodes of that program use one version.",
        details: { program: named.id, node: path },
      });
  }
  return [...found.values()];
}

async function resolveModules({ catalog }: ReferencesContext, actor: Actor, graph: FlowGraph): Promise<CompositionReference[]> {
  const found = new Map<string, CompositionReference>();
  for (const { node, path } of nodesOf(graph)) {
    const named = node.kind === "module" ? node.config.composition : undefined;
    if (named === undefined) continue;
    await usable(path, "composition", named.id, () => catalog.resolve(actor, "asset:run", named.id, named.version, "composition"));
    found.set(`${named.id} ${named.version ?? ""}`, { kind: "composition", id: named.id, version: named.version ?? null });
  }
  return [...found.values()];
}

/** The id of each model, by what the graph calls it. */
async function resolveModels(
  { models }: ReferencesContext,
  actor: Actor,
  graph: FlowGraph,
  model: string | undefined,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { node, path } of nodesOf(graph)) {
    if (node.kind !== "model") continue;
    const name = model ?? node.config.model?.id ?? node.config.modelId;
    if (found.has(name)) continue;
    const [id] = await usable(path, "model", name, () => models.resolveNames(actor, [name]));
    if (id !== undefined) found.set(name, id);
  }
  return found;
}

async function usable<T>(path: string, kind: CompositionReference["kind"], id: string, find: () => Promise<T>): Promise<T> {
  try {
    return await find();
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    throw new AppError("reference_unusable", {
      message: `The node ${path} uses a ${kind} that you cannot run: ${error.message}`,
      details: { node: path, kind, id, code: error.code },
    });
  }
}
