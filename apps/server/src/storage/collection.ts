import type { Claims } from "../platform/blob-claims.ts";
import type { Blobs } from "../platform/blobs.ts";
import type { Database } from "../platform/database.ts";
import * as notes from "./store.ts";

/** What collecting is made of. */
export interface CollectionContext {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly claims: Claims;
  /** The name of the store in the notes. */
  readonly store: string;
  /**
   * How long nothing must have referred to a blob before it is deleted. Longer than anything takes from putting content, or from reading a
   * reference, to recording one; and than a claim is held ({@link ../platform/blob-claims.ts}).
   */
  readonly graceMs: number;
}

/** What came of it. */
export interface Collected {
  readonly blobs: number;
  readonly bytes: number;
  readonly unreferenced: number;
  readonly deleted: number;
  readonly deletedBytes: number;
  readonly freedBytes: number;
}

const listedAtOnce = 5000;
const deletedAtOnce = 200;

/**
 * Notes what nothing refers to, and deletes what was noted longer ago than the time of grace and is still without a reference. May be killed
 * at any point and done again. A blob that is put, or claimed, after it was noted has its note taken away, so it starts anew.
 */
export async function collect(context: CollectionContext, signal?: AbortSignal): Promise<Collected> {
  const marked = await note(context, signal);
  const gone = await deleteDue(context, signal);
  const freedBytes = await context.blobs.compact();
  return { ...marked, ...gone, freedBytes };
}

async function note(
  { database, blobs, claims, store }: CollectionContext,
  signal?: AbortSignal,
): Promise<Pick<Collected, "blobs" | "bytes" | "unreferenced">> {
  const found = { blobs: 0, bytes: 0, unreferenced: 0 };
  const garbage = await database.queries.transaction().execute(async (work) => {
    await notes.noteReferenced(work);
    await notes.removeNotesOfReferenced(work, store);
    const hashes: string[] = [];
    for await (const refs of inParts(blobs.list(), listedAtOnce)) {
      signal?.throwIfAborted();
      found.blobs += refs.length;
      for (const { size } of refs) found.bytes += size;
      const listed = refs.map((ref) => ref.sha256);
      hashes.push(...(await notes.withoutReferenced(work, listed)));
    }
    return hashes;
  });
  found.unreferenced = garbage.length;
  for (let start = 0; start < garbage.length; start += listedAtOnce) {
    const part = garbage.slice(start, start + listedAtOnce);
    claims.expect(part);
    await notes.noteGarbage(database.queries, store, part);
    claims.expect(part); // one that was claimed in between has a note now all the same
  }
  return found;
}

async function deleteDue(
  { database, blobs, claims, store, graceMs }: CollectionContext,
  signal?: AbortSignal,
): Promise<Pick<Collected, "deleted" | "deletedBytes">> {
  let [deleted, deletedBytes] = [0, 0];
  for (;;) {
    signal?.throwIfAborted();
    const due = await database.queries.transaction().execute(async (work) => {
      const hashes = await notes.lockDueGarbage(work, store, graceMs, deletedAtOnce);
      const wanted = hashes.length === 0 ? new Set<string>() : await notes.findReferenced(work, hashes);
      const unwanted = hashes.filter((sha256) => !wanted.has(sha256));
      await notes.removeTrees(work, unwanted); // first: something that refers to one stops it
      for (const sha256 of unwanted) {
        deletedBytes += (await blobs.stat(sha256))?.size ?? 0;
        await blobs.delete(sha256);
      }
      await notes.removeNotes(work, store, hashes);
      deleted += unwanted.length;
      return hashes;
    });
    if (due.length === 0) return { deleted, deletedBytes };
    claims.forget(due);
  }
}

/** The items in arrays of at most `size`. */
export async function* inParts<T>(items: AsyncIterable<T> | Iterable<T>, size: number): AsyncGenerator<T[]> {
  let part: T[] = [];
  for await (const item of items) {
    part.push(item);
    if (part.length < size) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}
