import { NewInvitation } from "@syla/contracts/sign-up";
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

const complete = (server: TestServer, token: string, change: object = {}) =>
  server.send("POST", "/api/v1/sign-up/complete", { token, name: "Bob", password, ...change }, nobody);
const request = (server: TestServer, email: string, headers: Record<string, string> = {}) =>
  server.send("POST", "/api/v1/sign-up", { email }, { ...nobody, ...headers });

describe("a closed server", () => {
  it("makes no accounts, not even by invitation", async () => {
    await using server = await startTestServer();
    expect(await (await server.fetch("/api/v1/sign-up", { headers: nobody })).json()).toEqual({
      mode: "closed",
      domains: [],
      passwords: true,
      passwordLength: 10,
      mail: false,
    });
    expect(await codeOf(await request(server, "bob@example.org"))).toBe("sign_up_closed");
    expect(await codeOf(await server.send("POST", "/api/v1/invitations", { email: "bob@example.org" }))).toBe("sign_up_closed");
    expect(await codeOf(await complete(server, "guess"))).toBe("link_invalid");
  });
});

describe("a server that invites", () => {
  let server: TestServer;
  let admin: Person;
  beforeAll(async () => {
    server = await startTestServer({ SYLA_SIGN_UP: "invite" });
    admin = await setUpAdmin(server);
  });
  afterAll(() => server[Symbol.asyncDispose]());
  const invite = async (email: string, more: object = {}) =>
    NewInvitation.parse(await (await server.send("POST", "/api/v1/invitations", { email, ...more }, { cookie: admin.cookie })).json());

  it("gives the link to the administrator and to the mail, and lets in once", async () => {
    const invitation = await invite("Bob@Example.org", { role: "end_user" });
    expect(invitation).toMatchObject({ email: "bob@example.org", role: "end_user", status: "open", invitedBy: admin.id });
    expect(invitation.url.startsWith(`${server.url}/sign-up#token=`)).toBe(true);
    expect(await mailedToken(server, "bob@example.org")).toBe(tokenOf(invitation.url));
    const stored = await server.context.database.queries.selectFrom("invitations").selectAll().execute();
    expect(JSON.stringify(stored)).not.toContain(tokenOf(invitation.url));

    expect((await complete(server, tokenOf(invitation.url), { password: "short" })).status).toBe(400);
    expect((await complete(server, tokenOf(invitation.url), { name: "a\r\nBcc: x" })).status).toBe(400);
    const answers = await Promise.all([1, 2, 3].map(() => complete(server, tokenOf(invitation.url))));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 403, 403]);
    const made = answers.find(({ status }) => status === 201);
    expect(await made?.json()).toMatchObject({ email: "bob@example.org", role: "end_user", emailVerified: true });
    expect((await getMe(server, { cookie: made === undefined ? "" : cookieOf(made) })).status).toBe(200);
    const list = await (await server.fetch("/api/v1/invitations")).json();
    expect(list).toMatchObject({ items: [{ status: "accepted" }], nextCursor: null });
    expect(await codeOf(await server.send("POST", "/api/v1/invitations", { email: "bob@example.org" }))).toBe("email_taken");
  });

  it("replaces an invitation, takes one back, lets one expire", async () => {
    const first = await invite("carol@example.org");
    const second = await invite("carol@example.org");
    expect(await codeOf(await complete(server, tokenOf(first.url)))).toBe("link_invalid");
    expect((await server.fetch(`/api/v1/invitations/${second.id}`, { method: "DELETE" })).status).toBe(204);
    expect((await server.fetch(`/api/v1/invitations/${second.id}`, { method: "DELETE" })).status).toBe(404);
    expect(await codeOf(await complete(server, tokenOf(second.url)))).toBe("link_invalid");
    const third = await invite("carol@example.org");
    const past = new Date(Date.now() - 1000);
    await server.context.database.queries.updateTable("invitations").set({ expires_at: past }).where("id", "=", third.id).execute();
    expect(await codeOf(await complete(server, tokenOf(third.url)))).toBe("link_invalid");
  });

  it("pages through invitations", async () => {
    const page = async (query: string) =>
      (await (await server.fetch(`/api/v1/invitations?${query}`)).json()) as { items: { id: string }[]; nextCursor: string | null };
    const first = await page("limit=2");
    const second = await page(`limit=2&cursor=${first.nextCursor}`);
    expect(new Set([...first.items, ...second.items].map(({ id }) => id)).size).toBe(4);
    expect(second.nextCursor).toBeNull();
    expect((await server.fetch("/api/v1/invitations?cursor=xxx")).status).toBe(400);
  });

  it("lets administrators invite only", async () => {
    const bob = await addPerson(server, "dora@example.org");
    const asBob = { cookie: bob.cookie };
    expect((await server.send("POST", "/api/v1/invitations", { email: "x@example.org" }, asBob)).status).toBe(403);
    expect((await server.fetch("/api/v1/invitations", { headers: asBob })).status).toBe(403);
    expect((await server.send("POST", `/api/v1/users/${admin.id}/password-reset`, undefined, asBob)).status).toBe(403);
    expect(await codeOf(await request(server, "x@example.org"))).toBe("sign_up_closed");
  });

  it.each(["x@example.org\r\nBcc: y@example.org", "x@example.org, y@example.org", "<x@example.org>", "x"])(
    "writes no mail to %j",
    async (email) => {
      expect((await server.send("POST", "/api/v1/invitations", { email })).status).toBe(400);
    },
  );

  it("writes names as text into the mail", async () => {
    await server.send("PATCH", "/api/v1/users/me", { name: "<img src=x>" }, { cookie: admin.cookie });
    await invite("erik@example.org");
    const [mail] = await mailsTo(server, "erik@example.org");
    expect(mail?.html).toContain("&lt;img src=x&gt;");
    expect(mail?.html).not.toContain("<img");
  });
});

