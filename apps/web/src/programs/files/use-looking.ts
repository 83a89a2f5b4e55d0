import type { ProgramAnalysis } from "@syla/sdk";
import { useEffect, useRef, useState } from "react";
import { useAnalyseProgram, useProgramAnalysis } from "../queries.ts";

/** How far the files have been looked at. */
export interface Looking {
  readonly found: ProgramAnalysis | undefined;
  readonly error: unknown;
  readonly isBusy: boolean;
  /** What is found is of the files as they were before. */
  readonly isStale: boolean;
  readonly look: () => void;
}

/** The analysis of the shown files. What nobody has looked at is looked at when it is opened; what was changed since, on demand. */
export function useLooking(id: string, version: string | undefined, tree: string | null, isShown: boolean): Looking {
  const known = useProgramAnalysis(id, version, tree);
  const analyse = useAnalyseProgram(id, version, tree);
  const begun = useRef(false);
  const { data, isPlaceholderData } = known;
  const [last, setLast] = useState<ProgramAnalysis | undefined>(undefined);
  useEffect(() => {
    if (data?.analysis) setLast(data);
  }, [data]);
  const before = last?.version === (version ?? null) ? last : undefined;
  const isNew = data?.state === "none" && !isPlaceholderData && tree !== null;
  const { mutate } = analyse;
  useEffect(() => {
    if (!isShown || !isNew || begun.current) return;
    begun.current = true;
    mutate();
  }, [isShown, isNew, mutate]);
  const isStale = isNew && before !== undefined;
  return {
    found: isStale ? before : data,
    error: analyse.error ?? known.error,
    isBusy: analyse.isPending || data?.state === "running",
    isStale,
    look: () => mutate(),
  };
}
