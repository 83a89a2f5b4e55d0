import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { AppError } from "@syla/contracts/errors";
import type { Runtime } from "@syla/contracts/runtimes";
import type { RuntimeSpec } from "@syla/sandbox/spec";
import { closest } from "fastest-levenshtein";
import { parse } from "yaml";
import { type BinaryFolders, type FoundBinary, compilerOf, findBinaries, matchesVersion } from "./binaries.ts";
import { RuntimeDefinition } from "./definition.ts";

export { pickPython } from "./python-versions.ts";

/** One version of a language of this server: its definition and what was found on this machine. `spec` is null when it is not installed. */
export interface InstalledRuntime {
  readonly definition: RuntimeDefinition;
  readonly spec: RuntimeSpec | null;
  readonly version: string | null;
  /** The host path of its compiler; null when nothing is compiled. */
  readonly compiler: string | null;
  readonly example: string;
  /** The content of the definition's `coverage.file`. */
  readonly tracer: string | null;
}

/** The languages, looked up by name, alias or file. */
export interface Runtimes {
  list(): Omit<Runtime, "packages">[];
  /** The default version of each that is there. */
  installed(): readonly InstalledRuntime[];
  /** What sandboxes are made ready for, in this order: all that start afresh share them; of the others the default versions. */
  toWarm(): RuntimeSpec[];
  /**
   * By name or alias, with a version behind `@` or the default one.
   *
   * @throws AppError `unknown_language`, with the names there are; `unknown_version`, with the versions
   */
  get(name: string): InstalledRuntime;
  /** By the file's extension, else by its first line (`#!`). Undefined when neither tells. */
  detect(entrypoint: string, firstLine: string): InstalledRuntime | undefined;
}

/** A language with every version of it, the default one first. */
interface Language {
  readonly definition: RuntimeDefinition;
  readonly versions: readonly [InstalledRuntime, ...InstalledRuntime[]];
}

/** Reads every `runtime.yaml` below `folder` and looks for the binaries. */
export async function openRuntimes(folder: string, folders: BinaryFolders = { home: "/nowhere", runtimes: "/nowhere" }): Promise<Runtimes> {
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const all = await Promise.all(names.map((entry) => load(join(folder, entry.name), folders)));
  const byName = new Map(
    all.flatMap((language) => [language.definition.name, ...language.definition.aliases].map((name) => [name, language] as const)),
  );
  return {
    list: () => all.map(present),
    installed: () => all.map((language) => language.versions[0]).filter((runtime) => runtime.spec !== null),
    toWarm: () => ["fork", "preboot", "cold"].flatMap((pooling) => all.flatMap((language) => warmVersions(language, pooling))),
    get: (text) => {
      const { name, version } = splitVersion(text);
      const language = byName.get(name.toLowerCase()) ?? unknownLanguage(name, [...byName.keys()], all);
      return version === null ? language.versions[0] : pickVersion(language, version);
    },
    detect: (entrypoint, firstLine) => {
      const extension = extname(entrypoint).toLowerCase();
      const interpreter = /^#!\s*(?:\S*\/env\s+(?:-\S+\s+)*)?(?:\S*\/)?([\w+-]+)/.exec(firstLine)?.[1];
      const found =
        all.find(({ definition }) => definition.extensions.includes(extension)) ??
        all.find(({ definition }) => interpreter !== undefined && definition.shebangs.includes(interpreter));
      return found?.versions[0];
    },
  };
}

function warmVersions({ versions }: Language, pooling: string): RuntimeSpec[] {
  const wanted = pooling === "cold" ? versions : versions.slice(0, 1);
  return wanted.flatMap(({ spec }) => (spec?.pooling === pooling ? [spec] : []));
}

/** `python@3.11` is the language and what its version begins with. */
export function splitVersion(text: string): { name: string; version: string | null } {
  const at = text.indexOf("@");
  return at < 0 ? { name: text, version: null } : { name: text.slice(0, at), version: text.slice(at + 1) };
}

