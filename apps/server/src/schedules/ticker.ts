import { AppError } from "@syla/contracts/errors";
import type { Run } from "@syla/contracts/runs";
import type { ProgramRunInput } from "@syla/contracts/runs";
import { ScheduledRun } from "@syla/contracts/schedules";
import type { Actor } from "../access/actor.ts";
import type { Audit } from "../audit/service.ts";
import { notify } from "../notifications/service.ts";
import { databaseError, type Database, type Work } from "../platform/database.ts";
import type { Logger } from "../platform/logger.ts";
import type { RecurringWork } from "../platform/recurring.ts";
import { usedSecrets, type SubmitOptions } from "../runs/service.ts";
import { timesOf } from "./cron.ts";
import { findRunsOf, recordTick, takeDue, type ScheduleRow, type Tick } from "./store.ts";

const everyMs = 1000;
/** A time that is longer over was missed. */
const graceMs = 60_000;
/** Of the times that were missed, so many are made up for. */
const mostMissed = 24;

/** What refuses a run for a while. */
const passing = new Set(["queue_full", "storage_full"]);
const retryMs = 30_000;

/** What refuses its runs for good, until its owner has seen to it. */
const disabling = new Set(["account_suspended", "not_found", "forbidden", "asset_deleted"]);

/** What beginning scheduled runs takes. */
export interface TickerContext {
  readonly database: Database;
  readonly logger: Logger;
  readonly audit: Pick<Audit, "add">;
  /** Somebody as whom the server may act. @throws AppError `account_suspended`, `not_found` */
  readonly actFor: (userId: string) => Promise<Actor>;
  readonly submit: (actor: Actor, input: ProgramRunInput, options: SubmitOptions) => Promise<Run>;
  readonly cancel: (actor: Actor, runId: string) => Promise<unknown>;
}

/** Begins the runs whose time has come. Any number of servers may do so: each time has one run. */
export function ticking(context: TickerContext): RecurringWork {
  return {
    name: "schedules",
    everyMs,
    complaint: "scheduled runs could not be begun",
    perform: async (signal) => {
      while (!signal.aborted && (await tickOne(context)));
    },
  };
}

/** Sees to one schedule whose time has come. False: there is none. */
async function tickOne(context: TickerContext): Promise<boolean> {
  return await context.database.queries.transaction().execute(async (work) => {
    const row = await takeDue(work);
    if (row === undefined) return false;
    const tick = await nextTick(context, row, row.taken_at);
    await recordTick(work, row.id, tick);
    if (tick.disabledReason !== null) await tellOfEnd(work, context, row, tick.disabledReason);
    else if (tick.last !== null && isFailure(tick.last.outcome) && tick.last.outcome !== row.last_outcome)
      await tellOfFailure(work, row, tick.last.outcome);
    return true;
  });
}

async function nextTick(context: TickerContext, row: ScheduleRow, now: Date): Promise<Tick> {
  const times = timesOf(row.cron, row.time_zone);
  const due = dueTimes(row, times, now);
  const [at = null] = due;
  const after = due.length > 1 ? (due[1] as Date) : (times.after(now, 1)[0] ?? null);
  const nextAt = row.next_at > now ? row.next_at : after;
  // An expression of which no time is left has done what it was for.
  const tick: Tick = {
    nextAt: nextAt ?? row.next_at,
    pendingAt: row.pending_at,
    retryAt: row.retry_at,
    last: null,
    disabledReason: nextAt === null ? "cron_invalid" : null,
  };
  const wanted = at ?? row.pending_at;
  if (wanted === null) return { ...tick, last: { at: row.next_at, outcome: "missed", runId: null } };
  return { ...tick, ...(await begin(context, row, wanted, now)) };
}

/** The times that a run is to be begun for now; what was missed and is not made up for is not among them. */
function dueTimes(row: ScheduleRow, times: ReturnType<typeof timesOf>, now: Date): Date[] {
  if (row.next_at > now) return [];
  const due = times.upTo(now, row.next_at, mostMissed);
  const last = due.at(-1);
  if (last === undefined || row.missed === "all") return due;
  return row.missed === "once" || now.getTime() - last.getTime() <= graceMs ? [last] : [];
}

/** Begins the run of a time, as its owner and with what they may do now. A time that a server has begun before it died is not begun again. */
async function begin(context: TickerContext, row: ScheduleRow, at: Date, now: Date): Promise<Partial<Tick>> {
  const key = `schedule ${row.id} ${at.toISOString()}`;
  const { live, made } = await findRunsOf(context.database.queries, row, key);
  const ended = (outcome: string, runId: string | null = null) => ({ pendingAt: null, retryAt: null, last: { at, outcome, runId } });
  if (made !== null) return ended("started", made);
  if (live.length > 0 && row.overlap === "skip") return ended("skipped");
  if (live.length > 0 && row.overlap === "queue") return { pendingAt: at, retryAt: null, last: { at, outcome: "waiting", runId: null } };
  try {
    const actor = await context.actFor(row.owner_id);
    for (const id of live) await context.cancel(actor, id).catch(ignoreEnded);
    const wish = { ...ScheduledRun.parse(row.run), programId: row.program_id, files: [] };
    const options = { idempotencyKey: key, wait: false, signal: new AbortController().signal, scheduleId: row.id };
    const run = await context.submit(actor, wish, options);
    context.audit.add({
      action: "run.create",
      actor,
      resourceType: "run",
      resourceId: run.id,
      details: { scheduleId: row.id, ...usedSecrets(run) },
    });
    return ended("started", run.id);
  } catch (error) {
    if (!(error instanceof AppError) || error.code === "database_unavailable") {
      if (error instanceof AppError || databaseError(error) !== undefined) throw error; // the time is not lost: it is tried again
      context.logger.error({ err: error, scheduleId: row.id }, "a scheduled run could not be begun");
      return ended("internal");
    }
    if (passing.has(error.code))
      return { pendingAt: at, retryAt: new Date(now.getTime() + retryMs), last: { at, outcome: error.code, runId: null } };
    return { ...ended(error.code), disabledReason: disabling.has(error.code) ? error.code : null };
  }
}

function ignoreEnded(error: unknown): void {
  if (!(error instanceof AppError) || error.code !== "run_finished") throw error;
}

/** What may become of a time without anything being wrong. The trigger of the table knows them too. */
const usual = new Set(["started", "skipped", "missed", "waiting"]);

function isFailure(outcome: string): boolean {
  return !usual.has(outcome);
}

/** Once, however many times in turn fail for the same reason; webhooks are told of each. */
async function tellOfFailure(work: Work, row: ScheduleRow, code: string): Promise<void> {
  await notify(work, {
    userId: row.owner_id,
    type: "system",
    title: `The schedule “${row.name}” could not begin its run`,
    body: new AppError(code as "quota_exceeded").message,
    link: "/schedules",
    details: { scheduleId: row.id, reason: code },
  });
}

async function tellOfEnd(work: Work, { audit }: TickerContext, row: ScheduleRow, reason: string): Promise<void> {
  audit.add({ action: "schedule.disable", actor: null, resourceType: "schedule", resourceId: row.id, details: { reason } });
  await notify(work, {
    userId: row.owner_id,
    type: "system",
    title: `The schedule “${row.name}” was disabled`,
    body: new AppError(reason as "not_found").message,
    link: "/schedules",
    details: { scheduleId: row.id, reason },
  });
}
