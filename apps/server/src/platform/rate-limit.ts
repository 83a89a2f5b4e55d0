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
  /** Takes `amount` (one when left out) of what there is in a window: all of it, or nothing. */
  take(key: string, rate: Rate, amount?: number): RateState | Promise<RateState>;
}

/** One that is told afterwards how much it was. */
export interface CorrectedRateLimit extends RateLimit {
  /** Counts more, whatever the limit, or, less than nothing, gives back. */
  correct(key: string, rate: Rate, amount: number): void | Promise<void>;
}

/** One that counts in this process alone, and so knows at once. */
export interface LocalRateLimit extends CorrectedRateLimit {
  take(key: string, rate: Rate, amount?: number): RateState;
  correct(key: string, rate: Rate, amount: number): void;
}

const mostKeys = 100_000;

interface Window {
  count: number;
  endsAt: number;
}

/** Counts in the memory of this process. When too many keys are known at once, the ones that came first are forgotten. */
export function createRateLimit(now: () => number = () => performance.now()): LocalRateLimit {
  const windows = new Map<string, Window>();
  const windowOf = (key: string, windowMs: number, time: number): Window => {
    const known = windows.get(key);
    if (known !== undefined && known.endsAt > time) return known;
    // Set anew rather than changed, so that the map stays in the order of their beginnings.
    windows.delete(key);
    const window = { count: 0, endsAt: time + windowMs };
    windows.set(key, window);
    dropOldest(windows, time);
    return window;
  };
  return {
    take(key, { limit, windowMs }, amount = 1) {
      const time = now();
      const window = windowOf(key, windowMs, time);
      const allowed = window.count + amount <= limit;
      if (allowed) window.count += amount;
      return { allowed, limit, remaining: Math.max(limit - window.count, 0), resetMs: window.endsAt - time, windowMs };
    },
    correct(key, { windowMs }, amount) {
      const window = windowOf(key, windowMs, now());
      window.count = Math.max(0, window.count + amount);
    },
  };
}

/** Counts in Redis, for all servers together; in the memory of each while there is none, or it cannot be reached. */
export function createSharedRateLimit(redis: Pick<Redis, "state" | "count">): CorrectedRateLimit {
  const own = createRateLimit();
  return {
    take: (key, rate, amount = 1) => (redis.state === "connected" ? takeFrom(redis, own, key, rate, amount) : own.take(key, rate, amount)),
    async correct(key, rate, amount) {
      const counted = redis.state === "connected" ? await redis.count(`syla:rate:${key}`, rate.windowMs, amount) : null;
      if (counted === null) own.correct(key, rate, amount);
    },
  };
}

async function takeFrom(redis: Pick<Redis, "count">, own: RateLimit, key: string, rate: Rate, amount: number): Promise<RateState> {
  const counted = await redis.count(`syla:rate:${key}`, rate.windowMs, amount);
  if (counted === null) return await own.take(key, rate, amount);
  const { limit, windowMs } = rate;
  // One that was refused has been counted, which changes nothing; many would be in the way of few.
  if (counted.count > limit && amount > 1) await redis.count(`syla:rate:${key}`, windowMs, -amount);
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
