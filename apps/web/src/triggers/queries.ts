import type { RouteBody } from "@syla/contracts/route";
import type { triggerRoutes } from "@syla/contracts/triggers";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { syla } from "../app/api.ts";
import { collectItems } from "../app/collect-items.ts";

const refreshMs = 4000;

/** Yours of a program. */
export function useTriggers(programId: string) {
  return useQuery({
    queryKey: ["triggers", programId],
    queryFn: async ({ signal }) => await collectItems(syla.triggers.list({ programId }, { signal })),
    refetchInterval: refreshMs,
  });
}

/** The newest of its calls. */
export function useCalls(id: string) {
  return useQuery({
    queryKey: ["triggers", "calls", id],
    queryFn: ({ signal }) => syla.triggers.calls(id, { limit: 20 }, { signal }),
    refetchInterval: refreshMs,
  });
}

function useTriggerMutation<Input, Output>(mutationFn: (input: Input) => Promise<Output>) {
  const client = useQueryClient();
  return useMutation({ mutationFn, onSettled: () => client.invalidateQueries({ queryKey: ["triggers"] }) });
}

export function useCreateTrigger() {
  return useTriggerMutation((input: RouteBody<typeof triggerRoutes.createTrigger>) => syla.triggers.create(input));
}

export function useUpdateTrigger(id: string) {
  return useTriggerMutation((change: RouteBody<typeof triggerRoutes.updateTrigger>) => syla.triggers.update(id, change));
}

export function useRotateTrigger(id: string) {
  return useTriggerMutation((_input: void) => syla.triggers.rotate(id));
}

export function useDeleteTrigger(id: string) {
  return useTriggerMutation((_input: void) => syla.triggers.delete(id));
}
