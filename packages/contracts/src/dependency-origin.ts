import type { AnalysedDependency } from "./analysis.ts";

/**
 * Whether a package that a program needs comes from an address or a path: no index may be asked for its name, which may be another's there. Go looks
 * replacements up in go.mod itself; `npm:` names another package of the index.
 */
export function isFromElsewhere({ ecosystem, url }: Pick<AnalysedDependency, "ecosystem" | "url">): boolean {
  return url !== null && ecosystem !== "go" && !(ecosystem === "node" && url.startsWith("npm:"));
}
