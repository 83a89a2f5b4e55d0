import { MessageChannel, Worker, type MessagePort } from "node:worker_threads";
import type { DatasetConfig } from "@syla/contracts/dataset-config";
import { AppError, type AppErrorOptions, type ErrorCode } from "@syla/contracts/errors";
import type { WrittenRows } from "../content-writer.ts";
import type { OpenedSource, ReadingWish } from "./source.ts";

/** An upload for the thread, which speaks on its port. */
export interface ReaderRequest {
  readonly port: MessagePort;
  readonly wish: ReadingWish;
}

/** `more` is answered with a `chunk`, `end` or `broken`; `bytes` with `taken`. */
export type FromReader =
  | { readonly type: "more" }
  | { readonly type: "opened"; readonly source: DatasetConfig["source"]; readonly format: DatasetConfig["format"] }
  | { readonly type: "bytes"; readonly bytes: Uint8Array }
  | { readonly type: "done"; readonly written: WrittenRows }
  | { readonly type: "refused"; readonly code: ErrorCode; readonly options: AppErrorOptions }
  | { readonly type: "failed"; readonly message: string };
type Answer = Exclude<FromReader, { type: "more" }>;
export type ToReader =
  | { readonly type: "chunk"; readonly chunk: Uint8Array }
  | { readonly type: "end" }
  | { readonly type: "broken" }
  | { readonly type: "taken" }
  | { readonly type: "gone" };

let running: Worker | null = null;

/** One thread for all uploads: it takes them in turn, and what one of them costs it, it costs nobody who only asks for something. */
function thread(): Worker {
  if (running !== null) return running;
  const worker = new Worker(new URL("./reader-worker.ts", import.meta.url), { env: {} });
  const forget = () => void (running === worker && (running = null));
  worker.on("error", forget).on("exit", forget);
  worker.unref();
  return (running = worker);
}

/** Text as rows, read in the thread. @throws AppError `dataset_…`, what reading the upload throws */
export async function openTextInThread(upload: AsyncIterable<Buffer>, wish: ReadingWish): Promise<OpenedSource> {
  const { port1: port, port2 } = new MessageChannel();
  const answers = hear(port, upload[Symbol.asyncIterator]());
  thread().postMessage({ port: port2, wish } satisfies ReaderRequest, [port2]);
  const first = await answers.next();
  if (first.done === true || first.value.type !== "opened") {
    await answers.return();
    throw died();
  }
  const { source, format } = first.value;
  let written: WrittenRows | null = null;
  async function* bytes(): AsyncGenerator<Buffer> {
    for await (const message of answers) {
      if (message.type === "done") return void (written = message.written);
      if (message.type !== "bytes") continue;
      yield Buffer.from(message.bytes.buffer);
      port.postMessage({ type: "taken" } satisfies ToReader);
    }
    throw died();
  }
  const finish = () => {
    if (written === null) throw died();
    return written;
  };
  return { source, format, writer: { bytes: bytes(), finish } };
}

/** What the thread says, while it gets what it asks for. */
async function* hear(port: MessagePort, upload: AsyncIterator<Buffer>): AsyncGenerator<Answer, void> {
  const inbox: Answer[] = [];
  let broken: Error | null = null;
  let isClosed = false;
  let wake = () => {};
  const feed = async () => {
    try {
      const next = await upload.next();
      if (next.done === true) return port.postMessage({ type: "end" } satisfies ToReader);
      const chunk = new Uint8Array(next.value);
      port.postMessage({ type: "chunk", chunk } satisfies ToReader, [chunk.buffer]);
    } catch (error) {
      broken = error instanceof Error ? error : new Error(String(error));
      port.postMessage({ type: "broken" } satisfies ToReader);
    }
  };
  port.on("message", (message: FromReader) => {
    if (message.type === "more") return void feed();
    inbox.push(message);
    wake();
  });
  port.on("close", () => {
    isClosed = true;
    wake();
  });
  try {
    for (;;) {
      const message = inbox.shift();
      if (message !== undefined) {
        const fault = broken as Error | null;
        if (message.type === "refused" || message.type === "failed") throw fault ?? toError(message);
        yield message;
      } else if (isClosed) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    port.close();
    await upload.return?.(); // lets go of what was not read
  }
}

function toError(message: Extract<FromReader, { type: "refused" | "failed" }>): Error {
  return message.type === "refused" ? new AppError(message.code, message.options) : new Error(message.message);
}

/** The thread ended, with what it had in hand: too much memory, most likely. */
function died(): AppError {
  return new AppError("dataset_busy", { retryAfter: 10 });
}
