import { Gauge, Hourglass, Library, type LucideIcon, Megaphone, Play, Share2, ShieldAlert, TriangleAlert, Users } from "lucide-react";
import type { NotificationType } from "@syla/sdk";

/** How each type is called and shown. */
export const notificationLooks: Readonly<Record<NotificationType, { readonly label: string; readonly icon: LucideIcon }>> = {
  share_received: { label: "Something is shared with you", icon: Share2 },
  asset_updated: { label: "A new version of what you use", icon: Library },
  run_finished: { label: "A long run has ended, or one has failed", icon: Play },
  approval_needed: { label: "A run waits for your decision", icon: Hourglass },
  quota_warning: { label: "A quota is nearly used up", icon: Gauge },
  quota_exceeded: { label: "A quota is used up", icon: TriangleAlert },
  mention: { label: "Somebody mentions you", icon: Users },
  system: { label: "Announcements", icon: Megaphone },
  team_invitation: { label: "Invitations to teams", icon: Users },
  sign_in_new_device: { label: "Sign-in on a new device", icon: ShieldAlert },
};

/** Nothing tells of these yet: a choice about them would be one about nothing. */
const untold: readonly NotificationType[] = ["mention"];

/** The types that there is something to choose about, in the order in which they are shown. */
export const notificationTypes = (Object.keys(notificationLooks) as readonly NotificationType[]).filter((type) => !untold.includes(type));
