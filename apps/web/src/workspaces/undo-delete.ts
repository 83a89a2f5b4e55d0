import type { TreeChanges, TreeFile, Workspace } from "@syla/sdk";
import { syla } from "../app/api.ts";

/** So many files that go at once become a version by themselves, which they are taken back from. */
const manyFiles = 20;
/** What is taken back is kept in memory up to this. */
const mostBytes = 20 * 1024 * 1024;

/** Reads what is about to be deleted. Answers what brings it back, or null where it is too much to be kept. */
export async function prepareUndo({ id }: Pick<Workspace, "id">, files: readonly TreeFile[]): Promise<(() => Promise<TreeChanges>) | null> {
  if (files.length >= manyFiles) {
    return async () => {
      const [version] = (await syla.workspaces.versions.list(id, { limit: 1 })).items;
      if (version === undefined) return [];
      return await bringBack(files, async ({ path }) => await (await syla.workspaces.readFile(id, path, version.number)).blob());
    };
  }
  if (files.reduce((sum, { size }) => sum + size, 0) > mostBytes) return null;
  const kept = new Map<string, Blob>();
  for (const { path } of files) kept.set(path, await (await syla.workspaces.readFile(id, path)).blob());
  return () => bringBack(files, async ({ path }) => kept.get(path) ?? new Blob());
}

async function bringBack(files: readonly TreeFile[], read: (file: TreeFile) => Promise<Blob>): Promise<TreeChanges> {
  const changes: TreeChanges[number][] = [];
  for (const file of files) {
    const { sha256 } = await syla.blobs.upload(await read(file));
    changes.push({ op: "write", file: { path: file.path, blob: sha256, executable: file.executable } });
  }
  return changes;
}
