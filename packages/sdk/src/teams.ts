import type { RouteBody } from "@syla/contracts/route";
import type { Team, TeamInvitation, TeamMember, TeamRole, teamRoutes } from "@syla/contracts/teams";
import { iteratePages } from "./pages.ts";
import type { Page } from "./runs.ts";
import type { CallOptions, CreateOptions, Transport } from "./transport.ts";

/** An invitation with its link, which is shown this once. */
export interface NewTeamInvitation {
  readonly invitation: TeamInvitation;
  readonly url: string;
}

/** Teams, their members and their invitations. */
export interface Teams {
  /** Yours, newest first; everybody's with `owner: "all"`, for administrators. */
  list(query?: { readonly owner?: "me" | "all" }, options?: CallOptions): AsyncGenerator<Team, void, void>;
  create(input: RouteBody<typeof teamRoutes.createTeam>, options?: CreateOptions): Promise<Team>;
  get(id: string, options?: CallOptions): Promise<Team>;
  update(id: string, change: RouteBody<typeof teamRoutes.updateTeam>, options?: CallOptions): Promise<Team>;
  /** `transferTo`: who gets the assets that it owns, `me` or another team of yours. */
  delete(id: string, options?: CallOptions & { readonly transferTo?: string }): Promise<void>;
  /** How much was granted to it: what goes when it is deleted. */
  grants(
    id: string,
    options?: CallOptions,
  ): Promise<{ readonly runs: number; readonly sandboxes: number; readonly assets: number; readonly ownedAssets: number }>;
  members(id: string, options?: CallOptions): AsyncGenerator<TeamMember, void, void>;
  setRole(id: string, userId: string, role: TeamRole, options?: CallOptions): Promise<TeamMember>;
  removeMember(id: string, userId: string, options?: CallOptions): Promise<void>;
  leave(id: string, options?: CallOptions): Promise<void>;
  invitations(id: string, options?: CallOptions): AsyncGenerator<TeamInvitation, void, void>;
  invite(id: string, input: RouteBody<typeof teamRoutes.inviteToTeam>, options?: CallOptions): Promise<NewTeamInvitation>;
  revokeInvitation(id: string, invitationId: string, options?: CallOptions): Promise<void>;
  /** Accepts an invitation. */
  join(token: string, options?: CallOptions): Promise<Team>;
  /** Accepts an invitation that was sent to your own confirmed address, by its id. */
  joinInvited(invitationId: string, options?: CallOptions): Promise<Team>;
}

export function createTeams(transport: Transport): Teams {
  const removeMember = async (id: string, userId: string, options: CallOptions = {}) =>
    void (await transport.json("removeTeamMember", { ...options, params: { id, userId } }));
  return {
    list: (query = {}, options = {}) =>
      iteratePages((cursor): Promise<Page<Team>> =>
        transport.json("listTeams", { ...options, query: { ...query, limit: 200, ...(cursor !== null && { cursor }) } }),
      ),
    create: (input, options = {}) => transport.json("createTeam", { ...options, body: input }),
    get: (id, options = {}) => transport.json("getTeam", { ...options, params: { id } }),
    update: (id, change, options = {}) => transport.json("updateTeam", { ...options, params: { id }, body: change }),
    delete: async (id, { transferTo, ...options } = {}) =>
      void (await transport.json("deleteTeam", { ...options, params: { id }, query: transferTo === undefined ? {} : { transferTo } })),
    grants: (id, options = {}) => transport.json("getTeamGrants", { ...options, params: { id } }),
    members: (id, options = {}) =>
      iteratePages((cursor): Promise<Page<TeamMember>> =>
        transport.json("listTeamMembers", { ...options, params: { id }, query: { limit: 200, ...(cursor !== null && { cursor }) } }),
      ),
    setRole: (id, userId, role, options = {}) => transport.json("updateTeamMember", { ...options, params: { id, userId }, body: { role } }),
    removeMember,
    leave: (id, options = {}) => removeMember(id, "me", options),
    invitations: (id, options = {}) =>
      iteratePages((cursor): Promise<Page<TeamInvitation>> =>
        transport.json("listTeamInvitations", { ...options, params: { id }, query: { limit: 200, ...(cursor !== null && { cursor }) } }),
      ),
    invite: (id, input, options = {}) => transport.json("inviteToTeam", { ...options, params: { id }, body: input }),
    revokeInvitation: async (id, invitationId, options = {}) =>
      void (await transport.json("revokeTeamInvitation", { ...options, params: { id, invitationId } })),
    joinInvited: (invitationId, options = {}) => transport.json("joinTeam", { ...options, body: { invitationId } }),
    join: (token, options = {}) => transport.json("joinTeam", { ...options, body: { token } }),
  };
}
