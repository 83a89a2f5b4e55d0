import type { Readable } from "node:stream";
import { AppError } from "@syla/contracts/errors";
import type { ImportProblem } from "@syla/contracts/import-problem";
import type { Blobs } from "../platform/blobs.ts";
import { findCaseCollisions, mostTreeBytes, mostTreeFiles, pathProblem } from "../platform/paths.ts";
import type { TreeEntry } from "../platform/trees.ts";

/** What may be brought in at once. */
export interface ImportLimits {
  readonly bytes: number;
  readonly files: number;
}

export const importLimits: ImportLimits = { bytes: mostTreeBytes, files: mostTreeFiles };

/** What came in: files that are stored, and what was wrong with others. */
export interface GatheredFiles {
  readonly entries: readonly TreeEntry[];
  readonly problems: readonly ImportProblem[];
  /** The one folder that everything was in, which is left away. */
  readonly folder: string | null;
}

/** Folders and files that tools make anew, or that are nothing of the program. */
const generated = new Set([
  ".git",
  ".hg",
  ".svn",
  "__MACOSX",
  "__pycache__",
  "node_modules",
  ".venv",
  "venv",
  ".tox",
  ".mypy_cache",
  ".pytest_cache",
]);
const junk = new Set([".DS_Store", "Thumbs.db", "desktop.ini"]);
const setIdBits = 0o6000;
const mostProblems = 1000;
const mostLinkSteps = 40;
/** Larger content is not held in memory. */
const memoryBytes = 256 * 1024;

interface Link {
  readonly path: string;
  /** Of a symbolic link it is seen from the folder of the link. */
  readonly target: string;
  readonly isHard: boolean;
}

/** Takes the files of an import one after another, as hostile as they are, and stores those that a tree may have. */
export class FileSink {
  readonly #blobs: Blobs;
  readonly #limits: ImportLimits;
  readonly #onProgress: (files: number, bytes: number) => void;
  readonly #entries = new Map<string, TreeEntry>();
  readonly #links: Link[] = [];
  readonly #skipped = new Map<string, number>();
  readonly #problems: ImportProblem[] = [];
  #bytes = 0;
  #seen = 0;

  constructor(blobs: Blobs, limits: ImportLimits, onProgress: (files: number, bytes: number) => void = () => {}) {
    this.#blobs = blobs;
    this.#limits = limits;
    this.#onProgress = onProgress;
  }

