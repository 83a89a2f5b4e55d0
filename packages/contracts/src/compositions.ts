import { z } from "zod";
import { Visibility } from "./access.ts";
import { ifMatch, tags } from "./asset-fields.ts";
import { Asset } from "./assets.ts";
import { CompositionPort, CompositionReference } from "./composition-config.ts";
import { description, name } from "./fields.ts";
import { FlowGraph } from "./flow.ts";
import { flowKinds, type FlowKind } from "./flow-kinds.ts";
import { pageQuery } from "./page.ts";
import { route } from "./route.ts";

/** How large the document of a composition may be as JSON, and how much of the catalog it may use. */
export const compositionLimits = { bytes: 16 * 1024 * 1024, references: 500 } as const;

/** The schema in the type that every reader of graphs has: zod cannot tell it of graphs that hold graphs. */
const graph = FlowGraph as unknown as z.ZodType<FlowGraph>;
/** It is read by packages/flow, which walks it without recursion first: what comes in may be as deep as it likes. */
const anyGraph = z.unknown().describe("a FlowGraph; see composition.schema.gen.json");

/** The graph of a composition. Its `ETag` is its revision. */
export const CompositionGraph = z
  .object({
    graph,
    revision: z.int().describe("of the draft"),
    version: z.string().nullable().describe("null: the draft"),
    hash: z.string().describe("SHA-256 of what it does"),
  })
  .meta({ id: "CompositionGraph" });
export type CompositionGraph = z.infer<typeof CompositionGraph>;

const kind = z.enum(flowKinds as [FlowKind, ...FlowKind[]]);

/** A change that mends a problem, made in the graph that the problem's path leads to. `applyFix` of packages/flow makes it. */
export const CompositionFix = z
  .discriminatedUnion("action", [
    z.object({ action: z.literal("remove_node"), node: z.string() }),
    z.object({ action: z.literal("remove_edge"), edge: z.string() }),
    z.object({ action: z.literal("set_label"), node: z.string(), label: z.string() }),
    z.object({ action: z.literal("set_id"), index: z.int(), id: z.string() }),
    z.object({ action: z.literal("set_type"), node: z.string(), type: z.string() }),
    z
      .object({ action: z.literal("set_config"), node: z.string(), config: z.record(z.string(), z.unknown()) })
      .describe("wires to ports that it then does not have are removed"),
    z.object({ action: z.literal("detach_module"), node: z.string() }).describe("the graph within stays, and belongs to nothing else"),
    z
      .object({ action: z.literal("update_module"), node: z.string(), composition: z.string(), version: z.string() })
      .describe("read the graph of that version, then `updateModule` of packages/flow"),
  ])
  .meta({ id: "CompositionFix" });
export type CompositionFix = z.infer<typeof CompositionFix>;

/** What only the server knows to be wrong, besides the problems of packages/flow. */
export const referenceProblems = [
  "reference_missing",
  "reference_deleted",
  "reference_forbidden",
  "slot_changed",
  "slot_missing",
  "update_available",
  "secrets_shared",
  "secrets_refused",
  "secrets_withheld",
] as const;

/** Something wrong with a composition, and where. With an error it is not run; with warnings it is. */
export const CompositionProblem = z
  .object({
    code: z.string().describe(`of packages/flow, or one of ${referenceProblems.join(", ")}`),
    severity: z.enum(["error", "warning"]),
    path: z.array(z.string()).readonly().describe("the nodes whose graphs lead to the one that is meant, outermost first"),
    node: z.string().optional(),
    port: z.string().optional(),
    edge: z.string().optional(),
    message: z.string(),
    fix: CompositionFix.optional(),
    reference: CompositionReference.optional().describe("what it is about"),
  })
  .meta({ id: "CompositionProblem" });
export type CompositionProblem = z.infer<typeof CompositionProblem>;

/** A composition as one Python file. */
export const CompositionCode = z
  .object({
    code: z.string(),
    hash: z.string().describe("of the graph: equal graphs are equal files"),
    lines: z
      .array(z.object({ path: z.array(z.string()).readonly(), node: z.string(), from: z.int(), to: z.int() }))
      .describe("where each node is, counted from 1; one may have several places"),
  })
  .meta({ id: "CompositionCode" });
