import { z } from "zod";
import { route } from "./route.ts";
import { LimitsInput, ProgramRunInput, Run, RunDatasetInput, RunFilter, RunInput } from "./runs.ts";
import { NetworkPolicy } from "./network.ts";

const runId = z.object({ id: z.string().max(64) });
const idempotency = z.object({ "idempotency-key": z.string().min(1).max(255).optional() });

/** What is to be otherwise when a run is run again; what is left out stays as it was. */
export const RerunInput = z
  .strictObject({
    entrypoint: z.string().min(1).max(4096),
    args: RunInput.shape.args.unwrap(),
    env: RunInput.shape.env.unwrap().describe("all of it, in place of what it was"),
    stdin: z.string(),
    stdinBase64: z.base64(),
    files: z
      .array(ProgramRunInput.shape.files.unwrap().element)
      .max(1000)
      .describe("new ones, and those that take the place of one of the same path"),
    removeFiles: z.array(z.string().min(1).max(4096)).max(1000).describe("files that were sent along with the run, and are not any more"),
    limits: LimitsInput.describe("each in place of what it was"),
    network: NetworkPolicy,
    models: RunInput.shape.models.unwrap().describe("in place of those that it had"),
    datasets: z.array(RunDatasetInput).max(20).describe("in place of those that it had; of runs of programs"),
    version: z
      .string()
      .min(1)
      .max(64)
      .nullable()
      .describe("of the program: a published one; null for the working tree. What else was chosen for the run stays"),
    priority: z.int().min(0).max(9),
  })
  .partial()
  .meta({ id: "RerunInput" });
export type RerunInput = z.output<typeof RerunInput>;
export type RerunInputDraft = z.input<typeof RerunInput>;

/** A file that a run had. */
export const RunFile = z
  .object({
    path: z.string(),
    size: z.int(),
    sha256: z.string(),
    from: z.enum(["program", "workspace", "run"]).describe("of the program's or the workspace's tree, or sent along with the run"),
  })
  .meta({ id: "RunFile" });
export type RunFile = z.infer<typeof RunFile>;

export const bulkActions = ["cancel", "retry", "delete"] as const;
export type BulkAction = (typeof bulkActions)[number];

/** Which runs: those named, or those that a filter finds. */
const bulkFilter = RunFilter.omit({ cursor: true, limit: true }).partial().strict();

export const BulkRunsInput = z
  .strictObject({
    action: z.enum(bulkActions),
    ids: z.array(z.string().max(64)).min(1).max(1000).optional(),
    filter: bulkFilter
      .optional()
      .describe(
        "as in the list of runs; it finds what may be acted on: runs that go on to be cancelled, ended ones to be retried or deleted",
      ),
    cursor: z.string().max(200).optional().describe("where the answer before has stopped"),
    limit: z.int().min(1).max(100).default(50).describe("how many in one answer"),
  })
  .refine(({ ids, filter }) => (ids === undefined) !== (filter === undefined), { message: "give `ids` or `filter`", path: ["filter"] })
  .meta({ id: "BulkRunsInput" });
export type BulkRunsInput = z.output<typeof BulkRunsInput>;
export type BulkRunsInputDraft = z.input<typeof BulkRunsInput>;

/** What came of one part of it. Every run that was looked at is in `done` or in `refused`. */
export const BulkRunsResult = z
  .object({
    done: z.array(z.string()).describe("ids; of a retry those of the new runs"),
    refused: z.array(z.object({ id: z.string(), code: z.string(), message: z.string() })),
    remaining: z.int().describe("how many are left, at most 10,000"),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: "BulkRunsResult" });
export type BulkRunsResult = z.infer<typeof BulkRunsResult>;

export const runControlRoutes = {
  rerunRun: route({
    method: "POST",
    path: "/api/v1/runs/:id/rerun",
    summary: "Queue a run again, as it was or with something changed",
    tag: "runs",
    auth: "user",
    audit: "run.rerun",
    params: runId,
    headers: idempotency,
    body: RerunInput.optional(),
    responses: { 202: Run },
    errors: [
      "not_found",
      "forbidden",
      "queue_full",
      "idempotency_conflict",
      "network_unavailable",
      "entrypoint_missing",
      "invalid_path",
      "blob_unknown",
      "limit_out_of_range",
      "workspace_archived",
      "workspace_deleted",
      "split_unknown",
      "quota_exceeded",
    ],
  }),
  listRunFiles: route({
    method: "GET",
    path: "/api/v1/runs/:id/files",
    summary: "List the files that the run had: those of its program, and those that were sent along",
    tag: "runs",
    auth: "user",
    params: runId,
    responses: { 200: z.object({ items: z.array(RunFile) }) },
    errors: ["not_found"],
  }),
  pinRun: route({
    method: "POST",
    path: "/api/v1/runs/:id/pin",
    summary: "Keep the run's log and artifacts for good, or only as long as those of other runs",
    tag: "runs",
    auth: "user",
    audit: "run.pin",
    params: runId,
    body: z.strictObject({ pinned: z.boolean() }),
    responses: { 200: Run },
    errors: ["not_found", "forbidden"],
  }),
  deleteRun: route({
    method: "DELETE",
    path: "/api/v1/runs/:id",
    summary: "Delete a run that has ended, with its log and artifacts",
    tag: "runs",
    auth: "user",
    audit: "run.delete",
    params: runId,
    responses: { 204: "none" },
    errors: ["not_found", "forbidden", "run_unfinished"],
  }),
  bulkRuns: route({
    method: "POST",
    path: "/api/v1/runs/bulk",
    summary: "Cancel, retry or delete many runs, a part at a time",
    tag: "runs",
    auth: "user",
    audit: "run.bulk",
    once: "answer",
    body: BulkRunsInput,
    responses: { 200: BulkRunsResult },
    errors: ["invalid_cursor", "forbidden"],
  }),
};
