/** Archives that the kernel unpacks into its first file system: cpio, "new ASCII format". Source: Documentation/driver-api/early-userspace/buffer-format.rst. */

const folderMode = 0o040755;
const fileMode = 0o100000;
const headerFields = 13;

/** A file of an archive. `path` is relative; folders above it are made. */
export interface CpioFile {
  readonly path: string;
  readonly content: Uint8Array;
  readonly executable?: boolean;
  /** Seconds since the epoch. */
  readonly mtime?: number;
}

/** An archive of these files, all of them root's. The same files make the same archive; one may follow another. */
export function packCpio(files: readonly CpioFile[]): Buffer {
  const folders = new Set(files.flatMap(({ path }) => foldersOf(path)));
  const parts = [...folders].toSorted().map((path) => encodeEntry(path, folderMode, 0, new Uint8Array()));
  for (const { path, content, executable = false, mtime = 0 } of files)
    parts.push(encodeEntry(path, fileMode | (executable ? 0o755 : 0o644), mtime, content));
  parts.push(encodeEntry("TRAILER!!!", 0, 0, new Uint8Array()));
  return Buffer.concat(parts);
}

function foldersOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

function encodeEntry(path: string, mode: number, mtime: number, content: Uint8Array): Buffer {
  const name = Buffer.from(`${path}\0`);
  const fields = Array.from({ length: headerFields }, () => 0);
  fields[1] = mode;
  fields[4] = 1; // links
  fields[5] = mtime;
  fields[6] = content.length;
  fields[11] = name.length;
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`);
  return Buffer.concat([pad(Buffer.concat([header, name])), pad(content)]);
}

/** To a multiple of four bytes. */
function pad(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
