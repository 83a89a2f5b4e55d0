import { isUtf8 } from "node:buffer";
import { getFileNameLowLevel, openPromise, type Entry, type ZipFile } from "yauzl";
import type { FileSink } from "../file-sink.ts";
import { checkRatio, damaged } from "./ratio.ts";

const stored = 0;
const deflated = 8;
const unicodeFlag = 0x800;
const kindMask = 0o170000;
const linkKind = 0o120000;
const fileKind = 0o100000;
const mostTargetBytes = 4096;
const madeOnUnix = 3;

/** Reads a zip file by its directory. @throws AppError `archive_damaged`, `import_too_large` */
export async function readZip(file: string, size: number, sink: FileSink, signal: AbortSignal): Promise<void> {
  let zip: ZipFile | null = null;
  try {
    zip = await openPromise(file, { lazyEntries: true, autoClose: false, decodeStrings: false, validateEntrySizes: true });
    let unpacked = 0;
    for await (const entry of zip.eachEntry()) {
      signal.throwIfAborted();
      unpacked += entry.uncompressedSize;
      checkRatio(size, unpacked);
      await readEntry(zip, entry, sink);
    }
  } catch (error) {
    throw damaged(error);
  } finally {
    zip?.close();
  }
}

async function readEntry(zip: ZipFile, entry: Entry, sink: FileSink): Promise<void> {
  const name = decodeName(entry);
  if (name.endsWith("/")) return;
  const path = sink.accept(name);
  if (path === null) return;
  const leaveOut = (code: string, why: string) => sink.problem("error", code, path, `${why} It was left out.`);
  if (entry.isEncrypted()) return leaveOut("encrypted", "It is encrypted.");
  if (entry.compressionMethod !== stored && entry.compressionMethod !== deflated)
    return leaveOut("compression_unknown", `It is packed in a way that is not known (${entry.compressionMethod}).`);
  const mode = entry.versionMadeBy >>> 8 === madeOnUnix ? entry.externalFileAttributes >>> 16 : 0;
  const kind = mode & kindMask;
  if (kind === linkKind) return await readLink(zip, entry, path, sink);
  if (kind !== 0 && kind !== fileKind) return leaveOut("special_file", "It is a device or a pipe.");
  await sink.add(path, mode, await zip.openReadStreamPromise(entry));
}

/** The content of a link is where it leads. */
async function readLink(zip: ZipFile, entry: Entry, path: string, sink: FileSink): Promise<void> {
  if (entry.uncompressedSize > mostTargetBytes)
    return sink.problem("error", "link_refused", path, "It is a link to a very long name. It was left out.");
  const chunks = await Array.fromAsync((await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>);
  sink.link(path, Buffer.concat(chunks).toString(), false);
}

/** Many programs write UTF-8 and do not say so; what is no UTF-8 is in the code page of the first ones (437). */
function decodeName(entry: Entry): string {
  const raw = entry.fileNameRaw;
  const saysUnicode = (entry.generalPurposeBitFlag & unicodeFlag) !== 0;
  const flag = isUtf8(raw) ? entry.generalPurposeBitFlag | unicodeFlag : entry.generalPurposeBitFlag;
  if (saysUnicode && !isUtf8(raw)) return raw.toString("utf8");
  return getFileNameLowLevel(flag, raw, entry.extraFields, false).replaceAll("\\", "/");
}
