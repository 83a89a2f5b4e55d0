import type { ListRunsQuery, RunStatus } from "@syla/sdk";
import { finalStatuses, liveStatuses } from "../run-state.ts";

/** The filters of the list as they stand in the address. */
export interface RunListFilter {
  readonly statuses: readonly RunStatus[];
  readonly language: string;
  readonly since: string;
  readonly q: string;
  /** What others have shared, or for administrators everybody's, in place of one's own; empty: one's own. */
  readonly owner: "" | "shared" | "all";
  /** The id of a program; empty for any run. */
  readonly program: string;
  /** Those that the installation failed and that nobody has run again; an administrator sees everybody's. */
  readonly deadLetters: boolean;
}

/** The spans one can choose from, in hours. */
export const sinceChoices: readonly { readonly value: string; readonly label: string; readonly hours: number }[] = [
  { value: "1h", label: "last hour", hours: 1 },
  { value: "24h", label: "last 24 hours", hours: 24 },
  { value: "7d", label: "last 7 days", hours: 168 },
  { value: "30d", label: "last 30 days", hours: 720 },
];

const allStatuses: readonly RunStatus[] = [...liveStatuses, ...finalStatuses];

/** Reads the filters out of the address; what makes no sense there is left out. */
export function readRunFilter(search: URLSearchParams): RunListFilter {
  const named = (search.get("status") ?? "").split(",");
  const since = search.get("since") ?? "";
  const owner = search.get("owner");
  return {
    statuses: allStatuses.filter((status) => named.includes(status)),
    language: search.get("language") ?? "",
    since: sinceChoices.some(({ value }) => value === since) ? since : "",
    q: search.get("q") ?? "",
    owner: owner === "shared" || owner === "all" ? owner : "",
    program: /^prog_[0-9a-z]{26}$/.exec(search.get("program") ?? "")?.[0] ?? "",
    deadLetters: search.has("deadLetters"),
  };
}

/** Writes them back; what is not filtered leaves no trace in the address. */
export function writeRunFilter(filter: RunListFilter): URLSearchParams {
  const search = new URLSearchParams();
  if (filter.statuses.length > 0) search.set("status", filter.statuses.join(","));
  if (filter.language) search.set("language", filter.language);
  if (filter.since) search.set("since", filter.since);
  if (filter.q) search.set("q", filter.q);
  if (filter.owner) search.set("owner", filter.owner);
  if (filter.program) search.set("program", filter.program);
  if (filter.deadLetters) search.set("deadLetters", "true");
  return search;
}

/** Whether anything is filtered at all. */
export function isFiltered(filter: RunListFilter): boolean {
  return writeRunFilter(filter).size > 0;
}

/** The question to the server. `now` is rounded to the minute, so that the same filter asks the same question for a while. */
export function runListQuery(filter: RunListFilter, now: number, isAdmin: boolean): ListRunsQuery {
  const hours = sinceChoices.find(({ value }) => value === filter.since)?.hours;
  const minute = Math.floor(now / 60_000) * 60_000;
  return {
    limit: 100,
    ...(filter.statuses.length > 0 ? { status: filter.statuses.join(",") } : {}),
    ...(filter.language ? { language: filter.language } : {}),
    ...(hours === undefined ? {} : { since: new Date(minute - hours * 3_600_000).toISOString() }),
    ...(filter.q ? { q: filter.q } : {}),
    ...(filter.owner ? { owner: filter.owner } : {}),
    ...(filter.program ? { program: filter.program } : {}),
    ...(filter.deadLetters ? { deadLetters: "true", ...(isAdmin && { owner: "all" as const }) } : {}),
  };
}
