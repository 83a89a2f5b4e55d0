import { NotificationType } from "@syla/contracts/notifications";
import { z } from "zod";

/** A notification as a mail tells of it. */
const Entry = z.object({
  type: NotificationType,
  title: z.string(),
  body: z.string(),
  link: z.string().nullable(),
  createdAt: z.string(),
});
export type Entry = z.infer<typeof Entry>;

/** What is kept of something that was sent: enough to find it again, nothing that lets anybody in. */
const Sent = z.object({ to: z.string(), subject: z.string(), sent: z.literal(true) });
const WrittenMail = z.object({ to: z.string(), subject: z.string(), text: z.string(), html: z.string() });
const NotificationMail = z.object({ to: z.string(), subject: z.string(), entries: z.array(Entry) });
/** `generation`: of the secret, where it is no matter of the row's webhook. */
const Hook = z.object({ url: z.string(), generation: z.int(), subject: z.string(), payload: z.record(z.string(), z.unknown()) });
export type HookMessage = z.infer<typeof Hook>;

/** The column `message` of a delivery. */
export const DeliveryMessage = z.union([Sent, WrittenMail, NotificationMail, Hook]);
export type DeliveryMessage = z.infer<typeof DeliveryMessage>;

/** Where it goes. */
export function targetOf(message: DeliveryMessage): string {
  return "url" in message ? message.url : message.to;
}
