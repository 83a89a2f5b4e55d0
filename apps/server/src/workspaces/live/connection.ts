import { AppError } from "@syla/contracts/errors";
import { covers, type Access } from "../../access/service.ts";
import type { Actor } from "../../access/actor.ts";
import type { Database } from "../../platform/database.ts";
import { requireChangeable, toThing } from "../loading.ts";
import * as store from "./store.ts";

/** What deciding about a message needs. */
export interface MemberContext {
  readonly database: Pick<Database, "queries">;
  readonly access: Pick<Access, "require">;
}

const writingScope = "workspaces:write";

/** Whether somebody may change the workspace's files at this moment. @throws AppError `not_found`, `forbidden`, `scope_missing`, `workspace_archived`, … */
export async function requireWriter({ database, access }: MemberContext, actor: Actor, workspaceId: string): Promise<void> {
  const row = await store.findWorkspacePlace(database.queries, workspaceId);
  if (row === undefined) throw new AppError("not_found");
  await access.require(actor, "workspace:edit", toThing(row));
  requireChangeable(row);
  if (actor.scopes !== undefined && !actor.scopes.some((scope) => covers(scope, writingScope)))
    throw new AppError("scope_missing", {
      message: `This key was not made for changing workspaces: it lacks the scope \`${writingScope}\`.`,
    });
}
