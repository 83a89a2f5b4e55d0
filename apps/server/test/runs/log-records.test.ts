import { randomBytes } from "node:crypto";
import { openSync, closeSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { createTemporaryDirectory, type TemporaryDirectory } from "@syla/testkit/temporary-directory";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openBlobs, type Blobs } from "../../src/platform/blobs.ts";
import { bytesOf, decodeRecord, encodeRecord, readLines, readLog, storeLog, toEvent, type LogRecord } from "../../src/runs/log-records.ts";
import { textOrBase64 } from "../../src/runs/utf8-splitter.ts";

const logRecord = (seq: number, bytes: Buffer): LogRecord => ({ type: "log", seq, time: 1, stream: "stdout", ...textOrBase64(bytes) });

async function collect(records: AsyncIterable<LogRecord>): Promise<LogRecord[]> {
  return await Array.fromAsync(records);
}

describe("log records", () => {
  it("keep every byte through encoding", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const record = logRecord(1, Buffer.from(bytes));
        const line = encodeRecord(record);
        expect(line.indexOf("\n")).toBe(line.length - 1);
        expect(decodeRecord(line)).toEqual(record);
        expect(bytesOf(record)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it("show bytes that are not text with the replacement character", () => {
    expect(toEvent(logRecord(3, Buffer.from([0x61, 0xff])))).toEqual({
      type: "log",
      seq: 3,
      time: "1970-01-01T00:00:00.001Z",
      stream: "stdout",
      text: "a\u{fffd}",
    });
  });

  it("are read from any cut of the stream, and a line that was cut off is left out", async () => {
    const records = ["one", "zwei 🙂", "x".repeat(300)].map((text, index) => logRecord(index + 1, Buffer.from(text)));
    const bytes = Buffer.from(records.map(encodeRecord).join(""));
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length), fc.integer({ min: 1, max: 50 }), async (length, size) => {
        const chunks = Array.from({ length: Math.ceil(length / size) }, (_, index) =>
          bytes.subarray(index * size, Math.min((index + 1) * size, length)),
        );
        const whole = bytes.subarray(0, length).toString().split("\n").length - 1;
        expect(await collect(readLines(Readable.from(chunks)))).toEqual(records.slice(0, whole));
      }),
      { numRuns: 60 },
    );
  });

  it.each(["", "{", "null", "[]", '{"type":"log"}', '{"type":"log","seq":"1","time":1,"stream":"stdout"}', "\0"])(
    "are not made of %j",
    (line) => {
      expect(decodeRecord(line)).toBeNull();
    },
  );
});

describe("stored logs", () => {
  let directory: TemporaryDirectory;
  let blobs: Blobs;
  beforeEach(async () => {
    directory = createTemporaryDirectory();
    blobs = await openBlobs(directory.path);
  });
  afterEach(() => directory[Symbol.dispose]());

  it.each([1, 10, 5000])("of %i records come back as they were, stored whole or as a stream", async (count) => {
    const records = Array.from({ length: count }, (_, index) => logRecord(index + 1, Buffer.from(`line ${index}\n`)));
    const lines = Buffer.from(records.map(encodeRecord).join(""));
    expect(await collect(readLog(blobs, await storeLog(blobs, lines)))).toEqual(records);
    const stream = Readable.from([lines.subarray(0, 11), lines.subarray(11)]);
    expect(await collect(readLog(blobs, await storeLog(blobs, stream)))).toEqual(records);
  });

  it("are read from any event on, without what comes long before it", async () => {
    const records = Array.from({ length: 6000 }, (_, index) => logRecord(index + 1, randomBytes(100)));
    const sha256 = await storeLog(blobs, Readable.from(records.map((record) => Buffer.from(encodeRecord(record)))));
    let read = 0;
    const counting: Blobs = {
      ...blobs,
      open: async (hash, range) => {
        read += (range?.end ?? 0) - (range?.start ?? 0);
        return await blobs.open(hash, range);
      },
    };
    for (const after of [0, 1, 1499, 3000, 5998, 5999, 6000, 9000])
      expect(await collect(readLog(blobs, sha256, after))).toEqual(records.slice(after));
    expect(await collect(readLog(counting, sha256, 5990))).toHaveLength(10);
    expect(read).toBeLessThan(((await blobs.stat(sha256))?.size ?? 0) / 2);
    const unpacked = zstdDecompressSync(await blobs.get(sha256));
    expect(unpacked.toString().startsWith(encodeRecord(records[0] as LogRecord))).toBe(true);
  });

  it("of older releases are one frame", async () => {
    const records = Array.from({ length: 500 }, (_, index) => logRecord(index + 1, randomBytes(100)));
    const { sha256 } = await blobs.put(zstdCompressSync(Buffer.from(records.map(encodeRecord).join(""))));
    expect(await collect(readLog(blobs, sha256, 490))).toEqual(records.slice(490));
  });

  it("may be empty: a server was killed before the first line was on disk", async () => {
    expect(await collect(readLog(blobs, await storeLog(blobs, Buffer.alloc(0))))).toEqual([]);
    expect(await collect(readLog(blobs, await storeLog(blobs, Readable.from([]))))).toEqual([]);
  });

  it("leave no file open when the reader leaves off early", async () => {
    const random = Array.from({ length: 3000 }, (_, index) => encodeRecord(logRecord(index + 1, randomBytes(100))));
    const sha256 = await storeLog(blobs, Buffer.from(random.join("")));
    for (let round = 0; round < 20; round++) for await (const record of readLog(blobs, sha256)) if (record.seq === 2) break;
    await expect.poll(() => openFiles(join(directory.path, "sha256", sha256.slice(0, 2), sha256))).toBe(0);
  });

  it("that are damaged or whose source breaks fail, and do not hang", async () => {
    const { sha256 } = await blobs.put(Buffer.concat([Buffer.from("damaged"), Buffer.alloc(8000, 7)]));
    await expect(collect(readLog(blobs, sha256))).rejects.toThrow("Unknown frame descriptor");
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from("half");
        throw new Error("the disk went away");
      })(),
    );
    await expect(storeLog(blobs, broken)).rejects.toThrow("the disk went away");
    expect(readdirSync(`${directory.path}/incoming`)).toEqual([]);
  });
});

/** How many descriptors of this process are the file. */
function openFiles(path: string): number {
  const probe = openSync(path, "r");
  const inode = (fd: string | number) => /^ino:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
  const wanted = inode(probe);
  closeSync(probe);
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return inode(fd) === wanted;
    } catch {
      return false; // closed meanwhile
    }
  }).length;
}
