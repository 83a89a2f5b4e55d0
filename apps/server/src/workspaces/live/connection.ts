import { AppError } from "@syla/contracts/errors";
import { covers, type Access } from "../../access/service.ts";
import type { Actor } from "../../access/actor.ts";
import type { Database } from "../../platform/database.ts";
import { requireChangeable, toThing } from "../loading.ts";
import * as store from "./store.ts";

/** Somebody on a live connection, as every message of theirs is looked at. */
export interface Member {
  readonly actor: Actor;
  readonly workspaceId: string;
  /** What others read. */
  readonly name: string;
  /** Ends the connection because of a fault of ours: they come again, with what was not confirmed. */
  readonly sendAway: () => void;
}

/** Who wants to write, and where. */
export type Writer = Pick<Member, "actor" | "workspaceId">;

/** What deciding about a message needs. */
export interface MemberContext {
  readonly database: Pick<Database, "queries">;
  readonly access: Pick<Access, "require">;
}

const writingScope = "workspaces:write";

/** Whether somebody may change the workspace's files at this moment. @throws AppError `not_found`, `forbidden`, `scope_missing`, `workspace_archived`, … */
export async function requireWriter({ database, access }: MemberContext, { actor, workspaceId }: Writer): Promise<void> {
  const row = await store.findWorkspacePlace(database.queries, workspaceId);
  if (row === undefined) throw new AppError("not_found");
  await access.require(actor, "workspace:edit", toThing(row));
  requireChangeable(row);
  if (actor.scopes !== undefined && !actor.scopes.some((scope) => covers(scope, writingScope)))
    throw new AppError("scope_missing", {
      message: `This key was not made for changing workspaces: it lacks the scope \`${writingScope}\`.`,
    });
}

/** The same as an answer. */
export async function mayWrite(context: MemberContext, member: Writer): Promise<boolean> {
  return await requireWriter(context, member).then(
    () => true,
    (error: unknown) => {
      if (error instanceof AppError && error.status < 500) return false;
      throw error;
    },
  );
}
