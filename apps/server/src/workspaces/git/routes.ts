import { createGunzip } from "node:zlib";
import { Readable } from "node:stream";
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
    const wish = await readAll(unpacked(body as Readable, headers["content-encoding"]), mostWishBytes);
    const sent = await git.fetch(call.actor, params.id, wish, headers["git-protocol"], call.signal);
    // Names alone are no content.
    if (Buffer.isBuffer(sent)) call.trail.nothingChanged = true;
    return answer(200, sent, { "content-type": "application/x-git-upload-pack-result" });
  });
  http.bind(workspaceGitRoutes.pushToRepository, async ({ params, headers, body }, call) => {
    const sent = unpacked(body as Readable, headers["content-encoding"]);
    const { answer: report, pushed } = await git.push(call.actor, params.id, sent, call.signal);
    call.trail.details = { versions: pushed.versions, ...(pushed.refusal === null ? {} : { refused: pushed.refusal }) };
    return answer(200, report, { "content-type": "application/x-git-receive-pack-result" });
  });
}

function unpacked(body: Readable, encoding: string | undefined): Readable {
  if (encoding !== "gzip" && encoding !== "x-gzip") return body;
  const unzip = createGunzip();
  body.on("error", (error) => unzip.destroy(error));
  unzip.on("error", () => body.unpipe(unzip));
  return body.pipe(unzip);
}

/** @throws AppError `payload_too_large`, `git_protocol` */
async function readAll(source: Readable, most: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of source as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > most) throw new AppError("payload_too_large");
      parts.push(part);
    }
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code?.startsWith("Z_") === true ? new AppError("git_protocol", { cause: error }) : error;
  }
  return Buffer.concat(parts);
}
