import { artifactRoutes } from "@syla/contracts/artifacts";
import { AppError } from "@syla/contracts/errors";
import type { FastifyReply } from "fastify";
import type { Http } from "../../access/http.ts";
import type { Blobs } from "../../platform/blobs.ts";
import { attachment, contentAnswer, type ContentRequest } from "../../platform/content-answer.ts";
import { answer, type Answer } from "../../platform/http-call.ts";
import type { RunArtifacts } from "./service.ts";
import type { ArtifactRow } from "./store.ts";

/** A page of a program's, in a frame of ours: an origin of its own without cookies, and nothing to reach but what it brings along. */
const pagePolicy = [
  "sandbox allow-scripts",
  "default-src 'none'",
  "script-src 'unsafe-inline' 'unsafe-eval' blob: data:",
  "style-src 'unsafe-inline' data:",
  "img-src data: blob:",
  "font-src data:",
  "media-src data: blob:",
  "worker-src blob:",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'self'",
].join("; ");

/** What a browser may want a page for; other clients do not say. */
const frames: ReadonlySet<unknown> = new Set([undefined, "iframe", "frame"]);

const noStore = { "cache-control": "private, no-store" };

/** Binds what runs left in /output. */
export function registerArtifactRoutes(http: Http, artifacts: RunArtifacts, blobs: Blobs): void {
  const send = async (row: ArtifactRow, headers: ContentRequest, reply: FastifyReply, more: Record<string, string> = {}): Promise<Answer> =>
    await contentAnswer(blobs, row, headers, reply, { ...attachment(row.path.split("/").at(-1) ?? "artifact", row.mime_type), ...more });
  const sendAll = async (...[actor, runId, gone]: Parameters<RunArtifacts["zip"]>): Promise<Answer> =>
    answer(200, await artifacts.zip(actor, runId, gone), attachment(`${runId}.zip`, "application/zip"));

  http.bind(artifactRoutes.listArtifacts, async ({ params, query }, call) => await artifacts.list(call.actor, params.id, query));
  http.bind(artifactRoutes.downloadArtifact, async ({ params, headers }, call) =>
    // What a share link showed stays nowhere: the link may end.
    send(await artifacts.get(call.actor, params.id, params.artifactId), headers, call.reply, call.actor.via === "link" ? noStore : {}),
  );
  http.bind(artifactRoutes.viewArtifact, async ({ params, headers }, call) => {
    // A page by itself would stand under our address, and look like one of ours. Browsers say what they want it for.
    if (!frames.has(call.request.headers["sec-fetch-dest"]))
      throw new AppError("not_found", { message: "This page is shown within the page of its run alone.", hint: "Download it." });
    const row = await artifacts.get(call.actor, params.id, params.artifactId);
    if (row.mime_type !== "text/html") throw new AppError("not_found", { message: "This is no HTML page.", hint: "Download it." });
    return await contentAnswer(blobs, row, headers, call.reply, {
      "content-type": "text/html; charset=utf-8",
      "content-disposition": "inline",
      "content-security-policy": pagePolicy,
      "x-frame-options": "SAMEORIGIN",
    });
  });
  http.bind(artifactRoutes.downloadArtifacts, async ({ params }, call) => sendAll(call.actor, params.id, call.signal));
  http.bind(artifactRoutes.createArtifactLink, async ({ params, body }, call) => {
    const link = await artifacts.link(call.actor, params.id, body);
    call.trail.details = { artifactId: body.artifactId ?? null, expiresAt: link.expiresAt };
    return answer(201, link);
  });
  http.bind(artifactRoutes.revokeArtifactLinks, async ({ params }, call) => {
    await artifacts.revokeLinks(call.actor, params.id);
    return answer(204, undefined);
  });
  http.bind(artifactRoutes.openArtifactLink, async ({ params, headers }, call) => {
    const { runId, artifact, actor } = await artifacts.follow(params.token);
    return artifact === null ? await sendAll(actor, runId, call.signal) : await send(artifact, headers, call.reply);
  });
}
