import { useEffect, useRef, useState } from "react";
import type { Other } from "./live-session.ts";
import { useLiveSession } from "./use-live-session.ts";

/** A run whose output is shown; `by` null: it was started here. */
export interface DockedRun {
  readonly runId: string;
  readonly by: Pick<Other, "name" | "color"> | null;
}

/**
 * The run that was started last, here or by somebody else who is here and shows it; `onRun` is told when it is another one. `isShown`: whether the others
 * see what is started here.
 */
export function useSharedRun(isShown: boolean, onRun: (runId: string) => void) {
  const { session, live } = useLiveSession();
  const [docked, setDocked] = useState<DockedRun | null>(null);
  const seen = useRef(new Set<string>());
  const told = useRef(onRun);
  useEffect(() => {
    told.current = onRun;
  });
  useEffect(() => {
    const fresh = live.others.filter(({ runId }) => runId !== null && !seen.current.has(runId));
    for (const { runId } of fresh) seen.current.add(runId ?? "");
    const last = fresh.at(-1);
    if (last === undefined || last.runId === null) return;
    setDocked({ runId: last.runId, by: last });
    told.current(last.runId);
  }, [live.others]);
  const show = (runId: string) => {
    seen.current.add(runId);
    setDocked({ runId, by: null });
    if (isShown) session?.setRun(runId);
    told.current(runId);
  };
  const close = () => {
    setDocked(null);
    session?.setRun(null);
  };
  return { docked, show, close };
}
