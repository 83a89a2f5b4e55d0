import { AppError } from "@syla/contracts/errors";
import type { Queries } from "../../platform/database.ts";
import { newId } from "../../platform/ids.ts";
import { hashToken, newToken } from "../../platform/one-time-token.ts";
import { insertLink, spendLink, type LinkPurpose } from "./store.ts";

const hourMs = 3_600_000;
const lifetimes = { sign_up: 24 * hourMs, verify_email: 24 * hourMs, reset_password: hourMs } as const satisfies Record<
  LinkPurpose,
  number
>;
const pages = { sign_up: "sign-up", verify_email: "verify-email", reset_password: "reset-password" } as const;

/** Whom a link is for. */
export interface LinkSubject {
  readonly email: string | null;
  readonly userId: string | null;
}

/** A link as it is given out, once. */
export interface IssuedLink {
  readonly url: string;
  readonly expiresAt: Date;
}

/** The address of a page with a token. Behind `#`, so that it is in no server's or proxy's log. */
export function pageWithToken(publicUrl: string, page: string, token: string): string {
  return `${publicUrl}/${page}#token=${token}`;
}

/** Makes a one-time link of our public address, whatever host a request names. */
export async function issueLink(queries: Queries, publicUrl: string, purpose: LinkPurpose, subject: LinkSubject): Promise<IssuedLink> {
  const { token, tokenHash } = newToken("syla_link");
  const expiresAt = new Date(Date.now() + lifetimes[purpose]);
  await insertLink(queries, { id: newId("link"), purpose, ...subject, tokenHash, expiresAt });
  return { url: pageWithToken(publicUrl, pages[purpose], token), expiresAt };
}

/**
 * Uses a link up; undone with the transaction.
 *
 * @throws AppError `link_invalid`
 */
export async function redeemLink(queries: Queries, purpose: LinkPurpose, token: string): Promise<LinkSubject> {
  const row = await spendLink(queries, purpose, hashToken(token));
  if (row === undefined) throw new AppError("link_invalid");
  return { email: row.email, userId: row.user_id };
}
