import { z } from "zod";
import { route } from "../route.ts";
import { base, common, hourMs, liveErrors, params } from "./fields.ts";

export const SandboxPort = z
  .object({ port: z.int(), address: z.enum(["any", "loopback"]), pid: z.int().nullable() })
  .meta({ id: "SandboxPort" });
export type SandboxPort = z.infer<typeof SandboxPort>;

/** What a caller says on a connection to a port, beside its bytes. */
export const PortMessage = z.union([
  z.strictObject({ end: z.literal(true) }),
  z.strictObject({
    took: z
      .int()
      .min(1)
      .max(16 * 1024 * 1024),
  }),
]);
export type PortMessage = z.infer<typeof PortMessage>;

/** The address under which a browser can open a port for a while. Whoever knows it can. */
export const SandboxPreview = z.object({ port: z.int(), url: z.url(), expiresAt: z.iso.datetime() }).meta({ id: "SandboxPreview" });
export type SandboxPreview = z.infer<typeof SandboxPreview>;

const portParams = z.object({ id: z.string().max(64), port: z.coerce.number().int().min(1).max(65_535) });

/** Ports of a sandbox. */
export const sandboxPortRoutes = {
  listSandboxPorts: route({
    ...common,
    method: "GET",
    path: `${base}/:id/ports`,
    summary: "List the ports that programs in it listen on",
    params,
    responses: { 200: z.object({ items: z.array(SandboxPort) }) },
    errors: [...liveErrors],
  }),
  openPort: route({
    ...common,
    audit: "sandbox.open_port",
    method: "GET",
    path: `${base}/:id/ports/:port/connection`,
    summary: 'A connection to a port: binary messages are its bytes, the text message {"end":true} says that no more come that way',
    params: portParams,
    query: z.object({
      window: z.coerce
        .number()
        .int()
        .min(65_536)
        .max(16 * 1024 * 1024)
        .optional()
        .describe('no more bytes are sent than this beyond those that text messages {"took":BYTES} say were taken'),
    }),
    responses: { 200: "websocket" },
    errors: [...liveErrors, "port_unreachable", "cross_origin"],
  }),
  openPreview: route({
    ...common,
    audit: "sandbox.preview_open",
    method: "POST",
    path: `${base}/:id/ports/:port/preview`,
    summary: "Make the address under which a browser can open a port, or prolong it",
    params: portParams,
    body: z.strictObject({
      lastsMs: z
        .int()
        .min(1000)
        .max(24 * hourMs)
        .default(hourMs)
        .describe("for so long from now; it ends with the sandbox in any case"),
    }),
    responses: { 201: SandboxPreview },
    errors: [...liveErrors],
  }),
  revokePreview: route({
    ...common,
    audit: "sandbox.preview_revoke",
    method: "DELETE",
    path: `${base}/:id/ports/:port/preview`,
    summary: "End every address of a port, and cut who uses one",
    params: portParams,
    responses: { 204: "none" },
    errors: ["not_found"],
  }),
};
