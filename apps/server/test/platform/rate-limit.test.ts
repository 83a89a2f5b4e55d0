import { describe, expect, it } from "vitest";
import { createRateLimit, requireAllowed } from "../../src/platform/rate-limit.ts";

describe("rate limit", () => {
  it("counts each key in its own window and says how it stands", () => {
    let now = 0;
    const limit = createRateLimit(60_000, () => now);
    expect(limit.take("a", 2)).toEqual({ allowed: true, limit: 2, remaining: 1, resetSeconds: 60 });
    now = 20_500;
    expect(limit.take("a", 2)).toMatchObject({ allowed: true, remaining: 0, resetSeconds: 40 });
    expect(limit.take("a", 2)).toMatchObject({ allowed: false, remaining: 0, resetSeconds: 40 });
    expect(limit.take("b", 2)).toMatchObject({ allowed: true, remaining: 1 });
    now = 60_000;
    expect(limit.take("a", 2)).toMatchObject({ allowed: true, remaining: 1, resetSeconds: 60 });
  });

  it("refuses with the seconds to wait", () => {
    const limit = createRateLimit(10_000, () => 0);
    limit.take("a", 1);
    const wanted = expect.objectContaining({ code: "rate_limited", retryAfter: 10 });
    expect(() => requireAllowed(limit.take("a", 1))).toThrow(wanted);
  });

  it("holds a bounded number of keys", () => {
    const limit = createRateLimit(10_000, () => 0, 2);
    limit.take("a", 1);
    limit.take("b", 1);
    limit.take("c", 1);
    expect(limit.take("c", 1).allowed).toBe(false);
    expect(limit.take("a", 1).allowed).toBe(true);
  });
});
