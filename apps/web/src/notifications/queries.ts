import type { RouteBody } from "@syla/contracts/route";
import type { notificationRoutes } from "@syla/contracts/notifications";
import type { NotificationType } from "@syla/sdk";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { syla } from "../app/api.ts";
import { refreshAssets } from "../catalog/queries.ts";

const stateKey = ["notifications", "state"];

/** How many are unread. Kept up to date by the live connection; read by itself only until that speaks. */
export function useUnread() {
  return useQuery({ queryKey: stateKey, queryFn: ({ signal }) => syla.notifications.unread({ signal }), staleTime: Infinity });
}

/** Follows what is new as long as it is mounted: the count changes at once, and lists that are shown are read again. */
export function useLiveNotifications(userId: string | undefined): void {
  const client = useQueryClient();
  useEffect(() => {
    if (userId === undefined) return;
    const leaving = new AbortController();
    const follow = async () => {
      for await (const event of syla.notifications.follow({ signal: leaving.signal })) {
        if (event.type === "assets") refreshAssets(client, event.ids);
        if (event.type !== "state") continue;
        client.setQueryData(stateKey, { unread: event.unread, seq: event.seq });
        void client.invalidateQueries({ queryKey: ["notifications", "list"] });
      }
    };
    // Whoever is no longer signed in is asked to sign in by the page itself.
    follow().catch(() => client.invalidateQueries({ queryKey: ["me"] }));
    return () => leaving.abort();
  }, [client, userId]);
}

/** The filters of the list as they stand in the address. */
export interface NotificationListFilter {
  readonly unread: boolean;
  readonly type: NotificationType | "";
}

/** Notifications under a filter, in pages. */
export function useNotifications(filter: NotificationListFilter, limit: number) {
  return useInfiniteQuery({
    queryKey: ["notifications", "list", filter.unread, filter.type, limit],
    queryFn: ({ pageParam, signal }) =>
      syla.notifications.list(
        {
          limit,
          unread: filter.unread ? true : undefined,
          type: filter.type === "" ? undefined : filter.type,
          cursor: pageParam === "" ? undefined : pageParam,
        },
        { signal },
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: (previous) => previous,
  });
}

/** A change that the lists and the count show afterwards. */
function useChange<T>(change: (input: T) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: change, onSettled: () => client.invalidateQueries({ queryKey: ["notifications"] }) });
}

export function useSetRead() {
  return useChange(({ id, read }: { readonly id: string; readonly read: boolean }) => syla.notifications.setRead(id, read));
}

/** Marks what was on the screen, and nothing that came since. */
export function useReadAll() {
  const client = useQueryClient();
  return useChange<undefined>(() => syla.notifications.readAll(client.getQueryData<{ seq: number }>(stateKey)?.seq));
}

export function useDeleteNotification() {
  return useChange((id: string) => syla.notifications.delete(id));
}

const preferencesKey = ["notification-preferences"];

export function usePreferences() {
  return useQuery({ queryKey: preferencesKey, queryFn: ({ signal }) => syla.notifications.preferences.get({ signal }) });
}

export function useChangePreferences() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: RouteBody<typeof notificationRoutes.updateNotificationPreferences>) =>
      syla.notifications.preferences.update(change),
    onSuccess: (preferences) => client.setQueryData(preferencesKey, preferences),
  });
}

export function useTestChannel() {
  return useMutation({ mutationFn: (channel: "email" | "webhook") => syla.notifications.preferences.test(channel) });
}

export function useRotateWebhookSecret() {
  return useMutation({ mutationFn: () => syla.notifications.preferences.rotateWebhookSecret() });
}
