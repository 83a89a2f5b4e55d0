import type { StorageFinding, StorageJob, StorageReport } from "@syla/contracts/storage";
import type { Blobs, BlobRef } from "../platform/blobs.ts";
import { collect, type CollectionContext } from "./collection.ts";
import { inspect, type Replica } from "./inspection.ts";
import { copyContent } from "./move.ts";
import { findReferrers } from "./store.ts";
import { measure, type NotedUsage } from "./usage/measure.ts";

const mostFindings = 1000;
const mostReferrers = 5;

/** What jobs on the store are made of. */
export interface JobContext extends CollectionContext {
  readonly replicas: readonly Replica[];
  /** The other store of the installation. */
  readonly copyTarget: { readonly place: string; readonly blobs: Blobs } | null;
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
  for (const sha256 of damaged) {
    const referrers = await findReferrers(database.queries, sha256, mostReferrers);
    onFinding({ sha256, problem: "damaged", referrers, outcome: "found", detail: null });
  }
}
