import { AppError } from "@syla/contracts/errors";
import { createTestDatabase, type TestDatabase } from "@syla/testkit/database";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApiKeyMemo } from "../../src/accounts/api-keys/api-key-memo.ts";
import { hashPassword, verifyPassword } from "../../src/accounts/password.ts";
import { createSignInLimit, type Guesser, type SignInLimit } from "../../src/accounts/sign-in-limit.ts";
import { openDatabase, type Database } from "../../src/platform/database.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { forgettingTries, openTries } from "../../src/platform/tries.ts";
import { can, requirePermission } from "../../src/access/service.ts";

describe("passwords", () => {
  it("are hashed with Argon2id, each with its own salt", async () => {
    const [first, second] = await Promise.all([hashPassword("correct horse"), hashPassword("correct horse")]);
    expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(first).not.toBe(second);
    expect(await verifyPassword({ hash: first, password: "correct horse" })).toBe(true);
    expect(await verifyPassword({ hash: first, password: "correct horsf" })).toBe(false);
  });

  it("match however a keyboard composes their letters", async () => {
    expect(await verifyPassword({ hash: await hashPassword("Åström-lösen"), password: "A\u030Astro\u0308m-lo\u0308sen" })).toBe(true);
  });

  it.each(["", "x", "$argon2id$v=19$m=1,t=1,p=1$$", "$2b$10$abcdefghijklmnopqrstuv"])("do not match the damaged hash %j", async (hash) => {
    expect(await verifyPassword({ hash, password: "x" })).toBe(false);
  });
});

describe("sign-in limit", () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let limit: SignInLimit;
  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    database = openDatabase({ connectionString: testDatabase.url }, createLogger("silent"));
    limit = createSignInLimit(openTries(database.queries));
  });
  afterAll(async () => {
    await database.close();
    await testDatabase[Symbol.asyncDispose]();
  });

  const wrong = () => Promise.reject(new AppError("invalid_credentials"));
  const right = () => Promise.resolve("in");
  /** How the tries end: the code of the error, or what the work answers. */
  const tryAll = async (times: number, guesser: (place: number) => Guesser, work: () => Promise<string> = wrong) =>
    await Promise.all(
      Array.from({ length: times }, (_, place) => limit.guard(guesser(place), work).catch((error: unknown) => (error as AppError).code)),
    );
  const from = (address: string, name: string) => (): Guesser => ({ address, name });

  it("does not count a try that is refused: one given back makes room for one", async () => {
    const tries = openTries(database.queries);
    const take = async () => (await tries.take("given back", { limit: 2, windowMs: 60_000 })).allowed;
    expect([await take(), await take(), await take(), await take()]).toEqual([true, true, false, false]);
    expect((await tries.take("given back", { limit: 2, windowMs: 60_000 })).resetMs).toBeGreaterThan(50_000);
    await tries.giveBack("given back");
    expect([await take(), await take()]).toEqual([true, false]);
  });

  it("lets no more than ten wrong ones through, however many come at once, and forgets them after a while and after a success", async () => {
    const met = await tryAll(30, from("1.1.1.1", "A@x"));
    expect(met.filter((code) => code === "invalid_credentials")).toHaveLength(10);
    expect(met.filter((code) => code === "rate_limited")).toHaveLength(20);
    expect(await tryAll(1, from("1.1.1.1", "a@X"), right)).toEqual(["rate_limited"]);
    expect(await tryAll(1, from("2.2.2.2", "a@x"), right)).toEqual(["in"]);
    await sql`update tries set ends_at = now()`.execute(database.queries);
    expect(await tryAll(1, from("1.1.1.1", "a@x"), right)).toEqual(["in"]);
    await tryAll(9, from("1.1.1.1", "a@x"));
    expect(await tryAll(1, from("1.1.1.1", "a@x"), right)).toEqual(["in"]);
    expect(await tryAll(9, from("1.1.1.1", "a@x"))).not.toContain("rate_limited");
    await sql`update tries set ends_at = now()`.execute(database.queries);
    await forgettingTries(database.queries).perform(new AbortController().signal);
    expect(await database.queries.selectFrom("tries").selectAll().execute()).toEqual([]);
  });

  it("counts no error that is no guess", async () => {
    const lost = () => Promise.reject(new AppError("database_unavailable"));
    expect(new Set(await tryAll(12, from("3.3.3.3", "c@x"), lost).then((met) => met.slice(0, 1)))).toEqual(
      new Set(["database_unavailable"]),
    );
    expect(await tryAll(1, from("3.3.3.3", "c@x"), right)).toEqual(["in"]);
  });

  it("is one for all servers of a database", async () => {
    await tryAll(10, from("5.5.5.5", "e@x"));
    await using other = await openSecond(testDatabase);
    const elsewhere = createSignInLimit(openTries(other.database.queries));
    await expect(elsewhere.guard({ address: "5.5.5.5", name: "e@x" }, right)).rejects.toThrow("Too many failed sign-ins");
  });

  it("stops one address that tries many people, and many addresses that try one", async () => {
    await tryAll(50, (place) => ({ address: "4.4.4.4", name: `p${place}@x` }));
    expect(await tryAll(1, from("4.4.4.4", "new@x"), right)).toEqual(["rate_limited"]);
    await tryAll(100, (place) => ({ address: `9.9.9.${place}`, name: "victim@x" }));
    expect(await tryAll(1, from("8.8.8.8", "victim@x"), right)).toEqual(["rate_limited"]);
    expect(await tryAll(1, from("8.8.8.8", "other@x"), right)).toEqual(["in"]);
  });

  it("counts the own failures of a known browser alone, so that strangers lock nobody out", async () => {
    const known = (): Guesser => ({ address: "9.9.9.1", name: "victim@x", knownBrowser: "browser" });
    expect(await tryAll(1, from("9.9.9.1", "victim@x"), right)).toEqual(["rate_limited"]);
    expect(await tryAll(1, known, right)).toEqual(["in"]);
    await tryAll(10, known);
    expect(await tryAll(1, known, right)).toEqual(["rate_limited"]);
  });
});

