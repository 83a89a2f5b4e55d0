import { AppError } from "@syla/contracts/errors";
import type { Invitation, InvitationInput, NewInvitation } from "@syla/contracts/sign-up";
import type { z } from "zod";
import type { Actor } from "../../access/actor.ts";
import type { Queries } from "../../platform/database.ts";
import { newId } from "../../platform/ids.ts";
import { newToken } from "../../platform/one-time-token.ts";
import { pageWithToken } from "../links/one-time-links.ts";
import { invitationMail, type QueueMail } from "../mails.ts";
import type { SignUpPolicy } from "../sign-up.ts";
import { findUser, findUserByEmail } from "../store.ts";
import { listInvitations, replaceInvitation, revokeInvitation } from "./store.ts";

/** Invitations to the installation, by its administrators. */
export interface Invitations {
  listInvitations(query: { cursor?: string | undefined; limit: number }): Promise<{ items: Invitation[]; nextCursor: string | null }>;
  /** The link is in the answer, so that it can be handed over where no mail is sent. @throws AppError `sign_up_closed`, `email_taken` */
  createInvitation(actor: Actor, input: z.output<typeof InvitationInput>): Promise<NewInvitation>;
  /** @throws AppError `not_found` */
  revokeInvitation(id: string): Promise<void>;
}

interface InvitationOptions {
  readonly queries: Queries;
  readonly publicUrl: string;
  readonly policy: SignUpPolicy;
  readonly queueMail: QueueMail;
}

export function createInvitations({ queries, publicUrl, policy, queueMail }: InvitationOptions): Invitations {
  return {
    async listInvitations({ cursor, limit }) {
      const rows = await listInvitations(queries, readCursor(cursor), limit);
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        items: rows.slice(0, limit).map(toInvitation),
        nextCursor: last === undefined ? null : Buffer.from(last.id).toString("base64url"),
      };
    },
    async createInvitation(actor, { email: given, role, expiresInDays }) {
      if (policy.mode === "closed")
        throw new AppError("sign_up_closed", { hint: "Allow invitations under Administration → Settings, or with `SYLA_SIGN_UP=invite`." });
      const email = given.toLowerCase();
      if ((await findUserByEmail(queries, email)) !== undefined) throw new AppError("email_taken");
      const { token, tokenHash } = newToken("syla_invite");
      const url = pageWithToken(publicUrl, "sign-up", token);
      const expiresAt = new Date(Date.now() + expiresInDays * 86_400_000);
      const inviter = (await findUser(queries, actor.userId))?.name ?? null;
      const row = await queries.transaction().execute(async (work) => {
        await queueMail(work, invitationMail(email, url, inviter, expiresInDays));
        return await replaceInvitation(work, { id: newId("inv"), email, role, tokenHash, invitedBy: actor.userId, expiresAt });
      });
      return { ...toInvitation(row), url };
    },
    async revokeInvitation(id) {
      if (!(await revokeInvitation(queries, id))) throw new AppError("not_found");
    },
  };
}

function readCursor(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const id = Buffer.from(cursor, "base64url").toString();
  if (!/^inv_[0-9a-z]{26}$/.test(id)) throw new AppError("invalid_cursor");
  return id;
}

function toInvitation(row: Awaited<ReturnType<typeof listInvitations>>[number]): Invitation {
  const ended = row.expires_at.getTime() <= Date.now() ? "expired" : "open";
  return {
    id: row.id,
    email: row.email,
    role: row.role,
    invitedBy: row.invited_by,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    status: row.accepted_at !== null ? "accepted" : row.revoked_at !== null ? "revoked" : ended,
  };
}