/** What `splitVersion` takes apart. */
export function withVersion(name: string, version: string | null): string {
  return version === null ? name : `${name}@${version}`;
}

async function load(folder: string, folders: BinaryFolders): Promise<Language> {
  const definition = RuntimeDefinition.parse(parse(readFileSync(join(folder, "runtime.yaml"), "utf8")));
  const example = readFileSync(join(folder, exampleName(folder)), "utf8");
  const file = definition.coverage?.file ?? null;
  const texts = { example, tracer: file === null ? null : readFileSync(join(folder, file), "utf8") };
  const [first, ...others] = (await findBinaries(definition, folders)).map((binary) => install(folder, definition, texts, binary));
  return { definition, versions: [first ?? { definition, spec: null, version: null, compiler: null, ...texts }, ...others] };
}

function install(
  folder: string,
  definition: RuntimeDefinition,
  texts: Pick<InstalledRuntime, "example" | "tracer">,
  binary: FoundBinary,
): InstalledRuntime {
  const { pooling, command, preimport, env, bootVariables, reservesMemory, compile, preboot } = definition;
  // Jails are kept apart by this name: those of two versions never serve each other's runs.
  const name = binary.version === null ? definition.name : `${definition.name}@${binary.version}`;
  const base = { name, pooling, command, preimport, env, bootVariables, reservesMemory, binary: binary.path, mounts: binary.mounts };
  const spec = preboot === undefined ? base : withBoot(base, preboot, folder, definition.name);
  const compiler = compile === null ? null : compilerOf(binary.path, compile.compiler);
  return { definition, spec, version: binary.version, compiler, ...texts };
}

function withBoot(spec: RuntimeSpec, preboot: { script: string; command: string[] }, folder: string, name: string): RuntimeSpec {
  const target = `/opt/runtimes/${name}/${preboot.script}`;
  const bootCommand = preboot.command.map((word) => word.replace("{script}", target));
  return { ...spec, bootCommand, mounts: [...spec.mounts, { source: join(folder, preboot.script), target }] };
}

function exampleName(folder: string): string {
  const name = readdirSync(folder).find((file) => file.startsWith("hello."));
  if (name === undefined) throw new Error(`${folder} has no example (hello.*)`);
  return name;
}

function pickVersion({ definition, versions }: Language, wanted: string): InstalledRuntime {
  if (versions[0].spec === null) return versions[0];
  const found = versions.find((runtime) => matchesVersion(runtime.version, wanted));
  if (found !== undefined) return found;
  const known = versions.flatMap((runtime) => (runtime.version === null ? [] : [runtime.version]));
  throw new AppError("unknown_version", {
    message: `${definition.title} ${JSON.stringify(wanted)} is not on this server. It has: ${known.join(", ")}.`,
    details: { known },
    fields: [{ path: "language", message: "unknown version" }],
  });
}

function unknownLanguage(name: string, known: string[], all: readonly Language[]): never {
  const names = all.map(({ definition }) => definition.name);
  const guess = closest(name.toLowerCase(), known);
  throw new AppError("unknown_language", {
    message: `There is no language "${name}". Known: ${names.join(", ")}. Did you mean ${guess}?`,
    details: { known: names, didYouMean: guess },
    fields: [{ path: "language", message: "unknown language" }],
  });
}

function present({ definition, versions }: Language): Omit<Runtime, "packages"> {
  const [{ spec, version, example }] = versions;
  return {
    name: definition.name,
    title: definition.title,
    aliases: definition.aliases,
    extensions: definition.extensions,
    defaultEntrypoint: definition.entrypoint,
    version,
    versions: versions.flatMap((runtime) => (runtime.version === null ? [] : [runtime.version])),
    available: spec !== null,
    pooling: definition.pooling,
    compiled: definition.compile !== null,
    install: spec === null ? definition.install : null,
    example,
  };
}