describe("an open server", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ SYLA_SIGN_UP: "open" });
    await setUpAdmin(server);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it("answers the same for an address with and without an account, and tells by mail", async () => {
    const answers = [await request(server, "ann@example.org"), await request(server, "new@example.org")];
    const seen = await Promise.all(answers.map(async (answer) => [answer.status, await answer.json()]));
    expect(seen[0]).toEqual(seen[1]);
    expect((await mailsTo(server, "ann@example.org"))[0]?.subject).toBe("You have a Syla account");
    const token = await mailedToken(server, "new@example.org");
    const made = await complete(server, token);
    expect(await made.json()).toMatchObject({ email: "new@example.org", role: "developer", emailVerified: true });
    expect(await codeOf(await complete(server, token))).toBe("link_invalid");
  });

  it("gives an address to one of two links", async () => {
    await request(server, "two@example.org");
    const first = await mailedToken(server, "two@example.org");
    await request(server, "two@example.org");
    const second = await mailedToken(server, "two@example.org");
    const answers = await Promise.all([complete(server, first), complete(server, second)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409]);
  });

  it("writes its own address into links, whatever host the request names", async () => {
    await request(server, "host@example.org", { "x-forwarded-host": "evil.example", host: "evil.example" });
    const [mail] = await mailsTo(server, "host@example.org");
    expect(mail?.text).toContain(`${server.url}/sign-up#token=`);
    expect(mail?.text).not.toContain("evil");
  });

  it("sends an address a few mails only, and tells nobody", async () => {
    for (let n = 0; n < 6; n += 1) expect((await request(server, "often@example.org")).status).toBe(202);
    expect(await mailsTo(server, "often@example.org")).toHaveLength(4);
  });

  it("bounds what one address of the network asks for", async () => {
    const statuses: number[] = [];
    for (let n = 0; n < 21; n += 1) statuses.push((await request(server, `n${n}@example.org`)).status);
    expect(statuses.at(-1)).toBe(429);
  });
});

