import { useEffect, useRef } from "react";
import { createSearchParams, useLocation, useNavigate, useSearchParams } from "react-router";
import type { LogFilter } from "../ui/log/log-search.ts";
import { readFilter, writeFilter } from "./log-filter.ts";

/** Typing is not written into the address letter by letter. */
const settledMs = 300;

/** What a log is narrowed to, as the address has it, and how it is kept there. */
export function useLogFilter(): readonly [LogFilter, (filter: LogFilter) => void] {
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const { hash } = useLocation();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const latest = useRef({ search, hash });
  useEffect(() => {
    latest.current = { search, hash };
  }, [search, hash]);
  const keep = (filter: LogFilter) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      const { search: now, hash: line } = latest.current;
      void navigate({ search: createSearchParams(writeFilter(now, filter)).toString(), hash: line }, { replace: true });
    }, settledMs);
  };
  return [readFilter(search), keep];
}
