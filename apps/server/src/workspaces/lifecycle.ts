import { notifyEach } from "../notifications/service.ts";
import type { Database, Work } from "../platform/database.ts";
import type { RecurringWork } from "../platform/recurring.ts";
import { settling } from "../quotas/service.ts";
import { keptDays, keptHeadDays, type WorkspaceTimes } from "./kinds.ts";
import * as store from "./store.ts";

const everyMs = 30_000;
const atOnce = 100;
const dayMs = 86_400_000;
/** How long before one is archived, or its time is over, people are told; of a short life, in the middle of it. */
const warnAheadMs = 3 * dayMs;

/** Ends, suspends and archives workspaces when their time has come, by the clock of the database. Several servers share the work. */
export function sweepingWorkspaces(database: Database, times: () => WorkspaceTimes): RecurringWork {
  return {
    name: "workspaces",
    everyMs,
    complaint: "workspaces could not be looked after",
    perform: (signal) => sweepWorkspaces(database, times(), signal),
  };
}

/** @returns how many of them something became of */
export async function sweepWorkspaces(database: Database, times: WorkspaceTimes, signal?: AbortSignal): Promise<number> {
  const steps: ((work: Work) => Promise<number>)[] = [
    (work) => endSessions(work, times),
    (work) => archiveUnused(work, times),
    (work) => suspendIdle(work, times),
    (work) => warn(work, times),
  ];
  let total = (await removeGone(database, times, signal)) + (await forgetHeads(database, signal));
  for (const step of steps) {
    for (;;) {
      const done = await database.queries.transaction().execute(step);
      total += done;
      if (done < atOnce || signal?.aborted === true) break;
    }
  }
  return total;
}

/** What was ephemeral, and what was deleted so long ago that it can no longer be restored. */
async function removeGone(database: Database, { ephemeralMs }: WorkspaceTimes, signal?: AbortSignal): Promise<number> {
  const gone = { ephemeralMs, deletedMs: keptDays * dayMs };
  for (let count = 0; ;) {
    const ids = await store.findGone(database.queries, gone, atOnce);
    if (ids.length === 0) return count;
    const storers = await store.findStorers(database.queries, ids);
    const removed = await database.queries
      .transaction()
      .execute((work) => settling(work, storers, () => store.removeGone(work, ids, gone)));
    count += removed;
    if (removed < atOnce || signal?.aborted === true) return count;
  }
}

/** What files were, which counts as long as it is kept. */
async function forgetHeads(database: Database, signal?: AbortSignal): Promise<number> {
  for (let count = 0; ;) {
    const heads = await store.findOldHeads(database.queries, keptHeadDays * dayMs, atOnce);
    if (heads.length === 0) return count;
    const storers = await store.findStorers(database.queries, idsOf(heads));
    const forgotten = await database.queries.transaction().execute((work) => settling(work, storers, () => store.forgetHeads(work, heads)));
    count += forgotten;
    if (heads.length < atOnce || signal?.aborted === true) return count;
  }
}

/** What is to be kept is archived. */
async function endSessions(work: Work, { sessionMs }: WorkspaceTimes): Promise<number> {
  const rows = await store.takeExpired(work, sessionMs, atOnce);
  await store.settleWorkspaces(work, idsOf(rows.filter((row) => row.keep_on_exit)), archived());
  await store.settleWorkspaces(work, idsOf(rows.filter((row) => !row.keep_on_exit)), { deleted_at: new Date(), deleted_by: null });
  return rows.length;
}

async function archiveUnused(work: Work, { archiveMs }: WorkspaceTimes): Promise<number> {
  const rows = await store.takeUnused(work, archiveMs, atOnce);
  await store.settleWorkspaces(work, idsOf(rows), archived());
  return rows.length;
}

async function suspendIdle(work: Work, { idleMs, collaborativeIdleMs }: WorkspaceTimes): Promise<number> {
  const rows = await store.takeIdle(work, idleMs, collaborativeIdleMs, atOnce);
  await store.settleWorkspaces(work, idsOf(rows), { state: "suspended" });
  return rows.length;
}

async function warn(work: Work, { archiveMs, sessionMs }: WorkspaceTimes): Promise<number> {
  const rows = await store.takeToWarn(work, { archiveMs, sessionMs, aheadMs: warnAheadMs }, atOnce);
  await store.markWarned(work, idsOf(rows));
  for (const { id, name, kind, owner_id: ownerId, keep_on_exit: isKept } of rows) {
    const isArchived = kind !== "session" || isKept;
    await notifyEach(work, await store.listOwners(work, ownerId), {
      type: "system",
      title: `The workspace “${name}” will be ${isArchived ? "archived" : "deleted"} soon`,
      body: isArchived
        ? "Nobody has used it for long. Use it, and it stays; archived, it can be taken up again at any time."
        : `Nobody has used it for long. Use it, and it stays; deleted, it can be restored for ${keptDays} days.`,
      link: `/workspaces/${id}`,
      details: { workspaceId: id },
    });
  }
  return rows.length;
}

const archived = () => ({ state: "archived" as const, archived_at: new Date() });

function idsOf(rows: readonly { readonly id: string }[]): string[] {
  return rows.map(({ id }) => id);
}
