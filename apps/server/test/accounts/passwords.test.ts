import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  addPerson,
  codeOf,
  cookieOf,
  getMe,
  mailedToken,
  mailsTo,
  nobody,
  password,
  setUpAdmin,
  signIn,
  tokenOf,
  type Person,
} from "./people.ts";

const another = "another long password";

describe("passwords and addresses", () => {
  let server: TestServer;
  let admin: Person;
  let bob: Person;
  beforeAll(async () => {
    server = await startTestServer({ SYLA_SIGN_UP: "invite" });
    admin = await setUpAdmin(server);
    bob = await addPerson(server, "bob@example.org");
  });
  afterAll(() => server[Symbol.asyncDispose]());
  const forgot = (email: string) => server.send("POST", "/api/v1/password-reset", { email }, nobody);
  const reset = (token: string, secret = another) =>
    server.send("POST", "/api/v1/password-reset/complete", { token, password: secret }, nobody);
  const change = (input: object) => server.send("POST", "/api/v1/users/me/password", input, { cookie: bob.cookie });

  it("changes a password with the current one, and ends the other sessions", async () => {
    const other = cookieOf(await signIn(server, bob.email));
    expect(await codeOf(await change({ currentPassword: "wrong", newPassword: another }))).toBe("invalid_credentials");
    expect((await change({ currentPassword: password, newPassword: "short" })).status).toBe(400);
    expect((await change({ currentPassword: password, newPassword: another })).status).toBe(204);
    expect((await getMe(server, { cookie: bob.cookie })).status).toBe(200);
    expect((await getMe(server, { cookie: other })).status).toBe(401);
    expect((await signIn(server, bob.email)).status).toBe(401);
    expect((await signIn(server, bob.email, another)).status).toBe(201);
    expect((await mailsTo(server, bob.email))[0]?.subject).toBe("Your Syla password was changed");
  });

  it("answers the same whether the address has an account", async () => {
    const answers = await Promise.all([forgot(bob.email), forgot("nobody@example.org")]);
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    expect(await answers[0]?.json()).toEqual(await answers[1]?.json());
    expect(await mailsTo(server, "nobody@example.org")).toEqual([]);
  });

  it("sets a new password with the mailed link, once, and ends every session", async () => {
    await forgot(bob.email);
    const token = await mailedToken(server, bob.email);
    expect(await codeOf(await reset("guess"))).toBe("link_invalid");
    const answers = await Promise.all([reset(token, password), reset(token, password)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 403]);
    expect((await getMe(server, { cookie: bob.cookie })).status).toBe(401);
    const again = await signIn(server, bob.email);
    expect(again.status).toBe(201);
    bob = { ...bob, cookie: cookieOf(again) };
  });

  it("lets an administrator make a link without mail; it ends with time and with use of another", async () => {
    const make = async () =>
      (await (await server.send("POST", `/api/v1/users/${bob.id}/password-reset`)).json()) as { url: string; expiresAt: string };
    const [first, second] = [await make(), await make()];
    expect((await reset(tokenOf(second.url), password)).status).toBe(204);
    expect(await codeOf(await reset(tokenOf(first.url)))).toBe("link_invalid");
    const third = await make();
    const past = new Date(Date.now() - 1000);
    await server.context.database.queries.updateTable("account_links").set({ expires_at: past }).execute();
    expect(await codeOf(await reset(tokenOf(third.url)))).toBe("link_invalid");
    expect((await server.send("POST", "/api/v1/users/user_x/password-reset")).status).toBe(404);
    bob = { ...bob, cookie: cookieOf(await signIn(server, bob.email)) };
  });

  it("confirms the first administrator's address, with a link for that purpose only", async () => {
    expect(await (await getMe(server, { cookie: admin.cookie })).json()).toMatchObject({ emailVerified: false });
    expect((await server.send("POST", "/api/v1/users/me/email-verification", {}, { cookie: admin.cookie })).status).toBe(202);
    const token = await mailedToken(server, admin.email);
    expect(await codeOf(await reset(token))).toBe("link_invalid");
    const confirmed = await server.send("POST", "/api/v1/email-verification", { token }, nobody);
    expect(await confirmed.json()).toEqual({ email: admin.email });
    expect(await (await getMe(server, { cookie: admin.cookie })).json()).toMatchObject({ emailVerified: true });
  });

  it("changes an address when the new one is confirmed, with the password, and never to another's", async () => {
    const ask = (input: object) => server.send("POST", "/api/v1/users/me/email-verification", input, { cookie: bob.cookie });
    expect(await codeOf(await ask({ email: "new@example.org" }))).toBe("invalid_credentials");
    expect((await ask({ email: admin.email, password })).status).toBe(202);
    expect((await mailsTo(server, admin.email))[0]?.subject).toBe("You have a Syla account");
    expect((await ask({ email: "New@example.org", password })).status).toBe(202);
    expect(await (await getMe(server, { cookie: bob.cookie })).json()).toMatchObject({ email: "bob@example.org" });
    const token = await mailedToken(server, "new@example.org");
    await server.send("POST", "/api/v1/email-verification", { token }, nobody);
    expect(await (await getMe(server, { cookie: bob.cookie })).json()).toMatchObject({ email: "new@example.org" });
  });

  it("changes name and time zone, and refuses what is none", async () => {
    const patch = (input: object) => server.send("PATCH", "/api/v1/users/me", input, { cookie: bob.cookie });
    expect(await (await patch({ name: "Robert", timeZone: "Europe/Stockholm" })).json()).toMatchObject({
      name: "Robert",
      timeZone: "Europe/Stockholm",
    });
    for (const bad of [{ timeZone: "Mars/Olympus" }, { name: "" }, { role: "admin" }, { email: "x@example.org" }])
      expect((await patch(bad)).status).toBe(400);
  });
});
