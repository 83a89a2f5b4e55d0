import type { AnalysisProblem, Workspace, WorkspaceAnalysis } from "@syla/sdk";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { syla } from "../app/api.ts";
import { describeError, type ErrorDescription } from "../ui/describe-error.ts";

const readingMs = 700;
const nothing: readonly AnalysisProblem[] = [];

/** What reading the files of a workspace has told. */
export interface Problems {
  readonly items: readonly AnalysisProblem[];
  readonly leftOut: number;
  readonly isStale: boolean;
  readonly isBusy: boolean;
  readonly failure: Pick<ErrorDescription, "message" | "hint"> | null;
  readonly onLook: () => void;
}

/** Has the files read after each save while somebody wants to know (`isWanted`): each time is a run that counts. Else what is known is told. */
export function useProblems({ id, tree }: Pick<Workspace, "id" | "tree">, isWanted: boolean): Problems {
  const client = useQueryClient();
  const key = ["workspace-analysis", id, tree.sha256];
  const known = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => syla.workspaces.analysis(id, { signal }),
    refetchInterval: ({ state }) => (state.data?.state === "running" ? readingMs : false),
    placeholderData: keepPreviousData,
  });
  const look = useMutation({
    mutationFn: () => syla.workspaces.analyse(id),
    onSuccess: (found) => client.setQueryData(["workspace-analysis", id, found.tree], found),
  });
  const { data } = known;
  const [last, setLast] = useState<WorkspaceAnalysis | null>(null);
  useEffect(() => {
    if (data?.analysis) setLast(data);
  }, [data]);
  // Once for each tree: what was refused is not asked for again by itself.
  const asked = useRef("");
  const isUnread = data?.state === "none" && data.tree === tree.sha256 && !known.isPlaceholderData;
  const { mutate } = look;
  useEffect(() => {
    if (!isWanted || !isUnread || asked.current === tree.sha256) return;
    asked.current = tree.sha256;
    mutate();
  }, [isWanted, isUnread, tree.sha256, mutate]);
  const isOf = last?.tree === tree.sha256;
  const error = look.error ?? known.error;
  const failure = error ? describeError(error) : data?.state === "failed" ? data.error : null;
  const isAwaited = isWanted && last === null && failure === null;
  return {
    items: last?.analysis?.problems ?? nothing,
    leftOut: last?.analysis?.leftOut.problems ?? 0,
    isStale: last !== null && !isOf,
    isBusy: look.isPending || data?.state === "running" || isAwaited,
    failure,
    onLook: () => mutate(),
  };
}
