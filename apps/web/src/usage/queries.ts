import type { KeyQuotaInput, QuotaInput } from "@syla/sdk";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { syla } from "../app/api.ts";

const everyMs = 30_000;

/** What was used in the last days: by oneself, or for administrators by everybody. */
export function useUsage(user: "me" | "all", days: number) {
  return useQuery({
    queryKey: ["usage", user, days],
    queryFn: ({ signal }) => syla.usage({ user, from: dayBefore(days - 1) }, { signal }),
    placeholderData: (previous) => previous,
    refetchInterval: everyMs,
  });
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
