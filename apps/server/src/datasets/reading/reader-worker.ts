import { parentPort, type MessagePort } from "node:worker_threads";
import { AppError } from "@syla/contracts/errors";
import { openText } from "./source.ts";
import type { FromReader, ReaderRequest, ToReader } from "./reader-thread.ts";

/** Reads uploads beside the server's own thread: each over a port of its own, all of them in turn. */
parentPort?.on("message", ({ port, wish }: ReaderRequest) => void serve(port, wish));

async function serve(port: MessagePort, wish: ReaderRequest["wish"]): Promise<void> {
  const say = (message: FromReader, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
  let hear = (_message: ToReader): void => {};
  port.on("message", (message: ToReader) => hear(message));
  port.on("close", () => hear({ type: "gone" }));
  const next = (ask: FromReader, transfer: ArrayBuffer[] = []) =>
    new Promise<ToReader>((resolve) => {
      hear = resolve;
      say(ask, transfer);
    });
  async function* chunks(): AsyncGenerator<Buffer> {
    for (;;) {
      const message = await next({ type: "more" });
      if (message.type === "end") return;
      if (message.type !== "chunk") throw new Error("the upload ended early");
      yield Buffer.from(message.chunk.buffer, message.chunk.byteOffset, message.chunk.byteLength);
    }
  }
  try {
    const { source, format, writer } = await openText(chunks(), wish);
    say({ type: "opened", source, format });
    for await (const bytes of writer.bytes) {
      const copy = new Uint8Array(bytes); // of a buffer of its own, which can be handed over
      if ((await next({ type: "bytes", bytes: copy }, [copy.buffer])).type === "gone") return;
    }
    say({ type: "done", written: writer.finish() });
  } catch (error) {
    const { message } = error as Error;
    if (!(error instanceof AppError)) return say({ type: "failed", message });
    const { code, hint, fields, details } = error;
    say({ type: "refused", code, options: { message, hint, fields, details } });
  }
}
