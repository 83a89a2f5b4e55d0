import { z } from "zod";
import { encodeSessionFrame, SessionFrameType, windowBytes, type SessionFrame } from "./session-frames.ts";

/** The sandbox cannot do what was asked of it: no such file, no such process. `code` is that of the system (`ENOENT`) or a word of ours. */
export class RefusalError extends Error {
  override readonly name = "RefusalError";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The session is over; what was asked of it may have been done or not. */
export class SessionEndedError extends Error {
  override readonly name = "SessionEndedError";
}

/** The daemon broke the protocol: somebody inside has taken it over. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/** One piece of what came over a channel. */
export type ChannelPiece =
  | { readonly type: "data" | "errors" | "control"; readonly data: Buffer }
  | { readonly type: "event"; readonly value: unknown };

const Failure = z.object({ code: z.string().max(64), message: z.string().max(4096) });
const pieceTypes = new Map<number, "data" | "errors" | "control">([
  [SessionFrameType.data, "data"],
  [SessionFrameType.errors, "errors"],
  [SessionFrameType.control, "control"],
]);

/** The host's end of one operation. Bytes are granted as they are taken, so that a slow reader holds up nobody but its own channel. */
export class SessionChannel {
  readonly number: number;
  readonly #send: (frame: Buffer) => void;
  readonly #onClose: (channel: SessionChannel) => void;
  readonly #pieces: { readonly piece: ChannelPiece; readonly size: number }[] = [];
  /** What the daemon may still send. */
  #allowed = windowBytes;
  #taken = 0;
  /** What may still be sent to the daemon. */
  #credit = windowBytes;
  #result: unknown;
  #failure: Error | null = null;
  #over = false;
  #wake: (() => void) | null = null;
  readonly #writers: (() => void)[] = [];

  constructor(number: number, send: (frame: Buffer) => void, onClose: (channel: SessionChannel) => void) {
    this.number = number;
    this.#send = send;
    this.#onClose = onClose;
  }

  /** Everything that comes, to the end. Throws what the operation failed with. */
  async *pieces(): AsyncGenerator<ChannelPiece, void, void> {
    for (;;) {
      const next = this.#pieces.shift();
      if (next !== undefined) {
        yield next.piece;
        this.#grant(next.size);
      } else if (this.#failure !== null) throw this.#failure;
      else if (this.#over) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** The first piece, which has to be an event. */
  async firstEvent<T>(schema: z.ZodType<T>): Promise<T> {
    while (this.#pieces.length === 0 && !this.#over) await new Promise<void>((resolve) => (this.#wake = resolve));
    const first = this.#pieces.shift();
    this.#grant(first?.size ?? 0);
    if (first?.piece.type === "event") return parseAs(schema, first.piece.value);
    throw this.#failure ?? new ProtocolError("an operation began without its event");
  }

  /** The end of an operation that answers with nothing else. */
  async result<T>(schema: z.ZodType<T>): Promise<T> {
    for await (const piece of this.pieces()) void piece;
    return parseAs(schema, this.#result);
  }

  /** Bytes for the operation; resolves when more may follow. Those that come after the end of the channel go nowhere. */
  async write(bytes: Uint8Array, type: "data" | "control" = "data"): Promise<void> {
    for (let offset = 0; offset < bytes.length && !this.#over;) {
      if (this.#credit === 0) {
        await new Promise<void>((resolve) => this.#writers.push(resolve));
        continue;
      }
      const piece = bytes.subarray(offset, offset + Math.min(this.#credit, windowBytes / 4));
      this.#credit -= piece.length;
      offset += piece.length;
      this.#send(encodeSessionFrame(SessionFrameType[type], this.number, piece));
    }
  }

  end(): void {
    if (!this.#over) this.#send(encodeSessionFrame(SessionFrameType.end, this.number));
  }

  event(value: unknown): void {
    if (!this.#over) this.#send(encodeSessionFrame(SessionFrameType.event, this.number, Buffer.from(JSON.stringify(value))));
  }

  /** Lets go of the operation: the daemon undoes or ends it. */
  close(): void {
    if (this.#over) return;
    this.#send(encodeSessionFrame(SessionFrameType.close, this.number));
    this.fail(new SessionEndedError("it was given up"));
  }

  /** A frame of the daemon. Throws {@link ProtocolError} for one that no daemon sends. */
  receive(frame: SessionFrame): void {
    const { type, payload } = frame;
    const kind = pieceTypes.get(type);
    if (type === SessionFrameType.credit) this.#receiveCredit(payload);
    else if (kind !== undefined) this.#add({ type: kind, data: payload }, payload.length);
    else if (type === SessionFrameType.event) this.#add({ type: "event", value: parseJson(payload) }, payload.length);
    else if (type === SessionFrameType.end) this.#finish(parseJson(payload));
    else if (type === SessionFrameType.fail) {
      const { code, message } = parseAs(Failure, parseJson(payload));
      this.fail(new RefusalError(code, message));
    } else throw new ProtocolError(`a frame of unknown type ${type}`);
  }

  /** The operation comes to nothing. */
  fail(error: Error): void {
    if (this.#over) return;
    this.#failure = error;
    this.#finish(undefined);
  }

  #receiveCredit(payload: Buffer): void {
    if (payload.length !== 4) throw new ProtocolError("a malformed credit");
    this.#credit = Math.min(this.#credit + payload.readUInt32BE(0), windowBytes);
    for (const wake of this.#writers.splice(0)) wake();
  }

  #add(piece: ChannelPiece, size: number): void {
    if (size === 0) return;
    this.#allowed -= size;
    if (this.#allowed < 0) throw new ProtocolError("more bytes than were asked for");
    this.#pieces.push({ piece, size });
    this.#wake?.();
  }

  #grant(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken < windowBytes / 4 || this.#over) return;
    const amount = Buffer.alloc(4);
    amount.writeUInt32BE(this.#taken);
    this.#allowed += this.#taken;
    this.#taken = 0;
    this.#send(encodeSessionFrame(SessionFrameType.credit, this.number, amount));
  }

  #finish(result: unknown): void {
    this.#result = result;
    this.#over = true;
    this.#onClose(this);
    this.#wake?.();
    for (const wake of this.#writers.splice(0)) wake();
  }
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString());
  } catch {
    throw new ProtocolError("a frame that is not JSON");
  }
}

/** What the daemon says, in the form that it has to have. */
export function parseAs<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new ProtocolError("a malformed answer");
  return parsed.data;
}
