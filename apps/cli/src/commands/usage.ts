import type { Quota, QuotaName, Usage, UsageDay } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printFields, printJson, printLine, printTable } from "../output/print.ts";
import { style } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatBytes, formatDuration } from "../output/units.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly user?: string;
  readonly from?: string;
  readonly to?: string;
}

export const usageCommand: Command = defineServerCommand("usage", "what was used by day, and your quotas")
  .option("--user <id>", "of this person, or `all` (administrators)")
  .option("--from <day>", "first day: 2026-03-01; 30 days ago by default")
  .option("--to <day>", "last day; today by default")
  .action(async (flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const [usage, quotas] = await Promise.all([
      syla.usage({ user: flags.user, from: flags.from, to: flags.to }),
      flags.user === "all" ? null : syla.quotas.list(flags.user),
    ]);
    if (flags.json === true) return printJson({ usage, quotas: quotas?.items ?? null });
    printDays(usage);
    if (!process.stdout.isTTY) return; // lines of one kind in a pipe
    if (quotas !== null) printLine("\nQuotas:");
    if (quotas !== null) printFields(quotas.items.map(describeQuota));
  });

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
