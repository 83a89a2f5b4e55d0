import { useQuery } from "@tanstack/react-query";
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

/** One's own quotas. */
export function useQuotas() {
  return useQuery({ queryKey: ["quotas"], queryFn: ({ signal }) => syla.quotas.list(undefined, { signal }), refetchInterval: everyMs });
}

function dayBefore(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
}
