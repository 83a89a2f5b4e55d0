import { z } from "zod";
import { route } from "./route.ts";

const JobKind = z
  .enum(["check", "repair", "collect", "measure", "copy", "cool", "recall"])
  .describe(
    "`measure` counts what is stored; `copy` copies it to the other store, into which it can be moved then in a moment; `cool` moves what nobody has read for long into the bucket, `recall` takes all of that back",
  );

const storageKinds = [
  "programs",
  "datasets",
  "workspaces",
  "analyses",
  "runs",
  "logs",
  "artifacts",
  "uploads",
  "imports",
  "environments",
  "images",
  "compilations",
  "other",
  "unreferenced",
] as const;
export type StorageKind = (typeof storageKinds)[number];

const share = { blobs: z.int(), bytes: z.int() };

/** What is stored. */
export const StorageUsage = z
  .object({
    measuredAt: z.iso.datetime(),
    ...share,
    kinds: z.array(z.object({ kind: z.enum(storageKinds), ...share })).describe("content that is of two kinds counts with both"),
    owners: z
      .array(z.object({ ownerId: z.string(), name: z.string().nullable().describe("null: nobody any more"), ...share }))
      .describe("the 50 with most; content that two have counts with both"),
  })
  .meta({ id: "StorageUsage" });
export type StorageUsage = z.infer<typeof StorageUsage>;

/** Stored content that is not what it should be. */
export const StorageFinding = z
  .object({
    sha256: z.string(),
    problem: z.enum(["damaged", "missing"]),
    referrers: z.array(z.string()).describe("what refers to it, five at most"),
    outcome: z
      .enum(["found", "restored", "quarantined", "lost"])
      .describe("`restored` from another store; `quarantined`: taken out of use, no store has it whole; `lost`: no store has it"),
    detail: z.string().nullable().describe("which store it came from, or where the damaged content is"),
  })
  .meta({ id: "StorageFinding" });
export type StorageFinding = z.infer<typeof StorageFinding>;

/** How far a job is, what it found and what it did about it. */
export const StorageReport = z
  .object({
    blobs: z.int().describe("that were looked at"),
    bytes: z.int(),
    findings: z.array(StorageFinding).describe("the first 1,000"),
    findingCount: z.int(),
    unreferenced: z.int().describe("that nothing refers to; they go when that is so for the time of grace"),
    deleted: z.int(),
    deletedBytes: z.int(),
    freedBytes: z.int().describe("room in packs that deleted content had still taken"),
    copied: z.int().describe("to the other store, or moved between the tiers, by this job; the rest was there"),
    error: z.string().nullable(),
  })
  .meta({ id: "StorageReport" });
export type StorageReport = z.infer<typeof StorageReport>;

export const StorageJob = z
  .object({
    id: z.string(),
    kind: JobKind,
    state: z.enum(["running", "done", "failed", "stopped"]),
    isStopping: z.boolean(),
    startedBy: z.string().nullable().describe("null: the server itself"),
    startedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable(),
    report: StorageReport,
  })
  .meta({ id: "StorageJob" });
export type StorageJob = z.infer<typeof StorageJob>;

export const StorageStatus = z
  .object({
    store: z.enum(["local", "s3"]),
    place: z.string().describe("the folder, or the bucket"),
    replicas: z.array(z.string()).describe("other stores from which damaged content is restored"),
    graceHours: z.number(),
    copyTarget: z.string().nullable().describe("the other store, to which content can be copied; null: none is configured"),
    cold: z
      .object({
        place: z.string(),
        afterDays: z.number().nullable().describe("how long nobody has to have read it; null: nothing goes there any more"),
        ...share,
      })
      .nullable()
      .describe("the bucket into which content goes that nobody has read for long, and what is there; null: none is in use"),
    unreferenced: z.int().describe("blobs that wait to be deleted"),
    nextCollectionAt: z.iso.datetime().describe("the server collects by itself about then"),
    usage: StorageUsage.nullable().describe("as it was last measured, which each collection does; null: not yet"),
    jobs: z.array(StorageJob).describe("the newest 20; their findings are read with each"),
  })
  .meta({ id: "StorageStatus" });
export type StorageStatus = z.infer<typeof StorageStatus>;

const shared = { tag: "admin", auth: "admin" } as const;
const base = "/api/v1/admin/storage";

export const storageRoutes = {
  getStorage: route({
    ...shared,
    method: "GET",
    path: base,
    summary: "Where content is stored, and what was done to the store lately (administrators)",
    responses: { 200: StorageStatus },
    errors: [],
  }),
  startStorageJob: route({
    ...shared,
    audit: "admin.storage_job",
    method: "POST",
    path: `${base}/jobs`,
    summary: "Check, repair, measure, copy or move all stored content, or delete what nothing refers to (administrators)",
    body: z.strictObject({ kind: JobKind }),
    responses: { 202: StorageJob },
    errors: ["storage_busy", "storage_target_missing", "storage_untiered"],
  }),
  getStorageJob: route({
    ...shared,
    method: "GET",
    path: `${base}/jobs/:id`,
    summary: "How far a job on the store is, and what it found (administrators)",
    params: z.object({ id: z.string().max(64) }),
    responses: { 200: StorageJob },
    errors: ["not_found"],
  }),
  stopStorageJob: route({
    ...shared,
    audit: "admin.storage_job_stop",
    method: "POST",
    path: `${base}/jobs/:id/stop`,
    summary: "Stop a job on the store; started again, a copy goes on where it stopped (administrators)",
    params: z.object({ id: z.string().max(64) }),
    responses: { 200: StorageJob },
    errors: ["not_found"],
  }),
};
