import { createHmac } from "node:crypto";
import { isEqual } from "../../platform/standard-webhooks.ts";

/** What a link to artifacts says: everything that is needed to follow it, so that it is kept nowhere. */
export interface LinkClaims {
  readonly runId: string;
  /** Null: all of them, as an archive. */
  readonly artifactId: string | null;
  /** Whoever has made it: it reaches no further than they do when it is followed. */
  readonly userId: string;
  /** Milliseconds since 1970. */
  readonly madeAt: number;
  readonly expiresAt: number;
}

const all = "all";
const form = /^(run_[0-9a-z]{26})\.(all|art_[0-9a-z]{26})\.([\w-]{1,64})\.([0-9a-z]{1,12})\.([0-9a-z]{1,12})\.([\w-]{43})$/;

/** The token of a link. `secretOf` answers the secret of a run. */
export function signLink({ runId, artifactId, userId, madeAt, expiresAt }: LinkClaims, secretOf: (runId: string) => string): string {
  const claims = [runId, artifactId ?? all, userId, madeAt.toString(36), expiresAt.toString(36)].join(".");
  return `${claims}.${mac(claims, secretOf(runId)).toString("base64url")}`;
}

/** What a token says; null for one that was not signed here or has expired. */
export function readLink(token: string, secretOf: (runId: string) => string, now = Date.now()): LinkClaims | null {
  const [, runId = "", artifactId = "", userId = "", madeAt = "", expiresAt = "", signature = ""] = form.exec(token) ?? [];
  if (runId === "") return null;
  const claims = token.slice(0, -signature.length - 1);
  if (!isEqual(Buffer.from(signature, "base64url"), mac(claims, secretOf(runId)))) return null;
  const link = {
    runId,
    artifactId: artifactId === all ? null : artifactId,
    userId,
    madeAt: Number.parseInt(madeAt, 36),
    expiresAt: Number.parseInt(expiresAt, 36),
  };
  return link.expiresAt > now ? link : null;
}

function mac(claims: string, secret: string): Buffer {
  return createHmac("sha256", secret).update(claims).digest();
}
