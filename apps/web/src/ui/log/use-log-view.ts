import type { Matcher } from "@syla/contracts/log-search";
import { useMemo, useSyncExternalStore } from "react";
import type { LogBuffer } from "./log-buffer.ts";
import { createLogSearch, type LogFilter, type LogView } from "./log-search.ts";

/** The rows and matches of a log under a filter, kept up to date as it grows. */
export function useLogView(buffer: LogBuffer, { stream, level, node }: LogFilter, matcher: Matcher | null): LogView {
  const version = useSyncExternalStore(buffer.subscribe, buffer.version);
  const read = useMemo(() => createLogSearch(buffer, { stream, level, node }, matcher), [buffer, stream, level, node, matcher]);
  // The version is what says that the buffer, which is mutated in place, has changed.
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  return useMemo(() => read(), [read, version]);
}
