import type { RunError } from "@syla/contracts/runs";
import type { Blobs } from "../../platform/blobs.ts";
import type { RunConfig } from "../config.ts";
import { readExcerpt, readText } from "./excerpt.ts";
import type { FailedRun } from "./suggestions/advice.ts";
import { suggest } from "./suggestions/suggest.ts";
import { linesOf } from "./trace.ts";

/** A run that failed, and its own files. */
export interface ExplainedRun extends Omit<FailedRun, "paths" | "line"> {
  readonly files: RunConfig["files"];
  /** What it printed as errors, bounded. */
  readonly stderr: string;
}

/** Adds to an error what its run's own files tell: the lines around it, and what is likely to help. Never throws: the error itself counts. */
export async function explainFailure(error: RunError, run: ExplainedRun, blobs: Pick<Blobs, "open">): Promise<RunError> {
  const paths = run.files.map(({ path }) => path).filter((path) => !path.startsWith(".compiled/"));
  const located = await locate(error, run, blobs).catch(() => error);
  const { excerpt } = located;
  const line = excerpt === null ? "" : (excerpt.lines[excerpt.line - excerpt.firstLine] ?? "");
  return { ...located, suggestion: suggest(error, linesOf(run.stderr), { ...run, paths, line }) };
}

async function locate(error: RunError, { files, language }: ExplainedRun, blobs: Pick<Blobs, "open">): Promise<RunError> {
  const location = error.location ?? (await findImport(error, files, blobs));
  const file = location === null ? undefined : files.find(({ path }) => path === location.path);
  if (location === null || file === undefined) return { ...error, location };
  const excerpt = await readExcerpt(blobs, file, location.line);
  const failed = excerpt?.lines[location.line - excerpt.firstLine] ?? "";
  const column = language === "python" && location.column !== null ? location.column + indentOf(failed) : location.column;
  return { ...error, location: { ...location, column }, excerpt };
}

/** Python prints lines without what they are indented by, and counts from there. */
function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

const imported = /Cannot find (?:package|module) '([^']{1,300})' imported from (?:file:\/\/)?\/workspace\/(.{1,300})$/;

/** Node.js names the file of an import that cannot be had, and not the line. */
async function findImport(error: RunError, files: RunConfig["files"], blobs: Pick<Blobs, "open">): Promise<RunError["location"]> {
  const [, wanted, path] = imported.exec(error.message) ?? [];
  const file = files.find((candidate) => candidate.path === path);
  if (wanted === undefined || file === undefined) return null;
  const text = await readText(blobs, file);
  const name = wanted.split("/").at(-1) ?? wanted;
  const index = text?.split("\n").findIndex((line) => /\b(?:import|from|require)\b/.test(line) && line.includes(name)) ?? -1;
  return index === -1 ? null : { path: file.path, file: file.path, line: index + 1, column: null, function: null };
}
