import { hash } from "node:crypto";
import type { CompositionReference } from "@syla/contracts/composition-config";
import { AppError } from "@syla/contracts/errors";
import type { FlowGraph } from "@syla/contracts/flow";
import { mapNodes, walkNodes } from "@syla/flow/walk";
import type { Actor } from "../access/actor.ts";
import type { ResolvedAsset } from "../catalog/service.ts";
import type { ResolvedReference, RunnableComposition } from "../compositions/service.ts";
import type { Models } from "../models/service.ts";

/** What references are looked up in. */
export interface ReferencesContext {
  readonly models: Pick<Models, "resolveNames" | "checkForRun">;
}

/** What a part of a composition uses, brought to the form in which it is run. */
export interface ResolvedReferences {
  /** With models by the ids that the gateway knows them by. */
  readonly graph: FlowGraph;
  readonly references: readonly CompositionReference[];
  readonly programs: readonly ResolvedAsset<"program">[];
  readonly models: readonly string[];
  /** What each program and model is made of, by its id. */
  readonly digests: ReadonlyMap<string, string>;
}

/**
 * Brings a part of a composition to the form in which it is run. `model`: in place of every model in it.
 *
 * @throws AppError `dependency_conflict`, `unknown_model`, `forbidden`, `credential_missing`
 */
export async function resolveReferences(
  { models }: ReferencesContext,
  actor: Actor,
  { references }: Pick<RunnableComposition, "references">,
  graph: FlowGraph,
  model: string | undefined,
): Promise<ResolvedReferences> {
  const used = usedIn(graph);
  const programs = requireOneVersion(
    references.flatMap(({ asset }) => (asset.asset.type === "program" && used.has(asset.asset.id) ? [asset] : [])),
  );
  const called = await idsOf(models, actor, graph, model);
  const ids = [...new Set(called.values())];
  await models.checkForRun(actor, ids);
  const revisions = new Map(references.map(({ asset }) => [asset.asset.id, asset.asset.revision]));
  const digests = new Map([
    ...programs.map((program) => [program.asset.id, digestOf(program)] as const),
    ...ids.map((id) => [id, digest([id, revisions.get(id) ?? null])] as const),
  ]);
  const resolved = mapNodes(graph, (node) => {
    if (node.kind !== "model") return node;
    const id = called.get(nameOf(node.config, model)) ?? node.config.modelId;
    const { baseUrl: _baseUrl, ...config } = node.config;
    // Every model is reached through the gateway, which speaks this for all of them.
    return { ...node, config: { ...config, model: { id }, provider: "ollama", modelId: id } };
  });
  const others = references.flatMap(({ reference }) => (reference.kind === "model" ? [] : [reference]));
  const all = [...others, ...ids.map((id): CompositionReference => ({ kind: "model", id, version: null }))];
  return { graph: resolved, references: all, programs, models: ids, digests };
}

/** What the programs and models that a graph names are made of, by their ids. A module is a copy: of what it was taken from nothing is asked. */
export function digestsOf(references: readonly ResolvedReference[]): Map<string, string> {
  return new Map(
    references.flatMap(({ asset }) => (asset.asset.type === "composition" ? [] : [[asset.asset.id, digestOf(asset)] as const])),
  );
}

function digestOf({ asset, tree, config }: ResolvedAsset): string {
  return digest(asset.type === "model" ? [asset.id, asset.revision] : [tree?.sha256 ?? null, config]);
}

function digest(parts: readonly unknown[]): string {
  return hash("sha256", JSON.stringify(parts));
}

function nameOf(
  config: { readonly model?: { readonly id: string } | undefined; readonly modelId: string },
  model: string | undefined,
): string {
  return model ?? config.model?.id ?? config.modelId;
}

function usedIn(graph: FlowGraph): Set<string> {
  return new Set(
    [...walkNodes(graph)].flatMap(({ node }) =>
      (node.kind === "program" || node.kind === "slot") && node.config.program ? [node.config.program.id] : [],
    ),
  );
}

function requireOneVersion(programs: readonly ResolvedAsset[]): ResolvedAsset<"program">[] {
  const found = new Map<string, ResolvedAsset<"program">>();
  for (const program of programs as readonly ResolvedAsset<"program">[]) {
    const { asset, version } = program;
    const known = found.get(asset.id);
    if (known !== undefined)
      throw new AppError("dependency_conflict", {
        message: `The composition uses two versions of ${asset.name}: ${[known.version, version].map((one) => one ?? "what is there now").join(" and ")}.`,
        hint: "Let all nodes of that program use one version.",
        details: { program: asset.id },
      });
    found.set(asset.id, program);
  }
  return [...found.values()];
}

/** The id of each model, by what the graph calls it. */
async function idsOf(
  models: ReferencesContext["models"],
  actor: Actor,
  graph: FlowGraph,
  model: string | undefined,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { node } of walkNodes(graph)) {
    if (node.kind !== "model") continue;
    const name = nameOf(node.config, model);
    const [id] = found.has(name) ? [] : await models.resolveNames(actor, [name]);
    if (id !== undefined) found.set(name, id);
  }
  return found;
}
