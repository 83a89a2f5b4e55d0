import { createHash } from "node:crypto";
import { createReadStream, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ignore, { type Ignore } from "ignore";
import { CliError, usageError } from "../cli-error.ts";
import { localFolder } from "../project/local-state.ts";
import { ignoredFolders } from "../runs/collect-files.ts";

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

/** Told of what cannot be taken, a file or a folder that ends in `/`, and why. */
export type OnSkip = (path: string, reason: string) => void;

/**
 * The files of a folder, without what its ignore files leave out, version control, and what tools can make again. Links are left out. With `onSkip`
 * what cannot be read or named is left out too.
 */
export async function readLocalTree(folder: string, onSkip?: OnSkip): Promise<LocalEntry[]> {
  return await readEntries(folder, walk(folder, "", [], onSkip), onSkip);
}

/** These files of a folder, with what they hold. */
export async function readEntries(folder: string, paths: readonly string[], onSkip?: OnSkip): Promise<LocalEntry[]> {
  const entries: LocalEntry[] = [];
  for (const path of paths) {
    try {
      entries.push(await readEntry(folder, path));
    } catch (error) {
      if (onSkip === undefined || !(error instanceof CliError)) throw error;
      onSkip(path, error.message);
    }
  }
  return entries;
}

/** Whether a path below the folder is left out of its files, as {@link readLocalTree} leaves them out. */
export function createIgnored(folder: string): (path: string) => boolean {
  const known = new Map<string, readonly Rules[]>();
  const rulesAt = (prefix: string): readonly Rules[] => {
    let rules = known.get(prefix);
    if (rules === undefined) {
      const above = prefix === "" ? [] : rulesAt(prefix.slice(0, prefix.lastIndexOf("/", prefix.length - 2) + 1));
      known.set(prefix, (rules = [...above, ...readRules(folder, prefix)]));
    }
    return rules;
  };
  return (path) => {
    const parts = path.split("/");
    return parts.some((part, index) => {
      const isFolder = index < parts.length - 1;
      if (isFolder && isLeftOut(part)) return true;
      const prefix = parts.slice(0, index).map((parent) => `${parent}/`);
      return isIgnored(rulesAt(prefix.join("")), parts.slice(0, index + 1).join("/"), isFolder);
    });
  };
}

function isLeftOut(folderName: string): boolean {
  return ignoredFolders.has(folderName) || folderName === localFolder;
}

function walk(folder: string, prefix: string, above: readonly Rules[], onSkip?: OnSkip): string[] {
  const rules = [...above, ...readRules(folder, prefix)];
  const found: string[] = [];
  for (const entry of listFolder(folder, prefix, onSkip)) {
    const path = prefix + entry.name;
    if (isIgnored(rules, path, entry.isDirectory())) continue;
    if (entry.isSymbolicLink()) {
      onSkip?.(path, "It is a link.");
      continue;
    }
    if (entry.isDirectory() && !isLeftOut(entry.name)) found.push(...walk(folder, `${path}/`, rules, onSkip));
    if (entry.isFile()) found.push(path);
    if (found.length > mostFiles)
      throw usageError(`${folder} holds more than ${mostFiles} files.`, "Leave some out with a .sylaignore file.");
  }
  return found;
}

function listFolder(folder: string, prefix: string, onSkip: OnSkip | undefined) {
  try {
    return readFolder(join(folder, prefix));
  } catch (error) {
    if (onSkip === undefined || prefix === "" || !(error instanceof CliError)) throw error;
    onSkip(prefix, error.message);
    return [];
  }
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

/** @throws CliError `usage` for a name that is no text, `file_unreadable` */
export async function readEntry(folder: string, path: string): Promise<LocalEntry> {
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
