import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@syla/contracts/errors";
import type { StorageJob, StorageStatus } from "@syla/contracts/storage";
import type { Actor } from "../access/actor.ts";
import { newId } from "../platform/ids.ts";
import type { Logger } from "../platform/logger.ts";
import type { Service } from "../platform/service.ts";
import { performJob, type JobReport, type JobContext } from "./job.ts";
import * as jobs from "./store.ts";
import { nameOwners, type NotedUsage } from "./usage/measure.ts";

export { inParts } from "./collection.ts";
export { findStores, noteStore } from "./open-store.ts";
export { referenceQuery } from "./references/store.ts";

const lookEveryMs = 10 * 60 * 1000;
const dayMs = 24 * 60 * 60 * 1000;
const collectEveryMs = dayMs;
const saveEveryMs = 1000;
const listedJobs = 20;

/** What the care of the store is made of. */
export interface StorageContext extends JobContext {
  readonly logger: Logger;
  readonly workerId: string;
  readonly kind: StorageStatus["store"];
  readonly place: string;
}

/** The care of stored content: it is looked through, repaired, and what nothing refers to is deleted, once a day by itself. */
export class Storage implements Service {
  readonly name = "storage";
  readonly #context: StorageContext;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** Of the job that this server does. */
  #job: { readonly id: string; readonly stopping: AbortController } | null = null;

  constructor(context: StorageContext) {
    this.#context = context;
  }

  async run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await sleep(lookEveryMs, undefined, { ref: false, signal: this.#stopping.signal }).catch(() => {});
      if (!this.#stopping.signal.aborted)
        await this.#careDaily().catch((err: unknown) => this.#context.logger.warn({ err }, "the store could not be cared for"));
    }
  }

  async drain(): Promise<void> {
    await this.stop();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the server is stopping"));
    await this.#running;
  }

  async status(): Promise<StorageStatus> {
    const { database, kind, place, replicas, copyTarget, tiers, graceMs, store } = this.#context;
    const newest = await jobs.listJobs(database.queries, listedJobs);
    const usage = await jobs.findUsage(database.queries);
    const last = (await jobs.findLast(database.queries, "collect"))?.getTime() ?? 0;
    return {
      store: kind,
      place,
      replicas: replicas.map((replica) => replica.name),
      copyTarget: copyTarget?.place ?? null,
      cold:
        tiers === null
          ? null
          : { place: tiers.place, afterDays: tiers.coldMs === null ? null : tiers.coldMs / dayMs, ...(await tiers.count()) },
      graceHours: graceMs / 3_600_000,
      nextCollectionAt: new Date(Math.max(last + collectEveryMs, Date.now())).toISOString(),
      usage: usage === undefined ? null : await nameOwners(database.queries, usage as NotedUsage),
      unreferenced: await jobs.countGarbage(database.queries, store),
      jobs: newest.map(toJob).map((job) => ({ ...job, report: { ...job.report, findings: [] } })),
    };
  }

  /** @throws AppError `not_found` */
  async job(id: string): Promise<StorageJob> {
    const row = id.includes("\0") ? undefined : await jobs.findJob(this.#context.database.queries, id);
    if (row === undefined) throw new AppError("not_found");
    return toJob(row);
  }

  /** Begins a job, which goes on by itself. @throws AppError `storage_busy`, `storage_target_missing` */
  async start(kind: StorageJob["kind"], actor: Actor | null): Promise<StorageJob> {
    const { database, workerId, copyTarget, tiers } = this.#context;
    if (kind === "copy" && copyTarget === null) throw new AppError("storage_target_missing");
    if ((kind === "cool" && typeof tiers?.coldMs !== "number") || (kind === "recall" && tiers === null))
      throw new AppError("storage_untiered");
    const lost = { ...emptyReport(), error: "The server that did it is gone." };
    const job = { id: newId("sjob"), kind, startedBy: actor?.userId ?? null, workerId, report: emptyReport() };
    const row = await jobs.insertJob(database.queries, job, lost);
    if (row === undefined) throw new AppError("storage_busy");
    this.#running = this.#carryOut(job.id, kind);
    return toJob(row);
  }

  /** Stops a job of whichever server. @throws AppError `not_found` */
  async stopJob(id: string): Promise<StorageJob> {
    await this.job(id);
    await jobs.requestStop(this.#context.database.queries, id);
    if (this.#job?.id === id) {
      this.#job.stopping.abort(new Error("it was stopped"));
      await this.#running;
    }
    return await this.job(id);
  }

  /** Whatever is due; one at a time, so what finds another running comes at the next look. */
  async #careDaily(): Promise<void> {
    const { database, tiers } = this.#context;
    const kinds = typeof tiers?.coldMs === "number" ? (["collect", "cool"] as const) : (["collect"] as const);
    for (const kind of kinds) {
      const last = await jobs.findLast(database.queries, kind);
      if (last !== undefined && last.getTime() > Date.now() - collectEveryMs) continue;
      await this.start(kind, null).catch((error: unknown) => {
        if (!(error instanceof AppError && error.code === "storage_busy")) throw error;
      });
      await this.#running;
    }
  }

  async #carryOut(id: string, kind: StorageJob["kind"]): Promise<void> {
    const { database, logger } = this.#context;
    const report = emptyReport();
    let state: StorageJob["state"] = "done";
    const stopping = new AbortController();
    this.#job = { id, stopping };
    const progress = setInterval(() => {
      jobs.saveJob(database.queries, id, "running", report).then(
        (isOver) => isOver && stopping.abort(new Error("it was stopped")),
        () => {}, // the next one tells
      );
    }, saveEveryMs);
    try {
      await performJob(this.#context, kind, report, AbortSignal.any([this.#stopping.signal, stopping.signal]));
    } catch (error) {
      state = stopping.signal.aborted ? "stopped" : "failed";
      if (state === "failed") {
        report.error = error instanceof AppError ? error.message : (error as Error).message;
        if (!this.#stopping.signal.aborted) logger.error({ err: error, kind }, "a job on the store failed");
      }
    } finally {
      clearInterval(progress);
      this.#job = null;
    }
    if (report.findingCount > 0) logger.error({ kind, findings: report.findings.slice(0, 20) }, "stored content is damaged or missing");
    await jobs.saveJob(database.queries, id, state, report).catch((err: unknown) => {
      logger.warn({ err, id }, "the end of a job on the store could not be recorded");
    });
  }
}

function emptyReport(): JobReport {
  return {
    blobs: 0,
    bytes: 0,
    findings: [],
    findingCount: 0,
    unreferenced: 0,
    deleted: 0,
    deletedBytes: 0,
    freedBytes: 0,
    copied: 0,
    error: null,
  };
}

function toJob(row: jobs.StorageJobRow): StorageJob {
  const { usage: _usage, ...report } = { ...emptyReport(), ...row.report };
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    isStopping: row.state === "running" && row.stop_requested_at !== null,
    startedBy: row.started_by,
    startedAt: row.started_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
    report,
  };
}
