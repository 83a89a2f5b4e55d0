import type { QueueFigures, Worker, WorkersReport } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printFields, printJson, printLine, printTable } from "../output/print.ts";
import { styleStatus } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatAge, formatDuration } from "../output/units.ts";
import { showOrWatch, type WatchFlags } from "../output/watch.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { workersDrainCommand, workersResumeCommand } from "./workers-drain.ts";

export const workersCommand: Command = defineServerCommand("workers", "the workers and the queue (administrators)")
  .option("-w, --watch", "draw again every second, until Ctrl-C")
  .action(async (flags: CommonFlags & WatchFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    await showOrWatch(flags, () => syla.workers.list(), flags.json === true ? printJson : printReport);
  })
  .addCommand(workersDrainCommand)
  .addCommand(workersResumeCommand);

function printReport({ items, queue }: WorkersReport): void {
  printTable<Worker>(
    [
      { title: "id", value: (worker) => plainLine(worker.id) },
      { title: "state", value: describeState },
      { title: "runs", value: (worker) => String(worker.runs), align: "right" },
      { title: "slots", value: (worker) => String(worker.slots ?? "-"), align: "right" },
      { title: "host", value: (worker) => plainLine(worker.hostname) },
      { title: "pid", value: (worker) => String(worker.pid), align: "right" },
      { title: "version", value: (worker) => plainLine(worker.version ?? "-") },
      { title: "started", value: (worker) => (process.stdout.isTTY ? formatAge(worker.startedAt) : worker.startedAt) },
    ],
    items,
  );
  if (!process.stdout.isTTY) return; // lines of one kind in a pipe
  printLine();
  printFields(fieldsOf(queue));
}

function describeState(worker: Worker): string {
  if (worker.drainedAt !== null && worker.runs === 0) return styleStatus(process.stdout, "drained");
  if (worker.draining) return styleStatus(process.stdout, "draining");
  return styleStatus(process.stdout, worker.state);
}

function fieldsOf({ queued, running, runsPerMinute, queueWaitMs, startMs, sampled }: QueueFigures): [string, string][] {
  const quantiles = (times: QueueFigures["startMs"]) =>
    times === null ? "-" : `${formatDuration(times.p50)} (half), ${formatDuration(times.p95)} (95 of 100)`;
  return [
    ["waiting", `${queued} runs`],
    ["running", `${running} runs`],
    ["submitted", `${runsPerMinute} runs within the last minute`],
    ["queue wait", quantiles(queueWaitMs)],
    ["start", quantiles(startMs)],
    ["from", `the newest ${sampled} runs of the last hour`],
  ];
}
