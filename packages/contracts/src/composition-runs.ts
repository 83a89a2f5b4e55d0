import { z } from "zod";
import { NetworkPolicy } from "./network.ts";
import { nodePath } from "./node-runs.ts";
import { route } from "./route.ts";
import { LimitsInput, ProgramRunInput, Run, Tier } from "./runs.ts";

/** How to run a composition. What is left out is as everywhere. */
export const CompositionRunInput = z
  .strictObject({
    version: z.string().min(1).max(64).optional().describe("a published one; the draft when left out"),
    inputs: z.record(z.string().min(1).max(100), z.unknown()).default({}).describe("JSON, by the names of its inputs"),
    model: z.string().max(64).optional().describe("in place of every model in it"),
    until: nodePath.optional().describe("nothing behind this node"),
    from: nodePath.optional().describe("this node and what is behind it anew, what is before it from kept results"),
    only: nodePath.optional().describe("this node alone, with kept results before it"),
    pins: z
      .record(nodePath, z.record(z.string().min(1).max(100), z.unknown()))
      .default({})
      .describe("results to be taken for those of nodes, which are then not run: JSON by the names of their outputs"),
    restartOf: z.string().max(64).optional().describe("a run of this composition that this one goes on from: what succeeded in it is kept"),
    env: ProgramRunInput.shape.env,
    profile: ProgramRunInput.shape.profile,
    limits: LimitsInput.default({}),
    tier: Tier.optional(),
    network: NetworkPolicy.optional(),
    priority: ProgramRunInput.shape.priority,
    startAt: ProgramRunInput.shape.startAt,
  })
  .refine(({ until, from, only }) => only === undefined || (until === undefined && from === undefined), {
    path: ["only"],
    message: "goes with neither `from` nor `until`",
  })
  .meta({ id: "CompositionRunInput" });
export type CompositionRunInput = z.output<typeof CompositionRunInput>;
export type CompositionRunInputDraft = z.input<typeof CompositionRunInput>;

/** How to run compositions. What their nodes do is in `node-runs.ts`. */
export const compositionRunRoutes = {
  runComposition: route({
    method: "POST",
    path: "/api/v1/compositions/:id/runs",
    summary: "Queue a run of a composition, or of a part of it; with `wait`, answer when it has ended",
    tag: "runs",
    auth: "user",
    audit: "run.create",
    params: z.object({ id: z.string().max(64) }),
    query: z.object({ wait: z.stringbool().default(false).describe("hold the answer until the run has ended") }),
    headers: z.object({ "idempotency-key": z.string().min(1).max(255).optional() }),
    body: CompositionRunInput,
    responses: { 200: Run, 202: Run },
    errors: [
      "not_found",
      "forbidden",
      "asset_deleted",
      "composition_invalid",
      "reference_unusable",
      "secrets_shared",
      "credential_missing",
      "input_invalid",
      "node_unknown",
      "unknown_model",
      "dependency_conflict",
      "dependencies_unsupported",
      "runtime_unavailable",
      "limit_out_of_range",
      "tier_unavailable",
      "tier_too_weak",
      "network_unavailable",
      "idempotency_conflict",
      "queue_full",
      "quota_exceeded",
      "payload_too_large",
    ],
  }),
};
