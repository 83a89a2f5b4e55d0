import type {
  CompositionCode,
  CompositionDiff,
  CompositionExport,
  CompositionGraph,
  CompositionInput,
  CompositionProblem,
  compositionRoutes,
  CreatedComposition,
  PaletteItem,
} from "@syla/contracts/compositions";
import { AppError } from "@syla/contracts/errors";
import type { FlowGraph } from "@syla/contracts/flow";
import type { Template } from "@syla/contracts/imports";
import type { RouteInput } from "@syla/contracts/route";
import { hashGraph } from "@syla/flow/canonical";
import { compileGraph } from "@syla/flow/compile";
import { diffGraphs } from "@syla/flow/diff";
import { referencesOf } from "@syla/flow/references";
import { cleanText } from "@syla/flow/text";
import { withoutSecrets } from "@syla/flow/without-secrets";
import { LRUCache } from "lru-cache";
import type { Actor } from "../access/actor.ts";
import type { Catalog, ResolvedAsset } from "../catalog/service.ts";
import type { BlobRef } from "../platform/blobs.ts";
import type { Revision } from "../platform/revision.ts";
import type { Trees } from "../platform/trees.ts";
import { readDocument, settleIn, writeDocument, type Beginning } from "./documents.ts";
import { emptyGraph, lookAt, placeOf, readGraph, type GraphFiles, type KeptGraph } from "./graph-files.ts";
import { listPalette, type PaletteContext } from "./palette.ts";
import { findReferenceProblems } from "./reference-problems.ts";
import { findReferences, type ResolvedReference } from "./references.ts";
import type { CompositionTemplates } from "./templates.ts";

export type { ResolvedReference } from "./references.ts";

/** What compositions are made of. */
export interface CompositionsContext extends PaletteContext {
  readonly catalog: Pick<Catalog, "create" | "get" | "list" | "update" | "resolve" | "requireChangeable" | "requireCreatable">;
  readonly trees: Pick<Trees, "put" | "read">;
  readonly graphs: GraphFiles;
  readonly templates: CompositionTemplates;
  readonly uploads: {
    /** @returns those that are new to them */
    recordUploads(actor: Actor, blobs: readonly BlobRef[]): Promise<readonly BlobRef[]>;
    /** All but what is in files of theirs. */
    forgetUploads(actor: Actor, blobs: readonly BlobRef[]): Promise<void>;
  };
}

/** A composition that somebody may run: its graph has no errors, and they may run all that it uses. */
export interface RunnableComposition {
  readonly asset: ResolvedAsset<"composition">["asset"];
  /** Null: the draft. */
  readonly version: string | null;
  readonly graph: FlowGraph;
  readonly hash: string;
  readonly references: readonly ResolvedReference[];
}

/** The word for the draft, where a version could stand. */
const head = "head";
const longestName = 100;
const longestDescription = 1000;
/** So many problems are told at once. */
const mostProblems = 2000;
const mostToldProblems = 100;
/** Compiled files in memory. */
const codeBytes = 64 * 1024 ** 2;

/** Compositions: assets of one graph. Every call checks the actor's permission. */
export class Compositions {
  readonly #context: CompositionsContext;
  readonly #code = new LRUCache<string, CompositionCode>({ maxSize: codeBytes, sizeCalculation: ({ code }) => code.length * 3 + 1 });

  constructor(context: CompositionsContext) {
    this.#context = context;
  }

  templates(): Template[] {
    return this.#context.templates.list();
  }

  /** @throws AppError `forbidden`, `name_taken`, `invalid_graph`, `template_unknown`, `quota_exceeded` */
  async create(actor: Actor, input: CompositionInput): Promise<CreatedComposition> {
    const { catalog } = this.#context;
    const beginning = this.#beginning(input);
    const name = input.name ?? nameFor(beginning.name);
    const { ownerId, tags, visibility } = input;
    if (input.name !== undefined) await catalog.requireCreatable(actor, { type: "composition", name, ownerId });
    const { graph, missing } = await settleIn(catalog, actor, beginning);
    const kept = readGraph({ ...graph, name: graph.name.trim() === "" ? name : graph.name });
    const { tree, fresh } = await this.#store(actor, kept);
    const description = input.description ?? beginning.description.replaceAll("\0", "").toWellFormed().trim().slice(0, longestDescription);
    const wish = {
      type: "composition",
      name,
      anotherName: input.name === undefined,
      description,
      ownerId,
      tags,
      visibility,
      tree,
    } as const;
    const asset = await this.#orForgotten(actor, fresh, catalog.create(actor, wish));
    return { asset, missing };
  }

