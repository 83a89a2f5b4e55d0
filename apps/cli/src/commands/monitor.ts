import type { RunSummary } from "@syla/sdk";
import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { dollars } from "../models/dollars.ts";
import { printFields, printJson, printLine, printTable } from "../output/print.ts";
import { styleStatus } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatAge, formatDuration } from "../output/units.ts";
import type { Snapshot } from "../monitor/snapshot.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly all?: boolean;
  readonly once?: boolean;
  readonly interval: string;
}

export const monitorCommand: Command = defineServerCommand(
  "monitor",
  "runs, workers and failures, live; keys follow logs, cancel and filter",
)
  .option("--all", "the runs of everybody (administrators)")
  .option("--once", "print what there is now, and end")
  .option("-n, --interval <seconds>", "how often it is read again", "1")
  .action(async (flags: Flags) => {
    const seconds = Number(flags.interval);
    if (!(seconds >= 0.2 && seconds <= 3600))
      throw usageError(`"${flags.interval}" is not a number of seconds from 0.2 to 3600.`, "Write e.g. -n 2.");
    const isOnce = flags.once === true || flags.json === true;
    if (!isOnce && !(process.stdout.isTTY && process.stdin.isTTY))
      throw usageError("The monitor needs a terminal.", "--once prints what there is now, --json the same as one document.");
    const { syla, target } = await connect({ env: process.env, profile: flags.profile });
    const owner = flags.all === true ? "all" : "me";
    if (isOnce) {
      const { readSnapshot } = await import("../monitor/snapshot.ts");
      const snapshot = await readSnapshot(syla, target.url, owner);
      return flags.json === true ? printJson(snapshot) : await printSnapshot(snapshot);
    }
    const { runMonitor } = await import("../monitor/monitor.ts");
    process.exitCode = await runMonitor(syla, { url: target.url, owner, intervalMs: seconds * 1000 });
  });

async function printSnapshot({ totals, lastMinute, workers, live, failures, url }: Snapshot): Promise<void> {
  const { slotsOf } = await import("../monitor/snapshot.ts");
  const { statuses, total, successRate } = totals;
  const slots = workers === null ? null : slotsOf(workers);
  printFields([
    ["server", url],
    ["running", String(statuses.running + statuses.starting + statuses.waiting)],
    ["waiting", String(statuses.queued)],
    ["last minute", `${lastMinute} runs`],
    ...(slots === null ? [] : [["slots", `${slots.taken} of ${slots.slots} taken, ${slots.workers} workers`] as const]),
    ["24 hours", `${total.runs} runs${successRate === null ? "" : `, ${Math.floor(successRate * 100)} % succeeded`}`],
    ["duration", total.p50Ms === null ? "-" : `${formatDuration(total.p50Ms)} (half), ${formatDuration(total.p95Ms)} (95 of 100)`],
    [
      "models",
      `${total.calls} calls, ${total.inputTokens} tokens in, ${total.outputTokens} out, ${dollars(total.cost)}${total.unknownCosts > 0 ? " + ?" : ""}`,
    ],
  ]);
  for (const [title, runs] of [
    ["Running and waiting:", live],
    ["Failed within 24 hours:", failures],
  ] as const) {
    if (runs.length === 0) continue;
    printLine(`\n${title}`);
    printRuns(runs);
  }
}

function printRuns(runs: readonly RunSummary[]): void {
  printTable<RunSummary>(
    [
      { title: "id", value: ({ id }) => id },
      { title: "status", value: ({ status }) => styleStatus(process.stdout, status) },
      { title: "time", value: ({ timings }) => formatDuration(timings.runMs), align: "right" },
      { title: "language", value: ({ language }) => plainLine(language) },
      { title: "what", value: ({ program, entrypoint }) => plainLine(program?.name ?? entrypoint) },
      { title: "error", value: ({ error }) => error?.code ?? "-" },
      { title: "created", value: ({ createdAt }) => (process.stdout.isTTY ? formatAge(createdAt) : createdAt) },
    ],
    runs,
  );
}
