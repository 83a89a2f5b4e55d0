import type { Role } from "@syla/contracts/accounts";
import { sql } from "kysely";
import { hasQuotas } from "../api-keys/store.ts";
import type { Queries, Work } from "../../platform/database.ts";

/** What began with one sign-in of a service. */
export interface NewFamily {
  readonly id: string;
  readonly userId: string;
  readonly apiKeyId: string | null;
  readonly issuer: string | null;
  readonly scopes: readonly string[];
  readonly refreshHash: string;
  readonly expiresAt: Date;
}

/** Adds a family, and removes some that are over. */
export async function insertFamily(work: Work, family: NewFamily): Promise<void> {
  await work
    .deleteFrom("token_families")
    .where("id", "in", (select) => select.selectFrom("token_families").select("id").where("expires_at", "<", new Date()).limit(100))
    .execute();
  await work
    .insertInto("token_families")
    .values({
      id: family.id,
      user_id: family.userId,
      api_key_id: family.apiKeyId,
      issuer: family.issuer,
      scopes: [...family.scopes],
      refresh_hash: family.refreshHash,
      expires_at: family.expiresAt,
    })
    .execute();
}

/** The family that a refresh token is or was the newest of. Of two that use it, one waits for the other. */
export async function lockFamily(work: Work, hash: string) {
  return await work
    .selectFrom("token_families")
    .select(["id", "user_id", "scopes", "refresh_hash", "refreshed_at", "expires_at"])
    .where((where) => where.or([where("refresh_hash", "=", hash), where("previous_hash", "=", hash)]))
    .forUpdate()
    .executeTakeFirst();
}

export async function renewFamily(work: Work, id: string, refreshHash: string, expiresAt: Date): Promise<void> {
  await work
    .updateTable("token_families")
    .set({ previous_hash: sql`refresh_hash`, refresh_hash: refreshHash, refreshed_at: new Date(), expires_at: expiresAt })
    .where("id", "=", id)
    .execute();
}

export async function deleteFamily(queries: Queries, id: string): Promise<void> {
  await queries.deleteFrom("token_families").where("id", "=", id).execute();
}

/** What an access token stands for: its person as they are now, within the scopes of its family. */
export interface TokenStanding {
  readonly userId: string;
  readonly role: Role;
  readonly status: "active" | "suspended";
  readonly scopes: readonly string[];
  /** The key that it was made with, and that key's own limit. */
  readonly keyId: string | null;
  readonly requestsPerMinute: number | null;
  readonly hasQuotas: boolean;
}

/** Undefined when the family has ended, or its person is gone. */
export async function findTokenStanding(queries: Queries, familyId: string): Promise<TokenStanding | undefined> {
  return await queries
    .selectFrom("token_families")
    .innerJoin("users", "users.id", "token_families.user_id")
    .leftJoin("api_keys", "api_keys.id", "token_families.api_key_id")
    .select(["users.id as userId", "users.role", "users.status", "token_families.scopes"])
    .select(["api_keys.id as keyId", "api_keys.requests_per_minute as requestsPerMinute", hasQuotas("api_keys.id").as("hasQuotas")])
    .where("token_families.id", "=", familyId)
    .executeTakeFirst();
}
