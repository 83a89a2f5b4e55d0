import type { InputEntry, InputFile, InputLink } from "@syla/sandbox/spec";
import { mountedFiles } from "../datasets/service.ts";
import type { Blobs } from "../platform/blobs.ts";
import type { RunConfig } from "./config.ts";

const streamAboveBytes = 1024 * 1024;

/** Stored files as a sandbox takes them; large ones as streams. */
export async function* inputFiles(blobs: Blobs, files: readonly RunConfig["files"][number][]): AsyncGenerator<InputFile> {
  for (const { path, mode, size, sha256 } of files)
    yield { path, mode, content: size > streamAboveBytes ? await blobs.open(sha256) : await blobs.get(sha256) };
}

/** The same, with links in front and datasets behind. */
export async function* inputEntries(
  blobs: Blobs,
  files: RunConfig["files"],
  links: readonly InputLink[],
  datasets: RunConfig["datasets"] = [],
): AsyncGenerator<InputEntry> {
  yield* links;
  yield* inputFiles(blobs, files);
  yield* mountedFiles(blobs, datasets);
}
