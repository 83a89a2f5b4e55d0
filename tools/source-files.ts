import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** One text file of the repository: its path from the root with forward slashes, and its content. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Folders that hold nothing we wrote. */
const skippedFolders = new Set(["node_modules", ".git", ".build", "dist", "coverage", "__pycache__"]);

/** The repository's root: this file lies one folder below it. */
export const repositoryRoot = join(import.meta.dirname, "..");

/** Paths of all files below `root` that we wrote, sorted, relative to it. */
export function listPaths(root: string): string[] {
  const paths: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && !skippedFolders.has(entry.name)) visit(path);
      else if (entry.isFile()) paths.push(path);
    }
  };
  visit("");
  return paths.toSorted();
}

/** Reads the files whose names end in one of `extensions`; generated files are left out. */
export function readSourceFiles(root: string, extensions: readonly string[]): SourceFile[] {
  return listPaths(root)
    .filter((path) => extensions.some((extension) => path.endsWith(extension)) && !path.includes(".gen."))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}
