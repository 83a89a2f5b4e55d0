import type { Duplex } from "node:stream";
import { z } from "zod";
import { encodeFrame, encodeJsonFrame, FrameReader, FrameType, protocolVersion, type Frame } from "./frames.ts";
import { SandboxError, type InputEntry, type InputTree, type SandboxEvent } from "./spec.ts";

const chunkBytes = 1 << 20;
const mostUnsentBytes = 32 << 20;
const Hello = z.object({ version: z.literal(protocolVersion), slot: z.int(), pid: z.int() });
const Started = z.object({ agoMs: z.number().nonnegative() });
const Dropped = z.object({ bytes: z.number() });
/** A path that stays below the folder it is put into, whoever puts it there. */
const insidePath = z
  .string()
  .refine((path) => path.split("/").every((part) => part !== "" && part !== "." && part !== ".." && !part.includes("\0")));
const ArtifactFrame = z.object({ path: insidePath, size: z.int().nonnegative() });
const Returned = z.object({ path: insidePath, size: z.int().nonnegative(), executable: z.boolean() });
const Gone = z.object({ paths: z.array(z.string()).max(1000) });
const Left = z.object({ whole: z.boolean(), skipped: z.int().nonnegative() });
const Skipped = z.object({ path: z.string(), reason: z.string() });
const Failed = z.object({ message: z.string() });
const Exit = z.object({
  exitCode: z.int().nullable(),
  signal: z.int().nullable(),
  reason: z.enum(["timeout", "memory", "disk", "cancelled", "stopped"]).nullable(),
  runMs: z.number(),
  cpuMs: z.number(),
  maxRssBytes: z.number(),
  stdoutBytes: z.number(),
  stderrBytes: z.number(),
  droppedBytes: z.number(),
  failure: z.object({ errno: z.int(), message: z.string() }).nullable(),
  last: z.boolean(),
});
export type AgentExit = z.infer<typeof Exit>;

const Mounted = z.object({ error: z.string().nullable() });
const Paused = z.object({ paused: z.boolean() });
const Dormant = z.object({ diskBytes: z.number().nonnegative() });

/** What the agent of one sandbox said last, before the tier adds what the host knows. */
export type AgentEvent =
  | Exclude<SandboxEvent, { type: "exit" }>
  | { readonly type: "agent-exit"; readonly exit: AgentExit }
  /** Of a session: a pause or its end has been carried out. */
  | { readonly type: "paused"; readonly paused: boolean }
  /** Nothing has happened for a while: its init goes to sleep until something does. So much was on its disk. */
  | { readonly type: "dormant"; readonly diskBytes: number };

/** The host's end of one sandbox: a byte stream to its init, which serves the next sandbox of the slot after it. */
export class SandboxConnection {
  readonly slot: number;
  readonly #socket: Duplex;
  readonly #reader: FrameReader;
  #over = false;

  private constructor(socket: Duplex, reader: FrameReader, slot: number) {
    this.#socket = socket;
    this.#reader = reader;
    this.slot = slot;
  }

  /** Waits for the HELLO of a fresh sandbox. Throws when its agent is of another version or could not make it. */
  static async open(socket: Duplex, reader = new FrameReader()): Promise<SandboxConnection> {
    const frame = await nextFrame(socket, reader);
    if (frame?.type === FrameType.hello) return new SandboxConnection(socket, reader, Hello.parse(parseJson(frame)).slot);
    throw new SandboxError(
      "sandbox_failed",
      frame?.type === FrameType.failed ? Failed.parse(parseJson(frame)).message : "the agent closed before its greeting",
    );
  }

  /** One whose greeting was heard before: of a machine that goes on from where it was kept. */
  static adopt(socket: Duplex, slot: number): SandboxConnection {
    return new SandboxConnection(socket, new FrameReader(), slot);
  }

  /** Rejects or resolves when the other side goes away while nobody reads. */
  get closed(): boolean {
    return this.#socket.destroyed || this.#socket.readableEnded;
  }

