import type { Sandbox, SandboxInputDraft, sandboxRoutes, SandboxStats } from "@syla/contracts/sandboxes";
import type { ContextLanguage, SandboxContext, SandboxContextEvent } from "@syla/contracts/sandboxes/contexts";
import type { SandboxFile, SandboxFileChange } from "@syla/contracts/sandboxes/files";
import type { SandboxPort, SandboxPreview } from "@syla/contracts/sandboxes/ports";
import type {
  SandboxExecDraft,
  SandboxExecResult,
  SandboxProcess,
  SandboxProcessDraft,
  SandboxProcessEvent,
  sandboxProcessRoutes,
} from "@syla/contracts/sandboxes/processes";
import type { SandboxNetwork } from "@syla/contracts/network";
import type { RouteBody, RouteQuery } from "@syla/contracts/route";
import { readEventStream } from "./event-stream.ts";
import type { Page } from "./runs.ts";
import type { CallOptions, CreateOptions, RawContent, Transport } from "./transport.ts";

/** A path inside: text, or bytes for a name that is not UTF-8. Relative ones begin at `/workspace`. */
export type SandboxPath = string | Uint8Array;
/** How a command is run, besides its words. */
export type ExecOptions = Omit<SandboxExecDraft, "command"> & CallOptions;
/** How a process is started, besides its words. */
export type ProcessOptions = Omit<SandboxProcessDraft, "command"> & CallOptions;
type SignalName = NonNullable<RouteBody<typeof sandboxProcessRoutes.signalProcess>["signal"]>;

/** Filters and page of the list. */
export type ListSandboxesQuery = Omit<Partial<RouteQuery<typeof sandboxRoutes.listSandboxes>>, "limit" | "live"> & {
  readonly limit?: number | undefined;
  readonly live?: boolean | undefined;
};

/** Long-lived sandboxes: an agent's computers. */
export interface Sandboxes {
  /** Creates one, ready to be used. */
  create(input?: SandboxInputDraft, options?: CreateOptions): Promise<SandboxHandle>;
  /** One that is there already; nothing is asked until it is used. */
  open(id: string): SandboxHandle;
  get(id: string, options?: CallOptions): Promise<Sandbox>;
  list(query?: ListSandboxesQuery, options?: CallOptions): Promise<Page<Sandbox>>;
  delete(id: string, options?: CallOptions): Promise<void>;
}

/** Files of a sandbox. */
export interface SandboxFiles {
  list(
    path?: SandboxPath,
    query?: { readonly depth?: number; readonly limit?: number },
    options?: CallOptions,
  ): Promise<{ readonly items: readonly SandboxFile[]; readonly truncated: boolean }>;
  stat(path: SandboxPath, options?: CallOptions): Promise<SandboxFile>;
  /** The file, its body unread; `offset` and `length` in bytes. */
  read(path: SandboxPath, range?: { readonly offset: number; readonly length?: number }, options?: CallOptions): Promise<Response>;
  /** All of it or nothing; makes the folders above it. `mode` in octal digits (`"755"`). */
  write(path: SandboxPath, content: RawContent | string, query?: { readonly mode?: string }, options?: CallOptions): Promise<SandboxFile>;
  mkdir(path: SandboxPath, options?: CallOptions): Promise<SandboxFile>;
  move(path: SandboxPath, target: SandboxPath, query?: { readonly overwrite?: boolean }, options?: CallOptions): Promise<SandboxFile>;
  remove(path: SandboxPath, query?: { readonly recursive?: boolean }, options?: CallOptions): Promise<void>;
  chmod(path: SandboxPath, mode: number, options?: CallOptions): Promise<SandboxFile>;
  /** What changes below a folder, or with `recursive: false` in it; the first event, `{ type: "ready" }`, says that nothing is missed from then on. */
  watch(
    path: SandboxPath,
    options?: { readonly recursive?: boolean } & CallOptions,
  ): AsyncGenerator<{ type: "ready" } | ({ type: "changes" } & SandboxFileChange), void, void>;
  /** The address of a file's content, for links. */
  url(path: SandboxPath): string;
}

/** Interpreters that keep their variables. */
export interface SandboxContexts {
  create(
    language?: ContextLanguage,
    options?: { readonly name?: string; readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } & CallOptions,
  ): Promise<SandboxContext>;
  list(options?: CallOptions): Promise<readonly SandboxContext[]>;
  /** Runs code after what was asked before; the last event is `done`. */
  run(contextId: string, code: string, options?: CallOptions): AsyncGenerator<SandboxContextEvent, void, void>;
  interrupt(contextId: string, options?: CallOptions): Promise<void>;
  restart(contextId: string, options?: CallOptions): Promise<SandboxContext>;
  delete(contextId: string, options?: CallOptions): Promise<void>;
}

