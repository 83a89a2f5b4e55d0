import { teamAddCommand } from "../commands/team-add.ts";
import { teamCreateCommand } from "../commands/team-create.ts";
import { teamDeleteCommand } from "../commands/team-delete.ts";
import { teamInvitationsListCommand } from "../commands/team-invitations-list.ts";
import { teamInvitationsRevokeCommand } from "../commands/team-invitations-revoke.ts";
import { teamJoinCommand } from "../commands/team-join.ts";
import { teamLeaveCommand } from "../commands/team-leave.ts";
import { teamLimitCommand } from "../commands/team-limit.ts";
import { teamListCommand } from "../commands/team-list.ts";
import { teamRemoveCommand } from "../commands/team-remove.ts";
import { teamRoleCommand } from "../commands/team-role.ts";
import { teamShowCommand } from "../commands/team-show.ts";
import { teamUpdateCommand } from "../commands/team-update.ts";
import { defineNoun } from "./define-noun.ts";

/** `syla team` */
export const teamNoun = defineNoun("team", "people who are given things together", [
  teamListCommand,
  teamShowCommand,
  teamCreateCommand,
  teamUpdateCommand,
  teamAddCommand,
  defineNoun("invitations", "invitations to a team that are open", [teamInvitationsListCommand, teamInvitationsRevokeCommand]),
  teamRoleCommand,
  teamRemoveCommand,
  teamLimitCommand,
  teamJoinCommand,
  teamLeaveCommand,
  teamDeleteCommand,
]);
