import type { Route, RouteBody, RouteInput, RouteOutput, RouteQuery } from "@syla/contracts/route";
import type { RouteName, routes } from "@syla/contracts/routes";
import { errorFromResponse, SylaConnectionError, SylaError } from "./errors.ts";
import { defaultRetryPolicy, type RetryPolicy, withRetries } from "./retry.ts";
import { routeTable } from "./routes.gen.ts";

/** How to reach a server. */
export interface SylaOptions {
  /** `http://127.0.0.1:7878`, with the base path if there is one; empty in a page that the server itself serves. */
  readonly baseUrl: string;
  /** Sent as a bearer token. Leave it out in a browser, where the session cookie says who you are. */
  readonly apiKey?: string;
  readonly fetch?: typeof fetch;
  /** Milliseconds to wait for an answer to begin, per try; 60,000. Waiting for a run to end has no such limit. */
  readonly timeoutMs?: number;
  readonly retry?: Partial<RetryPolicy>;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What every call accepts. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds to wait for the answer to begin, per try. 0: for ever. */
  readonly timeoutMs?: number | undefined;
}

/** For calls that create something: the same key never creates it twice. One is made up when left out. */
export interface CreateOptions extends CallOptions {
  readonly idempotencyKey?: string | undefined;
}

/** For calls that change something: what it was when it was loaded; refused with `revision_conflict` when it has changed since. */
export interface ChangeOptions extends CallOptions {
  readonly revision?: number | "*" | undefined;
}

/** A body that is sent as it is. Streams can be sent once only, so they are not retried. */
export type RawContent = Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array>;

type RouteOf<K extends RouteName> = (typeof routes)[K];
type ParamsOf<R extends Route> = "params" extends keyof R ? { readonly params: RouteInput<R>["params"] } : unknown;
type QueryOf<R extends Route> = "query" extends keyof R ? { readonly query?: Optional<RouteQuery<R>> } : unknown;
type BodyOf<R extends Route> = "body" extends keyof R ? { readonly body: R["body"] extends "bytes" ? RawContent : RouteBody<R> } : unknown;
type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };
interface CallExtras extends ChangeOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** For calls that create something; one is made up when left out. */
  readonly idempotencyKey?: string | undefined;
  /** Whether a second try does no harm; by default reads and deletes are repeated, and what is created once for its key. */
  readonly repeatable?: boolean;
}

/** The exact input of one route. */
export type Call<K extends RouteName> = ParamsOf<RouteOf<K>> & QueryOf<RouteOf<K>> & BodyOf<RouteOf<K>> & CallExtras;

