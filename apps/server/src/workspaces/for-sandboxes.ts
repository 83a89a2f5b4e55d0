import type { WorkspaceKind } from "@syla/contracts/workspaces";
import type { Actor } from "../access/actor.ts";
import type { Thing } from "../access/service.ts";
import type { TreeEntry } from "../platform/trees.ts";
import type { SavedFiles } from "../sandboxes/service.ts";
import { loadWorkspace, toThing } from "./loading.ts";
import { placeForRun, takeSaved, type ReturnsContext } from "./returns.ts";
import * as store from "./store.ts";

/** What sandboxes in workspaces ask of them. */
export function forSandboxes(context: ReturnsContext) {
  const { database, trees } = context;
  return {
    place: (actor: Actor, wish: Parameters<typeof placeForRun>[2]) => placeForRun(context, actor, wish),
    takeSaved: async (files: SavedFiles) => {
      const { outcome, ...facts } = await takeSaved(context, files);
      return { ...facts, outcome: outcome ?? ("unchanged" as const) };
    },
    requireRun: async (actor: Actor, id: string) => void (await loadWorkspace(context, actor, "workspace:run", id)),
    noteUse: (id: string) => store.touchWorkspace(database.queries, id),
    kindOf: async (id: string): Promise<WorkspaceKind | undefined> => (await store.findWorkspace(database.queries, id))?.kind,
    /** Undefined once it is deleted or archived. */
    findOpen: async (id: string): Promise<Thing | undefined> => {
      const row = await store.findWorkspace(database.queries, id);
      return row === undefined || row.deleted_at !== null || row.state === "archived" ? undefined : toThing(row);
    },
    /** Undefined once it is gone. */
    filesNow: async (id: string): Promise<{ revision: number; entries: readonly TreeEntry[] } | undefined> => {
      const row = await store.findWorkspace(database.queries, id);
      return row === undefined ? undefined : { revision: row.revision, entries: await trees.read(row.tree_sha256) };
    },
  };
}
