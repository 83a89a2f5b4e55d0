import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { parentPort, workerData } from "node:worker_threads";
import type { Compressors } from "hyparquet";
import { BudgetError, limitBuffers } from "./byte-budget.ts";
import type { ParquetMessage } from "./parquet.ts";

/** Reads a Parquet file in a thread of its own, whose memory is bounded: what the file says of itself may be a lie. */

/** No page that anybody writes is larger. */
const mostPageBytes = 64 * 1024 * 1024;
const batchRows = 500;
/** Of the buffers that one row group, or what the file tells of itself, takes while it is read. */
const budget = limitBuffers(512 * 1024 * 1024);
const { parquetMetadataAsync, parquetReadObjects, snappyUncompress } = await import("hyparquet");

const bounded =
  (inflate: (input: Uint8Array, size: number) => Uint8Array) =>
  (input: Uint8Array, size: number): Uint8Array => {
    if (size > mostPageBytes || size < 0) throw new Error("a page is too large");
    budget.spend(size);
    return inflate(input, size);
  };
const compressors: Compressors = {
  SNAPPY: bounded((input, size) => {
    const output = new Uint8Array(size);
    snappyUncompress(input, output);
    return output;
  }),
  GZIP: bounded((input, size) => new Uint8Array(gunzipSync(input, { maxOutputLength: size + 1 }))),
  BROTLI: bounded((input, size) => new Uint8Array(brotliDecompressSync(input, { maxOutputLength: size + 1 }))),
  ZSTD: bounded((input, size) => new Uint8Array(zstdDecompressSync(input, { maxOutputLength: size + 1 }))),
};

/** What JSON has no word for. Large integers are text: a number would lose digits. */
function plain(_name: string, value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  return value;
}

async function read(bytes: ArrayBuffer, send: (message: ParquetMessage) => Promise<void>): Promise<void> {
  const file = {
    byteLength: bytes.byteLength,
    slice: (start: number, end = bytes.byteLength) => {
      budget.spend(Math.max(0, Math.min(end, bytes.byteLength) - start));
      return bytes.slice(start, end);
    },
  };
  const metadata = await parquetMetadataAsync(file);
  let first = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = first + Number(group.num_rows);
    const rows = await parquetReadObjects({ file, metadata, compressors, rowStart: first, rowEnd });
    for (let at = 0; at < rows.length; at += batchRows)
      await send({ rows: rows.slice(at, at + batchRows).map((row) => JSON.stringify(row, plain)) });
    first = rowEnd;
    budget.renew();
  }
}

const port = parentPort;
if (port !== null) {
  let go = () => {};
  port.on("message", () => go());
  const send = async (message: ParquetMessage) => {
    const taken = new Promise<void>((resolve) => (go = resolve));
    port.postMessage(message);
    await taken;
  };
  await read(workerData as ArrayBuffer, send).then(
    () => port.postMessage({ end: true } satisfies ParquetMessage),
    (error: unknown) =>
      port.postMessage({
        error: error instanceof Error ? error.message : "unreadable",
        tooLarge: error instanceof BudgetError,
      } satisfies ParquetMessage),
  );
  port.close();
}
