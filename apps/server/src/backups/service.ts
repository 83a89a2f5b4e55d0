import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@syla/contracts/errors";
import type { Backup, BackupJob, BackupStatus } from "@syla/contracts/backups";
import { LRUCache } from "lru-cache";
import type { Actor } from "../access/actor.ts";
import { listAdmins } from "../admin/service.ts";
import { notifyEach } from "../notifications/service.ts";
import { databaseError, type Database } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import { Jobs } from "../platform/jobs.ts";
import type { Logger } from "../platform/logger.ts";
import type { Service } from "../platform/service.ts";
import type { Settings } from "../settings/service.ts";
import { backUpInstallation, newProgress, type BackupSource } from "./create.ts";
import type { KnownRepository } from "./known-repository.ts";
import { listBackups, type BackupList } from "./list.ts";
import { listIds, readManifest } from "./manifest.ts";
import { newReport, toBackup, toJob, type JobReport } from "./presenter.ts";
import { findSurplus, prune } from "./prune.ts";
import type { Repository } from "./repository/repository.ts";
import * as store from "./store.ts";
import { verifyBackup } from "./verify.ts";

/** What backups are made of. */
export interface BackupsContext {
  readonly database: Database;
  readonly logger: Logger;
  readonly settings: Pick<Settings, "get">;
  readonly repository: KnownRepository;
  readonly source: BackupSource;
  readonly workerId: string;
  /** How far back the database can be taken; 0: the log is not kept. */
  readonly logHours: number;
}

/** What is to be done, and for whom. */
export interface BackupWish {
  readonly kind: BackupJob["kind"];
  readonly backupId: string | null;
  readonly workspaceId: string | null;
  readonly isAutomatic?: boolean;
  readonly startedBy: string | null;
}

const lookEveryMs = 60_000;
const listedJobs = 20;
const hourMs = 3_600_000;
/** What failed is tried again after this. */
const againMs = hourMs;

/** Backups of the installation: made while people work, by themselves too, verified, and removed when there are newer ones. */
export class Backups implements Service {
  readonly name = "backups";
  readonly #jobs: Jobs<store.BackupJobRow>;
  readonly #context: BackupsContext;
  readonly #stopping = new AbortController();
  /** Manifests may be large, and never change. */
  readonly #shown = new LRUCache<string, Backup>({ max: 1000 });

  constructor(context: BackupsContext) {
    this.#context = context;
    this.#jobs = new Jobs(context, { table: "backup_jobs", prefix: "bjob", busy: "backup_busy" });
  }

