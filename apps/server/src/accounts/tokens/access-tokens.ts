import { hkdfSync } from "node:crypto";
import { jwtVerify, SignJWT } from "jose";

/** How long an access token is good for, in seconds. What it stands for is looked up as for a key: it ends earlier with its family. */
export const accessTokenSeconds = 15 * 60;
const audience = "syla";
const algorithm = "HS256";

/** Signs access tokens and reads them again. Nobody else has to: they are for this server, so a key of its own is enough. */
export interface AccessTokens {
  sign(userId: string, familyId: string): Promise<string>;
  /** Whose it is and until when; null when it is not one of ours, or too old. */
  read(token: string): Promise<{ userId: string; familyId: string; expiresAt: Date } | null>;
}

/** JSON Web Tokens (RFC 7519) with a key of the data directory. */
export function createAccessTokens(secret: string, publicUrl: string): AccessTokens {
  const key = new Uint8Array(hkdfSync("sha256", secret, "", "syla:access-tokens", 32));
  return {
    sign: (userId, familyId) =>
      new SignJWT({ sid: familyId })
        .setProtectedHeader({ alg: algorithm, typ: "at+jwt" })
        .setSubject(userId)
        .setIssuer(publicUrl)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(`${accessTokenSeconds}s`)
        .sign(key),
    async read(token) {
      try {
        const { payload } = await jwtVerify(token, key, { algorithms: [algorithm], typ: "at+jwt", issuer: publicUrl, audience });
        const { sub, sid, exp } = payload;
        if (sub === undefined || typeof sid !== "string" || exp === undefined) return null;
        return { userId: sub, familyId: sid, expiresAt: new Date(exp * 1000) };
      } catch {
        return null;
      }
    },
  };
}

/** Whether a bearer text has the form of one, and not of a key. */
export function looksLikeToken(text: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text);
}
