import { AppError } from "@syla/contracts/errors";
import type { SelectedModel } from "../models/service.ts";
import type { CorrectedRateLimit } from "../platform/rate-limit.ts";

const minuteMs = 60_000;

/** What a call has taken of its model's minute. */
interface TakenTokens {
  /** The call has ended, with so many tokens: what it took too much is given back, what it took too little is counted. */
  settle(tokens: number): Promise<void>;
  /** The call was not made: it and its tokens are given back. */
  giveBack(): Promise<void>;
}

/** What the owners of models allow all callers together in a minute, counted for all servers together where they share a Redis. */
export class ModelLimits {
  readonly #rateLimit: CorrectedRateLimit;
  readonly #now: () => number;

  constructor(rateLimit: CorrectedRateLimit, now: () => number = Date.now) {
    this.#rateLimit = rateLimit;
    this.#now = now;
  }

  /**
   * Takes one call, and as many tokens as it may read and write at most. One that may take more than there are in a minute needs a whole one.
   *
   * @throws AppError `rate_limited`; nothing is taken then
   */
  async take({ id, name, config }: Pick<SelectedModel, "id" | "name" | "config">, mostTokens: number): Promise<TakenTokens> {
    const { requestsPerMinute, tokensPerMinute } = config.limits;
    const rateLimit = this.#rateLimit;
    const now = this.#now();
    const retryAfter = Math.max(1, (minuteMs - (now % minuteMs)) / 1000);
    // Minutes of the clock: what is given back goes to the one that it was taken from, even when that is over.
    const keyOf = (what: string) => `model ${what} ${id} ${Math.floor(now / minuteMs)}`;
    const rateOf = (limit: number) => ({ limit, windowMs: 2 * minuteMs });
    if (requestsPerMinute !== null && !(await rateLimit.take(keyOf("calls"), rateOf(requestsPerMinute))).allowed)
      throw new AppError("rate_limited", {
        message: `All callers together may call ${name} ${requestsPerMinute} times a minute.`,
        retryAfter,
      });
    const giveCallBack = async () => {
      if (requestsPerMinute !== null) await rateLimit.correct(keyOf("calls"), rateOf(requestsPerMinute), -1);
    };
    if (tokensPerMinute === null) return { settle: () => Promise.resolve(), giveBack: giveCallBack };
    const rate = rateOf(tokensPerMinute);
    const taken = Math.min(Math.max(1, Math.ceil(mostTokens)), tokensPerMinute);
    if ((await rateLimit.take(keyOf("tokens"), rate, taken)).allowed) {
      const settle = async (tokens: number) => {
        if (tokens !== taken) await rateLimit.correct(keyOf("tokens"), rate, tokens - taken);
      };
      return { settle, giveBack: async () => void (await Promise.all([giveCallBack(), settle(0)])) };
    }
    await giveCallBack();
    throw new AppError("rate_limited", {
      message: `All callers together may use ${tokensPerMinute} tokens of ${name} a minute.`,
      retryAfter,
    });
  }
}
