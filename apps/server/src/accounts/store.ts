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
  const columns = ["id", "name", "email", "role", "status", "email_verified", "two_factor_enabled", "time_zone", "created_at"] as const;
  return queries.selectFrom("users").select(columns).where("id", "=", id).executeTakeFirst();
}

/** Those of the users that exist. */
export async function findUsers(queries: Queries, ids: readonly string[]) {
  return queries
    .selectFrom("users")
    .select(["id", "name", "email"])
    .where((where) => where("id", "=", where.fn.any(where.val([...ids]))))
    .execute();
}

/** Who has this address (in lower case). */
export async function findUserByEmail(queries: Queries, email: string) {
  return queries.selectFrom("users").select(["id", "status"]).where("email", "=", email).executeTakeFirst();
}

/** Of two transactions that give somebody the same address, one waits for the other. */
export async function lockEmail(work: Work, email: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`email ${email}`}, 0))`.execute(work);
}

/** Adds a person whose address is confirmed, with a password. */
export async function insertUser(
  work: Work,
  user: { id: string; name: string; email: string; role: Role },
  credential: { id: string; password: string },
): Promise<void> {
  await work
    .insertInto("users")
    .values({ ...user, email_verified: true, image: null })
    .execute();
  await setPassword(work, user.id, credential.password, credential.id);
}

/** Changes what a person may change of themselves. */
export async function updateProfile(queries: Queries, id: string, change: { name?: string; time_zone?: string }): Promise<void> {
  await queries
    .updateTable("users")
    .set({ ...change, updated_at: new Date() })
    .where("id", "=", id)
    .execute();
}

/** Makes an address a person's, confirmed. */
export async function confirmEmail(work: Work, id: string, email: string): Promise<void> {
  await work.updateTable("users").set({ email, email_verified: true, updated_at: new Date() }).where("id", "=", id).execute();
}

/** The hash of a person's password; null when they have none. */
export async function findPasswordHash(queries: Queries, userId: string): Promise<string | null> {
  const query = queries.selectFrom("accounts").select("password").where("user_id", "=", userId).where("provider_id", "=", "credential");
  return (await query.executeTakeFirst())?.password ?? null;
}

/** Has every session end in so many days, if not before. */
export async function shortenSessions(queries: Queries, days: number): Promise<void> {
  const end = new Date(Date.now() + days * 86_400_000);
  await queries.updateTable("sessions").set({ expires_at: end }).where("expires_at", ">", end).execute();
}

/** Gives a person a password, also one who had none. */
export async function setPassword(work: Work, userId: string, password: string, newAccountId: string): Promise<void> {
  await work
    .insertInto("accounts")
    .values({ id: newAccountId, user_id: userId, account_id: userId, provider_id: "credential", password })
    .onConflict((conflict) => conflict.columns(["provider_id", "account_id"]).doUpdateSet({ password, updated_at: new Date() }))
    .execute();
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

/** Ends a session by its token. */
export async function deleteSessionByToken(queries: Queries, token: string): Promise<void> {
  await queries.deleteFrom("sessions").where("token", "=", token).execute();
}

/** Ends all of a person's sessions, but perhaps one. */
export async function deleteSessionsOf(queries: Queries, userId: string, exceptId: string | undefined): Promise<void> {
  let query = queries.deleteFrom("sessions").where("user_id", "=", userId);
  if (exceptId !== undefined) query = query.where("id", "!=", exceptId);
  await query.execute();
}

/** The account to which an address belongs for sure. */
export async function findConfirmedUser(queries: Queries, email: string): Promise<string | undefined> {
  const row = await queries
    .selectFrom("users")
    .select("id")
    .where(sql<string>`lower(email)`, "=", email)
    .where("email_verified", "=", true)
    .executeTakeFirst();
  return row?.id;
}
