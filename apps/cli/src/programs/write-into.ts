import { randomUUID } from "node:crypto";
import { chmodSync, createWriteStream, lstatSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { usageError } from "../cli-error.ts";

/** A path from the server is written below the folder, or nowhere. */
export function requireSafe(path: string): void {
  const parts = path.split("/");
  if (!path.startsWith("/") && !path.includes("\0") && parts.every((part) => part !== "" && part !== "." && part !== "..")) return;
  throw usageError(`The server names a file ${JSON.stringify(path)}, which is no path in a folder.`, "Nothing was written.");
}

/**
 * Writes a file into a folder: whole, or not at all. `isStill` is asked when everything is there but its place; when it says no, nothing is written.
 *
 * @returns whether it was written @throws CliError when something is in the way
 */
export async function writeInto(
  folder: string,
  file: { readonly path: string; readonly executable: boolean },
  read: () => Promise<Pick<Response, "body">>,
  isStill: () => Promise<boolean> = async () => true,
): Promise<boolean> {
  const target = join(folder, file.path);
  requireRealFolders(folder, file.path);
  mkdirSync(dirname(target), { recursive: true });
  const answer = await read();
  const temporary = join(dirname(target), `.syla-${randomUUID()}`);
  try {
    const source = answer.body === null ? [] : Readable.fromWeb(answer.body);
    await pipeline(source, createWriteStream(temporary, { flags: "wx" }));
    if (!(await isStill())) {
      rmSync(temporary, { force: true });
      return false;
    }
    chmodSync(temporary, file.executable ? 0o755 : 0o644);
    renameSync(temporary, target);
    return true;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** No folder on the way is a link, which could lead elsewhere. */
export function requireRealFolders(folder: string, path: string): void {
  const parts = path.split("/").slice(0, -1);
  parts.forEach((_, index) => {
    const place = join(folder, ...parts.slice(0, index + 1));
    const stats = lstatSync(place, { throwIfNoEntry: false });
    if (stats !== undefined && !stats.isDirectory())
      throw usageError(`${place} is in the way: it is no folder.`, "Move it away, or choose another folder.");
  });
}
