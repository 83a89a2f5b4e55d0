import { isFromElsewhere } from "@syla/contracts/dependency-origin";
import type { AnalysedDependency, AnalysisDocument, ProgramConfig } from "@syla/sdk";

export type Dependencies = ProgramConfig["dependencies"];
type Source = Dependencies["source"];

/** Somewhere that a program's dependencies may be taken from. */
interface DependencyOption {
  readonly key: string;
  readonly title: string;
  readonly note: string;
  readonly dependencies: Dependencies;
}

/** What a file counts as; of others the packages can only be copied. */
const sourceOfManifest: Readonly<Record<string, Source>> = {
  pyproject: "pyproject",
  requirements: "requirements",
  inline: "inline",
  "package.json": "package.json",
  "go.mod": "go.mod",
};
const ecosystems: Readonly<Record<string, AnalysedDependency["ecosystem"]>> = { python: "python", node: "node", go: "go" };

/** Whether packages can be installed for a language. */
export function hasPackages(language: string): boolean {
  return ecosystems[language] !== undefined;
}

/** Whether packages can be named by hand: Go reads them from go.mod alone. */
export function takesManual(language: string): boolean {
  return language === "python" || language === "node";
}

export function optionKey({ source, file }: Dependencies): string {
  return `${source} ${file ?? ""}`;
}

/** The files of a program that say what it needs, for its language, the most telling first. */
export function optionsOf(analysis: AnalysisDocument | null, language: string): readonly DependencyOption[] {
  if (analysis === null) return [];
  return analysis.manifests.flatMap(({ kind, file, dynamic }) => {
    const source = sourceOfManifest[kind];
    const packages = packagesIn(analysis, file, language);
    if (source === undefined || ecosystemOf(kind) !== ecosystems[language]) return [];
    const dependencies: Dependencies = { source, file, packages };
    const note = dynamic
      ? "computes some of them when it is built, so not all are known here"
      : packages.length === 0
        ? "names none that are always needed"
        : packages.map((one) => one.name + one.constraint).join(", ");
    return [{ key: optionKey(dependencies), title: kind === "inline" ? `the block in ${file}` : file, note, dependencies }];
  });
}

/** What can be begun with when packages are named by hand: those of all files, and those that are only imported. */
export function knownPackages(analysis: AnalysisDocument | null, language: string): Dependencies["packages"] {
  const found = (analysis?.dependencies ?? []).filter(({ ecosystem, group }) => ecosystem === ecosystems[language] && group === null);
  return unique(found, analysis);
}

/** Those of some packages that no file names: they are only imported, and their names guessed after that. */
export function guessedPackages(analysis: AnalysisDocument | null, packages: Dependencies["packages"]): string[] {
  const all = analysis?.dependencies ?? [];
  const namesOf = (found: readonly AnalysedDependency[]) => new Set(found.map(({ name }) => normalize(name)));
  const guessed = namesOf(all.filter(({ source }) => source === "imports"));
  const written = namesOf(all.filter(({ source }) => source !== "imports"));
  return packages.map(({ name }) => name).filter((name) => guessed.has(normalize(name)) && !written.has(normalize(name)));
}

/** Packages that files disagree about. */
interface Conflict {
  readonly name: string;
  readonly wishes: readonly { readonly constraint: string; readonly file: string; readonly line: number | null }[];
}

/** Packages for which files name different versions: only one file counts. */
export function conflictsOf(analysis: AnalysisDocument | null): readonly Conflict[] {
  const named = (analysis?.dependencies ?? []).filter(({ source, group }) => source !== "imports" && group === null);
  const byName = Map.groupBy(named, ({ ecosystem, name }) => `${ecosystem} ${normalize(name)}`);
  return [...byName.values()].flatMap((wishes) => {
    const [first] = wishes;
    if (first === undefined || new Set(wishes.map(({ constraint }) => constraint ?? "")).size < 2) return [];
    return [
      { name: first.name, wishes: wishes.map(({ constraint, file, line }) => ({ constraint: constraint ?? "any version", file, line })) },
    ];
  });
}

/** The packages of a file and of those that it includes. */
function packagesIn(analysis: AnalysisDocument, file: string, language: string): Dependencies["packages"] {
  const files = new Set([file]);
  for (const each of files)
    for (const { file: other, includes = [] } of analysis.manifests)
      if (other === each) for (const included of includes) files.add(included);
  return unique(
    analysis.dependencies.filter(
      (one) => files.has(one.file) && one.group === null && one.ecosystem === ecosystems[language] && one.source !== "imports",
    ),
    analysis,
  );
}

/** Each package once. One that is written with an address or a path anywhere is none of an index, which may have another by its name. */
function unique(found: readonly AnalysedDependency[], analysis: AnalysisDocument | null): Dependencies["packages"] {
  const elsewhere = new Set((analysis?.dependencies ?? []).filter(isFromElsewhere).map(({ name }) => normalize(name)));
  const packages = found.filter(({ name }) => !elsewhere.has(normalize(name)));
  const byName = new Map(
    packages.map((one) => [normalize(one.name), { name: one.name, constraint: constraintOf(one), extras: [...one.extras] }]),
  );
  return [...byName.values()].slice(0, 2000);
}

function constraintOf({ ecosystem, constraint, url }: AnalysedDependency): string {
  return (ecosystem === "node" && url !== null ? url : constraint) ?? "";
}

function ecosystemOf(kind: string): AnalysedDependency["ecosystem"] {
  return kind === "package.json" ? "node" : kind === "go.mod" ? "go" : "python";
}

function normalize(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, "-");
}
