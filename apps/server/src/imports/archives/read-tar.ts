import { once } from "node:events";
import { createReadStream } from "node:fs";
import { PassThrough, Transform, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { extract, type Header } from "tar-stream";
import { importLimits, tooLarge, type FileSink } from "../file-sink.ts";
import { checkRatio, damaged } from "./ratio.ts";

/** Headers and padding besides the content itself. */
const overheadBytes = 64 * 1024 * 1024;

const refused: Readonly<Record<string, string>> = {
  "character-device": "It is a device.",
  "block-device": "It is a device.",
  fifo: "It is a pipe.",
};

/** Reads a tar file as it comes, unpacked on the way. @throws AppError `archive_damaged`, `import_too_large` */
export async function readTar(
  file: string,
  size: number,
  kind: "tar" | "tar.gz" | "tar.zst",
  sink: FileSink,
  signal: AbortSignal,
): Promise<void> {
  const unpack = kind === "tar.gz" ? createGunzip() : kind === "tar.zst" ? createZstdDecompress() : new PassThrough();
  // Names are told byte by byte: what is no UTF-8 has to be seen.
  const options: object = { filenameEncoding: "latin1" };
  const entries = extract(options);
  const reading = pipeline(createReadStream(file), unpack, guard(size), entries, { signal });
  reading.catch(() => {}); // looked at below
  try {
    for await (const entry of entries) await readEntry(entry.header, entry as unknown as Readable, sink);
    await reading;
  } catch (error) {
    entries.destroy();
    const cause = await reading.then(
      () => error,
      (reason: unknown) => reason,
    );
    throw damaged(isSecondary(cause) ? error : cause);
  }
}

/** What follows from another error, and tells nothing. */
function isSecondary(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === "ERR_STREAM_PREMATURE_CLOSE";
}

function guard(packed: number): Transform {
  let unpacked = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      unpacked += chunk.length;
      try {
        checkRatio(packed, unpacked);
        if (unpacked > importLimits.bytes + overheadBytes) throw tooLarge(importLimits);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

async function readEntry(header: Header, content: Readable, sink: FileSink): Promise<void> {
  const name = decodeName(header.name, paxOf(header, "path"));
  const type = header.type ?? "file";
  if (type === "directory" || (type === "file" && name.endsWith("/"))) return void content.resume();
  const path = sink.accept(name);
  if (path === null) return await drain(content);
  if (type === "file" || type === "contiguous-file") return await sink.add(path, header.mode ?? 0, content);
  if (type === "symlink" || type === "link") sink.link(path, decodeName(header.linkname ?? "", paxOf(header, "linkpath")), type === "link");
  else sink.problem("error", "special_file", path, `${refused[type] ?? `It is of a kind that is not known (${type}).`} It was left out.`);
  await drain(content);
}

async function drain(content: Readable): Promise<void> {
  content.resume();
  if (!content.readableEnded) await once(content, "end");
}

/** The types of the library say nothing of extended headers. */
function paxOf(header: Header, name: string): string | undefined {
  return (header.pax as Readonly<Record<string, string>> | null | undefined)?.[name];
}

/** Of the header as bytes, of extended headers as text already. */
function decodeName(name: string, extended: string | undefined): string {
  if (extended !== undefined && extended === name) return name;
  return /^[\u0000-\u00ff]*$/.test(name) ? Buffer.from(name, "latin1").toString("utf8") : name;
}
