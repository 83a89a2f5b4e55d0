import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import type { RouteBody } from "@syla/contracts/route";
import type { signUpRoutes } from "@syla/contracts/sign-up";
import { syla } from "../../app/api.ts";

/** Invitations, newest first. */
export function useInvitations() {
  return useInfiniteQuery({
    queryKey: ["invitations"],
    queryFn: ({ pageParam, signal }) => syla.invitations.list(pageParam === null ? {} : { cursor: pageParam }, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
  });
}

/** Invites somebody. The answer holds the link, this once. */
export function useInvite() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: RouteBody<typeof signUpRoutes.createInvitation>) => syla.invitations.create(input),
    onSettled: () => client.invalidateQueries({ queryKey: ["invitations"] }),
  });
}

/** Takes an invitation back. */
export function useRevokeInvitation() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => syla.invitations.revoke(id),
    onSettled: () => client.invalidateQueries({ queryKey: ["invitations"] }),
  });
}
