import { AppError } from "@syla/contracts/errors";
import type { Usage, UsageDay, UsageFigures, UsageGroupFigures, UsageGroups, UsageGroupsQuery, UsageQuery } from "@syla/contracts/usage";
import type { Actor } from "../access/actor.ts";
import { can, findTeamRoles, personal, requirePermission } from "../access/service.ts";
import { toCsvLine } from "../platform/csv-line.ts";
import type { Database, Queries } from "../platform/database.ts";
import { dollar } from "../spend/service.ts";
import { listDays, listPeople, recount, sumCounts, type CountsFilter, type GroupRow } from "./store.ts";

export { countCalls, countedRunColumns, countRuns, forgetCounts, keepCounts, sumCost, transferCounts } from "./store.ts";

const dayMs = 86_400_000;
const shownDays = 30;
const mostDays = 1100;
const mostPeople = 100;

/** What a person used by day; what others used, and all together, is for administrators. @throws AppError `forbidden`, `invalid_request` */
export async function readUsage({ queries }: Database, actor: Actor, query: UsageQuery): Promise<Usage> {
  const userId = query.user === "me" ? actor.userId : query.user === "all" ? null : query.user;
  requireReader(actor, userId);
  const { from, to } = readSpan(query);
  if (userId?.includes("\0") === true) throw new AppError("not_found");
  const used = await listDays(queries, { userId, from, to });
  const people = userId === null ? await listPeople(queries, { userId, from, to }, mostPeople) : [];
  return { from, to, days: used, total: totalOf(used), people };
}

/**
 * What runs and calls came to, by what they are grouped by. One's own is for everybody, what was used for a team for its owners, anything for
 * administrators. @throws AppError `forbidden`, `not_found`, `invalid_request`
 */
export async function readGroups({ queries }: Database, actor: Actor, query: UsageGroupsQuery): Promise<UsageGroups> {
  const filter = await readFilter(queries, actor, query);
  const [rows, [total]] = await Promise.all([sumCounts(queries, query.by, filter, query.limit), sumCounts(queries, "all", filter, 1)]);
  return {
    from: filter.from,
    to: filter.to,
    by: query.by,
    groups: rows.map((row) => ({ key: row.key, name: row.name, ...toFigures(row) })),
    omitted: (rows[0]?.groups ?? 0) - rows.length,
    total: total === undefined ? noFigures : toFigures(total),
  };
}

const csvColumns = [
  "runs",
  "succeeded",
  "cancelled",
  "cpuMs",
  "runMs",
  "p50Ms",
  "p95Ms",
  "calls",
  "failedCalls",
  "callP50Ms",
  "callP95Ms",
  "inputTokens",
  "outputTokens",
  "cachedTokens",
  "cost",
  "unknownCosts",
  "estimates",
] as const satisfies readonly (keyof UsageGroupFigures)[];
const failureColumns = ["userCode", "limit", "infrastructure", "denied"] as const;
const mostExported = 100_000;

/** All groups as CSV, a line each. @throws AppError as {@link readGroups} */
export async function exportGroups(database: Database, actor: Actor, query: Omit<UsageGroupsQuery, "limit">): Promise<string> {
  const { groups } = await readGroups(database, actor, { ...query, limit: mostExported });
  const head = [query.by, ...(query.by === "day" ? [] : ["name"]), ...csvColumns, ...failureColumns.map((name) => `failures.${name}`)];
  const lines = groups.map(({ key, name, failures, ...figures }) =>
    toCsvLine([
      key,
      ...(query.by === "day" ? [] : [name ?? ""]),
      ...csvColumns.map((column) => String(figures[column] ?? "")),
      ...failureColumns.map((column) => String(failures[column])),
    ]),
  );
  return toCsvLine(head) + lines.join("");
}

/** Counts everything anew from what is there. */
export async function recountUsage({ queries }: Database): Promise<{ differing: number }> {
  return { differing: await recount(queries) };
}

async function readFilter(queries: Queries, actor: Actor, query: Omit<UsageGroupsQuery, "limit">): Promise<CountsFilter> {
  const { team: teamId = null, program: programId = null, model: modelId = null } = query;
  const whose = query.user ?? (teamId === null ? "me" : "all");
  const userId = whose === "me" ? actor.userId : whose === "all" ? null : whose;
  const whole = { type: "team", id: "", ownerId: teamId, visibility: "private", level: null } as const;
  const isOwners =
    teamId !== null && can(actor, "team:usage", { ...whole, teamRole: (await findTeamRoles(queries, actor.userId)).get(teamId) ?? null });
  if (!isOwners) requireReader(actor, userId);
  return { userId, teamId, programId, modelId, ...readSpan(query) };
}

/** Null: everybody. */
function requireReader(actor: Actor, userId: string | null): void {
  if (userId === null) requirePermission(actor, "usage:list-all");
  else if (!can(actor, "account:read", personal("account", userId, userId))) throw new AppError("forbidden");
}

function readSpan(query: Pick<UsageQuery, "from" | "to">): { readonly from: string; readonly to: string } {
  const to = query.to ?? dateOf(Date.now());
  const from = query.from ?? dateOf(Date.parse(to) - (shownDays - 1) * dayMs);
  const days = (Date.parse(to) - Date.parse(from)) / dayMs;
  if (!(days >= 0 && days < mostDays))
    throw new AppError("invalid_request", {
      message: `\`from\` must not be after \`to\`, nor more than ${mostDays} days before it.`,
      fields: [{ path: "from", message: "does not fit `to`" }],
    });
  return { from, to };
}

function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function toFigures({ userCode, limits, infrastructure, denied, cost, p50, p95, callP50, callP95, ...row }: GroupRow): UsageGroupFigures {
  const { key: _key, name: _name, groups: _groups, ...figures } = row;
  return {
    ...figures,
    failures: { userCode, limit: limits, infrastructure, denied },
    cost: cost / dollar,
    p50Ms: bucketMs(p50),
    p95Ms: bucketMs(p95),
    callP50Ms: bucketMs(callP50),
    callP95Ms: bucketMs(callP95),
  };
}

/** The middle of a step of `usage_bucket`: no duration in it is further away than 4.5 %. */
export function bucketMs(bucket: number | null): number | null {
  return bucket === null ? null : Math.round(2 ** (bucket / 8) * 10) / 10;
}

const noFigures: UsageGroupFigures = {
  runs: 0,
  succeeded: 0,
  cancelled: 0,
  failures: { userCode: 0, limit: 0, infrastructure: 0, denied: 0 },
  cpuMs: 0,
  runMs: 0,
  p50Ms: null,
  p95Ms: null,
  calls: 0,
  failedCalls: 0,
  callP50Ms: null,
  callP95Ms: null,
  inputTokens: 0,
  outputTokens: 0,
  cachedTokens: 0,
  cost: 0,
  unknownCosts: 0,
  estimates: 0,
};

const nothing: UsageFigures = { runs: 0, executions: 0, failed: 0, cpuMs: 0, runMs: 0, networkBytes: 0, storedBytes: 0 };

function totalOf(days: readonly UsageDay[]): UsageFigures {
  const names = Object.keys(nothing) as (keyof UsageFigures)[];
  return days.reduce((sum, day) => {
    for (const name of names) sum[name] += day[name];
    return sum;
  }, structuredClone(nothing));
}
