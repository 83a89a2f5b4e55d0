import { existsSync, readFileSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { findEntrypoint, listFolder } from "../runs/collect-files.ts";

/** What can be seen of a folder's program without running it. */
export interface Detected {
  readonly name: string;
  readonly entrypoint: string | null;
  readonly runtime: string | null;
  /** The file that says which packages it needs; the server reads it when the program is pushed. */
  readonly dependencyFile: string | null;
  readonly tests: string | null;
}

/** A language, as the server tells of it. */
export interface KnownLanguage {
  readonly name: string;
  readonly extensions: readonly string[];
}

const dependencyFiles = ["pyproject.toml", "requirements.txt", "package.json", "go.mod"];
const testFiles = ["tests.yaml", "tests.yml", "tests.json"];

/** Looks at a folder. The language is that of the entrypoint, as far as it is known which there are. */
export function detectProject(folder: string, languages: readonly KnownLanguage[]): Detected {
  const names = listFolder(folder).map((file) => file.name);
  const entrypoint = readMain(folder, names) ?? findEntrypoint(names);
  return {
    name: basename(resolve(folder)) || "program",
    entrypoint,
    runtime: entrypoint === null ? null : languageOf(entrypoint, languages),
    dependencyFile: dependencyFiles.find((name) => names.includes(name)) ?? null,
    tests: testFiles.find((name) => names.includes(name)) ?? (names.some((name) => /^tests\/[^/]+\.in$/.test(name)) ? "tests" : null),
  };
}

/** The language of a file; null when its name does not tell. */
export function languageOf(file: string, languages: readonly KnownLanguage[]): string | null {
  return languages.find(({ extensions }) => extensions.includes(extname(file)))?.name ?? null;
}

/** What package.json names as the program, when it is there. */
function readMain(folder: string, names: readonly string[]): string | null {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return null;
  try {
    const { main } = JSON.parse(readFileSync(file, "utf8")) as { readonly main?: unknown };
    const path = typeof main === "string" ? main.replace(/^\.\//, "") : null;
    return path !== null && names.includes(path) ? path : null;
  } catch {
    return null; // what is wrong with it is told by whoever reads it for its packages
  }
}
