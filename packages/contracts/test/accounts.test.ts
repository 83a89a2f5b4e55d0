import { SetupInput, SignInInput } from "@syla/contracts/accounts";
import { ApiKeyInput } from "@syla/contracts/api-keys";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const good = { token: "t", name: "Ada", email: "ada@example.com", password: "correct horse" };

describe("SetupInput", () => {
  it("takes a person", () => {
    expect(SetupInput.parse({ ...good, name: "  Ada  " })).toEqual(good);
  });

  it.each([
    ["no token", { token: "" }],
    ["a blank name", { name: "   " }],
    ["a line break in the name", { name: "A\nB" }],
    ["a terminal escape in the name", { name: "A\u001b[31m" }],
    ["a short password", { password: "123456789" }],
    ["an endless password", { password: "x".repeat(257) }],
    ["no e-mail address", { email: "ada" }],
    ["a role", { role: "admin" }],
  ])("refuses %s", (_name, changes) => {
    expect(SetupInput.safeParse({ ...good, ...changes }).success).toBe(false);
  });
});

describe("SignInInput", () => {
  it("takes old, short passwords but no others fields", () => {
    expect(SignInInput.safeParse({ email: good.email, password: "x" }).success).toBe(true);
    expect(SignInInput.safeParse({ email: good.email, password: "" }).success).toBe(false);
    expect(SignInInput.safeParse({ email: good.email, password: "x", role: "admin" }).success).toBe(false);
  });
});

describe("ApiKeyInput", () => {
  it.each([0, 3651, 1.5, "30"])("refuses to expire in %s days", (expiresInDays) => {
    expect(ApiKeyInput.safeParse({ name: "ci", expiresInDays }).success).toBe(false);
  });

  it("keeps control characters out of names", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 31 }), fc.string(), (before, control, after) => {
        const result = ApiKeyInput.safeParse({ name: `x${before}${String.fromCodePoint(control)}${after}x` });
        expect(result.success).toBe(false);
      }),
    );
  });
});
