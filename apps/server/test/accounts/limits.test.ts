import { describe, expect, it } from "vitest";
import { createApiKeyMemo } from "../../src/accounts/api-keys/api-key-memo.ts";
import { hashPassword, verifyPassword } from "../../src/accounts/password.ts";
import { createSignInLimit } from "../../src/accounts/sign-in-limit.ts";
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
  it("forgets failures after a while and after a success", () => {
    let now = 0;
    const limit = createSignInLimit(() => now);
    for (let attempt = 0; attempt < 10; attempt += 1) limit.failed("1.1.1.1", "A@x");
    expect(() => limit.check("1.1.1.1", "a@X")).toThrow("Too many failed sign-ins");
    expect(() => limit.check("2.2.2.2", "a@x")).not.toThrow();
    now = 15 * 60_000 + 1;
    expect(() => limit.check("1.1.1.1", "a@x")).not.toThrow();
    for (let attempt = 0; attempt < 9; attempt += 1) limit.failed("1.1.1.1", "a@x");
    limit.succeeded("1.1.1.1", "a@x");
    limit.failed("1.1.1.1", "a@x");
    expect(() => limit.check("1.1.1.1", "a@x")).not.toThrow();
  });

  it("stops one address that tries many people, and many addresses that try one", () => {
    const limit = createSignInLimit();
    for (let n = 0; n < 50; n += 1) limit.failed("1.1.1.1", `p${n}@x`);
    expect(() => limit.check("1.1.1.1", "new@x")).toThrow("Too many failed sign-ins");
    for (let n = 0; n < 100; n += 1) limit.failed(`9.9.9.${n}`, "victim@x");
    expect(() => limit.check("8.8.8.8", "victim@x")).toThrow("Too many failed sign-ins");
    expect(() => limit.check("8.8.8.8", "other@x")).not.toThrow();
  });
});

describe("sign-in limit of a known browser", () => {
  it("counts that browser's own failures only, so strangers lock nobody out", () => {
    const limit = createSignInLimit();
    for (let n = 0; n < 200; n += 1) limit.failed(`9.9.9.${n % 250}`, "victim@x");
    expect(() => limit.check("9.9.9.1", "victim@x")).toThrow("Too many failed sign-ins");
    expect(() => limit.check("9.9.9.1", "victim@x", "browser")).not.toThrow();
    for (let n = 0; n < 10; n += 1) limit.failed("1.1.1.1", "victim@x", "browser");
    expect(() => limit.check("2.2.2.2", "victim@x", "browser")).toThrow("Too many failed sign-ins");
  });
});

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
