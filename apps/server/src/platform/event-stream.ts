import { Readable } from "node:stream";
import { answer, type Answer } from "./http-call.ts";

/** A comment goes out this often, so that proxies and readers can tell a quiet stream from a dead one. */
const keepAliveMs = 15_000;

/** Answers with server-sent events, each named after its `type` and numbered by its `seq`. The events before the first one are the caller's chance to refuse. */
export async function answerEvents<T extends { readonly type?: string; readonly seq?: number }>(
  events: AsyncGenerator<T, void, void>,
  signal: AbortSignal,
): Promise<Answer> {
  const first = await events.next();
  // A stream that nobody began to read ends nothing by itself.
  if (signal.aborted) void events.return();
  else signal.addEventListener("abort", () => void events.return(), { once: true });
  return answer(200, Readable.from(toEventStream(first, events, signal)), {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
}

async function* toEventStream<T extends { readonly type?: string; readonly seq?: number }>(
  first: IteratorResult<T, void>,
  rest: AsyncGenerator<T, void, void>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const { promise: aborted, resolve: abort } = Promise.withResolvers<IteratorResult<T, void>>();
  const onAbort = () => abort({ done: true, value: undefined });
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    let next = Promise.resolve(first);
    while (!signal.aborted) {
      const result = await withKeepAlive(Promise.race([next, aborted]));
      if (result === null) yield ": keep-alive\n\n";
      else if (result.done === true) return;
      else {
        const { type, seq } = result.value;
        yield `${seq === undefined ? "" : `id: ${seq}\n`}${type === undefined ? "" : `event: ${type}\n`}data: ${JSON.stringify(result.value)}\n\n`;
        next = rest.next();
      }
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    void rest.return(undefined); // it may be waiting for an event that never comes
  }
}

/** The next event, or null when it takes longer than the keep-alive interval. */
export function withKeepAlive<T>(next: Promise<T>): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(null), keepAliveMs);
    next.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
