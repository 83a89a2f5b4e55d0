import { z } from "zod";
import { route } from "./route.ts";

/** Results that are kept for equal runs, as this server sees them. Hits and misses count from the start of the process. */
export const CacheStats = z
  .object({
    entries: z.int().describe("results of yours that are kept"),
    hits: z.int(),
    misses: z.int(),
    memory: z.object({ entries: z.int(), bytes: z.int() }).describe("of all users, in this process"),
    redis: z.enum(["off", "connected", "unreachable"]),
  })
  .meta({ id: "CacheStats" });
export type CacheStats = z.infer<typeof CacheStats>;

export const cacheRoutes = {
  getCache: route({
    method: "GET",
    path: "/api/v1/cache",
    summary: "How many results are kept, and how often they were used",
    tag: "cache",
    auth: "user",
    responses: { 200: CacheStats },
    errors: [],
  }),
  clearCache: route({
    method: "DELETE",
    path: "/api/v1/cache",
    summary: "Forget kept results: all of yours, or the one that came from a run",
    tag: "cache",
    auth: "user",
    audit: "cache.clear",
    query: z.object({ runId: z.string().max(64).optional() }),
    responses: { 200: z.object({ cleared: z.int() }) },
    errors: [],
  }),
};
