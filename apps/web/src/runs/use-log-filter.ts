import { LogLevel } from "@syla/contracts/log-levels";
import { useEffect, useRef } from "react";
import { createSearchParams, useLocation, useNavigate, useSearchParams } from "react-router";
import { type LogFilter, noFilter } from "../ui/log/log-search.ts";

/** Typing is not written into the address letter by letter. */
const settledMs = 300;

const streams: readonly string[] = ["stdout", "stderr", "system"] satisfies LogFilter["stream"][];

/** What a log is narrowed to, as the address has it, and how it is kept there. */
export function useLogFilter(): readonly [LogFilter, (filter: LogFilter) => void] {
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const { hash } = useLocation();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const latest = useRef({ search, hash });
  latest.current = { search, hash };
  const keep = (filter: LogFilter) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      const { search: now, hash: line } = latest.current;
      void navigate({ search: createSearchParams(writeFilter(now, filter)).toString(), hash: line }, { replace: true });
    }, settledMs);
  };
  return [readFilter(search), keep];
}

export function readFilter(search: URLSearchParams): LogFilter {
  const stream = search.get("output") ?? "";
  const level = LogLevel.safeParse(search.get("level"));
  return {
    ...noFilter,
    stream: streams.includes(stream) ? (stream as LogFilter["stream"]) : "all",
    ...(level.success && { level: level.data }),
    ...(search.get("node") && { node: search.get("node")?.slice(0, 64) }),
    query: search.get("find") ?? "",
    regex: search.get("regex") === "1",
    matchCase: search.get("case") === "1",
  };
}

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
