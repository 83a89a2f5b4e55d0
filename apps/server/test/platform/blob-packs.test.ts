import { createHash, randomBytes } from "node:crypto";
import { appendFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTemporaryDirectory, type TemporaryDirectory } from "@syla/testkit/temporary-directory";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BlobPacks } from "../../src/platform/blob-packs.ts";

const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("packs of small blobs", () => {
  let directory: TemporaryDirectory;
  let packs: BlobPacks;
  beforeEach(() => {
    directory = createTemporaryDirectory();
    packs = new BlobPacks(directory.path);
  });
  afterEach(async () => {
    await packs.close();
    directory[Symbol.dispose]();
  });

  const add = (bytes: Buffer): string => {
    const sha256 = hashOf(bytes);
    packs.add(sha256, bytes);
    return sha256;
  };
  const files = () => readdirSync(directory.path).toSorted();
  const path = (name = files().at(-1) ?? "") => join(directory.path, name);
  /** What another process finds, when this one is killed now. */
  const reopen = () => (packs = new BlobPacks(directory.path));

  it("keep what they were given, the empty one too, and are found again", () => {
    const contents = [Buffer.alloc(0), ...Array.from({ length: 500 }, (_, index) => randomBytes(index))];
    const hashes = contents.map(add);
    for (const current of [packs, reopen()]) {
      for (const [index, sha256] of hashes.entries()) {
        expect(current.read(sha256)?.equals(contents[index] ?? Buffer.of(1))).toBe(true);
        expect(current.sizeOf(sha256)).toBe(contents[index]?.length);
      }
      expect(current.read(hashOf(Buffer.from("missing")))).toBeUndefined();
    }
  });

  it("keep the same content once", () => {
    add(Buffer.from("again"));
    const { size } = statSync(path());
    add(Buffer.from("again"));
    reopen().add(hashOf(Buffer.from("again")), Buffer.from("again"));
    expect(statSync(path()).size).toBe(size);
  });

  it("end where a killed process was cut off in the middle of one, and go on there", () => {
    const whole = add(Buffer.from("whole"));
    const { size } = statSync(path());
    const cut = add(randomBytes(1000));
    const record = readFileSync(path()).subarray(size);
    for (let length = 0; length < record.length; length += 97) {
      truncateSync(path(), size);
      appendFileSync(path(), record.subarray(0, length));
      reopen();
      expect(packs.read(whole)?.toString()).toBe("whole");
      expect(packs.read(cut)).toBeUndefined();
      const next = add(Buffer.from(`next ${length}`));
      expect(reopen().read(next)?.toString()).toBe(`next ${length}`);
    }
  });

  it("believe no record that a power cut has left without its content", () => {
    const whole = add(Buffer.from("whole"));
    const { size } = statSync(path());
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (garbage) => {
        truncateSync(path(), size);
        appendFileSync(path(), garbage);
        reopen();
        expect(packs.read(whole)?.toString()).toBe("whole");
        expect(statSync(path()).size).toBe(size);
      }),
      { numRuns: 30 },
    );
    appendFileSync(path(), Buffer.alloc(5000));
    expect(reopen().read(whole)?.toString()).toBe("whole");
  });

  it("lose only the one whose content is damaged", () => {
    const [before, damaged, after] = ["before", "damaged", "after"].map((text) => add(Buffer.from(text)));
    const pack = readFileSync(path());
    pack.write("spoiled", pack.lastIndexOf("damaged"));
    writeFileSync(path(), pack);
    reopen();
    const found = [before, damaged, after].map((sha256) => packs.read(sha256 ?? "")?.toString());
    expect(found).toEqual(["before", undefined, "after"]);
  });

  it("are sealed when they are full, and read as before; a seal that was cut off is made again", async () => {
    const contents = Array.from({ length: 560 }, () => randomBytes(60 * 1024));
    const hashes = contents.map(add);
    expect(files()).toHaveLength(2);
    await packs.close();
    const [first = ""] = files();
    const sealed = readFileSync(path(first));
    expect(sealed.subarray(0, 16).toString()).toBe("syla pack sealed");
    for (const spoil of [() => {}, () => sealed.fill(0, 0, 16), () => sealed.fill(0, 0, 100_000)]) {
      spoil();
      writeFileSync(path(first), sealed);
      reopen();
      for (const [index, sha256] of hashes.entries()) expect(packs.read(sha256)?.equals(contents[index] as Buffer)).toBe(true);
      expect(packs.sizeOf(hashOf(Buffer.from("missing")))).toBeUndefined();
      await packs.close();
      expect(readFileSync(path(first)).subarray(0, 16).toString()).toBe("syla pack sealed");
    }
    reopen();
    const old = hashes[0] ?? "";
    await packs.remove(old);
    expect(packs.read(old)).toBeUndefined();
    expect(reopen().read(old)).toBeUndefined();
  });

  it("forget what was removed, until it comes again", async () => {
    const gone = add(Buffer.from("gone"));
    await packs.remove(gone);
    expect([packs.read(gone), reopen().read(gone)]).toEqual([undefined, undefined]);
    add(Buffer.from("gone"));
    expect([packs.read(gone)?.toString(), reopen().read(gone)?.toString()]).toEqual(["gone", "gone"]);
  });

  it("answer everybody who asks for the disk meanwhile", async () => {
    const ended: number[] = [];
    const syncs = Array.from({ length: 50 }, async (_, index) => {
      if (index % 10 === 0) await new Promise(setImmediate);
      add(Buffer.from(`blob ${index}`));
      await packs.sync();
      ended.push(index);
    });
    await Promise.all(syncs);
    expect(ended.toSorted((a, b) => a - b)).toEqual(syncs.map((_, index) => index));
    await expect(packs.sync()).resolves.toBeUndefined();
  });

  it("give the room of removed blobs back, and lose none of the others, cut off at any point", async () => {
    const kept = new Map<string, Buffer>();
    const gone: string[] = [];
    for (let count = 0; count < 700; count += 1) {
      const bytes = randomBytes(60_000);
      if (count % 3 === 0) kept.set(add(bytes), bytes);
      else gone.push(add(bytes));
    }
    for (const sha256 of gone) await packs.remove(sha256);
    const before = files();
    expect(await packs.compact()).toBeGreaterThan(30_000_000);
    expect(files()).not.toEqual(before);
    for (const current of [packs, reopen()]) {
      for (const [sha256, bytes] of kept) expect(current.read(sha256)?.equals(bytes)).toBe(true);
      for (const sha256 of gone) expect(current.read(sha256)).toBeUndefined();
      expect(new Set([...current.list()].map((ref) => ref.sha256))).toEqual(new Set(kept.keys()));
    }
    expect(await packs.compact()).toBe(0);
  });
});
