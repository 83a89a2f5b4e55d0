import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { createTemporaryDirectory, type TemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openBlobs, type Blobs } from "../../src/platform/blobs.ts";

const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("blob store on local disk", () => {
  let directory: TemporaryDirectory;
  let blobs: Blobs;
  beforeEach(async () => {
    directory = createTemporaryDirectory();
    blobs = await openBlobs(directory.path);
  });
  afterEach(async () => {
    await blobs.close();
    directory[Symbol.dispose]();
  });

  const unfinished = () => readdirSync(join(directory.path, "incoming"));

  it("finds again what it kept, also what an older version kept in a file", async () => {
    const small = await blobs.put(Buffer.from("small"));
    const large = await blobs.put(randomBytes(100_000));
    const old = hashOf(Buffer.from("old"));
    writeFileSync(join(directory.path, "sha256", old.slice(0, 2), old), "old");
    await blobs.close();
    blobs = await openBlobs(directory.path);
    expect((await blobs.get(small.sha256)).toString()).toBe("small");
    expect(await blobs.stat(large.sha256)).toEqual(large);
    expect((await blobs.get(old)).toString()).toBe("old");
    expect((await buffer(await blobs.open(old, { start: 1 }))).toString()).toBe("ld");
    expect(await blobs.stat(old)).toEqual({ sha256: old, size: 3 });
  });

  it("takes streams and files, and the same content at the same time", async () => {
    const bytes = randomBytes(3_000_000);
    const file = join(directory.path, "file");
    writeFileSync(file, bytes);
    const refs = await Promise.all([
      blobs.putStream(Readable.from([bytes.subarray(0, 10), bytes.subarray(10)])),
      blobs.putFile(file),
      blobs.put(bytes),
      blobs.put(bytes),
    ]);
    for (const ref of refs) expect(ref).toEqual({ sha256: hashOf(bytes), size: bytes.length });
    expect(unfinished()).toEqual([]);
  });

  it("copies regular files only", async () => {
    const file = join(directory.path, "file");
    writeFileSync(file, "content");
    symlinkSync(file, join(directory.path, "link"));
    execFileSync("mkfifo", [join(directory.path, "pipe")]);
    await expect(blobs.putFile(join(directory.path, "link"))).rejects.toMatchObject({ code: "ELOOP" });
    await expect(blobs.putFile(join(directory.path, "pipe"))).rejects.toMatchObject({ code: "invalid_path" });
    await expect(blobs.putFile("/dev/zero")).rejects.toMatchObject({ code: "invalid_path" });
    await expect(blobs.putFile(directory.path)).rejects.toMatchObject({ code: "invalid_path" });
    await expect(blobs.putFile(file, { maxBytes: 3 })).rejects.toMatchObject({ code: "payload_too_large" });
    expect(unfinished()).toEqual([]);
  });

  it("removes what a killed process left half-written", async () => {
    writeFileSync(join(directory.path, "incoming", "half"), "half");
    const next = await openBlobs(directory.path);
    expect(unfinished()).toEqual([]);
    await next.close();
  });

  it("lists each once, and keeps what it takes out of use", async () => {
    const refs = [await blobs.put(Buffer.from("small")), await blobs.put(randomBytes(100_000))];
    await blobs.put(Buffer.from("small"));
    const listed = await Array.fromAsync(blobs.list());
    expect(listed.toSorted((a, b) => a.size - b.size)).toEqual(refs);
    for (const { sha256 } of refs) {
      const content = await blobs.get(sha256);
      expect(readFileSync(await blobs.quarantine(sha256))).toEqual(content);
      expect(await blobs.has(sha256)).toBe(false);
    }
  });

  it("notices damaged content", async () => {
    const large = await blobs.put(randomBytes(100_000));
    writeFileSync(join(directory.path, "sha256", large.sha256.slice(0, 2), large.sha256), "spoilt");
    expect(await blobs.verify(large.sha256)).toBe(false);
    const small = await blobs.put(Buffer.from("sound"));
    const file = join(directory.path, "packs", readdirSync(join(directory.path, "packs"))[0] ?? "");
    const pack = readFileSync(file);
    pack.write("noise", pack.lastIndexOf("sound"));
    writeFileSync(file, pack);
    expect(await blobs.verify(small.sha256)).toBe(false);
  });

  // Mounting a small disk needs root.
  it.runIf(process.getuid?.() === 0)("reports a full disk and goes on when there is room again", async () => {
    const small = join(directory.path, "small");
    mkdirSync(small);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", small]);
    try {
      const full = await openBlobs(small);
      const kept = await full.put(randomBytes(1000));
      const tooMuch = randomBytes(2_000_000);
      await expect(full.putStream(Readable.from([tooMuch.subarray(0, 900_000), tooMuch.subarray(900_000)]))).rejects.toMatchObject({
        code: "storage_full",
      });
      await expect(full.put(tooMuch)).rejects.toMatchObject({ code: "storage_full", status: 507 });
      expect(readdirSync(join(small, "incoming"))).toEqual([]);
      expect(await full.has(hashOf(tooMuch))).toBe(false);
      expect(await full.verify(kept.sha256)).toBe(true);
      await full.put(randomBytes(100_000));
      await full.close();
    } finally {
      execFileSync("umount", [small]);
    }
  });
});
