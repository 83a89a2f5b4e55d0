import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { AppError } from "@syla/contracts/errors";
import { diskError, publishFile } from "../../platform/blob-files.ts";

/** Objects by their names, in a folder or in a bucket. An object is there whole or not at all. */
export interface ObjectStore {
  /** For people. */
  readonly place: string;
  /** Takes the place of what had the name. @throws AppError `backup_repository_full`, `backup_repository_unavailable` */
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** Undefined: there is none. */
  get(name: string): Promise<Buffer | undefined>;
  /** Everything below `folder`, in no order. */
  list(folder: string): AsyncIterable<{ readonly name: string; readonly size: number }>;
  delete(name: string): Promise<void>;
  close(): void;
}

/** Unfinished files; those of a process that was killed are removed when they are a day old. */
const incoming = "incoming";
const staleMs = 24 * 60 * 60 * 1000;

/** Objects as files of a folder, which the first one makes when its parent is there. @throws AppError `backup_repository_unavailable` */
export async function openFolder(root: string): Promise<ObjectStore> {
  const unfinished = join(root, incoming);
  await withPlace(root, async () => {
    await stat(dirname(root));
    for (const name of (await readdir(unfinished).catch(ignoreMissing)) ?? []) {
      const age = Date.now() - ((await stat(join(unfinished, name)).catch(ignoreMissing))?.mtimeMs ?? Date.now());
      if (age > staleMs) await rm(join(unfinished, name), { force: true });
    }
  });
  const madeFolders = new Set<string>();
  const makeFolder = async (folder: string) => {
    if (madeFolders.has(folder)) return;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    madeFolders.add(folder);
  };
  return {
    place: root,
    put: (name, bytes) =>
      withPlace(root, async () => {
        const temporary = join(unfinished, randomUUID());
        const target = join(root, name);
        try {
          await makeFolder(unfinished);
          await makeFolder(dirname(target));
          await writeFile(temporary, bytes, { mode: 0o600, flag: "wx", flush: true });
          await publishFile(temporary, target);
        } catch (error) {
          await rm(temporary, { force: true });
          throw error;
        }
      }),
    get: (name) => withPlace(root, () => readFile(join(root, name)).catch(ignoreMissing)),
    list: (folder) => listFiles(root, join(root, folder)),
    delete: (name) => withPlace(root, () => rm(join(root, name), { force: true })),
    close: () => {},
  };
}

async function* listFiles(root: string, folder: string): AsyncGenerator<{ name: string; size: number }> {
  const entries = await withPlace(root, () => readdir(folder, { withFileTypes: true }).catch(ignoreMissing));
  for (const entry of entries ?? []) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      yield* listFiles(root, path);
      continue;
    }
    const size = (await withPlace(root, () => stat(path).catch(ignoreMissing)))?.size;
    if (size !== undefined) yield { name: relative(root, path).split(sep).join("/"), size };
  }
}

/** Does something with a repository; what the disk or the service says becomes a coded error. */
export async function withPlace<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const isFull = diskError(cause) !== undefined;
    throw new AppError(isFull ? "backup_repository_full" : "backup_repository_unavailable", {
      message: `The repository ${place} ${isFull ? "is full" : `cannot be used: ${(cause as Error).message}`}.`,
      cause,
    });
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
  return undefined;
}
