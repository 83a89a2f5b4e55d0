import { createServer, STATUS_CODES, type IncomingMessage, type Server } from "node:http";
import type { Socket } from "node:net";
import { peekChunk, withDeadline } from "../read-bytes.ts";
import type { AddressRules } from "./addresses.ts";
import { ConnectionLog, type NetworkUsage } from "./connection-log.ts";
import { connectionsPerRun } from "./environment.ts";
import { type Explanation, explain, forwardRequest, notForProxy } from "./http-requests.ts";
import type { HostNames } from "./hosts.ts";
import { type EgressTimes, type Outbound, type OutboundContext, RefusedError } from "./outbound.ts";
import { compilePolicy, type NetworkPolicy } from "./policy.ts";
import { Inbound } from "./inbound.ts";
import { createResolve, type Resolve } from "./resolve.ts";
import { readSocksRequest, replySocks, SocksReply, socksVersion } from "./socks.ts";
import { parseAuthority } from "./target.ts";
import { openTunnel } from "./tunnel.ts";

const ordinaryTimes: EgressTimes = { connectMs: 10_000, helloMs: 10_000, idleMs: 600_000 };
const maxHeaderBytes = 32 * 1024;

export interface EgressOptions {
  readonly rules: AddressRules;
  readonly resolve?: Resolve;
  readonly times?: Partial<EgressTimes>;
}

/** The way out of one run. */
export interface EgressSession {
  /** Takes a connection that the program made to its proxy. */
  accept(socket: Socket): void;
  usage(): NetworkUsage;
  /** Cuts whatever is open; nothing is accepted any more. */
  close(): void;
}

/**
 * The egress proxy of a tier: takes what programs send to their proxy, in HTTP or SOCKS5, decides by the run's policy and by the
 * address, and carries the bytes. One HTTP server that never listens parses the requests of all runs.
 */
export class EgressProxy {
  readonly #options: EgressOptions;
  readonly #http: Server;
  readonly #contexts = new WeakMap<Socket, OutboundContext>();

  constructor(options: EgressOptions) {
    this.#options = options;
    this.#http = createServer({ maxHeaderSize: maxHeaderBytes, keepAliveTimeout: 60_000 });
    this.#http.timeout = { ...ordinaryTimes, ...options.times }.idleMs;
    this.#http.on("request", (request, response) => {
      const context = this.#contexts.get(request.socket);
      if (context === undefined) return void response.destroy();
      forwardRequest(context, request, response).catch(() => response.destroy());
    });
    this.#http.on("connect", (request: IncomingMessage, socket: Socket, head: Buffer) => {
      if (head.length > 0) socket.unshift(head);
      const context = this.#contexts.get(socket);
      if (context === undefined) return void socket.destroy();
      connectTunnel(context, request.url ?? "", socket).catch(() => socket.destroy());
    });
    this.#http.on("clientError", (_error: Error, socket: Socket) => refuseHttp(socket, notForProxy));
  }

  /**
   * `gateway` gets what is asked of the proxy itself rather than through it, and with the policy `gateway` everything; null: nobody answers that.
   * `hosts` answer for their names.
   */
  openSession(policy: NetworkPolicy, gateway: ((socket: Socket) => void) | null = null, hosts: HostNames = {}): EgressSession {
    const log = new ConnectionLog();
    const open = new Set<Outbound>();
    const inbound = new Set<Inbound>();
    const enter =
      gateway === null
        ? null
        : (socket: Socket) => {
            inbound.add(new Inbound(socket, log, inbound));
            gateway(socket);
          };
    const clients = new Set<Socket>();
    const times = { ...ordinaryTimes, ...this.#options.times };
    const context: OutboundContext = {
      policy: compilePolicy(policy),
      rules: this.#options.rules,
      resolve: this.#options.resolve ?? createResolve(),
      log,
      times,
      open,
      hosts,
    };
    let closed = false;
    return {
      accept: (socket) => {
        if (closed || clients.size >= connectionsPerRun) return void socket.destroy();
        clients.add(socket);
        socket.on("error", () => socket.destroy());
        socket.once("close", () => clients.delete(socket));
        if (policy === "gateway") return enter === null ? void socket.destroy() : enter(socket);
        this.#contexts.set(socket, context);
        this.#dispatch(context, socket, enter).catch(() => socket.destroy());
      },
      usage: () => log.usage([...open, ...inbound].map(({ carried }) => carried)),
      close: () => {
        closed = true;
        for (const connection of [...open, ...inbound]) connection.end("cut", "the run ended");
        for (const socket of clients) socket.destroy();
      },
    };
  }

  /** By the first bytes: SOCKS5, or HTTP; of that, what names no host is for the gateway. */
  async #dispatch(context: OutboundContext, socket: Socket, gateway: ((socket: Socket) => void) | null): Promise<void> {
    const first = await withDeadline(socket, context.times.idleMs, peekChunk(socket));
    if (first === null) return void socket.destroy();
    if (first[0] === socksVersion) return await connectSocks(context, socket);
    if (gateway !== null && /^[A-Z]{3,7} \//.test(first.toString("latin1", 0, 12))) return gateway(socket);
    this.#http.emit("connection", socket);
  }
}

async function connectTunnel(context: OutboundContext, url: string, socket: Socket): Promise<void> {
  const target = parseAuthority(url, null);
  if (target === null) return refuseHttp(socket, { status: 400, text: "CONNECT takes host:port, with a plain name or address.\n" });
  try {
    await openTunnel(context, socket, target, () => socket.write("HTTP/1.1 200 Connection established\r\n\r\n"));
  } catch (error) {
    refuseHttp(socket, explain(error, target.host));
  }
}

async function connectSocks(context: OutboundContext, socket: Socket): Promise<void> {
  const target = await withDeadline(socket, context.times.helloMs, readSocksRequest(socket));
  if (target === null) return;
  try {
    await openTunnel(context, socket, target, () => replySocks(socket, SocksReply.succeeded));
  } catch (error) {
    replySocks(socket, error instanceof RefusedError ? SocksReply.refused : SocksReply.unreachable);
    socket.end();
  }
}

function refuseHttp(socket: Socket, { status, text }: Explanation): void {
  if (!socket.writable) return void socket.destroy();
  const facts = `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n`;
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${facts}\r\n${text}`);
  socket.resume();
}
