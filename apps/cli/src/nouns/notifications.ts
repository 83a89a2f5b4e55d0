import { notificationsDeleteCommand } from "../commands/notifications-delete.ts";
import { notificationsListCommand } from "../commands/notifications-list.ts";
import { notificationsPreferencesCommand } from "../commands/notifications-preferences.ts";
import { notificationsReadCommand } from "../commands/notifications-read.ts";
import { notificationsTestCommand } from "../commands/notifications-test.ts";
import { notificationsUnreadCommand } from "../commands/notifications-unread.ts";
import { notificationsWatchCommand } from "../commands/notifications-watch.ts";
import { notificationsWebhookSecretCommand } from "../commands/notifications-webhook-secret.ts";
import { defineNoun } from "./define-noun.ts";

/** `syla notifications` */
export const notificationsNoun = defineNoun("notifications", "what you were told, and where you want to be", [
  notificationsListCommand,
  notificationsWatchCommand,
  notificationsReadCommand,
  notificationsUnreadCommand,
  notificationsDeleteCommand,
  notificationsPreferencesCommand,
  notificationsTestCommand,
  notificationsWebhookSecretCommand,
]);
