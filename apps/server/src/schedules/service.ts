import { AppError } from "@syla/contracts/errors";
import { ScheduledRun, type Schedule, type ScheduleChange, type ScheduleFilter, type ScheduleInput } from "@syla/contracts/schedules";
import type { Actor } from "../access/actor.ts";
import { refuseLimitedKey, requirePermission } from "../access/service.ts";
import type { Catalog } from "../catalog/service.ts";
import type { Database } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import { readCursor, toPage } from "../platform/page-cursor.ts";
import { changeRevised, type Revision } from "../platform/revision.ts";
import { nextTime, timesOf } from "./cron.ts";
import * as store from "./store.ts";

export { ticking } from "./ticker.ts";

const shownTimes = 5;
const mostSchedules = 100;

/** What schedules are made of. */
export interface SchedulesContext {
  readonly database: Database;
  readonly catalog: Pick<Catalog, "resolve">;
}

/** Schedules: programs that run again and again, as those who have asked for it. */
export class Schedules {
  readonly #context: SchedulesContext;

  constructor(context: SchedulesContext) {
    this.#context = context;
  }

  async list(actor: Actor, filter: ScheduleFilter): Promise<{ items: Schedule[]; nextCursor: string | null }> {
    if (filter.owner === "all") requirePermission(actor, "schedule:list-all");
    const before = readCursor(filter.cursor, /^sched_[0-9a-z]{26}$/);
    const ownerId = filter.owner === "all" ? null : actor.userId;
    const rows = await store.listSchedules(this.#context.database.queries, ownerId, filter, before);
    return toPage(rows, filter.limit, (row) => row.id, present);
  }

  async get(actor: Actor, id: string): Promise<Schedule> {
    return present(await this.#find(actor, id, "schedule:read"));
  }

  /** @throws AppError `cron_invalid`, `too_many_schedules`; what the program refuses */
  async create(actor: Actor, { programId, ...values }: ScheduleInput): Promise<Schedule> {
    refuseLimitedKey(actor, "schedules");
    requirePermission(actor, "schedule:create");
    const nextAt = nextTime(values.cron, values.timeZone, new Date());
    await this.#context.catalog.resolve(actor, "asset:run", programId, values.run.version, "program");
    const id = newId("sched");
    const added = { ...values, id, programId, ownerId: actor.userId, nextAt };
    const isIn = await this.#context.database.queries.transaction().execute((work) => store.insertSchedule(work, added, mostSchedules));
    if (!isIn) throw new AppError("too_many_schedules");
    return await this.get(actor, id);
  }

  /** @throws AppError `revision_conflict` when it is not that revision any more */
  async update(actor: Actor, id: string, change: ScheduleChange, revision: Revision = "*"): Promise<Schedule> {
    refuseLimitedKey(actor, "schedules");
    const row = await this.#find(actor, id, "schedule:manage");
    if (change.enabled === true) requirePermission(actor, "schedule:create");
    const before = valuesOf(row);
    const values = { ...before, ...definedOf(change) };
    const nextAt = nextTime(values.cron, values.timeZone, new Date());
    // An administrator who stops it need not be able to run what it runs.
    if (actor.userId === row.owner_id && values.enabled)
      await this.#context.catalog.resolve(actor, "asset:run", row.program_id, values.run.version, "program");
    const current = () => this.get(actor, id);
    const { queries } = this.#context.database;
    await changeRevised(queries, { table: "schedules", id, revision }, (work) => store.changeSchedule(work, id, values, nextAt), current);
    return await current();
  }

  async delete(actor: Actor, id: string): Promise<void> {
    await this.#find(actor, id, "schedule:manage");
    await store.deleteSchedule(this.#context.database.queries, id);
  }

  /** The next times of an expression. @throws AppError `cron_invalid` */
  preview(cron: string, timeZone: string): string[] {
    nextTime(cron, timeZone, new Date());
    return timesOf(cron, timeZone)
      .after(new Date(), shownTimes)
      .map((time) => time.toISOString());
  }

  async #find(actor: Actor, id: string, action: "schedule:read" | "schedule:manage"): Promise<store.ShownRow> {
    const row = id.includes("\0") ? undefined : await store.findSchedule(this.#context.database.queries, id);
    if (row === undefined) throw new AppError("not_found");
    requirePermission(actor, action, { type: "schedule", id, ownerId: row.owner_id, visibility: "private", level: null });
    return row;
  }
}

function valuesOf(row: store.ScheduleRow): store.ScheduleValues {
  const { name, cron, time_zone: timeZone, overlap, missed, enabled } = row;
  return { name, run: ScheduledRun.parse(row.run), cron, timeZone, overlap, missed, enabled };
}

function definedOf(change: ScheduleChange): Partial<store.ScheduleValues> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

function present(row: store.ShownRow): Schedule {
  const { last_at: at, last_outcome: outcome } = row;
  const times = row.enabled ? timesOf(row.cron, row.time_zone).after(new Date(), shownTimes) : [];
  return {
    id: row.id,
    owner: { id: row.owner_id, name: row.owner_name ?? "" },
    program: { id: row.program_id, name: row.program_name },
    ...valuesOf(row),
    disabledReason: row.disabled_reason,
    next: times.map((time) => time.toISOString()),
    last: at === null || outcome === null ? null : { at: at.toISOString(), outcome, runId: row.last_run_id, status: row.last_status },
    revision: row.revision,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}
