import { z } from "zod";
import { route } from "./route.ts";
import { RunStatus } from "./runs.ts";

/** Why a run has not begun. */
export const waitReasons = [
  "for_later",
  "retry_delay",
  "owner_suspended",
  "no_worker",
  "installation_limit",
  "person_limit",
  "key_limit",
  "team_limit",
  "no_capacity",
  "turn",
] as const;
export const WaitReason = z.enum(waitReasons);
export type WaitReason = z.infer<typeof WaitReason>;

const wait = {
  reason: WaitReason.describe(
    "`for_later`: its time has not come; `retry_delay`: it is tried again then; the limits: as many runs as may be at once are going on, or will be with those that come before it; `no_capacity`: every slot is taken; `turn`: it is next, or others have fewer runs",
  ),
  position: z.int().nullable().describe("its place, from 1; null for what is not to begin yet"),
  until: z.iso.datetime().nullable().describe("not before this time; null: as soon as it may"),
  limit: z.int().nullable().describe("with a limit: how many at once; with `no_capacity`: how many slots there are"),
  live: z.int().nullable().describe("how many of them are going on"),
};

/** Why a run waits, and where it stands. */
export const RunWait = z
  .object({ ...wait, reason: wait.reason.nullable().describe("null: it does not wait; else as in the queue") })
  .meta({ id: "RunWait" });
export type RunWait = z.infer<typeof RunWait>;

const ran = {
  runId: z.string(),
  ownerId: z.string(),
  ownerName: z.string(),
  language: z.string(),
  entrypoint: z.string(),
  attempt: z.int(),
};

/** A run that waits. */
export const QueuedRun = z.object({ ...ran, priority: z.int(), createdAt: z.iso.datetime(), ...wait }).meta({ id: "QueuedRun" });
export type QueuedRun = z.infer<typeof QueuedRun>;

/** A run that a worker has. */
export const ClaimedRun = z
  .object({
    ...ran,
    status: RunStatus,
    phase: z.string().nullable().describe("while starting: what is being done"),
    workerId: z.string().nullable(),
    claimedAt: z.iso.datetime().nullable().describe("since when the worker has it"),
    startedAt: z.iso.datetime().nullable().describe("since when its program runs"),
  })
  .meta({ id: "ClaimedRun" });
export type ClaimedRun = z.infer<typeof ClaimedRun>;

/** What waits, in the order in which it begins as things stand, and what was taken. */
export const Queue = z
  .object({
    waiting: z.int().describe("runs that might begin as soon as there is room"),
    later: z.int().describe("runs whose time has not come"),
    claimed: z.int(),
    deadLetters: z.int().describe("runs that were given up and that nobody has run again"),
    items: z.array(QueuedRun).describe("those that might begin first, then those for later; at most `limit`"),
    claims: z.array(ClaimedRun).describe("those that were taken first; at most `limit`"),
  })
  .meta({ id: "Queue" });
export type Queue = z.infer<typeof Queue>;

export const queueRoutes = {
  getQueue: route({
    method: "GET",
    path: "/api/v1/queue",
    summary: "The runs that wait, in their order and why, and those that workers have (administrators)",
    tag: "workers",
    auth: "user",
    query: z.object({ limit: z.coerce.number().int().min(1).max(500).default(100) }),
    responses: { 200: Queue },
    errors: ["forbidden"],
  }),
  explainWait: route({
    method: "GET",
    path: "/api/v1/runs/:id/queue",
    summary: "Why a run waits, and its place in the queue",
    tag: "runs",
    auth: "user",
    params: z.object({ id: z.string().max(64) }),
    responses: { 200: RunWait },
    errors: ["not_found"],
  }),
};

/** The same in words, for whoever waits: `3 of their 3 runs are going on`. */
export function describeWait({ reason, limit, live }: Pick<RunWait, "reason" | "limit" | "live">): string {
  const atOnce = `${live ?? 0} of ${limit ?? 0}`;
  const comesLater = (live ?? 0) < (limit ?? 0);
  switch (reason) {
    case null:
      return "It does not wait.";
    case "for_later":
      return "Its time has not come.";
    case "retry_delay":
      return "It failed on Syla's side and is tried again in a moment.";
    case "owner_suspended":
      return "Its owner's account is suspended.";
    case "no_worker":
      return "No worker takes runs.";
    case "installation_limit":
      return `The whole installation may have ${limit ?? 0} at once, and has ${live ?? 0}.`;
    case "person_limit":
      return comesLater
        ? `Its owner may have ${limit ?? 0} runs at once, and others of theirs come first.`
        : `Its owner has ${atOnce} runs at once.`;
    case "key_limit":
      return comesLater
        ? `The API key that asked for it may have ${limit ?? 0} runs at once, and others of it come first.`
        : `The API key that asked for it has ${atOnce} runs at once.`;
    case "team_limit":
      return `Its owner's team has ${atOnce} runs at once.`;
    case "no_capacity":
      return `All slots are taken: ${atOnce}.`;
    case "turn":
      return "It is about to be taken; whoever has fewest runs comes first.";
  }
}
