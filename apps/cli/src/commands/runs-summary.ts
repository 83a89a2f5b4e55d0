import type { RunTotals } from "@syla/sdk";
import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { findAsset } from "../catalog/find-asset.ts";
import { connect } from "../connection.ts";
import { dollars } from "../models/dollars.ts";
import { printFields, printJson, printLine, printTable } from "../output/print.ts";
import { styleStatus } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatDuration } from "../output/units.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

const hourMs = 3_600_000;
const unitHours: Readonly<Record<string, number>> = { h: 1, d: 24, w: 168 };

const groupings = ["day", "program", "model", "person"] as const;

interface Flags extends CommonFlags {
  readonly since: string;
  readonly status?: string;
  readonly language?: string;
  readonly search?: string;
  readonly program?: string;
  readonly shared?: boolean;
  readonly all?: boolean;
}

export const runsSummaryCommand: Command = defineServerCommand("summary", "what runs come to: success, duration, tokens and cost")
  .option("--since <time>", "how far back: 24h, 7d, 4w", "30d")
  .option("-s, --status <words>", "only these: queued, starting, running, succeeded, failed, cancelled, timed_out (comma separated)")
  .option("-l, --language <name>", "only of this language")
  .option("-q, --search <text>", "only with this in the id or the entrypoint")
  .option("--program <program>", "only of this program")
  .option("--shared", "what others have shared with you")
  .option("--all", "of everybody (administrators)")
  .action(async (flags: Flags) => {
    const since = readSince(flags.since);
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const totals = await syla.runs.totals({
      since,
      status: flags.status,
      language: flags.language,
      q: flags.search,
      program: flags.program === undefined ? undefined : (await findAsset(syla, "program", flags.program)).id,
      owner: flags.all === true ? "all" : flags.shared === true ? "shared" : undefined,
    });
    if (flags.json === true) return printJson(totals);
    printTotals(totals);
  });

/** `24h`, `7d`, `4w`: so long ago. */
function readSince(text: string): string {
  const [, count = "", unit = ""] = /^([1-9]\d{0,3})([hdw])$/.exec(text) ?? [];
  if (count === "") throw usageError(`"${text}" is no span of time.`, "Write --since 24h, 7d or 4w.");
  return new Date(Date.now() - Number(count) * (unitHours[unit] ?? 0) * hourMs).toISOString();
}

function printTotals(totals: RunTotals): void {
  const { total, successRate, statuses } = totals;
  printFields([
    ["since", totals.since],
    ["runs", String(total.runs)],
    ["succeeded", successRate === null ? "-" : `${Math.floor(successRate * 100)} %, ${total.failed} failed`],
    ["duration", total.p50Ms === null ? "-" : `${formatDuration(total.p50Ms)} (half), ${formatDuration(total.p95Ms)} (95 of 100)`],
    ["models", `${total.calls} calls, ${total.inputTokens} tokens in, ${total.outputTokens} out`],
    ["cost", dollars(total.cost) + (total.unknownCosts > 0 ? `, and ${total.unknownCosts} calls of unknown cost` : "")],
    ...Object.entries(statuses)
      .filter(([, count]) => count > 0)
      .map(([status, count]) => [styleStatus(process.stdout, status), String(count)] as const),
  ]);
  if (!process.stdout.isTTY) return; // lines of one kind in a pipe
  for (const by of groupings) {
    const rows = groupsOf(totals, by);
    if (rows.length === 0) continue;
    printLine();
    printTable<GroupLine>(
      [
        { title: by, value: ({ name }) => plainLine(name) },
        { title: "runs", value: ({ runs }) => String(runs), align: "right" },
        { title: "failed", value: ({ failed }) => (failed === null ? "-" : String(failed)), align: "right" },
        { title: "p95", value: ({ p95Ms }) => formatDuration(p95Ms), align: "right" },
        { title: "tokens", value: ({ tokens }) => String(tokens), align: "right" },
        { title: "cost", value: ({ cost }) => dollars(cost), align: "right" },
      ],
      rows,
    );
  }
}

interface GroupLine {
  readonly name: string;
  readonly runs: number;
  readonly failed: number | null;
  readonly p95Ms: number | null;
  readonly tokens: number;
  readonly cost: number;
}

function groupsOf({ days, programs, models, people }: RunTotals, by: (typeof groupings)[number]): readonly GroupLine[] {
  const tokensOf = ({ inputTokens, outputTokens }: { readonly inputTokens: number; readonly outputTokens: number }) =>
    inputTokens + outputTokens;
  if (by === "day") return days.map((row) => ({ ...row, name: row.day, tokens: tokensOf(row) }));
  if (by === "model") return models.map((row) => ({ ...row, name: row.name ?? row.id, failed: null, p95Ms: null, tokens: tokensOf(row) }));
  const rows = by === "program" ? programs : people;
  return rows.map((row) => ({ ...row, name: row.id === "" ? "(sent along)" : (row.name ?? row.id), tokens: tokensOf(row) }));
}
