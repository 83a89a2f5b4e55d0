import { teamRoutes as routes } from "@syla/contracts/teams";
import type { Http } from "../access/http.ts";
import { answer } from "../platform/http-call.ts";
import type { Teams } from "./service.ts";

/** Binds teams, their members and their invitations. */
export function registerTeamRoutes(http: Http, teams: Teams): void {
  http.bind(routes.listTeams, async ({ query }, call) => await teams.list(call.actor, query));
  http.bind(routes.createTeam, async ({ body }, call) => await teams.create(call.actor, body));
  http.bind(routes.getTeam, async ({ params }, call) => await teams.get(call.actor, params.id));
  http.bind(routes.updateTeam, async ({ params, body }, call) => await teams.update(call.actor, params.id, body));
  http.bind(routes.deleteTeam, async ({ params, query }, call) => {
    if (query.transferTo !== undefined) call.trail.details = { transferTo: query.transferTo };
    await teams.delete(call.actor, params.id, query.transferTo);
    return answer(204);
  });
  http.bind(routes.getTeamGrants, async ({ params }, call) => await teams.countGrants(call.actor, params.id));
  http.bind(routes.joinTeam, async ({ body }, call) => await teams.join(call.actor, body));
  bindMembers(http, teams);
}

function bindMembers(http: Http, teams: Teams): void {
  http.bind(routes.listTeamMembers, async ({ params, query }, call) => await teams.listMembers(call.actor, params.id, query));
  http.bind(routes.updateTeamMember, async ({ params, body }, call) => {
    call.trail.details = { userId: params.userId, role: body.role };
    return await teams.setRole(call.actor, params.id, params.userId, body.role);
  });
  http.bind(routes.removeTeamMember, async ({ params }, call) => {
    call.trail.details = { userId: await teams.removeMember(call.actor, params.id, params.userId) };
    return answer(204);
  });
  http.bind(routes.listTeamInvitations, async ({ params, query }, call) => await teams.listInvitations(call.actor, params.id, query));
  http.bind(routes.inviteToTeam, async ({ params, body }, call) => {
    const invited = await teams.invite(call.actor, params.id, body);
    call.trail.details = { invitation: invited.invitation.id, email: invited.invitation.email, role: body.role };
    return invited;
  });
  http.bind(routes.revokeTeamInvitation, async ({ params }, call) => {
    call.trail.details = { invitation: params.invitationId };
    await teams.revokeInvitation(call.actor, params.id, params.invitationId);
    return answer(204);
  });
}
