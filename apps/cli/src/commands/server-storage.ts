import { setTimeout as sleep } from "node:timers/promises";
import type { StorageFinding, StorageJob, StorageStatus, StorageUsage, Syla } from "@syla/sdk";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printFields, printJson, printLine, printTable } from "../output/print.ts";
import { createProgress } from "../output/progress.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatAge, formatBytes } from "../output/units.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

const askEveryMs = 300;

export const storageStatusCommand: Command = defineServerCommand(
  "status",
  "where content is stored, and what was done to the store lately",
).action(async (flags: CommonFlags) => {
  const { syla } = await connect({ env: process.env, profile: flags.profile });
  const status = await syla.storage.status();
  if (flags.json === true) return printJson(status);
  printFields([
    ["store", `${status.store}, ${plainLine(status.place)}`],
    ["restored from", status.replicas.length === 0 ? "nothing: there is no other store" : plainLine(status.replicas.join(", "))],
    ["other store", plainLine(status.copyTarget ?? "none")],
    ["not read for long", describeCold(status.cold)],
    ["unreferenced", `${status.unreferenced} (deleted after ${status.graceHours} hours without a reference)`],
    ["next collection", status.nextCollectionAt],
  ]);
  if (status.usage !== null) printUsage(status.usage);
  if (status.jobs.length === 0) return;
  printLine();
  printTable<StorageJob>(
    [
      { title: "job", value: (job) => job.id },
      { title: "kind", value: (job) => job.kind },
      { title: "state", value: (job) => job.state },
      { title: "blobs", value: (job) => String(job.report.blobs), align: "right" },
      { title: "findings", value: (job) => String(job.report.findingCount), align: "right" },
      { title: "deleted", value: (job) => String(job.report.deleted), align: "right" },
      { title: "started", value: (job) => formatAge(job.startedAt) },
    ],
    status.jobs,
  );
});

export const storageCheckCommand: Command = defineJobCommand("check", "read all stored content and name what is damaged or missing");
export const storageRepairCommand: Command = defineJobCommand(
  "repair",
  "check, restore what another store has whole, and take out of use what none has",
);
export const storageCollectCommand: Command = defineJobCommand("collect", "delete what nothing has referred to for the time of grace");

export const storageMeasureCommand: Command = defineJobCommand("measure", "count what is stored, by kind and by owner");
export const storageCopyCommand: Command = defineJobCommand(
  "copy",
  "copy everything to the other store while the server runs, so that `move` has little left to do. Stopped, it goes on where it was",
);

export const storageCoolCommand: Command = defineJobCommand(
  "cool",
  "move what nobody has read for long into the bucket, as is done once a day",
);
export const storageRecallCommand: Command = defineJobCommand("recall", "take everything back from the bucket that has what nobody reads");

export const storageStopCommand: Command = defineServerCommand("stop", "stop the job that runs").action(async (flags: CommonFlags) => {
  const { syla } = await connect({ env: process.env, profile: flags.profile });
  const running = (await syla.storage.status()).jobs.find((job) => job.state === "running");
  if (running === undefined)
    throw new CliError("No job is running.", {
      code: "not_found",
      exit: "invalid_request",
      hint: "`syla server storage status` shows the last ones.",
    });
  const job = await syla.storage.stop(running.id);
  if (flags.json === true) printJson(job);
  else printLine(`The job ${job.id} (${job.kind}) ${job.state === "running" ? "stops in a moment" : "is stopped"}.`);
});

function describeCold(cold: StorageStatus["cold"]): string {
  if (cold === null) return "stays where it is";
  const rule = cold.afterDays === null ? "nothing goes there any more" : `after ${cold.afterDays} days`;
  return plainLine(`${cold.blobs} blobs, ${formatBytes(cold.bytes)}, in ${cold.place} (${rule})`);
}

function printUsage({ blobs, bytes, kinds, owners, measuredAt }: StorageUsage): void {
  printLine();
  printLine(`${formatBytes(bytes)} in ${blobs} blobs, measured ${measuredAt}`);
  printTable<{ readonly name: string; readonly blobs: number; readonly bytes: number }>(
    [
      { title: "what, and whose", value: ({ name }) => plainLine(name) },
      { title: "blobs", value: (share) => String(share.blobs), align: "right" },
      { title: "bytes", value: (share) => formatBytes(share.bytes), align: "right" },
    ],
    [
      ...kinds.map(({ kind, ...share }) => ({ name: kind, ...share })),
      ...owners.map(({ ownerId, name, ...share }) => ({ name: name ?? ownerId, ...share })),
    ],
  );
}

function defineJobCommand(kind: StorageJob["kind"], summary: string): Command {
  return defineServerCommand(kind, summary).action(async (flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const job = await carryOut(syla, kind);
    if (flags.json === true) printJson(job);
    else printReport(job);
    const { error } = job.report;
    if (job.state === "stopped") throw new CliError("The job was stopped.", failure("storage_job_stopped", "invalid_request"));
    if (job.state === "failed")
      throw new CliError(`The job failed: ${error ?? "no reason is known"}`, failure("storage_job_failed", "internal"));
    const open = job.report.findings.filter((finding) => finding.outcome !== "restored").length;
    if (open > 0)
      throw new CliError(`${open} of the stored blobs cannot be read as they were written.`, failure("storage_damaged", "invalid_request"));
  });
}

function failure(code: string, exit: "internal" | "invalid_request") {
  const hint =
    code === "storage_damaged"
      ? "`syla server storage repair` restores what another store has; a backup of the data directory may have the rest."
      : "`syla server logs` shows what the server met.";
  return { code, exit, hint };
}

async function carryOut(syla: Syla, kind: StorageJob["kind"]): Promise<StorageJob> {
  let job = await syla.storage.start(kind);
  const progress = createProgress();
  try {
    while (job.state === "running") {
      progress.show(`${kind}: ${job.report.blobs} blobs, ${formatBytes(job.report.bytes)} …`);
      await sleep(askEveryMs);
      job = await syla.storage.job(job.id);
    }
  } finally {
    progress.clear();
  }
  return job;
}

function printReport({ kind, report }: StorageJob): void {
  const looked = `${report.blobs} blobs, ${formatBytes(report.bytes)}`;
  if (kind === "measure") return printLine(`${looked}; \`syla server storage status\` shows of what, and whose.`);
  if (kind === "cool" || kind === "recall") printLine(`${report.copied} of ${looked} moved.`);
  if (kind === "copy") printLine(`${looked}; ${report.copied} copied.`);
  if (kind === "collect")
    return printLine(
      `Looked at ${looked}: nothing refers to ${report.unreferenced}, ${report.deleted} were deleted, ${formatBytes(report.deletedBytes)}; ${formatBytes(report.freedBytes)} of packs given back.`,
    );
  if (kind === "check" || kind === "repair")
    printLine(`Looked at ${looked}: ${report.findingCount === 0 ? "all are whole." : `${report.findingCount} are not whole.`}`);
  if (report.findings.length === 0) return;
  printTable<StorageFinding>(
    [
      { title: "blob", value: (finding) => finding.sha256 },
      { title: "problem", value: (finding) => finding.problem },
      { title: "outcome", value: describeOutcome },
      { title: "referred to by", value: (finding) => plainLine(finding.referrers.join("; ") || "nothing") },
    ],
    report.findings,
  );
}

function describeOutcome({ outcome, detail }: StorageFinding): string {
  return plainLine(detail === null ? outcome : `${outcome} (${detail})`);
}
