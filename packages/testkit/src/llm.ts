import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { answerAnthropic, streamAnthropic } from "./llm/anthropic.ts";
import {
  answerChat,
  answerCompletion,
  answerEmbeddings,
  answerResponse,
  streamChat,
  streamCompletion,
  streamResponse,
} from "./llm/openai.ts";
import { answerOllama, answerOllamaEmbed, streamOllama } from "./llm/ollama.ts";
import { replyTo, type Reply, type RequestBody } from "./llm/reply.ts";

/** How the stand-in misbehaves. */
export interface Misbehaviour {
  /** Answers with this status, so many times (always when left out). */
  readonly status?: number;
  readonly times?: number;
  readonly retryAfter?: number;
  /** Never begins its answer. */
  readonly stall?: boolean;
  /** Falls silent after so many events. */
  readonly stallAfter?: number;
  /** Cuts the connection after so many events. */
  readonly cutAfter?: number;
  /** Answers with something that no client can read. */
  readonly garbage?: "json" | "stream" | "bytes";
  /** Says this of its usage, or nothing. */
  readonly usage?: { readonly input: number; readonly output: number } | "none";
  /** Sends to another address. */
  readonly redirect?: string;
  /** Between events, and before what is no stream, ms. */
  readonly slowMs?: number;
  /** Says the key that it was sent, in its error. */
  readonly echoKey?: boolean;
  /** Says this after the end of its streams, or in place of an answer, as it is. */
  readonly after?: string;
  readonly raw?: { readonly type: string; readonly encoding?: string; readonly chunks: Iterable<Buffer> | AsyncIterable<Buffer> };
  /** Ends its streams with an error that says this. */
  readonly streamError?: string;
  /** The text of its answers. */
  readonly text?: string;
  /** What it answers, one after the other; afterwards as ever. */
  readonly script?: readonly ScriptedAnswer[];
}

/** An answer that a test chooses: a text, or a call of a tool. */
export type ScriptedAnswer = string | { readonly tool: string; readonly arguments: object };

/** A request as the provider got it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  readonly body: RequestBody;
  /** Whoever asked went away before the end. */
  aborted: boolean;
}