  async run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await sleep(lookEveryMs, undefined, { ref: false, signal: this.#stopping.signal }).catch(() => {});
      if (!this.#stopping.signal.aborted)
        await this.backUpWhenDue().catch((err: unknown) => this.#context.logger.warn({ err }, "it is not known whether a backup is due"));
    }
  }

  async drain(): Promise<void> {
    await this.stop();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the server is stopping"));
    await this.#jobs.stop();
  }

  async status(): Promise<BackupStatus> {
    const { settings, repository, logHours } = this.#context;
    const rows = await this.#jobs.list(listedJobs);
    const everyHours = settings.get("backupEveryHours");
    const { items, problem } = await this.#listOrProblem();
    const next = repository.isConfigured && everyHours > 0 ? await this.#nextAt(everyHours) : null;
    return {
      place: repository.place,
      problem,
      everyHours,
      keep: settings.get("backupKeep"),
      nextAt: next === null ? null : new Date(Math.max(next, Date.now())).toISOString(),
      logHours,
      items,
      jobs: rows.map(toJob),
    };
  }

  /** The backups in the repository that are of this, the newest first; those that do not open are left out. @throws AppError `backup_…` */
  async list(isWanted: (backup: Backup) => boolean = () => true): Promise<Backup[]> {
    return (await this.#readAll()).items.filter(isWanted);
  }

  /** @throws AppError `backup_not_found`, … */
  async get(id: string): Promise<Backup> {
    return toBackup(await readManifest(await this.#context.repository.open(false), id));
  }

  /** Begins a job on the repository: what one removes another may be about to name. @returns it, and its end @throws AppError `backup_busy` */
  async begin<T>(
    { kind, backupId, workspaceId, isAutomatic = false, startedBy }: BackupWish,
    perform: (report: JobReport, signal: AbortSignal) => Promise<T>,
  ): Promise<{ job: BackupJob; done: Promise<T> }> {
    const report = newReport();
    const job = { kind, backup_id: backupId, workspace_id: workspaceId, is_automatic: isAutomatic, started_by: startedBy };
    const { row, done } = await this.#jobs.begin(job, report, (signal) => perform(report, signal));
    return { job: toJob(row), done };
  }

  /** @throws AppError `not_found` */
  async job(id: string): Promise<BackupJob> {
    return toJob(await this.#jobs.find(id));
  }

  /** @throws AppError `not_found` */
  async stopJob(id: string): Promise<BackupJob> {
    return toJob(await this.#jobs.stopJob(id));
  }

  /** Begins a backup, which goes on by itself. @throws AppError `backup_busy`, `backup_…` */
  async create(actor: Actor | null, note: string): Promise<BackupJob> {
    return (await this.#begin(actor, note)).job;
  }

  /** Begins to look whether a backup is whole. @throws AppError `backup_not_found`, `backup_busy`, … */
  async verify(actor: Actor, id: string, deep: boolean): Promise<BackupJob> {
    const repository = await this.#context.repository.open(false);
    const manifest = await readManifest(repository, id);
    const wish = { kind: "verify", backupId: id, workspaceId: manifest.workspace?.id ?? null, startedBy: actor.userId } as const;
    const { job } = await this.begin(wish, (report, signal) => verifyBackup(repository, manifest, { deep, report, signal }));
    return job;
  }

  /** Begins to delete a backup, with what no other needs. @throws AppError `backup_not_found`, `backup_busy`, … */
  async delete(actor: Actor, id: string): Promise<BackupJob> {
    const repository = await this.#context.repository.open(false);
    // One that is damaged can be deleted too.
    if (!(await listIds(repository)).includes(id)) await readManifest(repository, id);
    const wish = { kind: "delete", backupId: id, workspaceId: null, startedBy: actor.userId } as const;
    const { job } = await this.begin(wish, async (report, signal) => {
      const gone = await prune(repository, [id], signal);
      Object.assign(report, { objects: gone.objects, bytes: gone.bytes, step: "done" });
    });
    return job;
  }

  /** Makes the backup that is due, if one is, and waits for its end. Administrators are told of one that fails. @returns whether one was made */
  async backUpWhenDue(): Promise<boolean> {
    const everyHours = this.#context.settings.get("backupEveryHours");
    if (!this.#context.repository.isConfigured || everyHours === 0 || (await this.#nextAt(everyHours)) > Date.now()) return false;
    try {
      await (
        await this.#begin(null, "")
      ).done;
      return true;
    } catch (error) {
      if (error instanceof AppError && error.code === "backup_busy") return false;
      if (!this.#stopping.signal.aborted) await this.#tellAdmins(error);
      return false;
    }
  }

  async #begin(actor: Actor | null, note: string): Promise<{ job: BackupJob; done: Promise<void> }> {
    const id = newId("bkp");
    const isAutomatic = actor === null;
    const wish = { kind: "create", backupId: id, workspaceId: null, isAutomatic, startedBy: actor?.userId ?? null } as const;
    // Whoever asks for one is told at once what is wrong; one that is due fails as a job, which is seen.
    if (actor !== null) await this.#context.repository.open(true);
    return await this.begin(wish, async (report, signal) => {
      const repository = await this.#context.repository.open(true);
      const progress = Object.assign(report, newProgress());
      await backUpInstallation(repository, this.#context.source, { id, isAutomatic, note }, progress, signal);
      if (isAutomatic) await this.#removeSurplus(repository, report, signal);
    });
  }

  /** A backup that is damaged keeps the others from being removed, not from being made. */
  async #removeSurplus(repository: Repository, report: JobReport, signal: AbortSignal): Promise<void> {
    const { settings, logHours, logger } = this.#context;
    try {
      const manifests = [];
      for (const id of await listIds(repository)) manifests.push(await readManifest(repository, id));
      const logSince = logHours === 0 ? null : new Date(Date.now() - logHours * hourMs);
      const surplus = findSurplus(manifests, { keep: settings.get("backupKeep"), logSince });
      report.objects = (await prune(repository, surplus, signal)).objects;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "backup_damaged") throw error;
      logger.warn({ err: error }, "older backups could not be removed");
      report.problems.push(`Older backups could not be removed: ${error.message}`);
      report.problemCount += 1;
    }
  }

  /** When the next automatic backup is due, in milliseconds since 1970. */
  async #nextAt(everyHours: number): Promise<number> {
    const [last] = await store.findAutomatic(this.#context.database.queries);
    if (last === undefined) return 0;
    const waitMs = last.state === "done" ? everyHours * hourMs : Math.min(againMs, everyHours * hourMs);
    return last.started_at.getTime() + waitMs;
  }

  /** Once for each row of failures. */
  async #tellAdmins(error: unknown): Promise<void> {
    const { database, logger } = this.#context;
    logger.error({ err: error }, "the automatic backup failed");
    const [, before] = await store.findAutomatic(database.queries).catch(() => []);
    if (before?.state === "failed" || databaseError(error) !== undefined) return;
    const reason = error instanceof AppError ? `${error.message} ${error.hint}` : "`syla server logs` shows why.";
    await database.queries.transaction().execute(async (work) => {
      await notifyEach(work, await listAdmins(work), {
        type: "system",
        title: "The automatic backup failed",
        body: `${reason} It is tried again every hour.`,
        link: "/admin/backups",
      });
    });
  }

  async #listOrProblem(): Promise<BackupList> {
    if (!this.#context.repository.isConfigured) return { items: [], problem: null };
    try {
      return await this.#readAll();
    } catch (error) {
      // Nothing is there before the first backup.
      if (error instanceof AppError && error.code === "backup_repository_missing") return { items: [], problem: null };
      if (!(error instanceof AppError)) throw error;
      return { items: [], problem: { code: error.code, message: error.message, hint: error.hint } };
    }
  }

  async #readAll(): Promise<BackupList> {
    return await listBackups(await this.#context.repository.open(false), this.#shown);
  }
}
