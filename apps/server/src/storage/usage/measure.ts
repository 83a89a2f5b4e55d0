import type { StorageUsage } from "@syla/contracts/storage";
import type { Blobs, BlobRef } from "../../platform/blobs.ts";
import type { Database, Queries } from "../../platform/database.ts";
import { inParts } from "../collection.ts";
import { noteReferenced } from "../store.ts";
import {
  addStored,
  createOwnedTable,
  createStoredTable,
  findOwnerNames,
  sumKinds,
  sumOwners,
  type KindShare,
  type OwnerShare,
} from "./store.ts";

const listedAtOnce = 5000;
const mostOwners = 50;

/** What a job notes of what is stored; names come in when it is read. */
export interface NotedUsage {
  readonly measuredAt: string;
  readonly blobs: number;
  readonly bytes: number;
  readonly kinds: readonly KindShare[];
  readonly owners: readonly OwnerShare[];
}

/** Counts what the store has, by kind and by owner. Content that several have counts with each of them, and once in the whole. */
export async function measure(
  { database, blobs }: { readonly database: Database; readonly blobs: Blobs },
  onBlob: (ref: BlobRef) => void,
  signal?: AbortSignal,
): Promise<NotedUsage> {
  return await database.queries.transaction().execute(async (work) => {
    const whole = { blobs: 0, bytes: 0 };
    await createStoredTable(work);
    for await (const refs of inParts(blobs.list(), listedAtOnce)) {
      signal?.throwIfAborted();
      await addStored(work, refs);
      for (const ref of refs) {
        whole.blobs += 1;
        whole.bytes += ref.size;
        onBlob(ref);
      }
    }
    await noteReferenced(work);
    await createOwnedTable(work);
    return { measuredAt: new Date().toISOString(), ...whole, kinds: await sumKinds(work), owners: await sumOwners(work, mostOwners) };
  });
}

export async function nameOwners(queries: Queries, { owners, kinds, ...usage }: NotedUsage): Promise<StorageUsage> {
  const names = await findOwnerNames(
    queries,
    owners.map(({ ownerId }) => ownerId),
  );
  return { ...usage, kinds: [...kinds], owners: owners.map((share) => ({ ...share, name: names.get(share.ownerId) ?? null })) };
}
