import { constants, existsSync, lstatSync } from "node:fs";
import { open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Syla } from "@syla/sdk";
import { CliError } from "../cli-error.ts";
import { makeFolder } from "../settings/private-file.ts";

/** Saves what a run left in /output below a folder, or of it only these paths; returns how many files. */
export async function downloadArtifacts(
  syla: Syla,
  runId: string,
  folder: string,
  signal: AbortSignal,
  paths: readonly string[] = [],
): Promise<number> {
  const all = await syla.runs.artifacts(runId, { signal });
  const missing = paths.find((path) => !all.some((artifact) => artifact.path === path));
  if (missing !== undefined) {
    throw new CliError(`The run has left no "${missing}".`, {
      code: "no_input",
      exit: "no_input",
      hint: `\`syla runs show ${runId}\` lists what it left.`,
    });
  }
  const artifacts = paths.length === 0 ? all : all.filter(({ path }) => paths.includes(path));
  for (const artifact of artifacts) {
    const target = prepareTarget(resolve(folder), artifact.path);
    const { body } = await syla.runs.downloadArtifact(runId, artifact.id, { signal });
    // O_NOFOLLOW: a link that lies there must not lead the file elsewhere
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
    const file = await open(target, flags);
    await pipeline(body ?? [], file.createWriteStream(), { signal });
  }
  return artifacts.length;
}

/** The names come from the program, which nobody trusts: none may leave the folder, by `..` or by a link. */
function prepareTarget(folder: string, path: string): string {
  const parts = path.split("/");
  if (path.includes("\0") || parts.some((part) => part === "" || part === "." || part === "..")) {
    throw new CliError(`The artifact "${path}" has a name that is not safe here.`, {
      code: "invalid_path",
      exit: "cannot_create",
      hint: "Download it from the run's page.",
    });
  }
  let current = folder;
  createFolder(current);
  for (const part of parts.slice(0, -1)) {
    current = join(current, part);
    if (existsSync(current) && lstatSync(current).isSymbolicLink()) {
      throw new CliError(`${current} is a link; nothing is written through it.`, {
        code: "invalid_path",
        exit: "cannot_create",
        hint: "Choose an empty folder.",
      });
    }
    createFolder(current);
  }
  return join(current, parts.at(-1) as string);
}

function createFolder(folder: string): void {
  try {
    makeFolder(folder);
  } catch (error) {
    throw new CliError(`${folder} cannot be made: ${(error as Error).message}`, {
      code: "cannot_write",
      exit: "cannot_create",
      hint: "Choose another --output-dir.",
      cause: error,
    });
  }
}