interface LooseCall extends CallExtras {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

/** Sends the operations of the route table; the nouns of the client sit on top of it. */
export interface Transport {
  readonly retry: RetryPolicy;
  /** Sends, and parses the JSON answer (`undefined` for 204). */
  json<K extends RouteName>(name: K, call: Call<K>): Promise<RouteOutput<RouteOf<K>>>;
  /** Sends, and gives the answer with its body unread. */
  raw<K extends RouteName>(name: K, call: Call<K>): Promise<Response>;
  /** Opens an operation that is a WebSocket. */
  socket(name: RouteName, call: Pick<LooseCall, "params" | "query">): WebSocket;
  /** The address of an operation, for links. */
  url(name: RouteName, call: Pick<LooseCall, "params" | "query">): string;
}

/** Builds the transport of a client. */
export function createTransport(options: SylaOptions): Transport {
  const baseUrl = options.baseUrl.replace(/\/+$/, "");
  const retry = { ...defaultRetryPolicy, ...options.retry };
  const url = (name: RouteName, call: Pick<LooseCall, "params" | "query">) =>
    baseUrl + buildPath(routeTable[name].path, call.params ?? {}) + buildQuery(call.query ?? {});

  function send(name: RouteName, call: LooseCall): Promise<Response> {
    const { method, once }: Pick<Route, "method" | "once"> = routeTable[name];
    const isSafe = method === "GET" || method === "DELETE" || once === "answer";
    const repeatable = (call.repeatable ?? isSafe) && !(call.body instanceof ReadableStream);
    const key = once === undefined ? {} : { "idempotency-key": call.idempotencyKey ?? newKey() };
    const match = call.revision === undefined ? {} : { "if-match": call.revision === "*" ? "*" : `"${call.revision}"` };
    const keyed = { ...call, headers: { ...key, ...match, ...call.headers } };
    const attempt = () => sendOnce(options, url(name, call), buildRequest(method, options, keyed), call);
    return repeatable ? withRetries(retry, call.signal, attempt) : attempt();
  }

  return {
    retry,
    url,
    socket: (name, call) => openSocket(options, url(name, call)),
    raw: (name, call) => send(name, call),
    json: async (name, call) => readJson(await send(name, call)),
  };
}

/** A browser sends its cookie; elsewhere the key goes into a header, which browsers do not let us set. */
function openSocket(options: SylaOptions, url: string): WebSocket {
  const here = (globalThis as { document?: { baseURI: string } }).document?.baseURI;
  const address = new URL(url, here).href.replace(/^http/, "ws");
  if (options.apiKey === undefined) return new WebSocket(address);
  const Socket = WebSocket as unknown as new (address: string, init: { headers: Record<string, string> }) => WebSocket;
  return new Socket(address, { headers: { ...options.headers, authorization: `Bearer ${options.apiKey}` } });
}

/** `crypto.randomUUID` is missing on pages that are served over plain HTTP, so the key is made from random bytes. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function buildPath(path: string, params: Readonly<Record<string, unknown>>): string {
  return path.replace(/:([A-Za-z]+)/g, (_, key: string) => encodeURIComponent(String(params[key])));
}

function buildQuery(query: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  if (entries.length === 0) return "";
  return `?${new URLSearchParams(entries.map(([key, value]): [string, string] => [key, String(value)])).toString()}`;
}

function buildRequest(method: string, options: SylaOptions, call: LooseCall): RequestInit {
  const headers: Record<string, string> = { accept: "application/json", ...options.headers, ...call.headers };
  if (options.apiKey !== undefined) headers["authorization"] = `Bearer ${options.apiKey}`;
  const init: RequestInit = { method, headers, credentials: "same-origin", redirect: "error" };
  if (call.body === undefined) return init;
  if (isRawContent(call.body)) {
    headers["content-type"] ??= "application/octet-stream";
    // fetch refuses a stream as a body unless it is told that the answer comes after it
    return { ...init, body: call.body, ...(call.body instanceof ReadableStream && { duplex: "half" }) };
  }
  headers["content-type"] = "application/json";
  return { ...init, body: JSON.stringify(call.body) };
}

function isRawContent(body: unknown): body is RawContent {
  return body instanceof Uint8Array || body instanceof Blob || body instanceof ReadableStream;
}

async function sendOnce(options: SylaOptions, url: string, init: RequestInit, call: LooseCall): Promise<Response> {
  const deadline = new AbortController();
  const timeoutMs = call.timeoutMs ?? options.timeoutMs ?? 60_000;
  const timer = timeoutMs > 0 ? setTimeout(() => deadline.abort(timedOut(timeoutMs)), timeoutMs) : undefined;
  // the caller's signal goes on to cut a body that is still being read; the deadline is only for the answer to begin
  const signal = call.signal === undefined ? deadline.signal : AbortSignal.any([call.signal, deadline.signal]);
  try {
    const response = await (options.fetch ?? fetch)(url, { ...init, signal });
    if (!response.ok) throw await errorFromResponse(response);
    return response;
  } catch (error) {
    if (call.signal?.aborted === true) throw call.signal.reason;
    if (error instanceof SylaError) throw error;
    if (deadline.signal.aborted) throw deadline.signal.reason;
    throw new SylaConnectionError("connection_failed", `No connection to ${describeHost(url)}${describeCause(error)}.`, error);
  } finally {
    clearTimeout(timer);
  }
}

function timedOut(timeoutMs: number): SylaConnectionError {
  return new SylaConnectionError("request_timeout", `The server did not answer within ${timeoutMs / 1000} s.`);
}

function describeHost(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : "the server";
}

function describeCause(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
  const words: Record<string, string> = {
    ECONNREFUSED: "refused",
    ECONNRESET: "cut off",
    ENOTFOUND: "no such host",
    UND_ERR_SOCKET: "cut off",
  };
  return code === "" ? "" : ` (${words[code] ?? code})`;
}

async function readJson<T>(response: Response): Promise<T> {
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch (cause) {
    if (cause instanceof SyntaxError) {
      const requestId = response.headers.get("x-request-id");
      const hint = "Check that the address is that of a Syla server.";
      throw new SylaError("The answer is not JSON.", { code: "unexpected_answer", status: response.status, hint, requestId, cause });
    }
    throw new SylaConnectionError("connection_failed", "The connection was cut in the middle of an answer.", cause);
  }
}
