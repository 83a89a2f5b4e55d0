import { readFileSync } from "node:fs";
import { createOTP } from "@better-auth/utils/otp";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findStep, hashRecoveryCode, newRecoveryCodes } from "../../src/accounts/two-factor/codes.ts";
import { createSealedText } from "../../src/accounts/two-factor/sealed-text.ts";
import { addPerson, codeOf, getMe, password, signIn, type Person } from "./people.ts";

describe("codes of an authenticator", () => {
  const secret = "12345678901234567890";

  it("are those of RFC 6238", async () => {
    expect(await createOTP(secret, { digits: 8 }).hotp(37_037_036)).toBe("07081804");
    expect(await findStep(secret, "081804", 0, 1_111_111_109_000)).toBe(37_037_036);
  });

  it("count for a step before and after, and each once", async () => {
    const code = await createOTP(secret).hotp(1000);
    const at = (step: number) => findStep(secret, code, 0, step * 30_000);
    expect([await at(998), await at(999), await at(1000), await at(1001), await at(1002)]).toEqual([null, 1000, 1000, 1000, null]);
    expect(await findStep(secret, code, 1000, 30_000_000)).toBeNull();
    expect(await findStep(secret, "", 0, 30_000_000)).toBeNull();
  });

  it("have recovery codes beside them, that differ, in any case", () => {
    const codes = newRecoveryCodes();
    expect(new Set(codes).size).toBe(10);
    const [code = ""] = codes;
    expect(hashRecoveryCode(code.toUpperCase().replace("-", " "), "u")).toBe(hashRecoveryCode(code, "u"));
    expect(hashRecoveryCode(code, "v")).not.toBe(hashRecoveryCode(code, "u"));
  });

  it("come from a secret that is sealed for its person", () => {
    const sealed = createSealedText("key", "two-factor");
    const text = sealed.seal("secret", "ann");
    expect(text).not.toContain("secret");
    expect(sealed.open(text, "ann")).toBe("secret");
    expect(() => sealed.open(text, "bob")).toThrow(/unable to authenticate/);
    expect(() => createSealedText("other", "two-factor").open(text, "ann")).toThrow(/unable to authenticate/);
    expect(() => sealed.open(text.slice(0, -1) + (text.endsWith("A") ? "B" : "A"), "ann")).toThrow(/unable to authenticate/);
  });
});

