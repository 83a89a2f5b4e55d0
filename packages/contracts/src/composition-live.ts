import { z } from "zod";
import { route } from "./route.ts";

/** So much a graph that is drawn together may take, with what is left of what was deleted, bytes. */
export const mostLiveGraphBytes = 8 * 1024 * 1024;
/** So much is put into one at once, bytes. */
export const mostLiveGraphChange = 4 * 1024 * 1024;

/** The draft of a composition as people draw it together: a Yjs document, which is joined by its id on the composition's live connection. */
export const CompositionDocument = z
  .object({
    id: z.string(),
    mayEdit: z.boolean().describe("whether what you draw is taken"),
  })
  .meta({ id: "CompositionDocument" });
export type CompositionDocument = z.infer<typeof CompositionDocument>;

const point = z.object({ x: z.number(), y: z.number() });
const nodeId = z.string().max(64);

/** Where somebody is on the canvas, as `cursor` of the state that they show of themselves in the document. */
export const CanvasPresence = z.object({
  path: z.string().max(900).catch("").describe("the nodes whose graphs lead to the one that they look at, joined by `/`"),
  at: point.nullable().catch(null).describe("their pointer, in the coordinates of the graph"),
  nodes: z.array(nodeId).max(12).catch([]).describe("what they have chosen, as far as it is shown"),
  drag: z
    .object({
      node: nodeId.describe("the node that they hold"),
      to: point.describe("where it is by now"),
      along: z.array(nodeId).max(24).describe("what moves with it, as far as it is shown"),
    })
    .nullable()
    .catch(null)
    .describe("what they are moving; where it is let go is where the graph has it"),
});
export type CanvasPresence = z.infer<typeof CanvasPresence>;

const common = { tag: "compositions", auth: "user" } as const;
const base = "/api/v1/compositions/:id";
const params = z.object({ id: z.string().max(64) });

/** How people draw a composition together. */
export const compositionLiveRoutes = {
  openCompositionDocument: route({
    ...common,
    method: "GET",
    path: `${base}/document`,
    summary: "The live document of a composition's draft",
    params,
    responses: { 200: CompositionDocument },
    errors: ["not_found", "asset_deleted", "live_too_large"],
  }),
  joinComposition: route({
    ...common,
    audit: "composition.collaborate",
    method: "GET",
    path: `${base}/live`,
    summary: "The live connection of a composition: the Hocuspocus protocol, with the document of its draft by its id",
    params,
    responses: { 200: "websocket" },
    errors: ["not_found", "asset_deleted", "cross_origin"],
  }),
};