  /** @throws AppError `not_found`, `asset_deleted` */
  async graph(actor: Actor, id: string, version: string | undefined): Promise<CompositionGraph> {
    const { asset, kept, version: at } = await this.#load(actor, id, version);
    return { graph: kept.graph, revision: asset.revision, version: at, hash: kept.hash };
  }

  /** Puts another graph in place of the draft. @throws AppError `invalid_graph`, `revision_conflict`, `quota_exceeded` */
  async put(actor: Actor, id: string, value: unknown, revision: Revision | undefined): Promise<CompositionGraph> {
    const { catalog, trees, uploads } = this.#context;
    const before = await catalog.resolve(actor, "asset:edit", id, undefined, "composition");
    await catalog.requireChangeable(actor, id, revision, "composition");
    const kept = readGraph(value, id);
    const { tree, fresh } = await this.#store(actor, kept);
    const answer = (now: number): CompositionGraph => ({ graph: kept.graph, revision: now, version: null, hash: kept.hash });
    if (tree.sha256 === before.tree?.sha256 && (revision === "*" || revision === before.asset.revision))
      return answer(before.asset.revision);
    const changed = await this.#orForgotten(actor, fresh, catalog.update(actor, id, { tree }, revision));
    // A draft is saved again and again: what it was is kept where something else has it.
    if (before.tree !== null) await uploads.forgetUploads(actor, await trees.read(before.tree.sha256));
    return answer(changed.revision);
  }

  /** @throws AppError `not_found`, `asset_deleted` */
  async problems(actor: Actor, id: string, version: string | undefined): Promise<CompositionProblem[]> {
    const { kept } = await this.#load(actor, id, version);
    return await this.#allProblems(actor, kept.graph, kept.problems, id);
  }

  /** What is wrong with what may be anything. */
  async check(actor: Actor, value: unknown, composition: string | undefined): Promise<CompositionProblem[]> {
    const { graph, problems } = lookAt(value, composition);
    return graph === undefined ? toProblems(problems) : await this.#allProblems(actor, graph, problems, composition);
  }

  /** @throws AppError `composition_invalid` */
  async code(actor: Actor, id: string, version: string | undefined): Promise<CompositionCode> {
    const { kept } = await this.#load(actor, id, version);
    requireSound(kept);
    const known = this.#code.get(kept.hash);
    if (known !== undefined) return known;
    const { source, lines } = compileGraph(kept.graph);
    const code = { code: source, hash: kept.hash, lines };
    this.#code.set(kept.hash, code);
    return code;
  }

