import { hasRedis, startTestRedis } from "@syla/testkit/redis";
import { startTestServer } from "@syla/testkit/server";
import { describe, expect, it } from "vitest";
import { createPerson } from "@syla/testkit/runs";
import { createRateLimit, createSharedRateLimit } from "../../src/platform/rate-limit.ts";

const perSecond = { limit: 3, windowMs: 1000 };

describe("a rate limit", () => {
  it("lets as many through in a window as it says, by key, and then begins anew", () => {
    let now = 0;
    const limit = createRateLimit(() => now);
    const take = (key: string) => limit.take(key, perSecond);
    expect([take("a"), take("a"), take("a")].map((state) => [state.allowed, state.remaining])).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
    ]);
    now = 400;
    expect(take("a")).toEqual({ allowed: false, limit: 3, remaining: 0, resetMs: 600, windowMs: 1000 });
    expect(take("b").allowed).toBe(true);
    now = 1000;
    expect(take("a")).toMatchObject({ allowed: true, remaining: 2, resetMs: 1000 });
  });

  it("with 0 lets nothing through", () => {
    expect(createRateLimit().take("a", { limit: 0, windowMs: 1000 })).toMatchObject({ allowed: false, remaining: 0 });
  });

  it("forgets old keys rather than growing without end, and new ones last", () => {
    let now = 0;
    const limit = createRateLimit(() => now);
    for (let n = 0; n < 150_000; n += 1) limit.take(`key ${n}`, perSecond);
    for (let n = 0; n < 3; n += 1) limit.take("key 149999", perSecond);
    expect(limit.take("key 149999", perSecond).allowed).toBe(false);
    expect(limit.take("key 0", perSecond).remaining).toBe(2);
    now = 2000;
    expect(limit.take("key 149999", perSecond).allowed).toBe(true);
  });

  it("counts in memory while Redis does not answer", async () => {
    const limit = createSharedRateLimit({ state: "connected", count: () => Promise.resolve(null) });
    const states = [];
    for (let n = 0; n < 4; n += 1) states.push(await limit.take("a", perSecond));
    expect(states.map((state) => state.allowed)).toEqual([true, true, true, false]);
  });
});

describe("requests", () => {
  it("without sign-in are counted by address, wrong keys too; health never is", async () => {
    await using server = await startTestServer({ SYLA_RATE_LIMIT_ANONYMOUS: "5", SYLA_WORKER_SLOTS: "0" });
    const anonymous = { headers: { authorization: "" } };
    const first = await server.fetch("/api/v1/server", anonymous);
    expect([first.status, first.headers.get("ratelimit-limit"), first.headers.get("ratelimit-remaining")]).toEqual([200, "5", "4"]);
    for (let n = 0; n < 2; n += 1)
      expect((await server.fetch("/api/v1/runs", { headers: { authorization: "Bearer wrong" } })).status).toBe(401);
    for (let n = 0; n < 2; n += 1) expect((await server.fetch("/api/v1/runs", anonymous)).status).toBe(401);
    for (const path of ["/api/v1/server", "/api/v1/runs"]) {
      const refused = await server.fetch(path, anonymous);
      expect([refused.status, await refused.json()]).toMatchObject([429, { code: "rate_limited" }]);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    for (let n = 0; n < 10; n += 1) expect((await server.fetch("/healthz", anonymous)).status).toBe(200);
    expect((await server.fetch("/api/v1/runs")).status).toBe(200);
  });

  it("with a key are counted by key; the local user's are not", async () => {
    await using server = await startTestServer({ SYLA_RATE_LIMIT: "2", SYLA_WORKER_SLOTS: "0" });
    const [ann, bob] = [await createPerson(server), await createPerson(server)];
    const ask = async (headers: Record<string, string>) => (await server.fetch("/api/v1/runs", { headers })).status;
    expect([await ask(ann), await ask(ann), await ask(ann), await ask(bob)]).toEqual([200, 200, 429, 200]);
    for (let n = 0; n < 5; n += 1) expect((await server.fetch("/api/v1/runs")).status).toBe(200);
  });

  it.skipIf(!hasRedis)("are counted together by servers that share a Redis, and by each when it is gone", async () => {
    await using redis = await startTestRedis();
    const variables = { SYLA_REDIS_URL: redis.url, SYLA_RATE_LIMIT_ANONYMOUS: "4", SYLA_WORKER_SLOTS: "0" };
    await using one = await startTestServer(variables);
    await using two = await startTestServer(variables);
    const ask = async (server: typeof one) => (await server.fetch("/api/v1/server", { headers: { authorization: "" } })).status;
    const stats = async (server: typeof one) => ((await (await server.fetch("/api/v1/cache")).json()) as { redis: string }).redis;
    for (const server of [one, two]) await expect.poll(() => stats(server)).toBe("connected");
    expect([await ask(one), await ask(two), await ask(one), await ask(two), await ask(one), await ask(two)]).toEqual([
      200, 200, 200, 200, 429, 429,
    ]);
    await redis.kill();
    await expect.poll(() => stats(one)).toBe("unreachable");
    expect(await ask(one)).toBe(200);
  });
});
