import type { ImportFolder } from "@syla/contracts/imports";
import { AppError } from "@syla/contracts/errors";
import type { TreeEntry } from "../platform/trees.ts";

const mostFolders = 500;
const deepest = 6;
const manifests = ["pyproject.toml", "requirements.txt", "setup.py", "package.json", "go.mod", "Pipfile"];

/** The folders of a tree, those first that look like a program of their own; all of it is the first. */
export function listFolders(entries: readonly TreeEntry[], entrypoints: readonly string[]): ImportFolder[] {
  const telling = new Set([...manifests, ...entrypoints]);
  const folders = new Map<string, ImportFolder>();
  for (const { path, size } of entries) {
    const parts = path.split("/");
    const name = parts.at(-1) ?? "";
    for (let depth = 0; depth < Math.min(parts.length, deepest + 1); depth += 1) {
      const folder = parts.slice(0, depth).join("/");
      const known = folders.get(folder) ?? { path: folder, files: 0, bytes: 0, marks: [] };
      const isDirectly = depth === parts.length - 1;
      folders.set(folder, {
        ...known,
        files: known.files + 1,
        bytes: known.bytes + size,
        marks: isDirectly && telling.has(name) ? [...known.marks, name] : known.marks,
      });
    }
  }
  const rank = ({ path, marks }: ImportFolder) => (path === "" ? 0 : marks.length > 0 ? 1 : 2);
  const sorted = [...folders.values()].toSorted(
    (a, b) => rank(a) - rank(b) || depthOf(a.path) - depthOf(b.path) || (a.path < b.path ? -1 : 1),
  );
  return sorted.slice(0, mostFolders);
}

function depthOf(path: string): number {
  return path.split("/").length;
}

/** The files of a folder, named from it. @throws AppError `file_not_found` when there is none */
export function filesBelow(entries: readonly TreeEntry[], folder: string | null): readonly TreeEntry[] {
  if (folder === null) return entries;
  const found = entries.filter(({ path }) => path.startsWith(`${folder}/`));
  if (found.length === 0)
    throw new AppError("file_not_found", {
      message: `There is no file in the folder ${JSON.stringify(folder)}.`,
      fields: [{ path: "path", message: "is no folder of this import" }],
    });
  return found.map((entry) => ({ ...entry, path: entry.path.slice(folder.length + 1) }));
}
