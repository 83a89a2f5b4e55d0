import { NotificationPreferences, notificationTypes, type Channels, type NotificationType } from "@syla/contracts/notifications";
import { z } from "zod";

/** What is kept of a person's wishes, beside the time zone, which is a part of their account. */
const StoredPreferences = NotificationPreferences.omit({ timeZone: true })
  .extend({
    types: z.partialRecord(z.string(), z.object({ inApp: z.boolean(), email: z.boolean(), webhook: z.boolean() })),
    webhookGeneration: z.int().describe("which of the secrets that can be derived for the person is in use"),
  })
  .partial();

/** A person's wishes, complete. */
export interface Preferences extends NotificationPreferences {
  readonly webhookGeneration: number;
}

const quiet: Channels = { inApp: true, email: false, webhook: false };
const loud: Channels = { inApp: true, email: true, webhook: true };
const defaults: Readonly<Record<NotificationType, Channels>> = {
  share_received: loud,
  asset_updated: { ...quiet, webhook: true },
  run_finished: { ...quiet, webhook: true },
  approval_needed: loud,
  quota_warning: loud,
  quota_exceeded: loud,
  mention: loud,
  system: loud,
  team_invitation: loud,
  sign_in_new_device: loud,
};

/** Reads the column; what is not in it, because it was never chosen or came later, is as by default. */
export function readPreferences(value: unknown, timeZone: string): Preferences {
  const stored = StoredPreferences.parse(value ?? {});
  const types = Object.fromEntries(notificationTypes.map((type) => [type, stored.types?.[type] ?? defaults[type]]));
  return {
    types: types as Record<NotificationType, Channels>,
    digest: stored.digest ?? "immediate",
    quietHours: stored.quietHours ?? null,
    timeZone,
    webhookUrl: stored.webhookUrl ?? null,
    webhookGeneration: stored.webhookGeneration ?? 0,
  };
}

/** The column, as {@link readPreferences} takes it. */
export function writePreferences({ timeZone: _inTheAccount, ...stored }: Preferences): object {
  return stored;
}

/** What the person may see of it. */
export function showPreferences({ webhookGeneration: _internal, ...shown }: Preferences): NotificationPreferences {
  return shown;
}
