import { posix } from "node:path";
import { AppError, type FieldProblem } from "@syla/contracts/errors";
import type { ProgramConfig } from "@syla/contracts/program-config";
import type { Blobs } from "../platform/blobs.ts";
import type { TreeEntry } from "../platform/trees.ts";
import type { InstalledRuntime } from "../runtimes/service.ts";
import { readNodeManifest } from "./node-manifest.ts";
import { readPoetry } from "./poetry.ts";
import { problemOf, readRequirements } from "./python-requirements.ts";
import type { EnvironmentRequest } from "./request.ts";
import { managerOf } from "./tools.ts";

const maxManifestBytes = 1024 * 1024;
const maxLockBytes = 16 * 1024 * 1024;
const mostProblems = 100;
const textFile = /\.(?:txt|in|toml|json|mod|sum|lock|cfg|pip)$|(?:^|\/)[\w.-]*requirements[\w.-]*$/i;

const lockNames = new Set(["package-lock.json", "npm-shrinkwrap.json", "uv.lock", "go.sum"]);

/** The files of a program, as far as they say what it needs. */
interface Files {
  /** Undefined: there is none. @throws AppError `dependencies_unsupported` for one that is too large to be read */
  readonly get: (path: string) => string | undefined;
}
type Part = Pick<EnvironmentRequest, "source" | "dependencies" | "files">;

/**
 * What a program needs, from its configuration and its files. Null: nothing that would have to be installed, or it brings that with it.
 *
 * @throws AppError `dependencies_unsupported` with each place that asks for something else than packages of the index
 */
export async function readRequest(
  blobs: Blobs,
  runtime: InstalledRuntime,
  config: Pick<ProgramConfig, "dependencies" | "entrypoint">,
  entries: readonly TreeEntry[],
): Promise<EnvironmentRequest | null> {
  const language = runtime.definition.name;
  const manager = managerOf(language);
  if (manager === null || config.dependencies.source === "none" || bringsItsOwn(manager, entries)) return null;
  const files = await readTexts(blobs, config, entries);
  const part = manager === "uv" ? pythonPart(config, files) : manager === "npm" ? nodePart(config, files) : goPart(config, files);
  if (part === null) return null;
  return { manager, language, runtimeVersion: runtime.version ?? "", ...part };
}

/** Its packages are among its files. */
function bringsItsOwn(manager: string, entries: readonly TreeEntry[]): boolean {
  const folder = manager === "npm" ? "node_modules/" : manager === "go" ? "vendor/" : null;
  return folder !== null && entries.some(({ path }) => path.startsWith(folder));
}

async function readTexts(
  blobs: Blobs,
  config: Pick<ProgramConfig, "dependencies" | "entrypoint">,
  entries: readonly TreeEntry[],
): Promise<Files> {
  const wanted = entries.filter(({ path }) => textFile.test(path) || path === config.dependencies.file || path === config.entrypoint);
  const near = wanted.filter(({ path }) => path.split("/").length <= 4).slice(0, 200);
  const mostBytes = (path: string) => (isLock(path, config.dependencies.file) ? maxLockBytes : maxManifestBytes);
  const tooLarge = new Set(near.filter(({ path, size }) => size > mostBytes(path)).map(({ path }) => path));
  const small = near.filter(({ path }) => !tooLarge.has(path));
  const texts = new Map(await Promise.all(small.map(async ({ path, sha256 }) => [path, (await blobs.get(sha256)).toString()] as const)));
  return {
    get: (path) => {
      if (tooLarge.has(path)) refuse([{ path, message: `is larger than ${mostBytes(path) / 1024 / 1024} MiB` }]);
      return texts.get(path);
    },
  };
}

/** Whether a file is a lock, which is handed on as it is: beside what it belongs to, and not read in place of that. */
function isLock(path: string, manifest: string | null): boolean {
  const folders = [".", posix.dirname(manifest ?? ".")];
  return path !== manifest && lockNames.has(posix.basename(path)) && folders.includes(posix.dirname(path));
}

function pythonPart({ dependencies, entrypoint }: Pick<ProgramConfig, "dependencies" | "entrypoint">, files: Files): Part | null {
  const { source } = dependencies;
  if (source === "requirements") {
    const file = dependencies.file ?? "requirements.txt";
    const found = readRequirements(file, (path) => files.get(path));
    refuse(found.problems);
    if (!found.requirements.some((line) => !line.startsWith("-"))) return null;
    const constraints = found.constraints.length === 0 ? {} : { "constraints.txt": lines(found.constraints) };
    const text = lines(found.requirements);
    const remark = "is not installed: the program's own files are found as they are. What they need has to be listed.";
    const remarks = found.skipped.length === 0 ? {} : { "remarks.txt": lines(found.skipped.map((place) => `${place} ${remark}`)) };
    // With a hash for each of them it is a lock already: nothing is left to choose.
    const isPinned = found.requirements.every((line) => line.startsWith("-") || (/==\S/.test(line) && line.includes("--hash=")));
    return {
      source,
      dependencies: names(found.requirements),
      files: { ...(isPinned ? { "lock.txt": text } : { "requirements.txt": text, ...constraints }), ...remarks },
    };
  }
  if (source === "pyproject") {
    const file = dependencies.file ?? "pyproject.toml";
    const text = files.get(file) ?? missing(file);
    const lock = files.get(posix.join(posix.dirname(file), "uv.lock"));
    const poetry = lock === undefined ? readPoetry(file, text) : null;
    if (poetry !== null) {
      refuse(poetry.problems);
      const { requirements } = poetry;
      return requirements.length === 0
        ? null
        : { source, dependencies: names(requirements), files: { "requirements.txt": lines(requirements) } };
    }
    const written = dependencies.packages.map(formatPython);
    if (lock === undefined && written.length === 0 && !/^[ \t]*dependencies\s*=\s*\[\s*[^\]\s]/m.test(text)) return null;
    return { source, dependencies: written, files: { "pyproject.toml": text, ...(lock === undefined ? {} : { "uv.lock": lock }) } };
  }
  if (source === "inline") {
    const text = inlineBlock(files.get(dependencies.file ?? entrypoint) ?? "");
    if (text === null) return null;
    return { source, dependencies: dependencies.packages.map(formatPython), files: { "pyproject.toml": text } };
  }
  const written = dependencies.packages.map(formatPython);
  refuse(written.flatMap((line, index) => problemAt(`config.dependencies.packages.${index}`, line)));
  return written.length === 0 ? null : { source, dependencies: written, files: { "requirements.txt": lines(written.toSorted()) } };
}

