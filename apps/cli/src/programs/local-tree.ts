import { createHash } from "node:crypto";
import { createReadStream, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ignore, { type Ignore } from "ignore";
import { CliError, usageError } from "../cli-error.ts";
import { ignoredFolders } from "../runs/collect-files.ts";
import { linkFolder } from "./link-file.ts";

/** A file of a folder here. */
export interface LocalEntry {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly executable: boolean;
}

/** Files that say what is not part of a program, each for its folder and what lies below. */
const ignoreFiles = [".gitignore", ".sylaignore"];
const mostFiles = 10_000;

/** The rules of one folder; paths are judged relative to it. */
interface Rules {
  readonly prefix: string;
  readonly rules: Ignore;
}

/** The files of a folder, without what its ignore files leave out, version control, and what tools can make again. Links are left out. */
export async function readLocalTree(folder: string): Promise<LocalEntry[]> {
  return await readEntries(folder, walk(folder, "", []));
}

/** These files of a folder, with what they hold. */
export async function readEntries(folder: string, paths: readonly string[]): Promise<LocalEntry[]> {
  const entries: LocalEntry[] = [];
  for (const path of paths) entries.push(await readEntry(folder, path));
  return entries;
}

function walk(folder: string, prefix: string, above: readonly Rules[]): string[] {
  const rules = [...above, ...readRules(folder, prefix)];
  const found: string[] = [];
  for (const entry of readFolder(join(folder, prefix))) {
    const path = prefix + entry.name;
    if (entry.isSymbolicLink() || isIgnored(rules, path, entry.isDirectory())) continue;
    if (entry.isDirectory() && !ignoredFolders.has(entry.name) && entry.name !== linkFolder) found.push(...walk(folder, `${path}/`, rules));
    if (entry.isFile()) found.push(path);
    if (found.length > mostFiles)
      throw usageError(`${folder} holds more than ${mostFiles} files.`, "Leave some out with a .sylaignore file.");
  }
  return found;
}

function readRules(folder: string, prefix: string): Rules[] {
  return ignoreFiles.flatMap((name) => {
    try {
      return [{ prefix, rules: ignore().add(readFileSync(join(folder, prefix, name), "utf8")) }];
    } catch {
      return [];
    }
  });
}

/** The rules of a deeper folder count after those above it. */
function isIgnored(rules: readonly Rules[], path: string, isFolder: boolean): boolean {
  let ignored = false;
  for (const { prefix, rules: own } of rules) {
    const verdict = own.test(path.slice(prefix.length) + (isFolder ? "/" : ""));
    if (verdict.ignored) ignored = true;
    if (verdict.unignored) ignored = false;
  }
  return ignored;
}

function readFolder(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    const hint = "Name a folder that you can read.";
    throw new CliError(`${folder} cannot be read: ${(cause as Error).message}.`, {
      code: "file_unreadable",
      exit: "no_input",
      hint,
      cause,
    });
  }
}

async function readEntry(folder: string, path: string): Promise<LocalEntry> {
  if (path.includes("\uFFFD")) throw usageError(`The file name "${path}" is not valid UTF-8.`, "Rename the file.");
  const file = join(folder, path);
  const hash = createHash("sha256");
  try {
    const { mode, size } = lstatSync(file);
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
    return { path, size, sha256: hash.digest("hex"), executable: (mode & 0o111) !== 0 };
  } catch (cause) {
    const hint = "Check its permissions.";
    throw new CliError(`${file} cannot be read: ${(cause as Error).message}.`, { code: "file_unreadable", exit: "no_input", hint, cause });
  }
}
