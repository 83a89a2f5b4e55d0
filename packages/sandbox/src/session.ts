import type { Socket } from "node:net";
import type { NetworkUsage } from "./egress/connection-log.ts";
import type { EffectiveLimits } from "./spec.ts";

/** A long-lived sandbox: what can be done in it. Sizes are bytes, times milliseconds; a path or a name that is not UTF-8 is given as bytes. */

/** A path inside: relative ones begin at `/workspace`. */
export type SessionPath = string | Uint8Array;

/** A file, a folder, a link or something else. */
export interface FileEntry {
  readonly path: Buffer;
  readonly kind: "file" | "folder" | "link" | "other";
  readonly size: number;
  readonly mode: number;
  readonly modifiedMs: number;
  /** When anything of it changed last, which no program can set back. */
  readonly changedMs: number;
  /** Another one once it was written to or replaced. */
  readonly stamp: string;
  /** Where a link leads. */
  readonly target: Buffer | null;
}

/** Operations throw a {@link RefusalError} with the system's code (`ENOENT`), or a {@link SessionEndedError}. */
export interface SessionFiles {
  stat(path: SessionPath): Promise<FileEntry>;
  /**
   * Folders before what is in them; `truncated` when there is more than `limit`. Nobody looks into folders called as in `ignore`. When it has to be
   * `whole`, it counts as truncated also where a folder cannot be read.
   */
  list(
    path: SessionPath,
    options: { readonly depth: number; readonly limit: number; readonly ignore?: readonly string[]; readonly whole?: boolean },
  ): Promise<{ entries: FileEntry[]; truncated: boolean }>;
  /** The entry, and the bytes from `offset`; read them all or `return()` the iterator. */
  read(path: SessionPath, range?: { readonly offset?: number; readonly length?: number }): Promise<FileContent>;
  /** All of it or nothing: the file appears whole under its name. */
  write(path: SessionPath, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, options?: WriteOptions): Promise<FileEntry>;
  mkdir(path: SessionPath, options?: { readonly parents?: boolean }): Promise<FileEntry>;
  move(path: SessionPath, target: SessionPath, options?: { readonly overwrite?: boolean }): Promise<FileEntry>;
  remove(path: SessionPath, options?: { readonly recursive?: boolean }): Promise<void>;
  chmod(path: SessionPath, mode: number): Promise<FileEntry>;
  watch(path: SessionPath, options: { readonly recursive: boolean; readonly signal: AbortSignal }): Promise<AsyncIterable<WatchEvent>>;
}

export interface FileContent {
  readonly entry: FileEntry;
  readonly data: AsyncGenerator<Buffer, void, void>;
}

export interface WriteOptions {
  readonly mode?: number;
  /** Make the folders above it. */
  readonly parents?: boolean;
}

/** What changed. `overflow`: so much that some of it is not told. */
export interface WatchEvent {
  readonly changes: readonly {
    readonly type: "created" | "modified" | "deleted" | "attributes";
    readonly path: Buffer;
    readonly folder: boolean;
  }[];
  readonly overflow: boolean;
}

/** How a process is started. */
export interface ProcessSpec {
  /** Words, or a line for the shell. */
  readonly command: readonly string[] | string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether something will be written to its standard input; else it is empty. */
  readonly stdin?: boolean;
  /** On a terminal of its own: stdout and stderr are one. */
  readonly terminal?: TerminalSize;
  readonly timeoutMs?: number;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface ProcessExit {
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly timedOut: boolean;
}

/** A process at work. Its output has to be read: one that is not read stops when the buffers are full. */
export interface SessionProcess {
  readonly pid: number;
  readonly output: AsyncIterable<{ readonly stream: "stdout" | "stderr"; readonly data: Buffer }>;
  /** When it has ended and its output has been read. */
  readonly exit: Promise<ProcessExit>;
  write(bytes: Uint8Array): Promise<void>;
  endInput(): void;
  resize(size: TerminalSize): void;
  /** To it and every process of its session. */
  signal(number: number): void;
  /** Ends it and forgets it. */
  close(): void;
}

export type ContextLanguage = "python" | "javascript";

/** What a context tells while it runs a piece of code. The last one is `done`. */
export type ContextEvent =
  | { readonly type: "output"; readonly stream: "stdout" | "stderr"; readonly data: Buffer }
  /** A value in every form that it has, by MIME type: text, base64 for images, documents for JSON. `omitted`: forms that were too large. */
  | { readonly type: "display" | "result"; readonly data: Readonly<Record<string, unknown>>; readonly omitted: readonly string[] }
  | { readonly type: "error"; readonly name: string; readonly value: string; readonly traceback: string }
  | { readonly type: "done"; readonly status: ContextStatus };

/** `lost`: its process has ended in the middle. */
export type ContextStatus = "ok" | "error" | "interrupted" | "lost";

/** A stateful interpreter. Pieces of code wait for one another. */
export interface SessionContext {
  readonly language: ContextLanguage;
  readonly pid: number;
  /** Resolves when its process has ended. */
  readonly ended: Promise<void>;
  /** What waits for its turn is dropped when the signal aborts. Throws a {@link ContextBusyError} when too much waits. */
  run(code: string, signal?: AbortSignal): AsyncGenerator<ContextEvent, void, void>;
  /** Ends what it runs now, and what waits. Its variables stay. */
  interrupt(): void;
  close(): void;
}

/** More calls wait for a context than are kept. */
export class ContextBusyError extends Error {
  override readonly name = "ContextBusyError";
}

export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  readonly state: string;
  readonly command: readonly string[];
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly startedMs: number;
  /** It was started from outside. */
  readonly started: boolean;
}

export interface SessionStats {
  readonly processes: number;
  readonly memoryBytes: number;
  readonly cpuMs: number;
  readonly diskBytes: number;
  readonly diskLimitBytes: number;
}

export interface ListeningPort {
  readonly port: number;
  readonly address: "any" | "loopback";
  readonly pid: number | null;
}

/** What stops the processes of a paused session. `machine`: the virtual machine around them stands still. */
export type PausedBy = "cgroup" | "signals" | "machine";

/** Why a session ended. */
export interface SessionEnd {
  readonly reason: "closed" | "timeout" | "memory" | "disk" | "failed";
  readonly message: string | null;
}

/** A long-lived sandbox. */
export interface Session {
  readonly tier: string;
  readonly limits: EffectiveLimits;
  readonly files: SessionFiles;
  /** Resolves, once, when nothing of it is left. */
  readonly ended: Promise<SessionEnd>;
  readonly pausedBy: PausedBy | null;
  start(spec: ProcessSpec): Promise<SessionProcess>;
  openContext(
    language: ContextLanguage,
    options?: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> },
  ): Promise<SessionContext>;
  processes(): Promise<ProcessFacts[]>;
  signal(pid: number, number: number): Promise<void>;
  stats(): Promise<SessionStats>;
  ports(): Promise<ListeningPort[]>;
  /**
   * A connection to a port that a program listens on, on its loopback; in a paused session it waits. Rejects with a
   * `PortUnreachableError` when nobody listens, and when the session has ended.
   */
  connect(port: number): Promise<Socket>;
  /** What it did with its network so far; null when it has no way out. */
  network(): NetworkUsage | null;
  /** Stops every process where it is, memory and all. */
  pause(): Promise<PausedBy>;
  resume(): Promise<void>;
  /** Ends every process and removes everything. */
  end(): Promise<void>;
}
