import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CliError } from "../cli-error.ts";

/** The folder, beside the files of a program, a composition or a workspace, that remembers what they are on a server. It is never sent. */
export const localFolder = ".syla";

/** What is remembered beside files: one JSON value. */
export interface LocalState<T> {
  /** Its name in the folder. */
  readonly name: string;
  /** The value that was written, checked; throws where it has another shape. */
  readonly parse: (value: unknown) => T;
  /** What becomes of it when it is deleted because it cannot be read, for a person. */
  readonly hint: string;
}

/** What is remembered beside the files of a folder; null when nothing is. Throws `link_unreadable`. */
export function readLocalState<T>(folder: string, { name, parse, hint }: LocalState<T>): T | null {
  const path = join(folder, localFolder, name);
  try {
    return parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new CliError(`${path} cannot be read: ${(cause as Error).message}.`, { code: "link_unreadable", exit: "config", hint, cause });
  }
}

/** Remembers it; whoever reads meanwhile sees what was there before, or all of it. */
export function writeLocalState<T>(folder: string, { name }: LocalState<T>, value: T): void {
  const path = join(folder, localFolder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${process.pid}`, `${JSON.stringify(value)}\n`);
  renameSync(`${path}.${process.pid}`, path);
}

/** Whether it is an object whose parts may be asked for. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
