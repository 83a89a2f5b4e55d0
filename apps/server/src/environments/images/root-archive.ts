import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { pack, type Pack } from "tar-stream";
import type { RootEntry } from "./root-files.ts";

/** As layers have it: no times, no owners, names in order. The same files make the same archive. */
const timeless = new Date(0);

/** Writes the root of an image, or a part of it, as an archive. Answers the bytes of all files together. */
export async function writeRoot(entries: ReadonlyMap<string, RootEntry>, file: string, signal: AbortSignal): Promise<number> {
  const archive = pack();
  const written = pipeline(archive, createWriteStream(file, { mode: 0o600 }), { signal });
  written.catch(() => {}); // awaited below, unless what is read fails first
  let size = 0;
  try {
    for (const [path, entry] of [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      signal.throwIfAborted();
      size += await add(archive, path.slice(1), entry);
    }
    archive.finalize();
  } catch (error) {
    archive.destroy();
    throw error;
  }
  await written;
  return size;
}

async function add(archive: Pack, name: string, entry: RootEntry): Promise<number> {
  const facts = { mtime: timeless, uid: 0, gid: 0, uname: "", gname: "" };
  if (entry.kind === "folder") archive.entry({ ...facts, name: `${name}/`, type: "directory", mode: entry.mode });
  else if (entry.kind === "link") archive.entry({ ...facts, name, type: "symlink", linkname: entry.target, mode: 0o777 });
  else {
    const { size } = await stat(entry.source);
    const stream = archive.entry({ ...facts, name, type: "file", mode: entry.mode, size });
    await pipeline(createReadStream(entry.source), stream);
    return size;
  }
  return 0;
}
