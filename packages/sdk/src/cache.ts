import type { CacheStats } from "@syla/contracts/cache";
import type { CallOptions, Transport } from "./transport.ts";

/** Results that are kept for equal runs (`cache` of a run). */
export interface Cache {
  stats(options?: CallOptions): Promise<CacheStats>;
  /** Forgets all of yours, or the one that came from a run. Answers how many. */
  clear(query?: { readonly runId?: string }, options?: CallOptions): Promise<number>;
}

export function createCache(transport: Transport): Cache {
  return {
    stats: (options = {}) => transport.json("getCache", options),
    clear: async (query = {}, options = {}) => (await transport.json("clearCache", { ...options, query })).cleared,
  };
}
