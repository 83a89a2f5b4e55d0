import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { AppError } from "@syla/contracts/errors";
import type { Runtime } from "@syla/contracts/runtimes";
import type { RuntimeSpec } from "@syla/sandbox/spec";
import { mountsOf } from "@syla/sandbox/wall";
import { closest } from "fastest-levenshtein";
import { parse } from "yaml";
import { RuntimeDefinition } from "./definition.ts";

const run = promisify(execFile);

/** A language of this server: its definition and what was found on this machine. `spec` is null when it is not installed. */
export interface InstalledRuntime {
  readonly definition: RuntimeDefinition;
  readonly spec: RuntimeSpec | null;
  readonly version: string | null;
  readonly example: string;
}

/** The languages, looked up by name, alias or file. */
export interface Runtimes {
  list(): Runtime[];
  installed(): readonly InstalledRuntime[];
  /** @throws AppError `unknown_language`, with the names there are */
  get(name: string): InstalledRuntime;
  /** By the file's extension, else by its first line (`#!`). Undefined when neither tells. */
  detect(entrypoint: string, firstLine: string): InstalledRuntime | undefined;
}

/** Reads every `runtime.yaml` below `folder` and looks for the binaries. */
export async function openRuntimes(folder: string): Promise<Runtimes> {
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const all = await Promise.all(names.map((entry) => load(join(folder, entry.name))));
  const byName = new Map(
    all.flatMap((runtime) => [runtime.definition.name, ...runtime.definition.aliases].map((name) => [name, runtime] as const)),
  );
  return {
    list: () => all.map(present),
    installed: () => all.filter((runtime) => runtime.spec !== null),
    get: (name) => byName.get(name.toLowerCase()) ?? unknownLanguage(name, [...byName.keys()], all),
    detect: (entrypoint, firstLine) => {
      const extension = extname(entrypoint).toLowerCase();
      const interpreter = /^#!\s*(?:\S*\/env\s+(?:-\S+\s+)*)?(?:\S*\/)?([\w+-]+)/.exec(firstLine)?.[1];
      return (
        all.find((runtime) => runtime.definition.extensions.includes(extension)) ??
        all.find((runtime) => interpreter !== undefined && runtime.definition.shebangs.includes(interpreter))
      );
    },
  };
}

async function load(folder: string): Promise<InstalledRuntime> {
  const definition = RuntimeDefinition.parse(parse(readFileSync(join(folder, "runtime.yaml"), "utf8")));
  const example = readFileSync(join(folder, exampleName(folder)), "utf8");
  const binary = definition.binary.candidates.map((path) => (path === "$NODE" ? process.execPath : path)).find((path) => existsSync(path));
  if (binary === undefined) return { definition, spec: null, version: null, example };
  const { name, pooling, command, preimport, env, bootVariables, reservesMemory } = definition;
  const path = realpathSync(binary);
  const spec = { name, pooling, command, preimport, env, bootVariables, reservesMemory, binary: path, mounts: mountsOf(name, path) };
  return { definition, spec, version: await readVersion(binary, definition.binary.version), example };
}

function exampleName(folder: string): string {
  const name = readdirSync(folder).find((file) => file.startsWith("hello."));
  if (name === undefined) throw new Error(`${folder} has no example (hello.*)`);
  return name;
}

/** The first version-like word of what the binary prints; null when it says nothing. */
async function readVersion(binary: string, args: readonly string[]): Promise<string | null> {
  try {
    const { stdout, stderr } = await run(binary, [...args], { timeout: 10_000, env: {} });
    return /\d+(?:\.\d+)+[\w.-]*/.exec(stdout + stderr)?.[0] ?? null;
  } catch {
    return null;
  }
}

function unknownLanguage(name: string, known: string[], all: readonly InstalledRuntime[]): never {
  const names = all.map((runtime) => runtime.definition.name);
  const guess = closest(name.toLowerCase(), known);
  throw new AppError("unknown_language", {
    message: `There is no language "${name}". Known: ${names.join(", ")}. Did you mean ${guess}?`,
    details: { known: names, didYouMean: guess },
    fields: [{ path: "language", message: "unknown language" }],
  });
}

function present({ definition, spec, version, example }: InstalledRuntime): Runtime {
  return {
    name: definition.name,
    title: definition.title,
    aliases: definition.aliases,
    extensions: definition.extensions,
    defaultEntrypoint: definition.entrypoint,
    version,
    available: spec !== null,
    pooling: definition.pooling,
    install: spec === null ? definition.install : null,
    example,
  };
}
