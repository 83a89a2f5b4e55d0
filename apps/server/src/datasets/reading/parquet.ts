import { on } from "node:events";
import { Worker } from "node:worker_threads";
import { datasetLimits } from "@syla/contracts/dataset-config";
import { readingProblem } from "./problem.ts";
import { requireShallow, type JsonRow } from "./json.ts";
import { holdFile, takeTurn } from "./parquet-turns.ts";

/** What the thread that reads a Parquet file says. It goes on when it is answered. `tooLarge`: it may not have so much memory. */
export type ParquetMessage =
  | { readonly rows: readonly string[] }
  | { readonly end: true }
  | { readonly error: string; readonly tooLarge: boolean };

/** A thread that needs more, or longer, is ended: the file is no honest one, or its row groups are too large for this server. */
const heapMb = 768;
const longestMs = 120_000;

/** The rows of a Parquet file as objects, in batches; one file at a time is read. @throws AppError `dataset_malformed`, `dataset_busy` */
export async function* readParquet(source: AsyncIterable<Buffer>): AsyncGenerator<JsonRow[]> {
  using held = new DisposableStack();
  const file = held.use(holdFile());
  for await (const chunk of source) file.add(chunk);
  held.use(await takeTurn());
  yield* readRows(file.join());
}

async function* readRows(bytes: ArrayBuffer): AsyncGenerator<JsonRow[]> {
  const worker = new Worker(new URL("./parquet-worker.ts", import.meta.url), {
    workerData: bytes,
    transferList: [bytes],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
  // Stays: an error that nobody listens to any more would end the server.
  worker.on("error", () => {});
  let line = 0;
  try {
    for await (const [message] of on(worker, "message", { signal: AbortSignal.timeout(longestMs), close: ["exit"] }) as AsyncIterable<
      [ParquetMessage]
    >) {
      if ("end" in message) return;
      if ("error" in message) throw message.tooLarge ? tooLarge(line) : new Error(message.error);
      const rows = message.rows.map((text) => toRow(text, (line += 1)));
      if (rows.length > 0) yield rows;
      worker.postMessage("go", []);
    }
    throw new Error("the reader ended early");
  } catch (error) {
    const { name, code, message } = error as Error & { code?: unknown };
    if (name === "AppError") throw error;
    if (code === "ERR_WORKER_OUT_OF_MEMORY" || name === "AbortError") throw tooLarge(line);
    throw readingProblem("dataset_malformed", `this is no Parquet that can be read (${message.slice(0, 200)})`, { line: line + 1 });
  } finally {
    await worker.terminate();
  }
}

function tooLarge(line: number) {
  const what = "the file takes more memory or time than it may: write it with smaller row groups";
  return readingProblem("dataset_malformed", what, { line: line + 1 });
}

function toRow(text: string, line: number): JsonRow {
  if (text.length > datasetLimits.rowBytes)
    throw readingProblem("dataset_malformed", `the row is longer than ${datasetLimits.rowBytes / 1024 / 1024} MiB`, { line });
  requireShallow(text, { line, column: 1 });
  return { values: JSON.parse(text) as Record<string, unknown>, text, line };
}
