import { z } from "zod";
import { pageOf, pageQuery } from "./page.ts";
import { route } from "./route.ts";
import { WebhookUrl } from "./webhooks.ts";

export const notificationTypes = [
  "share_received",
  "asset_updated",
  "run_finished",
  "approval_needed",
  "quota_warning",
  "quota_exceeded",
  "mention",
  "system",
  "team_invitation",
  "sign_in_new_device",
] as const;
export const NotificationType = z.enum(notificationTypes);
export type NotificationType = z.infer<typeof NotificationType>;

export const Notification = z
  .object({
    id: z.string(),
    seq: z.int().describe("counts up for each person"),
    type: NotificationType,
    title: z.string(),
    body: z.string(),
    link: z.string().nullable().describe("a path inside the product"),
    details: z.record(z.string(), z.unknown()),
    createdAt: z.iso.datetime(),
    readAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "Notification" });
export type Notification = z.infer<typeof Notification>;

/** What the live connection says. Each notification comes once, in the order of `seq`. */
export const NotificationEvent = z
  .discriminatedUnion("type", [
    z.object({ type: z.literal("notification"), notification: Notification }),
    z.object({
      type: z.literal("state"),
      unread: z.int(),
      seq: z.int().describe("everything up to this number has been said; connect again with it as `after`"),
    }),
    z.object({
      type: z.literal("assets"),
      ids: z.array(z.string()).nullable().describe("what has changed in the catalog of what you may see; null: look again at all of it"),
    }),
  ])
  .meta({ id: "NotificationEvent" });
export type NotificationEvent = z.infer<typeof NotificationEvent>;

export const channels = ["inApp", "email", "webhook"] as const;
const Channels = z.strictObject({ inApp: z.boolean(), email: z.boolean(), webhook: z.boolean() });
export type Channels = z.infer<typeof Channels>;
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time like 22:00");
const QuietHours = z.strictObject({ from: clock, to: clock });
export type QuietHours = z.infer<typeof QuietHours>;
export const Digest = z.enum(["immediate", "daily", "weekly", "never"]);
export type Digest = z.infer<typeof Digest>;

const timeZone = z
  .string()
  .max(64)
  .refine((zone) => isTimeZone(zone), "must be a time zone like Europe/Oslo");

/** Whether the runtime knows the zone; offsets such as `+02:00` have no daylight-saving time and are refused. */
export function isTimeZone(zone: string): boolean {
  if (/^[+-]/.test(zone)) return false;
  try {
    return Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

export const NotificationPreferences = z
  .object({
    types: z.record(NotificationType, Channels).describe("where each type is said"),
    digest: Digest.describe("e-mails: each at once, one a day or a week with what came since, or none"),
    quietHours: QuietHours.nullable().describe("e-mails and webhooks wait until they are over; by the person's own clock"),
    timeZone,
    webhookUrl: WebhookUrl.nullable(),
  })
  .meta({ id: "NotificationPreferences" });
export type NotificationPreferences = z.infer<typeof NotificationPreferences>;

export const NotificationPreferencesInput = z
  .strictObject({
    types: z.partialRecord(NotificationType, Channels),
    digest: Digest,
    quietHours: QuietHours.nullable(),
    timeZone,
    webhookUrl: WebhookUrl.nullable(),
  })
  .partial()
  .meta({ id: "NotificationPreferencesInput" });

const NotificationFilter = z.object({
  ...pageQuery,
  unread: z.stringbool().optional().describe("only those that are not read yet"),
  type: NotificationType.optional(),
});
export type NotificationFilter = z.output<typeof NotificationFilter>;

const params = z.object({ id: z.string().max(64) });
const base = "/api/v1/notifications";
const common = { tag: "notifications", auth: "user" } as const;

export const notificationRoutes = {
  listNotifications: route({
    ...common,
    method: "GET",
    path: base,
    summary: "List your notifications, newest first",
    query: NotificationFilter,
    responses: { 200: pageOf(Notification) },
    errors: ["invalid_cursor"],
  }),
  countNotifications: route({
    ...common,
    method: "GET",
    path: `${base}/unread`,
    summary: "How many you have not read",
    responses: { 200: z.object({ unread: z.int(), seq: z.int() }) },
    errors: [],
  }),
  followNotifications: route({
    ...common,
    method: "GET",
    path: `${base}/live`,
    summary: "Follow your notifications: text messages of JSON (`NotificationEvent`), beginning with those after a number",
    query: z.object({
      after: z.coerce.number().int().min(0).optional().describe("`seq` of the last state; only what comes from now on when left out"),
    }),
    responses: { 200: "websocket" },
    errors: ["cross_origin"],
  }),
  updateNotification: route({
    ...common,
    audit: "notification.update",
    method: "PATCH",
    path: `${base}/:id`,
    summary: "Mark a notification as read or unread",
    params,
    body: z.strictObject({ read: z.boolean() }),
    responses: { 200: Notification },
    errors: ["not_found"],
  }),
  readAllNotifications: route({
    ...common,
    audit: "notification.read_all",
    method: "POST",
    path: `${base}/read`,
    summary: "Mark all notifications as read",
    body: z.strictObject({ upTo: z.int().min(0).optional().describe("only those up to this `seq`: what was on the screen") }),
    responses: { 200: z.object({ marked: z.int() }) },
    errors: [],
  }),
  deleteNotification: route({
    ...common,
    audit: "notification.delete",
    method: "DELETE",
    path: `${base}/:id`,
    summary: "Delete a notification",
    params,
    responses: { 204: "none" },
    errors: ["not_found"],
  }),
  getNotificationPreferences: route({
    ...common,
    method: "GET",
    path: "/api/v1/notification-preferences",
    summary: "Where you want to be told of what",
    responses: { 200: NotificationPreferences },
    errors: [],
  }),
  updateNotificationPreferences: route({
    ...common,
    audit: "notification.preferences_update",
    method: "PATCH",
    path: "/api/v1/notification-preferences",
    summary: "Change where you want to be told of what",
    body: NotificationPreferencesInput,
    responses: { 200: NotificationPreferences },
    errors: ["webhook_refused"],
  }),
  rotateWebhookSecret: route({
    ...common,
    audit: "notification.webhook_secret",
    method: "POST",
    path: "/api/v1/notification-preferences/webhook-secret",
    summary: "A new secret that signs your webhook; it is shown this once, and the one before is worth nothing any more",
    responses: { 201: z.object({ secret: z.string() }) },
    errors: ["impersonating"],
  }),
  testNotificationChannel: route({
    ...common,
    audit: "notification.test",
    method: "POST",
    path: "/api/v1/notification-preferences/test",
    summary: "Send something at once, to see whether it arrives",
    body: z.strictObject({ channel: z.enum(["email", "webhook"]) }),
    responses: { 200: z.object({ sent: z.boolean(), problem: z.string().nullable() }) },
    errors: ["mail_unavailable", "channel_not_set", "rate_limited"],
  }),
};
