import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { AppError } from "@syla/contracts/errors";
import { z } from "zod";
import { dataDirectoryAt, readIfPresent, writePrivateFile, type DataDirectory } from "../platform/data-directory.ts";
import { keptFiles } from "./files.ts";

/** Lies in a data directory while something is restored into it: no server starts there. */
const Note = z.object({
  /** Where what was there before is; null: there was nothing. */
  replaced: z.string().nullable(),
  /** What is there is taken away; the place is filled; what was there is put back. */
  step: z.enum(["setting-aside", "filling", "putting-back"]),
});
type Note = z.infer<typeof Note>;

/** What makes an installation, besides its content, which is named by what it is. */
const parts = [...keptFiles(dataDirectoryAt("")).map(({ name }) => name), "postgres/cluster", "postgres/archive"];

/** Whether a restore was cut off here. */
export function isUnfinished({ restoringFile }: DataDirectory): boolean {
  return existsSync(restoringFile);
}

/**
 * Notes that something is restored, and sets aside what is there. Cut off at any point it is done again: what an earlier restore has left half done is
 * removed, and what that one had set aside stays where it is.
 *
 * @returns where what was there is
 */
export function setAside(directory: DataDirectory): string | null {
  let note = readNote(directory);
  if (note?.step === "putting-back") {
    putBackFrom(directory, note.replaced);
    note = undefined;
  }
  if (note?.step === "filling") {
    removeParts(directory);
    return note.replaced;
  }
  const aside = join(directory.root, `replaced-${new Date().toISOString().replaceAll(/[:.]/g, "-")}`);
  const isTaken = parts.some((name) => existsSync(join(directory.root, name)));
  const replaced = note === undefined ? (isTaken ? aside : null) : note.replaced;
  writeNote(directory, { replaced, step: "setting-aside" });
  if (replaced !== null) move(directory.root, replaced);
  writeNote(directory, { replaced, step: "filling" });
  return replaced;
}

/** What could not be restored leaves things as they were. */
export function putBack(directory: DataDirectory, replaced: string | null): void {
  removeParts(directory);
  writeNote(directory, { replaced, step: "putting-back" });
  putBackFrom(directory, replaced);
}

/** It is restored: a server may start. */
export function finishRestore({ restoringFile }: DataDirectory): void {
  rmSync(restoringFile);
}

function putBackFrom(directory: DataDirectory, replaced: string | null): void {
  if (replaced !== null && existsSync(replaced)) {
    move(replaced, directory.root);
    rmSync(replaced, { recursive: true });
  }
  rmSync(directory.restoringFile);
}

/** What is not there has been moved already. */
function move(from: string, to: string): void {
  for (const name of parts) {
    if (!existsSync(join(from, name))) continue;
    mkdirSync(dirname(join(to, name)), { recursive: true, mode: 0o700 });
    renameSync(join(from, name), join(to, name));
  }
}

function removeParts({ root }: DataDirectory): void {
  for (const name of [...parts, "postgres/cluster.new"]) rmSync(join(root, name), { recursive: true, force: true });
}

function writeNote({ restoringFile }: DataDirectory, note: Note): void {
  writePrivateFile(restoringFile, `${JSON.stringify(note)}\n`);
}

function readNote({ restoringFile }: DataDirectory): Note | undefined {
  const text = readIfPresent(restoringFile);
  if (text === undefined) return undefined;
  try {
    return Note.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError("data_dir_unusable", {
      message: `${restoringFile} is damaged.`,
      hint: "Look for a folder `replaced-…` beside it: it holds what was there before.",
      cause,
    });
  }
}
