import type { FlowGraph } from "@syla/contracts/flow";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { CompositionRunDraft } from "@syla/sdk";
import { syla } from "../app/api.ts";
import { storeRun } from "../runs/queries.ts";

export const graphKey = (id: string, version: string | undefined) => ["composition", id, "graph", version ?? "head"];

/** The graph as it is kept; what is edited is a copy of it. */
export function useGraph(id: string, version: string | undefined, enabled = true) {
  return useQuery({
    enabled,
    queryKey: graphKey(id, version),
    queryFn: ({ signal }) => syla.compositions.graph(id, version, { signal }),
    // What is being edited is not exchanged under the hands of who edits it.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
}

/** What the server knows to be wrong, besides what the graph says itself. */
export function useServerProblems(id: string, graph: FlowGraph, hash: string) {
  return useQuery({
    queryKey: ["composition", id, "problems", hash],
    queryFn: ({ signal }) => syla.compositions.check(graph, id, { signal }),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
}

const mostOffered = 100;

/** What of the catalog may be placed. */
export function usePalette(id: string, q: string) {
  return useQuery({
    queryKey: ["palette", id, q],
    queryFn: ({ signal }) => syla.compositions.palette({ within: id, limit: mostOffered, ...(q === "" ? {} : { q }) }, { signal }),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
}

export function useRunComposition(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: CompositionRunDraft) => syla.compositionRuns.start(id, input),
    onSuccess: (run) => storeRun(client, run),
  });
}

export const nodesKey = (runId: string) => ["run", runId, "nodes"];

/** Where runs wait for somebody who may be you. */
export function useApprovals() {
  return useQuery({
    queryKey: ["approvals"],
    queryFn: ({ signal }) => syla.compositionRuns.approvals({ limit: 10 }, { signal }),
    refetchInterval: 5000,
  });
}

/** How the nodes of a run stand; the events of the run keep it fresh. */
export function useRunNodes(runId: string) {
  return useQuery({
    queryKey: nodesKey(runId),
    queryFn: ({ signal }) => syla.compositionRuns.nodes(runId, { signal }),
    enabled: runId !== "",
  });
}

/**
 * The paths of the nodes of a run whose results are out of date, as the server says of a graph. `hash`: of what the graph does; null while that
 * is not known, then nothing new is asked.
 */
export function useStaleNodes(runId: string, graph: FlowGraph, hash: string | null) {
  return useQuery({
    queryKey: ["run", runId, "stale", hash],
    queryFn: ({ signal }) => syla.compositionRuns.stale(runId, graph, { signal }),
    enabled: runId !== "" && hash !== null,
    placeholderData: (before, query) => (query?.queryKey[1] === runId ? before : undefined),
    staleTime: 60_000,
  });
}

export function useDecide(runId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (decision: { readonly path: string; readonly approved: boolean; readonly comment: string }) =>
      syla.compositionRuns.decide(runId, decision),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ["run", runId] });
      void client.invalidateQueries({ queryKey: ["approvals"] });
    },
  });
}
