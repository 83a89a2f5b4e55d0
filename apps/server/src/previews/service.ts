import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { AppError } from "@syla/contracts/errors";
import type { SandboxPreview } from "@syla/contracts/sandboxes/ports";
import type { Actor } from "../access/actor.ts";
import { listenError } from "../platform/http.ts";
import type { Logger } from "../platform/logger.ts";
import type { Service } from "../platform/service.ts";
import type { LongLivedSandboxes } from "../sandboxes/long-lived.ts";
import { parsePreviewHost, previewUrl } from "./address.ts";
import { carry, carryUpgrade, type Exchange } from "./exchange.ts";
import { Grants, holdConnection, type Grant } from "./grants.ts";
import { refusalHeaders, refusalPage, refusals, type Refusal } from "./page.ts";

const minuteMs = 60_000;
/** A connection over which nothing goes for so long is closed, milliseconds. */
const idleMs = 30 * minuteMs;
const headersMs = 30_000;
const keepAliveMs = 15_000;
const maxHeaderBytes = 32 * 1024;
/** Of all previews. */
const maxConnections = 2048;

/** What previews are made of. */
export interface PreviewsContext {
  readonly logger: Logger;
  readonly sandboxes: LongLivedSandboxes;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** The origin below which previews have their names, where a proxy stands in front. */
  readonly url: string | undefined;
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly isDraining: () => boolean;
}

/**
 * Shows ports of sandboxes to browsers, each under a host name of its own: another origin than the product's, to which the product's cookies
 * are never sent. Nothing of the product is served here.
 */
export class Previews implements Service {
  readonly name = "previews";
  readonly #context: PreviewsContext;
  readonly #grants = new Grants();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #ended = Promise.withResolvers<void>();

  constructor(context: PreviewsContext) {
    this.#context = context;
    const settings: ServerOptions = {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: headersMs,
      requestTimeout: 0, // an upload may take long
      keepAliveTimeout: keepAliveMs,
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
    };
    const { tls } = context;
    this.#server =
      tls === null ? createServer(settings) : createTlsServer({ ...settings, cert: readFileSync(tls.cert), key: readFileSync(tls.key) });
    this.#server.maxConnections = maxConnections;
    this.#server.timeout = idleMs;
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.#server.on("request", (request, response) => void this.#serve(request, response));
    this.#server.on("upgrade", (request, socket, head) => void this.#serveUpgrade(request, socket, head));
  }

  /** @throws AppError `port_in_use`, `address_unavailable` */
  async listen(): Promise<void> {
    const { host, port, logger } = this.#context;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    this.#server.listen(port, host, resolve);
    try {
      await promise;
    } catch (cause) {
      throw listenError(cause, host, port);
    }
    this.#server.off("error", reject);
    this.#server.on("error", (error) => logger.warn({ err: error }, "the listener of previews"));
    logger.debug({ url: this.base }, "previews");
  }

  /** The origin that previews have their names below. `localhost` and all below it are this machine, for every browser. */
  get base(): string {
    const address = this.#server.address();
    const port = typeof address === "object" && address !== null ? address.port : this.#context.port;
    return this.#context.url ?? `${this.#context.tls === null ? "http" : "https"}://localhost:${port}`;
  }

  /** Makes, or prolongs, the address under which a port can be opened. */
  async open(actor: Actor, sandboxId: string, port: number, lastsMs: number): Promise<SandboxPreview> {
    const grant = await this.#context.sandboxes.openHeld(actor, sandboxId, undefined, (_live, hold) =>
      this.#grants.give(actor, sandboxId, port, lastsMs, hold),
    );
    return { port, url: previewUrl(this.base, grant), expiresAt: new Date(grant.expiresAt).toISOString() };
  }

  /** Ends the previews of a port, and cuts who looks at one. */
  async revoke(actor: Actor, sandboxId: string, port: number): Promise<void> {
    await this.#context.sandboxes.language(actor, sandboxId);
    this.#grants.revoke(sandboxId, port);
  }

  run(): Promise<void> {
    return this.#ended.promise;
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#grants.stop();
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#ended.resolve();
    return Promise.resolve();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refuse = (refusal: Refusal) => {
      if (response.headersSent) return void response.destroy();
      response.writeHead(refusal.status, refusalHeaders).end(request.method === "HEAD" ? undefined : refusalPage(refusal));
    };
    const exchange = await this.#begin(request, request.socket);
    if ("title" in exchange) return refuse(exchange);
    if (response.destroyed) return void exchange.inside.destroy();
    carry(exchange, response, refuse);
  }

  async #serveUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on("error", () => socket.destroy());
    if ("setTimeout" in socket) (socket as Socket).setTimeout(idleMs, () => socket.destroy());
    const refuse = (refusal: Refusal) => {
      const page = refusalPage(refusal);
      const headers = { ...refusalHeaders, "content-length": String(Buffer.byteLength(page)) };
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.end(`HTTP/1.1 ${refusal.status} ${refusal.title}\r\n${lines.join("")}\r\n${page}`);
    };
    const exchange = await this.#begin(request, socket);
    if ("title" in exchange) return refuse(exchange);
    if (socket.destroyed) return void exchange.inside.destroy();
    carryUpgrade(exchange, socket, head, refuse);
  }

  /** Finds the sandbox that a request is for and connects to it. */
  async #begin(request: IncomingMessage, outside: Duplex): Promise<Exchange | Refusal> {
    if (this.#context.isDraining()) return refusals.stopping;
    const name = parsePreviewHost(request.headers.host, this.base);
    if (name === null) return refusals.foreign;
    if (request.url?.startsWith("/") !== true && request.url !== "*") return refusals.invalid;
    const grant = this.#grants.find(name.token, name.port);
    if (grant === undefined) return refusals.unknown;
    if (!holdConnection(grant, outside)) return refusals.busy;
    try {
      const live = await this.#context.sandboxes.live(grant.actor, grant.sandboxId);
      const inside = await live.connect(grant.port);
      const { host = "" } = request.headers;
      const scheme = new URL(this.base).protocol.slice(0, -1);
      return { request, inside, origin: { host, scheme, address: plainAddress(request.socket.remoteAddress) } };
    } catch (error) {
      grant.connections.delete(outside); // it is answered, not cut
      return this.#explain(error, grant);
    }
  }

  #explain(error: unknown, { sandboxId }: Grant): Refusal {
    const code = error instanceof AppError ? error.code : null;
    if (code === "port_unreachable") return refusals.silent;
    if (code === "sandbox_paused") return refusals.paused;
    if (code === "sandbox_ended" || code === "not_found") this.#grants.revoke(sandboxId);
    else this.#context.logger.warn({ err: error, sandboxId }, "a preview failed");
    return refusals.unknown;
  }
}

/** An IPv4 address that came in over an IPv6 socket is told as what it is. */
function plainAddress(address = ""): string {
  const mapped = address.replace(/^::ffff:/, "");
  return isIP(mapped) === 4 ? mapped : address;
}
