import { AppError } from "@syla/contracts/errors";
import type { OneTimeLink } from "@syla/contracts/sign-up";
import type { Actor } from "../access/actor.ts";
import type { Database } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { Background } from "./background.ts";
import { expireLinks } from "./links/store.ts";
import { issueLink, redeemLink } from "./links/one-time-links.ts";
import { passwordChangedMail, passwordResetMail, type QueueMail } from "./mails.ts";
import { hashPassword, verifyPassword } from "./password.ts";
import { requireLength, requirePasswords, type SignInPolicy } from "./sign-in-policy.ts";
import type { SignInLimit } from "./sign-in-limit.ts";
import type { MailLimit } from "./mail-limit.ts";
import { deleteSessionsOf, findPasswordHash, findUser, findUserByEmail, setPassword } from "./store.ts";

/** Passwords: proving that one knows one's own, changing it, and setting a new one with a link. */
export interface Passwords {
  /** Guessing is slowed down as at sign-in. @throws AppError `invalid_credentials`, `rate_limited` */
  provePassword(userId: string, password: string, ip: string): Promise<void>;
  /** Ends the person's other sessions. @throws AppError `invalid_credentials`, `rate_limited` */
  changePassword(actor: Actor, input: { currentPassword: string; newPassword: string }, ip: string): Promise<void>;
  /** Answers the same for every address. @throws AppError `rate_limited` */
  requestPasswordReset(email: string, ip: string): Promise<void>;
  /** For an administrator to hand over. @throws AppError `not_found` */
  createPasswordReset(userId: string): Promise<OneTimeLink>;
  /** Ends all of the person's sessions. @returns the person's id @throws AppError `link_invalid`, `invalid_request`, `password_sign_in_off` */
  completePasswordReset(token: string, password: string): Promise<string>;
}

interface PasswordOptions {
  readonly database: Database;
  readonly publicUrl: string;
  readonly background: Background;
  readonly limit: SignInLimit;
  readonly queueMail: QueueMail;
  readonly mailLimit: MailLimit;
  readonly policy: SignInPolicy;
}

export function createPasswords({ database, publicUrl, background, limit, queueMail, mailLimit, policy }: PasswordOptions): Passwords {
  const { queries } = database;
  const provePassword: Passwords["provePassword"] = async (userId, password, ip) =>
    await limit.guard({ address: ip, name: userId }, async () => {
      const hash = await findPasswordHash(queries, userId);
      if (hash === null || !(await verifyPassword({ hash, password })))
        throw new AppError("invalid_credentials", { message: "The password is wrong." });
    });
  return {
    provePassword,
    async changePassword(actor, { currentPassword, newPassword }, ip) {
      requireLength(policy, newPassword, "newPassword");
      await provePassword(actor.userId, currentPassword, ip);
      const hash = await hashPassword(newPassword);
      await queries.transaction().execute(async (work) => {
        await setPassword(work, actor.userId, hash, newId("acct"));
        await deleteSessionsOf(work, actor.userId, actor.sessionId);
        await expireLinks(work, actor.userId, "reset_password");
        const email = (await findUser(work, actor.userId))?.email ?? null;
        if (email !== null) await queueMail(work, passwordChangedMail(email, publicUrl), actor.userId);
      });
    },
    async requestPasswordReset(given, ip) {
      const email = given.toLowerCase();
      if (!policy.passwords) return;
      if (!(await mailLimit.take(ip, email))) return;
      await database.ping();
      background.start("a mail to set a password could not be queued", () =>
        queries.transaction().execute(async (work) => {
          const user = await findUserByEmail(work, email);
          if (user === undefined || user.status === "suspended") return;
          const link = await issueLink(work, publicUrl, "reset_password", { email, userId: user.id });
          await queueMail(work, passwordResetMail(email, link.url), user.id);
        }),
      );
    },
    async createPasswordReset(userId) {
      const user = await findUser(queries, userId);
      if (user === undefined || user.email === null) throw new AppError("not_found");
      const link = await issueLink(queries, publicUrl, "reset_password", { email: user.email, userId });
      return { url: link.url, expiresAt: link.expiresAt.toISOString() };
    },
    async completePasswordReset(token, password) {
      requirePasswords(policy);
      requireLength(policy, password);
      const hash = await hashPassword(password);
      return await queries.transaction().execute(async (work) => {
        const { email, userId } = await redeemLink(work, "reset_password", token);
        if (userId === null) throw new AppError("link_invalid");
        await setPassword(work, userId, hash, newId("acct"));
        await deleteSessionsOf(work, userId, undefined);
        await expireLinks(work, userId, "reset_password");
        if (email !== null) await queueMail(work, passwordChangedMail(email, publicUrl), userId);
        return userId;
      });
    },
  };
}
