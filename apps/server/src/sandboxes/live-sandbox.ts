import type { Socket } from "node:net";
import { StringDecoder } from "node:string_decoder";
import { AppError } from "@syla/contracts/errors";
import type { ContextLanguage, SandboxContext, SandboxContextEvent } from "@syla/contracts/sandboxes/contexts";
import type { ProcessSpec, Session, SessionContext } from "@syla/sandbox/session";
import { newId } from "../platform/ids.ts";

import { FollowedProcess } from "./followed-process.ts";
import { inSession, toSessionError } from "./session-error.ts";

const maxContexts = 32;
/** Ended processes whose output can still be read. */
const maxEnded = 50;

interface HeldContext {
  readonly facts: SandboxContext;
  readonly context: SessionContext;
  readonly options: ContextWish;
}

interface ContextWish {
  readonly name?: string | undefined;
  readonly cwd?: string | undefined;
  readonly env: Readonly<Record<string, string>>;
}

/** A session of this server, with what was started in it. Counts who uses it: one that nobody uses is idle. */
export class LiveSandbox {
  readonly session: Session;
  lastActive = Date.now();
  readonly #processes = new Map<number, FollowedProcess>();
  readonly #contexts = new Map<string, HeldContext>();
  #opening = 0;
  readonly #resume: () => Promise<void>;
  /** Open connections to its ports, with the bytes that had gone over each when it was last looked at. */
  readonly #connections = new Map<Socket, number>();
  #users = 0;

  /** `resume` is called before each use: it lets an idle sandbox go on, or refuses. */
  constructor(session: Session, resume: () => Promise<void>) {
    this.session = session;
    this.#resume = resume;
  }

  /** Somebody is doing something in it now. */
  get inUse(): boolean {
    return this.#users > 0;
  }

  /** Does something in it. */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    this.#users += 1;
    try {
      await this.#resume();
      return await inSession(() => work(this.session));
    } finally {
      this.#users -= 1;
      this.lastActive = Date.now();
    }
  }

  /** Looks at it, which is no use: a page that is left open keeps nothing awake. @throws AppError `sandbox_paused` */
  async look<T>(work: (session: Session) => Promise<T>): Promise<T> {
    if (this.session.pausedBy !== null) throw new AppError("sandbox_paused");
    return await inSession(() => work(this.session));
  }

  /** Does something that goes on for as long as its events are read. */
  async *stream<T>(open: (session: Session) => Promise<AsyncIterable<T>> | AsyncIterable<T>): AsyncGenerator<T, void, void> {
    this.#users += 1;
    try {
      await this.#resume();
      for await (const event of await open(this.session)) {
        this.lastActive = Date.now();
        yield event;
      }
    } catch (error) {
      throw toSessionError(error);
    } finally {
      this.#users -= 1;
      this.lastActive = Date.now();
    }
  }

  /** Connects to a port in it. @throws AppError `port_unreachable`, `sandbox_paused` */
  async connect(port: number): Promise<Socket> {
    const socket = await this.use((session) => session.connect(port));
    this.#connections.set(socket, 0);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#connections.delete(socket));
    return socket;
  }

  /** Whether anything went over its ports since this was asked last. That is use; a connection that is only open is none. */
  noteTraffic(): boolean {
    let moved = false;
    for (const [socket, before] of this.#connections) {
      const bytes = socket.bytesRead + socket.bytesWritten;
      moved ||= bytes !== before;
      this.#connections.set(socket, bytes);
    }
    if (moved) this.lastActive = Date.now();
    return moved;
  }

  async startProcess(spec: ProcessSpec): Promise<FollowedProcess> {
    const process = await this.use((session) => session.start({ ...spec, stdin: true }));
    const followed = new FollowedProcess(process, spec.terminal !== undefined);
    this.#processes.set(process.pid, followed);
    void followed.ended.then(() => this.#forgetOldest());
    return followed;
  }

  /** @throws AppError `not_found` */
  process(pid: number): FollowedProcess {
    const process = this.#processes.get(pid);
    if (process === undefined) throw new AppError("not_found", { message: "No process with this number was started here." });
    return process;
  }

  isTerminal(pid: number): boolean | null {
    return this.#processes.get(pid)?.terminal ?? null;
  }

  async openContext(language: ContextLanguage, options: ContextWish): Promise<SandboxContext> {
    if (this.#contexts.size + this.#opening >= maxContexts)
      throw new AppError("conflict", { message: `A sandbox has at most ${maxContexts} contexts.`, hint: "Delete one first." });
    this.#opening += 1;
    try {
      return await this.#holdContext(newId("ctx"), language, options);
    } finally {
      this.#opening -= 1;
    }
  }

  contexts(): SandboxContext[] {
    return [...this.#contexts.values()].map(({ facts }) => facts);
  }

  /** Runs code in a context. What it does goes on when the caller leaves; what waits for its turn is dropped. */
  run(contextId: string, code: string, signal: AbortSignal): AsyncGenerator<SandboxContextEvent, void, void> {
    const { context } = this.#context(contextId);
    return this.stream(() => readContext(context, code, signal));
  }

  interrupt(contextId: string): void {
    this.#context(contextId).context.interrupt();
    this.lastActive = Date.now();
  }

  async restart(contextId: string): Promise<SandboxContext> {
    const { context, facts, options } = this.#context(contextId);
    context.close();
    return await this.#holdContext(facts.id, facts.language, options);
  }

  closeContext(contextId: string): void {
    this.#context(contextId).context.close();
    this.#contexts.delete(contextId);
  }

  async #holdContext(id: string, language: ContextLanguage, options: ContextWish): Promise<SandboxContext> {
    const { name = null, cwd, env } = options;
    const context = await this.use((session) => session.openContext(language, { env, ...(cwd === undefined ? {} : { cwd }) }));
    const facts = { id, name, language, pid: context.pid, createdAt: new Date().toISOString() };
    this.#contexts.set(id, { facts, context, options });
    return facts;
  }

  #context(id: string): HeldContext {
    const held = this.#contexts.get(id);
    if (held === undefined) throw new AppError("not_found", { message: "There is no such context in this sandbox." });
    return held;
  }

  /** A number may come again: what has ended is forgotten at last. */
  #forgetOldest(): void {
    const excess = this.#processes.size - maxEnded;
    let left = excess;
    for (const [pid, followed] of this.#processes) {
      if (left <= 0) return;
      void followed.ended.then(() => this.#processes.get(pid) === followed && this.#processes.delete(pid));
      left -= 1;
    }
  }
}

/** Output as text: a character that is cut in two by the way waits for its other half. */
async function* readContext(context: SessionContext, code: string, signal: AbortSignal): AsyncGenerator<SandboxContextEvent> {
  const decoders = { stdout: new StringDecoder("utf8"), stderr: new StringDecoder("utf8") };
  for await (const event of context.run(code, signal)) {
    if (event.type === "output") {
      const text = decoders[event.stream].write(event.data);
      if (text !== "") yield { type: "output", stream: event.stream, text };
    } else if ("omitted" in event) yield { ...event, data: { ...event.data }, omitted: [...event.omitted] };
    else yield event;
  }
}
