import type { LeastTier } from "@syla/contracts/runs";
import type { SandboxFilter } from "@syla/contracts/sandboxes";
import { sql, type Selectable } from "kysely";
import { sharedWith, visibleTo, type Viewer } from "../access/service.ts";
import type { Queries, Work } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";

export type SandboxRow = Selectable<Schema["sandboxes"]>;

/** What is known of a sandbox when it is asked for. */
export interface NewSandbox {
  readonly id: string;
  readonly ownerId: string;
  readonly name: string;
  readonly language: string;
  readonly tier: string;
  readonly network: string;
  readonly requestedLimits: object;
  readonly idleTimeoutMs: number;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly workerId: string;
  /** It is its owner's interactive environment of this program. */
  readonly program: ({ readonly id: string } & object) | null;
  readonly workspace: ({ readonly id: string } & object) | null;
  /** It is the one of its owner in its workspace: where one lives, that is it. */
  readonly isOnlyOne: boolean;
  readonly onIdle: "pause" | "end";
}

/**
 * Records a sandbox that is about to start; of the same program, the one that lives. Undefined when its owner has `limit` of them already.
 * Two at once come one after another.
 */
export async function insertSandbox(queries: Queries, sandbox: NewSandbox, limit: number): Promise<SandboxRow | undefined> {
  return await queries.transaction().execute(async (work) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`sandboxes of ${sandbox.ownerId}`}, 0))`.execute(work);
    const known = sandbox.program === null ? undefined : await findProgramSandbox(work, sandbox.ownerId, sandbox.program.id);
    if (known?.ended_at === null) return known;
    const { workspace } = sandbox;
    const there = workspace !== null && sandbox.isOnlyOne ? await findWorkspaceSandbox(work, sandbox.ownerId, workspace.id) : undefined;
    if (there?.ended_at === null) return there;
    const { count } = await work
      .selectFrom("sandboxes")
      .select((select) => select.fn.countAll<number>().as("count"))
      .where("owner_id", "=", sandbox.ownerId)
      .where("ended_at", "is", null)
      .executeTakeFirstOrThrow();
    if (count >= limit) return undefined;
    return await work
      .insertInto("sandboxes")
      .values({
        id: sandbox.id,
        owner_id: sandbox.ownerId,
        name: sandbox.name,
        language: sandbox.language,
        tier: sandbox.tier,
        network: sandbox.network,
        status: "starting",
        requested_limits: JSON.stringify(sandbox.requestedLimits),
        idle_timeout_ms: sandbox.idleTimeoutMs,
        created_at: sandbox.createdAt,
        last_active_at: sandbox.createdAt,
        expires_at: sandbox.expiresAt,
        worker_id: sandbox.workerId,
        program_id: sandbox.program?.id ?? null,
        program: sandbox.program === null ? null : JSON.stringify(sandbox.program),
        workspace_id: workspace?.id ?? null,
        workspace: workspace === null ? null : JSON.stringify(workspace),
        on_idle: sandbox.onIdle,
      })
      .returningAll()
      .executeTakeFirst();
  });
}

export async function findSandbox(queries: Queries, id: string): Promise<SandboxRow | undefined> {
  return await queries.selectFrom("sandboxes").selectAll().where("id", "=", id).executeTakeFirst();
}

/** Somebody's interactive environment of a program: the one that lives, or the last one. */
export async function findProgramSandbox(queries: Queries, ownerId: string, programId: string): Promise<SandboxRow | undefined> {
  return await queries
    .selectFrom("sandboxes")
    .selectAll()
    .where("owner_id", "=", ownerId)
    .where("program_id", "=", programId)
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
}

/** Somebody's sandbox in a workspace: one that lives, else the last one. */
export async function findWorkspaceSandbox(queries: Queries, ownerId: string, workspaceId: string): Promise<SandboxRow | undefined> {
  return await queries
    .selectFrom("sandboxes")
    .selectAll()
    .where("owner_id", "=", ownerId)
    .where("workspace_id", "=", workspaceId)
    .orderBy(sql`ended_at is null`, "desc")
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
}

/** One page, newest first; one row more than `filter.limit` tells that there is a next page. */
export async function listSandboxes(queries: Queries, filter: SandboxFilter, viewer: Viewer, before: string | null): Promise<SandboxRow[]> {
  let query = queries.selectFrom("sandboxes").selectAll();
  if (filter.owner === "me") query = query.where("owner_id", "=", viewer.userId);
  if (filter.owner === "shared") query = query.where(sharedWith(viewer, "sandbox"));
  if (filter.owner === "visible") query = query.where(visibleTo(viewer, "sandbox"));
  if (before !== null) query = query.where("id", "<", before);
  if (filter.live !== undefined) query = query.where("ended_at", filter.live ? "is" : "is not", null);
  return await query
    .orderBy("id", "desc")
    .limit(filter.limit + 1)
    .execute();
}

/** What may change while a sandbox lives. Undefined when it has ended. */
export type SandboxChange = Partial<
  Pick<SandboxRow, "name" | "status" | "pause_reason" | "paused_by" | "idle_timeout_ms" | "expires_at" | "last_active_at">
> & { readonly saved?: string };

export async function changeSandbox(queries: Queries, id: string, change: SandboxChange): Promise<SandboxRow | undefined> {
  return await queries
    .updateTable("sandboxes")
    .set(change)
    .where("id", "=", id)
    .where("ended_at", "is", null)
    .returningAll()
    .executeTakeFirst();
}

export async function markSandboxRunning(queries: Queries, id: string, limits: object): Promise<SandboxRow | undefined> {
  return await queries
    .updateTable("sandboxes")
    .set({ status: "running", limits: JSON.stringify(limits) })
    .where("id", "=", id)
    .where("ended_at", "is", null)
    .returningAll()
    .executeTakeFirst();
}

/** `error`: why it could not be started. */
export async function markSandboxEnded(
  queries: Queries,
  id: string,
  status: "stopped" | "failed",
  reason: string,
  error: object | null = null,
): Promise<void> {
  const why = error === null ? null : JSON.stringify(error);
  await queries
    .updateTable("sandboxes")
    .set({ status, end_reason: reason, error: why, ended_at: sql<Date>`now()`, pause_reason: null, paused_by: null })
    .where("id", "=", id)
    .where("ended_at", "is", null)
    .execute();
}

/** What a server held has ended with it. */
export async function markSandboxesLost(work: Work, workerId: string): Promise<void> {
  await work
    .updateTable("sandboxes")
    .set({ status: "stopped", end_reason: "server_restarted", ended_at: sql<Date>`now()`, pause_reason: null, paused_by: null })
    .where("worker_id", "=", workerId)
    .where("ended_at", "is", null)
    .execute();
}

/** The teams of somebody that ask for more than the weakest tier. */
export async function listTeamTiers(queries: Queries, userId: string): Promise<{ name: string; least: LeastTier }[]> {
  return await queries
    .selectFrom("teams as t")
    .innerJoin("team_members as m", "m.team_id", "t.id")
    .where("m.user_id", "=", userId)
    .where("t.least_tier", "<>", "namespace")
    .select(["t.name", "t.least_tier as least"])
    .orderBy("t.id")
    .execute();
}
