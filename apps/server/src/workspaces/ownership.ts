import type { Ownership } from "../catalog/service.ts";
import * as store from "./store.ts";

/** The workspaces' part in deleting people and teams. */
export const workspaceOwnership: Ownership = {
  count: store.countOwned,
  storers: async (queries, ownerId) => await store.findStorers(queries, await store.listOwned(queries, ownerId)),
  handOver: async (work, from, to) => {
    await store.lockNames(work, to);
    for (const id of await store.listOwned(work, from)) {
      const row = await store.lockWorkspace(work, id);
      if (row === undefined) continue;
      const name = row.deleted_at === null ? await store.findFreeName(work, to, row.name) : row.name;
      await store.changeWorkspace(work, id, null, { owner_id: to, name });
    }
  },
  remove: async (work, ownerId) => await store.removeWorkspaces(work, await store.listOwned(work, ownerId)),
};

/** Several domains' parts as one. */
export function everyOwnership(parts: readonly Ownership[]): Ownership {
  return {
    count: async (queries, ownerId) => {
      let count = 0;
      for (const part of parts) count += await part.count(queries, ownerId);
      return count;
    },
    storers: async (queries, ownerId) => {
      const storers: string[] = [];
      for (const part of parts) storers.push(...(await part.storers(queries, ownerId)));
      return storers;
    },
    handOver: async (work, from, to) => {
      for (const part of parts) await part.handOver(work, from, to);
    },
    remove: async (work, ownerId) => {
      for (const part of parts) await part.remove(work, ownerId);
    },
  };
}
