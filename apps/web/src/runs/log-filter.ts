import { LogLevel } from "@syla/contracts/log-levels";
import { logStreams } from "@syla/contracts/log-lines";
import { type LogFilter, noFilter } from "../ui/log/log-search.ts";

/** What the address says of a log. What makes no sense says nothing. */
export function readFilter(search: URLSearchParams): LogFilter {
  const stream = logStreams.find((name) => name === search.get("output")) ?? "all";
  const level = LogLevel.safeParse(search.get("level"));
  return {
    ...noFilter,
    stream,
    ...(level.success && { level: level.data }),
    ...(search.get("node") && { node: search.get("node")?.slice(0, 64) }),
    query: search.get("find") ?? "",
    regex: search.get("regex") === "1",
    matchCase: search.get("case") === "1",
  };
}

/** The same address with this filter. */
export function writeFilter(search: URLSearchParams, { stream, level, node, query, regex, matchCase }: LogFilter): URLSearchParams {
  const next = new URLSearchParams(search);
  const values = {
    output: stream === "all" ? "" : stream,
    level: level ?? "",
    node: node ?? "",
    find: query,
    regex: regex ? "1" : "",
    case: matchCase ? "1" : "",
  };
  for (const [name, value] of Object.entries(values)) {
    if (value === "") next.delete(name);
    else next.set(name, value);
  }
  return next;
}
