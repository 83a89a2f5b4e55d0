import { z } from "zod";
import type { SandboxConnection } from "./connection.ts";
import { parseAs, ProtocolError, SessionChannel, SessionEndedError } from "./session-channel.ts";
import { encodeSessionFrame, SessionFrameReader, SessionFrameType, sessionVersion } from "./session-frames.ts";

/** How long a daemon may take to say that it is there, milliseconds. */
const readyMs = 30_000;
const maxChannels = 2 ** 32 - 1;
const Ready = z.object({ version: z.literal(sessionVersion), pid: z.int().positive() });

/** The host's end of a session daemon: hands out channels and sorts what comes. Believes nothing. */
export class SessionDaemon {
  readonly #connection: SandboxConnection;
  readonly #reader = new SessionFrameReader();
  readonly #channels = new Map<number, SessionChannel>();
  readonly #ready = Promise.withResolvers<void>();
  #next = 1;
  #over = false;

  constructor(connection: SandboxConnection) {
    this.#connection = connection;
    this.#ready.promise.catch(() => {});
  }

  /** Resolves when the daemon has greeted. */
  async ready(): Promise<void> {
    const timer = setTimeout(() => this.#ready.reject(new ProtocolError("the session's daemon did not greet in time")), readyMs);
    await this.#ready.promise.finally(() => clearTimeout(timer));
  }

  /** Begins an operation. */
  open(operation: Readonly<Record<string, unknown>>): SessionChannel {
    if (this.#over) throw new SessionEndedError("the sandbox has ended");
    const number = this.#next++;
    if (number > maxChannels) throw new SessionEndedError("the sandbox has no channels left");
    const send = (frame: Buffer) => (this.#over ? undefined : this.#connection.sendInput(frame));
    const channel = new SessionChannel(number, send, () => this.#channels.delete(number));
    this.#channels.set(number, channel);
    send(encodeSessionFrame(SessionFrameType.open, number, Buffer.from(JSON.stringify(operation))));
    return channel;
  }

  /** An operation that answers once. */
  async ask<T>(operation: Readonly<Record<string, unknown>>, schema: z.ZodType<T>): Promise<T> {
    return await this.open(operation).result(schema);
  }

  /** What came from the daemon. Throws {@link ProtocolError} when nobody sane sent it. */
  receive(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.read(chunk)) {
        if (frame.type === SessionFrameType.ready) {
          parseAs(Ready, JSON.parse(frame.payload.toString()));
          this.#ready.resolve();
        } else this.#channels.get(frame.channel)?.receive(frame); // else: it was closed meanwhile
      }
    } catch (error) {
      throw error instanceof ProtocolError ? error : new ProtocolError("a frame that cannot be read", { cause: error });
    }
  }

  /** Nothing comes any more: ends every operation. */
  finish(error: Error): void {
    this.#over = true;
    this.#ready.reject(error);
    for (const channel of this.#channels.values()) channel.fail(error);
  }
}
