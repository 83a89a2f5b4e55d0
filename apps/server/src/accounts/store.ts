import { sql } from "kysely";
import type { Role } from "@syla/contracts/accounts";
import type { Queries, Work } from "../platform/database.ts";

/** What is kept about the set-up: who the first admin is, and the hash of the one-time token until it has been used. */
export interface SetupState {
  readonly adminId: string;
  readonly tokenHash: string | null;
}

const setupKey = "setup";

/** The set-up state; with `lock`, held until the transaction ends. */
export async function readSetup(queries: Queries, lock = false): Promise<SetupState | undefined> {
  const query = queries.selectFrom("settings").select("value").where("key", "=", setupKey);
  const row = await (lock ? query.forUpdate() : query).executeTakeFirst();
  return row?.value as SetupState | undefined;
}

/** Writes the set-up state. */
export async function writeSetup(queries: Queries, state: SetupState): Promise<void> {
  const value = JSON.stringify(state);
  await queries
    .insertInto("settings")
    .values({ key: setupKey, value })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ value }))
    .execute();
}

/** Serialises the creation of the first admin between servers that share a database. */
export async function lockSettings(work: Work): Promise<void> {
  await sql`lock table settings in exclusive mode`.execute(work);
}

/** Adds the first admin, without a way to sign in. */
export async function insertFirstAdmin(queries: Queries, id: string): Promise<void> {
  await queries.insertInto("users").values({ id, name: "Administrator", email: null, image: null, role: "admin" }).execute();
}

/** Gives a user a name, an e-mail address and a password. */
export async function nameUser(
  work: Work,
  user: { id: string; name: string; email: string },
  credential: { id: string; password: string },
): Promise<void> {
  await work.updateTable("users").set({ name: user.name, email: user.email, updated_at: new Date() }).where("id", "=", user.id).execute();
  await work
    .insertInto("accounts")
    .values({ id: credential.id, user_id: user.id, account_id: user.id, provider_id: "credential", password: credential.password })
    .execute();
}

/** A user's row. */
export async function findUser(queries: Queries, id: string) {
  return queries.selectFrom("users").select(["id", "name", "email", "role", "created_at"]).where("id", "=", id).executeTakeFirst();
}

/** Those of the users that exist. */
export async function findUsers(queries: Queries, ids: readonly string[]) {
  return queries
    .selectFrom("users")
    .select(["id", "name", "email"])
    .where((where) => where("id", "=", where.fn.any(where.val([...ids]))))
    .execute();
}

/** A user's role, and whether the account may be used; undefined when the user is gone. */
export async function findStanding(queries: Queries, id: string): Promise<{ role: Role; status: "active" | "suspended" } | undefined> {
  return await queries.selectFrom("users").select(["role", "status"]).where("id", "=", id).executeTakeFirst();
}

/** A user's sessions that have not expired, newest first. */
export async function listSessions(queries: Queries, userId: string) {
  return queries
    .selectFrom("sessions")
    .select(["id", "created_at", "expires_at", "ip_address", "user_agent"])
    .where("user_id", "=", userId)
    .where("expires_at", ">", new Date())
    .orderBy("id", "desc")
    .execute();
}

/** Ends a user's session. @returns whether there was one */
export async function deleteSession(queries: Queries, userId: string, id: string): Promise<boolean> {
  const result = await queries.deleteFrom("sessions").where("id", "=", id).where("user_id", "=", userId).executeTakeFirst();
  return result.numDeletedRows > 0n;
}

/** A user's API keys, newest first. */
export async function listApiKeys(queries: Queries, userId: string) {
  return queries
    .selectFrom("api_keys")
    .select(["id", "name", "start", "created_at", "expires_at", "last_request"])
    .where("reference_id", "=", userId)
    .orderBy("id", "desc")
    .execute();
}

/** Revokes a user's API key. @returns whether there was one */
export async function deleteApiKey(queries: Queries, userId: string, id: string): Promise<boolean> {
  const result = await queries.deleteFrom("api_keys").where("id", "=", id).where("reference_id", "=", userId).executeTakeFirst();
  return result.numDeletedRows > 0n;
}
