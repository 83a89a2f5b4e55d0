import { Readable } from "node:stream";

/** A whole answer longer than this is handed on in slices. */
const wholeBytes = 256 * 1024;
const sliceBytes = 64 * 1024;

/** Whoever reads an answer has kept it waiting for too long. */
class SlowReaderError extends Error {
  override readonly name = "SlowReaderError";

  constructor() {
    super("who reads the answer is too slow");
  }
}

/**
 * A body that is made as fast as it is read: one piece waits here, and nothing behind it is asked for. It ends when whoever reads it has kept it
 * waiting for longer than `mostWaitMs` in all, at once or little by little; then `onSlow` is told first.
 */
export function bodyFor<T extends string | Buffer>(
  pieces: AsyncIterable<T> | Iterable<T>,
  mostWaitMs: number,
  onSlow: () => void,
): Readable {
  let leftMs = mostWaitMs;
  async function* pace(): AsyncGenerator<T> {
    for await (const piece of pieces) {
      const since = performance.now();
      const timer = setTimeout(() => {
        onSlow();
        body.destroy(new SlowReaderError());
      }, leftMs);
      try {
        yield piece;
      } finally {
        clearTimeout(timer);
        leftMs = Math.max(1, leftMs - (performance.now() - since));
      }
    }
  }
  const body = Readable.from(pace());
  return body;
}

/** A whole answer as it is handed on: a long one does not lie in memory for somebody who does not read it. */
export function wholeBody(text: string, mostWaitMs: number): { body: string | Readable; headers: Readonly<Record<string, string>> } {
  if (text.length <= wholeBytes) return { body: text, headers: {} };
  const bytes = Buffer.from(text);
  return { body: bodyFor(slicesOf(bytes), mostWaitMs, () => {}), headers: { "content-length": String(bytes.length) } };
}

function* slicesOf(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += sliceBytes) yield bytes.subarray(start, start + sliceBytes);
}
