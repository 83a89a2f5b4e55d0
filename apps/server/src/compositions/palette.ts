import type { AnalysedSlot, AnalysisDocument } from "@syla/contracts/analysis";
import type { AssetSummary } from "@syla/contracts/assets";
import type { CompositionPort } from "@syla/contracts/composition-config";
import type { compositionRoutes, PaletteItem } from "@syla/contracts/compositions";
import { flowConfigs } from "@syla/contracts/flow-kinds";
import type { RouteInput } from "@syla/contracts/route";
import type { Actor } from "../access/actor.ts";
import type { Catalog, ResolvedAsset } from "../catalog/service.ts";
import type { ReferenceContext } from "./reference-problems.ts";
import { slotConfigOf } from "./slot-config.ts";

/** What a palette is made of. */
export interface PaletteContext extends ReferenceContext {
  readonly catalog: Pick<Catalog, "resolve" | "get" | "list">;
}

type PaletteQuery = RouteInput<typeof compositionRoutes.listPalette>["query"];

const allTypes = "program,model,composition";
const atOnce = 8;
/** Of one program, so many slots and ways to start it. */
const mostSlots = 200;
const mostEntrypoints = 10;
const longestDescription = 500;

/** What starts a file of a language, where nothing has to be compiled before. */
const interpreters: Readonly<Record<string, string>> = { python: "python3", node: "node", bash: "bash" };

/** What somebody may place in a composition, a page of assets at a time. */
export async function listPalette(
  context: PaletteContext,
  actor: Actor,
  { type, q, cursor, limit, within }: PaletteQuery,
): Promise<{ items: PaletteItem[]; nextCursor: string | null }> {
  const { items, nextCursor } = await context.catalog.list(actor, {
    view: "all",
    type: type ?? allTypes,
    limit,
    ...(q === undefined ? {} : { q }),
    ...(cursor === undefined ? {} : { cursor }),
  });
  // Who may only look at something runs nothing of it.
  const usable = items.filter(({ yourLevel }) => yourLevel !== "view");
  const found: PaletteItem[] = [];
  for (let start = 0; start < usable.length; start += atOnce) {
    const part = await Promise.all(usable.slice(start, start + atOnce).map(async (asset) => await itemsOf(context, actor, asset, within)));
    found.push(...part.flat());
  }
  return { items: found, nextCursor };
}

async function itemsOf(context: PaletteContext, actor: Actor, asset: AssetSummary, within: string | undefined): Promise<PaletteItem[]> {
  const { catalog } = context;
  const version = asset.version ?? undefined;
  switch (asset.type) {
    case "program": {
      const program = await catalog.resolve(actor, "asset:run", asset.id, version, "program");
      const { analysis } = await context.analyses.ofTree(program.tree?.sha256 ?? null);
      return [...slotItems(asset, analysis), ...programItems(asset, program, analysis)];
    }
    case "model":
      return [modelItem(asset, await catalog.resolve(actor, "asset:run", asset.id, undefined, "model"))];
    case "composition":
      return [moduleItem(asset, await catalog.resolve(actor, "asset:run", asset.id, version, "composition"), within)];
    default:
      return [];
  }
}

function itemOf(asset: AssetSummary, kind: PaletteItem["kind"], part: string): PaletteItem {
  return {
    key: [kind, asset.id, part].join(" "),
    kind,
    label: asset.name,
    description: asset.description.slice(0, longestDescription),
    asset: { id: asset.id, name: asset.name, owner: asset.owner.name, version: kind === "model" ? null : asset.version },
    inputs: [],
    outputs: [],
    config: {},
    provider: null,
    unusable: null,
  };
}

function port(name: string, type: string, more: Partial<CompositionPort> = {}): CompositionPort {
  return { name, type, required: true, description: "", ...more };
}

function slotItems(asset: AssetSummary, analysis: AnalysisDocument | null): PaletteItem[] {
  return (analysis?.slots ?? []).slice(0, mostSlots).map((slot) => slotItem(asset, slot));
}

function slotItem(asset: AssetSummary, slot: AnalysedSlot): PaletteItem {
  const item = itemOf(asset, "slot", slot.qualifiedName);
  const { config, unusable } = slotConfigOf(slot, { id: asset.id, version: asset.version });
  const descriptions = new Map(slot.arguments.map(({ name, description }) => [name, description ?? ""]));
  return {
    ...item,
    label: slot.name,
    description: (slot.docstring ?? "").slice(0, longestDescription),
    inputs: (config?.inputs ?? []).map(({ name, type, default: given }) =>
      port(name, type, { required: given === undefined, description: (descriptions.get(name) ?? "").slice(0, longestDescription) }),
    ),
    outputs: config === null ? [] : [port("result", config.returns)],
    config: config ?? {},
    unusable,
  };
}

/** The program as a whole: JSON goes in by its standard input, and comes out by its standard output. */
function programItems(asset: AssetSummary, { config }: ResolvedAsset<"program">, analysis: AnalysisDocument | null): PaletteItem[] {
  const interpreter = interpreters[config.runtime];
  const found = (analysis?.entrypoints ?? [])
    .filter(({ kind }) => kind === "script" || kind === "main_guard" || kind === "inline_script" || kind === "node_script")
    .map(({ file }) => file);
  const files = [...new Set([config.entrypoint, ...found])].slice(0, mostEntrypoints);
  const { id, version } = asset;
  return files.map((file) => {
    const item = itemOf(asset, "program", file);
    const args = file === config.entrypoint ? config.args : [];
    const parsed = flowConfigs.program.safeParse({
      program: version === null ? { id } : { id, version },
      command: [interpreter ?? config.runtime, file, ...args],
    });
    return {
      ...item,
      label: file === config.entrypoint ? asset.name : `${asset.name}: ${file}`,
      outputs: [port("result", "Any")],
      config: parsed.data ?? {},
      unusable:
        interpreter === undefined
          ? "Only programs in Python, JavaScript and shell can be placed as a whole."
          : parsed.success
            ? null
            : "Its arguments are too long for a node.",
    };
  });
}

/** How a composition reaches a model outside of this server; here the gateway does. */
const providers = {
  openai: "openai",
  "openai-compatible": "openai",
  ollama: "ollama",
  watsonx: "watsonx",
  anthropic: "litellm",
  azure: "litellm",
} as const;

function modelItem(asset: AssetSummary, { config }: ResolvedAsset<"model">): PaletteItem {
  const { temperature, maxTokens, seed } = config.parameters;
  const options = {
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(seed === undefined ? {} : { seed }),
  };
  const node = { model: { id: asset.id }, provider: providers[config.provider], modelId: config.modelId, options };
  return {
    ...itemOf(asset, "model", ""),
    outputs: [port("model", "MelleaSession")],
    config: flowConfigs.model.parse(node),
    provider: config.provider,
  };
}

function moduleItem(asset: AssetSummary, { config }: ResolvedAsset<"composition">, within: string | undefined): PaletteItem {
  const { id, version } = asset;
  const containsIt = within !== undefined && (id === within || config.references.some((reference) => reference.id === within));
  return {
    ...itemOf(asset, "module", ""),
    inputs: config.inputs,
    outputs: config.outputs,
    config: { composition: version === null ? { id } : { id, version } },
    unusable: containsIt ? "It would contain itself." : config.problems > 0 ? "It has errors." : null,
  };
}
