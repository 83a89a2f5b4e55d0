import { AppError } from "@syla/contracts/errors";
import type { Actor } from "../access/actor.ts";
import type { Database } from "../platform/database.ts";
import type { Background } from "./background.ts";
import { expireLinks } from "./links/store.ts";
import { issueLink, redeemLink } from "./links/one-time-links.ts";
import { accountExistsMail, verificationMail, type QueueMail } from "./mails.ts";
import type { Passwords } from "./passwords.ts";
import type { MailLimit } from "./mail-limit.ts";
import type { OnEmailConfirmed } from "./sign-up.ts";
import { confirmEmail, findUser, findUserByEmail, lockEmail } from "./store.ts";

/** Confirming the address of an account, and changing it: a new one counts when it is confirmed. */
export interface EmailAddresses {
  /** @throws AppError `invalid_credentials`, `rate_limited` */
  requestEmailVerification(actor: Actor, input: { email?: string | undefined; password?: string | undefined }, ip: string): Promise<void>;
  /** @throws AppError `link_invalid`, `email_taken` */
  confirmEmail(token: string): Promise<{ userId: string; email: string }>;
}

interface EmailOptions {
  readonly database: Database;
  readonly publicUrl: string;
  readonly passwords: Passwords;
  readonly background: Background;
  readonly queueMail: QueueMail;
  readonly mailLimit: MailLimit;
  readonly onEmailConfirmed: OnEmailConfirmed;
}

export function createEmailAddresses(options: EmailOptions): EmailAddresses {
  const { database, publicUrl, passwords, background, queueMail, mailLimit, onEmailConfirmed } = options;
  const { queries } = database;
  return {
    async requestEmailVerification({ userId }, input, ip) {
      const current = (await findUser(queries, userId))?.email ?? null;
      const email = input.email?.toLowerCase() ?? current;
      if (email === null)
        throw new AppError("invalid_request", {
          message: "There is no address yet: give one.",
          fields: [{ path: "email", message: "is needed" }],
        });
      if (email !== current) await passwords.provePassword(userId, input.password ?? "", ip);
      if (!(await mailLimit.take(ip, email))) return;
      background.start("a mail to confirm an address could not be queued", () =>
        queries.transaction().execute(async (work) => {
          const owner = await findUserByEmail(work, email);
          if (owner !== undefined && owner.id !== userId) return await queueMail(work, accountExistsMail(email, publicUrl), owner.id);
          await expireLinks(work, userId, "verify_email");
          const link = await issueLink(work, publicUrl, "verify_email", { email, userId });
          return await queueMail(work, verificationMail(email, link.url), userId);
        }),
      );
    },
    async confirmEmail(token) {
      return await queries.transaction().execute(async (work) => {
        const { email, userId } = await redeemLink(work, "verify_email", token);
        if (email === null || userId === null) throw new AppError("link_invalid");
        await lockEmail(work, email);
        const owner = await findUserByEmail(work, email);
        if (owner !== undefined && owner.id !== userId) throw new AppError("email_taken");
        await confirmEmail(work, userId, email);
        // A link to set a password that went to the address before counts no more.
        await expireLinks(work, userId, "reset_password");
        await onEmailConfirmed(work, userId, email);
        return { userId, email };
      });
    },
  };
}
