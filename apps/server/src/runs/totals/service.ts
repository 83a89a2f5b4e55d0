import { AppError } from "@syla/contracts/errors";
import { mostTotalDays, type RunFigures, type RunTotals, type RunTotalsQuery } from "@syla/contracts/run-totals";
import { runStatuses, type RunStatus } from "@syla/contracts/runs";
import type { Actor } from "../../access/actor.ts";
import type { Database } from "../../platform/database.ts";
import { dollar } from "../../spend/service.ts";
import { bucketMs } from "../../usage/service.ts";
import { checkListFilter, type Runs } from "../service.ts";
import { sumRuns, type TotalsLevel, type TotalsRow } from "./store.ts";

const dayMs = 86_400_000;
const defaultDays = 30;
const mostGroups = 10;

/** What totals are read from. */
export interface RunTotalsContext {
  readonly database: Database;
  readonly runs: Pick<Runs, "allRecorded">;
}

/** What the runs of a list come to: of those that the same list would show. @throws AppError `forbidden`, `invalid_request` */
export async function readRunTotals({ database, runs }: RunTotalsContext, actor: Actor, query: RunTotalsQuery): Promise<RunTotals> {
  const until = query.until ?? new Date().toISOString();
  const since = query.since ?? new Date(Date.parse(until) - defaultDays * dayMs).toISOString();
  requireSpan(since, until);
  const { status, ...filter } = query;
  const canMatch = checkListFilter(actor, query);
  if (canMatch) await runs.allRecorded();
  const statuses = status === undefined ? null : (status.split(",") as RunStatus[]);
  const rows = canMatch ? await sumRuns(database.queries, { ...filter, since, statuses }, actor, mostGroups) : [];
  const of = (level: TotalsLevel) => rows.filter((row) => row.level === level);
  const [whole] = of("total");
  const total = whole === undefined ? noFigures : toFigures(whole);
  const came = total.succeeded + total.failed;
  const counts = new Map(of("status").map(({ key, runs: count }) => [key, count]));
  return {
    since,
    until,
    statuses: Object.fromEntries(runStatuses.map((name) => [name, counts.get(name) ?? 0])) as RunTotals["statuses"],
    total,
    successRate: came === 0 ? null : total.succeeded / came,
    days: of("day")
      .map((row) => ({ day: row.key, ...toFigures(row) }))
      .toSorted((a, b) => (a.day < b.day ? -1 : 1)),
    programs: of("program").map(toNamed),
    models: of("model").map(toModel),
    people: of("person").map(toNamed),
  };
}

function requireSpan(since: string, until: string): void {
  const days = (Date.parse(until) - Date.parse(since)) / dayMs;
  if (days >= 0 && days <= mostTotalDays) return;
  throw new AppError("invalid_request", {
    message: `\`since\` must not be after \`until\`, nor more than ${mostTotalDays} days before it.`,
    fields: [{ path: "since", message: "does not fit `until`" }],
  });
}

function toNamed(row: TotalsRow): RunTotals["programs"][number] {
  return { id: row.key, name: row.name, ...toFigures(row) };
}

function toModel(row: TotalsRow): RunTotals["models"][number] {
  const { runs, calls, inputTokens, outputTokens, cachedTokens, cost, unknownCosts } = toFigures(row);
  return { id: row.key, name: row.name, runs, calls, inputTokens, outputTokens, cachedTokens, cost, unknownCosts };
}

function toFigures(row: TotalsRow): RunFigures {
  return {
    runs: row.runs,
    succeeded: row.succeeded,
    failed: row.failed,
    cancelled: row.cancelled,
    p50Ms: bucketMs(row.p50),
    p95Ms: bucketMs(row.p95),
    calls: row.calls,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    cachedTokens: row.cached_tokens,
    cost: row.cost / dollar,
    unknownCosts: row.unknown_costs,
  };
}

const noFigures: RunFigures = {
  runs: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  p50Ms: null,
  p95Ms: null,
  calls: 0,
  inputTokens: 0,
  outputTokens: 0,
  cachedTokens: 0,
  cost: 0,
  unknownCosts: 0,
};
