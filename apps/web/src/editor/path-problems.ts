import type { TreeFile } from "@syla/sdk";

/** The most that a workspace or a program holds; the server says the same. */
const mostFiles = 10_000;
const mostBytes = 100 * 1024 * 1024;

/** Why new files of these paths cannot be beside those that are there; null when they can. Files of the same path take the others' place. */
export function collisionOf(files: readonly Pick<TreeFile, "path">[], paths: readonly string[]): string | null {
  const known = new Map<string, string>();
  for (const { path } of files) for (const place of [...parents(path), path]) known.set(place.toLowerCase(), place);
  const there = new Set(files.map(({ path }) => path));
  const folders = new Set(files.flatMap(({ path }) => parents(path)));
  for (const path of paths) {
    if (folders.has(path)) return `“${path}” is a folder.`;
    for (const place of [...parents(path), path]) {
      const other = known.get(place.toLowerCase());
      if (other !== undefined && other !== place)
        return `“${place}” and “${other}” differ only in case: not every file system can hold both.`;
      if (place !== path && there.has(place)) return `“${place}” is a file.`;
      known.set(place.toLowerCase(), place);
    }
  }
  return null;
}

/** Why these files cannot be uploaded beside those that are there, said before anything is sent; null when they can. */
export function uploadProblem(
  files: readonly TreeFile[],
  picked: readonly { readonly path: string; readonly file: Blob }[],
): string | null {
  const paths = new Set(picked.map(({ path }) => path));
  const others = files.filter(({ path }) => !paths.has(path));
  if (others.length + paths.size > mostFiles)
    return `There would be more than ${mostFiles.toLocaleString()} files. Leave some of them out.`;
  const bytes = others.reduce((sum, { size }) => sum + size, 0) + picked.reduce((sum, { file }) => sum + file.size, 0);
  if (bytes > mostBytes) return `The files would be larger than ${mostBytes / 1024 / 1024} MiB together. Leave some of them out.`;
  return collisionOf(files, [...paths]);
}

function parents(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** The path in another folder; `folder` is empty for the outermost. */
export function movedInto(path: string, folder: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return folder === "" ? name : `${folder}/${name}`;
}

/** Whether a path is a file or folder, or lies in it. */
export function isWithin(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}
