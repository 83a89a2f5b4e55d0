import type { ClaimedRun, Queue, QueuedRun, RunWait } from "@syla/contracts/queue";
import type { Actor } from "../../access/actor.ts";
import { requirePermission } from "../../access/service.ts";
import type { Database } from "../../platform/database.ts";
import type { Quotas } from "../../quotas/service.ts";
import type { Runs } from "../service.ts";
import { isDeadLetter } from "../store.ts";
import type { Ranking } from "./ranking.ts";
import { countQueue, findWaiting, listClaimed, listWaiting, type ClaimedRow, type WaitingRow } from "./store.ts";

/** What the queue is read from. */
export interface WaitingContext {
  readonly database: Database;
  readonly quotas: Pick<Quotas, "concurrency">;
  readonly runs: Pick<Runs, "get">;
  readonly ranking: Ranking;
}

const noWait: RunWait = { reason: null, position: null, until: null, limit: null, live: null };

/** What waits and why, and what was taken. @throws AppError `forbidden` */
export async function readQueue(
  { database: { queries }, quotas }: Pick<WaitingContext, "database" | "quotas">,
  actor: Actor,
  limit: number,
): Promise<Queue> {
  requirePermission(actor, "worker:list-all");
  const { concurrency } = quotas;
  const [counts, items, claims] = await Promise.all([
    countQueue(queries, isDeadLetter),
    listWaiting(queries, concurrency, limit),
    listClaimed(queries, limit),
  ]);
  return {
    waiting: counts.waiting,
    later: counts.later,
    claimed: counts.claimed,
    deadLetters: counts.dead_letters,
    items: items.map((row) => toQueued(row, concurrency.installation)),
    claims: claims.map(toClaimed),
  };
}

/** Why a run waits, for somebody who may see it. @throws AppError `not_found` */
export async function explainWait({ database, quotas, runs, ranking }: WaitingContext, actor: Actor, id: string): Promise<RunWait> {
  const run = await runs.get(actor, id);
  if (run.status !== "queued") return noWait;
  const { concurrency } = quotas;
  const row = await findWaiting(database.queries, concurrency, run.id);
  if (row === undefined) return noWait;
  const ranked = row.is_due ? await ranking.find(run.id) : undefined;
  return toWait({ ...row, ...ranked }, concurrency.installation);
}

/** What holds it, the outermost first: what would hold it even if all that follows did not. `installation`: how many may be at once; -1: any number. */
function toWait(row: WaitingRow, installation: number): Omit<QueuedRun, keyof LineFields> {
  const position = row.is_due ? row.position : null;
  const until = row.available_at.getTime() > Date.now() ? row.available_at.toISOString() : null;
  const plain = { position, until, limit: null, live: null };
  const held = (reason: QueuedRun["reason"], limit: number, live: number) => ({ reason, position, until, limit, live });
  const { person_limit: person, key_limit: key, team_limit: team } = row;
  if (!row.is_due) return { ...plain, reason: row.attempt > 1 ? "retry_delay" : "for_later" };
  if (!row.is_active) return { ...plain, reason: "owner_suspended" };
  if (row.workers === 0) return { ...plain, reason: "no_worker" };
  if (installation >= 0 && row.all_live >= installation) return held("installation_limit", installation, row.all_live);
  if (person !== null && row.person_live >= person) return held("person_limit", person, row.person_live);
  if (key !== null && row.key_live >= key) return held("key_limit", key, row.key_live);
  if (team !== null && (row.team_live ?? 0) >= team) return held("team_limit", team, row.team_live ?? 0);
  if (row.slots !== null && row.all_live >= row.slots) return held("no_capacity", row.slots, row.all_live);
  // There is room, which those before it will have filled.
  if (person !== null && row.person_live + (row.place ?? 1) > person) return held("person_limit", person, row.person_live);
  if (key !== null && row.key_live + (row.key_place ?? 1) > key) return held("key_limit", key, row.key_live);
  return { ...plain, reason: "turn" };
}

type LineFields = ReturnType<typeof toLine> & Pick<QueuedRun, "priority" | "createdAt">;

function toLine({ id, owner_id, owner_name, language, entrypoint, attempt }: WaitingRow | ClaimedRow) {
  return { runId: id, ownerId: owner_id, ownerName: owner_name, language, entrypoint, attempt };
}

function toQueued(row: WaitingRow, installation: number): QueuedRun {
  return { ...toLine(row), priority: row.priority, createdAt: row.created_at.toISOString(), ...toWait(row, installation) };
}

function toClaimed(row: ClaimedRow): ClaimedRun {
  return {
    ...toLine(row),
    status: row.status,
    phase: row.phase,
    workerId: row.worker_id,
    claimedAt: row.claimed_at?.toISOString() ?? null,
    startedAt: row.started_at?.toISOString() ?? null,
  };
}
