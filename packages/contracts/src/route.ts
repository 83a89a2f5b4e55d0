import { z } from "zod";
import type { ErrorCode } from "./errors.ts";

/** Who may call a route: anyone, a signed-in person or key, or administrators. Finer rules are the domain's policy. */
export type RouteAuth = "none" | "user" | "admin";

/** How a body or an answer travels when it is not JSON. */
export type RawBody = "bytes" | "event-stream" | "websocket" | "none";

/** One HTTP operation: the server binds it; OpenAPI, the SDK and the tests are derived from it. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Fastify-style path, e.g. `/api/v1/runs/:id`. */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  /** What an API key needs, where that is not reading or writing what the tag names. */
  readonly scope?: string;
  readonly auth: RouteAuth;
  /** Also for somebody who has only a share link: to a thing of this type, or to `any`. They see what the link's thing is, and change nothing. */
  readonly link?: string;
  /** Its clients may send their key as a password (`Authorization: Basic`), and are asked for one. */
  readonly basic?: true;
  /** What the audit trail calls it, e.g. `run.cancel`. Every route that changes something has one. */
  readonly audit?: string;
  /**
   * It creates something, once for each `Idempotency-Key`: sent again, it is answered as the first time, or, where the answer holds a secret that
   * is shown once, refused.
   */
  readonly once?: "answer" | "shown";
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** Request headers with meaning (`idempotency-key`, `last-event-id`), lower case. */
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType | "bytes";
  /** Answers by status: a schema, or how the raw body travels. */
  readonly responses: Readonly<Record<number, z.ZodType | RawBody>>;
  readonly errors: readonly ErrorCode[];
}

/** What an API key needs for a route: `<tag>:read` or `<tag>:write`. Null where no key is asked for. */
export function scopeOf({ auth, method, tag, scope }: Pick<Route, "auth" | "method" | "tag" | "scope">): string | null {
  if (scope !== undefined) return scope;
  return auth === "none" ? null : `${tag}:${method === "GET" ? "read" : "write"}`;
}

/** Declares a route and keeps its exact type. */
export function route<const R extends Route>(definition: R): R {
  return definition;
}

type Schema<T> = T extends z.ZodType ? z.output<T> : never;
type SchemaInput<T> = T extends z.ZodType ? z.input<T> : never;
type Part<R extends Route, K extends "params" | "query" | "headers"> = R extends Record<K, infer S> ? Schema<S> : Record<never, never>;

/** What a handler receives after parsing. */
export interface RouteInput<R extends Route> {
  readonly params: Part<R, "params">;
  readonly query: Part<R, "query">;
  readonly headers: Part<R, "headers">;
  readonly body: R extends { body: infer B } ? (B extends "bytes" ? unknown : Schema<B>) : undefined;
}

/** What a caller sends: defaults may be left out. */
export type RouteBody<R extends Route> = R extends { body: infer B } ? SchemaInput<B> : never;
export type RouteQuery<R extends Route> = R extends { query: infer Q } ? SchemaInput<Q> : never;

/** The JSON answer of a route (the union over its statuses). */
export type RouteOutput<R extends Route> = Schema<R["responses"][keyof R["responses"]]>;

/** The header of routes that create something once. */
export const onceHeader = z.object({
  "idempotency-key": z.string().min(1).max(255).optional().describe("the same key with the same request creates nothing twice, for a day"),
});

/** What such a route may say of the key besides its own errors. */
export const onceErrors = ["idempotency_conflict", "idempotency_in_progress", "idempotency_answer_gone"] as const;
