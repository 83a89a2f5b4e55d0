import { AppError } from "@syla/contracts/errors";
import type { Tries } from "../platform/tries.ts";

/** Who tries to sign in, or to prove who they are. */
export interface Guesser {
  readonly address: string;
  /** The e-mail address or the id that they give. */
  readonly name: string;
  /**
   * A browser in which this person has signed in before: then only the failures of that browser count, so that strangers cannot lock anybody out
   * of where they usually are.
   */
  readonly knownBrowser?: string | undefined;
}

/** Slows down password guessing: counts failures, and refuses for a while after too many. */
export interface SignInLimit {
  /** Does what somebody could guess at. @throws AppError `rate_limited` with the seconds to wait, and what the work throws */
  guard<T>(guesser: Guesser, work: () => Promise<T>): Promise<T>;
}

const windowMs = 15 * 60_000;
/** Failures in the window: by one address for one name, by one address for any, and for one name from anywhere. */
const limits = { pair: 10, address: 50, name: 100 };
/** What counts as guessing. */
const guesses: ReadonlySet<string> = new Set(["invalid_credentials", "two_factor_invalid"]);

export function createSignInLimit(tries: Tries): SignInLimit {
  return {
    async guard(guesser, work) {
      const keys = keysOf(guesser);
      await takeAll(tries, keys);
      try {
        const result = await work();
        // The pair has shown that it knows; the others may be many people.
        await Promise.all(keys.map(({ key }, place) => (place === 0 ? tries.forget(key) : tries.giveBack(key))));
        return result;
      } catch (error) {
        if (!(error instanceof AppError && guesses.has(error.code))) await Promise.all(keys.map(({ key }) => tries.giveBack(key)));
        throw error;
      }
    },
  };
}

interface LimitedKey {
  readonly key: string;
  readonly limit: number;
}

function keysOf({ address, name, knownBrowser }: Guesser): LimitedKey[] {
  if (knownBrowser !== undefined) return [{ key: `sign-in browser ${knownBrowser}`, limit: limits.pair }];
  const normal = name.toLowerCase();
  return [
    { key: `sign-in pair ${address} ${normal}`, limit: limits.pair },
    { key: `sign-in address ${address}`, limit: limits.address },
    { key: `sign-in name ${normal}`, limit: limits.name },
  ];
}

async function takeAll(tries: Tries, keys: readonly LimitedKey[]): Promise<void> {
  const taken: string[] = [];
  for (const { key, limit } of keys) {
    const { allowed, resetMs } = await tries.take(key, { limit, windowMs });
    if (allowed) taken.push(key);
    else {
      await Promise.all(taken.map((before) => tries.giveBack(before)));
      throw new AppError("rate_limited", { message: "Too many failed sign-ins.", retryAfter: resetMs / 1000 });
    }
  }
}
