import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { AppError } from "@syla/contracts/errors";
import type { Queries } from "../platform/database.ts";
import { parentOf } from "../platform/http-call.ts";
import { newId } from "../platform/ids.ts";
import { nodeHeader, readNode, splitAddress } from "./call-node.ts";
import { answerOllama, getModel, listModels } from "./discovery.ts";
import { endpoints, type Endpoint } from "./protocol.ts";
import { mostRequestBytes } from "./request.ts";
import type { RunTokens } from "./run-tokens/service.ts";
import type { Caller, Gateway, GatewayAnswer } from "./service.ts";

/** What the listener is made of. */
export interface ListenerContext {
  readonly gateway: Gateway;
  readonly runTokens: RunTokens;
  readonly queries: Queries;
  /** Takes what compositions tell of their nodes. */
  readonly nodes: { answer(runId: string | null, request: IncomingMessage): Promise<GatewayAnswer> };
  /** A connection that takes nothing of an answer for so long is ended. */
  readonly readerMs: number;
}

const json = "application/json; charset=utf-8";
/** Requests of one run that may be coming in at the same time. */
const mostBodies = 4;

/**
 * The gateway as sandboxes reach it: an HTTP server that never listens, and is handed the connections of runs. Who calls is known from the
 * connection: what a program sends as its key says nothing more.
 */
export class GatewayListener {
  readonly #context: ListenerContext;
  readonly #http: Server;
  readonly #tokens = new WeakMap<Socket, string | null>();
  /** How many bodies are coming in, by token. */
  readonly #reading = new Map<string, number>();

