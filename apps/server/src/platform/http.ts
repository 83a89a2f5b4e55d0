import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { AppError } from "@syla/contracts/errors";
import { onceHeader, type Route, type RouteInput } from "@syla/contracts/route";
import websocket, { type WebSocket } from "@fastify/websocket";
import fastify, {
  LogController,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  type RouteOptions,
} from "fastify";
import { z } from "zod";
import {
  Answer,
  createCall,
  requestIdOf,
  traceIdOf,
  type Call,
  type Handler,
  type HoldCaller,
  type RouteActor,
  type Trail,
} from "./http-call.ts";
import { acceptBytes, acceptJson, inputParser, parseQuery } from "./http-input.ts";
import { fieldProblems, toAppError, toProblem } from "./http-problem.ts";
import { refuseCrossOrigin, setSecurityHeaders } from "./http-security.ts";
import type { Logger } from "./logger.ts";
import { closeWhenEnded } from "./socket.ts";

/** What the server needs to know. */
export interface HttpOptions<A> {
  readonly logger: Logger;
  readonly basePath: string;
  /** Scheme, host and port that people's browsers show; undefined while the port is not known. */
  readonly publicUrl: string | undefined;
  /** Whose `X-Forwarded-*` headers count: nobody's, those of so many proxies in a row, or of these addresses. */
  readonly trustProxy: false | number | string[];
  readonly bodyLimit: number;
  readonly tls?: { readonly cert: string; readonly key: string };
  /**
   * Who is asking: the actor, or null when the request carries no credentials.
   * @throws AppError `invalid_api_key` for credentials that are wrong
   */
  readonly authenticate: (request: FastifyRequest, reply: FastifyReply) => Promise<A | null>;
  /** Whether the actor may use the route at all. @throws AppError `forbidden` */
  readonly authorize?: (actor: A, route: Route) => void;
  /** Ends what takes its time (`call.signal`, sockets) when whoever asked for it may not any more. */
  readonly hold?: HoldCaller<A>;
  /** Counts the request, for its actor or, on routes that need no sign-in, its address. @throws AppError `rate_limited` */
  readonly rateLimit?: (route: Route, request: FastifyRequest, reply: FastifyReply, actor: A | null) => void | Promise<void>;
  /** Told of every answer of a route that changes something, refusals included. The answer waits for what it returns. */
  readonly audit?: (change: Change<A>) => void | Promise<void>;
  /** Does a request with an idempotency key once. */
  readonly once?: (request: OnceRequest<A>, work: () => Promise<Answer>) => Promise<Answer>;
  /** While true, changes are refused with `shutting_down`. */
  readonly isDraining: () => boolean;
  /** Parses each JSON answer with the contract, so that a test fails where the two differ. */
  readonly checkAnswers?: boolean;
}

/** A request that creates something, with the key that its client gave it. */
export interface OnceRequest<A> {
  readonly route: Route;
  readonly request: FastifyRequest;
  readonly actor: A;
  readonly key: string;
}

/** What a route that changes something was asked and has answered. `error` is null when it did what it was asked. */
export interface Change<A> {
  readonly route: Route;
  readonly request: FastifyRequest;
  readonly actor: A | null;
  readonly params: Readonly<Record<string, unknown>>;
  readonly trail: Trail;
  readonly answer: unknown;
  readonly error: AppError | null;
}

/** The HTTP border: parses what comes in, authenticates, maps errors, and knows nothing of any domain. */
export interface HttpServer<A> {
  readonly fastify: FastifyInstance;
  /** Serves a route of the contracts. Bind everything before `listen`. */
  bind<R extends Route>(route: R, handler: Handler<R, A>): void;
  /** Serves a route that becomes a WebSocket. The handler checks everything first; what it returns gets the open socket. */
  bindSocket<R extends Route>(route: R, handler: SocketHandler<R, A>): void;
  /** @returns the port. @throws AppError `port_in_use`, `address_unavailable` */
  listen(host: string, port: number): Promise<number>;
  /** Takes no new connections; what is open may finish. */
  stopAccepting(): void;
  close(): Promise<void>;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Set on routes after authentication. */
    actor: unknown;
    /** What a route that changes something lets be known of it. */
    trail: Trail | null;
    /** Set on a request that becomes a WebSocket, when it may. */
    onOpen: OnSocket | null;
  }
}

