import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMe } from "../../accounts/queries.ts";
import { syla } from "../../app/api.ts";
import { liveStatuses } from "../run-state.ts";
import { type RunListFilter, runListQuery, writeRunFilter } from "./run-filter.ts";

/** How often they are read again: quickly while something is going on. */
const livelyMs = 3000;
const quietMs = 15_000;

/** What the runs under a filter come to, kept up to date. */
export function useRunTotals(filter: RunListFilter) {
  const isAdmin = useMe().data?.role === "admin";
  return useQuery({
    queryKey: ["runs", "totals", writeRunFilter(filter).toString(), isAdmin],
    queryFn: ({ signal }) => {
      const { limit: _limit, ...query } = runListQuery(filter, Date.now(), isAdmin);
      return syla.runs.totals(query, { signal });
    },
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (liveStatuses.some((status) => (query.state.data?.statuses[status] ?? 0) > 0) ? livelyMs : quietMs),
    staleTime: 1000,
  });
}
