import type { AuditExportQuery } from "@syla/sdk";

/** The filters of the trail as they stand in the address. */
export interface AuditPageFilter {
  readonly q: string;
  readonly action: string;
  readonly outcome: string;
  readonly since: string;
  readonly actor: string;
  readonly resource: string;
}

export const noAuditFilter: AuditPageFilter = { q: "", action: "", outcome: "", since: "", actor: "", resource: "" };

/** The spans one can choose from, in hours. */
export const sinceChoices: readonly { readonly value: string; readonly label: string; readonly hours: number }[] = [
  { value: "1h", label: "last hour", hours: 1 },
  { value: "24h", label: "last 24 hours", hours: 24 },
  { value: "7d", label: "last 7 days", hours: 168 },
  { value: "30d", label: "last 30 days", hours: 720 },
];

/** What actions can begin with. */
export const actionChoices = [
  "run",
  "sandbox",
  "asset",
  "composition",
  "dataset",
  "model",
  "import",
  "environment",
  "share",
  "team",
  "auth",
  "credential",
  "schedule",
  "trigger",
  "webhook",
  "budget",
  "notification",
  "admin",
  "worker",
  "blob",
  "cache",
  "analysis",
] as const;

export const outcomes = ["ok", "denied", "failed"] as const;

/** Reads the filters out of the address; what makes no sense there is left out. */
export function readAuditFilter(search: URLSearchParams): AuditPageFilter {
  const read = (name: keyof AuditPageFilter) => (search.get(name) ?? "").slice(0, 200);
  const outcome = read("outcome");
  const since = read("since");
  return {
    q: read("q"),
    action: read("action"),
    outcome: outcomes.some((known) => known === outcome) ? outcome : "",
    since: sinceChoices.some(({ value }) => value === since) ? since : "",
    actor: read("actor"),
    resource: read("resource"),
  };
}

/** Writes them back; what is not filtered leaves no trace in the address. */
export function writeAuditFilter(filter: AuditPageFilter): URLSearchParams {
  return new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== ""));
}

/** The question to the server. `now` is rounded to the minute, so that the same filter asks the same question for a while. */
export function auditQuery(filter: AuditPageFilter, now: number): Omit<AuditExportQuery, "format"> {
  const hours = sinceChoices.find(({ value }) => value === filter.since)?.hours;
  const minute = Math.floor(now / 60_000) * 60_000;
  const outcome = outcomes.find((known) => known === filter.outcome);
  return {
    ...(filter.q === "" ? {} : { q: filter.q }),
    ...(filter.action === "" ? {} : { action: filter.action }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(hours === undefined ? {} : { since: new Date(minute - hours * 3_600_000).toISOString() }),
    ...(filter.actor === "" ? {} : { actor: filter.actor }),
    ...(filter.resource === "" ? {} : { resource: filter.resource }),
  };
}
