import { AppError } from "@syla/contracts/errors";
import type { Workspace } from "@syla/contracts/workspaces";
import type { Actor } from "../access/actor.ts";
import type { Access, Standing, Thing } from "../access/service.ts";
import type { Database, Queries } from "../platform/database.ts";
import type { Revision } from "../platform/revision.ts";
import type { WorkspaceTimes } from "./kinds.ts";
import { toWorkspace } from "./presenter.ts";
import * as store from "./store.ts";

/** What loading workspaces needs. */
export interface LoadingContext {
  readonly database: Database;
  readonly access: Access;
  /** As they are set now. */
  readonly times: () => WorkspaceTimes;
}

/** What somebody wants to do with a workspace. */
export type WorkspaceAction = Extract<Parameters<Access["require"]>[1], `workspace:${string}`>;

/**
 * Loads a workspace that the actor may do this with. What was deleted is there only for those who may restore it.
 *
 * @throws AppError `not_found`, `forbidden`
 */
export async function loadWorkspace(
  context: LoadingContext,
  actor: Actor,
  action: WorkspaceAction,
  id: string,
): Promise<store.WorkspaceRow> {
  const row = id.includes("\0") ? undefined : await store.findWorkspace(context.database.queries, id);
  if (row === undefined) throw new AppError("not_found");
  if (row.deleted_at !== null && (await standingOf(context, actor, row)).level !== "admin") throw new AppError("not_found");
  await context.access.require(actor, action, toThing(row));
  return row;
}

/** @throws AppError `workspace_deleted`, `workspace_archived` */
export function requireChangeable(row: Pick<store.WorkspaceRow, "deleted_at" | "state">): void {
  if (row.deleted_at !== null) throw new AppError("workspace_deleted");
  if (row.state === "archived") throw new AppError("workspace_archived");
}

/** @throws AppError `revision_required`, `revision_conflict` with what is there */
export async function requireRevision(
  context: LoadingContext,
  actor: Actor,
  row: store.WorkspaceRow,
  revision: Revision | undefined,
  queries?: Queries,
): Promise<void> {
  if (revision === undefined) throw new AppError("revision_required");
  if (revision === "*" || revision === row.revision) return;
  throw new AppError("revision_conflict", {
    message: `It has been changed since you loaded it: it was revision ${revision}, and is ${row.revision} now.`,
    details: { current: toWorkspace(row, await standingOf(context, actor, row, queries), context.times()) },
  });
}

export async function presentWorkspace(context: LoadingContext, actor: Actor, row: store.WorkspaceRow): Promise<Workspace> {
  return toWorkspace(row, await standingOf(context, actor, row), context.times());
}

async function standingOf({ access }: LoadingContext, actor: Actor, row: store.WorkspaceRow, queries?: Queries): Promise<Standing> {
  const standings = await access.standings(actor, [toThing(row)], queries);
  return standings.get(row.id) ?? { level: "view", isOwner: false, isShared: false };
}

export function toThing(row: Pick<store.WorkspaceRow, "id" | "owner_id" | "name">): Thing {
  return { type: "workspace", id: row.id, ownerId: row.owner_id, visibility: "private", name: row.name };
}
