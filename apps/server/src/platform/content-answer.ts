import { AppError } from "@syla/contracts/errors";
import type { BlobRef, Blobs } from "./blobs.ts";
import { readRange } from "./byte-range.ts";
import { answer, type Answer } from "./http-call.ts";

/** What a request says of the content that it asks for. */
export interface ContentRequest {
  readonly range?: string | undefined;
  readonly "if-none-match"?: string | undefined;
  readonly "if-range"?: string | undefined;
}

/** What a refusal is told with. */
interface Reply {
  header(name: string, value: string): unknown;
}

/** Headers under which a stranger's bytes do no harm, whatever they are: saved as a file, and without any right where a browser shows them. */
export function attachment(name: string, type: string): Record<string, string> {
  return {
    "content-type": type,
    "content-disposition": `attachment; filename*=UTF-8''${encodeFileName(name)}`,
    "content-security-policy": "sandbox; default-src 'none'",
    "cache-control": "private, no-store",
  };
}

/** Source: RFC 8187; these four are legal in a URL's component but not here. */
function encodeFileName(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * Answers with content, or with the part that is asked for, or that the caller has it already.
 *
 * @throws AppError `range_not_satisfiable`
 */
export async function contentAnswer(
  blobs: Pick<Blobs, "open">,
  { sha256, size }: BlobRef,
  request: ContentRequest,
  reply: Reply,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  const etag = `"${sha256}"`;
  // The content never changes, but who may have it does: it is asked for again each time, unless `headers` say otherwise.
  const shared = { "cache-control": "private, no-cache", ...headers, etag, "accept-ranges": "bytes" };
  if (isKnown(request["if-none-match"], etag)) return answer(304, undefined, shared);
  const isSame = request["if-range"] === undefined || request["if-range"] === etag;
  const range = isSame ? readRange(request.range, size) : null;
  if (range === "none") {
    reply.header("content-range", `bytes */${size}`);
    throw new AppError("range_not_satisfiable");
  }
  if (range === null) return answer(200, await blobs.open(sha256), { ...shared, "content-length": String(size) });
  const end = range.offset + range.length;
  return answer(206, await blobs.open(sha256, { start: range.offset, end }), {
    ...shared,
    "content-length": String(range.length),
    "content-range": `bytes ${range.offset}-${end - 1}/${size}`,
  });
}

/** Source: RFC 9110, 13.1.2: compared weakly, so a proxy that has compressed it in between changes nothing. */
function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === "*" || header.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}
