import { AppError } from "@syla/contracts/errors";

/** Files that wait for their turn, and what all files that are held take, bytes: nobody's uploads fill the server's memory. */
const mostWaiting = 8;
const mostHeldBytes = 512 * 1024 * 1024;
const retryAfter = 10;

let waiting = 0;
let heldBytes = 0;
let last: Promise<void> = Promise.resolve();

/** A file in memory, which has to be there whole before it can be read. */
export interface HeldFile extends Disposable {
  /** @throws AppError `dataset_busy` */
  add(chunk: Buffer): void;
  /** All of it as one, once. */
  join(): ArrayBuffer;
}

export function holdFile(): HeldFile {
  let parts: Buffer[] = [];
  let size = 0;
  return {
    add: (chunk) => {
      if (heldBytes + chunk.length > mostHeldBytes) throw busy();
      parts.push(chunk);
      size += chunk.length;
      heldBytes += chunk.length;
    },
    join: () => {
      const whole = new Uint8Array(size);
      let at = 0;
      for (const part of parts) {
        whole.set(part, at);
        at += part.length;
      }
      parts = [];
      return whole.buffer;
    },
    [Symbol.dispose]: () => {
      heldBytes -= size;
      [parts, size] = [[], 0];
    },
  };
}

/** Waits until no other file is read; the turn ends when what is answered is disposed of. @throws AppError `dataset_busy` */
export async function takeTurn(): Promise<Disposable> {
  if (waiting >= mostWaiting) throw busy();
  waiting += 1;
  const before = last;
  let end = () => {};
  last = new Promise<void>((resolve) => (end = resolve));
  await before;
  waiting -= 1;
  return { [Symbol.dispose]: () => end() };
}

function busy(): AppError {
  return new AppError("dataset_busy", { retryAfter });
}
