import type { Role } from "@syla/contracts/accounts";
import type { KeyQuotaName } from "@syla/contracts/quotas";
import { sql } from "kysely";
import type { Queries } from "../../platform/database.ts";

const quotaColumns = {
  concurrentRuns: "concurrent_runs",
  runsPerDay: "runs_per_day",
  cpuSecondsPerMonth: "cpu_seconds_per_month",
  storageMb: "storage_mb",
  executionsPerMinute: "executions_per_minute",
  llmSpendPerMonth: "llm_spend_per_month",
} satisfies Record<KeyQuotaName, string>;

/** Whether a key, by its id's column, has a quota of its own. */
export function hasQuotas(column: string) {
  const quotas = Object.values(quotaColumns).map((name) => sql.ref(`q.${name}`));
  return sql<boolean>`exists (select from key_quotas q where q.api_key_id = ${sql.ref(column)} and num_nonnulls(${sql.join(quotas)}) > 0)`;
}

/** A user's API keys, newest first. */
export async function listApiKeys(queries: Queries, userId: string) {
  return await queries
    .selectFrom("api_keys")
    .select(["id", "name", "start", "scopes", "requests_per_minute", "created_at", "expires_at", "last_request"])
    .select(hasQuotas("api_keys.id").as("has_quotas"))
    .where("reference_id", "=", userId)
    .orderBy("id", "desc")
    .execute();
}

/** Revokes a user's API key. @returns whether there was one */
export async function deleteApiKey(queries: Queries, userId: string, id: string): Promise<boolean> {
  const result = await queries.deleteFrom("api_keys").where("id", "=", id).where("reference_id", "=", userId).executeTakeFirst();
  return result.numDeletedRows > 0n;
}

/** What a key may do besides being its owner's. */
export interface KeyLimits {
  readonly scopes: readonly string[];
  readonly requestsPerMinute: number | null;
}

/** Narrows a key that was just made, before anybody has it. */
export async function limitApiKey(queries: Queries, id: string, { scopes, requestsPerMinute }: KeyLimits): Promise<void> {
  await queries
    .updateTable("api_keys")
    .set({ scopes: [...scopes], requests_per_minute: requestsPerMinute })
    .where("id", "=", id)
    .execute();
}

/** What a verified key stands for: its owner as they are now, and its own limits. */
export interface KeyStanding extends KeyLimits {
  readonly userId: string;
  readonly role: Role;
  readonly status: "active" | "suspended";
  readonly hasQuotas: boolean;
}

/** Undefined when the key or its owner is gone. */
export async function findKeyStanding(queries: Queries, keyId: string): Promise<KeyStanding | undefined> {
  return await queries
    .selectFrom("api_keys")
    .innerJoin("users", "users.id", "api_keys.reference_id")
    .select(["users.id as userId", "users.role", "users.status", "api_keys.scopes", "api_keys.requests_per_minute as requestsPerMinute"])
    .select(hasQuotas("api_keys.id").as("hasQuotas"))
    .where("api_keys.id", "=", keyId)
    .executeTakeFirst();
}

/** Whether there is a key that may be used, by the hash of it. */
export async function hasUsableKey(queries: Queries, keyHash: string): Promise<boolean> {
  const row = await queries
    .selectFrom("api_keys")
    .select("id")
    .where("key", "=", keyHash)
    .where("enabled", "=", true)
    .where((where) => where.or([where("expires_at", "is", null), where("expires_at", ">", sql<Date>`now()`)]))
    .executeTakeFirst();
  return row !== undefined;
}