async function openSecond({ url }: TestDatabase): Promise<{ database: Database } & AsyncDisposable> {
  const database = openDatabase({ connectionString: url }, createLogger("silent"));
  return await Promise.resolve({ database, [Symbol.asyncDispose]: () => database.close() });
}

describe("memory of actor keys", () => {
  const actor = { userId: "u", role: "developer", via: "api-key", keyId: "k" } as const;

  it("lasts five seconds, or until the key expires or is revoked", () => {
    let now = 1_000_000;
    const memo = createApiKeyMemo(() => now);
    memo.set("secret", actor, null);
    expect(memo.get("secret")).toBe(actor);
    expect(memo.get("Secret")).toBeUndefined();
    now += 5000;
    expect(memo.get("secret")).toBeUndefined();
    memo.set("secret", actor, new Date(now + 100));
    now += 100;
    expect(memo.get("secret")).toBeUndefined();
    memo.set("secret", actor, null);
    memo.forget("k");
    expect(memo.get("secret")).toBeUndefined();
    memo.set("secret", actor, null);
    memo.forgetUser("u");
    expect(memo.get("secret")).toBeUndefined();
  });

  it("holds a bounded number", () => {
    const memo = createApiKeyMemo();
    for (let n = 0; n < 1500; n += 1) memo.set(`key ${n}`, actor, null);
    expect(memo.get("key 0")).toBeUndefined();
    expect(memo.get("key 1499")).toBe(actor);
  });
});

describe("permissions", () => {
  const ann = { userId: "ann", role: "developer", via: "session" } as const;
  const admin = { userId: "root", role: "admin", via: "local" } as const;
  const run = (ownerId: string, visibility = "private") => ({ type: "run", id: "run_1", ownerId, visibility, level: null }) as const;

  it("let owners and administrators at a run, and everybody at a public one", () => {
    expect(can(ann, "run:cancel", run("ann"))).toBe(true);
    expect(can(ann, "run:read", run("bob"))).toBe(false);
    expect(can(admin, "run:cancel", run("bob"))).toBe(true);
    expect(can(ann, "run:read", run("bob", "public"))).toBe(true);
    expect(can(ann, "run:cancel", run("bob", "public"))).toBe(false);
    expect(can(ann, "run:list-all")).toBe(false);
    expect(can({ ...ann, role: "end_user" }, "server:inspect")).toBe(false);
  });

  it("hide what may not be seen, and forbid what may", () => {
    expect(() => requirePermission(ann, "run:read", run("bob"))).toThrow(expect.objectContaining({ code: "not_found" }));
    expect(() => requirePermission(ann, "run:cancel", run("bob"))).toThrow(expect.objectContaining({ code: "not_found" }));
    expect(() => requirePermission(ann, "run:cancel", run("bob", "public"))).toThrow(expect.objectContaining({ code: "forbidden" }));
    expect(() => requirePermission(ann, "run:list-all")).toThrow(expect.objectContaining({ code: "forbidden" }));
    expect(() => requirePermission(ann, "run:cancel", run("ann"))).not.toThrow();
  });
});
