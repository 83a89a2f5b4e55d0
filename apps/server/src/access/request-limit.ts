import type { Route } from "@syla/contracts/route";
import type { FastifyReply, FastifyRequest } from "fastify";
import { requireRate, type RateLimit, type RateState } from "../platform/rate-limit.ts";
import type { Actor } from "./actor.ts";

/** Requests a minute; 0 for any number. */
export interface RequestRates {
  readonly rateLimitAnonymous: number;
  readonly rateLimit: number;
}

const windowMs = 60_000;

/** Counts each request: by its key (with the limit of that key, if it has one) or session, or by its address where nobody has to sign in. What asks for health is not counted. */
export function createRequestLimit(counter: RateLimit, { rateLimitAnonymous, rateLimit }: RequestRates) {
  return (route: Route, request: FastifyRequest, reply: FastifyReply, actor: Actor | null): void | Promise<void> => {
    const limit = actor === null ? rateLimitAnonymous : (actor.requestsPerMinute ?? rateLimit);
    if (limit === 0 || actor?.via === "local" || !route.path.startsWith("/api/")) return;
    const key = actor === null ? `address ${request.ip}` : `actor ${actor.keyId ?? actor.tokenId ?? actor.sessionId ?? actor.userId}`;
    const state: RateState | Promise<RateState> = counter.take(key, { limit, windowMs });
    if (state instanceof Promise) return state.then((counted) => requireRate(counted, reply));
    requireRate(state, reply);
  };
}
