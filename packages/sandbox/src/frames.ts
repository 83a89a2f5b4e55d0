/** The agent's wire protocol, version 1: the host's side of `agent/frames.py`. */

export const protocolVersion = 1;
const headerBytes = 5;
const maxPayload = 8 * 1024 * 1024;

export const FrameType = {
  start: 1,
  file: 2,
  data: 3,
  stdin: 4,
  stdinEnd: 5,
  signal: 6,
  kill: 7,
  done: 8,
  pause: 9,
  resume: 10,
  look: 11,
  tree: 12,
  hello: 32,
  started: 33,
  stdout: 34,
  stderr: 35,
  dropped: 36,
  artifact: 37,
  skipped: 38,
  exit: 39,
  failed: 40,
  paused: 41,
  dormant: 42,
  returned: 43,
  gone: 44,
  left: 45,
  mounted: 46,
} as const;

export interface Frame {
  readonly type: number;
  readonly payload: Buffer;
}

/** One frame as bytes. */
export function encodeFrame(type: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes + payload.length);
  frame.writeUInt32BE(payload.length, 0);
  frame.writeUInt8(type, 4);
  frame.set(payload, headerBytes);
  return frame;
}

export function encodeJsonFrame(type: number, value: unknown): Buffer {
  return encodeFrame(type, Buffer.from(JSON.stringify(value)));
}

/** Cuts a byte stream into frames. Throws RangeError on a length that no agent sends. */
export class FrameReader {
  #pending: Buffer[] = [];
  #size = 0;

  feed(chunk: Buffer): void {
    this.#pending.push(chunk);
    this.#size += chunk.length;
  }

  /** The next whole frame, or null when more bytes are needed. */
  next(): Frame | null {
    if (this.#size < headerBytes) return null;
    const head = this.#merge(headerBytes);
    const length = head.readUInt32BE(0);
    if (length > maxPayload) throw new RangeError(`a frame of ${length} bytes`);
    if (this.#size < headerBytes + length) return null;
    const whole = this.#merge(headerBytes + length);
    const end = headerBytes + length;
    this.#pending[0] = whole.subarray(end);
    this.#size -= end;
    return { type: whole.readUInt8(4), payload: whole.subarray(headerBytes, end) };
  }

  /** Makes the first chunk hold at least `bytes` and returns it. */
  #merge(bytes: number): Buffer {
    let first = this.#pending[0] ?? Buffer.alloc(0);
    if (first.length < bytes) {
      first = Buffer.concat(this.#pending);
      this.#pending = [first];
    }
    return first;
  }
}