  problem(severity: ImportProblem["severity"], code: string, path: string | null, message: string): void {
    if (this.#problems.length < mostProblems)
      this.#problems.push({ severity, code, path: path?.slice(0, 1000) ?? null, line: null, column: null, message });
  }

  /**
   * Whether a file of this name is wanted; null when it is not, and why was noted. Every name counts, wanted or not: an archive of a
   * billion empty files is refused as well.
   */
  accept(name: string): string | null {
    this.#seen += 1;
    if (this.#seen > this.#limits.files * 20) throw tooManyFiles(this.#limits);
    const path = name.replace(/^(?:\.\/+)+/, "").replaceAll(/\/{2,}/g, "/");
    const unsafe = unsafeReason(path);
    if (unsafe !== null) {
      this.problem("error", "unsafe_path", name, `${unsafe} It was left out.`);
      return null;
    }
    const parts = path.split("/");
    const made = parts.findIndex((part) => generated.has(part));
    if (made >= 0 || junk.has(parts.at(-1) ?? "")) {
      const place = made >= 0 ? parts.slice(0, made + 1).join("/") : (parts.at(-1) ?? "");
      this.#skipped.set(place, (this.#skipped.get(place) ?? 0) + 1);
      return null;
    }
    if (this.#entries.has(path)) {
      this.problem("error", "duplicate_path", path, "There are two files of this name. The first one was taken.");
      return null;
    }
    return path;
  }

  /** Stores a file whose path was accepted. Of its mode only whether it can be started is kept. @throws AppError `import_too_large` */
  async add(path: string, mode: number, content: Readable | AsyncIterable<Uint8Array>): Promise<void> {
    if (this.#entries.size + 1 > this.#limits.files) throw tooManyFiles(this.#limits);
    const counted = this.#count(content);
    const { sha256, size } = await this.#store(counted);
    if ((mode & setIdBits) !== 0)
      this.problem("info", "mode_dropped", path, "It was to run as its owner or group (setuid, setgid). That was left away.");
    this.#entries.set(path, { path, mode: (mode & 0o111) === 0 ? 420 : 493, size, sha256 });
    this.#onProgress(this.#entries.size, this.#bytes);
  }

  /** Notes a link; what it leads to is copied when everything is there. */
  link(path: string, target: string, isHard: boolean): void {
    if (this.#links.length >= this.#limits.files) throw tooManyFiles(this.#limits);
    this.#links.push({ path, target, isHard });
  }

  /** Ends the import. `strip`: a single folder that everything is in is left away. */
  finish(strip: boolean): GatheredFiles {
    this.#resolveLinks();
    for (const [place, count] of this.#skipped)
      this.problem("info", "left_out", place, `Left out: ${count === 1 ? "one file" : `${count} files`} that tools make anew.`);
    const folder = strip ? commonFolder([...this.#entries.keys()]) : null;
    const entries = [...this.#entries.values()].flatMap((entry) => {
      const path = folder === null ? entry.path : entry.path.slice(folder.length + 1);
      const problem = pathProblem(path);
      if (problem === null) return [{ ...entry, path }];
      this.problem("error", "invalid_path", path, `The path ${problem}. It was left out.`);
      return [];
    });
    const fitting = this.#withoutFilesAsFolders(entries);
    const apart = this.#withoutCollisions(fitting);
    const sorted = apart.toSorted((one, other) => Buffer.compare(Buffer.from(one.path), Buffer.from(other.path)));
    return { entries: sorted, problems: this.#problems, folder };
  }

  async *#count(content: Readable | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of content as AsyncIterable<Uint8Array>) {
      this.#bytes += chunk.length;
      if (this.#bytes > this.#limits.bytes) throw tooLarge(this.#limits);
      yield chunk;
    }
  }

  async #store(content: AsyncGenerator<Uint8Array>): Promise<{ sha256: string; size: number }> {
    const first: Uint8Array[] = [];
    let size = 0;
    for (let next = await content.next(); next.done !== true; next = await content.next()) {
      first.push(next.value);
      size += next.value.length;
      if (size > memoryBytes) return await this.#blobs.putStream(chain(first, content));
    }
    return await this.#blobs.put(Buffer.concat(first));
  }

  #resolveLinks(): void {
    const links = new Map(this.#links.map((link) => [link.path, link]));
    const isFolder = folderFinder([...this.#entries.keys(), ...links.keys()]);
    for (const link of this.#links) {
      const found = this.#follow(link, links, isFolder);
      if (typeof found === "string") this.problem("error", "link_refused", link.path, `${found} It was left out.`);
      else if (this.#entries.size >= this.#limits.files) throw tooManyFiles(this.#limits);
      else for (const entry of found) this.#entries.set(entry.path, entry);
    }
  }

  /** The files that a link stands for, or why there are none. */
  #follow(link: Link, links: ReadonlyMap<string, Link>, isFolder: (path: string) => boolean): TreeEntry[] | string {
    let current = link;
    for (let steps = 0; steps < mostLinkSteps; steps += 1) {
      const target = targetOf(current);
      if (target === null) return "It is a link that leads out of the files.";
      const file = this.#entries.get(target);
      if (file !== undefined) return [{ ...file, path: link.path }];
      const next = links.get(target);
      if (next === undefined)
        return isFolder(target) ? "It is a link to a folder, which is not copied." : "It is a link to something that is not there.";
      current = next;
    }
    return "It is a link in a circle.";
  }

  #withoutCollisions(entries: TreeEntry[]): TreeEntry[] {
    const out = new Set<string>();
    for (const [one, other] of findCaseCollisions(entries.map((entry) => entry.path))) {
      this.problem("error", "case_collision", other, `It differs from ${JSON.stringify(one)} only in case, and was left out.`);
      out.add(other);
    }
    if (out.size === 0) return entries;
    return entries.filter(({ path }) => ![...foldersOf(path), path].some((place) => out.has(place)));
  }

  #withoutFilesAsFolders(entries: TreeEntry[]): TreeEntry[] {
    const files = new Set(entries.map((entry) => entry.path));
    return entries.filter(({ path }) => {
      const parent = foldersOf(path).find((place) => files.has(place));
      if (parent === undefined) return true;
      this.problem("error", "duplicate_path", path, `${JSON.stringify(parent)} is a file and a folder. This one was left out.`);
      return false;
    });
  }
}

/** The folders that a path lies in, the outermost first. */
function foldersOf(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** Finds out whether something lies in a folder. Paths may be long and deep here still: a set of all their folders would be too large. */
function folderFinder(paths: readonly string[]): (folder: string) => boolean {
  const sorted = paths.toSorted((one, other) => (one < other ? -1 : 1));
  return (folder) => {
    const start = `${folder}/`;
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle] ?? "") < start) low = middle + 1;
      else high = middle;
    }
    return sorted[low]?.startsWith(start) === true;
  };
}

async function* chain(first: readonly Uint8Array[], rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* first;
  yield* rest;
}

function unsafeReason(path: string): string | null {
  if (path === "") return "It has no name.";
  if (path.includes("\0")) return "Its name contains a NUL byte.";
  if (!path.isWellFormed() || path.includes("\u{fffd}")) return "Its name is no valid Unicode.";
  if (/[\u0001-\u001f\u007f]/.test(path)) return "Its name contains control characters.";
  if (path.startsWith("/") || /^[A-Za-z]:/.test(path)) return "Its path is absolute.";
  if (path.split("/").includes("..")) return "Its path leads out of the files.";
  return path.split("/").some((part) => part === "" || part === ".") ? "Its path has an empty part." : null;
}

/** Where a link leads, from the root of the files; null when that is outside. */
function targetOf({ path, target, isHard }: Link): string | null {
  if (target === "" || target.startsWith("/") || target.includes("\0") || /^[A-Za-z]:/.test(target)) return null;
  const parts = isHard ? [] : path.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return null;
    } else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

function commonFolder(paths: readonly string[]): string | null {
  const [first = ""] = paths;
  const folder = first.slice(0, first.indexOf("/"));
  return first.includes("/") && paths.every((path) => path.startsWith(`${folder}/`)) ? folder : null;
}

function tooManyFiles({ files }: ImportLimits): AppError {
  return new AppError("import_too_large", { message: `There are more than ${files} files.` });
}

/** Content that is larger than may be brought in. */
export function tooLarge({ bytes }: ImportLimits): AppError {
  return new AppError("import_too_large", { message: `The files are larger than ${Math.round(bytes / 1024 / 1024)} MiB together.` });
}
