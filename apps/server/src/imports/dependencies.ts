import { posix } from "node:path";
import type { AnalysedDependency, AnalysedManifest, AnalysisDocument } from "@syla/contracts/analysis";
import { isFromElsewhere } from "@syla/contracts/dependency-origin";
import type { Dependencies, DependencySource } from "@syla/contracts/program-config";

const mostPackages = 2000;
const mostConstraint = 200;
/** What says what a program needs, the most telling first, and what is read of it. */
const sources: readonly { readonly source: DependencySource; readonly of: readonly AnalysedDependency["source"][] }[] = [
  { source: "pyproject", of: ["pyproject", "poetry"] },
  { source: "requirements", of: ["requirements"] },
  { source: "inline", of: ["inline"] },
  { source: "package.json", of: ["package.json"] },
  { source: "go.mod", of: ["go.mod"] },
];
/** Files that name packages and that nothing is installed from: what they name is copied. */
const copied: ReadonlySet<AnalysedDependency["source"]> = new Set(["setup.cfg", "setup.py", "pipfile"]);
/** Names that many packages share: none of them is called so. */
const namespaces = new Set(["google"]);
const ecosystems: Readonly<Record<string, AnalysedDependency["ecosystem"]>> = { python: "python", node: "node", go: "go" };
/** Words in the path of a file that is for those who work on the program, and not for the program. */
const asideWords = new Set(
  "dev devel develop development test tests testing doc docs lint linting typing types format ci bench benchmarks build example examples".split(
    " ",
  ),
);

/** A file that may be taken to say what a program needs. */
interface Candidate {
  readonly manifest: AnalysedManifest;
  readonly rank: number;
  readonly dependencies: readonly AnalysedDependency[];
}

interface ProposalOptions {
  /** Null: it is not known. */
  readonly language: string | null;
  readonly entrypoint: string;
  /** What is imported counts where no file names packages. */
  readonly mayGuess: boolean;
}

/** What to install for a program. */
export function proposeDependencies(analysis: AnalysisDocument | null, { language, entrypoint, mayGuess }: ProposalOptions): Dependencies {
  const found = analysis === null ? [] : candidatesOf(analysis, ecosystems[language ?? ""], entrypoint);
  const [best] = found.toSorted((a, b) => compare(orderOf(a, found, entrypoint), orderOf(b, found, entrypoint)));
  const source = sources[best?.rank ?? -1]?.source;
  if (best === undefined || source === undefined) return byHand(analysis, { language, entrypoint, mayGuess });
  return { source, file: best.manifest.file, packages: packagesOf(best.dependencies, analysis) };
}

/** What other files name, else what is imported, for somebody to look at: nothing else says what the program needs. */
function byHand(analysis: AnalysisDocument | null, { language, entrypoint, mayGuess }: ProposalOptions): Dependencies {
  const needed = language === "python" ? (analysis?.dependencies ?? []).filter(({ group }) => group === null) : [];
  const written = needed.filter(({ source, file }) => copied.has(source) && !liesAside(file, entrypoint));
  const guessed = needed.filter(
    ({ source, file, name }) =>
      source === "imports" && !liesAside(file, entrypoint) && !/^(?:test_|conftest\.)/.test(posix.basename(file)) && !namespaces.has(name),
  );
  const packages = packagesOf(written.length > 0 || !mayGuess ? written : guessed, analysis);
  return packages.length === 0 ? { source: "none", file: null, packages } : { source: "manual", file: null, packages };
}

/** Where packages that are proposed to be named by hand come from: files that name them, or, with none, what is imported. */
export function copiedFrom(analysis: AnalysisDocument): string[] {
  return [...new Set(analysis.dependencies.filter(({ source, group }) => copied.has(source) && group === null).map(({ file }) => file))];
}

