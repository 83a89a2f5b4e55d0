import type { RunSummary } from "@syla/sdk";
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { useMe } from "../../accounts/queries.ts";
import { syla } from "../../app/api.ts";
import { isLive } from "../run-state.ts";
import { type RunListFilter, runListQuery, writeRunFilter } from "./run-filter.ts";

/** How often the top of the list is read again: quickly while something moves on it. */
const livelyMs = 1500;
const quietMs = 4000;

/**
 * The runs under a filter: pages that grow downwards, and a first page that is read again and again and laid over them, so a long
 * list stays live without being loaded anew.
 */
export function useRunList(filter: RunListFilter) {
  const client = useQueryClient();
  const isAdmin = useMe().data?.role === "admin";
  const key = [writeRunFilter(filter).toString(), isAdmin];
  const pages = useInfiniteQuery({
    queryKey: ["runs", "list", ...key],
    queryFn: ({ pageParam, signal }) =>
      syla.runs.list({ ...runListQuery(filter, Date.now(), isAdmin), ...(pageParam ? { cursor: pageParam } : {}) }, { signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    staleTime: 30_000,
    placeholderData: (previous) => previous,
  });
  const head = useQuery({
    queryKey: ["runs", "head", ...key],
    queryFn: ({ signal }) => syla.runs.list(runListQuery(filter, Date.now(), isAdmin), { signal }),
    enabled: pages.isSuccess && !pages.isPlaceholderData,
    refetchInterval: (query) => (query.state.data?.items.some(isLive) ? livelyMs : quietMs),
    staleTime: 0,
  });
  const loaded = useMemo(() => pages.data?.pages.flatMap((page) => page.items) ?? [], [pages.data]);
  const fresh = pages.isPlaceholderData ? undefined : head.data?.items;
  const connected = !fresh || fresh.length === 0 || loaded.length === 0 || fresh.some((run) => run.id === loaded[0]?.id);
  const hasLiveBelow = useMemo(() => loaded.some((run) => isLive(run) && !fresh?.some((other) => other.id === run.id)), [loaded, fresh]);
  useEffect(() => {
    // More came than a page holds, or something further down still moves: only then is the whole list read again.
    if (!connected) void client.invalidateQueries({ queryKey: ["runs", "list"] });
  }, [connected, client]);
  useEffect(() => {
    if (!hasLiveBelow) return;
    const timer = setInterval(() => void client.invalidateQueries({ queryKey: ["runs", "list"] }), quietMs);
    return () => clearInterval(timer);
  }, [hasLiveBelow, client]);
  const runs = useMemo(() => overlay(loaded, fresh), [loaded, fresh]);
  return { pages, runs };
}

/** The fresh first page over what was loaded before: new ones on top, known ones replaced, those that no longer match gone. */
function overlay(loaded: readonly RunSummary[], fresh: readonly RunSummary[] | undefined): readonly RunSummary[] {
  if (!fresh) return loaded;
  const oldest = fresh.at(-1)?.createdAt;
  const known = new Set(fresh.map((run) => run.id));
  return [...fresh, ...loaded.filter((run) => !known.has(run.id) && oldest !== undefined && run.createdAt <= oldest)];
}
