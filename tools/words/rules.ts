import type { SourceFile } from "../source-files.ts";
import { lineAt } from "../syntax.ts";

/** One forbidden word, at one place. */
export interface FoundWord {
  readonly path: string;
  readonly line: number;
  readonly word: string;
  readonly reason: string;
}

interface WordRule {
  readonly pattern: RegExp;
  readonly reason: string;
}

const rules: readonly WordRule[] = [
  { pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/g, reason: "finish it, or say in docs/verification.md what is missing" },
  { pattern: /\bissue #?\d+\b|\b(?:fixes|closes) #\d+/gi, reason: "say why, not which ticket" },
  {
    pattern: /\/work\/(?:main|shared)|(?<![\w.])\/home\/(?!user\b|you\b|alice\b|syla\b|runner\b)[a-z]\w*|\/tmp\/brief/g,
    reason: "a path of one machine",
  },
  { pattern: /\bsub-?agents?\b|\bshared\/design\b/gi, reason: "tells how it was written instead of what it does" },
  { pattern: /^(?:<{7}|>{7}|={7})(?: |$)/gm, reason: "a leftover of a merge" },
  { pattern: /https?:\/\/[\w.-]*(?:artifactory|nexus|verdaccio|codeartifact)[\w.:/-]*/gi, reason: "a private package registry" },
  { pattern: /\b(?:it|describe|test)\.only\(/g, reason: "the other tests would not run" },
];

/** The files that hold the patterns themselves. */
const exempt = new Set(["tools/words/rules.ts", "tools/test/words.test.ts"]);

/** Finds words that must not be in the repository. */
export function findForbiddenWords(file: SourceFile): FoundWord[] {
  if (exempt.has(file.path)) return [];
  return rules.flatMap(({ pattern, reason }) =>
    [...file.text.matchAll(pattern)].map((match) => ({
      path: file.path,
      line: lineAt(file.text, match.index),
      word: match[0].trim(),
      reason,
    })),
  );
}
