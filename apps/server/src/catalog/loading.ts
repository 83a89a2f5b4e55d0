import type { Asset } from "@syla/contracts/assets";
import { AppError } from "@syla/contracts/errors";
import type { Actor } from "../access/actor.ts";
import type { Access, Standing, Thing } from "../access/service.ts";
import type { Database, Queries, Work } from "../platform/database.ts";
import type { Revision } from "../platform/revision.ts";
import { toAsset } from "./presenter.ts";
import * as store from "./store.ts";

/** What loading assets needs. */
export interface LoadingContext {
  readonly database: Database;
  readonly access: Access;
}

/** What somebody wants to do with an asset. */
export type AssetAction = Extract<Parameters<Access["require"]>[1], `asset:${string}`>;

/**
 * Loads an asset that the actor may do this with. What was deleted is there only for those who may restore it.
 *
 * @throws AppError `not_found`, `forbidden`
 */
export async function loadAsset(context: LoadingContext, actor: Actor, action: AssetAction, id: string): Promise<store.AssetRow> {
  const row = await store.findAsset(context.database.queries, checkText(id));
  if (row === undefined) throw new AppError("not_found");
  if (row.deleted_at !== null && (await standingOf(context, actor, row)).level !== "admin") throw new AppError("not_found");
  await context.access.require(actor, action, toThing(row));
  return row;
}

/** The asset as it stays until the transaction ends, when it is what the actor has seen. @throws AppError `revision_conflict`, `asset_deleted` */
export async function lockAsset(
  context: LoadingContext,
  actor: Actor,
  work: Work,
  id: string,
  revision: Revision | undefined,
): Promise<store.AssetRow> {
  const row = await store.lockAsset(work, id);
  if (row === undefined) throw new AppError("not_found");
  await requireRevision(context, actor, row, revision, work);
  return row;
}

/** @throws AppError `revision_required`, `revision_conflict` with what is there, `asset_deleted` */
export async function requireRevision(
  context: LoadingContext,
  actor: Actor,
  row: store.AssetRow,
  revision: Revision | undefined,
  queries: Queries = context.database.queries,
): Promise<void> {
  if (row.deleted_at !== null) throw new AppError("asset_deleted");
  if (revision === undefined) throw new AppError("revision_required");
  if (revision === "*" || revision === row.revision) return;
  throw new AppError("revision_conflict", {
    message: `It has been changed since you loaded it: it was revision ${revision}, and is ${row.revision} now.`,
    details: { current: toAsset(row, await standingOf(context, actor, row, queries)) },
  });
}

export async function presentAsset(context: LoadingContext, actor: Actor, row: store.AssetRow): Promise<Asset> {
  return toAsset(row, await standingOf(context, actor, row));
}

async function standingOf({ access }: LoadingContext, actor: Actor, row: store.AssetRow, queries?: Queries): Promise<Standing> {
  const standings = await access.standings(actor, [toThing(row)], queries);
  return standings.get(row.id) ?? { level: "view", isOwner: false, isShared: false };
}

export function toThing(row: store.AssetRow): Thing {
  const { id, owner_id: ownerId, visibility, name } = row;
  return { type: "asset", id, ownerId, visibility, name, isAdministered: row.type === "model" };
}

/** What PostgreSQL takes as text. @throws AppError `not_found` */
export function checkText(text: string): string {
  if (text.includes("\0")) throw new AppError("not_found");
  return text;
}
