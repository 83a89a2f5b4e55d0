import type { Readable } from "node:stream";
import { AppError } from "@syla/contracts/errors";
import { LRUCache } from "lru-cache";
import type { Blobs, BlobRef, LocalBlobs } from "../../platform/blobs.ts";
import type { Queries } from "../../platform/database.ts";
import { copyOne } from "../move.ts";
import * as notes from "./store.ts";

/** What two tiers are made of. */
export interface TiersContext {
  readonly queries: Queries;
  /** In the data directory. */
  readonly hot: LocalBlobs;
  /** In a bucket that no other installation writes to. */
  readonly cold: Blobs;
  /** The bucket's name in the notes, and for people. */
  readonly store: string;
  readonly place: string;
  /** What has not been read for so long goes to the bucket. Null: nothing does, what is there is read all the same. */
  readonly coldMs: number | null;
}

/** What became of one blob. */
export type Moved = BlobRef & { readonly outcome: "moved" | "damaged" };

/** One store in two places: what is read is in the data directory, what nobody has read for long in a bucket. */
export interface Tiers {
  /** Both as one. What is read in the bucket comes back. */
  readonly blobs: Blobs;
  readonly place: string;
  readonly coldMs: number | null;
  /** Moves what has not been read for long to the bucket. May be killed at any point and done again. */
  cool(signal: AbortSignal): AsyncIterable<Moved>;
  /** Takes everything back into the data directory; the bucket may go then. */
  recall(signal: AbortSignal): AsyncIterable<Moved>;
  count(): Promise<{ readonly blobs: number; readonly bytes: number }>;
}

const pageSize = 1000;
/** Larger content is read where it is while it comes back, by itself. */
const waitedForBytes = 64 * 1024 * 1024;
/** How exactly it is known when something was read last. */
const notedEveryMs = 60 * 60 * 1000;
const mostNoted = 100_000;

/**
 * What is in the bucket is noted in the database, so that asking for what is nowhere costs no request. The order is one in which a kill loses
 * nothing: into the bucket, read back, noted, and only then out of the data directory; and the other way round.
 */
export function openTiers({ queries, hot, cold, store, place, coldMs }: TiersContext): Tiers {
  const noted = new LRUCache<string, true>({ max: mostNoted, ttl: notedEveryMs });
  const noteRead = (sha256: string): void => {
    if (coldMs === null || noted.has(sha256)) return;
    noted.set(sha256, true);
    hot.noteRead(sha256).catch(() => {}); // at worst it goes to the bucket too early, and comes back
  };

  const returning = new Map<string, Promise<void>>();
  /** One for all who ask at once. @throws AppError `storage_full`, `storage_unavailable` */
  const takeBack = (sha256: string): Promise<void> => {
    let taken = returning.get(sha256);
    if (taken === undefined) {
      taken = copyBack(sha256).finally(() => returning.delete(sha256));
      taken.catch(() => {}); // whoever waits for it sees the error
      returning.set(sha256, taken);
    }
    return taken;
  };
  const copyBack = async (sha256: string): Promise<void> => {
    const source = await cold.open(sha256);
    const ref = await hot.putStream(source).finally(() => source.destroy()); // also where nothing was read of it
    if (ref.sha256 !== sha256)
      throw new AppError("storage_unavailable", { message: `${place} has other content under the name ${sha256}.` });
  };

  /** Where it can be read. @throws AppError `not_found`, `storage_unavailable` */
  const whereNow = async (sha256: string): Promise<Blobs> => {
    const size = await notes.findCold(queries, sha256);
    if (size === undefined) throw new AppError("not_found");
    const taken = takeBack(sha256);
    return size <= waitedForBytes && (await taken.then(() => true, noRoom)) ? hot : cold;
  };

  const read = async <T>(sha256: string, from: (blobs: Blobs) => Promise<T>): Promise<T> => {
    try {
      const found = await from(hot);
      noteRead(sha256);
      return found;
    } catch (error) {
      if (!isMissing(error)) throw error;
      return await from(await whereNow(sha256));
    }
  };

  const stat = async (sha256: string): Promise<BlobRef | undefined> => {
    const found = await hot.stat(sha256);
    if (found !== undefined) return found;
    const size = await notes.findCold(queries, sha256);
    return size === undefined ? undefined : { sha256, size };
  };

  async function* listNoted(): AsyncGenerator<BlobRef> {
    for (let page = await notes.listCold(queries, "", pageSize); page.length > 0;) {
      yield* page;
      page = await notes.listCold(queries, page.at(-1)?.sha256 ?? "", pageSize);
    }
  }

  const blobs: Blobs = {
    put: (bytes) => hot.put(bytes),
    write: (bytes) => hot.write(bytes),
    writeSoon: (bytes) => hot.writeSoon(bytes),
    putStream: (source, options) => hot.putStream(source, options),
    putFile: (path, options) => hot.putFile(path, options),
    keep: (hashes) => hot.keep(hashes),
    get: (sha256) => read(sha256, (from) => from.get(sha256)),
    open: (sha256, range): Promise<Readable> => read(sha256, (from) => from.open(sha256, range)),
    stat,
    has: async (sha256) => (await stat(sha256)) !== undefined,
    delete: async (sha256) => {
      await hot.delete(sha256);
      if ((await notes.findCold(queries, sha256)) === undefined) return;
      await cold.delete(sha256);
      await notes.deleteCold(queries, sha256);
    },
    verify: async (sha256) => {
      if (await hot.has(sha256)) return await hot.verify(sha256);
      if ((await notes.findCold(queries, sha256)) === undefined) throw new AppError("not_found");
      return await cold.verify(sha256);
    },
    list: async function* () {
      yield* hot.list();
      for await (const ref of listNoted()) if (!(await hot.has(ref.sha256))) yield ref;
    },
    quarantine: async (sha256) => {
      if (await hot.has(sha256)) return await hot.quarantine(sha256);
      const kept = await cold.quarantine(sha256);
      await notes.deleteCold(queries, sha256);
      return kept;
    },
    compact: async () => (await hot.compact()) + (await cold.compact()),
    close: async () => {
      await Promise.allSettled(returning.values());
      await hot.close();
      await cold.close();
    },
  };

  return {
    blobs,
    place,
    coldMs,
    cool: async function* (signal) {
      if (coldMs === null) return;
      for await (const ref of hot.listUnread(new Date(Date.now() - coldMs))) {
        signal.throwIfAborted();
        const copied = await copyOne(hot, cold, ref, true).catch(goneMeanwhile);
        if (copied === "gone") continue;
        if (copied !== "damaged") {
          await notes.insertCold(queries, store, ref);
          await hot.delete(ref.sha256);
        }
        yield { ...ref, outcome: copied === "damaged" ? "damaged" : "moved" };
      }
    },
    recall: async function* (signal) {
      for await (const ref of listNoted()) {
        signal.throwIfAborted();
        if (!(await hot.has(ref.sha256))) {
          if (!(await cold.verify(ref.sha256))) {
            yield { ...ref, outcome: "damaged" };
            continue;
          }
          await takeBack(ref.sha256);
        }
        await notes.deleteCold(queries, ref.sha256);
        yield { ...ref, outcome: "moved" };
      }
    },
    count: () => notes.countCold(queries),
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof AppError && error.code === "not_found";
}

/** Somebody collected it while it was copied. */
function goneMeanwhile(error: unknown): "gone" {
  if (isMissing(error)) return "gone";
  throw error;
}

/** Without room for it here, it is read where it is. */
function noRoom(error: unknown): false {
  if (error instanceof AppError && error.code === "storage_full") return false;
  throw error;
}
