import { LRUCache } from "lru-cache";
import { sql } from "kysely";
import type { Queries } from "./database.ts";

/**
 * Says that content is wanted again before it is put or referred to. What nothing refers to is noted in `blob_garbage`, and goes when it has
 * been there for a while ({@link ../storage/collection.ts}). A claim takes it out of there, and waits while it is being deleted: the row is the lock.
 */
export interface Claims {
  /** Null: it is safe already, and there is nothing to wait for. */
  claim(sha256: string): Promise<void> | null;
  /** Before they are noted: from now on whoever puts one of these has to claim it. */
  expect(hashes: Iterable<string>): void;
  /** They are gone, or noted no more. */
  forget(hashes: Iterable<string>): void;
}

/** For a store in which no other process writes: what is noted is known without asking. */
export async function openOwnClaims(queries: Queries, store: string): Promise<Claims> {
  const rows = await queries.selectFrom("blob_garbage").select("sha256").where("store", "=", store).execute();
  const noted = new Set(rows.map((row) => row.sha256));
  const take = async (sha256: string): Promise<void> => {
    await removeNote(queries, store, sha256);
    noted.delete(sha256);
  };
  return {
    claim: (sha256) => (noted.has(sha256) ? take(sha256) : null),
    expect: (hashes) => {
      for (const sha256 of hashes) noted.add(sha256);
    },
    forget: (hashes) => {
      for (const sha256 of hashes) noted.delete(sha256);
    },
  };
}

/** A claim holds for as long as nothing is deleted after being noted ({@link ../storage/collection.ts}), so asking again can wait. */
const heldMs = 60 * 60 * 1000;
const mostHeld = 100_000;

/** For a store that several servers share: the database is asked, unless it was asked lately. */
export function openSharedClaims(queries: Queries, store: string, ttl = heldMs): Claims {
  const held = new LRUCache<string, true>({ max: mostHeld, ttl: Math.max(1, ttl) });
  const take = async (sha256: string): Promise<void> => {
    await removeNote(queries, store, sha256);
    held.set(sha256, true);
  };
  return {
    claim: (sha256) => (ttl > 0 && held.has(sha256) ? null : take(sha256)),
    expect: () => {},
    forget: (hashes) => {
      for (const sha256 of hashes) held.delete(sha256);
    },
  };
}

/** For a store that nothing is collected from. */
export const noClaims: Claims = { claim: () => null, expect: () => {}, forget: () => {} };

async function removeNote(queries: Queries, store: string, sha256: string): Promise<void> {
  await sql`delete from blob_garbage where store = ${store} and sha256 = ${sha256}`.execute(queries);
}
