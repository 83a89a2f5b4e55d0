import { lstatSync, readdirSync, readFileSync, statSync, type Stats } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { CliError, usageError } from "../cli-error.ts";
import { didYouMean } from "../did-you-mean.ts";

/** A file to send: where it is here, and what it is called in the sandbox (relative, with `/`). */
export interface LocalFile {
  readonly path: string;
  readonly name: string;
  readonly size: number;
}

/** The files of a program, and the one to start. */
export interface Program {
  readonly files: readonly LocalFile[];
  readonly entrypoint: string;
}

/** Not part of a program: history and what tools can make again. */
export const ignoredFolders = new Set([
  ".git",
  ".hg",
  ".svn",
  "node_modules",
  "__pycache__",
  ".venv",
  "venv",
  ".pytest_cache",
  ".mypy_cache",
]);
const entrypointNames = ["main", "Main", "index", "app", "run", "__main__"];

/** Gathers the program at `target` (a file or a folder) and the extra files. */
export function collectProgram(target: string, extras: readonly string[], entrypoint: string | undefined): Program {
  const stats = statInput(target);
  const base = stats.isDirectory() ? resolve(target) : dirname(resolve(target));
  const files = new Map<string, LocalFile>();
  const add = (file: LocalFile) => files.set(file.name, file);
  if (stats.isDirectory()) walk(resolve(target), base).forEach(add);
  else add({ path: resolve(target), name: basename(target), size: stats.size });
  for (const extra of extras) collectExtra(extra, base).forEach(add);
  const names = [...files.keys()];
  const start = entrypoint ?? (stats.isDirectory() ? guessEntrypoint(target, names) : basename(target));
  if (!files.has(start))
    throw usageError(
      `The entrypoint "${start}" is not among the files.${didYouMean(start, names)}`,
      "--entrypoint names a file relative to the folder.",
    );
  return { files: [...files.values()], entrypoint: start };
}

/** Everything in a folder that may belong to a program, without what tools make anew. */
export function collectFolder(folder: string): readonly LocalFile[] {
  const files = listFolder(folder);
  if (files.length > 0) return files;
  throw new CliError(`${folder} holds no files.`, { code: "empty_code", exit: "no_input", hint: "Name the folder of the program." });
}

/** All files of a folder; none when it is empty. */
export function listFolder(folder: string): readonly LocalFile[] {
  if (!statInput(folder).isDirectory()) throw usageError(`${folder} is a file.`, "Name a folder; --file sends a file.");
  return walk(resolve(folder), resolve(folder));
}

/** Files and folders that are sent besides a program, named as they are below the current folder. */
export function collectExtras(paths: readonly string[]): readonly LocalFile[] {
  return [...new Map(paths.flatMap((path) => collectExtra(path, process.cwd())).map((file) => [file.name, file])).values()];
}

function collectExtra(extra: string, base: string): LocalFile[] {
  const stats = statInput(extra);
  const path = resolve(extra);
  const root = isInside(base, path) ? base : dirname(path);
  if (stats.isDirectory()) return walk(path, root);
  return [{ path, name: toName(root, path), size: stats.size }];
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function toName(root: string, path: string): string {
  const name = relative(root, path).split(sep).join("/");
  if (name.includes("\uFFFD")) throw usageError(`The file name "${name}" is not valid UTF-8.`, "Rename the file.");
  return name;
}

/** Links are followed to files, as they are when the program runs here, but not to folders, which may lead in circles. */
function walk(folder: string, root: string): LocalFile[] {
  const found: LocalFile[] = [];
  for (const entry of readFolder(folder)) {
    const path = join(folder, entry);
    const stats = lstatSync(path).isSymbolicLink() ? statSync(path, { throwIfNoEntry: false }) : lstatSync(path);
    if (stats === undefined) continue;
    if (stats.isDirectory() && !lstatSync(path).isSymbolicLink() && !ignoredFolders.has(entry)) found.push(...walk(path, root));
    if (stats.isFile()) found.push({ path, name: toName(root, path), size: stats.size });
    if (found.length > 10_000)
      throw usageError(`${folder} holds more than 10,000 files.`, "Name the folder of the program itself, or the files with --file.");
  }
  return found;
}

function readFolder(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch (error) {
    throw unreadable(folder, error);
  }
}

/** The file of a folder that is probably started; null when it is not clear. */
export function findEntrypoint(names: readonly string[]): string | null {
  const top = names.filter((name) => !name.includes("/"));
  for (const wanted of entrypointNames) {
    const matches = top.filter((name) => name.replace(/\.[^.]+$/, "") === wanted);
    if (matches.length === 1) return matches[0] as string;
  }
  return names.length === 1 ? (names[0] as string) : null;
}

function guessEntrypoint(target: string, names: readonly string[]): string {
  const found = findEntrypoint(names);
  if (found !== null) return found;
  if (names.length === 0)
    throw new CliError(`${target} holds no files.`, {
      code: "empty_code",
      exit: "no_input",
      hint: "Name a file, or a folder with a program in it.",
    });
  const top = names.filter((name) => !name.includes("/"));
  const list = top.slice(0, 10).join(", ");
  throw usageError(
    `It is not clear which file of ${target} to start.`,
    `Name it with --entrypoint; the folder holds ${list}${top.length > 10 ? ", …" : ""}.`,
  );
}

function statInput(path: string): Stats {
  try {
    const stats = statSync(path);
    if (stats.isFile() || stats.isDirectory()) return stats;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw unreadable(path, error);
    throw new CliError(`There is no file ${path}.${didYouMean(basename(path), neighbours(path))}`, {
      code: "file_not_found",
      exit: "no_input",
      hint: "Check the path; it is relative to the current folder.",
    });
  }
  throw new CliError(`${path} is neither a file nor a folder.`, {
    code: "file_unreadable",
    exit: "no_input",
    hint: "To send code through a pipe, write - in place of the file.",
  });
}

function neighbours(path: string): string[] {
  try {
    return readdirSync(dirname(resolve(path)));
  } catch {
    return [];
  }
}

function unreadable(path: string, cause: unknown): CliError {
  return new CliError(`${path} cannot be read: ${(cause as Error).message}`, {
    code: "file_unreadable",
    exit: "no_input",
    hint: "Check its permissions.",
    cause,
  });
}

/** The bytes of a file, or a coded error. */
export function readInput(path: string): Buffer<ArrayBuffer> {
  try {
    return readFileSync(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}
