import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Backup, BackupJob, BackupStatus, Syla } from "@syla/sdk";
import { type Command, InvalidArgumentError } from "commander";
import { CliError, usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { workOffline } from "../local-server/offline-work.ts";
import { printFields, printJson, printLine, printTable } from "../output/print.ts";
import { createProgress } from "../output/progress.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatAge, formatBytes } from "../output/units.ts";
import { sylaHome } from "../settings/home.ts";
import { findWorkspace } from "../workspaces/find-workspace.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

const askEveryMs = 300;
const ofWorkspace = "of this workspace alone: its id or name";

/** What can be done with backups. */
export function backupVerbs(): Command[] {
  return [create(), list(), verify(), restore(), stop(), remove()];
}

interface WorkspaceFlags extends CommonFlags {
  readonly workspace?: string;
}

function create(): Command {
  return defineServerCommand("create", "back up the whole installation, or a workspace, and print the backup's id")
    .option("-w, --workspace <workspace>", ofWorkspace)
    .option("--note <text>", "what it is for", "")
    .action(async (flags: WorkspaceFlags & { readonly note: string }) => {
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      if (flags.workspace !== undefined) {
        const { id } = await findWorkspace(syla, flags.workspace);
        const backup = await syla.backups.createOfWorkspace(id, flags.note);
        return flags.json === true ? printJson(backup) : printLine(backup.id);
      }
      const job = await carryOut(syla, await syla.backups.create(flags.note));
      if (flags.json === true) return printJson(job);
      printLine(job.backupId ?? "");
      const { missing } = job.report;
      if (missing > 0)
        process.stderr.write(`${missing} blobs were not in the store whole, and are not in the backup: \`syla server storage check\`.\n`);
    });
}

function list(): Command {
  return defineServerCommand("list", "the backups that there are, and when the next one is made")
    .option("-w, --workspace <workspace>", ofWorkspace)
    .option("--from <place>", "of this repository, a folder or s3://bucket/prefix, without a server")
    .action(async (flags: WorkspaceFlags & { readonly from?: string }) => {
      if (flags.from !== undefined) return await listOffline(flags.from, flags);
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      if (flags.workspace !== undefined) {
        const items = await syla.backups.ofWorkspace((await findWorkspace(syla, flags.workspace)).id);
        return flags.json === true ? printJson({ items }) : printBackups(items);
      }
      const status = await syla.backups.status();
      if (flags.json === true) return printJson(status);
      printStatus(status);
    });
}

/** What can be restored where there is nothing yet. */
async function listOffline(place: string, flags: WorkspaceFlags): Promise<void> {
  if (flags.workspace !== undefined) throw usageError("--from lists all of a repository: leave --workspace out.");
  const { last } = await workOffline<Pick<BackupStatus, "items" | "problem">>(
    {
      entry: "apps/server/src/backups/list-command.ts",
      words: [],
      env: { ...process.env, SYLA_BACKUP_TO: place },
      dataDir: null,
      failure: { code: "backup_list_failed", hint: "The repository is as it was." },
    },
    () => undefined,
  );
  if (flags.json === true) return printJson(last);
  printBackups(last.items);
  if (last.problem !== null) process.stderr.write(`${plainLine(`${last.problem.message} ${last.problem.hint}`)}\n`);
}

function printStatus(status: BackupStatus): void {
  printFields([
    ["repository", plainLine(status.place ?? "none: set SYLA_BACKUP_TO and SYLA_BACKUP_PASSPHRASE")],
    ...(status.problem === null ? [] : [["problem", plainLine(`${status.problem.message} ${status.problem.hint}`)] as const]),
    ["by itself", status.everyHours === 0 ? "never" : `every ${status.everyHours} hours; the last ${status.keep} are kept`],
    ["next", status.nextAt ?? "not planned"],
    ["any moment", status.logHours === 0 ? "no (SYLA_BACKUP_LOG_HOURS)" : `of the last ${status.logHours} hours`],
    ...status.jobs
      .filter(({ state }) => state === "running")
      .map(({ kind, startedAt }) => ["running", `${kind}, begun ${formatAge(startedAt)}`] as const),
  ]);
  if (status.items.length === 0) return;
  printLine();
  printBackups(status.items);
}

function printBackups(items: readonly Backup[]): void {
  printTable<Backup>(
    [
      { title: "backup", value: ({ id }) => id },
      { title: "of", value: ({ workspace }) => plainLine(workspace?.name ?? "the installation") },
      { title: "made", value: ({ startedAt }) => formatAge(startedAt) },
      { title: "blobs", value: ({ blobs }) => String(blobs), align: "right" },
      { title: "size", value: ({ bytes }) => formatBytes(bytes), align: "right" },
      { title: "new", value: ({ newBytes }) => formatBytes(newBytes), align: "right" },
      { title: "note", value: ({ isAutomatic, note }) => plainLine(note === "" && isAutomatic ? "by itself" : note) },
    ],
    items,
  );
}

function verify(): Command {
  return defineServerCommand("verify", "look whether a backup is whole")
    .argument("[backup]", "its id; the newest one of the installation when left out")
    .option("--deep", "read all of it and compare every hash")
    .action(async (word: string | undefined, flags: CommonFlags & { readonly deep?: boolean }) => {
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const id = word ?? (await newest(syla));
      const job = await carryOut(syla, await syla.backups.verify(id, { deep: flags.deep === true }));
      const { objects, bytes, problems, problemCount } = job.report;
      if (flags.json === true) printJson(job);
      else printLine(`${id}: ${objects} objects, ${formatBytes(bytes)}: ${problemCount === 0 ? "all are whole." : "not whole."}`);
      if (problemCount === 0) return;
      if (flags.json !== true) for (const problem of problems) printLine(`  ${plainLine(problem)}`);
      throw new CliError(`The backup ${id} is damaged in ${problemCount} places.`, {
        code: "backup_damaged",
        exit: "invalid_request",
        hint: "Make another one: what is missing or damaged is written again, where its content is still there.",
      });
    });
}

async function newest(syla: Syla): Promise<string> {
  const { items, problem } = await syla.backups.status();
  const found = items.find(({ scope }) => scope === "installation");
  if (found !== undefined) return found.id;
  throw problem === null
    ? usageError("There is no backup of the installation yet.", "`syla backup create` makes one.")
    : new CliError(problem.message, { code: problem.code, exit: "invalid_request", hint: problem.hint });
}

function remove(): Command {
  return defineServerCommand("delete", "delete a backup, and what no other one needs")
    .argument("<backup>", "its id")
    .action(async (id: string, flags: CommonFlags) => {
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const job = await carryOut(syla, await syla.backups.delete(id));
      if (flags.json === true) return printJson(job);
      printLine(`${id} is deleted: ${job.report.objects} objects, ${formatBytes(job.report.bytes)}.`);
    });
}

function stop(): Command {
  return defineServerCommand("stop", "stop the job that runs; the next backup finds what it has written").action(
    async (flags: CommonFlags) => {
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const running = (await syla.backups.status()).jobs.find((job) => job.state === "running");
      if (running === undefined)
        throw new CliError("No job is running.", {
          code: "not_found",
          exit: "invalid_request",
          hint: "`syla backup list --json` has the last ones.",
        });
      const job = await syla.backups.stop(running.id);
      if (flags.json === true) printJson(job);
      else printLine(`The job ${job.id} (${job.kind}) ${job.state === "running" ? "stops in a moment" : "is stopped"}.`);
    },
  );
}

async function carryOut(syla: Syla, begun: BackupJob): Promise<BackupJob> {
  let job = begun;
  const progress = createProgress();
  try {
    while (job.state === "running") {
      const { step, blobs, bytes, objects } = job.report;
      progress.show(
        `${job.kind}: ${step === "content" ? `${blobs} blobs, ${formatBytes(bytes)}` : objects > 0 ? `${objects} objects` : step} …`,
      );
      await sleep(askEveryMs);
      job = await syla.backups.job(job.id);
    }
  } finally {
    progress.clear();
  }
  if (job.state === "done") return job;
  const hint = "What was written to the repository is found again by the next backup.";
  throw new CliError(job.state === "stopped" ? "The job was stopped." : `The job failed: ${job.report.error ?? "no reason is known"}`, {
    code: job.state === "stopped" ? "backup_stopped" : "backup_failed",
    exit: job.state === "stopped" ? "invalid_request" : "internal",
    hint,
  });
}

interface RestoreFlags extends WorkspaceFlags {
  readonly over?: boolean;
  readonly from?: string;
  readonly into?: string;
  readonly toTime?: string;
  readonly replace?: boolean;
  readonly contentFrom?: string;
  readonly leaveDamaged?: boolean;
}

interface RestoreLine {
  readonly step: string;
  readonly id: string;
  readonly rows: number;
  readonly blobs: number;
  readonly bytes: number;
  readonly newBlobs: number;
  readonly missing: number;
  readonly replaced: string | null;
}

function restore(): Command {
  return defineServerCommand("restore", "restore an installation while its server is stopped; with --workspace, a workspace while it runs")
    .argument("[backup]", "its id; the newest one of the installation when left out")
    .option("--from <place>", "the folder or s3://bucket/prefix of the repository ($SYLA_BACKUP_TO)")
    .option("--into <home>", "the folder of the installation that comes of it ($SYLA_HOME)")
    .option("--to-time <time>", "the database as it was then, e.g. 2026-03-01T14:05:00Z, or `latest`; where the log is kept", readTime)
    .option("--replace", "although there is an installation already; what was there is set aside")
    .option("--content-from <folder>", "a folder `blobs` that may have content which came after the backup")
    .option("--leave-damaged", "go on without content that is damaged in the repository")
    .option("-w, --workspace <workspace>", "restore a backup of this workspace, as a new one")
    .option("--over", "with --workspace: over the files that are there, which become a version")
    .action(async (id: string | undefined, flags: RestoreFlags) => {
      requireOneKind(flags);
      if (flags.workspace === undefined) return await restoreInstallation(id, flags);
      if (id === undefined) throw usageError("Say which backup.", "`syla backup list --workspace NAME` lists them.");
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const workspaceId = /^wsp_[0-9a-z]{26}$/.test(flags.workspace) ? flags.workspace : (await findWorkspace(syla, flags.workspace)).id;
      const restored = await syla.backups.restoreWorkspace(workspaceId, id, flags.over === true ? "same" : "new");
      if (flags.json === true) printJson(restored);
      else printLine(restored.id);
    });
}

/** What is of an installation alone says nothing of a workspace, and the other way round. */
function requireOneKind({ workspace, over, from, into, toTime, replace, contentFrom, leaveDamaged }: RestoreFlags): void {
  if (workspace === undefined && over === true) throw usageError("--over is for a workspace.", "Name it with --workspace.");
  const given = {
    "--from": from,
    "--into": into,
    "--to-time": toTime,
    "--replace": replace,
    "--content-from": contentFrom,
    "--leave-damaged": leaveDamaged,
  };
  const [wrong] = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (workspace !== undefined && wrong !== undefined)
    throw usageError(`${wrong} is for a whole installation.`, "Leave it or --workspace out.");
}

async function restoreInstallation(id: string | undefined, flags: RestoreFlags): Promise<void> {
  const home = flags.into === undefined ? sylaHome(process.env) : resolve(flags.into);
  const dataDir = flags.into === undefined && process.env["SYLA_DATA_DIR"] ? resolve(process.env["SYLA_DATA_DIR"]) : join(home, "data");
  const env = {
    ...process.env,
    SYLA_HOME: home,
    SYLA_DATA_DIR: dataDir,
    ...(flags.from === undefined ? {} : { SYLA_BACKUP_TO: flags.from }),
  };
  const words = [
    ...(id === undefined ? [] : ["--id", id]),
    ...(flags.toTime === undefined ? [] : ["--to-time", flags.toTime]),
    ...(flags.replace === true ? ["--replace"] : []),
    ...(flags.contentFrom === undefined ? [] : ["--content-from", resolve(flags.contentFrom)]),
    ...(flags.leaveDamaged === true ? ["--leave-damaged"] : []),
  ];
  const failure = { code: "backup_restore_failed", hint: "The backup is as it was, and nothing that was in the data directory is lost." };
  const progress = createProgress();
  const entry = "apps/server/src/backups/restore-command.ts";
  const { last } = await workOffline<RestoreLine>({ entry, words, env, dataDir, failure }, ({ step, rows, blobs, bytes }) =>
    progress.show(step === "content" ? `content: ${blobs} blobs, ${formatBytes(bytes)} …` : `database: ${rows} rows …`),
  ).finally(() => progress.clear());
  if (flags.json === true) printJson(last);
  else printRestored(last, home);
  if (last.missing === 0) return;
  throw new CliError(`${last.missing} blobs that the database refers to are whole in no backup.`, {
    code: "storage_damaged",
    exit: "invalid_request",
    hint: "--content-from takes them from the folder `blobs` of the old installation; the server starts without them.",
  });
}

function printRestored({ id, rows, blobs, bytes, newBlobs, replaced }: RestoreLine, home: string): void {
  printLine(`${id} is restored into ${plainLine(home)}.`);
  printFields([
    ["database", rows === 0 ? "as it was at that time" : `${rows} rows`],
    ["content", `${blobs} blobs, ${formatBytes(bytes)}, of which ${newBlobs} were not there`],
    ...(replaced === null ? [] : [["before", `what was there is in ${plainLine(replaced)}`] as const]),
  ]);
}

function readTime(text: string): string {
  if (text === "latest") return text;
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new InvalidArgumentError("It takes a time with its zone, like 2026-03-01T14:05:00Z, or latest.");
  return new Date(time).toISOString();
}
