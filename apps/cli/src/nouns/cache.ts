import { cacheClearCommand } from "../commands/cache-clear.ts";
import { cacheStatsCommand } from "../commands/cache-stats.ts";
import { cacheWarmCommand } from "../commands/cache-warm.ts";
import { defineNoun } from "./define-noun.ts";

/** `syla cache` */
export const cacheNoun = defineNoun("cache", "results that answer equal runs", [cacheStatsCommand, cacheClearCommand, cacheWarmCommand]);
