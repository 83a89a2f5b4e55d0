import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { CliError } from "../cli-error.ts";

const fileName = ".syla.yml";

/**
 * The nearest `.syla.yml` of a folder or those above it; null where there is none. One of somebody else, e.g. in /tmp, is refused: it
 * decides what a run may reach.
 */
export function findProjectFile(folder: string): string | null {
  for (let here = resolve(folder); ; here = dirname(here)) {
    const file = join(here, fileName);
    const stats = statSync(file, { throwIfNoEntry: false });
    if (stats?.isFile() === true) {
      requireOwn(file, stats.uid);
      return file;
    }
    if (here === dirname(here)) return null;
  }
}

function requireOwn(file: string, owner: number): void {
  const me = process.getuid?.() ?? owner;
  if (owner === me || owner === 0 || me === 0) return;
  throw new CliError(`${file} belongs to somebody else.`, {
    code: "project_file_refused",
    exit: "config",
    hint: "Copy the folder, so that the file is yours, or leave it out with --no-project.",
  });
}
