import type { Route } from "@syla/contracts/route";
import type { FastifyReply, FastifyRequest } from "fastify";
import { requireRate, type RateLimit, type RateState } from "../platform/rate-limit.ts";
import type { Actor } from "./actor.ts";

/** Requests a minute, as it is now; 0 for any number. */
export interface RequestRates {
  readonly anonymous: () => number;
  readonly signedIn: () => number;
}

const windowMs = 60_000;

/** Counts each request: by its key (with the limit of that key, if it has one) or session, or by its address where nobody has signed in. What asks for health is not counted. */
export function createRequestLimit(counter: RateLimit, { anonymous, signedIn }: RequestRates) {
  return (route: Route, request: FastifyRequest, reply: FastifyReply, caller: Actor | null): void | Promise<void> => {
    const actor = caller?.via === "link" ? null : caller;
    const limit = actor === null ? anonymous() : (actor.requestsPerMinute ?? signedIn());
    if (limit === 0 || actor?.via === "local" || !route.path.startsWith("/api/")) return;
    const key = actor === null ? `address ${request.ip}` : `actor ${actor.keyId ?? actor.tokenId ?? actor.sessionId ?? actor.userId}`;
    const state: RateState | Promise<RateState> = counter.take(key, { limit, windowMs });
    if (state instanceof Promise) return state.then((counted) => requireRate(counted, reply));
    requireRate(state, reply);
  };
}
