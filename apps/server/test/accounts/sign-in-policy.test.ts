import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  addPerson,
  codeOf,
  getMe,
  mailsTo,
  nobody,
  password,
  setUpAdmin,
  signIn,
  tokenOf,
  turnOnTwoFactor,
  type Person,
} from "./people.ts";

const days = (from: number, to: string) => (new Date(to).getTime() - from) / 86_400_000;

describe("the policy of signing in", () => {
  let server: TestServer;
  let admin: Person;
  let bob: Person;
  beforeAll(async () => {
    const provider = { id: "corp", name: "Corp", issuer: "http://127.0.0.1:1", clientId: "syla", clientSecret: "none" };
    server = await startTestServer({ SYLA_SIGN_UP: "invite", SYLA_IDENTITY_PROVIDERS: JSON.stringify([provider]) });
    admin = await setUpAdmin(server);
    bob = await addPerson(server, "bob@example.org");
  });
  afterAll(() => server[Symbol.asyncDispose]());
  const choose = (values: Record<string, string | null>) => server.send("PATCH", "/api/v1/admin/settings", { values });
  beforeEach(async () => {
    const values = { requireTwoFactor: null, passwordSignIn: null, passwordLength: null, sessionDays: null };
    await choose(values);
  });
  const as = ({ cookie }: Person, method: string, path: string, body?: object) => server.send(method, path, body, { cookie });
  const policy = async () => (await (await server.fetch("/api/v1/sign-up", { headers: nobody })).json()) as object;

  it("asks administrators or everybody for a second factor, and lets who has none do nothing but turn it on", async () => {
    await choose({ requireTwoFactor: "admins" });
    expect((await as(bob, "GET", "/api/v1/runs")).status).toBe(200);
    for (const [method, path, body] of [
      ["GET", "/api/v1/runs", undefined],
      ["POST", "/api/v1/api-keys", { name: "a way round" }],
      ["PATCH", "/api/v1/admin/settings", { values: { requireTwoFactor: null } }],
    ] as const)
      expect([path, await codeOf(await as(admin, method, path, body))]).toEqual([path, "two_factor_needed"]);
    expect((await getMe(server, { cookie: admin.cookie })).status).toBe(200);
    expect(await (await as(admin, "GET", "/api/v1/users/me/two-factor")).json()).toMatchObject({ enabled: false, needed: true });
    // Whoever is on the server's machine is let in by the key file.
    expect((await server.fetch("/api/v1/users")).status).toBe(200);

    await choose({ requireTwoFactor: "all" });
    const cid = await addPerson(server, "cid@example.org");
    expect(await codeOf(await as(cid, "GET", "/api/v1/runs"))).toBe("two_factor_needed");
    const [code] = await turnOnTwoFactor(server, cid.id, cid.email);
    const signedIn = await signIn(server, cid.email, password, { code });
    const cookie = signedIn.headers
      .getSetCookie()
      .map((set) => set.split(";", 1)[0])
      .join("; ");
    expect((await server.fetch("/api/v1/runs", { headers: { cookie } })).status).toBe(200);
  });

  it("lets nobody in with a password where providers do, and is let in by the key of the server's files all the same", async () => {
    expect((await choose({ passwordSignIn: "false" })).status).toBe(200);
    expect(await policy()).toMatchObject({ passwords: false });
    expect(await codeOf(await signIn(server, bob.email))).toBe("password_sign_in_off");
    expect((await getMe(server, { cookie: bob.cookie })).status).toBe(200);
    expect((await server.send("POST", "/api/v1/password-reset", { email: bob.email }, nobody)).status).toBe(202);
    expect((await mailsTo(server, bob.email)).map(({ subject }) => subject)).toEqual(["You are invited to Syla"]);
    const link = (await (await server.send("POST", `/api/v1/users/${bob.id}/password-reset`)).json()) as { url: string };
    const reset = { token: tokenOf(link.url), password: "another long password" };
    expect(await codeOf(await server.send("POST", "/api/v1/password-reset/complete", reset, nobody))).toBe("password_sign_in_off");
    expect((await choose({ passwordSignIn: "true" })).status).toBe(200);
    expect((await signIn(server, bob.email)).status).toBe(201);
  });

  it("says how long a new password is", async () => {
    await choose({ passwordLength: "16" });
    expect(await policy()).toMatchObject({ passwordLength: 16 });
    const change = (newPassword: string) => as(bob, "POST", "/api/v1/users/me/password", { currentPassword: password, newPassword });
    expect(await (await change("fifteen letters")).json()).toMatchObject({
      code: "invalid_request",
      fields: [{ path: "newPassword", message: "at least 16 characters" }],
    });
    expect((await change("sixteen letters!")).status).toBe(204);
    expect((await choose({ passwordLength: "9" })).status).toBe(400);
  });

  it("says how long sessions last: those that there are end no later, and all are extended while they are used", async () => {
    const ends = async (who: { cookie: string }) => {
      const { items } = (await (await server.fetch("/api/v1/sessions", { headers: who })).json()) as {
        items: { expiresAt: string; current: boolean }[];
      };
      return items.find(({ current }) => current)?.expiresAt ?? "";
    };
    const begun = Date.now();
    const own = { cookie: bob.cookie };
    expect(days(begun, await ends(own))).toBeGreaterThan(29);
    await choose({ sessionDays: "2" });
    await expect.poll(async () => days(begun, await ends(own))).toBeLessThan(2.1);
    const dan = await addPerson(server, "dan@example.org");
    expect(days(begun, await ends(dan))).toBeLessThan(2.1);
    const { queries } = server.context.database;
    const soon = new Date(Date.now() + 86_400_000);
    await queries.updateTable("sessions").set({ expires_at: soon }).where("user_id", "=", dan.id).execute();
    await getMe(server, { cookie: dan.cookie });
    expect(days(begun, await ends(dan))).toBeGreaterThan(1.9);
  });
});
