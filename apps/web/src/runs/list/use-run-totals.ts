import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { useMe } from "../../accounts/queries.ts";
import { syla } from "../../app/api.ts";
import { liveStatuses } from "../run-state.ts";
import { type RunListFilter, runListQuery, writeRunFilter } from "./run-filter.ts";

/** How often they are read again: quickly while something is going on. */
const livelyMs = 3000;
const quietMs = 15_000;
/** Where they take long to add up, they are asked for no more often than so many times that long. */
const restShare = 10;

/** What the runs under a filter come to, kept up to date. */
export function useRunTotals(filter: RunListFilter) {
  const tookMs = useRef(0);
  const isAdmin = useMe().data?.role === "admin";
  return useQuery({
    queryKey: ["runs", "totals", writeRunFilter(filter).toString(), isAdmin],
    queryFn: async ({ signal }) => {
      const { limit: _limit, ...query } = runListQuery(filter, Date.now(), isAdmin);
      const begun = performance.now();
      const totals = await syla.runs.totals(query, { signal });
      tookMs.current = performance.now() - begun;
      return totals;
    },
    placeholderData: keepPreviousData,
    refetchInterval: (query) => {
      const isLively = liveStatuses.some((status) => (query.state.data?.statuses[status] ?? 0) > 0);
      return Math.max(isLively ? livelyMs : quietMs, tookMs.current * restShare);
    },
    staleTime: 1000,
  });
}