function problemAt(path: string, line: string): FieldProblem[] {
  const message = /[\n\r#]|^-/.test(line) ? "is not a requirement" : problemOf(line);
  return message === null ? [] : [{ path, message }];
}

/** The metadata of a script. Source: PEP 723. */
export function inlineBlock(script: string): string | null {
  const found = script.split(/\r?\n/);
  for (let at = found.indexOf("# /// script"); at >= 0; at = found.indexOf("# /// script", at + 1)) {
    const begin = at + 1;
    at = begin;
    while (isComment(found[at]) && (at === begin || found[at]?.trimEnd() !== "# ///")) at += 1;
    if (at > begin && found[at]?.trimEnd() === "# ///") return lines(found.slice(begin, at).map((line) => line.slice(2)));
  }
  return null;
}

function isComment(line: string | undefined): boolean {
  return line !== undefined && (line === "#" || line.startsWith("# ")) && !line.includes("\r");
}

function formatPython({ name, constraint, extras }: ProgramConfig["dependencies"]["packages"][number]): string {
  return `${name}${extras.length === 0 ? "" : `[${extras.join(",")}]`}${constraint.trim() === "*" ? "" : constraint}`;
}

function nodePart({ dependencies }: Pick<ProgramConfig, "dependencies">, files: Files): Part | null {
  const { source } = dependencies;
  if (source === "manual") {
    const written = Object.fromEntries(dependencies.packages.map(({ name, constraint }) => [name, constraint || "*"]));
    const manifest = readNodeManifest("config.dependencies", JSON.stringify({ dependencies: written }));
    refuse(manifest.problems);
    return manifest.dependencies.length === 0
      ? null
      : { source, dependencies: manifest.dependencies, files: { "package.json": manifest.text } };
  }
  const file = dependencies.file ?? "package.json";
  const manifest = readNodeManifest(file, files.get(file) ?? missing(file));
  refuse(manifest.problems);
  if (manifest.dependencies.length === 0) return null;
  const beside = (name: string) => files.get(posix.join(posix.dirname(file), name));
  const lock = beside("npm-shrinkwrap.json") ?? beside("package-lock.json");
  return {
    source,
    dependencies: manifest.dependencies,
    files: { "package.json": manifest.text, ...(lock === undefined ? {} : { "package-lock.json": lock }) },
  };
}

function goPart({ dependencies }: Pick<ProgramConfig, "dependencies">, files: Files): Part | null {
  const text = files.get("go.mod");
  if (text === undefined) return null;
  const required = [...text.matchAll(/^[ \t]*(?:require[ \t]+)?([\w.~-]+(?:\/[\w.~-]+)+)[ \t]+(v[\w.+-]+)/gm)].map(
    ([, path, version]) => `${path}@${version}`,
  );
  if (required.length === 0) return null;
  const local = /^[ \t]*(?:replace[ \t]+)?\S+(?:[ \t]+v\S+)?[ \t]+=>[ \t]+(\.{1,2}\/\S*|\/\S*)[ \t]*$/m.exec(text)?.[1];
  if (local !== undefined)
    refuse([{ path: "go.mod", message: `replaces a module by the folder ${local}; only modules of the proxy can be installed` }]);
  const sums = files.get("go.sum");
  return {
    source: dependencies.source,
    dependencies: required,
    files: { "go.mod": text, ...(sums === undefined ? {} : { "go.sum": sums }) },
  };
}

function lines(entries: readonly string[]): string {
  return entries.map((line) => `${line}\n`).join("");
}

function names(requirements: readonly string[]): string[] {
  return requirements.filter((line) => !line.startsWith("-")).map((line) => (line.split("--hash=", 1)[0] ?? "").trimEnd().slice(0, 200));
}

function missing(file: string): never {
  throw new AppError("dependencies_unsupported", {
    message: `The dependencies are to be read from ${file}, which is not among the files.`,
    fields: [{ path: "config.dependencies.file", message: "must be one of the files" }],
  });
}

function refuse(problems: readonly FieldProblem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  throw new AppError("dependencies_unsupported", {
    message: `The dependencies cannot be installed: ${first.path} ${first.message}.`,
    fields: problems.slice(0, mostProblems),
  });
}
