import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { createOTP } from "@better-auth/utils/otp";

const periodMs = 30_000;
/** How many steps a clock may be off, to either side. */
const drift = 1;
const recoveryCodeCount = 10;

/** A secret for an authenticator. */
export function newSecret(): string {
  return randomBytes(20).toString("base64url");
}

/** What an authenticator scans, and the secret in it to be typed. */
export function describeSecret(secret: string, account: string): { secret: string; uri: string } {
  const uri = createOTP(secret).url("Syla", account);
  return { uri, secret: new URL(uri).searchParams.get("secret") ?? "" };
}

/** The time step that a code (RFC 6238) is of, if it is of one that is near and later than `lastStep`: each code counts once. */
export async function findStep(secret: string, code: string, lastStep: number, now = Date.now()): Promise<number | null> {
  const current = Math.floor(now / periodMs);
  let found: number | null = null;
  for (let step = current - drift; step <= current + drift; step += 1) {
    if (sameText(await createOTP(secret).hotp(step), code) && step > lastStep) found = step;
  }
  return found;
}

/** Codes for when the authenticator is lost: `abcde-fghij`, 50 random bits each. */
export function newRecoveryCodes(): string[] {
  const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  return Array.from({ length: recoveryCodeCount }, () => {
    const letters = [...randomBytes(10)].map((byte) => alphabet[byte % 32]).join("");
    return `${letters.slice(0, 5)}-${letters.slice(5)}`;
  });
}

/** The hash that is kept. Guessing is bounded by the sign-in limit, and a code of 50 bits is not found offline in time to be of use. */
export function hashRecoveryCode(code: string, userId: string): string {
  return createHash("sha256")
    .update(`${userId}:${code.toLowerCase().replaceAll(/[\s-]/g, "")}`)
    .digest("hex");
}

function sameText(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
