import type { RouteBody } from "@syla/contracts/route";
import type { teamRoutes } from "@syla/contracts/teams";
import type { TeamRole } from "@syla/sdk";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { syla } from "../app/api.ts";
import { collectItems } from "../app/collect-items.ts";

/** Your teams. */
export function useTeams(everybodys = false) {
  return useQuery({
    queryKey: ["teams", everybodys ? "all" : ""],
    queryFn: async ({ signal }) => await collectItems(syla.teams.list(everybodys ? { owner: "all" } : {}, { signal })),
  });
}

export function useTeam(id: string) {
  return useQuery({ queryKey: ["teams", id], queryFn: ({ signal }) => syla.teams.get(id, { signal }) });
}

export function useMembers(id: string) {
  return useQuery({
    queryKey: ["teams", id, "members"],
    queryFn: async ({ signal }) => await collectItems(syla.teams.members(id, { signal })),
  });
}

export function useInvitations(id: string, enabled: boolean) {
  return useQuery({
    queryKey: ["teams", id, "invitations"],
    queryFn: async ({ signal }) => await collectItems(syla.teams.invitations(id, { signal })),
    enabled,
  });
}

/** What the members lose with the team. */
export function useTeamGrants(id: string) {
  return useQuery({ queryKey: ["teams", id, "grants"], queryFn: ({ signal }) => syla.teams.grants(id, { signal }), staleTime: 0 });
}

function useTeamMutation<Input, Output>(mutationFn: (input: Input) => Promise<Output>) {
  const client = useQueryClient();
  return useMutation({ mutationFn, onSettled: () => client.invalidateQueries({ queryKey: ["teams"] }) });
}

export function useCreateTeam() {
  return useTeamMutation((input: RouteBody<typeof teamRoutes.createTeam>) => syla.teams.create(input));
}

export function useUpdateTeam(id: string) {
  return useTeamMutation((change: RouteBody<typeof teamRoutes.updateTeam>) => syla.teams.update(id, change));
}

/** How somebody was invited: by a link with a token, or to an address of theirs. Empty for what there is not. */
interface Invited {
  readonly token: string;
  readonly invitationId: string;
}

interface Farewell {
  readonly id: string;
  /** Who gets the assets that it owns. */
  readonly transferTo?: string;
}

/** The team is gone, or one is no longer in it: nothing of it is read again. */
function useFarewell(mutationFn: (team: Farewell) => Promise<void>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess: (_nothing, { id }) => {
      client.removeQueries({ queryKey: ["teams", id] });
      void client.invalidateQueries({ queryKey: ["teams"], exact: true });
    },
  });
}

export function useDeleteTeam() {
  return useFarewell(({ id, transferTo }) => syla.teams.delete(id, transferTo === undefined ? {} : { transferTo }));
}

export function useLeaveTeam() {
  return useFarewell(({ id }) => syla.teams.leave(id));
}

export function useSetRole(id: string) {
  return useTeamMutation(({ userId, role }: { userId: string; role: TeamRole }) => syla.teams.setRole(id, userId, role));
}

export function useRemoveMember(id: string) {
  return useTeamMutation((userId: string) => syla.teams.removeMember(id, userId));
}

export function useInvite(id: string) {
  return useTeamMutation((input: RouteBody<typeof teamRoutes.inviteToTeam>) => syla.teams.invite(id, input));
}

export function useRevokeInvitation(id: string) {
  return useTeamMutation((invitationId: string) => syla.teams.revokeInvitation(id, invitationId));
}

export function useJoinTeam() {
  return useTeamMutation(({ token, invitationId }: Invited) =>
    token === "" ? syla.teams.joinInvited(invitationId) : syla.teams.join(token),
  );
}
