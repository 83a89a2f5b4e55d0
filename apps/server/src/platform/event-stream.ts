import { Readable } from "node:stream";
import { answer, type Answer } from "./http-call.ts";

/** A comment goes out this often, so that proxies and readers can tell a quiet stream from a dead one. */
const keepAliveMs = 15_000;
/** A reader that takes nothing for so long is cut off; it may come back, and go on where it was. */
const longestStallMs = 120_000;

/** An event of a stream: named after its `type`, numbered by its `seq`. */
interface StreamEvent {
  readonly type?: string;
  readonly seq?: number;
}

/** An event as it is sent. */
export function encodeEvent(event: StreamEvent): string {
  const { type, seq } = event;
  return `${seq === undefined ? "" : `id: ${seq}\n`}${type === undefined ? "" : `event: ${type}\n`}data: ${JSON.stringify(event)}\n\n`;
}

/** Answers with server-sent events. The events before the first one are the caller's chance to refuse. */
export async function answerEvents(events: AsyncGenerator<StreamEvent, void, void>, signal: AbortSignal): Promise<Answer> {
  return await answerStream(events, signal, encodeEvent);
}

/** The same with events that are encoded already, one or several in each piece. */
export async function answerEncoded(
  pieces: AsyncGenerator<string | Uint8Array, void, void>,
  signal: AbortSignal,
  stallMs = longestStallMs,
): Promise<Answer> {
  return await answerStream(pieces, signal, (piece) => piece, stallMs);
}

async function answerStream<T>(
  events: AsyncGenerator<T, void, void>,
  signal: AbortSignal,
  encode: (event: T) => string | Uint8Array,
  stallMs = longestStallMs,
): Promise<Answer> {
  const first = await events.next();
  // A stream that nobody began to read ends nothing by itself.
  if (signal.aborted) void events.return();
  else signal.addEventListener("abort", () => void events.return(), { once: true });
  const stalled = () => stream.destroy(new Error("the reader of an event stream took nothing for too long"));
  const stream: Readable = Readable.from(toEventStream(first, events, signal, encode, { stallMs, stalled }));
  return answer(200, stream, { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" });
}

async function* toEventStream<T>(
  first: IteratorResult<T, void>,
  rest: AsyncGenerator<T, void, void>,
  signal: AbortSignal,
  encode: (event: T) => string | Uint8Array,
  { stallMs, stalled }: { readonly stallMs: number; readonly stalled: () => void },
): AsyncGenerator<string | Uint8Array> {
  let stall: NodeJS.Timeout | undefined;
  try {
    let next = Promise.resolve(first);
    while (!signal.aborted) {
      const result = await withKeepAlive(next, signal);
      if (result?.done === true) return;
      stall = setTimeout(stalled, stallMs);
      yield result === null ? ": keep-alive\n\n" : encode(result.value);
      clearTimeout(stall);
      if (result !== null) next = rest.next();
    }
  } finally {
    clearTimeout(stall);
    void rest.return(undefined); // it may be waiting for an event that never comes
  }
}

/** The next event, the end when the signal aborts, or null when it takes longer than the keep-alive interval. */
function withKeepAlive<T>(next: Promise<IteratorResult<T, void>>, signal: AbortSignal): Promise<IteratorResult<T, void> | null> {
  return new Promise((resolve, reject) => {
    const settle = <V>(done: (value: V) => void) => {
      return (value: V) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        done(value);
      };
    };
    const timer = setTimeout(
      settle(() => resolve(null)),
      keepAliveMs,
    );
    const end = settle(() => resolve({ done: true, value: undefined }));
    signal.addEventListener("abort", end);
    next.then(settle(resolve), settle(reject));
  });
}