  /** From the newest version to the draft when nothing is said. */
  async diff(
    actor: Actor,
    id: string,
    ends: { readonly from?: string | undefined; readonly to?: string | undefined },
  ): Promise<CompositionDiff> {
    const { version } = await this.#context.catalog.get(actor, id);
    const from = ends.from ?? version;
    const to = ends.to ?? head;
    const at = async (end: string) => (await this.#load(actor, id, end === head ? undefined : end)).kept.graph;
    const after = await at(to);
    return { from, to, ...diffGraphs(from === null ? emptyGraph("") : await at(from), after) };
  }

  async export(actor: Actor, id: string, version: string | undefined): Promise<CompositionExport> {
    const { catalog } = this.#context;
    const { kept } = await this.#load(actor, id, version);
    const { name, description } = await catalog.get(actor, id);
    return await writeDocument(catalog, actor, { name, description, graph: kept.graph });
  }

  async palette(
    actor: Actor,
    query: RouteInput<typeof compositionRoutes.listPalette>["query"],
  ): Promise<{ items: PaletteItem[]; nextCursor: string | null }> {
    return await listPalette(this.#context, actor, query);
  }

  /**
   * A composition for a run: whoever runs it may run it and everything that it uses.
   *
   * @throws AppError `not_found`, `forbidden`, `asset_deleted`, `composition_invalid`, `reference_unusable`
   */
  async forRun(actor: Actor, id: string, version: string | undefined): Promise<RunnableComposition> {
    const { asset, kept, version: at } = await this.#load(actor, id, version, "asset:run");
    requireSound(kept);
    const { references, refused } = await this.#references(actor, kept.graph);
    const [first] = refused;
    if (first !== undefined)
      throw new AppError("reference_unusable", {
        message: first.message,
        details: { references: refused.slice(0, mostToldProblems).map(({ reference, state }) => ({ ...reference, state })) },
      });
    return { asset, version: at, graph: kept.graph, hash: kept.hash, references };
  }

  /** A graph that is not stored, and what of it somebody may run. @throws AppError `invalid_graph` */
  async unstored(actor: Actor, value: unknown): Promise<Pick<RunnableComposition, "graph" | "references">> {
    const { graph } = readGraph(value);
    return { graph, references: (await this.#references(actor, graph)).references };
  }

  async #references(actor: Actor, graph: FlowGraph) {
    const used = referencesOf(graph).map(({ reference }) => reference);
    const found = [...(await findReferences(this.#context.catalog, actor, used)).values()];
    return {
      references: found.flatMap((one) => ("state" in one ? [] : [one])),
      refused: found.flatMap((one) => ("state" in one ? [one] : [])),
    };
  }

  #beginning({ template, document, name }: CompositionInput): Beginning {
    if (template !== undefined && document !== undefined)
      throw new AppError("invalid_request", { fields: [{ path: "document", message: "give either a template or a document" }] });
    if (template !== undefined) return this.#context.templates.get(template);
    if (document !== undefined) return readDocument(document);
    return { name: name ?? "", description: "", graph: emptyGraph(name ?? ""), names: new Map() };
  }

  async #load(
    actor: Actor,
    id: string,
    version: string | undefined,
    action: "asset:read" | "asset:run" = "asset:read",
  ): Promise<{ asset: ResolvedAsset<"composition">["asset"]; kept: KeptGraph; version: string | null }> {
    const { catalog, trees, graphs } = this.#context;
    const { asset, tree, version: at } = await catalog.resolve(actor, action, id, version, "composition");
    if (tree === null) throw new AppError("not_found", { message: "This has no graph." });
    const kept = await graphs.read(await trees.read(tree.sha256));
    return { asset, kept: actor.via === "link" ? withoutTheirSecrets(kept) : kept, version: at };
  }

  async #store(actor: Actor, kept: KeptGraph) {
    const { graphs, trees, uploads } = this.#context;
    const entry = await graphs.write(kept);
    const fresh = await uploads.recordUploads(actor, [entry]);
    return { tree: await this.#orForgotten(actor, fresh, trees.put([entry])), fresh };
  }

  async #allProblems(actor: Actor, graph: FlowGraph, own: KeptGraph["problems"], id: string | undefined): Promise<CompositionProblem[]> {
    return [...toProblems(own), ...(await findReferenceProblems(this.#context, actor, graph, id))].slice(0, mostProblems);
  }

  /** What was stored for something that did not come about is given back to their quota. */
  async #orForgotten<T>(actor: Actor, fresh: readonly BlobRef[], work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      await this.#context.uploads.forgetUploads(actor, fresh);
      throw error;
    }
  }
}

/** What somebody sees of a graph who has nothing but a link to it. */
function withoutTheirSecrets({ graph: whole, problems }: KeptGraph): KeptGraph {
  const { graph } = withoutSecrets(whole);
  return { graph, problems, hash: hashGraph(graph) };
}

function toProblems(problems: KeptGraph["problems"]): CompositionProblem[] {
  return problems.slice(0, mostProblems).map(({ fix, ...problem }) => ({ ...problem, ...(fix === undefined ? {} : { fix }) }));
}

/** A name for something new, of whatever a document calls itself. */
function nameFor(text: string): string {
  const clean = cleanText(text).toWellFormed().trim().slice(0, longestName).toWellFormed().trim();
  return clean === "" ? "Composition" : clean;
}

function requireSound({ problems }: KeptGraph): void {
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return;
  throw new AppError("composition_invalid", {
    message: `The composition has ${errors.length === 1 ? "an error" : `${errors.length} errors`}: ${errors[0]?.message}`,
    fields: errors.slice(0, mostToldProblems).map((problem) => ({ path: placeOf(problem), message: problem.message })),
    details: { problems: errors.slice(0, mostToldProblems) },
  });
}
