import { z } from "zod";
import { route } from "./route.ts";

/** One line of `syla doctor`: what was looked at, how it is, and what to do about it. */
export const Check = z
  .object({ name: z.string(), status: z.enum(["ok", "warning", "error"]), detail: z.string(), fix: z.string().nullable() })
  .meta({ id: "Check" });
export type Check = z.infer<typeof Check>;

/** A tier and how each limit is enforced in it on this machine. */
export const TierReport = z
  .object({
    tier: z.string(),
    available: z.boolean(),
    reason: z.string().nullable().describe("why it is not available"),
    walls: z.array(z.string()),
    limits: z.record(z.string(), z.string()).describe("limit → what enforces it here"),
  })
  .meta({ id: "TierReport" });
export type TierReport = z.infer<typeof TierReport>;

export const systemRoutes = {
  getHealth: route({
    method: "GET",
    path: "/healthz",
    summary: "The process is alive",
    tag: "system",
    auth: "none",
    responses: { 200: z.object({ status: z.literal("ok") }) },
    errors: [],
  }),
  getReady: route({
    method: "GET",
    path: "/readyz",
    summary: "The server can take work",
    tag: "system",
    auth: "none",
    responses: { 200: z.object({ status: z.literal("ready") }) },
    errors: ["database_unavailable", "shutting_down"],
  }),
  getMetrics: route({
    method: "GET",
    path: "/metrics",
    summary:
      "Figures of this server for Prometheus: for administrators, whoever has the token of the metrics, and, if that is set, this machine",
    tag: "system",
    auth: "none",
    responses: { 200: "bytes" },
    errors: ["unauthenticated", "forbidden", "not_found"],
  }),
  getServer: route({
    method: "GET",
    path: "/api/v1/server",
    summary: "The server's version",
    tag: "system",
    auth: "none",
    responses: { 200: z.object({ name: z.literal("syla"), version: z.string(), apiVersion: z.literal("v1") }) },
    errors: [],
  }),
  getDoctor: route({
    method: "GET",
    path: "/api/v1/doctor",
    summary: "What works on this machine, which limits can be enforced, and what to do about each gap",
    tag: "system",
    auth: "user",
    responses: { 200: z.object({ checks: z.array(Check), tiers: z.array(TierReport) }) },
    errors: [],
  }),
};
