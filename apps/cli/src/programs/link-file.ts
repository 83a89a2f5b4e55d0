import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "../cli-error.ts";

/** What a folder was when it and its program were last the same. */
export interface Link {
  readonly server: string;
  readonly id: string;
  readonly revision: number;
  /** Hash and executable bit by path. */
  readonly files: Readonly<Record<string, readonly [sha256: string, executable: boolean]>>;
}

/** The folder, beside the program's files, that remembers this. It is never sent. */
export const linkFolder = ".syla";
const linkName = "program.json";

/** The link of a folder; null when it has none to a program of this server. */
export function readLink(folder: string, server: string): Link | null {
  const path = join(folder, linkFolder, linkName);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw unreadable(path, error);
  }
  try {
    const link = JSON.parse(text) as Partial<Link>;
    if (typeof link.id !== "string" || typeof link.revision !== "number" || typeof link.files !== "object")
      throw new Error("it has another shape");
    return link.server === server ? (link as Link) : null;
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Remembers that the folder and the program are the same now. */
export function writeLink(folder: string, link: Link): void {
  const home = join(folder, linkFolder);
  mkdirSync(home, { recursive: true });
  const temporary = join(home, `${linkName}.${process.pid}`);
  writeFileSync(temporary, `${JSON.stringify(link)}\n`);
  renameSync(temporary, join(home, linkName));
}

function unreadable(path: string, cause: unknown): CliError {
  return new CliError(`${path} cannot be read: ${(cause as Error).message}.`, {
    code: "link_unreadable",
    exit: "config",
    hint: "Delete it; the next push or pull writes it anew.",
    cause,
  });
}
