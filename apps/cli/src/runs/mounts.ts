import { existsSync } from "node:fs";
import { basename, posix, resolve } from "node:path";
import { usageError } from "../cli-error.ts";
import { listFolder, type LocalFile } from "./collect-files.ts";

/** A folder of this machine that a run finds below its working folder. */
export interface Mount {
  readonly folder: string;
  /** Where, relative and with `/`; empty for the working folder itself. */
  readonly path: string;
  /** Its files, under the names that they have in the run. */
  readonly files: readonly LocalFile[];
}

/** Reads `LOCAL[:PATH]`; without a path it has the name of the folder. @throws CliError */
export function readMount(text: string): Mount {
  const at = existsSync(text) ? -1 : text.lastIndexOf(":");
  const folder = resolve(at < 0 ? text : text.slice(0, at));
  const path = at < 0 ? basename(folder) : cleanPath(text.slice(at + 1));
  const files = listFolder(folder).map((file) => ({ ...file, name: posix.join(path, file.name) }));
  return { folder, path, files };
}

function cleanPath(text: string): string {
  const path = posix.normalize(text).replace(/\/$/, "");
  if (text === "" || path.startsWith("/") || path === ".." || path.startsWith("../"))
    throw usageError(`"${text}" is no place for a mount.`, "It lies below the program's working folder: --mount ./numbers:data/numbers.");
  return path === "." ? "" : path;
}

/** The files of all mounts beside those of a program. @throws CliError where two have the same name */
export function mergeMounts(files: readonly LocalFile[], mounts: readonly Mount[]): readonly LocalFile[] {
  const merged = new Map(files.map((file) => [file.name, file]));
  for (const file of mounts.flatMap((mount) => mount.files)) {
    const other = merged.get(file.name);
    if (other !== undefined && other.path !== file.path)
      throw usageError(`${file.path} and ${other.path} would both be ${file.name}.`, "Mount the folder elsewhere: --mount FOLDER:PATH.");
    merged.set(file.name, file);
  }
  return [...merged.values()];
}
