import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createWebSocketStream, WebSocketServer, type WebSocket } from "ws";

const protocol = "syla.agent.1";
const path = "/agent";
const tokenBytes = 32;
/** The agent sends 64 KiB at most. */
const longestMessage = 1 << 20;
const bufferBytes = 1 << 18;
const headersMs = 10_000;
/** Connections at once that have not shown a token. */
const mostStrangers = 256;
const pingMs = 15_000;

export interface AgentListenerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** PEM. Null: without TLS. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
}

/** A place that is kept for one agent. */
export interface ExpectedAgent {
  /** It lets in one connection, once. */
  readonly token: string;
  /** Resolves when the agent has come; rejects when it is not expected any more. */
  readonly arrived: Promise<Duplex>;
  /** Lets nobody in any more. */
  forget(): void;
}

interface Place {
  readonly resolve: (stream: Duplex) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Where the agents of pods arrive. A listener of its own, with nothing else on it: whatever is in a pod can connect to it. Whoever has no token that is
 * waited for gets a refusal and no second question; who has one is as hostile, and gets the stream of its own sandbox.
 */
export class AgentListener {
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: longestMessage, perMessageDeflate: false, clientTracking: true });
  /** By a hash of the token, so that how long a look takes says nothing of it. */
  readonly #places = new Map<string, Place>();
  readonly #strangers = new Set<Socket>();
  readonly #ping: NodeJS.Timeout;
  readonly #silent = new WeakSet<WebSocket>();

  private constructor({ tls }: AgentListenerOptions) {
    const limits = { maxHeaderSize: 8192, headersTimeout: headersMs, requestTimeout: headersMs, connectionsCheckingInterval: headersMs };
    const refuse = (_: IncomingMessage, response: { writeHead(status: number): { end(): unknown } }) => void response.writeHead(404).end();
    this.#server =
      tls === null
        ? createServer(limits, refuse)
        : createTlsServer({ ...limits, ...tls, minVersion: "TLSv1.2", handshakeTimeout: headersMs }, refuse);
    this.#server.on(tls === null ? "connection" : "secureConnection", (socket: Socket) => this.#meet(socket));
    this.#server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => this.#letIn(request, socket, head));
    this.#server.on("clientError", (_, socket: Duplex) => socket.destroy());
    this.#server.on("tlsClientError", (_, socket: Duplex) => socket.destroy());
    this.#ping = setInterval(() => this.#askAll(), pingMs).unref();
  }

  /** Rejects when the address is not to be had. */
  static async listen(options: AgentListenerOptions): Promise<AgentListener> {
    const listener = new AgentListener(options);
    const server = listener.#server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(options.port, options.host, () => {
        server.off("error", reject);
        resolve();
      });
    });
    server.on("error", () => {});
    return listener;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  expect(): ExpectedAgent {
    const token = randomBytes(tokenBytes).toString("hex");
    const key = hashOf(token);
    const arrived = Promise.withResolvers<Duplex>();
    arrived.promise.catch(() => {});
    this.#places.set(key, arrived);
    const forget = () => {
      if (this.#places.delete(key)) arrived.reject(new Error("nobody waits for this agent any more"));
    };
    return { token, arrived: arrived.promise, forget };
  }

  async close(): Promise<void> {
    clearInterval(this.#ping);
    for (const { reject } of this.#places.values()) reject(new Error("the server is shutting down"));
    this.#places.clear();
    for (const socket of this.#sockets.clients) socket.terminate();
    for (const socket of this.#strangers) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Who keeps a connection without showing a token takes it from others of that kind, not from those who have one. */
  #meet(socket: Socket): void {
    if (this.#strangers.size >= mostStrangers) this.#strangers.values().next().value?.destroy();
    this.#strangers.add(socket);
    const timer = setTimeout(() => this.#strangers.has(socket) && socket.destroy(), headersMs).unref();
    socket.once("close", () => {
      clearTimeout(timer);
      this.#strangers.delete(socket);
    });
  }

  #letIn(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    const [kind = "", token = ""] = (request.headers.authorization ?? "").split(" ");
    const place = this.#places.get(hashOf(token));
    const isAgent = request.url === path && request.headers.origin === undefined && request.headers["sec-websocket-protocol"] === protocol;
    if (kind !== "Bearer" || place === undefined || !isAgent) {
      socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", () => socket.destroy());
      return;
    }
    this.#places.delete(hashOf(token)); // before anything else can show it
    this.#strangers.delete(request.socket);
    socket.once("close", () => place.reject(new Error("the agent hung up")));
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on("pong", () => this.#silent.delete(webSocket));
      const stream = createWebSocketStream(webSocket, { readableHighWaterMark: bufferBytes, writableHighWaterMark: bufferBytes });
      stream.on("error", () => stream.destroy());
      place.resolve(stream);
    });
  }

  /** A connection whose other end is gone says nothing: who has not answered since the last time is cut. */
  #askAll(): void {
    for (const socket of this.#sockets.clients) {
      if (this.#silent.has(socket)) socket.terminate();
      else {
        this.#silent.add(socket);
        socket.ping();
      }
    }
  }
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
