import { basename } from "node:path";
import type { AnalysisDocument } from "@syla/contracts/analysis";
import type { ImportSuggestion } from "@syla/contracts/imports";
import type { TreeEntry } from "../platform/trees.ts";
import { pickPython, type Runtimes } from "../runtimes/service.ts";
import { proposeDependencies } from "./dependencies.ts";
import { nodeEntrypoints } from "./node-entrypoints.ts";

const mostEntrypoints = 50;
/** From where on a file is likelier to be the entrypoint than a program at the top of which nothing is known. */
const likelyEnough = 0.5;
/** Packages that nobody needs but to call a language model. */
const modelClients = new Set([
  "mellea",
  "openai",
  "anthropic",
  "ollama",
  "litellm",
  "langchain",
  "llama-index",
  "pydantic-ai",
  "instructor",
  "dspy",
  "@anthropic-ai/sdk",
  "ai",
  "@ai-sdk/openai",
  "@ai-sdk/anthropic",
]);

/** What is known of a program that has been looked at. `analysis` null: it could not be looked at. */
export interface Looked {
  readonly name: string;
  readonly entries: readonly TreeEntry[];
  readonly analysis: AnalysisDocument | null;
  /** What is imported tells what to install, where nothing else does. */
  readonly mayGuess: boolean;
}

/** What to propose for a program. */
export function suggest({ name, entries, analysis, mayGuess }: Looked, runtimes: Pick<Runtimes, "detect" | "list">): ImportSuggestion {
  const paths = new Set(entries.map((entry) => entry.path));
  const manifests = new Set((analysis?.manifests ?? []).flatMap(({ file, kind }) => (kind === "inline" ? [] : [file])));
  const usual = runtimes.list().map((runtime) => runtime.defaultEntrypoint);
  const ofNode = analysis === null ? [] : nodeEntrypoints(analysis, paths);
  const likely = [
    // A notebook is opened, cell by cell; no language runs it as a program.
    ...(analysis?.entrypoints ?? [])
      .filter(({ kind }) => kind !== "notebook")
      .map(({ file, reason, confidence }) => ({ path: file, reason, confidence })),
    ...ofNode.filter(({ confidence }) => confidence >= likelyEnough),
  ];
  const found = [
    ...likely.toSorted((a, b) => b.confidence - a.confidence),
    ...usual
      .filter((path) => paths.has(path))
      .map((path) => ({ path, reason: "Programs of its language usually begin here.", confidence: null })),
    ...entries
      .filter(({ path }) => !path.includes("/") && runtimes.detect(path, "") !== undefined)
      .map(({ path }) => ({ path, reason: "It is a program at the top.", confidence: null })),
    ...ofNode,
  ];
  // A manifest names what is started; itself it is no program.
  const runnable = found.filter(({ path }) => paths.has(path) && !manifests.has(path));
  // The first that speaks for a file counts.
  const firsts = new Map(runnable.toReversed().map((one) => [one.path, one]));
  const entrypoints = runnable.filter((one) => firsts.get(one.path) === one).slice(0, mostEntrypoints);
  const leaveOut = [...new Set((analysis?.secrets ?? []).map((secret) => secret.file))].filter((path) => paths.has(path));
  const taken = entrypoints.find(({ path, confidence }) => !leaveOut.includes(path) && (confidence ?? likelyEnough) >= likelyEnough);
  // What is left out cannot be started; where nothing else is likely enough, somebody has to say whether it is taken.
  const first = taken ?? entrypoints[0];
  const runtime = first === undefined ? undefined : runtimes.detect(first.path, "");
  const wanted = first === undefined || runtime?.definition.name !== "python" ? [] : versionsAskedFor(analysis, first.path);
  const versions = wanted.length === 0 ? [] : (runtimes.list().find((one) => one.name === "python")?.versions ?? []);
  const version = pickPython(
    versions,
    wanted.map(({ constraint }) => constraint),
  );
  return {
    name: name.slice(0, 100) || "Program",
    runtime: runtime?.definition.name ?? null,
    runtimeVersion: version === null || isDefault(version, versions, wanted) ? null : minorOf(version),
    versionWishes: wanted.map(({ constraint, file, line }) => ({
      constraint,
      file,
      line,
      found: version,
      installed: [...versions],
      install: installPython(constraint),
    })),
    entrypoint: first?.path ?? null,
    entrypoints,
    dependencies: proposeDependencies(analysis, { language: runtime?.definition.name ?? null, entrypoint: first?.path ?? "", mayGuess }),
    needsModel: analysis !== null && callsModel(analysis),
    leaveOut,
  };
}

/** What the manifests of the folders that a file lies in say of Python, and the file itself. */
function versionsAskedFor(analysis: AnalysisDocument | null, entrypoint: string): AnalysisDocument["pythonVersions"] {
  return (analysis?.pythonVersions ?? []).filter(({ file, source }) => {
    const folder = file.slice(0, file.lastIndexOf("/") + 1);
    return source === "inline" ? file === entrypoint : entrypoint.startsWith(folder);
  });
}

/** The plain name will do: the default version fits, and nothing speaks against later ones. */
function isDefault(version: string, [first]: readonly string[], wanted: readonly { readonly constraint: string }[]): boolean {
  return version === first && wanted.every(({ constraint }) => /^[\s\d.>=,*]*$/.test(constraint) && !constraint.includes("=="));
}

function minorOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}

/** The command that brings a version to this server. */
function installPython(constraint: string): string {
  return `syla runtimes install python@${/(?:^|[>=~^])\s*(\d+\.\d+)/.exec(constraint)?.[1] ?? "3.13"}`;
}

function callsModel({ slots, calls, dependencies }: AnalysisDocument): boolean {
  return slots.length > 0 || calls.length > 0 || dependencies.some(({ group, name }) => group === null && modelClients.has(name));
}

/** What a program is called after where it comes from. */
export function nameAfter(
  source: { readonly kind: string; readonly name: string | null; readonly path: string | null },
  folder: string | null,
): string {
  const from = source.path ?? source.name ?? folder ?? "";
  const last = basename(from.replace(/\/+$/, ""));
  const bare = last.replace(/\.(zip|tar|tgz|tar\.gz|tar\.zst|git)$/i, "").replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "");
  return bare.trim() || folder || "Program";
}
