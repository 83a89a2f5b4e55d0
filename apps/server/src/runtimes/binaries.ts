import { execFile } from "node:child_process";
import { accessSync, constants, globSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import type { RuntimeSpec } from "@syla/sandbox/spec";
import type { Candidate, RuntimeDefinition } from "./definition.ts";

const run = promisify(execFile);
const systemFolders = ["/usr/", "/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/"];

/** What `$HOME` and `$RUNTIMES` stand for in a candidate's path. */
export interface BinaryFolders {
  readonly home: string;
  /** Where `syla runtimes install` puts what no package manager has. */
  readonly runtimes: string;
  /** What binaries have said of themselves, by {@link stateOf}: starting a dozen interpreters takes longer than the rest of a server's start. */
  readonly known?: Map<string, string>;
}

/** A binary of this machine. `path` has no links in it. */
export interface FoundBinary {
  readonly path: string;
  readonly version: string | null;
  readonly isDefault: boolean;
  readonly mounts: RuntimeSpec["mounts"];
}

/** Every version of a language on this machine, the default one first, then newest first; each version once. */
export async function findBinaries(definition: RuntimeDefinition, folders: BinaryFolders): Promise<FoundBinary[]> {
  const { candidates, version: words } = definition.binary;
  const paths = new Map<string, Candidate>();
  for (const candidate of candidates)
    for (const path of locate(candidate.path, folders)) {
      const real = realpathSync(path);
      if (!paths.has(real) && isComplete(real, definition)) paths.set(real, candidate);
    }
  const shown = definition.mounts.flatMap((pattern) => globSync(pattern)).map((path) => ({ source: path, target: path }));
  const found = await Promise.all(
    [...paths].map(async ([path, candidate]): Promise<FoundBinary> => ({
      path,
      version: await knowVersion(path, words, folders.known),
      isDefault: candidate.default,
      mounts: [...shown, ...ownMount(definition.name, path, candidate.up)],
    })),
  );
  const unique = found.filter((one, index) => found.findIndex((other) => other.version === one.version) === index);
  return unique.toSorted((a, b) => Number(b.isDefault) - Number(a.isDefault) || compareVersions(b.version, a.version));
}

function locate(pattern: string, folders: BinaryFolders): string[] {
  const path =
    pattern === "$NODE" ? process.execPath : pattern.replace(/^\$HOME(?=\/)/, folders.home).replace(/^\$RUNTIMES(?=\/)/, folders.runtimes);
  return (/[*?[{(]/.test(path) ? globSync(path).toSorted() : [path]).filter(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A Java without its compiler, for one, is of no use. */
function isComplete(path: string, { compile }: RuntimeDefinition): boolean {
  return compile === null || isExecutable(compilerOf(path, compile.compiler));
}

/** The host path of the compiler that belongs to a binary. */
export function compilerOf(binary: string, compiler: string | null): string {
  return compiler === null ? binary : join(dirname(binary), compiler);
}

/** What a sandbox has to show of a binary outside of the folders that it shows anyway. */
function ownMount(name: string, path: string, up: number | null): RuntimeSpec["mounts"] {
  if (systemFolders.some((folder) => path.startsWith(folder))) return [];
  let source = path;
  for (let left = up ?? 0; left > 0; left -= 1) source = dirname(source);
  return [{ source, target: `/opt/runtimes/${name}/${basename(source)}` }];
}

async function knowVersion(binary: string, args: readonly string[], known: BinaryFolders["known"]): Promise<string | null> {
  if (known === undefined) return await readVersion(binary, args);
  const state = stateOf(binary);
  const version = known.get(state) ?? (await readVersion(binary, args));
  if (version !== null) known.set(state, version);
  return version;
}

/** Another one when the binary is replaced or changed. */
function stateOf(binary: string): string {
  const { dev, ino, size, mtimeMs, ctimeMs } = statSync(binary);
  return [binary, dev, ino, size, mtimeMs, ctimeMs].join(" ");
}

/** The first version-like word of what the binary prints; null when it says nothing. */
async function readVersion(binary: string, args: readonly string[]): Promise<string | null> {
  try {
    const { stdout, stderr } = await run(binary, [...args], { timeout: 10_000, env: {} });
    const text = stdout + stderr;
    return /\d+(?:\.\d+)+[\w.-]*/.exec(text)?.[0] ?? /"(\d+)"/.exec(text)?.[1] ?? null;
  } catch {
    return null;
  }
}

function compareVersions(a: string | null, b: string | null): number {
  return (a ?? "").localeCompare(b ?? "", "en", { numeric: true });
}

/** Whether `version` is what `wanted` asks for: `3.11` is 3.11.2 and not 3.110. */
export function matchesVersion(version: string | null, wanted: string): boolean {
  return version !== null && (version === wanted || (version.startsWith(wanted) && !/^[0-9a-z]/i.test(version.slice(wanted.length))));
}
