import type { Blobs } from "../platform/blobs.ts";
import type { Queries } from "../platform/database.ts";
import { readLog } from "./log-records.ts";
import { attachLog, findRun } from "./store.ts";

/** A run that has waited for a person has a log already: what was found goes on from that, unless somebody else has gone on farther. */
export async function attachFound(queries: Queries, blobs: Blobs, runId: string, sha256: string): Promise<void> {
  const before = (await findRun(queries, runId))?.log_sha256 ?? null;
  if (before === sha256) return;
  if (before === null || (await lastSeqOf(blobs, before)) < (await lastSeqOf(blobs, sha256)))
    await attachLog(queries, runId, sha256, before);
}

async function lastSeqOf(blobs: Blobs, sha256: string): Promise<number> {
  let last = 0;
  if (await blobs.has(sha256)) for await (const { seq } of readLog(blobs, sha256)) last = seq;
  return last;
}
