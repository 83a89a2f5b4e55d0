import { hash } from "node:crypto";
import { AppError } from "@syla/contracts/errors";
import { sql } from "kysely";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import type { Blobs } from "./blobs.ts";
import type { Queries } from "./database.ts";
import { checkPaths, findCaseCollisions, mostTreeBytes, mostTreeFiles } from "./paths.ts";

/** One file of a tree. `mode` is 420 (0644), or 493 (0755) for what can be started. */
export interface TreeEntry {
  readonly path: string;
  readonly mode: 420 | 493;
  readonly size: number;
  readonly sha256: string;
}

/** A tree by its hash. */
export interface TreeRef {
  readonly sha256: string;
  readonly files: number;
  readonly bytes: number;
}

/** What differs between two trees; each list in the order of the paths. */
export interface TreeDiff {
  readonly added: readonly TreeEntry[];
  readonly removed: readonly TreeEntry[];
  readonly changed: readonly { readonly from: TreeEntry; readonly to: TreeEntry }[];
}

/** Immutable file trees: each a manifest, stored as a blob and named by its hash. Equal trees are one. */
export interface Trees {
  /**
   * Stores a tree whose files are stored already.
   *
   * @throws AppError `invalid_path` for paths that are not allowed or differ only in case, `payload_too_large`
   */
  put(entries: readonly TreeEntry[], queries?: Queries): Promise<TreeRef>;
  /** The files in the order of their paths. @throws AppError `not_found` */
  read(sha256: string): Promise<readonly TreeEntry[]>;
  /** Undefined when there is no such tree. */
  find(sha256: string): Promise<TreeRef | undefined>;
  diff(from: string | null, to: string | null): Promise<TreeDiff>;
}

const Manifest = z.object({
  version: z.literal(1),
  entries: z.array(z.tuple([z.string(), z.literal([420, 493]), z.int(), z.string().regex(/^[0-9a-f]{64}$/)])),
});

/** Manifests in memory: a tree is read for each file of it that somebody looks at. */
const rememberedBytes = 64 * 1024 ** 2;
/** What an entry takes besides its path: the object and its hash. */
const entryBytes = 200;

/** Trees on top of a store of blobs; `memoryBytes` of manifests are remembered. */
export function openTrees(database: { readonly queries: Queries }, blobs: Blobs, memoryBytes = rememberedBytes): Trees {
  const memory = new LRUCache<string, readonly TreeEntry[]>({
    maxSize: memoryBytes,
    sizeCalculation: (entries) => entries.reduce((sum, { path }) => sum + entryBytes + 2 * path.length, entryBytes),
  });

  const read = async (sha256: string): Promise<readonly TreeEntry[]> => {
    const known = memory.get(sha256);
    if (known !== undefined) return known;
    const { entries } = Manifest.parse(JSON.parse((await blobs.get(sha256)).toString()));
    const files = entries.map(([path, mode, size, content]) => ({ path, mode, size, sha256: content }));
    memory.set(sha256, files);
    return files;
  };

  return {
    read,
    put: async (entries, queries = database.queries) => {
      checkTree(entries);
      const sorted = entries.toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
      const bytes = sorted.reduce((sum, entry) => sum + entry.size, 0);
      const manifest = Buffer.from(
        JSON.stringify({ version: 1, entries: sorted.map(({ path, mode, size, sha256 }) => [path, mode, size, sha256]) }),
      );
      const ref = { sha256: hash("sha256", manifest), files: sorted.length, bytes };
      await blobs.keep(sorted.map((entry) => entry.sha256));
      await blobs.put(manifest);
      await insertTree(queries, ref, sorted);
      return ref;
    },
    find: async (sha256) => {
      const row = await database.queries.selectFrom("trees").selectAll().where("sha256", "=", sha256).executeTakeFirst();
      return row === undefined ? undefined : { sha256: row.sha256, files: row.file_count, bytes: row.total_bytes };
    },
    diff: async (from, to) => {
      const [before, after] = await Promise.all([from, to].map(async (tree) => (tree === null ? [] : await read(tree))));
      return diffEntries(before ?? [], after ?? []);
    },
  };
}

/** One statement: a tree without its list of content would lose that content. */
async function insertTree(queries: Queries, { sha256, files, bytes }: TreeRef, entries: readonly TreeEntry[]): Promise<void> {
  const sizes = new Map(entries.map((entry) => [entry.sha256, entry.size]));
  await sql`with tree as (
      insert into trees (sha256, file_count, total_bytes) values (${sha256}, ${files}, ${bytes}) on conflict do nothing
    )
    insert into tree_blobs (tree_sha256, sha256, size)
    select ${sha256}, content.sha256, content.size from unnest(${[...sizes.keys()]}::text[], ${[...sizes.values()]}::bigint[]) as content(sha256, size)
    on conflict do nothing`.execute(queries);
}

/** What a list of files must be to be a tree. @throws AppError `invalid_path`, `payload_too_large` */
function checkTree(entries: readonly TreeEntry[]): void {
  if (entries.length > mostTreeFiles)
    throw new AppError("payload_too_large", { message: `There are more than ${mostTreeFiles} files.`, hint: "Leave some of them out." });
  const bytes = entries.reduce((sum, entry) => sum + entry.size, 0);
  if (bytes > mostTreeBytes)
    throw new AppError("payload_too_large", {
      message: `The files are larger than ${mostTreeBytes / 1024 / 1024} MiB together.`,
      hint: "Leave some of them out.",
    });
  const paths = entries.map((entry) => entry.path);
  checkPaths(paths);
  const first = findCaseCollisions(paths).next();
  if (first.done === true) return;
  const collision = first.value;
  const [one, other] = collision.map((path) => JSON.stringify(path));
  throw new AppError("invalid_path", {
    message: `The paths ${one} and ${other} differ only in case.`,
    hint: "Rename one of them: not every file system can hold both.",
    fields: [{ path: `files.${indexUnder(paths, collision[1])}.path`, message: `differs from ${one} only in case` }],
  });
}

function indexUnder(paths: readonly string[], place: string): number {
  return paths.findIndex((path) => path === place || path.startsWith(`${place}/`));
}

/** What differs between two lists of files. */
export function diffEntries(before: readonly TreeEntry[], after: readonly TreeEntry[]): TreeDiff {
  const old = new Map(before.map((entry) => [entry.path, entry]));
  const kept = new Set(after.map((entry) => entry.path));
  return {
    added: after.filter((entry) => !old.has(entry.path)),
    removed: before.filter((entry) => !kept.has(entry.path)),
    changed: after.flatMap((to) => {
      const from = old.get(to.path);
      return from === undefined || (from.sha256 === to.sha256 && from.mode === to.mode) ? [] : [{ from, to }];
    }),
  };
}
