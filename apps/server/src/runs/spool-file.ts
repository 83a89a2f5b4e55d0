import { appendFile, writeFile } from "node:fs";
import { Writable } from "node:stream";

/**
 * A file that is written to now and then, by thousands of runs at once, for hours: it is open only while it is written to, and made anew
 * when the stream is.
 */
export function createSpoolFile(path: string): Writable {
  return new Writable({
    construct: (done) => writeFile(path, "", { mode: 0o600 }, done),
    write: (chunk: Uint8Array, _encoding, done) => appendFile(path, chunk, done),
    writev: (chunks, done) => appendFile(path, Buffer.concat(chunks.map(({ chunk }) => chunk as Uint8Array)), done),
  });
}
