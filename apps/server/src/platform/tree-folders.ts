import { hash, randomBytes, randomUUID } from "node:crypto";
import { chmodSync, closeSync, fchmodSync, mkdirSync, openSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { InputTree } from "@syla/sandbox/spec";
import { LRUCache } from "lru-cache";
import type { Blobs } from "./blobs.ts";
import { diffEntries, type TreeDiff, type TreeEntry, type Trees } from "./trees.ts";

/** To go into it, and not to list it: not even for a sandbox whose user is the server's own. */
const unlisted = 0o311;
/** A tree of fewer files and bytes is put into a sandbox sooner than it is shown. */
const fewFiles = 64;
const fewBytes = 1024 ** 2;
/** What a file and a folder take on the disk, whatever is in it. */
const blockBytes = 4096;
/** A tree that differs in so many files, or such a share of them, is written whole. */
const fewChanges = 64;
const changedShare = 1 / 8;
/** Each is a word of what a sandbox is told. */
const mostGone = 512;
const writtenAtOnce = 64;
const rememberedLines = 1000;
/** What nobody has used for so long goes, so that what was deleted is not kept here. */
const mostIdleMs = 3_600_000;
const sweepMs = 300_000;

/** A tree that stays where it is until it is released. */
export interface HeldTree {
  readonly tree: InputTree;
  readonly release: () => void;
}

/** One tree on the disk: its folder has all of it, or what differs from another one's. */
interface Folder {
  readonly sha256: string;
  readonly name: string;
  readonly bytes: number;
  readonly base: Folder | null;
  readonly gone: readonly string[];
  /** Sandboxes that have it, and trees on top of it. */
  users: number;
  /** When the last of them let go of it, by the monotonic clock. */
  usedAt: number;
}

/** What the folders are made of. */
export interface TreeFoldersOptions {
  /** A folder of their own. */
  readonly root: string;
  readonly blobs: Pick<Blobs, "get">;
  readonly trees: Pick<Trees, "read">;
  /** What they may take on the disk; 0: there are none. */
  readonly maxBytes: number;
}

/**
 * Trees as folders, for sandboxes that show them without copying a file: written once, by name of the tree, those that nobody has used for the
 * longest time make room for others. A tree that differs little from an earlier one of the same line is written as what differs.
 *
 * A folder gets its name, which nobody can guess, when all of it is there, and is never changed. It begins empty with each process: it is a cache.
 */
export class TreeFolders {
  /** What a tier is given. */
  readonly folder: string;
  readonly #unfinished: string;
  readonly #options: TreeFoldersOptions;
  /** By the hash of the tree, the one that was used last at the end. */
  readonly #folders = new Map<string, Folder>();
  readonly #making = new Map<string, Promise<Folder | null>>();
  /** The last tree that was written whole, by line. */
  readonly #lines = new LRUCache<string, string>({ max: rememberedLines });
  #bytes = 0;

  constructor(options: TreeFoldersOptions) {
    this.#options = options;
    this.folder = join(options.root, "trees");
    this.#unfinished = join(options.root, "unfinished");
    mkdirSync(this.#unfinished, { recursive: true, mode: 0o711 });
    mkdirSync(this.folder, { recursive: true, mode: 0o711 });
    this.#removeOld();
    setInterval(() => this.#removeIdle(), sweepMs).unref();
  }

  #removeIdle(): void {
    const before = performance.now() - mostIdleMs;
    for (const folder of this.#folders.values()) if (folder.users === 0 && folder.usedAt < before) this.#remove(folder);
  }

  /** Of an earlier process: out of the way at once, and gone when there is time. The data directory's lock keeps others out. */
  #removeOld(): void {
    chmodSync(this.folder, 0o700);
    for (const name of readdirSync(this.folder)) renameSync(join(this.folder, name), join(this.#unfinished, randomUUID()));
    chmodSync(this.folder, unlisted);
    for (const name of readdirSync(this.#unfinished)) void discard(join(this.#unfinished, name));
  }

  /**
   * The tree as a sandbox can show it, made now if it is not there; null: put its files in one by one. `line` names what a tree is a state of.
   * @throws AppError `not_found` when content of it is missing
   */
  async hold(sha256: string, line: string): Promise<HeldTree | null> {
    const entries = await this.#options.trees.read(sha256);
    if (!this.#isWorthwhile(entries)) return null;
    const folder = this.#folders.get(sha256) ?? (await this.#makeOnce(sha256, line, entries));
    // One that was made for somebody else may have made room again.
    if (folder === null || this.#folders.get(sha256) !== folder) return null;
    this.#folders.delete(sha256);
    this.#folders.set(sha256, folder);
    folder.users += 1;
    let isHeld = true;
    return {
      tree: {
        layers: folder.base === null ? [folder.name] : [folder.name, folder.base.name],
        gone: folder.gone,
        files: () => this.#read(entries),
      },
      release: () => {
        if (isHeld) letGo(folder);
        isHeld = false;
      },
    };
  }

  #isWorthwhile(entries: readonly TreeEntry[]): boolean {
    if (this.#options.maxBytes === 0) return false;
    return entries.length > fewFiles || sumOf(entries) - entries.length * blockBytes > fewBytes;
  }

  async *#read(entries: readonly TreeEntry[]) {
    for (const { path, mode, sha256 } of entries) yield { path, mode, content: await this.#options.blobs.get(sha256) };
  }

  async #makeOnce(sha256: string, line: string, entries: readonly TreeEntry[]): Promise<Folder | null> {
    const made = this.#making.get(sha256) ?? this.#make(sha256, line, entries).finally(() => this.#making.delete(sha256));
    this.#making.set(sha256, made);
    return await made;
  }

  /** Null where there is no room. */
  async #make(sha256: string, line: string, entries: readonly TreeEntry[]): Promise<Folder | null> {
    const base = this.#folders.get(this.#lines.get(line) ?? "") ?? null;
    const diff = base === null ? null : diffEntries(await this.#options.trees.read(base.sha256), entries);
    const gone = diff === null ? [] : whatIsGone(diff, entries);
    const isSmall =
      diff !== null && isFew(diff, entries.length) && gone.length <= mostGone && this.#folders.get(base?.sha256 ?? "") === base;
    const below = isSmall ? base : null;
    const written = isSmall ? [...diff.added, ...diff.changed.map(({ to }) => to)] : entries;
    const bytes = sumOf(written);
    if (below !== null) below.users += 1; // from now on it stays
    const hasRoom = this.#makeRoom(bytes);
    if (hasRoom) this.#bytes += bytes;
    let name: string | null = null;
    try {
      if (hasRoom) name = await this.#write(written);
    } finally {
      if (name === null) {
        if (hasRoom) this.#bytes -= bytes;
        if (below !== null) letGo(below);
      }
    }
    if (name === null) return null;
    const folder = { sha256, name, bytes, base: below, gone: isSmall ? gone : [], users: 0, usedAt: performance.now() };
    this.#folders.set(sha256, folder);
    if (below === null) this.#lines.set(line, sha256);
    return folder;
  }

  /** Whether there is room for so much, once what nobody uses is gone. */
  #makeRoom(bytes: number): boolean {
    const { maxBytes } = this.#options;
    if (bytes > maxBytes / 2) return false;
    while (this.#bytes + bytes > maxBytes) {
      const oldest = [...this.#folders.values()].find(({ users }) => users === 0);
      if (oldest === undefined) return false;
      this.#remove(oldest); // which may set the one below it free
    }
    return true;
  }

  /** Takes its name away first, so that nobody finds half of it. */
  #remove(folder: Folder): void {
    this.#folders.delete(folder.sha256);
    this.#bytes -= folder.bytes;
    if (folder.base !== null) letGo(folder.base);
    const dying = join(this.#unfinished, randomUUID());
    renameSync(join(this.folder, folder.name), dying);
    void discard(dying);
  }

  /** A folder of these files; null when the disk does not take them, or what is stored is not what it was: nothing may be kept of that. */
  async #write(entries: readonly TreeEntry[]): Promise<string | null> {
    const name = randomBytes(20).toString("hex");
    const folder = join(this.#unfinished, randomUUID());
    try {
      makeFolder(folder);
      const made = new Set([folder]);
      for (const [index, entry] of entries.entries()) {
        if (index % writtenAtOnce === 0) await nextTurn();
        const path = join(folder, entry.path);
        makeFolders(dirname(path), made);
        await this.#writeFile(path, entry);
      }
      renameSync(folder, join(this.folder, name));
      return name;
    } catch (error) {
      await discard(folder);
      if (!isOfDisk(error) && !(error instanceof DamagedContentError)) throw error;
      return null;
    }
  }

  async #writeFile(path: string, { sha256, mode }: TreeEntry): Promise<void> {
    const content = await this.#options.blobs.get(sha256);
    if (hash("sha256", content) !== sha256) throw new DamagedContentError(sha256);
    if (content.length > fewBytes) await writeFile(path, content, { flag: "wx", mode });
    const file = openSync(path, content.length > fewBytes ? "r+" : "wx", mode);
    try {
      fchmodSync(file, mode); // whatever this process's mask is
      if (content.length <= fewBytes) writeFileSync(file, content);
    } finally {
      closeSync(file);
    }
  }
}

/** What is stored under a hash has another one. */
class DamagedContentError extends Error {
  override readonly name = "DamagedContentError";
}

function letGo(folder: Folder): void {
  folder.users -= 1;
  folder.usedAt = performance.now();
}

/** It is full, or the paths get too long for it, or it is broken. */
function isOfDisk(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

/** What entries take on the disk: their blocks, and as much for each. */
function sumOf(entries: readonly TreeEntry[]): number {
  return entries.reduce((sum, { size }) => sum + Math.ceil(size / blockBytes) * blockBytes + blockBytes, 0);
}

function isFew({ added, changed }: TreeDiff, files: number): boolean {
  return added.length + changed.length <= Math.max(fewChanges, files * changedShare);
}

/** Paths that have to be hidden: the topmost folders in which nothing is left, and files. What a file has taken the place of, it hides itself. */
function whatIsGone({ removed }: TreeDiff, entries: readonly TreeEntry[]): string[] {
  if (removed.length === 0) return [];
  const files = new Set(entries.map(({ path }) => path));
  const folders = new Set<string>();
  for (const path of files)
    for (let folder = dirname(path); folder !== "." && !folders.has(folder); folder = dirname(folder)) folders.add(folder);
  const gone = new Set<string>();
  for (const { path } of removed) {
    let top = path;
    for (let folder = dirname(path); folder !== "." && !folders.has(folder); folder = dirname(folder)) top = folder;
    if (!files.has(top) && !folders.has(top)) gone.add(top);
  }
  return [...gone];
}

function makeFolders(folder: string, made: Set<string>): void {
  if (made.has(folder)) return;
  makeFolders(dirname(folder), made);
  makeFolder(folder);
  made.add(folder);
}

function makeFolder(folder: string): void {
  mkdirSync(folder, { mode: 0o755 });
  chmodSync(folder, 0o755);
}

/** What cannot be removed now is, when the next process begins. */
async function discard(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true }).catch(() => {});
}
