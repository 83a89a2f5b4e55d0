import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@syla/contracts/errors";
import type { StorageJob, StorageStatus } from "@syla/contracts/storage";
import type { Actor } from "../access/actor.ts";
import { Jobs, showJob } from "../platform/jobs.ts";
import type { Logger } from "../platform/logger.ts";
import type { Service } from "../platform/service.ts";
import { performJob, type JobReport, type JobContext } from "./job.ts";
import * as store from "./store.ts";
import { nameOwners, type NotedUsage } from "./usage/measure.ts";

export { inParts } from "./collection.ts";
export { findStores, noteStore } from "./open-store.ts";
export { referenceQuery } from "./references/store.ts";

const lookEveryMs = 10 * 60 * 1000;
const dayMs = 24 * 60 * 60 * 1000;
const collectEveryMs = dayMs;
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
  readonly #jobs: Jobs<store.StorageJobRow>;
  #running: Promise<void> = Promise.resolve();

  constructor(context: StorageContext) {
    this.#context = context;
    this.#jobs = new Jobs(context, { table: "storage_jobs", prefix: "sjob", busy: "storage_busy" });
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
    this.#stopping.abort();
    await this.#jobs.stop();
  }

  async status(): Promise<StorageStatus> {
    const { database, kind, place, replicas, copyTarget, tiers, graceMs, store: name } = this.#context;
    const newest = await this.#jobs.list(listedJobs);
    const usage = await store.findUsage(database.queries);
    const last = (await this.#jobs.findLast("collect"))?.getTime() ?? 0;
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
      unreferenced: await store.countGarbage(database.queries, name),
      jobs: newest.map(toJob).map((job) => ({ ...job, report: { ...job.report, findings: [] } })),
    };
  }

  /** @throws AppError `not_found` */
  async job(id: string): Promise<StorageJob> {
    return toJob(await this.#jobs.find(id));
  }

  /** Begins a job, which goes on by itself. @throws AppError `storage_busy`, `storage_target_missing` */
  async start(kind: StorageJob["kind"], actor: Actor | null): Promise<StorageJob> {
    const { copyTarget, tiers } = this.#context;
    if (kind === "copy" && copyTarget === null) throw new AppError("storage_target_missing");
    if ((kind === "cool" && typeof tiers?.coldMs !== "number") || (kind === "recall" && tiers === null))
      throw new AppError("storage_untiered");
    const report = emptyReport();
    const job = { kind, started_by: actor?.userId ?? null };
    const { row, done } = await this.#jobs.begin(job, report, (signal) => this.#perform(kind, report, signal));
    this.#running = done.catch(() => {}); // it is in the log, and in the report
    return toJob(row);
  }

  /** Stops a job of whichever server. @throws AppError `not_found` */
  async stopJob(id: string): Promise<StorageJob> {
    return toJob(await this.#jobs.stopJob(id));
  }

  /** Whatever is due; one at a time, so what finds another running comes at the next look. */
  async #careDaily(): Promise<void> {
    const { tiers } = this.#context;
    const kinds = typeof tiers?.coldMs === "number" ? (["collect", "cool"] as const) : (["collect"] as const);
    for (const kind of kinds) {
      const last = await this.#jobs.findLast(kind);
      if (last !== undefined && last.getTime() > Date.now() - collectEveryMs) continue;
      await this.start(kind, null).catch((error: unknown) => {
        if (!(error instanceof AppError && error.code === "storage_busy")) throw error;
      });
      await this.#running;
    }
  }

  async #perform(kind: StorageJob["kind"], report: JobReport, signal: AbortSignal): Promise<void> {
    const { logger } = this.#context;
    try {
      await performJob(this.#context, kind, report, signal);
    } catch (error) {
      if (!signal.aborted) logger.error({ err: error, kind }, "a job on the store failed");
      throw error;
    } finally {
      if (report.findingCount > 0) logger.error({ kind, findings: report.findings.slice(0, 20) }, "stored content is damaged or missing");
    }
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

function toJob(row: store.StorageJobRow): StorageJob {
  const { usage: _usage, ...report } = { ...emptyReport(), ...row.report };
  return {
    ...showJob(row),
    kind: row.kind,
    report,
  };
}
