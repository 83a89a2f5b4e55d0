import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProjectFile } from "@syla/contracts/project-file";
import { CliError } from "../cli-error.ts";

/** Writes a folder's `.syla.yml`. @throws CliError when there is one, unless it may be replaced */
export async function writeProject(folder: string, settings: ProjectFile, replace: boolean): Promise<string> {
  const file = join(folder, ".syla.yml");
  if (existsSync(file) && !replace) throw isThere(file);
  const { stringify } = await import("yaml");
  const text = `# How Syla runs this folder: docs/how-to/describe-a-project.md lists the keys.\n${stringify(settings)}`;
  try {
    writeFileSync(file, text, { flag: replace ? "w" : "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") throw isThere(file);
    throw new CliError(`${file} cannot be written: ${(cause as Error).message}`, {
      code: "cannot_write",
      exit: "cannot_create",
      hint: "Check who owns the folder.",
      cause,
    });
  }
  return file;
}

function isThere(file: string): CliError {
  return new CliError(`${file} is there already.`, {
    code: "file_exists",
    exit: "cannot_create",
    hint: "Edit it, or replace it with --force.",
  });
}
