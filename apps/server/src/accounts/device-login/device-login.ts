import { randomInt } from "node:crypto";
import type { NewApiKey } from "@syla/contracts/api-keys";
import type { DeviceCode, DeviceRequest } from "@syla/contracts/device-login";
import { AppError } from "@syla/contracts/errors";
import type { Actor } from "../../access/actor.ts";
import type { Queries } from "../../platform/database.ts";
import { newId } from "../../platform/ids.ts";
import { requireAllowed } from "../../platform/rate-limit.ts";
import type { Tries } from "../../platform/tries.ts";
import { hashToken, newToken } from "../../platform/one-time-token.ts";
import { decide, findPending, insertDeviceCode, lockDeviceCode, markUsed, notePoll } from "./store.ts";

/** Signing in a program that has no browser of its own (RFC 8628). */
export interface DeviceLogin {
  /** @throws AppError `rate_limited` */
  createDeviceCode(clientName: string, ip: string): Promise<DeviceCode>;
  /** @throws AppError `authorization_pending`, `slow_down`, `expired_token`, `access_denied` */
  redeemDeviceCode(deviceCode: string): Promise<NewApiKey & { userId: string }>;
  /** @throws AppError `not_found`, `rate_limited` */
  getDeviceRequest(actor: Actor, userCode: string): Promise<DeviceRequest>;
  /** @throws AppError `session_required`, `not_found`, `rate_limited` */
  decideDeviceRequest(actor: Actor, userCode: string, approve: boolean): Promise<void>;
}

/** Makes the key of a device that was let in. */
type MakeKey = (userId: string, name: string, expiresInDays: number) => Promise<NewApiKey>;

/** Whom the device may act as, or why it may not (yet). */
type Outcome = { userId: string; name: string } | "authorization_pending" | "slow_down" | "expired_token" | "access_denied";

const lifetimeMs = 10 * 60_000;
const intervalSeconds = 5;
const keyDays = 90;
const beginsOfAddress = { limit: 10, windowMs: 60_000 };
const looksOfPerson = { limit: 20, windowMs: 60_000 };
/** Consonants that are not mistaken for each other, so that no word comes out (RFC 8628, section 6.1): 34 bits. */
const alphabet = "BCDFGHJKLMNPQRSTVWXZ";

function newUserCode(): string {
  const letters = Array.from({ length: 8 }, () => alphabet[randomInt(alphabet.length)]).join("");
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}

/** A code as a person types it: in any case, with or without the dash. */
function normalize(userCode: string): string {
  const letters = userCode.toUpperCase().replaceAll(/[^A-Z]/g, "");
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}

export function createDeviceLogin(queries: Queries, publicUrl: string, tries: Tries, makeKey: MakeKey): DeviceLogin {
  return {
    async createDeviceCode(clientName, ip) {
      requireAllowed(await tries.take(`device from ${ip}`, beginsOfAddress), "Too many devices asked to be let in.");
      const { token, tokenHash } = newToken("syla_device");
      const userCode = newUserCode();
      const expiresAt = new Date(Date.now() + lifetimeMs);
      await insertDeviceCode(queries, { id: newId("device"), deviceCodeHash: tokenHash, userCode, clientName, ip, expiresAt });
      const verificationUrl = `${publicUrl}/device`;
      return {
        deviceCode: token,
        userCode,
        verificationUrl,
        verificationUrlComplete: `${verificationUrl}?code=${userCode}`,
        expiresIn: lifetimeMs / 1000,
        interval: intervalSeconds,
      };
    },
    async redeemDeviceCode(deviceCode) {
      const outcome = await queries.transaction().execute(async (work): Promise<Outcome> => {
        const row = await lockDeviceCode(work, hashToken(deviceCode));
        if (row === undefined || row.status === "used" || row.expires_at.getTime() <= Date.now()) return "expired_token";
        if (row.status === "denied") return "access_denied";
        if (row.status === "pending" || row.user_id === null) {
          const last = row.last_polled_at?.getTime() ?? 0;
          await notePoll(work, row.id, new Date());
          return Date.now() - last < (intervalSeconds - 1) * 1000 ? "slow_down" : "authorization_pending";
        }
        await markUsed(work, row.id);
        return { userId: row.user_id, name: row.client_name };
      });
      if (typeof outcome === "string") throw new AppError(outcome);
      return { ...(await makeKey(outcome.userId, outcome.name, keyDays)), userId: outcome.userId };
    },
    async getDeviceRequest(actor, userCode) {
      requireAllowed(await tries.take(`device code ${actor.userId}`, looksOfPerson), "Too many codes were looked up.");
      const row = await findPending(queries, normalize(userCode));
      if (row === undefined)
        throw new AppError("not_found", { message: "Nothing waits under this code.", hint: "Check the code, or begin again." });
      return {
        userCode: row.user_code,
        clientName: row.client_name,
        ip: row.ip_address,
        createdAt: row.created_at.toISOString(),
        expiresAt: row.expires_at.toISOString(),
      };
    },
    async decideDeviceRequest(actor, userCode, approve) {
      // A key must not make itself another one with more than it has.
      if (actor.via !== "session" || actor.impersonatorId !== undefined) throw new AppError("session_required");
      requireAllowed(await tries.take(`device code ${actor.userId}`, looksOfPerson), "Too many codes were looked up.");
      const decided = await decide(queries, normalize(userCode), actor.userId, approve ? "approved" : "denied");
      if (!decided) throw new AppError("not_found", { message: "Nothing waits under this code.", hint: "Check the code, or begin again." });
    },
  };
}
