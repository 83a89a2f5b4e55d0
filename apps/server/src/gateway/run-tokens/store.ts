import type { Role } from "@syla/contracts/accounts";
import { sql } from "kysely";
import type { Queries } from "../../platform/database.ts";

/** What a token ends with. */
export type TokenHolder = { readonly runId: string } | { readonly sandboxId: string };

/** A token as it is stored. */
interface NewToken {
  readonly hash: string;
  readonly holder: TokenHolder;
  readonly userId: string;
  readonly programId: string | null;
  readonly keyId: string | null;
  readonly modelIds: readonly string[];
  readonly expiresAt: Date;
}

export async function insertToken(
  queries: Queries,
  { hash, holder, userId, programId, keyId, modelIds, expiresAt }: NewToken,
): Promise<void> {
  await queries
    .insertInto("run_tokens")
    .values({
      hash,
      ...("runId" in holder ? { run_id: holder.runId } : { sandbox_id: holder.sandboxId }),
      user_id: userId,
      program_id: programId,
      api_key_id: keyId,
      model_ids: [...modelIds],
      expires_at: expiresAt,
    })
    .execute();
}

export async function deleteTokens(queries: Queries, runIds: readonly string[]): Promise<void> {
  if (runIds.length > 0) await queries.deleteFrom("run_tokens").where("run_id", "in", runIds).execute();
}

export async function deleteSandboxTokens(queries: Queries, sandboxId: string): Promise<void> {
  await queries.deleteFrom("run_tokens").where("sandbox_id", "=", sandboxId).execute();
}

export async function deleteExpired(queries: Queries): Promise<void> {
  await queries
    .deleteFrom("run_tokens")
    .where((where) =>
      where.or([
        where("expires_at", "<", sql<Date>`now()`),
        where("sandbox_id", "in", where.selectFrom("sandboxes").select("id").where("ended_at", "is not", null)),
      ]),
    )
    .execute();
}

/** A token that still counts, with who it acts for. */
interface TokenRow {
  readonly run_id: string | null;
  readonly sandbox_id: string | null;
  readonly user_id: string;
  readonly program_id: string | null;
  readonly api_key_id: string | null;
  readonly model_ids: string[];
  readonly role: Role;
  readonly status: "active" | "suspended";
}

export async function findToken(queries: Queries, hash: string): Promise<TokenRow | undefined> {
  return await queries
    .selectFrom("run_tokens as t")
    .innerJoin("users as u", "u.id", "t.user_id")
    .leftJoin("sandboxes as s", "s.id", "t.sandbox_id")
    .select(["t.run_id", "t.sandbox_id", "t.user_id", "t.program_id", "t.api_key_id", "t.model_ids", "u.role", "u.status"])
    .where("t.hash", "=", hash)
    .where("t.expires_at", ">", sql<Date>`now()`)
    .where("s.ended_at", "is", null)
    .executeTakeFirst();
}
