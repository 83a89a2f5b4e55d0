import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** One request as the server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export type Answer = (request: SeenRequest, response: ServerResponse) => void | Promise<void>;

/** A real HTTP server on loopback that gives the answers in turn; the last one repeats. Closed when the test ends. */
export async function startServer(...answers: Answer[]): Promise<{ baseUrl: string; seen: SeenRequest[] }> {
  const seen: SeenRequest[] = [];
  const handle = async (message: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const request = { method: message.method ?? "", url: message.url ?? "", headers: message.headers, body: Buffer.concat(chunks) };
    const answer = answers[Math.min(seen.length, answers.length - 1)];
    seen.push(request);
    await answer?.(request, response);
  };
  const server = createServer((message, response) => void handle(message, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

/** An address where nobody listens. */
export async function closedAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

/** Answers with JSON. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return (_, response) =>
    void response.writeHead(status, { "content-type": "application/json", "x-request-id": "req_1", ...headers }).end(JSON.stringify(body));
}

/** Answers with a problem document. */
export function problem(status: number, code: string, headers: Record<string, string> = {}, extra: Record<string, unknown> = {}): Answer {
  const body = {
    type: "about:blank",
    title: code,
    status,
    code,
    detail: `It is ${code}.`,
    hint: "Do this.",
    requestId: "req_1",
    fields: [],
    details: {},
    ...extra,
  };
  return json(status, body, { "content-type": "application/problem+json", ...headers });
}

/** Takes the request and cuts the connection without an answer. */
export const cut: Answer = (_, response) => void response.socket?.destroy();

/** Takes the request and never answers. */
export const stall: Answer = () => undefined;

/** Answers with events, and then ends, cuts or holds the connection. */
export function stream(events: readonly { readonly seq: number }[], then: "end" | "cut" | "hold", prelude = ""): Answer {
  return (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const frames = events.map((event) => `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`);
    response.write(prelude + frames.join(""), () => {
      if (then === "end") response.end();
      if (then === "cut") response.socket?.destroy();
    });
  };
}
