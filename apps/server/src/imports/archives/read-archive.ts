import { open } from "node:fs/promises";
import { AppError } from "@syla/contracts/errors";
import type { FileSink } from "../file-sink.ts";
import { readTar } from "./read-tar.ts";
import { readZip } from "./read-zip.ts";

export type ArchiveKind = "zip" | "tar" | "tar.gz" | "tar.zst";

const headBytes = 512;
const known: readonly { readonly name: string; readonly at: number; readonly bytes: readonly number[] }[] = [
  { name: "zip", at: 0, bytes: [0x50, 0x4b, 0x03, 0x04] },
  { name: "zip", at: 0, bytes: [0x50, 0x4b, 0x05, 0x06] },
  { name: "tar.gz", at: 0, bytes: [0x1f, 0x8b] },
  { name: "tar.zst", at: 0, bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: "tar", at: 257, bytes: [0x75, 0x73, 0x74, 0x61, 0x72] },
  { name: "bzip2", at: 0, bytes: [0x42, 0x5a, 0x68] },
  { name: "xz", at: 0, bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a] },
  { name: "7z", at: 0, bytes: [0x37, 0x7a, 0xbc, 0xaf] },
  { name: "rar", at: 0, bytes: [0x52, 0x61, 0x72, 0x21] },
];
const readable = new Set<string>(["zip", "tar", "tar.gz", "tar.zst"] satisfies ArchiveKind[]);

/** What an archive is, by its content: names lie. @throws AppError `archive_unknown` */
function detectArchive(head: Uint8Array): ArchiveKind {
  const name = known.find(({ at, bytes }) => bytes.every((byte, index) => head[at + index] === byte))?.name;
  if (name !== undefined && readable.has(name)) return name as ArchiveKind;
  const message =
    name === undefined ? "This is no archive: neither a zip file nor a tar file." : `Archives of the kind ${name} cannot be read.`;
  throw new AppError("archive_unknown", { message });
}

/**
 * Reads an archive into a sink, however hostile it is.
 *
 * @throws AppError `archive_unknown`, `archive_damaged`, `import_too_large`; what is wrong with single files goes to the sink
 */
export async function readArchive(file: string, sink: FileSink, signal: AbortSignal): Promise<ArchiveKind> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    const kind = detectArchive(buffer.subarray(0, bytesRead));
    if (kind === "zip") await readZip(file, size, sink, signal);
    else await readTar(file, size, kind, sink, signal);
    return kind;
  } finally {
    await handle.close();
  }
}
