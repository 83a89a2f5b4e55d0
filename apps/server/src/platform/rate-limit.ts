import { AppError } from "@syla/contracts/errors";
import type { FastifyReply } from "fastify";
import type { Redis } from "./redis.ts";

/** How many of something there may be in each window of time. */
export interface Rate {
  readonly limit: number;
  readonly windowMs: number;
}

/** What became of one try. */
export interface RateState {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Until the window ends and counting begins anew. */
  readonly resetMs: number;
  readonly windowMs: number;
}

/** Counts tries by key, in windows that begin with a key's first try. */
export interface RateLimit {
  take(key: string, rate: Rate): RateState | Promise<RateState>;
}

/** One that counts in this process alone, and so knows at once. */
export interface LocalRateLimit extends RateLimit {
  take(key: string, rate: Rate): RateState;
}

const mostKeys = 100_000;

interface Window {
  count: number;
  endsAt: number;
}

/** Counts in the memory of this process. When too many keys are known at once, the ones that came first are forgotten. */
export function createRateLimit(now: () => number = () => performance.now()): LocalRateLimit {
  const windows = new Map<string, Window>();
  return {
    take(key, { limit, windowMs }) {
      const time = now();
      let window = windows.get(key);
      if (window === undefined || window.endsAt <= time) {
        // Set anew rather than changed, so that the map stays in the order of their beginnings.
        windows.delete(key);
        window = { count: 0, endsAt: time + windowMs };
        windows.set(key, window);
        dropOldest(windows, time);
      }
      const allowed = window.count < limit;
      if (allowed) window.count += 1;
      return { allowed, limit, remaining: Math.max(limit - window.count, 0), resetMs: window.endsAt - time, windowMs };
    },
  };
}

/** Counts in Redis, for all servers together; in the memory of each while there is none, or it cannot be reached. */
export function createSharedRateLimit(redis: Pick<Redis, "state" | "count">): RateLimit {
  const own = createRateLimit();
  return {
    take: (key, rate) => (redis.state === "connected" ? takeFrom(redis, own, key, rate) : own.take(key, rate)),
  };
}

async function takeFrom(redis: Pick<Redis, "count">, own: RateLimit, key: string, rate: Rate): Promise<RateState> {
  const counted = await redis.count(`syla:rate:${key}`, rate.windowMs);
  if (counted === null) return await own.take(key, rate);
  const { limit, windowMs } = rate;
  return { allowed: counted.count <= limit, limit, remaining: Math.max(limit - counted.count, 0), resetMs: counted.resetMs, windowMs };
}

/** Forgets a few that are over with each that comes, and more when there are too many. */
function dropOldest(windows: Map<string, Window>, time: number): void {
  let looked = 0;
  for (const [key, { endsAt }] of windows) {
    if (windows.size <= mostKeys && (endsAt > time || looked >= 4)) return;
    windows.delete(key);
    looked += 1;
  }
}

/** The headers that tell a caller how much is left (draft-ietf-httpapi-ratelimit-headers-07), and when to come back. */
function rateHeaders({ limit, remaining, resetMs, windowMs }: RateState): Record<string, string> {
  return {
    "ratelimit-limit": String(limit),
    "ratelimit-remaining": String(remaining),
    "ratelimit-reset": String(Math.ceil(resetMs / 1000)),
    "ratelimit-policy": `${limit};w=${Math.round(windowMs / 1000)}`,
  };
}

/** Tells the caller how much is left. `limit`: what a refusal says the limit is. @throws AppError `rate_limited` when nothing is */
export function requireRate(state: RateState, reply: FastifyReply, limit?: string): void {
  reply.headers(rateHeaders(state));
  requireAllowed(state, limit ?? `More than ${state.limit} requests in ${Math.round(state.windowMs / 1000)} seconds.`);
}

/** @throws AppError `rate_limited` when nothing is left */
export function requireAllowed(state: RateState, message: string): void {
  if (!state.allowed) throw new AppError("rate_limited", { message, retryAfter: Math.max(state.resetMs / 1000, 1) });
}