export type CompositionCode = z.infer<typeof CompositionCode>;

const changedAt = { path: z.array(z.string()).readonly() };
const side = z.object({ node: z.string(), port: z.string() });

/** What leads from one graph to another: nodes are the same when they have the same id, wires by their ends. */
export const CompositionDiff = z
  .object({
    from: z.string().nullable().describe("a version or `head`; null: nothing has been published"),
    to: z.string(),
    nodes: z.array(
      z.union([
        z.object({ ...changedAt, node: z.string(), change: z.enum(["added", "removed", "moved"]) }),
        z.object({ ...changedAt, node: z.string(), change: z.literal("changed"), fields: z.array(z.string()) }),
      ]),
    ),
    edges: z.array(z.object({ ...changedAt, change: z.enum(["added", "removed"]), from: side, to: side })),
  })
  .meta({ id: "CompositionDiff" });
export type CompositionDiff = z.infer<typeof CompositionDiff>;

/** Something of the catalog that may be placed as a node. */
export const PaletteItem = z
  .object({
    key: z.string().describe("the same for the same thing"),
    kind: kind.extract(["slot", "program", "model", "module"]),
    label: z.string(),
    description: z.string(),
    asset: z.object({
      id: z.string(),
      name: z.string(),
      owner: z.string().describe("whose it is"),
      version: z.string().nullable().describe("the newest that was published; null: none was, and what is there now is taken"),
    }),
    inputs: z.array(CompositionPort),
    outputs: z.array(CompositionPort),
    config: z.record(z.string(), z.unknown()).describe("of the node; a module needs the graph besides, see `GET …/graph`"),
    provider: z.string().nullable().describe("of a model"),
    unusable: z.string().nullable().describe("why it cannot be placed"),
  })
  .meta({ id: "PaletteItem" });
export type PaletteItem = z.infer<typeof PaletteItem>;

/** What a document leaves out, so that it can be given to anybody. */
export const LeftOut = z
  .object({ path: z.array(z.string()).readonly(), node: z.string(), field: z.string(), reason: z.string() })
  .meta({ id: "LeftOut" });
export type LeftOut = z.infer<typeof LeftOut>;

export const compositionFormat = "syla.composition/1";

/** A composition to be given away: no secrets, nothing of who has it. A bare graph can be imported as well. */
export const CompositionExport = z
  .object({
    format: z.literal(compositionFormat),
    name: z.string(),
    description: z.string(),
    graph,
    references: z.array(
      CompositionReference.extend({ name: z.string().nullable().describe("for people; null: whoever exported may not know") }),
    ),
    leftOut: z.array(LeftOut),
  })
  .meta({ id: "CompositionExport" });
export type CompositionExport = z.infer<typeof CompositionExport>;

export const CompositionInput = z
  .strictObject({
    name: name.optional().describe("that of the template or the document when left out; a free one like it"),
    description: description.optional(),
    tags: tags.default([]),
    ownerId: z.string().min(1).max(64).optional().describe("you, or one of your teams; you when left out"),
    visibility: Visibility.default("private"),
    template: z.string().max(100).optional().describe("begin with a template"),
    document: z.unknown().optional().describe("begin with what was exported, or with a graph; its nodes get new ids"),
  })
  .meta({ id: "CompositionInput" });
export type CompositionInput = z.output<typeof CompositionInput>;

/** A new composition, and what its document named that is not here: such references are left out. */
export const CreatedComposition = z
  .object({
    asset: Asset,
    missing: z.array(
      z.object({
        path: z.array(z.string()).readonly(),
        node: z.string(),
        reference: CompositionReference,
        name: z.string().nullable().describe("as the document calls it"),
      }),
    ),
  })
  .meta({ id: "CreatedComposition" });
export type CreatedComposition = z.infer<typeof CreatedComposition>;

const common = { tag: "compositions", auth: "user" } as const;
const params = z.object({ id: z.string().max(64) });
const atVersion = { version: z.string().max(64).optional().describe("a published version; the draft when left out") };
const problems = z.object({ problems: z.array(CompositionProblem) });

