import type { Syla } from "@syla/sdk";

/** A file that somebody chose or dropped, with its path in what they chose. */
export interface PickedFile {
  readonly path: string;
  readonly file: File;
}

type Source = Parameters<Syla["imports"]["create"]>[0]["source"];

const archive = /\.(zip|tar|tgz|tar\.gz|tar\.zst)$/i;
/** What tools make anew is not even sent; the server leaves it out as well. */
const generated = /(^|\/)(node_modules|\.git|\.hg|\.svn|__pycache__|\.venv|venv)(\/|$)/;
const uploadsAtOnce = 6;

export function filesOfInput(list: FileList | null): PickedFile[] {
  return keep([...(list ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file })));
}

/** The files of a drop, those of dropped folders among them. */
export async function filesOfDrop(items: DataTransferItemList): Promise<PickedFile[]> {
  // Before anything is awaited: afterwards the browser has emptied the list.
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  return keep((await Promise.all(entries.map(walk))).flat());
}

async function walk(entry: FileSystemEntry): Promise<PickedFile[]> {
  const path = entry.fullPath.replace(/^\//, "");
  if (generated.test(path)) return [];
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ path, file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: PickedFile[] = [];
  for (;;) {
    // It answers a part of the folder each time, and none at the end.
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return found;
    found.push(...(await Promise.all(part.map(walk))).flat());
  }
}

function keep(files: PickedFile[]): PickedFile[] {
  return files.filter(({ path }) => !generated.test(path));
}

/** Uploads what was picked: a single archive as such, anything else file by file. */
export async function toSource(syla: Syla, files: readonly PickedFile[], onUploaded: (count: number) => void): Promise<Source> {
  const [first] = files;
  if (files.length === 1 && first !== undefined && archive.test(first.path)) {
    const { sha256 } = await syla.blobs.upload(first.file);
    return { kind: "archive", blob: sha256, name: first.path };
  }
  const sent: { path: string; blob: string }[] = [];
  for (let start = 0; start < files.length; start += uploadsAtOnce) {
    const part = files.slice(start, start + uploadsAtOnce);
    sent.push(...(await Promise.all(part.map(async ({ path, file }) => ({ path, blob: (await syla.blobs.upload(file)).sha256 })))));
    onUploaded(sent.length);
  }
  return { kind: "files", files: sent };
}
