import { watch } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { SylaError } from "@syla/sdk";
import { note } from "../../output/progress.ts";
import { localFolder } from "../../project/local-state.ts";
import { syncFolder, type Synced, type SyncPair } from "./sync-folder.ts";
import { readState } from "./state-file.ts";

/** So long nothing has to happen in the folder before it is looked at. */
const quietMs = 300;
/** So often the server is asked whether the workspace has changed. */
const askMs = 2_000;
const mostWaitMs = 60_000;

/** Brings both together again and again, whenever one of them has changed, until the signal comes. */
export async function watchFolder(pair: SyncPair, signal: AbortSignal, onSynced: (synced: Synced) => void): Promise<void> {
  let changedAt = 0;
  const watcher = watch(pair.folder, { recursive: true, persistent: false }, (_event, name) => {
    if (name === null || !name.startsWith(localFolder)) changedAt = Date.now();
  });
  watcher.on("error", (error) => note(`the folder cannot be watched: ${error.message}`));
  signal.addEventListener("abort", () => watcher.close(), { once: true });
  let seen = -1;
  let waitMs = askMs;
  for (let askedAt = 0; !signal.aborted;) {
    try {
      const isHere = changedAt > 0 && Date.now() - changedAt >= quietMs;
      const isThere = Date.now() - askedAt >= askMs && (await pair.syla.workspaces.get(pair.workspace.id, { signal })).revision !== seen;
      if (Date.now() - askedAt >= askMs) askedAt = Date.now();
      if (isHere || isThere) {
        changedAt = 0;
        const synced = await syncFolder(pair, readState(pair.folder, pair.server));
        seen = synced.revision;
        onSynced(synced);
      }
      waitMs = askMs;
    } catch (error) {
      if (signal.aborted) return;
      if (!isPassing(error)) throw error;
      note(`${(error as Error).message} Trying again in ${Math.round(waitMs / 1000)} s.`);
      await sleep(waitMs, undefined, { signal }).catch(() => {});
      waitMs = Math.min(waitMs * 2, mostWaitMs);
    }
    await sleep(quietMs, undefined, { signal }).catch(() => {});
  }
}

/** The connection, the server or a file that is being written. What is refused stays refused. */
function isPassing(error: unknown): boolean {
  if (error instanceof SylaError) return error.status === 0 || error.status >= 500 || error.status === 429 || error.code === "conflict";
  return error instanceof Error && "code" in error && error.code === "file_changed";
}
