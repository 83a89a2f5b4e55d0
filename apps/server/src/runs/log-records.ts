import { createZstdDecompress, zstdCompress } from "node:zlib";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import type { RunEvent, RunStatus } from "@syla/contracts/runs";
import { z } from "zod";
import type { Blobs } from "../platform/blobs.ts";

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
]);
/** `time` in milliseconds since 1970. */
export type LogRecord = z.infer<typeof LogRecord>;
export type OutputStream = "stdout" | "stderr" | "system";

const compress = promisify(zstdCompress);

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
  return { type: "status", seq: record.seq, time, status: record.status as RunStatus, phase: record.phase, attempt: record.attempt };
}

/** Exactly what the program wrote. */
export function bytesOf(record: LogRecord): Buffer {
  if (record.type !== "log") return Buffer.alloc(0);
  return record.base64 === undefined ? Buffer.from(record.text ?? "") : Buffer.from(record.base64, "base64");
}

/** Stores a finished log; returns its hash. */
export async function storeLog(blobs: Blobs, lines: Buffer): Promise<string> {
  return (await blobs.put(await compress(lines))).sha256;
}

/** The records of a stored log, in order. */
export async function* readLog(blobs: Blobs, sha256: string): AsyncGenerator<LogRecord> {
  const source = await blobs.open(sha256);
  yield* readLines(source.pipe(createZstdDecompress()));
}

/** The records of an uncompressed log. */
export async function* readLines(source: Readable): AsyncGenerator<LogRecord> {
  for await (const line of createInterface({ input: source, crlfDelay: Number.POSITIVE_INFINITY })) {
    const record = decodeRecord(line);
    if (record !== null) yield record;
  }
}
