import type { RouteBody } from "@syla/contracts/route";
import type { modelRoutes } from "@syla/contracts/models";
import type { SpendCapInput } from "@syla/sdk";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { syla } from "../app/api.ts";
import { collectItems } from "../app/collect-items.ts";
import { refreshAssets } from "../catalog/queries.ts";

/** Those of one owner, or all that one may see. */
export function useModels(owner?: string) {
  return useQuery({
    queryKey: owner === undefined ? ["models"] : ["models", "of", owner],
    queryFn: async ({ signal }) => await collectItems(syla.models.list({ signal, ...(owner !== undefined && { owner }) })),
  });
}

export function useModel(id: string) {
  return useQuery({ queryKey: ["models", id], queryFn: ({ signal }) => syla.models.get(id, { signal }) });
}

export function useModelUsage(id: string, enabled: boolean) {
  return useQuery({
    queryKey: ["models", id, "usage"],
    queryFn: ({ signal }) => syla.models.usage(id, 30, { signal }),
    enabled,
    refetchInterval: 15_000,
  });
}

const shownCalls = 100;

/** The newest calls of a model. */
export function useModelCalls(id: string) {
  return useQuery({
    queryKey: ["models", id, "calls"],
    queryFn: async ({ signal }) => {
      const calls = [];
      for await (const call of syla.models.calls(id, { signal })) if (calls.push(call) >= shownCalls) break;
      return calls;
    },
    refetchInterval: 5000,
  });
}

/** One call, with what was said in it. */
export function useModelCall(id: string, callId: string) {
  return useQuery({ queryKey: ["models", id, "calls", callId], queryFn: ({ signal }) => syla.models.call(id, callId, { signal }) });
}

/** The calls of a run, read again and again while it lives. */
export function useRunCalls(runId: string, live: boolean) {
  return useQuery({
    queryKey: ["run", runId, "llm-calls", live],
    queryFn: ({ signal }) => syla.models.ofRun(runId, { signal }),
    refetchInterval: live ? 1000 : false,
  });
}

function useModelMutation<Input, Output>(mutationFn: (input: Input) => Promise<Output>) {
  const client = useQueryClient();
  return useMutation({ mutationFn, onSettled: () => refreshAssets(client, null) });
}

export function useCreateModel() {
  return useModelMutation((input: RouteBody<typeof modelRoutes.createModel>) => syla.models.create(input));
}

export function useUpdateModel(id: string) {
  return useModelMutation((change: RouteBody<typeof modelRoutes.updateModel>) => syla.models.update(id, change));
}

export function useTestModel() {
  return useMutation({ mutationFn: (input: RouteBody<typeof modelRoutes.testModelConfig>) => syla.models.testConfig(input) });
}

export function useSetCap(id: string) {
  return useModelMutation(
    async ({ subject, cap, revision }: { subject: string; cap: SpendCapInput | null; revision?: number | undefined }) => {
      if (cap === null) await syla.models.removeCap(id, subject);
      else await syla.models.setCap(id, subject, cap, { revision });
    },
  );
}
