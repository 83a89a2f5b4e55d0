import type { Role } from "@syla/contracts/accounts";
import type { KeyQuotaName } from "@syla/contracts/quotas";
import { sql } from "kysely";
import { notify, type Queries } from "../../platform/database.ts";
import { firstIdAt } from "../../platform/ids.ts";
import { noOverrides, type QuotaOverrides } from "../limits.ts";
import { keyQuotaColumns, quotasChannel, type Used } from "../store.ts";

/** A key, whose it is, and the quotas of its own; null where there is none. */
export interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly ownerRole: Role;
  readonly limits: QuotaOverrides;
}

export async function findKey(queries: Queries, id: string): Promise<KeyRow | undefined> {
  const row = await queries
    .selectFrom("api_keys")
    .innerJoin("users", "users.id", "api_keys.reference_id")
    .leftJoin("key_quotas", "key_quotas.api_key_id", "api_keys.id")
    .select(["api_keys.id", "api_keys.name", "users.id as ownerId", "users.role as ownerRole"])
    .select(Object.values(keyQuotaColumns).map((column) => `key_quotas.${column}` as const))
    .where("api_keys.id", "=", id)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const entries = Object.entries(keyQuotaColumns).map(([name, column]) => [name, row[column]]);
  const limits = { ...noOverrides, ...(Object.fromEntries(entries) as QuotaOverrides) };
  return { id, name: row.name ?? "", ownerId: row.ownerId, ownerRole: row.ownerRole, limits };
}

/** Sets some of a key's quotas, and lets every server know. */
export async function saveKeyLimits(
  queries: Queries,
  id: string,
  changes: Readonly<Partial<Record<KeyQuotaName, number | null | undefined>>>,
  updatedBy: string,
): Promise<void> {
  const values = Object.fromEntries(
    Object.entries(changes).flatMap(([name, value]) => (value === undefined ? [] : [[keyQuotaColumns[name as KeyQuotaName], value]])),
  );
  const row = { ...values, updated_by: updatedBy, updated_at: new Date() };
  await queries
    .insertInto("key_quotas")
    .values({ api_key_id: id, ...row })
    .onConflict((conflict) => conflict.column("api_key_id").doUpdateSet(row))
    .execute();
  await notify(queries, quotasChannel, id);
}

/** What a key has used since it has quotas of its own. */
export async function readKeyUsed(
  queries: Queries,
  { id, dayStart, monthStart, dailyMost }: { id: string; dayStart: Date; monthStart: Date; dailyMost: number },
): Promise<Used> {
  const { rows } = await sql<Used>`
    select (select count(*) from (select 1 from runs where api_key_id = ${id} and id >= ${firstIdAt("run", dayStart.getTime())}
        union all select 1 from deleted_runs where api_key_id = ${id} and id >= ${firstIdAt("run", dayStart.getTime())}
        limit ${dailyMost}) of_today) as "dayRuns",
      coalesce(sum(cpu_ms) filter (where day >= ${monthStart.toISOString().slice(0, 10)}::date), 0)::bigint as "cpuMs",
      greatest(0, coalesce(sum(stored_bytes), 0))::bigint as "storedBytes"
    from key_usage_days where api_key_id = ${id}`.execute(queries);
  return rows[0] ?? { dayRuns: 0, cpuMs: 0, storedBytes: 0 };
}

export async function countKeyLive(queries: Queries, id: string): Promise<number> {
  const row = await queries
    .selectFrom("runs")
    .select((select) => select.fn.countAll<number>().as("count"))
    .where("api_key_id", "=", id)
    .where("status", "in", ["starting", "running"])
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Counts what was uploaded with a key, in the transaction that records it; less than nothing where it was taken back. */
export async function addKeyStored(queries: Queries, id: string, bytes: number): Promise<void> {
  await sql`
    insert into key_usage_days (api_key_id, day, stored_bytes) values (${id}, (now() at time zone 'UTC')::date, ${bytes})
    on conflict (api_key_id, day) do update set stored_bytes = key_usage_days.stored_bytes + excluded.stored_bytes`.execute(queries);
}