/** A vendor of language models on this machine, true to the protocols of OpenAI, Anthropic and Ollama; the same question, the same answer. */
export interface LlmStandIn {
  /** Without a path. */
  readonly url: string;
  readonly port: number;
  readonly seen: SeenRequest[];
  /** The only key that it takes; null: it asks for none. */
  key: string | null;
  /** Models that it knows; null: whatever is asked for. */
  models: readonly string[] | null;
  behave(how: Misbehaviour): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startLlm(): Promise<LlmStandIn> {
  let how: Misbehaviour = {};
  let left = 0;
  let script: ScriptedAnswer[] = [];
  const seen: SeenRequest[] = [];
  const standIn = { seen, key: null as string | null, models: null as readonly string[] | null };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const entry: SeenRequest = { method: request.method ?? "", path, headers: request.headers, text, body: parse(text), aborted: false };
    seen.push(entry);
    response.once("close", () => (entry.aborted = !response.writableFinished));
    const scripted = /\/(chat|completions|messages|responses|generate)$/.test(path) ? script.shift() : undefined;
    await answer({ entry, response, how: takeBehaviour(), scripted, key: standIn.key, models: standIn.models });
  };
  const takeBehaviour = (): Misbehaviour => {
    if (how.times === undefined) return how;
    if (left === 0) return {};
    left -= 1;
    return how;
  };
  await listen(server);
  const { port } = server.address() as AddressInfo;
  return Object.assign(standIn, {
    url: `http://127.0.0.1:${port}`,
    port,
    behave(next: Misbehaviour) {
      how = next;
      left = next.times ?? 0;
      script = [...(next.script ?? [])];
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
}

function parse(text: string): RequestBody {
  try {
    return JSON.parse(text) as RequestBody;
  } catch {
    return {};
  }
}

interface Exchange {
  readonly entry: SeenRequest;
  readonly response: ServerResponse;
  readonly how: Misbehaviour;
  readonly scripted: ScriptedAnswer | undefined;
  readonly key: string | null;
  readonly models: readonly string[] | null;
}

async function answer(exchange: Exchange): Promise<void> {
  const { entry, response, how, models } = exchange;
  const { path, body } = entry;
  const given = keyOf(entry);
  if (how.stall === true) return;
  if (how.redirect !== undefined) return void response.writeHead(307, { location: how.redirect }).end();
  if (how.status !== undefined) {
    const retry = how.retryAfter === undefined ? {} : { "retry-after": String(how.retryAfter) };
    const message = how.echoKey === true ? `Incorrect API key provided: ${given}` : `Told to fail with ${how.status}`;
    return void response.writeHead(how.status, { "content-type": "application/json", ...retry }).end(errorOf(path, message));
  }
  if (exchange.key !== null && given !== exchange.key && !path.endsWith("/identity/token"))
    return void response.writeHead(401, { "content-type": "application/json" }).end(errorOf(path, `Incorrect API key provided: ${given}`));
  if (path.endsWith("/identity/token"))
    return void response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify({ access_token: exchange.key ?? "token", expires_in: 3600 }));
  if (how.raw !== undefined) {
    const encoding = how.raw.encoding === undefined ? {} : { "content-encoding": how.raw.encoding };
    return void Readable.from(how.raw.chunks).pipe(response.writeHead(200, { "content-type": how.raw.type, ...encoding }));
  }
  const model = body.model ?? body.model_id ?? "";
  if (models !== null && !models.includes(model))
    return void response.writeHead(404, { "content-type": "application/json" }).end(errorOf(path, `The model \`${model}\` does not exist`));
  if (how.garbage === "json") return void response.writeHead(200, { "content-type": "application/json" }).end("<html>busy</html>");
  if (how.garbage === "bytes")
    return void response.writeHead(200, { "content-type": "application/json" }).end(Buffer.from([0xff, 0xfe, 0x00]));
  const reply = { ...replyTo(body), ...(how.text === undefined ? {} : { text: how.text }), ...fromScript(exchange.scripted) };
  if (how.usage === "none") reply.usage = null;
  else if (how.usage !== undefined) reply.usage = { ...how.usage, cached: 0, reasoning: 0 };
  const events = streamOf(path, body, reply);
  if (events === null) {
    if (how.slowMs !== undefined) await sleep(how.slowMs);
    return sendDocument(response, path, body, reply);
  }
  await sendEvents(exchange, events);
}

function fromScript(scripted: ScriptedAnswer | undefined): Partial<Reply> {
  if (scripted === undefined) return {};
  if (typeof scripted === "string") return { text: scripted, call: null };
  return { text: "", call: { id: "call_1", name: scripted.tool, arguments: JSON.stringify(scripted.arguments) } };
}

function keyOf({ headers }: SeenRequest): string {
  const bearer = /^Bearer (.*)$/.exec(headers.authorization ?? "")?.[1];
  return String(bearer ?? headers["x-api-key"] ?? headers["api-key"] ?? "");
}

function errorOf(path: string, message: string): string {
  if (path.startsWith("/api/")) return JSON.stringify({ error: message });
  if (path.includes("/messages")) return JSON.stringify({ type: "error", error: { type: "api_error", message } });
  return JSON.stringify({ error: { message, type: "invalid_request_error", param: null, code: null } });
}

function streamOf(path: string, body: RequestBody, reply: Reply): string[] | null {
  if (path === "/api/chat" || path === "/api/generate") return body.stream === false ? null : streamOllama(path, body, reply);
  if (path.endsWith("/chat_stream")) return streamChat({ ...body, stream_options: { include_usage: true } }, reply);
  if (body.stream !== true) return null;
  if (path.endsWith("/messages")) return streamAnthropic(body, reply);
  if (path.endsWith("/responses")) return streamResponse(body, reply);
  if (path.endsWith("/chat/completions")) return streamChat(body, reply);
  return streamCompletion(body, reply);
}

function sendDocument(response: ServerResponse, path: string, body: RequestBody, reply: Reply): void {
  const document = documentOf(path, body, reply);
  const status = document === null ? 404 : 200;
  response
    .writeHead(status, { "content-type": "application/json" })
    .end(document === null ? errorOf(path, "no such address") : JSON.stringify(document));
}

function documentOf(path: string, body: RequestBody, reply: Reply): object | null {
  if (path === "/api/chat" || path === "/api/generate") return answerOllama(path, body, reply);
  if (path === "/api/embed" || path === "/api/embeddings") return answerOllamaEmbed(path, body);
  if (path.endsWith("/count_tokens")) return { input_tokens: reply.usage?.input ?? 0 };
  if (path.endsWith("/messages")) return answerAnthropic(body, reply);
  if (path.endsWith("/responses")) return answerResponse(body, reply);
  if (path.endsWith("/embeddings")) return answerEmbeddings(body);
  if (path.endsWith("/chat/completions") || path.endsWith("/text/chat")) return answerChat(body, reply);
  return path.endsWith("/completions") ? answerCompletion(body, reply) : null;
}

async function sendEvents({ entry, response, how }: Exchange, events: readonly string[]): Promise<void> {
  const isOllama = entry.path.startsWith("/api/");
  response.writeHead(200, { "content-type": isOllama ? "application/x-ndjson" : "text/event-stream" });
  if (how.garbage === "stream") return void response.end(isOllama ? "{not json}\n" : "data: {not json}\n\n");
  for (const [index, event] of events.entries()) {
    if (how.stallAfter === index) return;
    if (how.cutAfter === index) return void setImmediate(() => response.destroy());
    if (response.destroyed) return;
    await new Promise((resolve) => response.write(event, resolve));
    if (how.slowMs !== undefined) await sleep(how.slowMs);
    if (how.streamError !== undefined) return void response.end(`data: ${errorOf(entry.path, how.streamError)}\n\n`);
  }
  response.end(how.after);
}
