import type { TreeFileInput } from "@syla/contracts/assets";
import { AppError, type FieldProblem } from "@syla/contracts/errors";
import type { TreeChange } from "@syla/contracts/programs";
import type { Actor } from "../access/actor.ts";
import type { BlobRef, Blobs } from "../platform/blobs.ts";
import { pathProblem } from "../platform/paths.ts";
import type { TreeEntry } from "../platform/trees.ts";

/** What somebody has uploaded: they may refer to it, and it counts to their storage. */
export interface Uploads {
  uploadSizes(ownerId: string, hashes: readonly string[]): Promise<Map<string, number>>;
  /** @returns those that were not counted before @throws AppError `quota_exceeded` */
  recordUploads(actor: Actor, blobs: readonly BlobRef[]): Promise<readonly BlobRef[]>;
}

/** What storing files needs. */
export interface FilesContext {
  readonly blobs: Blobs;
  readonly uploads: Uploads;
}

/** A deletion or a move looks at every file of the tree: so many looks are taken for one batch. */
const mostLooks = 5_000_000;

/** A batch holds many files: so many are written to the disk at once. */
const atOnce = 16;

/**
 * Stores files of a request. Uploads that they refer to must be the actor's, or be in `known`: content that they may read already.
 *
 * @throws AppError `invalid_path`, `invalid_request`, `blob_unknown`, `quota_exceeded`
 */
export async function storeFiles(
  { blobs, uploads }: FilesContext,
  actor: Actor,
  files: readonly TreeFileInput[],
  known: readonly TreeEntry[] = [],
  fieldOf: (index: number) => string = (index) => `files.${index}`,
): Promise<TreeEntry[]> {
  checkFiles(files, fieldOf);
  const hashes = files.flatMap((file) => ("blob" in file ? [file.blob] : []));
  const sizes = new Map([
    ...known.map((entry) => [entry.sha256, entry.size] as const),
    ...(await uploads.uploadSizes(actor.userId, hashes)),
  ]);
  const unknown = files.flatMap((file, index) =>
    "blob" in file && !sizes.has(file.blob) ? [{ path: `${fieldOf(index)}.blob`, message: "not uploaded by you" }] : [],
  );
  if (unknown.length > 0) throw new AppError("blob_unknown", { fields: unknown });
  const stored: TreeEntry[] = [];
  for (let start = 0; start < files.length; start += atOnce)
    stored.push(...(await Promise.all(files.slice(start, start + atOnce).map((file) => storeFile(blobs, file, sizes)))));
  await uploads.recordUploads(
    actor,
    stored.filter((_, index) => !("blob" in (files[index] ?? {}))),
  );
  return stored;
}

async function storeFile(blobs: Blobs, file: TreeFileInput, sizes: ReadonlyMap<string, number>): Promise<TreeEntry> {
  const place = { path: file.path, mode: file.executable ? (493 as const) : (420 as const) };
  if ("blob" in file) return { ...place, sha256: file.blob, size: sizes.get(file.blob) ?? 0 };
  const bytes = "content" in file ? Buffer.from(file.content) : Buffer.from(file.contentBase64, "base64");
  return { ...place, ...(await blobs.put(bytes)) };
}

function checkFiles(files: readonly TreeFileInput[], fieldOf: (index: number) => string): void {
  const fields: FieldProblem[] = files.flatMap((file, index) =>
    "content" in file && !file.content.isWellFormed()
      ? [{ path: `${fieldOf(index)}.content`, message: "is not valid Unicode: send such bytes in base64" }]
      : [],
  );
  if (fields.length > 0) throw new AppError("invalid_request", { fields });
  for (const [index, file] of files.entries()) requirePath(file.path, `${fieldOf(index)}.path`);
}

function requirePath(path: string, field: string): void {
  const problem = pathProblem(path);
  if (problem === null) return;
  const message = `${JSON.stringify(path)} ${problem}`;
  throw new AppError("invalid_path", { message: `A file path is not allowed: ${message}.`, fields: [{ path: field, message }] });
}

/**
 * The files after a batch of changes, made one after another. `written`: what the writes among them stored, in their order.
 *
 * @throws AppError `file_not_found`, `path_exists`, `invalid_path`, `payload_too_large`
 */
export function applyChanges(entries: readonly TreeEntry[], changes: readonly TreeChange[], written: readonly TreeEntry[]): TreeEntry[] {
  const looking = changes.filter(({ op }) => op !== "write").length;
  if (looking * (entries.length + written.length) > mostLooks)
    throw new AppError("payload_too_large", {
      message: `${looking} deletions and moves are too many at once in a tree of this size.`,
      hint: "Delete or move whole folders, or send fewer changes at a time.",
    });
  const tree = new Map(entries.map((entry) => [entry.path, entry]));
  const writes = written.values();
  changes.forEach((change, index) => {
    if (change.op === "write") {
      const entry = writes.next().value;
      if (entry !== undefined) tree.set(entry.path, entry);
    } else if (change.op === "delete") remove(tree, change.path, `changes.${index}.path`);
    else move(tree, change, `changes.${index}`);
  });
  return [...tree.values()];
}

function remove(tree: Map<string, TreeEntry>, path: string, field: string): void {
  for (const entry of find(tree, path, field)) tree.delete(entry.path);
}

function move(tree: Map<string, TreeEntry>, { from, to, overwrite }: Extract<TreeChange, { op: "move" }>, field: string): void {
  requirePath(to, `${field}.to`);
  const moved = find(tree, from, `${field}.from`);
  if (from === to) return;
  if (to.startsWith(`${from}/`))
    throw new AppError("invalid_path", {
      message: "A folder cannot be moved into itself.",
      fields: [{ path: `${field}.to`, message: "lies in what is moved" }],
    });
  for (const entry of moved) tree.delete(entry.path);
  const there = under(tree, to);
  if (there.length > 0 && !overwrite)
    throw new AppError("path_exists", { fields: [{ path: `${field}.to`, message: `${JSON.stringify(to)} is there already` }] });
  for (const entry of there) tree.delete(entry.path);
  for (const entry of moved) {
    const path = to + entry.path.slice(from.length);
    tree.set(path, { ...entry, path });
  }
}

function find(tree: ReadonlyMap<string, TreeEntry>, path: string, field: string): TreeEntry[] {
  const found = under(tree, path);
  if (found.length > 0) return found;
  throw new AppError("file_not_found", {
    message: `There is no ${JSON.stringify(path)} in this tree.`,
    fields: [{ path: field, message: "is not there" }],
  });
}

/** The file at a path, or all files of the folder at it. */
function under(tree: ReadonlyMap<string, TreeEntry>, path: string): TreeEntry[] {
  const start = `${path}/`;
  const found: TreeEntry[] = [];
  for (const entry of tree.values()) if (entry.path === path || entry.path.startsWith(start)) found.push(entry);
  return found;
}
