import { randomUUID } from "node:crypto";
import { chmodSync, createWriteStream, lstatSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { usageError } from "../cli-error.ts";

/** A path from the server is written below the folder, or nowhere. @throws CliError */
export function requireSafe(path: string): void {
  const parts = path.split("/");
  if (!path.startsWith("/") && !path.includes("\0") && parts.every((part) => part !== "" && part !== "." && part !== "..")) return;
  throw usageError(`The server names a file ${JSON.stringify(path)}, which is no path in a folder.`, "Nothing was written.");
}

/** Writes a file of a tree below a folder: the old content stays until all of the new one is there. */
export async function writeTreeFile(
  folder: string,
  file: { readonly path: string; readonly executable: boolean },
  body: Response["body"],
): Promise<void> {
  const target = join(folder, file.path);
  requireRealFolders(folder, file.path);
  mkdirSync(dirname(target), { recursive: true });
  const temporary = join(dirname(target), `.syla-${randomUUID()}`);
  try {
    const source = body === null ? [] : Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]);
    await pipeline(source, createWriteStream(temporary, { flags: "wx" }));
    chmodSync(temporary, file.executable ? 0o755 : 0o644);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** No folder on the way is a link, which could lead elsewhere. @throws CliError */
export function requireRealFolders(folder: string, path: string): void {
  const parts = path.split("/").slice(0, -1);
  parts.forEach((_, index) => {
    const place = join(folder, ...parts.slice(0, index + 1));
    const stats = lstatSync(place, { throwIfNoEntry: false });
    if (stats !== undefined && !stats.isDirectory())
      throw usageError(`${place} is in the way: it is no folder.`, "Move it away, or choose another folder.");
  });
}