/** Gets an open WebSocket. */
type OnSocket = (socket: WebSocket) => Promise<void>;

/** Decides whether a request may become a WebSocket. */
type SocketHandler<R extends Route, A> = (input: RouteInput<R>, call: Call<RouteActor<R, A>>) => Promise<OnSocket>;

const maxSocketMessage = 1024 * 1024;

/** What is being answered when the server ends has so long to come to its end, milliseconds. */
const closeMs = 500;

/** A server that ends waits for no client's farewell. */
function cutSockets(this: FastifyInstance, done: () => void): void {
  for (const socket of this.websocketServer.clients) socket.terminate();
  done();
}

/** Creates the server; it listens when told to. */
export function createHttp<A>(options: HttpOptions<A>): HttpServer<A> {
  const app = createFastify(options);
  const cutConnections = followConnections(app.server);
  const socketRoutes: RouteOptions[] = [];
  const https = options.tls !== undefined || options.publicUrl?.startsWith("https:") === true;
  const publicOrigin = options.publicUrl === undefined ? undefined : new URL(options.publicUrl).origin;
  app.decorateRequest("actor", null);
  app.decorateRequest("onOpen", null);
  app.decorateRequest("trail", null);
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
    letGoOfRefused(request, reply);
    setSecurityHeaders(reply, https);
    refuseCrossOrigin(request, publicOrigin);
    if (options.isDraining() && request.method !== "GET" && request.method !== "HEAD")
      throw new AppError("shutting_down", { retryAfter: 5 });
  });
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, options));
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      new AppError("not_found", { message: `There is no ${request.method} ${request.url.split("?", 1)[0]}.` }),
      request,
      reply,
      options,
    ),
  );
  acceptJson(app);
  if (options.logger.isLevelEnabled("debug")) app.addHook("onResponse", logRequest);

  return {
    fastify: app,
    bind(route, handler) {
      const definition = routeDefinition(route, handler, options);
      if (route.body !== "bytes") return void app.route(definition);
      void app.register(async (scope) => {
        acceptBytes(scope);
        scope.route(definition);
      });
    },
    bindSocket(route, handler) {
      const parse = inputParser(route);
      const bound = socketRoutes.push({
        method: "GET",
        url: route.path,
        onRequest: async (request, reply) => {
          request.actor = await authenticate(route, request, reply, options);
          if (!request.ws) return;
          const call = createCall(request, reply, request.actor as A, options.hold) as Call<never>;
          const open = await reportChange(route, request, options, async () => await handler(parse(request), call));
          request.onOpen = async (socket) => {
            closeWhenEnded(socket, call.signal);
            await open(socket);
          };
        },
        handler: () => {
          throw new AppError("invalid_request", { message: "This address is for WebSockets.", hint: "Send `upgrade: websocket`." });
        },
        wsHandler: async (socket, request) => await request.onOpen?.(socket),
      });
      if (bound > 1) return;
      // Once for all of them: each registration would answer every upgrade.
      void app.register(async (scope) => {
        await scope.register(websocket, { options: { maxPayload: maxSocketMessage }, preClose: cutSockets });
        for (const definition of socketRoutes) scope.route(definition);
      });
    },
    async listen(host, port) {
      try {
        await app.listen({ host, port });
      } catch (cause) {
        throw listenError(cause, host, port);
      }
      const address = app.server.address();
      return typeof address === "object" && address !== null ? address.port : port;
    },
    stopAccepting: () => void app.server.close(),
    async close() {
      app.server.closeIdleConnections();
      setTimeout(cutConnections, closeMs).unref();
      await app.close();
    },
  };
}

/**
 * Knows every connection: Node forgets those that asked to become sockets, also those that never did, because they asked too late or their caller is
 * not told yet whether they may, and ends for none of them. @returns cuts all that there are, and those that are still to come
 */
