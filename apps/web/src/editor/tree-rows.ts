import type { TreeFile } from "@syla/sdk";

/** A row of the tree: a folder, or a file in it. Its place among its siblings is told to those who cannot see it. */
export interface TreeRow {
  readonly path: string;
  readonly name: string;
  /** From 1. */
  readonly level: number;
  readonly isFolder: boolean;
  /** From 1. */
  readonly place: number;
  readonly siblings: number;
}

/** What lies in a folder, sorted: folders, then files. */
interface Folder {
  readonly path: string;
  readonly folders: readonly (readonly [string, Folder])[];
  readonly files: readonly string[];
}

interface Growing {
  readonly path: string;
  readonly folders: Map<string, Growing>;
  readonly files: string[];
}

const collator = new Intl.Collator(undefined, { numeric: true });

/** The folders of a list of files, made in time that grows with the list alone: there may be 100,000. */
export function foldersOf(files: readonly Pick<TreeFile, "path">[]): Folder {
  const root: Growing = { path: "", folders: new Map(), files: [] };
  for (const { path } of files) {
    const names = path.split("/");
    const name = names.pop() ?? "";
    let at = root;
    for (const folder of names) {
      let next = at.folders.get(folder);
      if (next === undefined) {
        next = { path: at.path === "" ? folder : `${at.path}/${folder}`, folders: new Map(), files: [] };
        at.folders.set(folder, next);
      }
      at = next;
    }
    at.files.push(name);
  }
  return sorted(root);
}

function sorted({ path, folders, files }: Growing): Folder {
  const inside = [...folders].toSorted(([one], [other]) => collator.compare(one, other));
  return {
    path,
    folders: inside.map(([name, folder]) => [name, sorted(folder)] as const),
    files: files.toSorted((one, other) => collator.compare(one, other)),
  };
}

/** The rows that are seen; what lies in a closed folder is not among them. */
export function rowsOf(root: Folder, closed: ReadonlySet<string>): TreeRow[] {
  const rows: TreeRow[] = [];
  const walk = ({ path: inside, folders, files }: Folder, level: number) => {
    const prefix = inside === "" ? "" : `${inside}/`;
    const siblings = folders.length + files.length;
    for (const [index, [name, folder]] of folders.entries()) {
      rows.push({ path: folder.path, name, level, isFolder: true, place: index + 1, siblings });
      if (!closed.has(folder.path)) walk(folder, level + 1);
    }
    for (const [index, name] of files.entries())
      rows.push({ path: prefix + name, name, level, isFolder: false, place: folders.length + index + 1, siblings });
  };
  walk(root, 1);
  return rows;
}

/** The folders that a path lies in, from the outermost. */
export function parentsOf(path: string): string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}
