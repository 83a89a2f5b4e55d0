import { posix } from "node:path";
import type { AnalysisDocument } from "@syla/contracts/analysis";

/** Where a source lies of which only the built file is named. */
const built = /^(?:dist|build|lib|out)\//;
const endings = ["", ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", "/index.js", "/index.mjs", "/index.cjs", "/index.ts", "/index.mts"];
const usual = ["index", "src/index", "src/main", "main", "server", "app", "src/server", "src/app"];
/** At the top, and below it. */
const usualConfidence = [0.5, 0.3] as const;

/** The files that each `package.json` starts: what it names, the source of that, or what is usual when it names nothing that is there. */
export function nodeEntrypoints(
  { manifests, entrypoints }: Pick<AnalysisDocument, "manifests" | "entrypoints">,
  paths: ReadonlySet<string>,
): { path: string; reason: string; confidence: number }[] {
  return manifests.flatMap(({ kind, file }) => {
    if (kind !== "package.json") return [];
    const find = (targets: readonly string[]) => findFile(posix.dirname(file), targets, paths);
    const named = entrypoints
      .filter((one) => one.file === file && one.target !== null)
      .flatMap(({ kind: how, target, reason, confidence }) => {
        // Of a command each word may be the file.
        const words = (target ?? "")
          .split(how === "node_script" ? /[\s"'&|;]+/ : "\n")
          .filter((word) => word !== "" && word !== "." && word !== "..");
        const path = find(words.flatMap((word) => [word, ...sourcesOf(word)]));
        return path === undefined ? [] : [{ path, reason, confidence }];
      });
    if (named.length > 0) return named;
    const path = find(usual);
    return path === undefined
      ? []
      : [{ path, reason: `Programs usually begin here beside ${file}.`, confidence: usualConfidence[file.includes("/") ? 1 : 0] }];
  });
}

/** What `dist/a.js` is likely built of. */
function sourcesOf(target: string): string[] {
  const path = posix.normalize(target);
  if (!built.test(path)) return [];
  const inner = path.replace(built, "").replace(/\.[cm]?js$/, "");
  // Some compilers put `src/a.ts` to `dist/src/a.js`.
  return [`src/${inner}`, inner];
}

function findFile(folder: string, targets: readonly string[], paths: ReadonlySet<string>): string | undefined {
  return targets
    .flatMap((target) => endings.map((ending) => posix.join(folder, target + ending)))
    .find((path) => paths.has(path) && /\.[cm]?[jt]s$/.test(path));
}
