import { AppError } from "@syla/contracts/errors";

interface Bucket {
  failures: number;
  until: number;
}

/** Slows down password guessing: counts failures, and refuses for a while after too many. */
export interface SignInLimit {
  /**
   * With the name of a browser in which this person has signed in before, only the failures of that browser count: strangers cannot lock
   * anybody out of where they usually are.
   *
   * @throws AppError `rate_limited` with the seconds to wait
   */
  check(address: string, email: string, knownBrowser?: string): void;
  failed(address: string, email: string, knownBrowser?: string): void;
  succeeded(address: string, email: string, knownBrowser?: string): void;
}

const windowMs = 15 * 60_000;
/** Failures in the window: by one address for one e-mail, by one address for any, and for one e-mail from anywhere. */
const limits = { pair: 10, address: 50, email: 100 };
const maxBuckets = 50_000;

/** Counts in memory, so a restart forgets; each server of several counts for itself. */
export function createSignInLimit(now: () => number = Date.now): SignInLimit {
  const buckets = new Map<string, Bucket>();
  const keys = (address: string, email: string, knownBrowser?: string): [string, number][] => {
    const normal = email.toLowerCase();
    if (knownBrowser !== undefined) return [[`browser ${knownBrowser}`, limits.pair]];
    return [
      [`pair ${address} ${normal}`, limits.pair],
      [`address ${address}`, limits.address],
      [`email ${normal}`, limits.email],
    ];
  };
  const read = (key: string): Bucket | undefined => {
    const bucket = buckets.get(key);
    if (bucket === undefined || bucket.until > now()) return bucket;
    buckets.delete(key);
    return undefined;
  };
  return {
    check(address, email, knownBrowser) {
      for (const [key, limit] of keys(address, email, knownBrowser)) {
        const bucket = read(key);
        if (bucket !== undefined && bucket.failures >= limit)
          throw new AppError("rate_limited", { message: "Too many failed sign-ins.", retryAfter: (bucket.until - now()) / 1000 });
      }
    },
    failed(address, email, knownBrowser) {
      for (const [key] of keys(address, email, knownBrowser)) {
        const bucket = read(key) ?? { failures: 0, until: now() + windowMs };
        bucket.failures += 1;
        buckets.set(key, bucket);
      }
      for (const key of buckets.keys()) {
        if (buckets.size <= maxBuckets) break;
        buckets.delete(key);
      }
    },
    succeeded(address, email, knownBrowser) {
      const [pair] = keys(address, email, knownBrowser);
      if (pair !== undefined) buckets.delete(pair[0]);
    },
  };
}
