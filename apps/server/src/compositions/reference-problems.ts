import type { CompositionReference } from "@syla/contracts/composition-config";
import type { CompositionProblem } from "@syla/contracts/compositions";
import type { FlowBody, FlowNode } from "@syla/contracts/flow";
import { referencesOf, type NodeReference } from "@syla/flow/references";
import type { Actor } from "../access/actor.ts";
import type { Catalog, ResolvedAsset } from "../catalog/service.ts";
import { secretsWithin } from "../program-runs/service.ts";
import type { KeptAnalyses } from "../programs/analysis/kept/service.ts";
import { findReferences, keyOf, type FoundReference } from "./references.ts";
import { describeChange, slotConfigOf } from "./slot-config.ts";

/** What is looked at. */
export interface ReferenceContext {
  readonly catalog: Pick<Catalog, "resolve" | "get">;
  readonly analyses: Pick<KeptAnalyses, "ofTree">;
}

type Analysis = Awaited<ReturnType<KeptAnalyses["ofTree"]>>;

/** What is wrong with what a graph uses, for somebody who wants to run it. */
export async function findReferenceProblems(
  context: ReferenceContext,
  actor: Actor,
  graph: FlowBody,
  composition: string | undefined,
): Promise<CompositionProblem[]> {
  const used = referencesOf(graph);
  const found = await findReferences(
    context.catalog,
    actor,
    used.map(({ reference }) => reference),
  );
  const analyses = new Map<string, Promise<Analysis>>();
  const analysisOf = async (tree: string): Promise<Analysis> => {
    const known = analyses.get(tree) ?? context.analyses.ofTree(tree);
    analyses.set(tree, known);
    return await known;
  };
  const newest = new Map<string, Promise<string | null>>();
  const newestOf = async (id: string): Promise<string | null> => {
    const known = newest.get(id) ?? context.catalog.get(actor, id).then(({ version }) => version);
    newest.set(id, known);
    return await known;
  };
  const modules = modulesOf(used);
  const asked = new Set<string>();
  const problems: CompositionProblem[] = [];
  for (const place of used) {
    const answer = found.get(keyOf(place.reference));
    if (answer === undefined) continue;
    const isFirst = !asked.has(place.reference.id);
    asked.add(place.reference.id);
    if (isFirst && !("state" in answer)) problems.push(...(await secretProblems(context, actor, place, answer, composition)));
    if ("state" in answer) problems.push(unusable(place, answer));
    // What changes within a module is a matter of where the module is from.
    else if (!isWithin(modules, place.path)) problems.push(...(await outdated(place, answer, analysisOf, newestOf)));
  }
  return problems;
}

/** What becomes of the secrets of a program, for somebody who runs the composition: told once for each program. */
async function secretProblems(
  { catalog }: ReferenceContext,
  actor: Actor,
  { path, node, reference }: NodeReference,
  { asset: found }: Extract<FoundReference, { asset: unknown }>,
  composition: string | undefined,
): Promise<CompositionProblem[]> {
  if (!isProgram(found)) return [];
  const { given, withheld, isRefused } = await secretsWithin(catalog, actor, found, composition);
  const at = { path, node: node.id, reference };
  const names = given.map(({ variable }) => variable).join(", ");
  const problems: CompositionProblem[] = [];
  if (isRefused) {
    const message = `It has secrets of its owner (${names}), which other code here could read: whoever may change both may run it.`;
    problems.push({ code: "secrets_refused", severity: "error", ...at, message });
  } else if (given.length > 0) {
    const message = `All code of this composition can read its secrets (${names}) in your runs.`;
    problems.push({ code: "secrets_shared", severity: "warning", ...at, message });
  }
  if (withheld.length > 0) {
    const message = `Your runs do not get its secrets ${withheld.join(", ")}.`;
    problems.push({ code: "secrets_withheld", severity: "warning", ...at, message });
  }
  return problems;
}

function isProgram(found: ResolvedAsset): found is ResolvedAsset<"program"> {
  return found.asset.type === "program";
}

function unusable({ path, node, reference }: NodeReference, found: Extract<FoundReference, { state: string }>): CompositionProblem {
  return {
    code: `reference_${found.state}`,
    severity: "error",
    path,
    node: node.id,
    message: found.message,
    reference,
    ...(node.kind === "module" ? { fix: { action: "detach_module", node: node.id } } : {}),
  };
}

async function outdated(
  place: NodeReference,
  { asset }: Extract<FoundReference, { asset: unknown }>,
  analysisOf: (tree: string) => Promise<Analysis>,
  newestOf: (id: string) => Promise<string | null>,
): Promise<CompositionProblem[]> {
  const { node, reference } = place;
  if (node.kind === "module") {
    const newest = await newestOf(reference.id);
    return newest === null || newest === reference.version ? [] : [updateAvailable(place, newest)];
  }
  if (node.kind !== "slot" || asset.tree === null) return [];
  const { analysis } = await analysisOf(asset.tree.sha256);
  return analysis === null ? [] : checkSlot(place, node, analysis);
}

function updateAvailable({ path, node, reference }: NodeReference, version: string): CompositionProblem {
  return {
    code: "update_available",
    severity: "warning",
    path,
    node: node.id,
    message: `The module has a newer version, ${version}.`,
    reference,
    fix: { action: "update_module", node: node.id, composition: reference.id, version },
  };
}

function checkSlot(
  { path, reference }: NodeReference,
  { id, config }: Extract<FlowNode, { kind: "slot" }>,
  analysis: NonNullable<Analysis["analysis"]>,
): CompositionProblem[] {
  const slot = analysis.slots.find(({ name, module }) => name === config.name && module === config.module);
  const at = { path, node: id, reference };
  // What did not fit into the analysis, or was not looked at, may be there.
  if (slot === undefined)
    return analysis.complete && analysis.leftOut.slots === 0
      ? [{ code: "slot_missing", severity: "error", ...at, message: `The program has no slot ${config.name}.` }]
      : [];
  const now = slotConfigOf(slot, reference);
  if (now.config === null) return [{ code: "slot_missing", severity: "error", ...at, message: `The slot cannot be used: ${now.unusable}` }];
  const change = describeChange(config, now.config);
  if (change === null) return [];
  const { requirements, loopBudget } = config;
  return [
    {
      code: "slot_changed",
      severity: "warning",
      ...at,
      message: `The slot is another one than the node knows: ${change}.`,
      fix: { action: "set_config", node: id, config: { ...now.config, requirements, loopBudget } },
    },
  ];
}

/** The places of modules that were taken from somewhere. */
function modulesOf(used: readonly { path: readonly string[]; node: FlowNode; reference: CompositionReference }[]): Set<string> {
  return new Set(used.flatMap(({ path, node }) => (node.kind === "module" ? [[...path, node.id].join("/")] : [])));
}

function isWithin(modules: ReadonlySet<string>, path: readonly string[]): boolean {
  return path.some((_, index) => modules.has(path.slice(0, index + 1).join("/")));
}