/** Processes that go on by themselves, and terminals. */
export interface SandboxProcesses {
  start(command: string | string[], options?: ProcessOptions): Promise<{ readonly pid: number; readonly terminal: boolean }>;
  list(options?: CallOptions): Promise<readonly SandboxProcess[]>;
  /** Its recent output, then what comes, then `exit`. */
  follow(pid: number, options?: CallOptions): AsyncGenerator<SandboxProcessEvent, void, void>;
  write(pid: number, content: RawContent | string, query?: { readonly end?: boolean }, options?: CallOptions): Promise<void>;
  signal(pid: number, signal?: SignalName, options?: CallOptions): Promise<void>;
  /**
   * The socket of a process that was started with `terminal`: binary messages are its bytes both ways, `{ columns, rows }` as text resizes it.
   * It is told the recent output first, so that a lost connection can be made again.
   */
  terminal(pid: number): WebSocket;
}

/** One long-lived sandbox. */
export interface SandboxHandle {
  readonly id: string;
  readonly files: SandboxFiles;
  readonly contexts: SandboxContexts;
  readonly processes: SandboxProcesses;
  get(options?: CallOptions): Promise<Sandbox>;
  update(change: RouteBody<typeof sandboxRoutes.updateSandbox>, options?: CallOptions): Promise<Sandbox>;
  /** Runs a command to its end: words, or a line for the shell. A command that fails is a result, not an exception. */
  exec(command: string | string[], options?: ExecOptions): Promise<SandboxExecResult>;
  /** The same, told as it happens; to stop reading ends it. */
  stream(command: string | string[], options?: ExecOptions): AsyncGenerator<SandboxProcessEvent, void, void>;
  stats(options?: CallOptions): Promise<SandboxStats>;
  ports(options?: CallOptions): Promise<readonly SandboxPort[]>;
  /** The address under which a browser can open a port for a while: an hour, or `lastsMs`. Asked again, it lasts longer. */
  preview(port: number, options?: { readonly lastsMs?: number } & CallOptions): Promise<SandboxPreview>;
  revokePreview(port: number, options?: CallOptions): Promise<void>;
  /**
   * A raw connection to a port: binary messages are its bytes both ways, the text message `{"end":true}` says that no more come that way.
   * With a `window` no more bytes come than that beyond those that text messages `{"took":BYTES}` say were taken.
   */
  connect(port: number, options?: { readonly window?: number }): WebSocket;
  /** Puts what was changed into its workspace now, and fetches what others have changed there. Only of one that is in a workspace. */
  save(options?: CallOptions): Promise<Sandbox>;
  /** What it may reach, and what it did with that so far. */
  network(options?: CallOptions): Promise<SandboxNetwork>;
  pause(options?: CallOptions): Promise<Sandbox>;
  resume(options?: CallOptions): Promise<Sandbox>;
  /** Ends it with everything in it. */
  delete(options?: CallOptions): Promise<void>;
}

export function createSandboxes(transport: Transport): Sandboxes {
  const open = (id: string) => createHandle(transport, id);
  return {
    open,
    create: async (input = {}, options = {}) => open((await transport.json("createSandbox", { ...options, body: input })).id),
    get: (id, options = {}) => transport.json("getSandbox", { ...options, params: { id } }),
    list: ({ live, ...query } = {}, options = {}) =>
      transport.json("listSandboxes", { ...options, query: { ...query, ...(live === undefined ? {} : { live: String(live) }) } }),
    delete: (id, options = {}) => open(id).delete(options),
  };
}

function createHandle(transport: Transport, id: string): SandboxHandle {
  const params = { id };
  return {
    id,
    files: createFiles(transport, id),
    contexts: createContexts(transport, id),
    processes: createProcesses(transport, id),
    get: (options = {}) => transport.json("getSandbox", { ...options, params }),
    update: (change, options = {}) => transport.json("updateSandbox", { ...options, params, body: change }),
    exec: (command, options = {}) => {
      const [body, call] = splitExec(options);
      return transport.json("execInSandbox", { timeoutMs: 0, ...call, params, body: { command, ...body } });
    },
    async *stream(command, options = {}) {
      const [body, call] = splitExec(options);
      yield* readEventStream<SandboxProcessEvent>(await transport.raw("streamExec", { ...call, params, body: { command, ...body } }));
    },
    stats: (options = {}) => transport.json("getSandboxStats", { ...options, params }),
    ports: async (options = {}) => (await transport.json("listSandboxPorts", { ...options, params })).items,
    preview: (port, { lastsMs, ...options } = {}) =>
      transport.json("openPreview", { ...options, params: { id, port }, body: lastsMs === undefined ? {} : { lastsMs }, repeatable: true }),
    revokePreview: async (port, options = {}) => void (await transport.json("revokePreview", { ...options, params: { id, port } })),
    connect: (port, query = {}) => transport.socket("openPort", { params: { id, port }, query }),
    save: (options = {}) => transport.json("saveSandbox", { timeoutMs: 0, ...options, params, repeatable: true }),
    network: (options = {}) => transport.json("getSandboxNetwork", { ...options, params }),
    pause: (options = {}) => transport.json("pauseSandbox", { ...options, params, repeatable: true }),
    resume: (options = {}) => transport.json("resumeSandbox", { ...options, params, repeatable: true }),
    delete: async (options = {}) => void (await transport.json("deleteSandbox", { ...options, params })),
  };
}

