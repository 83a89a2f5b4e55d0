import { createHash, randomBytes } from "node:crypto";
import { AppError } from "@syla/contracts/errors";
import type { Queries } from "../../platform/database.ts";
import { newId } from "../../platform/ids.ts";
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

/** A random token, and the hash of it that is kept. */
export function newToken(): { token: string; tokenHash: string } {
  const token = randomBytes(32).toString("base64url");
  return { token, tokenHash: hashToken(token) };
}

/** The hash under which a token is found again. It has 256 random bits, so a plain hash is enough. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** The address of a page with a token. Behind `#`, so that it is in no server's or proxy's log. */
export function pageWithToken(publicUrl: string, page: string, token: string): string {
  return `${publicUrl}/${page}#token=${token}`;
}

/** Makes a one-time link of our public address, whatever host a request names. */
export async function issueLink(queries: Queries, publicUrl: string, purpose: LinkPurpose, subject: LinkSubject): Promise<IssuedLink> {
  const { token, tokenHash } = newToken();
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
