import { sql } from "kysely";
import type { Queries, Work } from "../../platform/database.ts";

/** A device that asks to be signed in. */
export interface NewDeviceCode {
  readonly id: string;
  readonly deviceCodeHash: string;
  readonly userCode: string;
  readonly clientName: string;
  readonly ip: string;
  readonly expiresAt: Date;
}

/** Adds a request, and forgets those that ended long ago. */
export async function insertDeviceCode(queries: Queries, code: NewDeviceCode): Promise<void> {
  await queries
    .deleteFrom("device_codes")
    .where("expires_at", "<", sql<Date>`now() - interval '1 day'`)
    .execute();
  await queries
    .insertInto("device_codes")
    .values({
      id: code.id,
      device_code_hash: code.deviceCodeHash,
      user_code: code.userCode,
      user_id: null,
      client_name: code.clientName,
      ip_address: code.ip,
      expires_at: code.expiresAt,
    })
    .execute();
}

/** A request that still waits for its decision. */
export async function findPending(queries: Queries, userCode: string) {
  return await queries
    .selectFrom("device_codes")
    .select(["user_code", "client_name", "ip_address", "created_at", "expires_at"])
    .where("user_code", "=", userCode)
    .where("status", "=", "pending")
    .where("expires_at", ">", sql<Date>`now()`)
    .executeTakeFirst();
}

/** Decides a request once. @returns whether it still waited */
export async function decide(queries: Queries, userCode: string, userId: string, status: "approved" | "denied"): Promise<boolean> {
  const result = await queries
    .updateTable("device_codes")
    .set({ status, user_id: userId })
    .where("user_code", "=", userCode)
    .where("status", "=", "pending")
    .where("expires_at", ">", sql<Date>`now()`)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** A request by the device's own code, held until the transaction ends. */
export async function lockDeviceCode(work: Work, deviceCodeHash: string) {
  return await work
    .selectFrom("device_codes")
    .select(["id", "status", "user_id", "client_name", "expires_at", "last_polled_at"])
    .where("device_code_hash", "=", deviceCodeHash)
    .forUpdate()
    .executeTakeFirst();
}

/** Notes that a device asked. */
export async function notePoll(work: Work, id: string, at: Date): Promise<void> {
  await work.updateTable("device_codes").set({ last_polled_at: at }).where("id", "=", id).execute();
}

/** Uses a request up. */
export async function markUsed(work: Work, id: string): Promise<void> {
  await work.updateTable("device_codes").set({ status: "used" }).where("id", "=", id).execute();
}
