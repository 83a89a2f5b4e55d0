import { notify, type Queries, type Work } from "../../platform/database.ts";

/** A person's second factor, confirmed or not; with `lock`, held until the transaction ends. */
export async function findTwoFactor(queries: Queries, userId: string, lock = false) {
  const query = queries.selectFrom("two_factors").select(["secret", "backup_codes", "verified", "last_step"]).where("user_id", "=", userId);
  return await (lock ? query.forUpdate() : query).executeTakeFirst();
}

/** Keeps a secret that is still to be confirmed, in place of one that never was. */
export async function putUnconfirmed(work: Work, { id, userId, secret }: { id: string; userId: string; secret: string }): Promise<void> {
  await work
    .insertInto("two_factors")
    .values({ id, user_id: userId, secret, backup_codes: "[]", verified: false })
    .onConflict((conflict) => conflict.column("user_id").doUpdateSet({ secret, backup_codes: "[]", last_step: 0 }))
    .execute();
}

/** Whether somebody has a password, and nothing besides. */
export async function lacksSecondFactor(queries: Queries, userId: string): Promise<boolean> {
  const query = queries
    .selectFrom("users as u")
    .innerJoin("accounts as a", "a.user_id", "u.id")
    .select("u.id")
    .where("u.id", "=", userId)
    .where("u.two_factor_enabled", "=", false)
    .where("a.password", "is not", null);
  return (await query.executeTakeFirst()) !== undefined;
}

/** What changes when a code was accepted. */
export async function updateTwoFactor(
  work: Work,
  userId: string,
  change: { verified?: true; last_step?: number; backup_codes?: string },
): Promise<void> {
  await work
    .updateTable("two_factors")
    .set({ ...change, updated_at: new Date() })
    .where("user_id", "=", userId)
    .execute();
}

/** @returns whether there was one */
export async function deleteTwoFactor(work: Work, userId: string): Promise<boolean> {
  const result = await work.deleteFrom("two_factors").where("user_id", "=", userId).executeTakeFirst();
  await setEnabled(work, userId, false);
  return result.numDeletedRows > 0n;
}

/** Whether sign-in asks for it. What is open where that is required is looked at again. */
export async function setEnabled(work: Work, userId: string, enabled: boolean): Promise<void> {
  await work.updateTable("users").set({ two_factor_enabled: enabled, updated_at: new Date() }).where("id", "=", userId).execute();
  if (!enabled) await notify(work, "access_changed", `user:${userId}`);
}
