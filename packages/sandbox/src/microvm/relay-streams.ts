import type { Socket } from "node:net";
import { connectionsPerRun } from "../egress/environment.ts";

/** The host's side of `guest/relays.py`: the connections of a guest's relay, which come over one port. What comes out of a guest is hostile. */

const headerBytes = 12;
const windowBytes = 1 << 18;
const chunkBytes = 1 << 15;
/** Those of a run, and the relay's own; and such as have ended on one side only. */
const mostStreams = 2 * connectionsPerRun;
const kinds = { open: 0x4f, data: 0x44, end: 0x45, reset: 0x52, credit: 0x43 } as const;

interface Stream {
  readonly local: Socket;
  /** Bytes that the guest may still be sent. */
  room: number;
  /** Bytes that the guest may still send. */
  allowed: number;
  /** Bytes that have been taken since the guest was told so. */
  taken: number;
  /** What has been read and is still to be sent. */
  waiting: Buffer | null;
  /** Nothing more comes from the host's side, and whether the guest was told. */
  ended: boolean;
  told: boolean;
  /** Nothing more comes from the guest. */
  heardAll: boolean;
}

/** Joins each stream to a connection of its own. Ends with the port. */
export class RelayStreams {
  readonly #port: Socket;
  readonly #dial: () => Socket;
  readonly #streams = new Map<number, Stream>();
  #incoming: Buffer = Buffer.alloc(0);

  /** `dial` makes the host's end of a stream. */
  constructor(port: Socket, dial: () => Socket) {
    this.#port = port;
    this.#dial = dial;
    port.on("data", (chunk: Buffer) => this.#receive(chunk));
    port.on("drain", () => {
      for (const [number, stream] of this.#streams) this.#send(number, stream);
    });
    port.once("close", () => {
      for (const { local } of this.#streams.values()) local.destroy();
      this.#streams.clear();
    });
  }

  /** Connections under way. */
  get count(): number {
    return this.#streams.size;
  }

  #receive(chunk: Buffer): void {
    this.#incoming = this.#incoming.length === 0 ? chunk : Buffer.concat([this.#incoming, chunk]);
    let at = 0;
    while (this.#incoming.length - at >= headerBytes && !this.#port.destroyed) {
      const [kind, number, count] = [this.#incoming[at], this.#incoming.readUInt32BE(at + 4), this.#incoming.readUInt32BE(at + 8)];
      const length = kind === kinds.data ? count : 0;
      if (length > chunkBytes) return this.#giveUp();
      const end = at + headerBytes + length;
      if (this.#incoming.length < end) break;
      this.#hear(kind, number, count, this.#incoming.subarray(at + headerBytes, end));
      at = end;
    }
    this.#incoming = this.#incoming.subarray(at);
  }

  #hear(kind: number | undefined, number: number, count: number, data: Buffer): void {
    if (kind === kinds.open) return this.#open(number);
    const stream = this.#streams.get(number);
    if (stream === undefined) return; // it ended here before the guest heard of that
    switch (kind) {
      case kinds.data:
        return this.#take(number, stream, data);
      case kinds.credit:
        stream.room = Math.min(windowBytes, stream.room + count);
        return this.#send(number, stream);
      case kinds.end:
        stream.heardAll = true;
        stream.local.end();
        return this.#forgetEnded(number, stream);
      case kinds.reset:
        this.#streams.delete(number);
        return stream.local.destroySoon(); // what it has said before that is true
      default:
        return this.#giveUp();
    }
  }

  #open(number: number): void {
    if (this.#streams.has(number) || this.#streams.size >= mostStreams) return this.#giveUp();
    const local = this.#dial();
    const stream: Stream = {
      local,
      room: windowBytes,
      allowed: windowBytes,
      taken: 0,
      waiting: null,
      ended: false,
      told: false,
      heardAll: false,
    };
    this.#streams.set(number, stream);
    local.on("error", () => local.destroy());
    local.on("data", (chunk: Buffer) => {
      local.pause();
      stream.waiting = stream.waiting === null ? chunk : Buffer.concat([stream.waiting, chunk]);
      this.#send(number, stream);
    });
    local.once("end", () => {
      stream.ended = true;
      this.#send(number, stream);
    });
    local.once("close", () => {
      // After both of its ends what it has said may still wait for the guest.
      if (this.#streams.get(number) !== stream || (stream.ended && stream.heardAll)) return;
      this.#streams.delete(number);
      this.#tell(kinds.reset, number, 0);
    });
  }

  #take(number: number, stream: Stream, data: Buffer): void {
    stream.allowed -= data.length;
    if (stream.allowed < 0 || stream.heardAll) return this.#giveUp();
    stream.local.write(data, (error) => {
      if (error) return; // it closes
      stream.taken += data.length;
      if (stream.taken < windowBytes / 2 || this.#streams.get(number) !== stream) return;
      stream.allowed += stream.taken;
      this.#tell(kinds.credit, number, stream.taken);
      stream.taken = 0;
    });
  }

  /** As much as the guest and the port take now. */
  #send(number: number, stream: Stream): void {
    while (stream.waiting !== null && stream.room > 0 && !this.#port.writableNeedDrain) {
      const piece = stream.waiting.subarray(0, Math.min(chunkBytes, stream.room));
      stream.room -= piece.length;
      stream.waiting = piece.length === stream.waiting.length ? null : stream.waiting.subarray(piece.length);
      this.#tell(kinds.data, number, piece.length, piece);
    }
    if (stream.waiting !== null) return;
    if (!stream.ended) return void stream.local.resume();
    if (this.#streams.get(number) !== stream || stream.told) return;
    stream.told = true;
    this.#tell(kinds.end, number, 0);
    this.#forgetEnded(number, stream);
  }

  #forgetEnded(number: number, stream: Stream): void {
    if (stream.heardAll && stream.told) this.#streams.delete(number);
  }

  #tell(kind: number, number: number, count: number, data: Uint8Array = new Uint8Array()): void {
    if (this.#port.destroyed) return;
    const header = Buffer.alloc(headerBytes);
    header[0] = kind;
    header.writeUInt32BE(number, 4);
    header.writeUInt32BE(count, 8);
    this.#port.write(data.length === 0 ? header : Buffer.concat([header, data]));
  }

  /** A guest that does not keep to it has no network any more. */
  #giveUp(): void {
    this.#port.destroy();
  }
}
