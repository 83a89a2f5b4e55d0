import { readdirSync } from "node:fs";
import { createTemporaryDirectory, type TemporaryDirectory } from "@syla/testkit/temporary-directory";
import { AppError } from "@syla/contracts/errors";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openBlobs, type Blobs } from "../../src/platform/blobs.ts";
import { ArtifactCollector } from "../../src/runs/artifact-collector.ts";

describe("ArtifactCollector", () => {
  let directory: TemporaryDirectory;
  let blobs: Blobs;
  beforeEach(async () => {
    directory = createTemporaryDirectory();
    blobs = await openBlobs(directory.path);
  });
  afterEach(() => directory[Symbol.dispose]());
  const unfinished = () => readdirSync(`${directory.path}/incoming`);

  it("stores what it is sent and guesses types by name", async () => {
    const collector = new ArtifactCollector(blobs, { maxBytes: 1000, maxFiles: 10 });
    await collector.begin("a/b.csv");
    await collector.data(Buffer.from("1,"));
    await collector.data(Buffer.from("2"));
    await collector.begin("empty");
    await collector.end();
    expect(collector.artifacts).toMatchObject([
      { path: "a/b.csv", size: 3, mimeType: "text/csv" },
      { path: "empty", size: 0, mimeType: "application/octet-stream" },
    ]);
    expect((await blobs.get(collector.artifacts[0]?.sha256 ?? "")).toString()).toBe("1,2");
  });

  it("does not believe the agent's paths", async () => {
    const collector = new ArtifactCollector(blobs, { maxBytes: 1000, maxFiles: 10 });
    for (const path of ["../../etc/passwd", "/etc/passwd", "a\0b", "", "same", "same"]) {
      await collector.begin(path);
      await collector.data(Buffer.from("x"));
    }
    await collector.end();
    expect(collector.artifacts.map((artifact) => artifact.path)).toEqual(["same"]);
    expect(collector.skipped.map((skipped) => skipped.path)).toEqual(["../../etc/passwd", "/etc/passwd", "a\0b", "", "same"]);
  });

  it("keeps to the limits of bytes and of files, and leaves nothing half-written", async () => {
    const collector = new ArtifactCollector(blobs, { maxBytes: 10, maxFiles: 2 });
    await collector.begin("fits");
    await collector.data(Buffer.alloc(6));
    await collector.begin("too large");
    await collector.data(Buffer.alloc(1 << 20)); // over the limit before its file is even open
    await collector.data(Buffer.alloc(1));
    await collector.begin("small");
    await collector.begin("one too many");
    await collector.end();
    expect(collector.artifacts.map((artifact) => artifact.path)).toEqual(["fits", "small"]);
    expect(collector.skipped.map((skipped) => skipped.path)).toEqual(["too large", "one too many"]);
    expect(unfinished()).toEqual([]);
  });

  it("lets go of the one in hand when the sandbox dies", async () => {
    const collector = new ArtifactCollector(blobs, { maxBytes: 1_000_000, maxFiles: 10 });
    await collector.begin("half");
    await collector.data(Buffer.alloc(100_000));
    await collector.abandon();
    expect(collector.artifacts).toEqual([]);
    expect(unfinished()).toEqual([]);
  });

  it("reports a full disk at the end of the artifact and does not hang on the rest of it", async () => {
    const full: Blobs = {
      ...blobs,
      putStream: async (source) => {
        for await (const _ of source) throw new AppError("storage_full");
        throw new Error("not reached");
      },
    };
    const collector = new ArtifactCollector(full, { maxBytes: 100_000_000, maxFiles: 10 });
    await collector.begin("large");
    for (let chunk = 0; chunk < 20; chunk++) await collector.data(Buffer.alloc(100_000));
    await expect(collector.end()).rejects.toMatchObject({ code: "storage_full" });
  });
});