/** What is particular to compositions; everything else is done with them as with any asset. */
export const compositionRoutes = {
  createComposition: route({
    ...common,
    audit: "composition.create",
    once: "answer",
    method: "POST",
    path: "/api/v1/compositions",
    summary: "Create a composition: empty, from a template, or from what was exported",
    body: CompositionInput,
    responses: { 201: CreatedComposition },
    errors: ["forbidden", "not_found", "name_taken", "invalid_graph", "template_unknown", "payload_too_large", "quota_exceeded"],
  }),
  getCompositionGraph: route({
    ...common,
    link: "asset",
    method: "GET",
    path: "/api/v1/compositions/:id/graph",
    summary: "Read the graph of a composition",
    params,
    query: z.object(atVersion),
    responses: { 200: CompositionGraph },
    errors: ["not_found", "asset_deleted"],
  }),
  putCompositionGraph: route({
    ...common,
    audit: "composition.change",
    method: "PUT",
    path: "/api/v1/compositions/:id/graph",
    summary: "Put a graph in place of the draft; it may have problems, but must be a graph",
    params,
    headers: ifMatch,
    body: z.strictObject({ graph: anyGraph }),
    responses: { 200: CompositionGraph },
    errors: [
      "not_found",
      "forbidden",
      "asset_deleted",
      "invalid_graph",
      "revision_conflict",
      "revision_required",
      "payload_too_large",
      "quota_exceeded",
    ],
  }),
  listCompositionProblems: route({
    ...common,
    method: "GET",
    path: "/api/v1/compositions/:id/problems",
    summary: "List what is wrong with a composition, and with what it uses",
    params,
    query: z.object(atVersion),
    responses: { 200: problems },
    errors: ["not_found", "asset_deleted"],
  }),
  checkCompositionGraph: route({
    ...common,
    scope: "compositions:read",
    audit: "composition.check",
    method: "POST",
    path: "/api/v1/compositions/problems",
    summary: "List what is wrong with a graph that is not stored, whatever it is",
    body: z.strictObject({ graph: anyGraph, composition: z.string().max(64).optional().describe("which it is a draft of") }),
    responses: { 200: problems },
    errors: ["payload_too_large"],
  }),
  getCompositionCode: route({
    ...common,
    link: "asset",
    method: "GET",
    path: "/api/v1/compositions/:id/code",
    summary: "Read a composition as one Python file, and which lines are which node",
    params,
    query: z.object(atVersion),
    responses: { 200: CompositionCode },
    errors: ["not_found", "asset_deleted", "composition_invalid"],
  }),
  diffComposition: route({
    ...common,
    method: "GET",
    path: "/api/v1/compositions/:id/diff",
    summary: "What differs between the graphs of two versions, or of a version and the draft",
    params,
    query: z.object({
      from: z.string().max(64).optional().describe("a version or `head`; the newest version when left out"),
      to: z.string().max(64).optional().describe("a version or `head`; `head` when left out"),
    }),
    responses: { 200: CompositionDiff },
    errors: ["not_found", "asset_deleted"],
  }),
  exportComposition: route({
    ...common,
    method: "GET",
    path: "/api/v1/compositions/:id/export",
    summary: "Read a composition as a document that can be given to anybody: no secrets are in it",
    params,
    query: z.object(atVersion),
    responses: { 200: CompositionExport },
    errors: ["not_found", "asset_deleted"],
  }),
  listPalette: route({
    ...common,
    method: "GET",
    path: "/api/v1/compositions/palette",
    summary: "List what of the catalog may be placed in a composition: slots, programs, models, modules",
    query: z.object({
      ...pageQuery,
      q: z.string().max(200).optional().describe("words, or how they begin"),
      type: z.enum(["program", "model", "composition"]).optional(),
      within: z.string().max(64).optional().describe("the composition in which it is to be placed: what contains that one is unusable"),
    }),
    responses: { 200: z.object({ items: z.array(PaletteItem), nextCursor: z.string().nullable() }) },
    errors: ["invalid_cursor"],
  }),
};
