import type { Role } from "@syla/contracts/accounts";
import { sql } from "kysely";
import type { Queries, Work } from "../../platform/database.ts";
import { newId } from "../../platform/ids.ts";

/** Who is known by this name at a provider. */
export async function findByIdentity(queries: Queries, provider: string, subject: string) {
  return await queries
    .selectFrom("accounts")
    .innerJoin("users", "users.id", "accounts.user_id")
    .select(["users.id", "users.status", "users.role"])
    .where("accounts.provider_id", "=", provider)
    .where("accounts.account_id", "=", subject)
    .executeTakeFirst();
}

/** Of two transactions that see the same stranger for the first time, one waits for the other. */
export async function lockIdentity(work: Work, provider: string, subject: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`identity ${provider} ${subject}`}, 0))`.execute(work);
}

export async function insertIdentity(work: Work, userId: string, provider: string, subject: string): Promise<void> {
  await work
    .insertInto("accounts")
    .values({ id: newId("acct"), user_id: userId, provider_id: provider, account_id: subject })
    .execute();
}

/** Adds a person without a password. An address is one that a provider has confirmed. */
export async function insertPerson(work: Work, person: { id: string; name: string; email: string | null; role: Role }): Promise<void> {
  await work
    .insertInto("users")
    .values({ ...person, email_verified: person.email !== null, image: null })
    .execute();
}

/** Those of a person, oldest first; the password is none. */
export async function listIdentities(queries: Queries, userId: string) {
  return await queries
    .selectFrom("accounts")
    .select(["id", "provider_id", "created_at"])
    .where("user_id", "=", userId)
    .where("provider_id", "!=", "credential")
    .orderBy("id")
    .execute();
}

/** Holds every way in of a person until the transaction ends. */
export async function lockWaysIn(work: Work, userId: string): Promise<readonly string[]> {
  const rows = await work.selectFrom("accounts").select("id").where("user_id", "=", userId).orderBy("id").forUpdate().execute();
  return rows.map((row) => row.id);
}

/** @returns whether it was there */
export async function deleteIdentity(work: Work, userId: string, id: string): Promise<boolean> {
  const result = await work
    .deleteFrom("accounts")
    .where("id", "=", id)
    .where("user_id", "=", userId)
    .where("provider_id", "!=", "credential")
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}
