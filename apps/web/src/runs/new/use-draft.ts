import type { Runtime } from "@syla/sdk";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { findRuntime } from "../runtime-choice.ts";
import { type Draft, draftFromRun, newDraft, nothingChosen } from "./draft.ts";

const storageKey = "syla.draft";

function readStored(): Draft | null {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(storageKey) ?? "null");
    if (typeof value !== "object" || value === null || !("code" in value) || !("language" in value)) return null;
    // What an older version of the page left may lack a field.
    return { ...nothingChosen, ...(value as Pick<Draft, "code" | "language">) };
  } catch {
    return null;
  }
}

function store(draft: Draft): void {
  try {
    sessionStorage.setItem(storageKey, JSON.stringify(draft));
  } catch {
    // Full or blocked: the draft then lives as long as the page.
  }
}

interface DraftSource {
  readonly runtimes: readonly Runtime[] | undefined;
  /** Start from this run (`?from=`). */
  readonly from: string;
  /** And with this file of it in the editor (`&file=`). */
  readonly file: string;
  /** Start with this language's example (`?language=`). */
  readonly language: string;
  /** Called when `from` or `language` has been taken over, so that a reload keeps what was written since. */
  readonly onTaken: () => void;
}

/** The draft: from a run, from an example, or as it was left in this tab. */
export function useDraft({ runtimes, from, file, language, onTaken }: DraftSource) {
  const [draft, setDraft] = useState<Draft | null>(() => (from || language ? null : readStored()));
  const source = useQuery({
    queryKey: ["draft-from", from, file],
    queryFn: ({ signal }) => draftFromRun(from, file, signal),
    enabled: from !== "",
    gcTime: 0,
    staleTime: 0,
  });

  useEffect(() => {
    // What the address asks for must not be taken for done before the languages are known.
    if (language && !from && !runtimes) return;
    const wanted = runtimes && findRuntime(runtimes, language);
    const first =
      runtimes?.find((runtime) => runtime.available && runtime.name === "python") ??
      runtimes?.find((runtime) => runtime.available) ??
      runtimes?.[0];
    const next = from
      ? source.data
      : wanted
        ? { ...newDraft(wanted), language }
        : draft
          ? null
          : (readStored() ?? (first && newDraft(first)));
    if (!next) return;
    setDraft(next);
    if (from || language) onTaken();
    // The callback is new on every render; what decides is where the draft comes from.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [runtimes, language, from, source.data]);

  useEffect(() => {
    if (draft) store(draft);
  }, [draft]);

  return { draft, setDraft, error: from ? source.error : null, retry: () => void source.refetch() };
}
