import { AppError } from "@syla/contracts/errors";
import { mostTotalDays, type RunFigures, type RunTotals, type RunTotalsQuery } from "@syla/contracts/run-totals";
import { runStatuses, type RunStatus } from "@syla/contracts/runs";
import type { Actor } from "../../access/actor.ts";
import type { Database } from "../../platform/database.ts";
import { dollar } from "../../spend/service.ts";
import { bucketMs } from "../../usage/service.ts";
import { checkListFilter, type Runs } from "../service.ts";
import { sumRuns, type CallSumRow, type RunSumRow, type RunSums } from "./store.ts";

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
  const statuses = status === undefined ? null : (status.split(",") as RunStatus[]);
  const canMatch = checkListFilter(actor, query);
  if (canMatch) await runs.allRecorded();
  const sums = canMatch ? await sumRuns(database.queries, { ...filter, since, statuses }, actor, mostGroups) : nothing;
  const callsOf = new Map(sums.calls.map((row) => [`${row.level} ${row.key}`, row]));
  const of = (level: RunSumRow["level"]) =>
    sums.runs.filter((row) => row.level === level).map((row) => ({ row, figures: toFigures(row, callsOf.get(`${level} ${row.key}`)) }));
  const total = of("total")[0]?.figures ?? toFigures(noRuns, undefined);
  const came = total.succeeded + total.failed;
  const inState = new Map(of("status").map(({ row }) => [row.key, row.runs]));
  const toNamed = ({ row: { key, name }, figures }: ReturnType<typeof of>[number]) => ({ id: key, name, ...figures });
  return {
    since,
    until,
    statuses: Object.fromEntries(runStatuses.map((name) => [name, inState.get(name) ?? 0])) as RunTotals["statuses"],
    total,
    successRate: came === 0 ? null : total.succeeded / came,
    days: of("day")
      .map(({ row, figures }) => ({ day: row.key, ...figures }))
      .toSorted((x, y) => (x.day < y.day ? -1 : 1)),
    programs: of("program").map(toNamed),
    models: sums.calls.flatMap((row) =>
      row.level === "model" ? [{ id: row.key, name: row.name, runs: row.runs, ...toCallFigures(row) }] : [],
    ),
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

const nothing: RunSums = { runs: [], calls: [] };
const noRuns = { runs: 0, succeeded: 0, failed: 0, cancelled: 0, p50: null, p95: null } as const;

function toFigures(row: Pick<RunSumRow, keyof typeof noRuns>, calls: CallSumRow | undefined): RunFigures {
  const { runs, succeeded, failed, cancelled, p50, p95 } = row;
  return { runs, succeeded, failed, cancelled, p50Ms: bucketMs(p50), p95Ms: bucketMs(p95), ...toCallFigures(calls) };
}

function toCallFigures(row: CallSumRow | undefined): Omit<RunTotals["models"][number], "id" | "name" | "runs"> {
  return {
    calls: row?.calls ?? 0,
    inputTokens: row?.input_tokens ?? 0,
    outputTokens: row?.output_tokens ?? 0,
    cachedTokens: row?.cached_tokens ?? 0,
    cost: (row?.cost ?? 0) / dollar,
    unknownCosts: row?.unknown_costs ?? 0,
  };
}
