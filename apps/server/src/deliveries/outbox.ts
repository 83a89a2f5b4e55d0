import { AppError } from "@syla/contracts/errors";
import { z } from "zod";
import type { Queries } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import { insertDeliveries } from "./store.ts";

/** An e-mail as it is written: plain text, and the same as HTML. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/**
 * Queues an e-mail; inside a transaction it goes out with the commit. Sent by the deliveries' service, with retries; where no SMTP host is
 * configured it waits, and an administrator can copy what it says.
 *
 * @returns the delivery's id
 * @throws AppError `invalid_request` for an address or a subject that could become another header or another recipient
 */
export async function queueMail(queries: Queries, mail: Mail, userId: string | null = null): Promise<string> {
  checkHeaders(mail);
  const id = newId("dlv");
  await insertDeliveries(queries, [{ id, channel: "email", userId, notificationId: null, message: mail }]);
  return id;
}

const Headers = z.object({
  to: z.email().max(320),
  subject: z
    .string()
    .min(1)
    .max(300)
    .regex(/^[^\p{Cc}\u2028\u2029]*$/u, "one line without control characters"),
});

/** @throws AppError `invalid_request` */
export function checkHeaders(mail: Pick<Mail, "to" | "subject">): void {
  const checked = Headers.safeParse(mail);
  if (checked.success) return;
  throw new AppError("invalid_request", { message: `The e-mail cannot be sent: ${checked.error.issues[0]?.message ?? "its headers"}.` });
}
