import type { Manager } from "../request.ts";

/** An index as builds ask it: what comes from it, and from nowhere else. */
export interface RoutedIndex {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly packages: readonly string[];
  readonly credentialId: string | null;
  /** It is the system's: an equal pattern of somebody's own comes first. */
  readonly isShared: boolean;
}

/** One form for each name, as the index itself has it. Source: PEP 503 for Python; npm's names are lower case where it matters; Go's are exact. */
export function normalizeName(manager: Manager, name: string): string {
  return manager === "uv" ? name.toLowerCase().replaceAll(/[-_.]+/g, "-") : name;
}

const forms: Readonly<Record<Manager, { readonly pattern: RegExp; readonly example: string }>> = {
  uv: { pattern: /^(?:\*|[A-Za-z0-9][A-Za-z0-9._-]*\*?)$/, example: "acme-*" },
  npm: { pattern: /^(?:\*|@[a-z0-9~-][a-z0-9._~-]*\/(?:\*|[a-z0-9~-][a-z0-9._~-]*\*?)|[a-z0-9~-][a-z0-9._~-]*\*?)$/, example: "@acme/*" },
  go: { pattern: /^(?:\*|[A-Za-z0-9][A-Za-z0-9.-]*(?:\/[A-Za-z0-9._~-]+)*(?:\/\*)?)$/, example: "git.example.org/team/*" },
};

/** What is wrong with a pattern; null when it is one. */
export function patternProblem(manager: Manager, pattern: string): string | null {
  const { pattern: form, example } = forms[manager];
  return form.test(pattern) ? null : `is neither the name of a package nor the beginning of names, like ${example}`;
}

/** One form for equal patterns: `acme-*`, `Acme_*` and `acme.*` are the same beginning for Python. */
export function normalizePattern(manager: Manager, pattern: string): string {
  return normalizeName(manager, pattern);
}

/** Which index a package comes from: the pattern that says most. Null: the one that the server is set up with. */
export function routeOf(manager: Manager, indexes: readonly RoutedIndex[], name: string): RoutedIndex | null {
  const wanted = normalizeName(manager, name);
  let best: { readonly index: RoutedIndex; readonly rank: number } | null = null;
  for (const index of indexes)
    for (const pattern of index.packages) {
      const rank = rankOf(manager, pattern, wanted);
      if (rank === null) continue;
      const full = rank * 2 + (index.isShared ? 0 : 1);
      if (best === null || full > best.rank) best = { index, rank: full };
    }
  return best?.index ?? null;
}

/** How much of a name a pattern says; null when it is another one. */
function rankOf(manager: Manager, pattern: string, name: string): number | null {
  const plain = normalizePattern(manager, pattern);
  if (!plain.endsWith("*")) return plain === name ? 1000 : null;
  const start = plain.slice(0, -1);
  const isModule = manager === "go" && name === start.replace(/\/$/, "");
  return name.startsWith(start) || isModule ? start.length : null;
}
