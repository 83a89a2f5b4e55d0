import { createRateLimit, requireAllowed } from "../platform/rate-limit.ts";

const hourMs = 3_600_000;
/** Requests for mail in an hour: from one address of the network, and to one e-mail address. */
const mailsPerIp = 20;
const mailsPerEmail = 4;

/** Bounds how much mail can be made to go out. Too many to one address are dropped in silence: the answer tells nothing. */
export function createMailLimit() {
  const limit = createRateLimit(hourMs);
  return {
    /** @returns whether a mail may be sent. @throws AppError `rate_limited` */
    take(ip: string, email: string): boolean {
      requireAllowed(limit.take(`ip ${ip}`, mailsPerIp), "Too many mails were asked for.");
      return limit.take(`email ${email}`, mailsPerEmail).allowed;
    },
  };
}

export type MailLimit = ReturnType<typeof createMailLimit>;
