import type { Notification, NotificationType } from "@syla/contracts/notifications";
import { insertDeliveries, type NewDelivery } from "../deliveries/service.ts";
import type { Queries } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import { readPreferences, type Preferences } from "./preferences.ts";
import { quietUntil } from "./quiet-hours.ts";
import * as store from "./store.ts";

/** What people are told. `link` is a path inside the product. */
export interface Message {
  readonly type: NotificationType;
  readonly title: string;
  readonly body?: string;
  readonly link?: string | null;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What one person is told. */
export interface PersonalMessage extends Message {
  readonly userId: string;
}

/**
 * Tells a person of something, where they want to be told: in the list, by e-mail, by webhook. Inside a transaction it is told with the
 * commit. Call it late in a transaction: until its end, whatever else would tell the same person something waits.
 */
export async function notify(work: Queries, message: PersonalMessage): Promise<void> {
  await notifyEach(work, [message.userId], message);
}

/** Tells several people the same; those who do not exist are left out. */
export async function notifyEach(work: Queries, userIds: readonly string[], message: Message): Promise<void> {
  if (userIds.length === 0) return;
  const [recipients, numbers] = [await store.findRecipients(work, userIds), await store.nextNumbers(work, userIds)];
  const title = oneLine(message.title);
  const created = recipients.flatMap((recipient) => {
    const seq = numbers.get(recipient.user_id);
    if (seq === undefined) return [];
    const preferences = readPreferences(recipient.value, recipient.time_zone);
    const { inApp } = preferences.types[message.type];
    const { body = "", link = null, details = {}, type } = message;
    return [
      {
        recipient,
        preferences,
        notification: { id: newId("ntf"), userId: recipient.user_id, seq, type, title, body, link, details, inApp },
      },
    ];
  });
  await store.insertNotifications(
    work,
    created.map(({ notification }) => notification),
  );
  const now = new Date();
  await insertDeliveries(
    work,
    created.flatMap(({ recipient, preferences, notification }) => deliveriesOf(recipient, preferences, notification, now)),
  );
}

/** Whether a person was told so often of this within the hour that more of it would only be noise. */
export async function wasToldOften(queries: Queries, userId: string, type: NotificationType): Promise<boolean> {
  return (await store.countSince(queries, userId, type, new Date(Date.now() - 3_600_000))) >= 20;
}

function deliveriesOf(
  { user_id: userId, email }: store.Recipient,
  preferences: Preferences,
  notification: store.NewNotification,
  now: Date,
): NewDelivery[] {
  const { type, title, body, link, details, seq } = notification;
  const wanted = preferences.types[type];
  const dueAt = quietUntil(now, preferences.quietHours, preferences.timeZone) ?? now;
  const common = { userId, notificationId: notification.id, dueAt };
  const entry = { type, title, body, link, createdAt: now.toISOString() };
  const deliveries: NewDelivery[] = [];
  if (wanted.email && email !== null && preferences.digest === "immediate")
    deliveries.push({ ...common, id: newId("dlv"), channel: "email", message: { to: email, subject: title, entries: [entry] } });
  if (wanted.webhook && preferences.webhookUrl !== null) {
    const payload = { ...entry, id: notification.id, seq, details };
    const { webhookUrl: url, webhookGeneration: generation } = preferences;
    deliveries.push({ ...common, id: newId("dlv"), channel: "webhook", message: { url, generation, subject: title, payload } });
  }
  return deliveries;
}

/** Titles become subjects of mails; names of things in them were chosen by anybody. */
function oneLine(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
  return line.length > 200 ? `${line.slice(0, 199).toWellFormed()}…` : line || "Notification";
}

/** As the API shows it. */
export function toNotification(row: store.NotificationRow): Notification {
  return {
    id: row.id,
    seq: row.seq,
    type: row.type as NotificationType,
    title: row.title,
    body: row.body,
    link: row.link,
    details: row.details as Record<string, unknown>,
    createdAt: row.created_at.toISOString(),
    readAt: row.read_at?.toISOString() ?? null,
  };
}
