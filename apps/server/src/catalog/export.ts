import type { Readable } from "node:stream";
import type { Asset, BulkResult } from "@syla/contracts/assets";
import { AppError } from "@syla/contracts/errors";
import type { ZipFile } from "yazl";
import type { Actor } from "../access/actor.ts";
import { holdEach, whileHeld } from "../access/service.ts";
import type { Blobs } from "../platform/blobs.ts";
import { toAppError } from "../platform/http-problem.ts";
import type { TreeEntry } from "../platform/trees.ts";
import { addBlob, createZip } from "../platform/zip.ts";
import type { Catalog } from "./service.ts";

/** What an archive is made of. */
export interface ExportContext {
  readonly catalog: Pick<Catalog, "get" | "files" | "hold">;
  readonly blobs: Blobs;
}

/** Files of all assets of one archive together. */
const mostFiles = 20_000;
const mostAtOnce = 8;

interface Exported {
  readonly asset: Asset;
  readonly entries: readonly TreeEntry[];
}

/**
 * A zip archive of assets, as it is being written: of each a folder with its files and what is known of it. What may not be seen is told in `results.json`. It
 * is cut off when the access to one of them ends.
 *
 * @throws AppError `payload_too_large`
 */
export async function exportZip(
  { catalog, blobs }: ExportContext,
  actor: Actor,
  ids: readonly string[],
  gone: AbortSignal,
): Promise<Readable> {
  const results = new Map<string, BulkResult>(ids.map((id) => [id, { id, ok: true, error: null }]));
  const attempt = async <T>(id: string, work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work();
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.status >= 500) throw thrown;
      results.set(id, { id, ok: false, error: { code: error.code, message: error.message, hint: error.hint } });
      return null;
    }
  };
  const assets = await each([...results.keys()], (id) => attempt(id, () => catalog.get(actor, id)));
  requireFew(assets);
  const exported = await each(assets, async (asset): Promise<Exported | null> => {
    const entries = await attempt(asset.id, async () => (asset.tree === null ? [] : (await catalog.files(actor, asset.id)).entries));
    return entries === null ? null : { asset, entries };
  });
  const holds = await holdEach(exported, ({ asset }) => catalog.hold(actor, asset.id, gone));
  const { zip, output } = createZip();
  const folders = new Set<string>();
  for (const { asset, entries } of exported) addAsset(zip, blobs, folderOf(asset, folders), asset, entries);
  zip.addBuffer(Buffer.from(`${JSON.stringify({ results: [...results.values()] }, null, 2)}\n`), "results.json");
  zip.end();
  return whileHeld(output, holds);
}

/** What comes of each, some at once, in their order; nothing of null. */
async function each<T, R>(items: readonly T[], work: (item: T) => Promise<R | null>): Promise<R[]> {
  const found: R[] = [];
  for (let start = 0; start < items.length; start += mostAtOnce) {
    const some = await Promise.all(items.slice(start, start + mostAtOnce).map(work));
    found.push(...some.filter((one) => one !== null));
  }
  return found;
}

function requireFew(assets: readonly Asset[]): void {
  const files = assets.reduce((sum, { tree }) => sum + (tree?.files ?? 0), 0);
  if (files <= mostFiles) return;
  throw new AppError("payload_too_large", {
    message: `These have ${files} files together; one archive holds at most ${mostFiles}.`,
    hint: "Export fewer of them at once.",
  });
}

function addAsset(zip: ZipFile, blobs: Blobs, folder: string, asset: Asset, entries: readonly TreeEntry[]): void {
  const mtime = new Date(asset.updatedAt);
  zip.addBuffer(Buffer.from(`${JSON.stringify(describe(asset), null, 2)}\n`), `${folder}/asset.json`, { mtime });
  for (const { path, mode, size, sha256 } of entries)
    addBlob(zip, blobs, `${folder}/files/${zipPath(path)}`, { sha256, size }, { mtime, mode: 0o100_000 | mode });
}

/** What of an asset is the same for whoever exports it. */
function describe({ id, type, name, slug, description, tags, version, config, clonedFrom, importSource, createdAt, updatedAt }: Asset) {
  return { id, type, name, slug, description, tags, version, config, clonedFrom, importSource, createdAt, updatedAt };
}

function folderOf({ id, slug }: Asset, used: Set<string>): string {
  const folder = used.has(slug) ? `${slug}-${id.slice(-8)}` : slug;
  used.add(folder);
  return folder;
}

/** A backslash divides folders for many programs that unpack archives, and could lead out of one. */
function zipPath(path: string): string {
  return path.replaceAll("\\", "_");
}
