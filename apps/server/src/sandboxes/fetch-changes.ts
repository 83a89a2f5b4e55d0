import type { Session } from "@syla/sandbox/session";
import { RefusalError } from "@syla/sandbox/session-channel";
import type { Blobs } from "../platform/blobs.ts";
import type { TreeEntry } from "../platform/trees.ts";

/** A file that others have changed; `entry` is undefined when they removed it. */
interface TheirChange {
  readonly path: string;
  readonly entry: TreeEntry | undefined;
  /** How it was in the sandbox; null when it was not there, or nobody can tell. */
  readonly stamp: string | null;
}

/** Writes what others have changed into a sandbox. What a program has written to meanwhile is left alone, until the next time. @returns what was done */
export async function writeChanges(session: Session, blobs: Blobs, changes: readonly TheirChange[]): Promise<TheirChange[]> {
  const done: TheirChange[] = [];
  for (const change of changes) {
    const { entry } = change;
    const path = `/workspace/${change.path}`;
    try {
      const isThere = await stampOf(session, path);
      if (isThere !== undefined && change.stamp !== null && isThere !== change.stamp) continue;
      if (entry === undefined) {
        if (isThere !== undefined) await session.files.remove(path);
        done.push(change);
        continue;
      }
      const content = entry.size === 0 ? [] : await blobs.open(entry.sha256);
      const written = await session.files.write(path, content as AsyncIterable<Uint8Array>, { mode: entry.mode, parents: true });
      done.push({ ...change, stamp: written.stamp });
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error; // a folder in its place, no room: it stays as it is there
    }
  }
  return done;
}

/** How it is now; undefined when it is not there. */
async function stampOf(session: Session, path: string): Promise<string | undefined> {
  try {
    return (await session.files.stat(path)).stamp;
  } catch (error) {
    if (error instanceof RefusalError && error.code === "ENOENT") return undefined;
    throw error;
  }
}
