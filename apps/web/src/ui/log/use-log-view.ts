import { useDeferredValue, useMemo, useSyncExternalStore } from "react";
import type { LogBuffer } from "./log-buffer.ts";
import { createLogSearch, type LogFilter, type LogView } from "./log-search.ts";

/** The rows and matches of a log under a filter, kept up to date as it grows. */
export function useLogView(buffer: LogBuffer, filter: LogFilter): LogView {
  const version = useSyncExternalStore(buffer.subscribe, buffer.version);
  const query = useDeferredValue(filter.query);
  const read = useMemo(() => createLogSearch(buffer, { stream: filter.stream, query }), [buffer, filter.stream, query]);
  // The version is what says that the buffer, which is mutated in place, has changed.
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  return useMemo(() => read(), [read, version]);
}
