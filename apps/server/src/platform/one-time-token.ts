import { hash, randomBytes } from "node:crypto";

/** A secret that is shown once: whoever has it may do one thing. The prefix tells people, and scanners of leaked secrets, what it is. */
export function newToken(prefix: string): { token: string; tokenHash: string } {
  const token = `${prefix}_${randomBytes(32).toString("base64url")}`;
  return { token, tokenHash: hashToken(token) };
}

/** What is stored of it. Plain SHA-256 does: there is nothing to guess. */
export function hashToken(token: string): string {
  return hash("sha256", token, "hex");
}
