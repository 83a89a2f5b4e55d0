import { request as sendRequest, type ClientRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { pipeline, type Duplex } from "node:stream";
import { requestHeaders, responseHeaders, type Origin } from "./headers.ts";
import { refusals, type Refusal } from "./page.ts";

/** One request on its way into a sandbox, over a connection that it has for itself. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly inside: Socket;
  readonly origin: Origin;
}

/** Carries a request and its answer, both as streams. `refuse` is told when there is none. */
export function carry(exchange: Exchange, response: ServerResponse, refuse: (refusal: Refusal) => void): void {
  const { request, inside } = exchange;
  const sent = open(exchange, false);
  sent.on("error", () => (response.headersSent ? response.destroy() : refuse(refusals.broken)));
  sent.on("upgrade", (_answer, socket) => socket.destroy(new Error("nobody asked for this")));
  sent.on("response", (answer) => {
    try {
      response.writeHead(answer.statusCode ?? 502, responseHeaders(answer.rawHeaders));
    } catch {
      inside.destroy();
      return refuse(refusals.broken);
    }
    response.flushHeaders();
    // An answer that breaks off must not look whole.
    pipeline(answer, response, (error) => error && response.destroy());
  });
  response.on("close", () => inside.destroy());
  // The program may answer before it has read everything, or never read it.
  pipeline(request, sent, () => {});
}

/** Makes a WebSocket of it, if the program agrees; otherwise its answer is carried. */
export function carryUpgrade(exchange: Exchange, socket: Duplex, head: Buffer, refuse: (refusal: Refusal) => void): void {
  const sent = open(exchange, true);
  sent.on("error", () => refuse(refusals.broken));
  sent.on("upgrade", (answer, inside, insideHead) => {
    sent.removeAllListeners("error");
    socket.write(encodeHead(answer, ["Connection", "Upgrade", "Upgrade", "websocket"]));
    if (insideHead.length > 0) socket.write(insideHead);
    if (head.length > 0) inside.write(head);
    inside.on("close", () => socket.destroy());
    socket.pipe(inside).pipe(socket);
  });
  sent.on("response", (answer) => {
    socket.write(encodeHead(answer, ["Connection", "close"]));
    pipeline(answer, socket, () => socket.destroy());
  });
  socket.on("close", () => exchange.inside.destroy());
  sent.end();
}

function open({ request, inside, origin }: Exchange, upgrade: boolean): ClientRequest {
  const headers = requestHeaders(request.rawHeaders, origin, upgrade);
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  // Without it Node.js would announce a body that never was.
  const hasBody = length !== undefined || encoding !== undefined || ["GET", "HEAD"].includes(request.method ?? "");
  return sendRequest({
    createConnection: () => inside,
    method: request.method,
    path: request.url,
    headers: [...headers, ...(hasBody ? [] : ["Content-Length", "0"])],
    setHost: false,
  });
}

function encodeHead(answer: IncomingMessage, connection: readonly string[]): string {
  const headers = [...responseHeaders(answer.rawHeaders), ...connection];
  const lines = Array.from({ length: headers.length / 2 }, (_, index) => `${headers[index * 2]}: ${headers[index * 2 + 1]}\r\n`);
  return `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n${lines.join("")}\r\n`;
}