describe("second factor", () => {
  let server: TestServer;
  let bob: Person;
  let secret: string;
  let recovery: string[];
  beforeAll(async () => {
    server = await startTestServer({ SYLA_SIGN_UP: "invite" });
    bob = await addPerson(server, "bob@example.org");
  });
  afterAll(() => server[Symbol.asyncDispose]());
  const post = (path: string, body: object) => server.send("POST", `/api/v1/users/me/two-factor${path}`, body, { cookie: bob.cookie });
  /** Codes count once, so each test takes one of another step. */
  const codeAt = (offset: number) => createOTP(secret).hotp(Math.floor(Date.now() / 30_000) + offset);
  const forgetSteps = () => server.context.database.queries.updateTable("two_factors").set({ last_step: 0 }).execute();

  /** What is in the authenticator, out of what the server keeps. */
  const readSecret = async () => {
    const { secret: sealed } = await server.context.database.queries.selectFrom("two_factors").select("secret").executeTakeFirstOrThrow();
    const opened = createSealedText(readFileSync(server.context.directory.secretFile, "utf8").trim(), "two-factor").open(sealed, bob.id);
    expect(sealed).not.toContain(opened);
    return opened;
  };

  it("is turned on with the password and a code", async () => {
    expect(await codeOf(await post("", { password: "wrong" }))).toBe("invalid_credentials");
    const begun = (await (await post("", { password })).json()) as { secret: string; uri: string };
    expect(begun.uri).toMatch(/^otpauth:\/\/totp\/Syla:bob%40example\.org\?secret=/);
    secret = await readSecret();
    expect((await signIn(server, bob.email)).status).toBe(201);
    expect(await codeOf(await post("/confirm", { code: "000000" }))).toBe("two_factor_invalid");
    const confirmed = (await (await post("/confirm", { code: await codeAt(0) })).json()) as { recoveryCodes: string[] };
    recovery = confirmed.recoveryCodes;
    expect(recovery).toHaveLength(10);
    const stored = await server.context.database.queries.selectFrom("two_factors").select("backup_codes").executeTakeFirstOrThrow();
    expect(stored.backup_codes).not.toContain(recovery[0]);
    expect(await codeOf(await post("", { password }))).toBe("conflict");
  });

  it("is asked for after the password, and gives no session before", async () => {
    const refused = await signIn(server, bob.email);
    expect(refused.headers.getSetCookie()).toEqual([]);
    expect(await codeOf(refused)).toBe("two_factor_required");
    expect(await codeOf(await signIn(server, bob.email, "wrong", { code: await codeAt(1) }))).toBe("invalid_credentials");
    expect(await codeOf(await signIn(server, bob.email, password, { code: "123456" }))).toBe("two_factor_invalid");
    const code = await codeAt(1);
    const answers = await Promise.all([1, 2, 3].map(() => signIn(server, bob.email, password, { code })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 401, 401]);
  });

  it("takes each recovery code once", async () => {
    const [code = ""] = recovery;
    expect((await signIn(server, bob.email, password, { code })).status).toBe(201);
    expect(await codeOf(await signIn(server, bob.email, password, { code }))).toBe("two_factor_invalid");
    const state = await server.fetch("/api/v1/users/me/two-factor", { headers: { cookie: bob.cookie } });
    expect(await state.json()).toEqual({ enabled: true, recoveryCodesLeft: 9, needed: false });
  });

  it("gives other recovery codes for the password and a code, in place of those before", async () => {
    await forgetSteps();
    const [old = ""] = recovery.slice(-1);
    expect(await codeOf(await post("/recovery-codes", { password: "wrong password", code: await codeAt(0) }))).toBe("invalid_credentials");
    expect(await codeOf(await post("/recovery-codes", { password, code: "000000" }))).toBe("two_factor_invalid");
    const renewed = await post("/recovery-codes", { password, code: await codeAt(0) });
    const { recoveryCodes } = (await renewed.json()) as { recoveryCodes: string[] };
    expect([renewed.status, new Set([...recoveryCodes, old]).size]).toEqual([200, 11]);
    expect(await codeOf(await signIn(server, bob.email, password, { code: old }))).toBe("two_factor_invalid");
    expect((await signIn(server, bob.email, password, { code: recoveryCodes[0] })).status).toBe(201);
    recovery = recoveryCodes.slice(1);
    await forgetSteps();
  });

  it("is turned off with the password and a code", async () => {
    await forgetSteps();
    expect(await codeOf(await post("/disable", { password, code: "123456" }))).toBe("two_factor_invalid");
    expect(await codeOf(await post("/disable", { password: "wrong", code: await codeAt(0) }))).toBe("invalid_credentials");
    expect((await post("/disable", { password, code: await codeAt(0) })).status).toBe(204);
    expect((await signIn(server, bob.email)).status).toBe(201);
  });

  it("is reset for who has lost it", async () => {
    const begun = (await (await post("", { password })).json()) as { uri: string };
    expect(begun.uri).toContain("otpauth:");
    secret = await readSecret();
    expect((await post("/confirm", { code: await codeAt(0) })).status).toBe(200);
    expect(await codeOf(await signIn(server, bob.email))).toBe("two_factor_required");
    const reset = () => server.send("POST", `/api/v1/users/${bob.id}/two-factor/reset`, { reason: "lost the telephone" });
    expect(await (await reset()).json()).toMatchObject({ id: bob.id, twoFactorEnabled: false });
    expect(await codeOf(await reset())).toBe("conflict");
    expect((await getMe(server, { cookie: bob.cookie })).status).toBe(401);
    expect((await signIn(server, bob.email)).status).toBe(201);
    const { queries } = server.context.database;
    expect(await queries.selectFrom("notifications").select("title").where("user_id", "=", bob.id).execute()).toContainEqual({
      title: "Your second factor was taken off",
    });
    expect(
      await queries
        .selectFrom("audit_events")
        .select(["resource_id", "details"])
        .where("action", "=", "admin.two_factor_reset")
        .where("outcome", "=", "ok")
        .execute(),
    ).toEqual([{ resource_id: bob.id, details: { reason: "lost the telephone" } }]);
  });
});