  /**
   * Makes trees the workspace, before any file is put in. Answers null, or why the machine cannot do that: then nothing has changed. Throws a
   * {@link SandboxError} when the agent goes away.
   */
  async mount({ layers, gone }: Pick<InputTree, "layers" | "gone">): Promise<string | null> {
    this.#write(encodeJsonFrame(FrameType.tree, { layers, gone }));
    const frame = await this.#next();
    if (frame.type === FrameType.mounted) return parse(Mounted, frame).error;
    throw new SandboxError(
      "sandbox_failed",
      frame.type === FrameType.failed ? parse(Failed, frame).message : "the agent did not say what became of a tree",
    );
  }

  /** Puts files into the workspace, after those of earlier calls. A few small ones wait for `start`, to be sent with it. */
  async sendFiles(files: Iterable<InputEntry> | AsyncIterable<InputEntry>): Promise<void> {
    if (this.#socket.writableCorked === 0) this.#socket.cork(); // each would need an end of its own
    for await (const file of files) {
      if ("link" in file) {
        this.#write(encodeJsonFrame(FrameType.file, { path: file.path, link: file.link }));
        continue;
      }
      this.#write(encodeJsonFrame(FrameType.file, { path: file.path, mode: file.mode }));
      if (file.content instanceof Uint8Array) await this.#writeChunks(FrameType.data, file.content);
      else for await (const chunk of file.content) await this.#writeChunks(FrameType.data, chunk);
    }
  }

  /** Starts the program. `plan` is described in `agent/supervisor.py`. */
  async start(plan: unknown, stdin: Uint8Array | null): Promise<void> {
    this.#write(encodeJsonFrame(FrameType.start, plan));
    if (stdin === null) this.#write(encodeFrame(FrameType.stdinEnd));
    this.#socket.uncork();
    if (stdin === null) return;
    await this.#writeChunks(FrameType.stdin, stdin);
    this.#write(encodeFrame(FrameType.stdinEnd));
  }

  /** Starts a program whose standard input stays open for {@link sendInput}. */
  open(plan: unknown): void {
    this.#write(encodeJsonFrame(FrameType.start, plan));
    this.#socket.uncork();
  }

  /** Bytes for the standard input. Whoever sends limits how much is under way; a sandbox that takes nothing while much is, is given up. */
  sendInput(bytes: Uint8Array): void {
    if (this.#socket.writableLength > mostUnsentBytes) this.close();
    else this.#write(encodeFrame(FrameType.stdin, bytes));
  }

  /** Stops every process, or lets them go on; `paused` comes as an event. */
  pause(wanted: boolean): void {
    this.#write(encodeFrame(wanted ? FrameType.pause : FrameType.resume));
  }

  /** The room on the disk has shrunk: this run may have gone over its limit. */
  look(): void {
    this.#write(encodeFrame(FrameType.look));
  }

  signal(number: number): void {
    this.#write(encodeJsonFrame(FrameType.signal, { signal: number }));
  }

  kill(reason: string): void {
    this.#write(encodeJsonFrame(FrameType.kill, { reason }));
  }

  /** Everything until the program has ended. Throws a {@link SandboxError} when the agent goes away or breaks the protocol. */
  async *events(): AsyncGenerator<AgentEvent> {
    for (;;) {
      const frame = await this.#next();
      const event = toEvent(frame);
      yield event;
      if (event.type === "agent-exit") return;
    }
  }

  /** Lets go of a sandbox whose run has come to its end; resolves with the next one of the slot. Nothing can be sent to this one any more. */
  async renew(): Promise<SandboxConnection> {
    this.#write(encodeFrame(FrameType.done));
    this.#over = true;
    return await SandboxConnection.open(this.#socket, this.#reader);
  }

  /** Cuts the connection: the sandbox ends with it, and so does its slot's init. */
  close(): void {
    this.#over = true;
    this.#socket.destroy();
  }

  async #next(): Promise<Frame> {
    let frame: Frame | null;
    try {
      frame = await nextFrame(this.#socket, this.#reader);
    } catch (error) {
      throw new SandboxError("sandbox_failed", "the connection to the sandbox broke", error);
    }
    if (frame === null) throw new SandboxError("sandbox_failed", "the sandbox ended without a result");
    return frame;
  }

  async #writeChunks(type: number, bytes: Uint8Array): Promise<void> {
    for (let offset = 0; offset < bytes.length && !this.#over; offset += chunkBytes) {
      if (!this.#write(encodeFrame(type, bytes.subarray(offset, offset + chunkBytes)))) await this.#drained();
    }
  }

  #write(frame: Buffer): boolean {
    return this.#over || this.#socket.destroyed ? true : this.#socket.write(frame);
  }

  #drained(): Promise<void> {
    this.#socket.uncork();
    return new Promise((resolve) => {
      const done = () => {
        this.#socket.off("drain", done).off("close", done);
        resolve();
      };
      this.#socket.once("drain", done).once("close", done);
    });
  }
}

/** Reads until a whole frame is there; null at the end of the stream. The socket stays paused in between (back-pressure). */
async function nextFrame(socket: Duplex, reader: FrameReader): Promise<Frame | null> {
  for (;;) {
    const frame = reader.next();
    if (frame !== null) return frame;
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) reader.feed(chunk);
    else if (socket.readableEnded || socket.destroyed) return null;
    else await readable(socket);
  }
}

