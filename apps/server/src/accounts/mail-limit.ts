import { createRateLimit, requireAllowed } from "../platform/rate-limit.ts";

/** Requests for mail in an hour: from one address of the network, and to one e-mail address. */
const perIp = { limit: 20, windowMs: 3_600_000 };
const perEmail = { limit: 4, windowMs: 3_600_000 };

/** Bounds how much mail can be made to go out. Too many to one address are dropped in silence: the answer tells nothing. */
export function createMailLimit() {
  const limit = createRateLimit();
  return {
    /** @returns whether a mail may be sent. @throws AppError `rate_limited` */
    take(ip: string, email: string): boolean {
      requireAllowed(limit.take(`ip ${ip}`, perIp), "Too many mails were asked for.");
      return limit.take(`email ${email}`, perEmail).allowed;
    },
  };
}

export type MailLimit = ReturnType<typeof createMailLimit>;
