import type { Matcher } from "@syla/contracts/log-search";
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import type { LogBuffer } from "./log-buffer.ts";
import { createLogSearch, type LogFilter, type LogView } from "./log-search.ts";

/** The rows and matches of a log under a filter, kept up to date as it grows. */
export function useLogView(buffer: LogBuffer, { stream, level, node }: LogFilter, matcher: Matcher | null): LogView {
  const version = useSyncExternalStore(buffer.subscribe, buffer.version);
  const read = useMemo(() => createLogSearch(buffer, { stream, level, node }, matcher), [buffer, stream, level, node, matcher]);
  const [slice, setSlice] = useState(0);
  // The version is what says that the buffer, which is mutated in place, has changed; a slice, that there is more of it to look at.
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  const view = useMemo(() => read(), [read, version, slice]);
  useEffect(() => {
    if (view.complete) return;
    const timer = setTimeout(() => setSlice((before) => before + 1));
    return () => clearTimeout(timer);
  }, [view]);
  return view;
}
