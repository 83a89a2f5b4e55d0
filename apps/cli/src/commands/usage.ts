import { usageGroupings } from "@syla/contracts/usage";
import type { Quota, QuotaName, Syla, Usage, UsageBy, UsageDay, UsageGroups, UsageGroupsQuery } from "@syla/sdk";
import { type Command, Option } from "commander";
import { usageError } from "../cli-error.ts";
import { findAsset } from "../catalog/find-asset.ts";
import { connect } from "../connection.ts";
import { findModel } from "../models/find-model.ts";
import { dollars } from "../models/dollars.ts";
import { printFields, printJson, printLine, printTable } from "../output/print.ts";
import { style } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatBytes, formatDuration } from "../output/units.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

/** Of what, and of which days. */
export interface UsageFilterFlags {
  readonly user?: string;
  readonly from?: string;
  readonly to?: string;
  readonly since?: string;
  readonly team?: string;
  readonly program?: string;
  readonly model?: string;
}

interface Flags extends CommonFlags, UsageFilterFlags {
  readonly by?: UsageBy;
  readonly csv?: boolean;
}

export const usageCommand: Command = defineServerCommand(
  "usage",
  "what was used by day, and your quotas; with --by what it came to and cost",
)
  .addOption(new Option("--by <what>", "runs, tokens and cost by this").choices(usageGroupings))
  .option("--user <id>", "of this person, or `all` (administrators; with --team its owners)")
  .option("--team <team>", "with --by: only what was used for this team")
  .option("--program <program>", "with --by: only of this program")
  .option("--model <model>", "with --by: only calls of this model")
  .option("--from <day>", "first day: 2026-03-01; 30 days ago by default")
  .option("--since <days>", "the same, as days until today: 7d, 4w")
  .option("--to <day>", "last day; today by default")
  .option("--csv", "with --by: all of it as CSV")
  .action(async (flags: Flags) => {
    const from = readFirstDay(flags);
    const { user, to } = flags;
    const wants = (["team", "program", "model", "csv"] as const).find((name) => flags[name] !== undefined);
    const { by } = flags;
    if (by === undefined && wants !== undefined) throw usageError(`--${wants} needs --by.`, "Write e.g. --by day.");
    if (flags.csv === true && flags.json === true) throw usageError("It is JSON or CSV.", "Write --json or --csv.");
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    if (by !== undefined) return await showGroups(syla, { user, from, to, ...(await readUsageFilters(syla, flags)), by }, flags);
    const [usage, quotas] = await Promise.all([syla.usage({ user, from, to }), user === "all" ? null : syla.quotas.list(user)]);
    if (flags.json === true) return printJson({ usage, quotas: quotas?.items ?? null });
    printDays(usage);
    if (!process.stdout.isTTY) return; // lines of one kind in a pipe
    if (quotas !== null) printLine("\nQuotas:");
    if (quotas !== null) printFields(quotas.items.map(describeQuota));
  });

const dayMs = 86_400_000;

/** The first day: as it is, or counted back from today, which is one of them. */
export function readFirstDay({ from, since }: UsageFilterFlags): string | undefined {
  if (since === undefined) return from;
  if (from !== undefined) throw usageError("The first day is given twice.", "Give --from or --since.");
  const [, count = "", unit = ""] = /^([1-9]\d{0,3})([dw])$/.exec(since) ?? [];
  if (count === "") throw usageError(`"${since}" is no number of days.`, "Write --since 7d or --since 4w.");
  const days = Number(count) * (unit === "w" ? 7 : 1);
  return new Date(Date.now() - (days - 1) * dayMs).toISOString().slice(0, 10);
}

/** What is meant by its name. */
export async function readUsageFilters(syla: Syla, { team, program, model }: UsageFilterFlags): Promise<UsageGroupsQuery> {
  return {
    ...(team !== undefined && { team: (await findTeam(syla, team)).id }),
    ...(program !== undefined && { program: (await findAsset(syla, "program", program)).id }),
    ...(model !== undefined && { model: (await findModel(syla, model)).id }),
  };
}

async function showGroups(syla: Syla, query: UsageGroupsQuery & { readonly by: UsageBy }, { csv, json }: Flags): Promise<void> {
  if (csv === true) {
    process.stdout.write(await (await syla.usage.export(query)).text());
    return;
  }
  const usage = await syla.usage.groups(query);
  if (json === true) return printJson(usage);
  printGroups(usage);
  if (process.stdout.isTTY && usage.omitted > 0) printLine(`… and ${usage.omitted} more: --csv has all of them`);
}

function printGroups({ by, groups }: UsageGroups): void {
  printTable<UsageGroups["groups"][number]>(
    [
      { title: by, value: ({ key, name }) => (key === "" ? "-" : plainLine(name ?? key)) },
      { title: "runs", value: ({ runs }) => String(runs), align: "right" },
      { title: "succeeded", value: ({ succeeded }) => String(succeeded), align: "right" },
      { title: "cpu", value: ({ cpuMs }) => formatDuration(cpuMs), align: "right" },
      { title: "p50", value: ({ p50Ms }) => formatDuration(p50Ms), align: "right" },
      { title: "p95", value: ({ p95Ms }) => formatDuration(p95Ms), align: "right" },
      { title: "calls", value: ({ calls }) => String(calls), align: "right" },
      { title: "tokens in", value: ({ inputTokens }) => String(inputTokens), align: "right" },
      { title: "out", value: ({ outputTokens }) => String(outputTokens), align: "right" },
      { title: "cost", value: ({ cost, unknownCosts }) => dollars(cost) + (unknownCosts > 0 ? " + ?" : ""), align: "right" },
    ],
    groups,
  );
}

function printDays({ days }: Usage): void {
  printTable<UsageDay>(
    [
      { title: "day", value: (day) => day.day },
      { title: "runs", value: (day) => String(day.runs), align: "right" },
      { title: "failed", value: (day) => String(day.failed), align: "right" },
      { title: "cpu", value: (day) => formatDuration(day.cpuMs), align: "right" },
      { title: "network", value: (day) => formatBytes(day.networkBytes), align: "right" },
      { title: "stored", value: (day) => formatBytes(day.storedBytes), align: "right" },
    ],
    days,
  );
}

const labels: Readonly<Record<QuotaName, string>> = {
  concurrentRuns: "runs at once",
  runsPerDay: "runs a day",
  cpuSecondsPerMonth: "CPU seconds a month",
  storageMb: "storage, MB",
  executionsPerMinute: "executions a minute",
  llmSpendPerMonth: "US dollars for models a month",
};

function describeQuota({ name, limit, used, resetsAt, warning }: Quota): [string, string] {
  const most = limit < 0 ? "no limit" : String(limit);
  const text = used === null ? `${most}${limit < 0 ? "" : " with each key"}` : `${used} of ${most}`;
  const again = resetsAt === null || limit < 0 ? "" : `, counted anew ${plainLine(resetsAt.slice(0, 16).replace("T", " "))} UTC`;
  return [labels[name], warning ? style(process.stdout, "yellow", text + again) : text + again];
}
