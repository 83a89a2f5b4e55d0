import type { RouteBody } from "@syla/contracts/route";
import type { budgetRoutes } from "@syla/contracts/budgets";
import type { KeyQuotaInput, QuotaInput, UsageGroupsQuery } from "@syla/sdk";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { syla } from "../app/api.ts";
import { collectItems } from "../app/collect-items.ts";

const everyMs = 30_000;

/** What was used in the last days: by oneself, or for administrators by everybody. */
export function useUsage(user: "me" | "all", days: number, enabled = true) {
  return useQuery({
    enabled,
    queryKey: ["usage", user, days],
    queryFn: ({ signal }) => syla.usage({ user, from: dayBefore(days - 1) }, { signal }),
    placeholderData: (previous) => previous,
    refetchInterval: everyMs,
  });
}

/** What runs and calls of models came to in the last days. */
export function useUsageGroups(query: Omit<UsageGroupsQuery, "from" | "to">, days: number) {
  return useQuery({
    queryKey: ["usage-groups", query, days],
    queryFn: ({ signal }) => syla.usage.groups({ ...query, from: dayBefore(days - 1) }, { signal }),
    placeholderData: (previous) => previous,
    refetchInterval: everyMs,
  });
}

/** Where the same is as CSV. */
export function usageCsvUrl(query: Omit<UsageGroupsQuery, "from" | "to" | "limit">, days: number): string {
  return syla.usage.exportUrl({ ...query, from: dayBefore(days - 1) });
}

/** Budgets of one's own and of one's teams; of a team, or for administrators of all. */
export function useBudgets(owner: string) {
  return useQuery({
    queryKey: ["budgets", owner],
    queryFn: async ({ signal }) => await collectItems(syla.budgets.list({ owner }, { signal })),
    refetchInterval: everyMs,
  });
}

function useBudgetMutation<Input>(mutationFn: (input: Input) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({ mutationFn, onSettled: () => client.invalidateQueries({ queryKey: ["budgets"] }) });
}

/** Sets a budget, or changes the one of this id. */
export function useSaveBudget(id: string | null) {
  return useBudgetMutation(({ amount, stops, ...whose }: RouteBody<typeof budgetRoutes.createBudget>) =>
    id === null ? syla.budgets.create({ ...whose, amount, stops }) : syla.budgets.update(id, { amount, stops }),
  );
}

export function useDeleteBudget() {
  return useBudgetMutation((id: string) => syla.budgets.delete(id));
}

/** One's own quotas, or for administrators those of a person. */
export function useQuotas(userId?: string) {
  return useQuery({
    queryKey: ["quotas", userId ?? "me"],
    queryFn: ({ signal }) => syla.quotas.list(userId, { signal }),
    refetchInterval: everyMs,
  });
}

/** Changes a person's quotas. */
export function useUpdateQuotas(userId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: QuotaInput) => syla.quotas.update(userId, input),
    onSettled: () => client.invalidateQueries({ queryKey: ["quotas"] }),
  });
}

/** What one key may use, and what it has used. */
export function useKeyQuotas(apiKeyId: string) {
  return useQuery({ queryKey: ["key-quotas", apiKeyId], queryFn: ({ signal }) => syla.quotas.ofKey(apiKeyId, { signal }) });
}

/** Changes what one key may use. */
export function useUpdateKeyQuotas(apiKeyId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: KeyQuotaInput) => syla.quotas.updateKey(apiKeyId, input),
    onSettled: async () => {
      await Promise.all(["key-quotas", "api-keys"].map((key) => client.invalidateQueries({ queryKey: [key] })));
    },
  });
}

function dayBefore(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
}
