import { adminAnnouncementsCreateCommand } from "../commands/admin-announcements-create.ts";
import { adminAnnouncementsDeleteCommand } from "../commands/admin-announcements-delete.ts";
import { adminAnnouncementsListCommand } from "../commands/admin-announcements-list.ts";
import { adminDeliveriesListCommand } from "../commands/admin-deliveries-list.ts";
import { adminDeliveriesRetryCommand } from "../commands/admin-deliveries-retry.ts";
import { adminDeliveriesShowCommand } from "../commands/admin-deliveries-show.ts";
import { adminInvitationsListCommand } from "../commands/admin-invitations-list.ts";
import { adminInvitationsRevokeCommand } from "../commands/admin-invitations-revoke.ts";
import { adminOverviewCommand } from "../commands/admin-overview.ts";
import { adminRecountUsageCommand } from "../commands/admin-recount-usage.ts";
import { adminSettingsCommand } from "../commands/admin-settings.ts";
import { adminUsersDeleteCommand } from "../commands/admin-users-delete.ts";
import { adminUsersExportCommand } from "../commands/admin-users-export.ts";
import { adminUsersListCommand } from "../commands/admin-users-list.ts";
import { adminUsersQuotasCommand } from "../commands/admin-users-quotas.ts";
import { adminUsersReactivateCommand } from "../commands/admin-users-reactivate.ts";
import { adminUsersResetLinkCommand } from "../commands/admin-users-reset-link.ts";
import { adminUsersResetTwoFactorCommand } from "../commands/admin-users-reset-two-factor.ts";
import { adminUsersRoleCommand } from "../commands/admin-users-role.ts";
import { adminUsersShowCommand } from "../commands/admin-users-show.ts";
import { adminUsersSignOutCommand } from "../commands/admin-users-sign-out.ts";
import { adminUsersSuspendCommand } from "../commands/admin-users-suspend.ts";
import { defineNoun } from "./define-noun.ts";

/** `syla admin` */
export const adminNoun = defineNoun("admin", "for administrators", [
  defineNoun("users", "accounts", [
    adminUsersListCommand,
    adminUsersShowCommand,
    adminUsersRoleCommand,
    adminUsersQuotasCommand,
    adminUsersSuspendCommand,
    adminUsersReactivateCommand,
    adminUsersSignOutCommand,
    adminUsersResetLinkCommand,
    adminUsersResetTwoFactorCommand,
    adminUsersExportCommand,
    adminUsersDeleteCommand,
  ]),
  defineNoun("invitations", "who may make an account", [adminInvitationsListCommand, adminInvitationsRevokeCommand]),
  defineNoun("announcements", "what everybody is told", [
    adminAnnouncementsListCommand,
    adminAnnouncementsCreateCommand,
    adminAnnouncementsDeleteCommand,
  ]),
  defineNoun("deliveries", "what is sent outside", [adminDeliveriesListCommand, adminDeliveriesShowCommand, adminDeliveriesRetryCommand]),
  adminOverviewCommand,
  adminSettingsCommand,
  adminRecountUsageCommand,
]);
