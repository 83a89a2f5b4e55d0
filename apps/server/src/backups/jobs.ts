import { AppError } from "@syla/contracts/errors";
import type { BackupJob } from "@syla/contracts/backups";
import { newId } from "../platform/ids.ts";
import type { Database } from "../platform/database.ts";
import type { Logger } from "../platform/logger.ts";
import { newReport, toJob, type JobReport } from "./presenter.ts";
import * as store from "./store.ts";

const saveEveryMs = 1000;

/** What is to be done, and for whom. */
export type JobWish = Pick<store.NewJob, "kind" | "backupId" | "workspaceId" | "isAutomatic" | "startedBy">;

/** Jobs on the repository, one at a time on all servers: what one removes another may be about to name. */
export class BackupJobs {
  readonly #context: { readonly database: Database; readonly logger: Logger; readonly workerId: string };
  readonly #stopping = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  /** Of the job that this server does. */
  #job: { readonly id: string; readonly stopping: AbortController } | null = null;

  constructor(context: { readonly database: Database; readonly logger: Logger; readonly workerId: string }) {
    this.#context = context;
  }

  /** Begins a job. @returns it, and its end, which fails when the job does @throws AppError `backup_busy` */
  async begin<T>(
    wish: JobWish,
    perform: (report: JobReport, signal: AbortSignal) => Promise<T>,
  ): Promise<{ job: BackupJob; done: Promise<T> }> {
    this.#stopping.signal.throwIfAborted();
    const { database, workerId } = this.#context;
    const id = newId("bjob");
    const report = newReport();
    const row = await store.insertJob(database.queries, { ...wish, id, workerId, report }, "The server that did it is gone.");
    if (row === undefined) throw new AppError("backup_busy");
    const done = this.#carryOut(id, report, perform);
    done.catch(() => {}); // what it was is recorded
    this.#running = done;
    return { job: toJob(row), done };
  }

  /** Stops a job of whichever server. @throws AppError `not_found` */
  async stopJob(id: string): Promise<BackupJob> {
    await this.job(id);
    await store.requestStop(this.#context.database.queries, id);
    if (this.#job?.id === id) {
      this.#job.stopping.abort(new Error("it was stopped"));
      await this.#running.catch(() => undefined);
    }
    return await this.job(id);
  }

  /** @throws AppError `not_found` */
  async job(id: string): Promise<BackupJob> {
    const row = id.includes("\0") ? undefined : await store.findJob(this.#context.database.queries, id);
    if (row === undefined) throw new AppError("not_found");
    return toJob(row);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the server is stopping"));
    await this.#running.catch(() => undefined);
  }

  async #carryOut<T>(id: string, report: JobReport, perform: (report: JobReport, signal: AbortSignal) => Promise<T>): Promise<T> {
    const { database, logger } = this.#context;
    const stopping = new AbortController();
    this.#job = { id, stopping };
    let state: BackupJob["state"] = "done";
    const progress = setInterval(() => {
      store.saveJob(database.queries, id, "running", report).then(
        (isOver) => isOver && stopping.abort(new Error("it was stopped")),
        () => {}, // the next one tells
      );
    }, saveEveryMs);
    try {
      return await perform(report, AbortSignal.any([this.#stopping.signal, stopping.signal]));
    } catch (error) {
      state = stopping.signal.aborted ? "stopped" : "failed";
      if (state === "failed") report.error = error instanceof AppError ? `${error.message} ${error.hint}` : (error as Error).message;
      throw error;
    } finally {
      clearInterval(progress);
      this.#job = null;
      await store.saveJob(database.queries, id, state, report).catch((err: unknown) => {
        logger.warn({ err, id }, "the end of a job on the backups could not be recorded");
      });
    }
  }
}
