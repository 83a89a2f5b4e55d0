import { z } from "zod";
import { parseAs, ProtocolError } from "./session-channel.ts";
import type { SessionDaemon } from "./session-daemon.ts";
import { openProcess, toOutput, type OpenProcess } from "./session-process.ts";
import { ContextBusyError } from "./session.ts";
import type { ContextEvent, ContextLanguage, ContextStatus, SessionContext } from "./session.ts";

/** Calls that wait for their turn in one context. */
const mostWaiting = 16;
/** A line of a context may hold one result: its limit in `agent/contexts` and what JSON adds. */
const maxLineBytes = 16 << 20;
const sigint = 2;

const Data = z.record(z.string().max(256), z.unknown());
const Line = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready") }),
  z.object({ type: z.enum(["display", "result"]), id: z.int().nullable(), data: Data, omitted: z.array(z.string().max(256)).max(100) }),
  z.object({ type: z.literal("error"), id: z.int().nullable(), name: z.string(), value: z.string(), traceback: z.string() }),
  z.object({ type: z.literal("done"), id: z.int(), status: z.enum(["ok", "error", "interrupted"]) }),
]);

/** The interpreters that contexts are made of, as they are found inside. */
export interface Interpreters {
  readonly python: string;
  /** Null where there is none. */
  readonly node: string | null;
}

/** How a context is started. */
export interface ContextOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts an interpreter and waits until it is ready. */
export async function openContext(
  daemon: SessionDaemon,
  language: ContextLanguage,
  command: readonly string[],
  options: ContextOptions,
): Promise<SessionContext> {
  const held = await openProcess(daemon, { command, ...options }, true);
  const context = new RunningContext(language, held);
  await context.ready();
  return context;
}

/** Whoever listens to a piece of code: a queue that the reader empties at his own speed. */
interface Listener {
  readonly id: number;
  readonly code: string;
  readonly hear: (event: ContextEvent) => Promise<void>;
}

class RunningContext implements SessionContext {
  readonly language: ContextLanguage;
  readonly pid: number;
  readonly ended: Promise<void>;
  readonly #held: OpenProcess;
  readonly #ready = Promise.withResolvers<void>();
  readonly #waiting: Listener[] = [];
  #current: Listener | null = null;
  #line: Buffer[] = [];
  #lineBytes = 0;
  #next = 1;
  #over = false;

  constructor(language: ContextLanguage, held: OpenProcess) {
    this.language = language;
    this.pid = held.pid;
    this.#held = held;
    this.#ready.promise.catch(() => {});
    this.ended = this.#pump();
  }

  async ready(): Promise<void> {
    await this.#ready.promise;
  }

  async *run(code: string, signal?: AbortSignal): AsyncGenerator<ContextEvent, void, void> {
    if (this.#waiting.length >= mostWaiting) throw new ContextBusyError(`${mostWaiting} calls wait for this context already`);
    const queue = new EventQueue();
    const listener = { id: this.#next++, code, hear: (event: ContextEvent) => queue.add(event) };
    const drop = () => {
      const place = this.#waiting.indexOf(listener);
      if (place >= 0) this.#waiting.splice(place, 1);
      queue.end("lost");
    };
    signal?.addEventListener("abort", drop);
    this.#waiting.push(listener);
    this.#begin();
    if (this.#over) queue.end("lost");
    if (signal?.aborted === true) drop();
    try {
      yield* queue.read();
    } finally {
      signal?.removeEventListener("abort", drop);
      queue.abandon();
      const place = this.#waiting.indexOf(listener);
      if (place >= 0) this.#waiting.splice(place, 1);
    }
  }

  interrupt(): void {
    const dropped = this.#waiting.splice(0);
    for (const listener of dropped) void listener.hear({ type: "done", status: "interrupted" });
    if (this.#current === null) return;
    this.#held.channel.event({ signal: sigint });
    if (this.language === "javascript") this.#tell({ interrupt: this.#current.id });
  }

  close(): void {
    this.#held.channel.close();
  }

  #begin(): void {
    if (this.#current !== null || this.#over) return;
    const listener = this.#waiting.shift();
    if (listener === undefined) return;
    this.#current = listener;
    this.#tell({ id: listener.id, code: listener.code });
  }

  #tell(message: unknown): void {
    void this.#held.channel.write(Buffer.from(`${JSON.stringify(message)}\n`), "control");
  }

  /** Reads as fast as whoever listens does. */
  async #pump(): Promise<void> {
    try {
      for await (const piece of this.#held.channel.pieces()) {
        const output = toOutput(piece);
        if (output !== null) await this.#current?.hear({ type: "output", ...output });
        else if (piece.type === "control") for (const line of this.#lines(piece.data)) await this.#handle(line);
      }
    } catch (error) {
      this.#ready.reject(error);
    } finally {
      this.#over = true;
      this.#ready.reject(new ProtocolError("the interpreter ended before it was ready"));
      this.#held.channel.close();
      const lost: ContextEvent = { type: "done", status: "lost" };
      for (const listener of [this.#current, ...this.#waiting.splice(0)]) void listener?.hear(lost);
      this.#current = null;
    }
  }

  *#lines(data: Buffer): Generator<string> {
    let rest = data;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield Buffer.concat([...this.#line, rest.subarray(0, end)]).toString();
      this.#line = [];
      this.#lineBytes = 0;
      rest = rest.subarray(end + 1);
    }
    this.#lineBytes += rest.length;
    if (this.#lineBytes > maxLineBytes) throw new ProtocolError("a result larger than any");
    if (rest.length > 0) this.#line.push(rest);
  }

  async #handle(text: string): Promise<void> {
    const line = parseAs(Line, readJson(text));
    const current = this.#current;
    if (line.type === "ready") this.#ready.resolve();
    else if (line.type === "done") {
      if (current?.id !== line.id) return;
      await current.hear({ type: "done", status: line.status });
      this.#current = null;
      this.#begin();
    } else {
      const { id: _id, ...event } = line;
      await current?.hear(event);
    }
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ProtocolError("a line that is not JSON");
  }
}

/** Events on their way to one reader. `add` resolves when he has taken it, or has gone. */
class EventQueue {
  readonly #events: { readonly event: ContextEvent; readonly taken: () => void }[] = [];
  #wake: (() => void) | null = null;
  #gone = false;

  add(event: ContextEvent): Promise<void> {
    if (this.#gone) return Promise.resolve();
    return new Promise((taken) => {
      this.#events.push({ event, taken });
      this.#wake?.();
    });
  }

  end(status: ContextStatus): void {
    void this.add({ type: "done", status });
  }

  async *read(): AsyncGenerator<ContextEvent, void, void> {
    for (;;) {
      const next = this.#events.shift();
      if (next === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      else {
        next.taken();
        yield next.event;
        if (next.event.type === "done") return;
      }
    }
  }

  /** Whoever adds is not held up by somebody who does not read any more. */
  abandon(): void {
    this.#gone = true;
    for (const { taken } of this.#events.splice(0)) taken();
  }
}
