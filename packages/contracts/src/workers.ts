import { z } from "zod";
import { route } from "./route.ts";

/** A process that takes runs from the queue. */
export const Worker = z
  .object({
    id: z.string(),
    hostname: z.string(),
    pid: z.int(),
    version: z.string().nullable().describe("null: of a version that did not say"),
    state: z
      .enum(["live", "lost", "stopped"])
      .describe("`lost`: it does not renew its lease, or was found dead; its runs were put back or ended. `stopped`: it left in order"),
    draining: z.boolean().describe("it ends what it has and takes nothing new: it was drained, or is about to leave"),
    drainedAt: z.iso.datetime().nullable().describe("since when an administrator has it take nothing; null: nobody does"),
    current: z.boolean().describe("the one that answers, whose pools are those of `listPools`"),
    slots: z.int().nullable().describe("runs that it has at once at most"),
    runs: z.int().describe("runs that it has now, as far as they are recorded: one that lasts a few milliseconds is not"),
    startedAt: z.iso.datetime(),
    leaseUntil: z.iso.datetime(),
    stoppedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "Worker" });
export type Worker = z.infer<typeof Worker>;

const Quantiles = z.object({ p50: z.number(), p95: z.number() }).nullable().describe("milliseconds; null: there was no run");

/** The queue of all workers, and how long runs waited. */
export const QueueFigures = z
  .object({
    queued: z.int(),
    running: z.int(),
    runsPerMinute: z.int().describe("submitted within the last minute"),
    sampled: z.int().describe("runs that the times are from: the newest of the last hour"),
    queueWaitMs: Quantiles.describe("from submission until a worker took it"),
    startMs: Quantiles.describe("from then until its program ran"),
  })
  .meta({ id: "QueueFigures" });
export type QueueFigures = z.infer<typeof QueueFigures>;

/** The sandboxes that are kept ready for one purpose. */
export const SandboxPool = z
  .object({
    tier: z.string(),
    kind: z
      .string()
      .describe("the runtime, or `any` for those that start afresh; with `networked` or `session` where these have sandboxes of their own"),
    spares: z.int().describe("jails that wait for an owner"),
    wantedSpares: z.int(),
    jails: z.array(
      z.object({
        owner: z
          .object({ id: z.string(), name: z.string().nullable(), email: z.string().nullable() })
          .nullable()
          .describe("null: the server itself. The name is null when the account is gone"),
        slots: z.int(),
        ready: z.int().describe("slots that wait for a run"),
        busy: z.int().describe("slots that have one"),
        wantedSlots: z.int(),
        usedAt: z.iso.datetime(),
      }),
    ),
  })
  .meta({ id: "SandboxPool" });
export type SandboxPool = z.infer<typeof SandboxPool>;

const one = {
  method: "POST",
  tag: "workers",
  auth: "user",
  params: z.object({ id: z.string().max(64) }),
  responses: { 200: Worker },
  errors: ["forbidden", "not_found"],
} as const;

export const workerRoutes = {
  listWorkers: route({
    method: "GET",
    path: "/api/v1/workers",
    summary: "The workers and the queue (administrators). Workers that ended are left out after a day",
    tag: "workers",
    auth: "user",
    responses: { 200: z.object({ items: z.array(Worker), queue: QueueFigures }) },
    errors: ["forbidden"],
  }),
  drainWorker: route({
    ...one,
    path: "/api/v1/workers/:id/drain",
    audit: "worker.drain",
    summary: "Have a worker take no more runs (administrators). What runs goes on, what has not begun is another one's",
  }),
  resumeWorker: route({
    ...one,
    path: "/api/v1/workers/:id/resume",
    audit: "worker.resume",
    summary: "Have a drained worker take runs again (administrators)",
  }),
  listPools: route({
    method: "GET",
    path: "/api/v1/pools",
    summary: "The sandboxes that this server keeps ready, and who has them (administrators)",
    tag: "workers",
    auth: "user",
    responses: { 200: z.object({ items: z.array(SandboxPool) }) },
    errors: ["forbidden"],
  }),
};
