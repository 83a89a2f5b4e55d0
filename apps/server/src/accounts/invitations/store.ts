import type { Role } from "@syla/contracts/accounts";
import { sql } from "kysely";
import type { Queries, Work } from "../../platform/database.ts";

const columns = ["id", "email", "role", "invited_by", "created_at", "expires_at", "accepted_at", "revoked_at"] as const;

/** A new invitation. */
export interface NewInvitationRow {
  readonly id: string;
  readonly email: string;
  readonly role: Role;
  readonly tokenHash: string;
  readonly invitedBy: string;
  readonly expiresAt: Date;
}

/** Adds an invitation and takes back those that are open for the address. */
export async function replaceInvitation(work: Work, { id, email, role, tokenHash, invitedBy, expiresAt }: NewInvitationRow) {
  await work
    .updateTable("invitations")
    .set({ revoked_at: new Date() })
    .where("email", "=", email)
    .where("team_id", "is", null)
    .where("accepted_at", "is", null)
    .where("revoked_at", "is", null)
    .execute();
  return await work
    .insertInto("invitations")
    .values({ id, email, role, token_hash: tokenHash, invited_by: invitedBy, expires_at: expiresAt, team_id: null, team_role: null })
    .returning(columns)
    .executeTakeFirstOrThrow();
}

/** Invitations to the installation, newest first; one more than asked for tells that there is another page. */
export async function listInvitations(queries: Queries, before: string | null, limit: number) {
  let query = queries.selectFrom("invitations").select(columns).where("team_id", "is", null);
  if (before !== null) query = query.where("id", "<", before);
  return await query
    .orderBy("id", "desc")
    .limit(limit + 1)
    .execute();
}

/** Takes an open invitation back. @returns whether there was one */
export async function revokeInvitation(queries: Queries, id: string): Promise<boolean> {
  const result = await queries
    .updateTable("invitations")
    .set({ revoked_at: new Date() })
    .where("id", "=", id)
    .where("team_id", "is", null)
    .where("accepted_at", "is", null)
    .where("revoked_at", "is", null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Uses an open invitation up: that of a link, or of an address that is proven otherwise. Of two at once one gets it. */
export async function acceptInvitation(work: Work, by: { readonly tokenHash: string } | { readonly email: string }) {
  const query = work
    .updateTable("invitations")
    .set({ accepted_at: new Date() })
    .where("team_id", "is", null)
    .where("accepted_at", "is", null)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", sql<Date>`now()`)
    .returning(["email", "role"]);
  const found = "email" in by ? query.where("email", "=", by.email) : query.where("token_hash", "=", by.tokenHash);
  return await found.executeTakeFirst();
}
