import type { InputFile } from "@syla/sandbox/spec";
import type { Blobs } from "../platform/blobs.ts";
import type { RunConfig } from "./config.ts";

const streamAboveBytes = 1024 * 1024;

/** Stored files as a sandbox takes them; large ones as streams. */
export async function* inputFiles(blobs: Blobs, files: RunConfig["files"]): AsyncGenerator<InputFile> {
  for (const { path, mode, size, sha256 } of files)
    yield { path, mode, content: size > streamAboveBytes ? await blobs.open(sha256) : await blobs.get(sha256) };
}
