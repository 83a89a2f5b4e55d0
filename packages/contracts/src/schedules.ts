import { z } from "zod";
import { ifMatch } from "./asset-fields.ts";
import { isTimeZone } from "./notifications.ts";
import { pageOf, pageQuery } from "./page.ts";
import { route } from "./route.ts";
import { ProgramRunInput, RunStatus } from "./runs.ts";

/** How its runs are asked for: what a run of the program takes, but files, which would have to be kept, and a start. */
export const ScheduledRun = ProgramRunInput.omit({ programId: true, files: true, stdinBase64: true, startAt: true }).meta({
  id: "ScheduledRun",
});
export type ScheduledRun = z.output<typeof ScheduledRun>;

const Overlap = z
  .enum(["skip", "queue", "cancel_previous"])
  .describe(
    "when its time comes while its last run goes on: leave it out, begin when that has ended (of several times the last), or cancel that",
  );
const Missed = z
  .enum(["skip", "once", "all"])
  .describe("times that no server was there for, more than a minute ago: leave them out, run once, or once for each, the last 24 at most");

export const Schedule = z
  .object({
    id: z.string(),
    name: z.string(),
    owner: z.object({ id: z.string(), name: z.string() }),
    program: z.object({ id: z.string(), name: z.string().nullable().describe("null when it is gone") }),
    run: ScheduledRun,
    cron: z.string(),
    timeZone: z.string(),
    overlap: Overlap,
    missed: Missed,
    enabled: z.boolean(),
    disabledReason: z.string().nullable().describe("why the server has disabled it, an error code; null when it has not"),
    next: z.array(z.iso.datetime()).describe("the next five times; none while it is disabled"),
    last: z
      .object({
        at: z.iso.datetime().describe("the time that had come"),
        outcome: z.string().describe("`started`, `skipped`, `missed`, `waiting` for the end of the run before, or the code of an error"),
        runId: z.string().nullable(),
        status: RunStatus.nullable().describe("how that run stands"),
      })
      .nullable()
      .describe("what became of the last time; null before the first"),
    createdAt: z.iso.datetime(),
    revision: z.int().describe("its `ETag`"),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: "Schedule" });
export type Schedule = z.infer<typeof Schedule>;

const name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, "no control characters");
const cron = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .describe(
    "minute, hour, day of the month, month, day of the week: `0 6 * * mon-fri`; or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`",
  );
const timeZone = z
  .string()
  .max(64)
  .refine((zone) => isTimeZone(zone), "must be a time zone like Europe/Oslo");

export const ScheduleInput = z
  .strictObject({
    name,
    programId: z.string().min(1).max(64),
    run: ScheduledRun.prefault({}),
    cron,
    timeZone: timeZone.default("UTC"),
    overlap: Overlap.default("skip"),
    missed: Missed.default("skip"),
    enabled: z.boolean().default(true),
  })
  .meta({ id: "ScheduleInput" });
export type ScheduleInput = z.output<typeof ScheduleInput>;

export const ScheduleChange = z
  .strictObject({ name, run: ScheduledRun, cron, timeZone, overlap: Overlap, missed: Missed, enabled: z.boolean() })
  .partial()
  .describe("what is left out stays")
  .meta({ id: "ScheduleChange" });
export type ScheduleChange = z.output<typeof ScheduleChange>;

const ScheduleFilter = z.object({
  ...pageQuery,
  owner: z.enum(["me", "all"]).default("me").describe("`all` is for administrators"),
  program: z
    .string()
    .max(64)
    .regex(/^[^\u0000]*$/, "no NUL")
    .optional()
    .describe("the id of a program"),
});
export type ScheduleFilter = z.output<typeof ScheduleFilter>;

const common = { tag: "schedules", auth: "user" } as const;
const collection = "/api/v1/schedules";
const one = { ...common, path: `${collection}/:id`, params: z.object({ id: z.string().max(64) }) } as const;
const refusals = ["not_found", "forbidden", "asset_deleted", "cron_invalid"] as const;

export const scheduleRoutes = {
  listSchedules: route({
    ...common,
    method: "GET",
    path: collection,
    summary: "List your schedules, newest first",
    query: ScheduleFilter,
    responses: { 200: pageOf(Schedule) },
    errors: ["invalid_cursor", "forbidden"],
  }),
  createSchedule: route({
    ...common,
    method: "POST",
    path: collection,
    audit: "schedule.create",
    once: "answer",
    summary: "Have a program run again and again, as you, with your quotas",
    body: ScheduleInput,
    responses: { 201: Schedule },
    errors: [...refusals, "too_many_schedules"],
  }),
  previewSchedule: route({
    ...common,
    method: "GET",
    path: `${collection}/preview`,
    summary: "Tell the next five times of a cron expression",
    query: z.object({ cron, timeZone: timeZone.default("UTC") }),
    responses: { 200: z.object({ next: z.array(z.iso.datetime()) }) },
    errors: ["cron_invalid"],
  }),
  getSchedule: route({
    ...one,
    method: "GET",
    summary: "Read a schedule",
    responses: { 200: Schedule },
    errors: ["not_found"],
  }),
  updateSchedule: route({
    ...one,
    method: "PATCH",
    audit: "schedule.update",
    summary: "Change a schedule, disable it or enable it again",
    headers: ifMatch,
    body: ScheduleChange,
    responses: { 200: Schedule },
    errors: [...refusals, "revision_conflict"],
  }),
  deleteSchedule: route({
    ...one,
    method: "DELETE",
    audit: "schedule.delete",
    summary: "Delete a schedule; its runs stay",
    responses: { 204: "none" },
    errors: ["not_found"],
  }),
};
