/** The wire of a session inside its standard input and output: the host's side of `agent/channels.py`. */

export const sessionVersion = 1;
/** Bytes of payload that may be under way on a channel, each way. */
export const windowBytes = 1 << 18;
const maxSessionPayload = 1 << 20;
const headerBytes = 9;

export const SessionFrameType = {
  open: 1,
  data: 2,
  end: 3,
  credit: 4,
  event: 5,
  close: 6,
  errors: 7,
  control: 8,
  fail: 9,
  ready: 10,
} as const;

export interface SessionFrame {
  readonly type: number;
  readonly channel: number;
  readonly payload: Buffer;
}

export function encodeSessionFrame(type: number, channel: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes + payload.length);
  frame.writeUInt32BE(payload.length, 0);
  frame.writeUInt8(type, 4);
  frame.writeUInt32BE(channel, 5);
  frame.set(payload, headerBytes);
  return frame;
}

/** Cuts a byte stream into frames. Throws RangeError on a length that no daemon sends. */
export class SessionFrameReader {
  #pending: Buffer = Buffer.alloc(0);

  *read(chunk: Buffer): Generator<SessionFrame> {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    let position = 0;
    while (this.#pending.length - position >= headerBytes) {
      const length = this.#pending.readUInt32BE(position);
      if (length > maxSessionPayload) throw new RangeError(`a frame of ${length} bytes`);
      const end = position + headerBytes + length;
      if (this.#pending.length < end) break;
      const payload = this.#pending.subarray(position + headerBytes, end);
      yield { type: this.#pending.readUInt8(position + 4), channel: this.#pending.readUInt32BE(position + 5), payload };
      position = end;
    }
    this.#pending = this.#pending.subarray(position);
  }
}
