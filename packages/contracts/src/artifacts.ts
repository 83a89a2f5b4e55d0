import { z } from "zod";
import { pageOf } from "./page.ts";
import { route } from "./route.ts";
import { Artifact } from "./runs.ts";

const runId = z.object({ id: z.string().max(64) });
const artifactId = z.object({ id: z.string().max(64), artifactId: z.string().max(64) });
/** What a part is asked for with. */
const contentHeaders = z.object({
  range: z.string().max(256).optional().describe("one range of bytes; of several, all of it is answered"),
  "if-none-match": z.string().max(1024).optional(),
  "if-range": z.string().max(256).optional(),
});

const longestLink = 7 * 86_400;

/** A link that is asked for. */
export const ArtifactLinkInput = z
  .strictObject({
    artifactId: z.string().min(1).max(64).optional().describe("the zip archive of all when left out"),
    expiresInSeconds: z.int().min(60).max(longestLink).default(3600),
  })
  .meta({ id: "ArtifactLinkInput" });
export type ArtifactLinkInput = z.output<typeof ArtifactLinkInput>;
export type ArtifactLinkInputDraft = z.input<typeof ArtifactLinkInput>;

/** An address from which anybody can download until it expires. */
export const ArtifactLink = z.object({ url: z.string(), expiresAt: z.iso.datetime() }).meta({ id: "ArtifactLink" });
export type ArtifactLink = z.infer<typeof ArtifactLink>;

export const artifactRoutes = {
  listArtifacts: route({
    method: "GET",
    path: "/api/v1/runs/:id/artifacts",
    summary: "List what the run left in /output, by path",
    tag: "runs",
    auth: "user",
    link: "run",
    params: runId,
    query: z.object({
      cursor: z.string().max(8192).optional().describe("`nextCursor` of the page before"),
      limit: z.coerce.number().int().min(1).max(1000).default(1000),
      q: z
        .string()
        .max(200)
        .refine((text) => !text.includes("\0"), "must not contain NUL")
        .optional()
        .describe("part of a path"),
    }),
    responses: { 200: pageOf(Artifact) },
    errors: ["not_found", "invalid_cursor"],
  }),
  downloadArtifact: route({
    method: "GET",
    path: "/api/v1/runs/:id/artifacts/:artifactId",
    summary: "Download an artifact, or a part of it",
    tag: "runs",
    auth: "user",
    link: "run",
    params: artifactId,
    headers: contentHeaders,
    responses: { 200: "bytes", 206: "bytes", 304: "none" },
    errors: ["not_found", "range_not_satisfiable"],
  }),
  viewArtifact: route({
    method: "GET",
    path: "/api/v1/runs/:id/artifacts/:artifactId/view",
    summary: "Show an HTML page that the run left, as a sandboxed document: its scripts run, and reach nothing",
    tag: "runs",
    auth: "user",
    params: artifactId,
    headers: contentHeaders,
    responses: { 200: "bytes", 206: "bytes", 304: "none" },
    errors: ["not_found", "range_not_satisfiable"],
  }),
  downloadArtifacts: route({
    method: "GET",
    path: "/api/v1/runs/:id/artifacts/zip",
    summary: "Download everything that the run left in /output as a zip archive",
    tag: "runs",
    auth: "user",
    link: "run",
    params: runId,
    responses: { 200: "bytes" },
    errors: ["not_found"],
  }),
  createArtifactLink: route({
    method: "POST",
    path: "/api/v1/runs/:id/artifact-links",
    summary: "Make a link with which anybody can download an artifact, or all of them, until it expires",
    tag: "runs",
    auth: "user",
    audit: "run.link",
    params: runId,
    body: ArtifactLinkInput,
    responses: { 201: ArtifactLink },
    errors: ["not_found", "forbidden"],
  }),
  revokeArtifactLinks: route({
    method: "DELETE",
    path: "/api/v1/runs/:id/artifact-links",
    summary: "Revoke every link to artifacts of the run that was made so far",
    tag: "runs",
    auth: "user",
    audit: "run.unlink",
    params: runId,
    responses: { 204: "none" },
    errors: ["not_found", "forbidden"],
  }),
  openArtifactLink: route({
    method: "GET",
    path: "/api/v1/artifact-links/:token",
    summary: "Download what a link to artifacts leads to",
    tag: "runs",
    auth: "none",
    params: z.object({ token: z.string().max(400) }),
    headers: contentHeaders,
    responses: { 200: "bytes", 206: "bytes", 304: "none" },
    errors: ["artifact_link_invalid", "range_not_satisfiable"],
  }),
};
