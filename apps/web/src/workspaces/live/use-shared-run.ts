import { useEffect, useRef, useState } from "react";
import type { Other } from "./live-session.ts";
import { useLiveSession } from "./use-live-session.ts";

/** A run whose output is shown; `by` null: it was started here. */
export interface DockedRun {
  readonly runId: string;
  readonly by: Pick<Other, "name" | "color"> | null;
}

/** The output that is docked: of the run that was started last, here or by somebody else who is here and shows it. `isShown`: whether the others see what is started here. */
export function useSharedRun(isShown: boolean) {
  const { session, live } = useLiveSession();
  const [docked, setDocked] = useState<DockedRun | null>(null);
  const seen = useRef(new Set<string>());
  useEffect(() => {
    for (const { runId, name, color } of live.others) {
      if (runId === null || seen.current.has(runId)) continue;
      seen.current.add(runId);
      setDocked({ runId, by: { name, color } });
    }
  }, [live.others]);
  const show = (runId: string) => {
    seen.current.add(runId);
    setDocked({ runId, by: null });
    if (isShown) session?.setRun(runId);
  };
  const close = () => {
    setDocked(null);
    session?.setRun(null);
  };
  return { docked, show, close };
}
