import type { Role } from "@syla/contracts/accounts";
import type { Queries } from "../../platform/database.ts";

/** A user's API keys, newest first. */
export async function listApiKeys(queries: Queries, userId: string) {
  return await queries
    .selectFrom("api_keys")
    .select(["id", "name", "start", "scopes", "requests_per_minute", "created_at", "expires_at", "last_request"])
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
}

/** Undefined when the key or its owner is gone. */
export async function findKeyStanding(queries: Queries, keyId: string): Promise<KeyStanding | undefined> {
  return await queries
    .selectFrom("api_keys")
    .innerJoin("users", "users.id", "api_keys.reference_id")
    .select(["users.id as userId", "users.role", "users.status", "api_keys.scopes", "api_keys.requests_per_minute as requestsPerMinute"])
    .where("api_keys.id", "=", keyId)
    .executeTakeFirst();
}
