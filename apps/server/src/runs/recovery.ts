import { createReadStream } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { RunTokens } from "../gateway/run-tokens/service.ts";
import type { Blobs } from "../platform/blobs.ts";
import type { Queries, Work } from "../platform/database.ts";
import type { Logger } from "../platform/logger.ts";
import { attachFound } from "./found-log.ts";
import { storeLog } from "./log-records.ts";
import { failUnfinished, requeueUnstarted } from "./store.ts";
import { runError } from "./verdict.ts";
import { maxTries } from "./worker.ts";

/** What becomes of the runs of a worker that is gone: what had not begun runs again, what may have run does not. No token of theirs lives on. @returns those that ended */
export async function recoverRuns(work: Work, workerId: string, isLost = true): Promise<string[]> {
  const waiting = await requeueUnstarted(work, workerId, isLost, maxTries);
  const ended = await failUnfinished(work, workerId, runError("infrastructure", "worker_lost"));
  await new RunTokens(work).revoke(...waiting, ...ended);
  return ended;
}

/** Stores what killed servers of this data directory had written of logs that never got finished. */
export async function sealSpools(queries: Queries, blobs: Blobs, folder: string, logger: Logger): Promise<void> {
  for (const name of await readdir(folder)) {
    if (extname(name) !== ".jsonl") continue;
    const path = join(folder, name);
    try {
      await attachFound(queries, blobs, basename(name, ".jsonl"), await storeLog(blobs, createReadStream(path)));
      await rm(path, { force: true });
    } catch (error) {
      logger.warn({ err: error, path }, "a log that a killed server left could not be stored; the next start tries again");
    }
  }
}