describe("a server for domains", () => {
  it("takes exact domains only", async () => {
    await using server = await startTestServer({ SYLA_SIGN_UP: "domain", SYLA_SIGN_UP_DOMAINS: "example.org" });
    expect((await request(server, "a@Example.org")).status).toBe(202);
    for (const email of ["a@sub.example.org", "a@example.org.evil.example", "a@notexample.org"])
      expect(await codeOf(await request(server, email))).toBe("sign_up_closed");
  });
});

describe("signing in", () => {
  it("gives a new session whatever cookie came along", async () => {
    await using server = await startTestServer();
    const admin = await setUpAdmin(server);
    const again = await signIn(server, admin.email, password, {}, { cookie: admin.cookie });
    const session = (cookie: string) => /syla\.session_token=[^;]+/.exec(cookie)?.[0];
    expect(session(cookieOf(again))).not.toBe(session(admin.cookie));
    const forced = await signIn(server, admin.email, password, {}, { cookie: "syla.session_token=chosen.by-a-stranger" });
    expect(cookieOf(forced)).not.toContain("chosen");
  });

  it("is not for who is suspended, whose sessions and keys end at once", async () => {
    await using server = await startTestServer({ SYLA_SIGN_UP: "invite" });
    const bob = await addPerson(server, "bob@example.org");
    const { key } = (await (await server.send("POST", "/api/v1/api-keys", { name: "k" }, { cookie: bob.cookie })).json()) as {
      key: string;
    };
    const asKey = { authorization: `Bearer ${key}` };
    expect((await getMe(server, asKey)).status).toBe(200);
    await server.context.admin.suspend(bob.id, "a reason");
    await expect.poll(async () => await codeOf(await getMe(server, asKey))).toBe("account_suspended");
    expect((await getMe(server, { cookie: bob.cookie })).status).toBe(401);
    expect(await codeOf(await signIn(server, bob.email, "a wrong password"))).toBe("invalid_credentials");
    const refused = await signIn(server, bob.email);
    expect(refused.headers.getSetCookie()).toEqual([]);
    expect(await codeOf(refused)).toBe("account_suspended");
    expect(await server.context.database.queries.selectFrom("sessions").selectAll().where("user_id", "=", bob.id).execute()).toEqual([]);
  });

  it("is told of where the person had never signed in, once the account is not new", async () => {
    await using server = await startTestServer();
    const admin = await setUpAdmin(server);
    const told = async () => {
      await server.context.accounts.settled();
      const rows = await server.context.database.queries
        .selectFrom("notifications")
        .select(["type", "body"])
        .where("user_id", "=", admin.id)
        .execute();
      return rows.filter(({ type }) => type === "sign_in_new_device");
    };
    await signIn(server, admin.email);
    expect(await told()).toEqual([]);
    await server.context.database.queries
      .updateTable("users")
      .set({ created_at: new Date(0) })
      .execute();
    await signIn(server, admin.email, password, {}, { cookie: admin.cookie });
    expect(await told()).toEqual([]);
    await signIn(server, admin.email, password, {}, { "user-agent": "Strange\tBrowser" });
    expect(await told()).toMatchObject([{ body: expect.stringContaining("127.0.0.1, with Strange Browser") as string }]);
  });

  it("stays possible where one usually is while strangers guess", async () => {
    await using server = await startTestServer();
    const admin = await setUpAdmin(server);
    for (let n = 0; n < 11; n += 1) await signIn(server, admin.email, "guess");
    expect((await signIn(server, admin.email)).status).toBe(429);
    expect((await signIn(server, admin.email, password, {}, { cookie: admin.cookie })).status).toBe(201);
    expect((await signIn(server, admin.email, password, {}, { cookie: "syla.known=forged" })).status).toBe(429);
  });
});
