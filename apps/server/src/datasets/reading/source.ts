import { extname } from "node:path";
import type { DatasetConfig } from "@syla/contracts/dataset-config";
import type { DatasetContentQuery, DatasetFormat } from "@syla/contracts/datasets";
import { AppError } from "@syla/contracts/errors";
import { writeCsv, writeJson, type ContentWriter } from "../content-writer.ts";
import { guessDelimiter, readCsv } from "./csv.ts";
import { decodeText, detectEncoding, type TextEncoding } from "./decode.ts";
import { readJsonArray, readJsonLines } from "./json.ts";
import { readParquet } from "./parquet.ts";
import { openTextInThread } from "./reader-thread.ts";

/** How an upload is to be read. */
export type ReadingWish = Pick<DatasetContentQuery, "format" | "encoding" | "filename">;

/** An upload on its way to being rows. */
export interface OpenedSource {
  readonly source: DatasetConfig["source"];
  readonly format: DatasetConfig["format"];
  readonly writer: ContentWriter;
}

/** So much is looked at to tell what the file is. */
const headBytes = 64 * 1024;

/** Finds out what an upload is, by its first bytes and its name. @throws AppError `dataset_format`, `dataset_empty` */
export async function openSource(upload: AsyncIterable<Uint8Array>, wish: ReadingWish, maxBytes: number): Promise<OpenedSource> {
  const { head, all } = await peek(limited(upload, maxBytes));
  if (head.length === 0) throw new AppError("dataset_empty", { message: "The file is empty." });
  const isParquet = head.subarray(0, 4).toString("latin1") === "PAR1";
  if (isParquet || wish.format === "parquet") {
    if (!isParquet) throw notThat("Parquet");
    return { source: "parquet", format: "jsonl", writer: writeJson(readParquet(all)) };
  }
  return await openTextInThread(all, wish);
}

/** Text in one of its formats: the part that runs in a thread of its own. @throws AppError `dataset_format` */
export async function openText(upload: AsyncGenerator<Buffer>, wish: ReadingWish): Promise<OpenedSource> {
  const { head, all } = await peek(upload);
  const encoding: TextEncoding = wish.encoding === "auto" ? detectEncoding(head) : wish.encoding;
  const start = new TextDecoder(encoding === "latin1" ? "windows-1252" : encoding).decode(head, { stream: true });
  const source = wish.format === "auto" ? detectFormat(start, wish.filename) : (wish.format as TextFormat);
  if (source === "csv" || source === "tsv") requireText(start, encoding);
  const text = decodeText(all, encoding);
  switch (source) {
    case "csv":
      return { source, format: "csv", writer: writeCsv(readCsv(text, guessDelimiter(start))) };
    case "tsv":
      return { source, format: "csv", writer: writeCsv(readCsv(text, "\t")) };
    case "json":
      return { source, format: "jsonl", writer: writeJson(readJsonArray(text)) };
    case "jsonl":
      return { source, format: "jsonl", writer: writeJson(readJsonLines(text)) };
  }
}

type TextFormat = Exclude<DatasetFormat, "auto" | "parquet">;

const extensions: Readonly<Record<string, TextFormat>> = {
  ".csv": "csv",
  ".tsv": "tsv",
  ".tab": "tsv",
  ".json": "json",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
};

function detectFormat(start: string, filename = ""): TextFormat {
  const content = start.trimStart();
  const named = extensions[extname(filename).toLowerCase()];
  if (content.startsWith("[") && named !== "csv" && named !== "tsv") return "json";
  if (content.startsWith("{") && named !== "csv" && named !== "tsv") return "jsonl";
  if (named === "json" || named === "jsonl") return named;
  if (named !== undefined) return named;
  return guessDelimiter(start) === "\t" ? "tsv" : "csv";
}

/** What holds a zero byte is no table, whatever its name. */
function requireText(start: string, encoding: TextEncoding): void {
  if (start.includes("\0")) throw notThat(`text in ${encoding.toUpperCase()}`);
}

function notThat(what: string): AppError {
  return new AppError("dataset_format", {
    message: `The file is not ${what}.`,
    fields: [{ path: "body", message: `is not ${what}` }],
  });
}

async function* limited(upload: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of upload) {
    size += chunk.length;
    if (size > maxBytes)
      throw new AppError("payload_too_large", {
        message: `The file is larger than ${Math.floor(maxBytes / 1_000_000)} MB.`,
        hint: "Upload it in parts.",
      });
    yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
}

/** The first bytes, and all of them. */
async function peek(source: AsyncGenerator<Buffer>): Promise<{ head: Buffer; all: AsyncIterable<Buffer> }> {
  const first: Buffer[] = [];
  let size = 0;
  while (size < headBytes) {
    const next = await source.next();
    if (next.done === true) break;
    first.push(next.value);
    size += next.value.length;
  }
  async function* all() {
    yield* first;
    yield* source;
  }
  return { head: Buffer.concat(first).subarray(0, headBytes), all: all() };
}
