import { z } from "zod";
import { EnvironmentError } from "./environments.ts";
import { route } from "./route.ts";
import { lastEventId } from "./fields.ts";

/** What is being done: the environment itself is built, the image is assembled, the registry is given it. */
export const EnvironmentImagePhase = z.enum(["environment", "assemble", "push"]).meta({ id: "EnvironmentImagePhase" });
export type EnvironmentImagePhase = z.infer<typeof EnvironmentImagePhase>;

/** An environment as an OCI image: its language, its packages, and what a sandbox needs inside. */
export const EnvironmentImage = z
  .object({
    environmentId: z.string(),
    state: z.enum(["none", "building", "built", "pushed", "failed"]),
    phase: EnvironmentImagePhase.nullable().describe("while building; of a failed one, where it failed"),
    imageId: z.string().nullable().describe("`sha256:…` of its configuration: equal for equal content, whoever builds it"),
    reference: z.string().nullable().describe("where it was pushed to last: registry/name:tag"),
    digest: z.string().nullable().describe("`sha256:…` of its manifest in the registry; use `name@digest`"),
    size: z.int().nullable().describe("bytes, unpacked"),
    error: EnvironmentError.omit({ phase: true }).nullable(),
    hasLog: z.boolean(),
    builtAt: z.iso.datetime().nullable(),
    pushedAt: z.iso.datetime().nullable(),
    builder: z
      .object({ available: z.boolean(), detail: z.string(), fix: z.string().nullable() })
      .describe("whether the server that answers can build images, and what to do when it cannot"),
    repository: z.string().nullable().describe("where images are pushed to; null: not set up"),
  })
  .meta({ id: "EnvironmentImage" });
export type EnvironmentImage = z.infer<typeof EnvironmentImage>;

/** What happens while an image is built and pushed, in order; `end` is the last one. */
export const EnvironmentImageEvent = z
  .discriminatedUnion("type", [
    z.object({ type: z.literal("phase"), seq: z.int(), time: z.iso.datetime(), phase: EnvironmentImagePhase.nullable() }),
    z.object({ type: z.literal("log"), seq: z.int(), time: z.iso.datetime(), text: z.string() }),
    z.object({ type: z.literal("end"), seq: z.int(), time: z.iso.datetime(), image: EnvironmentImage }),
  ])
  .meta({ id: "EnvironmentImageEvent" });
export type EnvironmentImageEvent = z.infer<typeof EnvironmentImageEvent>;

const params = z.object({ id: z.string().max(64) });
const path = "/api/v1/environments/:id/image";

export const environmentImageRoutes = {
  getEnvironmentImage: route({
    method: "GET",
    path,
    summary: "Read the OCI image of an environment: whether there is one, where, and what it is called",
    tag: "environments",
    auth: "user",
    params,
    responses: { 200: EnvironmentImage },
    errors: ["not_found"],
  }),
  buildEnvironmentImage: route({
    method: "POST",
    path: `${path}/build`,
    summary: "Build the OCI image of an environment, beside the caller (administrators)",
    tag: "environments",
    auth: "admin",
    audit: "environment.image_build",
    params,
    body: z.strictObject({}),
    responses: { 202: EnvironmentImage },
    errors: ["not_found", "image_unavailable"],
  }),
  pushEnvironmentImage: route({
    method: "POST",
    path: `${path}/push`,
    summary: "Push the OCI image of an environment to the registry that is set up, building it first if need be (administrators)",
    tag: "environments",
    auth: "admin",
    audit: "environment.image_push",
    params,
    body: z.strictObject({}),
    responses: { 202: EnvironmentImage },
    errors: ["not_found", "image_unavailable", "credential_missing"],
  }),
  streamEnvironmentImage: route({
    method: "GET",
    path: `${path}/events`,
    summary: "Follow the building and pushing of an image live (server-sent events, resumable)",
    tag: "environments",
    auth: "user",
    params,
    headers: lastEventId,
    responses: { 200: "event-stream" },
    errors: ["not_found"],
  }),
  downloadEnvironmentImageLog: route({
    method: "GET",
    path: `${path}/log`,
    summary: "Download the log of the last build or push of an image",
    tag: "environments",
    auth: "user",
    params,
    responses: { 200: "bytes" },
    errors: ["not_found"],
  }),
};