function followConnections(server: Server): () => void {
  const open = new Set<Socket>();
  let isCut = false;
  server.on("connection", (socket) => {
    if (isCut) return void socket.destroy();
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  return () => {
    isCut = true;
    for (const socket of open) socket.destroy();
  };
}

/** The connection of a request that wanted to become a socket and was refused belongs to nobody. */
function letGoOfRefused(request: FastifyRequest, reply: FastifyReply): void {
  if (request.headers.upgrade !== undefined) reply.raw.once("finish", () => request.raw.socket.destroySoon());
}

function createFastify<A>(options: HttpOptions<A>): FastifyInstance {
  const { basePath, trustProxy: proxies } = options;
  const settings: FastifyServerOptions = {
    loggerInstance: options.logger,
    // What is logged of a request names it; a logger for each would be made for nearly none.
    childLoggerFactory: (logger) => logger,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: typeof proxies === "number" ? (_address, hop) => hop < proxies : proxies,
    bodyLimit: options.bodyLimit,
    genReqId: (request) => requestIdOf(request.headers["x-request-id"]),
    // A proxy may strip the base path or leave it: both work.
    rewriteUrl: (request) => stripBasePath(request.url ?? "/", basePath),
    // An address that cannot be decoded never reaches the hooks.
    frameworkErrors: (error, request, reply) => {
      letGoOfRefused(request, reply);
      sendProblem(error, request, reply.header("x-request-id", request.id), options);
    },
    routerOptions: { maxParamLength: 512, querystringParser: parseQuery },
    requestTimeout: 900_000,
  };
  if (options.tls === undefined) return fastify(settings);
  const https = { cert: readFileSync(options.tls.cert), key: readFileSync(options.tls.key) };
  return fastify({ ...settings, https } as FastifyServerOptions);
}

async function logRequest(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { method, originalUrl } = request;
  // The query may carry a set-up token.
  const path = originalUrl.split("?", 1)[0];
  request.log.debug(
    {
      method,
      path,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      requestId: request.id,
      traceId: traceIdOf(request.headers.traceparent),
    },
    "request",
  );
}

function stripBasePath(url: string, basePath: string): string {
  if (basePath === "" || !url.startsWith(basePath)) return url;
  const rest = url.slice(basePath.length);
  if (rest === "" || rest.startsWith("?")) return `/${rest}`;
  return rest.startsWith("/") ? rest : url;
}

function routeDefinition<R extends Route, A>(route: R, handler: Handler<R, A>, options: HttpOptions<A>) {
  const status = Number(Object.keys(route.responses)[0]);
  const parse = inputParser(route);
  const declared: Route = route;
  return {
    method: route.method,
    url: route.path,
    onRequest: async (request: FastifyRequest, reply: FastifyReply) => {
      request.actor = await authenticate(route, request, reply, options);
    },
    handler: async (request: FastifyRequest, reply: FastifyReply) => {
      const call = createCall(request, reply, request.actor as A, options.hold) as Call<never>;
      const work = async () => {
        const result = await reportChange(route, request, options, async () => await handler(parse(request), call));
        return result instanceof Answer ? result : new Answer(status, result, {});
      };
      const { once } = options;
      const key = declared.once === undefined ? undefined : onceKeyOf(request);
      const given =
        key === undefined || once === undefined ? await work() : await once({ route, request, actor: request.actor as A, key }, work);
      if (reply.sent) return reply;
      if (options.checkAnswers === true) checkAnswer(route, given);
      return sendAnswer(reply, given, options.basePath);
    },
  };
}

/** The key of a request that is to be done once. @throws AppError `invalid_request` */
export function onceKeyOf(request: FastifyRequest): string | undefined {
  const read = onceHeader.safeParse(request.headers);
  if (!read.success) throw new AppError("invalid_request", { fields: fieldProblems("headers", read.error.issues) });
  return read.data["idempotency-key"];
}

/** Tells the audit trail how it went, when the route changes something. */
async function reportChange<T, A>(route: Route, request: FastifyRequest, options: HttpOptions<A>, work: () => Promise<T>): Promise<T> {
  if (route.audit === undefined || options.audit === undefined) return await work();
  const params = (request.params ?? {}) as Record<string, unknown>;
  const report = (answer: unknown, error: AppError | null) =>
    options.audit?.({ route, request, actor: request.actor as A | null, params, trail: request.trail ?? {}, answer, error });
  try {
    const result = await work();
    if (request.trail?.nothingChanged !== true) await report(result instanceof Answer ? result.body : result, null);
    return result;
  } catch (thrown) {
    await report(undefined, toAppError(thrown));
    throw thrown;
  }
}

/** What asks a client for its key. */
const basicChallenge = 'Basic realm="Syla", charset="UTF-8"';

async function authenticate<A>(route: Route, request: FastifyRequest, reply: FastifyReply, options: HttpOptions<A>): Promise<A | null> {
  try {
    return await findCaller(route, request, reply, options);
  } catch (error) {
    if (route.basic === true && toAppError(error).status === 401) reply.header("www-authenticate", basicChallenge);
    throw error;
  }
}

async function findCaller<A>(route: Route, request: FastifyRequest, reply: FastifyReply, options: HttpOptions<A>): Promise<A | null> {
  if (route.auth === "none") {
    await options.rateLimit?.(route, request, reply, null);
    return null;
  }
  const actor = await options.authenticate(request, reply).catch(async (error: unknown) => {
    await options.rateLimit?.(route, request, reply, null);
    throw error;
  });
  if (actor === null) {
    await options.rateLimit?.(route, request, reply, null);
    throw new AppError("unauthenticated");
  }
  await options.rateLimit?.(route, request, reply, actor);
  try {
    options.authorize?.(actor, route);
  } catch (refusal) {
    request.actor = actor;
    await reportChange(route, request, options, () => Promise.reject(refusal));
    throw refusal;
  }
  return actor;
}

function checkAnswer(route: Route, given: Answer): void {
  // Errors in the languages of others are no part of ours.
  if (route.tag === "gateway" && given.status >= 400) return;
  const schema = route.responses[given.status];
  if (schema === undefined) throw new Error(`${route.method} ${route.path} does not declare the status ${given.status}`);
  if (typeof schema !== "string") z.parse(schema, JSON.parse(JSON.stringify(given.body)));
}

function sendAnswer(reply: FastifyReply, given: Answer, basePath: string): FastifyReply {
  reply.code(given.status);
  for (const [name, value] of Object.entries(given.headers)) {
    reply.header(name, name === "location" && typeof value === "string" && value.startsWith("/") ? basePath + value : value);
  }
  const { body } = given;
  if (typeof body !== "object" || body === null || !Object.isFrozen(body)) return reply.send(body);
  return reply.type("application/json; charset=utf-8").send(textOf(body));
}

/** What is frozen is answered again and again: it is put into words once. */
const texts = new WeakMap<object, string>();

function textOf(body: object): string {
  let text = texts.get(body);
  if (text === undefined) texts.set(body, (text = JSON.stringify(body)));
  return text;
}

function sendProblem<A>(thrown: unknown, request: FastifyRequest, reply: FastifyReply, options: HttpOptions<A>): FastifyReply {
  const error = toAppError(thrown);
  if (error.code === "internal") request.log.error({ err: thrown, requestId: request.id }, "request failed");
  else if (error.status >= 500)
    request.log.warn({ code: error.code, requestId: request.id, reason: (error.cause as Error | undefined)?.message }, "request failed");
  if (error.retryAfter !== undefined) reply.header("retry-after", String(Math.ceil(error.retryAfter)));
  return reply
    .code(error.status)
    .type("application/problem+json; charset=utf-8")
    .send(JSON.stringify(toProblem(error, request.id, options.basePath)));
}

/** What is wrong with an address, in our words. */
export function listenError(cause: unknown, host: string, port: number): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === "EADDRINUSE")
    return new AppError("port_in_use", { message: `The port ${port} on ${host} is in use.`, cause, details: { host, port } });
  if (code === "EADDRNOTAVAIL" || code === "EACCES" || code === "ENOTFOUND") {
    return new AppError("address_unavailable", { message: `The server cannot listen on ${host}:${port} (${code}).`, cause });
  }
  return cause;
}
