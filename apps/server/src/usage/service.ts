import { AppError } from "@syla/contracts/errors";
import type { Usage, UsageDay, UsageFigures, UsageQuery } from "@syla/contracts/usage";
import type { Actor } from "../access/actor.ts";
import { can, personal, requirePermission } from "../access/service.ts";
import type { Database } from "../platform/database.ts";
import { listDays, listPeople } from "./store.ts";

const dayMs = 86_400_000;
const shownDays = 30;
const mostDays = 1100;
const mostPeople = 100;

/** What a person used by day; what others used, and all together, is for administrators. @throws AppError `forbidden`, `invalid_request` */
export async function readUsage({ queries }: Database, actor: Actor, query: UsageQuery): Promise<Usage> {
  const userId = query.user === "me" ? actor.userId : query.user === "all" ? null : query.user;
  if (userId === null) requirePermission(actor, "usage:list-all");
  else if (!can(actor, "account:read", personal("account", userId, userId))) throw new AppError("forbidden");
  const to = query.to ?? dateOf(Date.now());
  const from = query.from ?? dateOf(Date.parse(to) - (shownDays - 1) * dayMs);
  const days = (Date.parse(to) - Date.parse(from)) / dayMs;
  if (!(days >= 0 && days < mostDays))
    throw new AppError("invalid_request", {
      message: `\`from\` must not be after \`to\`, nor more than ${mostDays} days before it.`,
      fields: [{ path: "from", message: "does not fit `to`" }],
    });
  if (userId?.includes("\0") === true) throw new AppError("not_found");
  const used = await listDays(queries, { userId, from, to });
  const people = userId === null ? await listPeople(queries, { userId, from, to }, mostPeople) : [];
  return { from, to, days: used, total: totalOf(used), people };
}

function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

const nothing: UsageFigures = { runs: 0, executions: 0, failed: 0, cpuMs: 0, runMs: 0, networkBytes: 0, storedBytes: 0 };

function totalOf(days: readonly UsageDay[]): UsageFigures {
  const names = Object.keys(nothing) as (keyof UsageFigures)[];
  return days.reduce((sum, day) => {
    for (const name of names) sum[name] += day[name];
    return sum;
  }, structuredClone(nothing));
}
