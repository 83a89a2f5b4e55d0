import { createMatcher, createTextMatcher, type Matcher } from "@syla/contracts/log-search";
import { useDeferredValue, useEffect, useMemo, useState } from "react";
import type { LogFilter } from "./log-search.ts";

/** What finds the query of a filter, and what is wrong with it. */
interface Found {
  readonly matcher: Matcher | null;
  readonly problem: string | null;
}

const nothing: Found = { matcher: null, problem: null };

/** A matcher for the query. The one for regular expressions is fetched when somebody asks for it. */
export function useMatcher(filter: LogFilter): Found {
  const query = useDeferredValue(filter.query);
  const { regex, matchCase } = filter;
  const text = useMemo(() => (regex || query === "" ? null : createTextMatcher(query, matchCase)), [query, regex, matchCase]);
  const [pattern, setPattern] = useState<Found>(nothing);
  useEffect(() => {
    setPattern(nothing);
    if (!regex || query === "") return;
    let wanted = true;
    createMatcher({ q: query, regex, matchCase }).then(
      (matcher) => wanted && setPattern({ matcher, problem: null }),
      (error: unknown) => wanted && setPattern({ matcher: null, problem: error instanceof Error ? error.message : "no pattern" }),
    );
    return () => {
      wanted = false;
    };
  }, [query, regex, matchCase]);
  return regex ? pattern : { matcher: text, problem: null };
}
