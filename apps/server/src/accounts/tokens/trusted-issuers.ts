import { AppError } from "@syla/contracts/errors";
import { createRemoteJWKSet, decodeJwt, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from "jose";
import { z } from "zod";
import type { TrustedIssuer } from "../../config-values.ts";
import type { Logger } from "../../platform/logger.ts";

/** Signatures that only the issuer can make: nothing that a public key, or no key, could. */
const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];
/** The oldest token that is taken, and how far clocks may differ, in seconds. */
const oldest = "1h";
const tolerance = 30;
const timeoutMs = 10_000;

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });

/** What a trusted issuer says of somebody. */
export interface Subject {
  readonly issuer: TrustedIssuer;
  readonly subject: string;
  readonly name: string | null;
  /** In lower case; only when the issuer has confirmed it. */
  readonly email: string | null;
}

/** Reads a token of a trusted issuer: its signature, who it is for, and how old it is. @throws AppError `token_invalid` */
export type ReadSubject = (token: string) => Promise<Subject>;

export function createSubjectReader(issuers: readonly TrustedIssuer[], logger: Logger): ReadSubject {
  const byName = new Map(issuers.map((issuer) => [issuer.issuer, issuer]));
  const keys = new Map<string, Promise<JWTVerifyGetKey>>();
  const keysOf = async (issuer: TrustedIssuer): Promise<JWTVerifyGetKey> => {
    const known = keys.get(issuer.issuer) ?? openKeys(issuer);
    keys.set(issuer.issuer, known);
    try {
      return await known;
    } catch (error) {
      keys.delete(issuer.issuer); // it may be there the next time
      throw error;
    }
  };
  return async (token) => {
    const issuer = byName.get(issuerOf(token) ?? "");
    if (issuer === undefined) throw new AppError("token_invalid");
    let payload: JWTPayload;
    try {
      const { issuer: name, audience } = issuer;
      const checks = { algorithms, issuer: name, audience, clockTolerance: tolerance, maxTokenAge: oldest, requiredClaims: ["sub", "exp"] };
      ({ payload } = await jwtVerify(token, await keysOf(issuer), checks));
    } catch (cause) {
      logger.info({ err: cause, issuer: issuer.issuer }, "a token of a trusted issuer was refused");
      throw new AppError("token_invalid", { cause });
    }
    const { sub = "", name, email, email_verified: isConfirmed } = payload;
    if (sub === "" || sub.length > 255 || sub.includes("\0")) throw new AppError("token_invalid");
    return {
      issuer,
      subject: sub,
      name: typeof name === "string" && name !== "" ? name : null,
      email: isConfirmed === true && z.email().max(320).safeParse(email).success ? String(email).toLowerCase() : null,
    };
  };
}

function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

async function openKeys({ issuer, jwksUrl }: TrustedIssuer): Promise<JWTVerifyGetKey> {
  const url = jwksUrl ?? (await findKeys(issuer));
  return createRemoteJWKSet(new URL(url), { timeoutDuration: timeoutMs });
}

/** The address of an issuer's keys, as its discovery document says (OpenID Connect Discovery 1.0). */
async function findKeys(issuer: string): Promise<string> {
  const answer = await fetch(`${issuer.replace(/\/+$/, "")}/.well-known/openid-configuration`, {
    redirect: "error",
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!answer.ok) throw new Error(`the discovery document answered ${answer.status}`);
  const document = Discovery.parse(await answer.json());
  if (document.issuer !== issuer) throw new Error("the discovery document is of another issuer");
  return document.jwks_uri;
}
