import type { RouteBody } from "@syla/contracts/route";
import type { webhookRoutes } from "@syla/contracts/webhooks";
import type { WebhookDelivery } from "@syla/sdk";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { syla } from "../app/api.ts";
import { collectItems } from "../app/collect-items.ts";

const refreshMs = 3000;

/** Yours and those of your teams. */
export function useWebhooks() {
  return useQuery({ queryKey: ["webhooks"], queryFn: async ({ signal }) => await collectItems(syla.webhooks.list({}, { signal })) });
}

export function useWebhook(id: string) {
  return useQuery({ queryKey: ["webhooks", id], queryFn: ({ signal }) => syla.webhooks.get(id, { signal }), refetchInterval: refreshMs });
}

/** What it was sent, page after page, newest first. */
export function useDeliveries(id: string, state: WebhookDelivery["state"] | null) {
  return useInfiniteQuery({
    queryKey: ["webhooks", id, "deliveries", state],
    queryFn: ({ pageParam, signal }) =>
      syla.webhooks.deliveries(id, { ...(state === null ? {} : { state }), ...(pageParam ? { cursor: pageParam } : {}) }, { signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    refetchInterval: refreshMs,
  });
}

/** What was sent and answered. */
export function useDelivery(id: string, deliveryId: string) {
  return useQuery({
    queryKey: ["webhooks", id, "delivery", deliveryId],
    queryFn: ({ signal }) => syla.webhooks.delivery(id, deliveryId, { signal }),
    refetchInterval: refreshMs,
  });
}

function useWebhookMutation<Input, Output>(mutationFn: (input: Input) => Promise<Output>) {
  const client = useQueryClient();
  return useMutation({ mutationFn, onSettled: () => client.invalidateQueries({ queryKey: ["webhooks"] }) });
}

export function useCreateWebhook() {
  return useWebhookMutation((input: RouteBody<typeof webhookRoutes.createWebhook>) => syla.webhooks.create(input));
}

/** `revision`: what the change is a change of; left out where it does not depend on that. */
export function useUpdateWebhook(id: string, revision?: number) {
  return useWebhookMutation((change: RouteBody<typeof webhookRoutes.updateWebhook>) => syla.webhooks.update(id, change, { revision }));
}

export function useDeleteWebhook(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => syla.webhooks.delete(id),
    onSuccess: async () => {
      client.removeQueries({ queryKey: ["webhooks", id] });
      await client.invalidateQueries({ queryKey: ["webhooks"], exact: true });
    },
  });
}

export function useRotateWebhook(id: string) {
  return useWebhookMutation((_input: void) => syla.webhooks.rotate(id));
}

export function useTestWebhook(id: string) {
  return useWebhookMutation((_input: void) => syla.webhooks.test(id));
}

export function useReplay(id: string) {
  return useWebhookMutation((deliveryId: string) => syla.webhooks.replay(id, deliveryId));
}

export function useReplayFailed(id: string) {
  return useWebhookMutation((since: string) => syla.webhooks.replayMany(id, { since, state: "failed" }));
}
