import { createGunzip } from "node:zlib";
import { PassThrough, type Readable } from "node:stream";
import { AppError } from "@syla/contracts/errors";
import { workspaceGitRoutes } from "@syla/contracts/workspace-git";
import type { Http } from "../../access/http.ts";
import { answer } from "../../platform/http-call.ts";
import type { WorkspaceGit } from "./service.ts";

/** What a client wants to have and has: names of commits, some bytes each. */
const mostWishBytes = 16 * 1024 * 1024;

/** Binds git's own protocol over HTTP for workspaces. Source: gitprotocol-http(5). */
export function registerWorkspaceGitRoutes(http: Http, git: WorkspaceGit): void {
  http.bind(workspaceGitRoutes.readRepository, async ({ params, query, headers }, call) => {
    const told = await git.advertise(call.actor, params.id, query.service, headers["git-protocol"], call.signal);
    return answer(200, told, { "content-type": `application/x-${query.service}-advertisement` });
  });
  http.bind(workspaceGitRoutes.fetchFromRepository, async ({ params, headers, body }, call) => {
    const wish = await withBody(body as Readable, headers["content-encoding"], (source) => readAll(source, mostWishBytes));
    const sent = await git.fetch(call.actor, params.id, wish, headers["git-protocol"], call.signal);
    // Names alone are no content.
    if (Buffer.isBuffer(sent)) call.trail.nothingChanged = true;
    return answer(200, sent, { "content-type": "application/x-git-upload-pack-result" });
  });
  http.bind(workspaceGitRoutes.pushToRepository, async ({ params, headers, body }, call) => {
    const { answer: report, pushed } = await withBody(body as Readable, headers["content-encoding"], (source) =>
      git.push(call.actor, params.id, source, call.signal),
    );
    call.trail.details = { versions: pushed.versions, ...(pushed.refusal === null ? {} : { refused: pushed.refusal }) };
    return answer(200, report, { "content-type": "application/x-git-receive-pack-result" });
  });
}

/** Works on what a body is, unpacked. What is left of it afterwards is let go of, so that the connection is free for the next request. */
async function withBody<T>(
  body: Readable,
  encoding: string | undefined,
  work: (source: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<T> {
  const opened = encoding === "gzip" || encoding === "x-gzip" ? createGunzip() : new PassThrough();
  opened.on("error", () => {}); // whoever reads it sees it too, once they do
  body.on("error", (error) => opened.destroy(error));
  body.once("close", () => {
    if (!body.readableEnded) opened.destroy(new Error("the client has gone"));
  });
  body.pipe(opened);
  try {
    return await work(readOpened(opened));
  } finally {
    body.unpipe(opened);
    opened.destroy();
    body.resume();
  }
}

/** @throws AppError `git_protocol` when it is not packed as it says */
async function* readOpened(opened: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* opened as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code?.startsWith("Z_") === true ? new AppError("git_protocol", { cause: error }) : error;
  }
}

/** @throws AppError `payload_too_large`, `git_protocol` */
async function readAll(source: AsyncIterable<Uint8Array>, most: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of source) {
    length += part.length;
    if (length > most) throw new AppError("payload_too_large");
    parts.push(part);
  }
  return Buffer.concat(parts);
}
