import { isUtf8 } from "node:buffer";

/** Cuts a byte stream so that no piece ends inside a UTF-8 sequence; up to three bytes wait for the next piece. */
export class Utf8Splitter {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Buffer {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const whole = bytes.length - incompleteTail(bytes);
    this.#rest = bytes.subarray(whole);
    return bytes.subarray(0, whole);
  }

  /** What is left at the end of the stream. */
  end(): Buffer {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest;
  }
}

/** Text for a JSON record: the text itself, or base64 for bytes that are not UTF-8. */
export function textOrBase64(bytes: Buffer): { text: string } | { base64: string } {
  return isUtf8(bytes) ? { text: bytes.toString("utf8") } : { base64: bytes.toString("base64") };
}

/** How many bytes at the end begin a sequence that is not complete yet. */
function incompleteTail(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue; // a continuation: look further back for the lead
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}
