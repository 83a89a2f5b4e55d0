import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

const endings = ["readable", "end", "close", "error"] as const;

/** Resolves when there is something to read or the stream is over. */
function readable(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      for (const name of endings) stream.off(name, settle);
      resolve();
    };
    for (const name of endings) stream.on(name, settle);
  });
}

/** The next bytes, however many; null at the end of the stream. The rest stays in the stream, paused. */
export async function readChunk(stream: Duplex): Promise<Buffer | null> {
  for (;;) {
    const chunk = stream.read() as Buffer | null;
    if (chunk !== null) return chunk;
    if (stream.readableEnded || stream.destroyed) return null;
    await readable(stream);
  }
}

/** Exactly `count` bytes; null when the stream ends before. */
export async function readExactly(stream: Duplex, count: number): Promise<Buffer | null> {
  let bytes = Buffer.alloc(0);
  while (bytes.length < count) {
    const chunk = await readChunk(stream);
    if (chunk === null) return null;
    bytes = Buffer.concat([bytes, chunk]);
  }
  if (bytes.length > count) stream.unshift(bytes.subarray(count));
  return bytes.subarray(0, count);
}

/** The first bytes, left in the stream for whoever reads it next. */
export async function peekChunk(stream: Duplex): Promise<Buffer | null> {
  const chunk = await readChunk(stream);
  if (chunk !== null) stream.unshift(chunk);
  return chunk;
}

/** Destroys a socket that `work` leaves waiting for longer than `ms`. */
export async function withDeadline<T>(socket: Socket, ms: number, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => socket.destroy(), ms);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