/** `timeoutMs` is the command's own; the call itself waits as long as that takes. */
function splitExec({ signal, ...body }: ExecOptions): [Omit<SandboxExecDraft, "command">, CallOptions] {
  return [body, { timeoutMs: 0, signal }];
}

function createFiles(transport: Transport, id: string): SandboxFiles {
  const params = { id };
  return {
    list: (path = "/workspace", query = {}, options = {}) =>
      transport.json("listSandboxFiles", { ...options, params, query: { ...toQuery(path), ...query } }),
    stat: (path, options = {}) => transport.json("statSandboxFile", { ...options, params, query: toQuery(path) }),
    read: (path, range, options = {}) => {
      const last = range?.length === undefined ? "" : String(range.offset + range.length - 1);
      const headers = range === undefined ? {} : { range: `bytes=${range.offset}-${last}` };
      return transport.raw("readSandboxFile", { ...options, params, query: toQuery(path), headers });
    },
    write: (path, content, query = {}, options = {}) =>
      transport.json("writeSandboxFile", {
        timeoutMs: 0,
        ...options,
        params,
        query: { ...toQuery(path), ...query },
        body: toBytes(content),
        repeatable: true,
      }),
    mkdir: (path, options = {}) => transport.json("createSandboxFolder", { ...options, params, body: toQuery(path) }),
    move: (path, target, query = {}, options = {}) =>
      transport.json("moveSandboxFile", { ...options, params, query: toQuery(path), body: { ...toQuery(target), ...query } }),
    remove: async (path, { recursive = false } = {}, options = {}) =>
      void (await transport.json("deleteSandboxFile", { ...options, params, query: { ...toQuery(path), recursive: String(recursive) } })),
    chmod: (path, mode, options = {}) => transport.json("updateSandboxFile", { ...options, params, query: toQuery(path), body: { mode } }),
    async *watch(path, { recursive = true, ...options } = {}) {
      const query = { ...toQuery(path), recursive: String(recursive) };
      yield* readEventStream(await transport.raw("watchSandboxFiles", { ...options, params, query }));
    },
    url: (path) => transport.url("readSandboxFile", { params, query: toQuery(path) }),
  };
}

function createContexts(transport: Transport, id: string): SandboxContexts {
  const params = { id };
  return {
    create: (language, { name, cwd, env, ...options } = {}) =>
      transport.json("createContext", {
        ...options,
        params,
        body: {
          ...(name !== undefined && { name }),
          ...(language && { language }),
          ...(cwd !== undefined && { cwd }),
          ...(env && { env }),
        },
      }),
    list: async (options = {}) => (await transport.json("listContexts", { ...options, params })).items,
    async *run(contextId, code, options = {}) {
      const call = { timeoutMs: 0, ...options, params: { id, contextId }, body: { code } };
      yield* readEventStream<SandboxContextEvent>(await transport.raw("runInContext", call));
    },
    interrupt: async (contextId, options = {}) =>
      void (await transport.json("interruptContext", { ...options, params: { id, contextId } })),
    restart: (contextId, options = {}) => transport.json("restartContext", { ...options, params: { id, contextId } }),
    delete: async (contextId, options = {}) => void (await transport.json("deleteContext", { ...options, params: { id, contextId } })),
  };
}

function createProcesses(transport: Transport, id: string): SandboxProcesses {
  const params = { id };
  return {
    start: (command, { signal, ...body } = {}) => transport.json("startProcess", { signal, params, body: { command, ...body } }),
    list: async (options = {}) => (await transport.json("listProcesses", { ...options, params })).items,
    async *follow(pid, options = {}) {
      yield* readEventStream<SandboxProcessEvent>(await transport.raw("streamProcess", { ...options, params: { id, pid } }));
    },
    write: async (pid, content, { end = false } = {}, options = {}) =>
      void (await transport.json("writeProcess", {
        timeoutMs: 0,
        ...options,
        params: { id, pid },
        query: { end: String(end) },
        body: toBytes(content),
      })),
    signal: async (pid, signal = "SIGTERM", options = {}) =>
      void (await transport.json("signalProcess", { ...options, params: { id, pid }, body: { signal } })),
    terminal: (pid) => transport.socket("openTerminal", { params: { id, pid } }),
  };
}

function toBytes(content: RawContent | string): RawContent {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}

function toQuery(path: SandboxPath): { path: string } | { pathBase64: string } {
  if (typeof path === "string") return { path };
  return { pathBase64: btoa(Array.from(path, (byte) => String.fromCharCode(byte)).join("")) };
}
