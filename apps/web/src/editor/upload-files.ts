import { syla } from "../app/api.ts";
import type { DraftFile } from "../runs/new/draft.ts";

/** A file of the person's machine and the path it will have in the run. */
export interface PickedFile {
  readonly path: string;
  readonly file: File;
}

/** Reads what was dropped, folders with everything in them. */
export async function readDropped(transfer: DataTransfer): Promise<readonly PickedFile[]> {
  // Both must be asked for at once: the transfer is empty as soon as the event is over. What was dragged out of a page has no entry.
  const items = Array.from(transfer.items, (item) => ({
    entry: item.webkitGetAsEntry(),
    file: item.kind === "file" ? item.getAsFile() : null,
  }));
  const found = await Promise.all(
    items.map(async ({ entry, file }) => (entry ? await readEntry(entry) : file ? [{ path: file.name, file }] : [])),
  );
  return found.flat();
}

async function readEntry(entry: FileSystemEntry): Promise<readonly PickedFile[]> {
  if (isFileEntry(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    return [{ path: entry.fullPath.replace(/^\//, ""), file }];
  }
  const children = await readChildren((entry as FileSystemDirectoryEntry).createReader());
  return (await Promise.all(children.map((child) => readEntry(child)))).flat();
}

function isFileEntry(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

/** `readEntries` answers in batches of at most a hundred until it answers with none. */
async function readChildren(reader: FileSystemDirectoryReader): Promise<readonly FileSystemEntry[]> {
  const all: FileSystemEntry[] = [];
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return all;
    all.push(...batch);
  }
}

/** Uploads files, a few at a time, and says what they are called by content. `onDone` is told how many are there. */
export async function uploadFiles(picked: readonly PickedFile[], onDone?: (count: number) => void): Promise<readonly DraftFile[]> {
  const uploaded: DraftFile[] = [];
  const waiting = [...picked];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      uploaded.push({ path: next.path, ...(await syla.blobs.upload(next.file)) });
      onDone?.(uploaded.length);
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  return uploaded.toSorted((a, b) => a.path.localeCompare(b.path));
}

/** The new files over the old ones of the same path. */
export function mergeFiles(before: readonly DraftFile[], added: readonly DraftFile[]): readonly DraftFile[] {
  const paths = new Set(added.map((file) => file.path));
  return [...before.filter((file) => !paths.has(file.path)), ...added];
}
