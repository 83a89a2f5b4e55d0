import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { BulkResult } from "@syla/contracts/assets";
import { AppError } from "@syla/contracts/errors";
import { pack } from "tar-stream";
import type { Actor } from "../access/actor.ts";
import { holdEach, whileHeld } from "../access/service.ts";
import type { Blobs } from "../platform/blobs.ts";
import { toAppError } from "../platform/http-problem.ts";
import type { TreeEntry } from "../platform/trees.ts";
import { addBlob, createZip } from "../platform/zip.ts";
import type { Workspaces } from "./service.ts";

/** What an archive is made of. */
export interface ExportContext {
  readonly workspaces: Pick<Workspaces, "get" | "files" | "hold">;
  readonly blobs: Blobs;
}

/** Files of all workspaces of one archive together. */
const mostFiles = 20_000;

/** An archive of the files, as it is being written. */
export function exportFiles({ blobs }: Pick<ExportContext, "blobs">, entries: readonly TreeEntry[], format: "zip" | "tar"): Readable {
  return format === "zip" ? toZip(blobs, entries) : toTar(blobs, entries);
}

function toZip(blobs: Blobs, entries: readonly TreeEntry[]): Readable {
  const { zip, output } = createZip();
  for (const { path, mode, size, sha256 } of entries) addBlob(zip, blobs, zipPath(path), { sha256, size }, { mode: 0o100_000 | mode });
  zip.end();
  return output;
}

function toTar(blobs: Blobs, entries: readonly TreeEntry[]): Readable {
  const tar = pack();
  const write = async () => {
    for (const { path, mode, size, sha256 } of entries) {
      const content = await blobs.open(sha256);
      await new Promise<void>((resolve, reject) => {
        const entry = tar.entry({ name: path, mode, size }, (error) => (error ? reject(error) : resolve()));
        pipeline(content, entry).catch(reject);
      });
    }
    tar.finalize();
  };
  write().catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))));
  // Of another kind of stream: a reader that goes away ends both.
  return Readable.from(tar, { objectMode: false });
}

/** A zip archive of several, a folder each. What may not be seen is told in `results.json`. @throws AppError `payload_too_large` */
export async function exportMany(
  { workspaces, blobs }: ExportContext,
  actor: Actor,
  ids: readonly string[],
  gone: AbortSignal,
): Promise<Readable> {
  const results: BulkResult[] = [];
  // Looked at before the next ones are read: all of them together could be far more than is held at once.
  const found: { readonly folder: string; readonly entries: readonly TreeEntry[] }[] = [];
  let files = 0;
  for (const id of new Set(ids)) {
    if (files > mostFiles) throw tooMany();
    try {
      const { name } = await workspaces.get(actor, id);
      const { entries } = await workspaces.files(actor, id);
      files += entries.length;
      found.push({ folder: `${name.replaceAll(/[^\p{L}\p{N} ._-]/gu, "_").replace(/^\.+/, "_")}-${id.slice(-8)}`, entries });
      results.push({ id, ok: true, error: null });
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.status >= 500) throw thrown;
      results.push({ id, ok: false, error: { code: error.code, message: error.message, hint: error.hint } });
    }
  }
  if (files > mostFiles) throw tooMany();
  const shown = results.filter(({ ok }) => ok).map(({ id }) => id);
  const holds = await holdEach(shown, (id) => workspaces.hold(actor, id, gone));
  const { zip, output } = createZip();
  for (const { folder, entries } of found)
    for (const { path, mode, size, sha256 } of entries)
      addBlob(zip, blobs, `${folder}/${zipPath(path)}`, { sha256, size }, { mode: 0o100_000 | mode });
  zip.addBuffer(Buffer.from(`${JSON.stringify({ results }, null, 2)}\n`), "results.json");
  zip.end();
  return whileHeld(output, holds);
}

function tooMany(): AppError {
  return new AppError("payload_too_large", {
    message: `These have more than ${mostFiles} files together, which is the most that one archive holds.`,
    hint: "Export fewer of them at once.",
  });
}

/** A backslash divides folders for many programs that unpack archives, and could lead out of one. */
function zipPath(path: string): string {
  return path.replaceAll("\\", "_");
}
