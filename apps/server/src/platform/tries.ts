import { sql } from "kysely";
import type { Queries } from "./database.ts";
import type { Rate, RateLimit, RateState } from "./rate-limit.ts";
import type { RecurringWork } from "./recurring.ts";

/** Counts tries in the database: for all servers together, and over a restart. For what is rare, and must not be got round. */
export interface Tries extends RateLimit {
  take(key: string, rate: Rate): Promise<RateState>;
  /** One that was taken does not count. */
  giveBack(key: string): Promise<void>;
  /** Counting begins anew. */
  forget(key: string): Promise<void>;
}

export function openTries(queries: Queries): Tries {
  return {
    async take(key, { limit, windowMs }) {
      // Counted before it is made, so that many at once get no further than one after the other.
      const { rows } = await sql<{ count: number; reset_ms: number }>`
        insert into tries as t (key, count, ends_at) values (${key}, 1, clock_timestamp() + ${windowMs} * interval '1 millisecond')
        on conflict (key) do update set
          count = case when t.ends_at <= clock_timestamp() then 1 else least(t.count, ${limit}) + 1 end,
          ends_at = case when t.ends_at <= clock_timestamp() then excluded.ends_at else t.ends_at end
        returning count, (extract(epoch from ends_at - clock_timestamp()) * 1000)::float8 as reset_ms`.execute(queries);
      const { count = 1, reset_ms: resetMs = windowMs } = rows[0] ?? {};
      return { allowed: count <= limit, limit, remaining: Math.max(limit - count, 0), resetMs: Math.max(resetMs, 0), windowMs };
    },
    async giveBack(key) {
      await sql`update tries set count = greatest(count - 1, 0) where key = ${key}`.execute(queries);
    },
    async forget(key) {
      await sql`delete from tries where key = ${key}`.execute(queries);
    },
  };
}

/** Removes windows that have ended. */
export function forgettingTries(queries: Queries): RecurringWork {
  return {
    name: "tries",
    everyMs: 3_600_000,
    complaint: "tries that are over could not be removed",
    perform: () => sql`delete from tries where ends_at < now()`.execute(queries),
  };
}
