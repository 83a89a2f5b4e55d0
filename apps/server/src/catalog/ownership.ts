import type { Queries, Work } from "../platform/database.ts";
import type { OnChanged } from "./config.ts";
import { freeName, freeSlug, nameKey } from "./names.ts";
import { toSearchVector } from "./search-text.ts";
import * as store from "./store.ts";

/** What becomes of somebody's assets when there will be nobody of that name. */
export interface Ownership {
  /** How many there are, deleted ones left out. */
  count(queries: Queries, ownerId: string): Promise<number>;
  /** Whose count of what is stored changes when everything is given to another owner, or removed. */
  storers(queries: Queries, ownerId: string): Promise<string[]>;
  /** Gives everything to another owner; what has a name that is in use there gets one like it. */
  handOver(work: Work, from: string, to: string): Promise<void>;
  /** Removes everything for good. */
  remove(work: Work, ownerId: string): Promise<void>;
}

/** The catalog's part in deleting people and teams. */
export function createOwnership(onChanged: OnChanged): Ownership {
  return {
    count: store.countOwned,
    storers: async (queries, ownerId) => await store.findStorers(queries, await store.listOwned(queries, ownerId)),
    handOver: async (work, from, to) => {
      for (const id of await store.listOwned(work, from)) {
        const row = await store.lockAsset(work, id);
        if (row === undefined) continue;
        await giveTo(work, row, to);
        await onChanged(work, row, { ownerId: to }, null);
      }
    },
    remove: async (work, ownerId) => await store.removeAssets(work, await store.listOwned(work, ownerId)),
  };
}

async function giveTo(work: Work, row: store.AssetRow, to: string): Promise<void> {
  await store.lockNames(work, to, row.type);
  const owner = { ownerId: to, type: row.type };
  const { names, slugs } = await store.findTaken(work, owner, { name: row.name, slug: row.slug });
  const name = freeName(row.name, names);
  const { description, tags, slots } = row;
  await store.changeOwner(work, row.id, {
    owner_id: to,
    name,
    name_key: nameKey(name),
    slug: freeSlug(row.slug, slugs),
    search: toSearchVector({ name, description, tags, slots }),
  });
}
