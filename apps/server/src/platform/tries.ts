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
      // Counted before it is made, so that many at once get no further than one after the other. One that is refused does not count.
      const resetMs = sql<number>`(extract(epoch from t.ends_at - clock_timestamp()) * 1000)::float8`;
      const { rows: taken } = await sql<{ count: number; reset_ms: number }>`
        insert into tries as t (key, count, ends_at) values (${key}, 1, clock_timestamp() + ${windowMs} * interval '1 millisecond')
        on conflict (key) do update set
          count = case when t.ends_at <= clock_timestamp() then 1 else t.count + 1 end,
          ends_at = case when t.ends_at <= clock_timestamp() then excluded.ends_at else t.ends_at end
        where t.ends_at <= clock_timestamp() or t.count < ${limit}
        returning count, ${resetMs} as reset_ms`.execute(queries);
      const state = (count: number, ms: number): RateState => ({
        allowed: count <= limit,
        limit,
        remaining: Math.max(limit - count, 0),
        resetMs: Math.max(ms, 0),
        windowMs,
      });
      if (taken[0] !== undefined) return state(taken[0].count, taken[0].reset_ms);
      const { rows } = await sql<{ reset_ms: number }>`select ${resetMs} as reset_ms from tries t where key = ${key}`.execute(queries);
      return state(limit + 1, rows[0]?.reset_ms ?? windowMs);
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
