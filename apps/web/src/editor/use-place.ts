import { useEffect, useState } from "react";
import { type Part, parts } from "../programs/analysis/findings.ts";
import type { Place } from "../programs/analysis/place.ts";

type Changes = Readonly<Record<string, string | number | null | undefined>>;

/** Where an address points in the files; null when it names no line. */
export function readPlace(search: URLSearchParams): Place | null {
  const file = search.get("file");
  const line = readNumber(search, "line");
  if (file === null || (line === null && search.get("part") === null)) return null;
  return { file, line, column: readNumber(search, "column"), cell: readNumber(search, "cell") };
}

/** The list of findings that an address names. */
export function readPart(search: URLSearchParams): Part | null {
  return parts.find((part) => part === search.get("part")) ?? null;
}

/** The address with other values; null takes one away. */
export function changedSearch(search: URLSearchParams, changes: Changes): URLSearchParams {
  const next = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined) next.delete(name);
    else next.set(name, String(value));
  }
  return next;
}

/** The line to go to: a new wish each time that the place is another one, or is chosen again. Lines of notebooks are not those of their file. */
export function useGoTo(place: Place | null, chosen: number) {
  const [goTo, setGoTo] = useState<{ file: string | undefined; line: number; column: number; at: number } | null>(null);
  const line = place === null || typeof place.cell === "number" ? null : place.line;
  const column = place?.column ?? 1;
  const file = place?.file;
  useEffect(() => {
    setGoTo(line === null ? null : { file, line, column, at: chosen });
  }, [file, line, column, chosen]);
  // Until it follows, what was wished before is of another file or line.
  return goTo?.file === file && goTo?.line === line ? goTo : null;
}

function readNumber(search: URLSearchParams, name: string): number | null {
  const text = search.get(name);
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}