function candidatesOf(analysis: AnalysisDocument, ecosystem: AnalysedDependency["ecosystem"] | undefined, entrypoint: string): Candidate[] {
  const byFile = Map.groupBy(
    analysis.dependencies.filter((one) => one.group === null && (ecosystem === undefined || one.ecosystem === ecosystem)),
    ({ file }) => file,
  );
  return analysis.manifests.flatMap((manifest) => {
    const rank = sources.findIndex(({ source }) => source === manifest.kind);
    // The block of a script is for that script.
    const isOther = manifest.kind === "inline" && manifest.file !== entrypoint;
    if (rank < 0 || isOther || isAside(manifest, entrypoint)) return [];
    const dependencies = withIncluded(analysis.manifests, manifest.file)
      .flatMap((file) => byFile.get(file) ?? [])
      .filter((one) => sources[rank]?.of.includes(one.source));
    return dependencies.length === 0 ? [] : [{ manifest, rank, dependencies }];
  });
}

/** A file and all that it includes, in circles or not. */
function withIncluded(manifests: readonly AnalysedManifest[], file: string): string[] {
  const files = new Set([file]);
  for (const one of files)
    for (const manifest of manifests) if (manifest.file === one) for (const included of manifest.includes) files.add(included);
  return [...files];
}

/** For tests, documentation and the like, unless the program itself lies there. */
function isAside({ kind, file }: AnalysedManifest, entrypoint: string): boolean {
  const words = kind === "requirements" ? posix.basename(file, ".txt").split(/[-_.]/) : [];
  return liesAside(file, entrypoint) || words.some((word) => asideWords.has(word.toLowerCase()));
}

function liesAside(file: string, entrypoint: string): boolean {
  const folders = posix.dirname(file).split("/");
  const shared = entrypoint.split("/").slice(0, -1);
  const own = folders.filter((_, at) => folders.slice(0, at + 1).join("/") !== shared.slice(0, at + 1).join("/"));
  return own.some((word) => asideWords.has(word.toLowerCase()));
}

/** The less the better: near the program, at the top, of the more telling kind, called as usual, and no part of another. */
function orderOf({ manifest: { file }, rank }: Candidate, all: readonly Candidate[], entrypoint: string): (number | string)[] {
  // `requirements/prod.txt` is of the folder that `requirements` lies in.
  const folder = posix.dirname(file).replace(/(?:^|\/)requirements$/, "") || ".";
  const depth = folder === "." ? 0 : folder.split("/").length;
  const isNear = folder === "." || entrypoint.startsWith(`${folder}/`);
  const isIncluded = all.some(({ manifest }) => manifest.file !== file && manifest.includes.includes(file));
  const isUsual = posix.basename(file) === "requirements.txt";
  return [isNear ? 0 : 1, depth, rank, isUsual ? 0 : 1, isIncluded ? 1 : 0, file];
}

function compare(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  const at = a.findIndex((part, index) => part !== b[index]);
  return at < 0 ? 0 : (a[at] ?? "") < (b[at] ?? "") ? -1 : 1;
}

/** What an index can be asked for. A name that is written with an address or a path anywhere is nothing to ask an index for: what it has by that name is not meant. */
function packagesOf(found: readonly AnalysedDependency[], analysis: AnalysisDocument | null): Dependencies["packages"] {
  const elsewhere = new Set((analysis?.dependencies ?? []).filter(isFromElsewhere).map(keyOf));
  const packages = found.filter((one) => !elsewhere.has(keyOf(one)) && constraintOf(one).length <= mostConstraint);
  const byName = new Map(packages.map((one) => [one.name, { name: one.name, constraint: constraintOf(one), extras: one.extras }]));
  return [...byName.values()].slice(0, mostPackages);
}

/** What needs something that comes from no index. */
export function fromElsewhere(analysis: AnalysisDocument | null, language: string | null): AnalysedDependency[] {
  const ecosystem = ecosystems[language ?? ""];
  return (analysis?.dependencies ?? []).filter(
    (one) => isFromElsewhere(one) && one.group === null && (ecosystem === undefined || one.ecosystem === ecosystem),
  );
}

function constraintOf({ ecosystem, constraint, url, source, marker }: AnalysedDependency): string {
  if (ecosystem === "node" && url !== null) return url;
  // A file says by itself when something is needed.
  return `${constraint ?? ""}${marker !== null && copied.has(source) ? ` ; ${marker}` : ""}`;
}

function keyOf({ ecosystem, name }: AnalysedDependency): string {
  return `${ecosystem} ${name.toLowerCase().replaceAll(/[-_.]+/g, "-")}`;
}
