import { requireAllowed } from "../platform/rate-limit.ts";
import type { Tries } from "../platform/tries.ts";

/** Requests for mail in an hour: from one address of the network, and to one e-mail address. */
const perIp = { limit: 20, windowMs: 3_600_000 };
const perEmail = { limit: 4, windowMs: 3_600_000 };

/** Bounds how much mail can be made to go out. Too many to one address are dropped in silence: the answer tells nothing. */
export function createMailLimit(tries: Tries) {
  return {
    /** @returns whether a mail may be sent. @throws AppError `rate_limited` */
    async take(ip: string, email: string): Promise<boolean> {
      requireAllowed(await tries.take(`mail from ${ip}`, perIp), "Too many mails were asked for.");
      return (await tries.take(`mail to ${email}`, perEmail)).allowed;
    },
  };
}

export type MailLimit = ReturnType<typeof createMailLimit>;
