import type { StorageFinding, StorageJob, StorageReport } from "@syla/contracts/storage";
import type { Blobs, BlobRef } from "../platform/blobs.ts";
import type { Database } from "../platform/database.ts";
import { collect, type CollectionContext } from "./collection.ts";
import { inspect, type Replica } from "./inspection.ts";
import { copyContent } from "./move.ts";
import { findReferrers } from "./store.ts";
import type { Moved, Tiers } from "./tiers/tiers.ts";
import { measure, type NotedUsage } from "./usage/measure.ts";

const mostFindings = 1000;
const mostReferrers = 5;

/** What jobs on the store are made of. */
export interface JobContext extends CollectionContext {
  readonly replicas: readonly Replica[];
  /** The other store of the installation. */
  readonly copyTarget: { readonly place: string; readonly blobs: Blobs } | null;
  readonly tiers: Tiers | null;
  /** Counts anew what people have stored. */
  readonly settleStored: () => Promise<void>;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What is noted of a job. */
export interface JobReport extends Writable<StorageReport> {
  usage?: NotedUsage;
}

/** Does a job, and notes in the report how far it is. */
export async function performJob(context: JobContext, kind: StorageJob["kind"], report: JobReport, signal: AbortSignal): Promise<void> {
  const { database, blobs, replicas } = context;
  const onBlob = ({ size }: BlobRef) => {
    report.blobs += 1;
    report.bytes += size;
  };
  const onFinding = (finding: StorageFinding) => {
    report.findingCount += 1;
    if (report.findings.length < mostFindings) report.findings.push(finding);
  };
  switch (kind) {
    case "collect":
      Object.assign(report, await collect(context, signal));
      report.usage = await measure(context, () => {}, signal);
      return await context.settleStored();
    case "measure":
      report.usage = await measure(context, onBlob, signal);
      return;
    case "copy":
      return await copy(context, report, onFinding, signal);
    case "cool":
    case "recall":
      return await moveBetweenTiers(context, kind, report, onFinding, signal);
    default:
      return await inspect({ database, blobs, replicas: kind === "repair" ? replicas : null, onBlob, onFinding }, signal);
  }
}

/** Copies while the server runs: what comes in behind it is copied when the installation is moved. */
async function copy(
  { database, blobs, copyTarget }: JobContext,
  report: JobReport,
  onFinding: (finding: StorageFinding) => void,
  signal: AbortSignal,
): Promise<void> {
  if (copyTarget === null) return;
  const onProgress = ({ blobs: count, bytes, copied }: { blobs: number; bytes: number; copied: number }) =>
    Object.assign(report, { blobs: count, bytes, copied });
  const { damaged } = await copyContent(blobs, copyTarget.blobs, { verify: false, onProgress, signal });
  for (const sha256 of damaged) onFinding(await describeDamage(database, sha256));
}

async function moveBetweenTiers(
  { database, tiers }: JobContext,
  kind: "cool" | "recall",
  report: JobReport,
  onFinding: (finding: StorageFinding) => void,
  signal: AbortSignal,
): Promise<void> {
  const every: AsyncIterable<Moved> | undefined = kind === "cool" ? tiers?.cool(signal) : tiers?.recall(signal);
  for await (const { sha256, size, outcome } of every ?? []) {
    report.blobs += 1;
    report.bytes += size;
    if (outcome === "moved") report.copied += 1;
    else onFinding(await describeDamage(database, sha256));
  }
}

/** Of content that stays where it is, because it is not what it should be. */
async function describeDamage({ queries }: Database, sha256: string): Promise<StorageFinding> {
  const referrers = await findReferrers(queries, sha256, mostReferrers);
  return { sha256, problem: "damaged", referrers, outcome: "found", detail: null };
}
