import { randomBytes } from "node:crypto";
import type { Readable } from "node:stream";
import type { Route, RouteInput, RouteOutput } from "@syla/contracts/route";
import type { FastifyReply, FastifyRequest } from "fastify";
import { newId } from "./ids.ts";
import type { Logger } from "./logger.ts";

/** What a handler adds to the audit trail's entry of its call. The id of an answer or of the path is taken for the resource by itself. */
export interface Trail {
  actorId?: string;
  resourceType?: string;
  resourceId?: string;
  details?: Readonly<Record<string, unknown>>;
  /** The call has changed nothing after all, so there is nothing to note. */
  nothingChanged?: boolean;
}

/** What a handler knows of the request besides its parsed input. `actor` is null on routes that need no sign-in. */
export interface Call<A> {
  readonly actor: A;
  readonly requestId: string;
  /** W3C trace id, the caller's when it sent one. */
  readonly traceId: string;
  readonly ip: string;
  /** Aborted when the caller has gone away before the answer was complete, or may not be answered any more. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** For the audit trail; of routes that change something. */
  readonly trail: Trail;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** An answer with a status or headers of its own. A `location` header that begins with `/` gets the base path added. */
export class Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string | string[]>>;

  constructor(status: number, body: unknown, headers: Readonly<Record<string, string | string[]>>) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** Answers with this status; a `Readable` or bytes are sent as they are, anything else as JSON. */
export function answer(
  status: number,
  body?: Readable | Uint8Array | string | object,
  headers: Readonly<Record<string, string | string[]>> = {},
): Answer {
  return new Answer(status, body, headers);
}

/** The actor type of a route: routes that need no sign-in do not look for one. */
export type RouteActor<R extends Route, A> = R["auth"] extends "none" ? null : A;

/** Does the work of a route. Returns its first declared answer, or an {@link answer} of its own. */
export type Handler<R extends Route, A> = (
  input: RouteInput<R>,
  call: Call<RouteActor<R, A>>,
) => Promise<RouteOutput<R> | Answer | undefined> | RouteOutput<R> | Answer | undefined;

/** The caller's request id when it is a plain one, else a new one. */
export function requestIdOf(header: unknown): string {
  return typeof header === "string" && /^[\w.:-]{1,64}$/.test(header) ? header : newId("req");
}

/** The trace id of a W3C `traceparent` header, or a new one. */
export function traceIdOf(header: unknown): string {
  return parentOf(header)?.traceId ?? randomBytes(16).toString("hex");
}

/** The span that a W3C `traceparent` header names; null when it names none. */
export function parentOf(header: unknown): { readonly traceId: string; readonly parentId: string } | null {
  const match =
    typeof header === "string" ? /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}$/.exec(header) : null;
  return match?.[1] === undefined || match[2] === undefined ? null : { traceId: match[1], parentId: match[2] };
}

/** Whether a caller may still be answered, while an answer takes its time. */
export interface HeldCaller {
  /** Aborts when they may not, or have gone. */
  readonly signal: AbortSignal;
  /** The answer is complete. */
  release(): void;
}

/** Begins to hold a caller; `gone` aborts when they have. */
export type HoldCaller<A> = (actor: A, gone: AbortSignal) => HeldCaller;

/** The call of a request. Its abort signal costs a listener, so it is made when somebody asks for it. */
export function createCall<A>(request: FastifyRequest, reply: FastifyReply, actor: A, hold?: HoldCaller<A & {}>): Call<A> {
  let held: HeldCaller | undefined;
  return {
    actor,
    requestId: request.id,
    get traceId() {
      return traceIdOf(request.headers.traceparent);
    },
    ip: request.ip,
    log: request.log as Logger,
    request,
    reply,
    get trail() {
      return (request.trail ??= {});
    },
    get signal() {
      if (held === undefined) {
        const gone = new AbortController();
        const created = (held = holdCaller(actor, gone.signal, hold));
        if (reply.raw.destroyed) gone.abort();
        else reply.raw.once("close", () => (reply.raw.writableFinished ? created.release() : gone.abort()));
      }
      return held.signal;
    },
  };
}

function holdCaller<A>(actor: A, gone: AbortSignal, hold: HoldCaller<A & {}> | undefined): HeldCaller {
  if (hold === undefined || actor === null || actor === undefined) return { signal: gone, release: () => {} };
  return hold(actor, gone);
}
