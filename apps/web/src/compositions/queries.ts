import type { FlowGraph } from "@syla/contracts/flow";
import { hashGraph } from "@syla/flow/canonical";
import type { CompositionDraft } from "@syla/sdk";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { syla } from "../app/api.ts";
import { refreshAssets } from "../catalog/queries.ts";

/** Makes a composition, and tells what its document names that is not here. */
export function useCreateComposition() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (draft: CompositionDraft) => syla.compositions.create(draft),
    onSettled: () => refreshAssets(client, null),
  });
}

/** Compositions to begin with. */
export function useCompositionTemplates() {
  return useQuery({
    queryKey: ["templates"],
    queryFn: ({ signal }) => syla.imports.templates({ signal }),
    select: (all) => all.filter(({ type }) => type === "composition"),
  });
}

/** Everything that is wrong with a graph that is not kept yet, also with what it uses. */
export function useDocumentProblems(graph: FlowGraph | undefined) {
  return useQuery({
    queryKey: ["composition", "", "problems", graph === undefined ? "" : hashGraph(graph)],
    queryFn: ({ signal }) => syla.compositions.check(graph, undefined, { signal }),
    enabled: graph !== undefined,
    staleTime: 0,
  });
}
