import { AppError } from "@syla/contracts/errors";
import type { FastifyReply } from "fastify";

/** How a counter stands after a request was counted, or refused. */
export interface RateState {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the window ends. */
  readonly resetSeconds: number;
}

/** Counts by key in fixed windows. */
export interface RateLimit {
  /** Counts one more, unless there were `limit` in this window already. */
  take(key: string, limit: number): RateState;
}

interface Window {
  used: number;
  readonly until: number;
}

/** Counters in memory: a restart forgets, and each server of several counts for itself. The oldest of too many are forgotten. */
export function createRateLimit(windowMs: number, now: () => number = Date.now, maxKeys = 50_000): RateLimit {
  const windows = new Map<string, Window>();
  const open = (key: string): Window => {
    const known = windows.get(key);
    if (known !== undefined && known.until > now()) return known;
    windows.delete(key);
    const oldest = windows.keys().next();
    if (windows.size >= maxKeys && oldest.done === false) windows.delete(oldest.value);
    const window = { used: 0, until: now() + windowMs };
    windows.set(key, window);
    return window;
  };
  return {
    take(key, limit) {
      const window = open(key);
      const allowed = window.used < limit;
      if (allowed) window.used += 1;
      return { allowed, limit, remaining: Math.max(0, limit - window.used), resetSeconds: Math.ceil((window.until - now()) / 1000) };
    },
  };
}

/** Tells the caller how the counter stands (`RateLimit-*`). */
export function setRateHeaders(reply: FastifyReply, state: RateState): void {
  reply.headers({
    "ratelimit-limit": String(state.limit),
    "ratelimit-remaining": String(state.remaining),
    "ratelimit-reset": String(state.resetSeconds),
  });
}

/** @throws AppError `rate_limited` with the seconds to wait */
export function requireAllowed(state: RateState, message?: string): void {
  if (!state.allowed) throw new AppError("rate_limited", { ...(message === undefined ? {} : { message }), retryAfter: state.resetSeconds });
}
