import { posix } from "node:path";
import type { SourceFile } from "../source-files.ts";
import { lineAt } from "../syntax.ts";

/** A link that leads nowhere. */
export interface BrokenLink {
  readonly path: string;
  readonly line: number;
  readonly target: string;
}

/** Finds links and pictures of Markdown files that lead to no file or folder of the repository. Addresses of the web are not tried. */
export function findBrokenLinks(files: readonly SourceFile[], paths: ReadonlySet<string>): BrokenLink[] {
  const folders = new Set([...paths].flatMap(parentFolders));
  return files.flatMap((file) =>
    [...file.text.matchAll(/\]\((?!https?:|mailto:|#)([^)\s#]+)(?:#[^)]*)?\)/g)].flatMap((match) => {
      const target = match[1] ?? "";
      const resolved = posix.normalize(posix.join(posix.dirname(file.path), target)).replace(/\/$/, "");
      return paths.has(resolved) || folders.has(resolved) ? [] : [{ path: file.path, line: lineAt(file.text, match.index), target }];
    }),
  );
}

function parentFolders(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_part, index) => parts.slice(0, index + 1).join("/"));
}
