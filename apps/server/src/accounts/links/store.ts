import { sql } from "kysely";
import type { Queries } from "../../platform/database.ts";

export type LinkPurpose = "sign_up" | "verify_email" | "reset_password";

/** A link as it is kept: only the hash of its token. */
export interface NewLink {
  readonly id: string;
  readonly purpose: LinkPurpose;
  readonly email: string | null;
  readonly userId: string | null;
  readonly tokenHash: string;
  readonly expiresAt: Date;
}

/** Adds a link, and forgets those that ended long ago. */
export async function insertLink(queries: Queries, link: NewLink): Promise<void> {
  await queries
    .deleteFrom("account_links")
    .where("expires_at", "<", sql<Date>`now() - interval '30 days'`)
    .execute();
  await queries
    .insertInto("account_links")
    .values({
      id: link.id,
      purpose: link.purpose,
      email: link.email,
      user_id: link.userId,
      token_hash: link.tokenHash,
      expires_at: link.expiresAt,
    })
    .execute();
}

/** Uses a link up. Of two at once one gets it. */
export async function spendLink(queries: Queries, purpose: LinkPurpose, tokenHash: string) {
  return await queries
    .updateTable("account_links")
    .set({ used_at: new Date() })
    .where("token_hash", "=", tokenHash)
    .where("purpose", "=", purpose)
    .where("used_at", "is", null)
    .where("expires_at", ">", sql<Date>`now()`)
    .returning(["email", "user_id"])
    .executeTakeFirst();
}

/** Makes all links of a person for this purpose worthless. */
export async function expireLinks(queries: Queries, userId: string, purpose: LinkPurpose): Promise<void> {
  await queries
    .updateTable("account_links")
    .set({ used_at: new Date() })
    .where("user_id", "=", userId)
    .where("purpose", "=", purpose)
    .where("used_at", "is", null)
    .execute();
}
