import { AppError } from "@syla/contracts/errors";
import { z } from "zod";
import type { Actor } from "../../access/actor.ts";
import type { Queries, Work } from "../../platform/database.ts";
import { newId } from "../../platform/ids.ts";
import type { Passwords } from "../passwords.ts";
import type { SignInLimit } from "../sign-in-limit.ts";
import { findUser } from "../store.ts";
import { describeSecret, findStep, hashRecoveryCode, newRecoveryCodes, newSecret } from "./codes.ts";
import type { SealedText } from "./sealed-text.ts";
import { deleteTwoFactor, findTwoFactor, putUnconfirmed, setEnabled, updateTwoFactor } from "./store.ts";

/** A second factor: codes of an authenticator, and recovery codes for when it is lost. */
export interface TwoFactor {
  getTwoFactor(actor: Actor): Promise<{ enabled: boolean; recoveryCodesLeft: number; needed: boolean }>;
  /** @throws AppError `invalid_credentials`, `conflict`, `rate_limited` */
  beginTwoFactor(actor: Actor, password: string, ip: string): Promise<{ secret: string; uri: string }>;
  /** @returns the recovery codes @throws AppError `two_factor_invalid`, `conflict`, `rate_limited` */
  confirmTwoFactor(actor: Actor, code: string, ip: string): Promise<{ recoveryCodes: string[] }>;
  /** @throws AppError `invalid_credentials`, `two_factor_invalid`, `rate_limited` */
  disableTwoFactor(actor: Actor, input: { password: string; code: string }, ip: string): Promise<void>;
  /** @returns new recovery codes, in place of those before @throws AppError `invalid_credentials`, `two_factor_invalid`, `conflict`, `rate_limited` */
  renewRecoveryCodes(actor: Actor, input: { password: string; code: string }, ip: string): Promise<{ recoveryCodes: string[] }>;
  /** For an administrator, when a person has lost the authenticator and the codes; part of a change. @returns whether there was one */
  resetTwoFactor(work: Work, userId: string): Promise<boolean>;
}

const Hashes = z.array(z.string());

interface TwoFactorOptions {
  readonly queries: Queries;
  readonly sealed: SealedText;
  readonly passwords: Passwords;
  readonly limit: SignInLimit;
}

export function createTwoFactor({ queries, sealed, passwords, limit }: TwoFactorOptions): TwoFactor {
  /** Counts wrong codes like wrong passwords. */
  const guarded = async <T>(userId: string, ip: string, check: (work: Work) => Promise<T>): Promise<T> => {
    return await limit.guard({ address: ip, name: `code ${userId}` }, () => queries.transaction().execute(check));
  };
  return {
    async getTwoFactor({ userId, needsSecondFactor: needed = false }) {
      const row = await findTwoFactor(queries, userId);
      const enabled = row?.verified === true;
      return { enabled, recoveryCodesLeft: enabled ? readHashes(row.backup_codes).length : 0, needed };
    },
    async beginTwoFactor({ userId }, password, ip) {
      await passwords.provePassword(userId, password, ip);
      const secret = newSecret();
      const user = await findUser(queries, userId);
      await queries.transaction().execute(async (work) => {
        if ((await findTwoFactor(work, userId, true))?.verified === true) throw alreadyOn();
        await putUnconfirmed(work, { id: newId("twofa"), userId, secret: sealed.seal(secret, userId) });
      });
      return describeSecret(secret, user?.email ?? userId);
    },
    async confirmTwoFactor({ userId }, code, ip) {
      return await guarded(userId, ip, async (work) => {
        const row = await findTwoFactor(work, userId, true);
        if (row === undefined) throw new AppError("conflict", { message: "There is no secret to confirm.", hint: "Begin again." });
        if (row.verified) throw alreadyOn();
        const step = await findStep(sealed.open(row.secret, userId), code, row.last_step);
        if (step === null) throw new AppError("two_factor_invalid");
        await updateTwoFactor(work, userId, { verified: true, last_step: step });
        await setEnabled(work, userId, true);
        return { recoveryCodes: await replaceRecoveryCodes(work, userId) };
      });
    },
    async renewRecoveryCodes({ userId }, { password, code }, ip) {
      await passwords.provePassword(userId, password, ip);
      return await guarded(userId, ip, async (work) => {
        if ((await findTwoFactor(work, userId, true))?.verified !== true)
          throw new AppError("conflict", { message: "The second factor is off.", hint: "Turn it on: that makes recovery codes." });
        await spendSecondFactor(work, sealed, userId, code);
        return { recoveryCodes: await replaceRecoveryCodes(work, userId) };
      });
    },
    async disableTwoFactor({ userId }, { password, code }, ip) {
      await passwords.provePassword(userId, password, ip);
      await guarded(userId, ip, async (work) => {
        await spendSecondFactor(work, sealed, userId, code);
        await deleteTwoFactor(work, userId);
      });
    },
    resetTwoFactor: deleteTwoFactor,
  };
}

function alreadyOn(): AppError {
  return new AppError("conflict", { message: "The second factor is on already.", hint: "Turn it off first." });
}

/** Makes new recovery codes, and keeps their hashes in place of those that there were. */
async function replaceRecoveryCodes(work: Work, userId: string): Promise<string[]> {
  const codes = newRecoveryCodes();
  const hashes = codes.map((text) => hashRecoveryCode(text, userId));
  await updateTwoFactor(work, userId, { backup_codes: JSON.stringify(hashes) });
  return codes;
}

function readHashes(text: string): string[] {
  return Hashes.parse(JSON.parse(text));
}

/**
 * Uses a code of the authenticator or a recovery code up. Of two requests with the same one, one gets through.
 *
 * @throws AppError `two_factor_invalid`
 */
export async function spendSecondFactor(work: Work, sealed: SealedText, userId: string, code: string): Promise<void> {
  const row = await findTwoFactor(work, userId, true);
  if (row === undefined || !row.verified) throw new AppError("two_factor_invalid");
  const step = await findStep(sealed.open(row.secret, userId), code, row.last_step);
  if (step !== null) return await updateTwoFactor(work, userId, { last_step: step });
  const hashes = readHashes(row.backup_codes);
  const used = hashRecoveryCode(code, userId);
  if (!hashes.includes(used)) throw new AppError("two_factor_invalid");
  await updateTwoFactor(work, userId, { backup_codes: JSON.stringify(hashes.filter((hash) => hash !== used)) });
}