  constructor(context: ListenerContext) {
    this.#context = context;
    this.#http = createServer({ maxHeaderSize: 32 * 1024, keepAliveTimeout: 60_000, requestTimeout: 900_000 });
    this.#http.on("request", (request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    this.#http.on("clientError", (_error: Error, socket: Socket) => {
      if (!socket.writable) return void socket.destroy();
      const text = "This is the model gateway: only language models are reached here.\n";
      socket.end(
        `HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`,
      );
    });
    this.#http.on("connect", (_request: IncomingMessage, socket: Socket) => {
      socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
  }

  /** Takes a connection of the run that the token belongs to. */
  accept(socket: Socket, token: string | null): void {
    this.#tokens.set(socket, token);
    this.#http.emit("connection", socket);
  }

  close(): void {
    this.#http.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once("close", () => (response.writableFinished ? undefined : gone.abort()));
    const requestId = newId("req");
    const address = splitAddress(request.url ?? "/");
    const path = pathOf(address.url);
    const endpoint = endpointOf(path);
    const { gateway } = this.#context;
    let answer: GatewayAnswer;
    try {
      const token = this.#tokens.get(request.socket);
      if (isElsewhere(request.url ?? "/"))
        throw new AppError("forbidden", {
          message: "This run reaches language models, and no other host.",
          hint: 'Give it the hosts that it needs besides: `network: {"allow": […]}`.',
        });
      if (token == null) throw new AppError("run_token_invalid");
      const caller = await this.#context.runTokens.read(token);
      if (address.url.startsWith("/syla/")) {
        send(response, request, await this.#context.nodes.answer(caller.runId, request), this.#context.readerMs);
        return;
      }
      const body = await this.#read(token, request);
      answer =
        endpoint !== undefined && request.method === "POST"
          ? await gateway.call(caller, {
              endpoint,
              body,
              headers: request.headers,
              requestId,
              traceId: parentOf(request.headers.traceparent)?.traceId ?? null,
              node: address.node ?? readNode(request.headers[nodeHeader]),
              signal: gone.signal,
            })
          : await answerOther(this.#context.queries, caller, request.method ?? "GET", path, body, requestId);
    } catch (error) {
      answer = gateway.refuse({ endpoint: endpoint ?? guessEndpoint(path), requestId }, error);
    }
    send(response, request, answer, this.#context.readerMs);
  }

  /** A run has only so much of the server's memory: what is here as a whole already is not counted. */
  async #read(token: string, request: IncomingMessage): Promise<Buffer> {
    if (request.complete) return await readRequest(request);
    const count = this.#reading.get(token) ?? 0;
    if (count >= mostBodies)
      throw new AppError("rate_limited", { message: `A run may send ${mostBodies} large requests at once.`, retryAfter: 1 });
    this.#reading.set(token, count + 1);
    try {
      return await readRequest(request);
    } finally {
      const left = (this.#reading.get(token) ?? 1) - 1;
      if (left === 0) this.#reading.delete(token);
      else this.#reading.set(token, left);
    }
  }
}

function send(response: ServerResponse, request: IncomingMessage, answer: GatewayAnswer, readerMs: number): void {
  // What was not read of a request would be taken for the next one.
  response.writeHead(answer.status, { ...answer.headers, ...(request.complete ? {} : { connection: "close" }) });
  const limitReader = () => response.setTimeout(readerMs, () => response.destroy());
  if (typeof answer.body === "string") {
    limitReader();
    return void response.end(answer.body);
  }
  // Until then the body itself ends who does not read, and a provider may be silent for longer.
  answer.body.once("end", limitReader);
  answer.body.once("error", () => response.destroy());
  response.once("close", () => (answer.body instanceof Readable ? answer.body.destroy() : undefined));
  answer.body.pipe(response);
}

/** The lists and documents beside calls, for runs and for keys alike. @throws AppError */
export async function answerOther(
  queries: Queries,
  caller: Caller,
  method: string,
  path: string,
  body: Buffer,
  requestId: string,
): Promise<GatewayAnswer> {
  const found = await findDocument(queries, caller, method, path, body);
  if (found === null) throw new AppError("not_found", { message: `The model gateway has no ${method} ${path}.` });
  return {
    status: 200,
    headers: { "content-type": json, "x-request-id": requestId },
    body: typeof found === "string" ? found : JSON.stringify(found),
  };
}

async function findDocument(queries: Queries, caller: Caller, method: string, path: string, body: Buffer): Promise<object | string | null> {
  if ((path === "/" || path === "") && method !== "POST") return "Ollama is running";
  if (method === "GET" && path === "/v1/models") return await listModels(queries, caller);
  const name = /^\/v1\/models\/(.+)$/.exec(path)?.[1];
  if (method === "GET" && name !== undefined) return await getModel(queries, caller, safeDecode(name));
  return await answerOllama(queries, caller, path, nameIn(body));
}

function nameIn(body: Buffer): string {
  try {
    const { model, name } = JSON.parse(body.toString("utf8")) as { model?: unknown; name?: unknown };
    return typeof model === "string" ? model : typeof name === "string" ? name : "";
  } catch {
    return "";
  }
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Programs that send everything to a proxy name the host that they want. */
function isElsewhere(url: string): boolean {
  return URL.canParse(url) && !/^(127\.0\.0\.1|localhost|\[::1\])$/.test(new URL(url).hostname);
}

/** Clients are given addresses with and without `/v1`, and add it or do not. */
function pathOf(url: string): string {
  const path = (URL.canParse(url) ? new URL(url).pathname : (url.split(/[?#]/, 1)[0] ?? "/")).replace(/\/{2,}/g, "/");
  const plain = path.replace(/^(\/v1)+(?=\/)/, "/v1").replace(/(?<=.)\/$/, "");
  return plain === "/" || /^\/(v1|api)(\/|$)/.test(plain) ? plain : `/v1${plain}`;
}

function endpointOf(path: string): Endpoint | undefined {
  return Object.entries(endpoints).find(([known]) => known === path)?.[1];
}

function guessEndpoint(path: string): Endpoint {
  return path.startsWith("/api/") ? endpoints["/api/chat"] : endpoints["/v1/chat/completions"];
}

/** @throws AppError `payload_too_large` */
async function readRequest(request: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > mostRequestBytes) throw new AppError("payload_too_large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export { readRequest };
