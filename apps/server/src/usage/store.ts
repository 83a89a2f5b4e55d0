import type { UsageDay, UsageFigures } from "@syla/contracts/usage";
import { sql } from "kysely";
import type { Queries } from "../platform/database.ts";

/** Whose usage, from one day to another, both included. Null: everybody's. */
export interface UsageSpan {
  readonly userId: string | null;
  readonly from: string;
  readonly to: string;
}

const sums = sql`coalesce(sum(runs), 0)::bigint as runs, coalesce(sum(executions), 0)::bigint as executions,
  coalesce(sum(failed), 0)::bigint as failed, coalesce(sum(cpu_ms), 0)::bigint as "cpuMs", coalesce(sum(run_ms), 0)::bigint as "runMs",
  coalesce(sum(network_bytes), 0)::bigint as "networkBytes", coalesce(sum(stored_bytes), 0)::bigint as "storedBytes"`;

export async function listDays(queries: Queries, { userId, from, to }: UsageSpan): Promise<UsageDay[]> {
  const { rows } = await sql<UsageDay>`
    select to_char(day, 'YYYY-MM-DD') as day, ${sums} from usage_days
    where day between ${from}::date and ${to}::date and (${userId}::text is null or user_id = ${userId})
    group by usage_days.day order by usage_days.day`.execute(queries);
  return rows;
}

/** Who used most CPU time. */
export async function listPeople(
  queries: Queries,
  { from, to }: UsageSpan,
  most: number,
): Promise<(UsageFigures & { userId: string; name: string })[]> {
  const { rows } = await sql<UsageFigures & { userId: string; name: string }>`
    select u.id as "userId", u.name, ${sums} from usage_days join users u on u.id = user_id
    where day between ${from}::date and ${to}::date group by u.id order by sum(cpu_ms) desc, u.id limit ${most}`.execute(queries);
  return rows;
}
