import { createZstdDecompress, zstdCompress } from "node:zlib";
import { pipeline, type Duplex, type Readable } from "node:stream";
import { promisify } from "node:util";
import type { NodeRun } from "@syla/contracts/node-runs";
import type { RunEvent, RunStatus } from "@syla/contracts/runs";
import { z } from "zod";
import type { Blobs, WrittenBlob } from "../platform/blobs.ts";
import { packLines, unpackLines } from "./log-chunks.ts";

/**
 * A run's log as it is kept: JSON lines, one record for each event, compressed with zstd. Output that is not UTF-8 is kept byte-exact in
 * base64; events show it with U+FFFD.
 */
const LogRecord = z.discriminatedUnion("type", [
  z.object({ type: z.literal("status"), seq: z.int(), time: z.int(), status: z.string(), phase: z.string().nullable(), attempt: z.int() }),
  z.object({
    type: z.literal("log"),
    seq: z.int(),
    time: z.int(),
    stream: z.enum(["stdout", "stderr", "system"]),
    text: z.string().optional(),
    base64: z.string().optional(),
  }),
  z.object({ type: z.literal("node"), seq: z.int(), time: z.int(), node: z.custom<NodeRun>() }),
]);
/** `time` in milliseconds since 1970. */
export type LogRecord = z.infer<typeof LogRecord>;
export type OutputStream = "stdout" | "stderr" | "system";

const compress = promisify(zstdCompress);
const compressAbove = 4096;
const plainStart = 0x7b; // `{`
const newline = 0x0a;

export function encodeRecord(record: LogRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/** A line of a log. Null for one that was cut off in the middle when a server was killed. */
export function decodeRecord(line: string): LogRecord | null {
  try {
    return LogRecord.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

/** The record as the event that the API shows. */
export function toEvent(record: LogRecord): RunEvent {
  const time = new Date(record.time).toISOString();
  if (record.type === "log")
    return { type: "log", seq: record.seq, time, stream: record.stream, text: record.text ?? bytesOf(record).toString() };
  if (record.type === "node") return { type: "node", seq: record.seq, time, node: record.node };
  return { type: "status", seq: record.seq, time, status: record.status as RunStatus, phase: record.phase, attempt: record.attempt };
}

/** Exactly what the program wrote. */
export function bytesOf(record: LogRecord): Buffer {
  if (record.type !== "log") return Buffer.alloc(0);
  return record.base64 === undefined ? Buffer.from(record.text ?? "") : Buffer.from(record.base64, "base64");
}

/** Stores a finished log; returns its hash when it is on the disk. */
export async function storeLog(blobs: Blobs, lines: Buffer | Readable): Promise<string> {
  const { sha256, sync } = await writeLog(blobs, lines);
  await sync();
  return sha256;
}

/** Writes a finished log; it can be read at once. A short one is not worth compressing: its first byte tells. */
export async function writeLog(blobs: Blobs, lines: Buffer | Readable): Promise<WrittenBlob> {
  if (Buffer.isBuffer(lines)) return await blobs.write(lines.length < compressAbove ? lines : await compress(lines));
  const packed = packLines(lines, (line) => decodeRecord(line)?.seq ?? null);
  return { ...(await blobs.putStream(packed)), sync: () => Promise.resolve() };
}

/** The records of a stored log after `seq`, in order. */
export async function* readLog(blobs: Blobs, sha256: string, seq = 0): AsyncGenerator<LogRecord> {
  for await (const record of readRecords(blobs, sha256, seq)) if (record.seq > seq) yield record;
}

async function* readRecords(blobs: Blobs, sha256: string, seq: number): AsyncGenerator<LogRecord> {
  const size = (await blobs.stat(sha256))?.size ?? 0;
  const bytes = size < compressAbove ? await blobs.get(sha256) : null;
  if (bytes?.length === 0) return; // a server was killed before the first line was on disk
  if (bytes?.[0] === plainStart)
    yield* bytes
      .toString()
      .split("\n")
      .map(decodeRecord)
      .filter((record) => record !== null);
  else {
    const chunks = await unpackLines(blobs, sha256, size, seq);
    // Shorter logs, and those of older releases, are one frame.
    yield* readLines(chunks ?? through(await blobs.open(sha256), createZstdDecompress()));
  }
}

/** The records of an uncompressed log. Leaving off early closes the source. */
export async function* readLines(source: Readable | AsyncIterable<Buffer>): AsyncGenerator<LogRecord> {
  let rest: Buffer[] = [];
  for await (const chunk of source as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const record = decodeRecord(Buffer.concat([...rest, chunk.subarray(start, end)]).toString());
      rest = [];
      start = end + 1;
      if (record !== null) yield record;
    }
    rest.push(chunk.subarray(start));
  }
}

/** `source` through `transform`: an error of either, or a reader that leaves off, ends both. */
function through(source: Readable, transform: Duplex): Duplex {
  pipeline(source, transform, () => {}); // whoever reads sees the error
  return transform;
}