/** Resolves when there is something to read or the stream has ended. */
function readable(socket: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      for (const name of endings) socket.off(name, settle);
      if (socket.errored === null) resolve();
      else reject(socket.errored);
    };
    for (const name of endings) socket.on(name, settle);
  });
}

const endings = ["readable", "end", "close", "error"] as const;

function parseJson(frame: Frame): unknown {
  try {
    return JSON.parse(frame.payload.toString());
  } catch (error) {
    throw new SandboxError("sandbox_failed", "the agent sent a frame that is not JSON", error);
  }
}

/** Agent frames are untrusted: a hostile program may have taken its init over. */
function toEvent(frame: Frame): AgentEvent {
  switch (frame.type) {
    case FrameType.started:
      return { type: "started", ...parse(Started, frame) };
    case FrameType.stdout:
      return { type: "output", stream: "stdout", data: frame.payload };
    case FrameType.stderr:
      return { type: "output", stream: "stderr", data: frame.payload };
    case FrameType.data:
      return { type: "artifact-data", data: frame.payload };
    case FrameType.dropped:
      return { type: "dropped", ...parse(Dropped, frame) };
    case FrameType.artifact:
      return { type: "artifact", ...parse(ArtifactFrame, frame) };
    case FrameType.skipped:
      return { type: "skipped", ...parse(Skipped, frame) };
    case FrameType.returned:
      return { type: "returned", ...parse(Returned, frame) };
    case FrameType.gone:
      return { type: "gone", ...parse(Gone, frame) };
    case FrameType.left:
      return { type: "left", ...parse(Left, frame) };
    case FrameType.paused:
      return { type: "paused", ...parse(Paused, frame) };
    case FrameType.dormant:
      return { type: "dormant", ...parse(Dormant, frame) };
    case FrameType.exit:
      return { type: "agent-exit", exit: parse(Exit, frame) };
    case FrameType.failed:
      throw new SandboxError("sandbox_failed", parse(Failed, frame).message);
    default:
      throw new SandboxError("sandbox_failed", `the agent sent a frame of unknown type ${frame.type}`);
  }
}

function parse<T>(schema: z.ZodType<T>, frame: Frame): T {
  const result = schema.safeParse(parseJson(frame));
  if (!result.success) throw new SandboxError("sandbox_failed", "the agent sent a malformed frame", result.error);
  return result.data;
}
