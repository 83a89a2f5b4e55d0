import { SylaConnectionError, SylaError } from "./errors.ts";

/** How calls that are safe to repeat are repeated. */
export interface RetryPolicy {
  /** Tries after the first one. */
  readonly maxRetries: number;
  /** The first pause, milliseconds; it doubles each time. */
  readonly baseDelayMs: number;
  /** No pause is longer; a server that asks for a longer one gets no retry. */
  readonly maxDelayMs: number;
}

export const defaultRetryPolicy: RetryPolicy = { maxRetries: 4, baseDelayMs: 200, maxDelayMs: 20_000 };

/** 429 and 503 say "later"; 502 and 504 come from a proxy whose server is away. */
export function isRetryable(error: unknown): error is SylaError {
  if (error instanceof SylaConnectionError) return true;
  return error instanceof SylaError && [429, 502, 503, 504].includes(error.status);
}

/** Full jitter between half and the whole of the doubled pause, so that many clients do not return at once. */
export function backoffMs(attempt: number, policy: RetryPolicy, random: number = Math.random()): number {
  const ceiling = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** attempt);
  return ceiling / 2 + (ceiling / 2) * random;
}

/** Repeats `attempt` while its error says that a later try may work. */
export async function withRetries<T>(policy: RetryPolicy, signal: AbortSignal | undefined, attempt: () => Promise<T>): Promise<T> {
  for (let count = 0; ; count++) {
    try {
      return await attempt();
    } catch (error) {
      if (count >= policy.maxRetries || !isRetryable(error)) throw error;
      if ((error.retryAfterMs ?? 0) > policy.maxDelayMs) throw error;
      await pause(Math.max(error.retryAfterMs ?? 0, backoffMs(count, policy)), signal);
    }
  }
}

/** Waits, and rejects with the signal's reason as soon as it is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
