import type { Role } from "@syla/contracts/accounts";
import type { adminRoutes } from "@syla/contracts/admin";
import type { RouteBody } from "@syla/contracts/route";
import type { ListUsersQuery } from "@syla/sdk";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { saveExport } from "../accounts/save-export.ts";
import { syla } from "../app/api.ts";

/** Accounts under a filter, in pages. */
export function useUsers(filter: Pick<ListUsersQuery, "q" | "role" | "status">) {
  return useInfiniteQuery({
    queryKey: ["admin", "users", filter.q ?? "", filter.role ?? "", filter.status ?? ""],
    queryFn: ({ pageParam, signal }) =>
      syla.users.list({ ...filter, limit: 50, cursor: pageParam === "" ? undefined : pageParam }, { signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: (previous) => previous,
  });
}

/** One account with what it has. */
export function useUser(id: string) {
  return useQuery({ queryKey: ["admin", "user", id], queryFn: ({ signal }) => syla.users.get(id, { signal }) });
}

function useAdminChange<T>(change: (input: T) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: change, onSettled: () => client.invalidateQueries({ queryKey: ["admin"] }) });
}

export function useSetRole() {
  return useAdminChange(({ id, role }: { readonly id: string; readonly role: Role }) => syla.users.setRole(id, role));
}

export function useSuspend() {
  return useAdminChange(({ id, reason }: { readonly id: string; readonly reason: string }) => syla.users.suspend(id, reason));
}

export function useReactivate() {
  return useAdminChange((id: string) => syla.users.reactivate(id));
}

export function useResetTwoFactor() {
  return useAdminChange(({ id, reason }: { readonly id: string; readonly reason: string }) => syla.users.resetTwoFactor(id, reason));
}

/** Saves everything about a person, for them. */
export function useExportUser() {
  return useMutation({
    mutationFn: async ({ id, reason }: { readonly id: string; readonly reason: string }) =>
      await saveExport(await syla.users.export(id, reason)),
  });
}

export function useSignOutUser() {
  return useAdminChange((id: string) => syla.users.signOut(id));
}

/** A link with which somebody sets a new password. It is in the answer, this once. */
export function useMakeResetLink() {
  return useMutation({ mutationFn: (id: string) => syla.passwordReset.createFor(id) });
}

export function useDeleteUser() {
  return useAdminChange(({ id, transferTo }: { readonly id: string; readonly transferTo: string }) =>
    syla.users.delete(id, transferTo === "" ? {} : { transferTo }),
  );
}

/** Everything that was read belongs to somebody else from now on: the page is loaded anew. */
export function useImpersonate() {
  return useMutation({
    mutationFn: ({ id, reason }: { readonly id: string; readonly reason: string }) => syla.users.impersonate(id, reason),
    onSuccess: () => window.location.assign(document.baseURI),
  });
}

export function useImpersonation() {
  return useQuery({ queryKey: ["impersonation"], queryFn: ({ signal }) => syla.impersonation.get({ signal }), staleTime: 60_000 });
}

export function useStopImpersonation() {
  return useMutation({ mutationFn: () => syla.impersonation.stop(), onSettled: () => window.location.assign(document.baseURI) });
}

export function useOverview() {
  return useQuery({ queryKey: ["admin", "overview"], queryFn: ({ signal }) => syla.admin.overview({ signal }), refetchInterval: 15_000 });
}

/** What is sent outside, in pages. */
export function useDeliveries(state: "due" | "sent" | "failed" | "") {
  return useInfiniteQuery({
    queryKey: ["admin", "deliveries", state],
    queryFn: ({ pageParam, signal }) =>
      syla.admin.listDeliveries(
        { limit: 50, state: state === "" ? undefined : state, cursor: pageParam === "" ? undefined : pageParam },
        { signal },
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    refetchInterval: 10_000,
  });
}

export function useDeliveryText(id: string) {
  return useQuery({
    queryKey: ["delivery-text", id],
    queryFn: ({ signal }) => syla.admin.readDelivery(id, { signal }),
    staleTime: Infinity,
  });
}

export function useRetryDelivery() {
  return useAdminChange((id: string) => syla.admin.retryDelivery(id));
}

const announcementsKey = ["announcements"];

export function useAnnouncements() {
  return useQuery({ queryKey: announcementsKey, queryFn: ({ signal }) => syla.announcements.list({ signal }), refetchInterval: 60_000 });
}

export function useCreateAnnouncement() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: RouteBody<typeof adminRoutes.createAnnouncement>) => syla.admin.createAnnouncement(input),
    onSettled: () => client.invalidateQueries({ queryKey: announcementsKey }),
  });
}

export function useDeleteAnnouncement() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => syla.admin.deleteAnnouncement(id),
    onSettled: () => client.invalidateQueries({ queryKey: announcementsKey }),
  });
}

const settingsKey = ["admin", "settings"];

/** What the server is configured to do. */
export function useSettings() {
  return useQuery({ queryKey: settingsKey, queryFn: ({ signal }) => syla.admin.settings({ signal }) });
}

/** Changes settings while the server runs. What depends on them is read again. */
export function useChangeSetting() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (values: Readonly<Record<string, string | null>>) => syla.admin.updateSettings(values),
    onSuccess: (settings) => {
      client.setQueryData(settingsKey, settings);
      for (const key of ["access", "quotas", "sign-up"]) void client.invalidateQueries({ queryKey: [key] });
    },
  });
}
