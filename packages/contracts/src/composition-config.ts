import { z } from "zod";
import { sha256 } from "./asset-fields.ts";
import { flowLimits } from "./flow.ts";

/** The one file of a composition. */
export const compositionFile = "composition.json";

/** What of the catalog a composition may name. */
export const referenceKinds = ["program", "model", "composition"] as const;

/** Something of the catalog that a composition uses. */
export const CompositionReference = z
  .strictObject({
    kind: z.enum(referenceKinds),
    id: z.string().max(64),
    version: z.string().max(64).nullable().describe("a published one; null: what is there when it is used"),
  })
  .meta({ id: "CompositionReference" });
export type CompositionReference = z.infer<typeof CompositionReference>;

/** A value that goes into a composition, or comes out of it. */
export const CompositionPort = z
  .strictObject({
    name: z.string().max(100),
    type: z.string().describe("the text of a Python annotation"),
    required: z.boolean(),
    default: z.unknown().optional().describe("of an input that is not required; left out where it is long"),
    description: z.string().max(1000),
  })
  .meta({ id: "CompositionPort" });
export type CompositionPort = z.infer<typeof CompositionPort>;

/** What a composition is, told from its graph by the server whenever that changes. Nobody writes it. */
export const CompositionConfig = z
  .strictObject({
    graphHash: sha256.describe("of what the graph does: moving nodes does not change it"),
    inputs: z.array(CompositionPort).max(flowLimits.nodes).describe("at most 200 are told"),
    outputs: z.array(CompositionPort).max(flowLimits.nodes).describe("at most 200 are told"),
    references: z.array(CompositionReference).max(flowLimits.nodes),
    nodes: z.int().describe("how many there are, those in graphs within included"),
    problems: z.int().describe("how many errors the graph has in itself; with any it cannot be run"),
  })
  .meta({ id: "CompositionConfig" });
export type CompositionConfig = z.output<typeof CompositionConfig>;
