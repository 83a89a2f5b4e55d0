import { createHash, hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, lstat, mkdir, open, readdir, readlink, symlink } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import type { Readable } from "node:stream";
import { extract, type Header } from "tar-stream";

const maxLevels = 60;
const maxPartBytes = 255;
/** As many as Linux follows. */
const mostLinks = 40;

/** How large a layer may be. */
export interface LayerLimits {
  readonly maxBytes: number;
  readonly maxFiles: number;
}

/** A folder as it was written. `digest` is over every path, mode, link and content. */
export interface LayerFacts {
  readonly size: number;
  readonly fileCount: number;
  readonly digest: string;
}

/** The archive is not one that our builder writes, or larger than allowed. */
export class LayerArchiveError extends Error {
  override readonly name = "LayerArchiveError";
  readonly isTooLarge: boolean;

  constructor(message: string, isTooLarge = false) {
    super(message);
    this.isTooLarge = isTooLarge;
  }
}

type Entry = readonly [path: string, mode: string, content: string];

/**
 * Unpacks what a build has packed into an empty folder. The sandbox is not believed: nothing but files and links that stay inside gets in,
 * nothing is written through a link, rights are read and run.
 *
 * @throws LayerArchiveError
 */
export async function unpackLayer(archive: Readable, folder: string, limits: LayerLimits): Promise<LayerFacts> {
  const entries: Entry[] = [];
  const [seen, links] = [new Set<string>(), new Map<string, string>()];
  let size = 0;
  const unpack = extract();
  archive.on("error", (error) => unpack.destroy(error));
  archive.pipe(unpack);
  for await (const entry of unpack) {
    const path = checkName(entry.header, seen);
    if (seen.size > limits.maxFiles) throw new LayerArchiveError(`it has more than ${limits.maxFiles} files`, true);
    if (entry.header.type === "symlink") {
      links.set(path, checkLink(path, entry.header.linkname ?? ""));
      entry.resume();
      continue;
    }
    if (entry.header.type !== "file") throw new LayerArchiveError(`${path} is neither a file nor a link`);
    const mode = ((entry.header.mode ?? 0) & 0o100) === 0 ? 0o644 : 0o755;
    await mkdir(join(folder, dirname(path)), { recursive: true, mode: 0o755 });
    const file = await open(join(folder, path), "wx", mode);
    const sum = createHash("sha256");
    try {
      for await (const chunk of entry as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > limits.maxBytes) throw new LayerArchiveError(`it has more than ${limits.maxBytes} bytes`, true);
        sum.update(chunk);
        await file.appendFile(chunk); // all of it: a single write may end early on a disk that fills up
      }
    } finally {
      await file.close();
    }
    await chmod(join(folder, path), mode); // whatever the umask
    entries.push([path, mode.toString(8), sum.digest("hex")]);
  }
  for (const path of links.keys())
    if (ancestorsOf(path).some((parent) => links.has(parent))) throw new LayerArchiveError(`${path} lies behind a link`);
  requireInside(links);
  for (const [path, target] of links) entries.push(await makeLink(folder, path, target));
  return { size, fileCount: entries.length, digest: digestOf(entries) };
}

/** What a folder holds now, to be compared with what it held. Takes as long as reading all of it. */
export async function inspectLayer(folder: string): Promise<LayerFacts> {
  const entries: Entry[] = [];
  let size = 0;
  const visit = async (path: string): Promise<void> => {
    for (const name of await readdir(join(folder, path))) {
      const inner = posix.join(path, name);
      const facts = await lstat(join(folder, inner));
      if (facts.isDirectory()) await visit(inner);
      else if (facts.isSymbolicLink()) entries.push([inner, "link", await readlink(join(folder, inner))]);
      else {
        size += facts.size;
        entries.push([inner, (facts.mode & 0o7777).toString(8), await hashFile(join(folder, inner))]);
      }
    }
  };
  await visit("");
  return { size, fileCount: entries.length, digest: digestOf(entries) };
}

/** Adds links of ours to a layer that was unpacked, and says what it is then. */
export async function addLinks(folder: string, links: Readonly<Record<string, string>>): Promise<LayerFacts> {
  for (const [path, target] of Object.entries(links)) {
    await mkdir(join(folder, dirname(path)), { recursive: true, mode: 0o755 });
    await symlink(target, join(folder, path));
  }
  return await inspectLayer(folder);
}

async function hashFile(path: string): Promise<string> {
  const sum = createHash("sha256");
  for await (const chunk of createReadStream(path)) sum.update(chunk as Buffer);
  return sum.digest("hex");
}

function digestOf(entries: readonly Entry[]): string {
  const sorted = entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return hash("sha256", JSON.stringify(sorted));
}

function checkName({ name }: Header, seen: Set<string>): string {
  const parts = name.split("/");
  const isPlain = parts.every((part) => part !== "" && part !== "." && part !== ".." && Buffer.byteLength(part) <= maxPartBytes);
  if (!isPlain || parts.length > maxLevels || name.includes("\0"))
    throw new LayerArchiveError(`the name ${JSON.stringify(name.slice(0, 200))} is not allowed`);
  if (seen.has(name)) throw new LayerArchiveError(`${name} is there twice`);
  seen.add(name);
  return name;
}

function checkLink(path: string, target: string): string {
  const end = posix.normalize(posix.join(posix.dirname(path), target));
  if (target === "" || target.startsWith("/") || target.includes("\0") || end === ".." || end.startsWith("../"))
    throw new LayerArchiveError(`the link ${path} leads out`);
  return target;
}

function ancestorsOf(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

async function makeLink(folder: string, path: string, target: string): Promise<Entry> {
  await mkdir(join(folder, dirname(path)), { recursive: true, mode: 0o755 });
  await symlink(target, join(folder, path));
  return [path, "link", target];
}

/** Links through links may lead elsewhere than their words say. @throws LayerArchiveError */
function requireInside(links: ReadonlyMap<string, string>): void {
  for (const path of links.keys()) if (!staysInside(path, links)) throw new LayerArchiveError(`the link ${path} leads out`);
}

/** Goes a way as the kernel does, link by link. What leads round in circles leads nowhere. */
function staysInside(path: string, links: ReadonlyMap<string, string>): boolean {
  const ahead = path.split("/");
  const place: string[] = [];
  let followed = 0;
  for (let part = ahead.shift(); part !== undefined; part = ahead.shift()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (place.pop() === undefined) return false;
      continue;
    }
    place.push(part);
    const target = links.get(place.join("/"));
    if (target === undefined) continue;
    if (followed === mostLinks) return true;
    followed += 1;
    place.pop();
    ahead.unshift(...target.split("/"));
  }
  return true;
}
