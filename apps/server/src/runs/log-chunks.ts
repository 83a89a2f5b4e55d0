import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import { z } from "zod";
import type { Blobs } from "../platform/blobs.ts";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/**
 * A long log as it is kept: frames of zstd with about so many bytes of whole lines each, so that whoever wants its end, after a lost connection,
 * does not read all of it. Behind them, in a frame that zstd skips, is where each begins; any zstd unpacks the whole.
 */
const chunkBytes = 256 * 1024;

/** Source: RFC 8878, 3.1.2, skippable frames. */
const skippable = 0x184d2a50;
const headBytes = 8;
/** At the very end: how long the frame of the index is, and what it is. */
const tailBytes = 8;
const mark = Buffer.from("SYLI");

/** Where chunks begin, and the number of the first event in each. */
const Index = z.array(z.tuple([z.int().nonnegative(), z.int().nonnegative()]));
type Index = z.infer<typeof Index>;

/** Packs lines, as they come. `seqOf`: the number of a line's event. */
export async function* packLines(lines: Readable, seqOf: (line: string) => number | null): AsyncGenerator<Buffer> {
  const index: Index = [];
  let offset = 0;
  let last = 0;
  for await (const chunk of wholeLines(lines)) {
    const packed = await compress(chunk);
    last = firstSeq(chunk, seqOf) ?? last;
    index.push([offset, last]);
    offset += packed.length;
    yield packed;
  }
  yield encodeIndex(index);
}

/** The lines of a packed log in pieces of whole lines, without chunks in which every event comes before the one after `seq`. Null: it is not packed so. */
export async function unpackLines(
  blobs: Pick<Blobs, "open">,
  sha256: string,
  size: number,
  seq: number,
): Promise<AsyncGenerator<Buffer> | null> {
  const found = await readIndex(blobs, sha256, size);
  if (found === null) return null;
  const { index, end } = found;
  const from = Math.max(
    0,
    index.findLastIndex(([, first]) => first <= seq + 1),
  );
  return (async function* () {
    for (let at = from; at < index.length; at++) {
      const packed = await readPart(blobs, sha256, index[at]?.[0] ?? end, index[at + 1]?.[0] ?? end);
      yield await decompress(packed);
    }
  })();
}

/** Pieces of at least a chunk's size that end with a line; the last one as it is. */
async function* wholeLines(source: Readable): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const part of source as AsyncIterable<Buffer>) {
    const end = size + part.length >= chunkBytes ? part.lastIndexOf(0x0a) + 1 : 0;
    if (end === 0) {
      parts.push(part);
      size += part.length;
      continue;
    }
    yield Buffer.concat([...parts, part.subarray(0, end)]);
    parts = [part.subarray(end)];
    size = part.length - end;
  }
  if (size > 0) yield Buffer.concat(parts);
}

function firstSeq(chunk: Buffer, seqOf: (line: string) => number | null): number | null {
  for (let start = 0; start < chunk.length;) {
    const newline = chunk.indexOf(0x0a, start);
    const end = newline === -1 ? chunk.length : newline;
    const seq = seqOf(chunk.toString("utf8", start, end));
    if (seq !== null) return seq;
    start = end + 1;
  }
  return null;
}

function encodeIndex(index: Index): Buffer {
  const text = Buffer.from(JSON.stringify(index));
  const frame = Buffer.alloc(headBytes + text.length + tailBytes);
  frame.writeUInt32LE(skippable, 0);
  frame.writeUInt32LE(frame.length - headBytes, 4);
  text.copy(frame, headBytes);
  frame.writeUInt32LE(frame.length, frame.length - tailBytes);
  mark.copy(frame, frame.length - mark.length);
  return frame;
}

async function readIndex(blobs: Pick<Blobs, "open">, sha256: string, size: number): Promise<{ index: Index; end: number } | null> {
  if (size < headBytes + tailBytes) return null;
  const tail = await readPart(blobs, sha256, size - tailBytes, size);
  if (!tail.subarray(-mark.length).equals(mark)) return null;
  const end = size - tail.readUInt32LE(0);
  if (end < 0) return null;
  const frame = await readPart(blobs, sha256, end, size);
  if (frame.readUInt32LE(0) !== skippable) return null;
  return { index: Index.parse(JSON.parse(frame.toString("utf8", headBytes, frame.length - tailBytes))), end };
}

async function readPart(blobs: Pick<Blobs, "open">, sha256: string, start: number, end: number): Promise<Buffer> {
  return Buffer.concat(await (await blobs.open(sha256, { start, end })).toArray());
}
