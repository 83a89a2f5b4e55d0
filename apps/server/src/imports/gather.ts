import { createWriteStream } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError } from "@syla/contracts/errors";
import type { TreeFileInput } from "@syla/contracts/assets";
import type { Actor } from "../access/actor.ts";
import type { Catalog } from "../catalog/service.ts";
import type { Blobs } from "../platform/blobs.ts";
import type { Trees } from "../platform/trees.ts";
import { readArchive } from "./archives/read-archive.ts";
import { FileSink, importLimits, type GatheredFiles } from "./file-sink.ts";
import type { Git, GitLogin } from "./git/service.ts";
import type { StoredSource } from "./presenter.ts";
import type { Templates } from "./templates.ts";

/** What bringing files in is made of. */
export interface GatherContext {
  readonly blobs: Blobs;
  readonly trees: Trees;
  readonly git: Git;
  readonly templates: Templates;
  readonly catalog: Pick<Catalog, "resolve">;
  /** For archives that are being read. */
  readonly folder: string;
}

/** The files of a source, and what was learnt of it on the way. */
export interface Gathered extends GatheredFiles {
  readonly source: StoredSource;
}

/** One import to be fetched. */
export interface FetchJob {
  readonly actor: Actor;
  readonly source: StoredSource;
  readonly archive: string | null;
  readonly login: GitLogin;
  readonly signal: AbortSignal;
  readonly onProgress: (files: number, bytes: number) => void;
  readonly onPhase: (phase: "fetch" | "limits") => void;
}

/** Fetches the files of a source that is not in the request itself. @throws AppError with what is wrong */
export async function gather(context: GatherContext, job: FetchJob): Promise<Gathered> {
  const { source, archive, signal } = job;
  const sink = new FileSink(context.blobs, importLimits, job.onProgress);
  switch (source.kind) {
    case "archive":
      if (archive === null) throw new AppError("archive_unknown");
      job.onPhase("limits");
      await readStored(context, archive, sink, signal);
      return { ...sink.finish(true), source };
    case "git": {
      const wish = { url: source.name ?? "", ref: source.ref ?? undefined, path: source.path ?? undefined, ...job.login };
      job.onPhase("fetch");
      const { url, ref, path, commit, tarSha256 } = await context.git.fetch(job.actor, wish, signal);
      job.onPhase("limits");
      await readStored(context, tarSha256, sink, signal);
      return { ...sink.finish(false), source: { ...source, name: url, ref, path, commit } };
    }
    case "template": {
      const template = context.templates.get(source.name ?? "");
      for (const name of template.files) {
        const file = join(template.folder, name);
        const path = sink.accept(name);
        if (path !== null) await sink.add(path, (await stat(file)).mode, Readable.from([await readFile(file)]));
      }
      return { ...sink.finish(false), source };
    }
    case "clone": {
      const { tree } = await context.catalog.resolve(job.actor, "asset:read", source.name ?? "", source.version ?? undefined, "program");
      const entries = tree === null ? [] : await context.trees.read(tree.sha256);
      return { entries, problems: [], folder: null, source };
    }
    case "files":
      throw new Error("files come with the request");
  }
}

/** The files of a request, by the same rules. `sizeOf`: of what was uploaded by the person, else undefined. */
export async function gatherFiles(
  blobs: Blobs,
  files: readonly TreeFileInput[],
  isUploaded: (sha256: string) => boolean,
): Promise<GatheredFiles> {
  const sink = new FileSink(blobs, importLimits);
  for (const [index, file] of files.entries()) {
    const path = sink.accept(file.path);
    if (path === null) continue;
    if ("blob" in file && !isUploaded(file.blob))
      throw new AppError("blob_unknown", { fields: [{ path: `source.files.${index}.blob`, message: "not uploaded by you" }] });
    await sink.add(path, file.executable ? 0o755 : 0o644, await contentOf(blobs, file));
  }
  return sink.finish(true);
}

async function contentOf(blobs: Blobs, file: TreeFileInput): Promise<Readable> {
  if ("blob" in file) return await blobs.open(file.blob);
  const bytes = "content" in file ? Buffer.from(file.content) : Buffer.from(file.contentBase64, "base64");
  return Readable.from([bytes]);
}

const unfinished = "import-";

/** Removes what a server that was killed has left of archives that it was reading. */
export async function clearUnfinished(folder: string): Promise<void> {
  const left = (await readdir(folder)).filter((name) => name.startsWith(unfinished));
  for (const name of left) await rm(join(folder, name), { recursive: true, force: true });
}

/** Reading an archive goes to and fro in it, so it is put into a file. */
async function readStored({ blobs, folder }: GatherContext, sha256: string, sink: FileSink, signal: AbortSignal): Promise<void> {
  const place = await mkdtemp(join(folder, unfinished));
  try {
    const file = join(place, "archive");
    await pipeline(await blobs.open(sha256), createWriteStream(file, { mode: 0o600 }), { signal });
    await readArchive(file, sink, signal);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}
