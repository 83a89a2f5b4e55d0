import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { BrowserJar } from "@syla/testkit/browser-jar";
import { startTestIssuer, type TestIssuer } from "@syla/testkit/issuer";
import { startTestServer, type ServerVariables, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addPerson, codeOf, getMe, nobody, password, setUpAdmin, turnOnTwoFactor } from "./people.ts";

const providerOf = (issuer: TestIssuer, more: object = {}) => ({
  id: "corp",
  name: "Corp",
  issuer: issuer.url,
  clientId: issuer.clientId,
  clientSecret: issuer.clientSecret,
  ...more,
});

async function start(issuer: TestIssuer, variables: ServerVariables = {}, more: object = {}): Promise<TestServer> {
  const server = await startTestServer({ SYLA_IDENTITY_PROVIDERS: JSON.stringify([providerOf(issuer, more)]), ...variables });
  issuer.serve(`${server.url}/api/v1/sign-in/providers/corp/callback`);
  return server;
}

const startPath = "/api/v1/sign-in/providers/corp/start?returnTo=%2Fruns";

/** Signs in at the issuer as it asks for it: by name, then by agreeing. @returns the callback that it sends the browser to */
async function passIssuer(browser: BrowserJar, begin: string, subject: string, callback: string): Promise<URL> {
  const atCallback = (url: URL) => url.href.startsWith(callback);
  let { url } = await browser.follow(begin, (next) => next.pathname.startsWith("/interaction/") || atCallback(next));
  for (let step = 0; !atCallback(url); step += 1) {
    if (step === 4) throw new Error(`stuck at ${url.href}`);
    const page = await (await browser.call(url.href)).text();
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1] ?? "";
    const body = new URLSearchParams({ prompt, login: subject, password: "any" });
    const answer = await browser.call(url.href, { method: "POST", body });
    const next = new URL(answer.headers.get("location") ?? "", url);
    ({ url } = await browser.follow(next.href, (to) => to.pathname.startsWith("/interaction/") || atCallback(to)));
  }
  return url;
}

/** The whole way. @returns the page at which the browser is in the end, and who is signed in */
async function signInAt(server: TestServer, subject: string, browser = new BrowserJar(), begin = server.url + startPath) {
  const callback = await passIssuer(browser, begin, subject, `${server.url}/api/v1/sign-in/providers/corp/callback`);
  const answer = await browser.call(callback.href);
  const page = answer.headers.get("location");
  const me = await browser.call(`${server.url}/api/v1/users/me`);
  return {
    page,
    me: me.status === 200 ? ((await me.json()) as { id: string; email: string; role: string; name: string }) : null,
    callback,
    browser,
  };
}

describe("signing in by an OpenID Connect issuer", () => {
  let issuer: TestIssuer;
  let server: TestServer;
  beforeAll(async () => {
    issuer = await startTestIssuer();
    server = await start(issuer, { SYLA_SIGN_UP: "domain", SYLA_SIGN_UP_DOMAINS: "example.org" });
    await setUpAdmin(server);
    Object.assign(issuer.people, {
      amy: { email: "Amy@example.org", email_verified: true, name: "Amy" },
      eve: { email: "eve@elsewhere.org", email_verified: true, name: "Eve" },
      joe: { email: "joe@example.org", email_verified: false },
      nil: {},
    });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await issuer[Symbol.asyncDispose]();
  });

  it("makes the account at the first visit, and finds it at the next", async () => {
    const list = await (await server.fetch("/api/v1/sign-in/providers", { headers: nobody })).json();
    expect(list).toEqual({ items: [{ id: "corp", name: "Corp" }] });
    const first = await signInAt(server, "amy");
    expect(first.page).toBe("/runs");
    expect(first.me).toMatchObject({ email: "amy@example.org", name: "Amy", role: "developer" });
    issuer.people["amy"] = { email: "amy.new@example.org", email_verified: true };
    const second = await signInAt(server, "amy");
    expect(second.me?.id).toBe(first.me?.id);
    expect(second.me?.email).toBe("amy@example.org");
  });

  it("takes an answer once, in the browser that began, and as it was given", async () => {
    const { callback, browser } = await signInAt(server, "amy");
    const again = async (jar: BrowserJar, address: string) => (await jar.call(address)).headers.get("location");
    expect(await again(browser, callback.href)).toBe("/sign-in?error=identity_flow_invalid");
    expect(await again(new BrowserJar(), callback.href)).toBe("/sign-in?error=identity_flow_invalid");
    const other = new BrowserJar();
    const given = await passIssuer(other, server.url + startPath, "amy", `${server.url}/api/v1/sign-in/providers/corp/callback`);
    given.searchParams.set("state", "another");
    expect(await again(other, given.href)).toBe("/sign-in?error=identity_provider_failed");
    expect((await other.call(`${server.url}/api/v1/users/me`)).status).toBe(401);
    const third = new BrowserJar();
    await passIssuer(third, server.url + startPath, "amy", `${server.url}/api/v1/sign-in/providers/corp/callback`);
    expect(await again(third, `${server.url}/api/v1/sign-in/providers/corp/callback?error=access_denied`)).toContain("error=identity_");
  });

  it("leads to no other site afterwards", async () => {
    for (const to of [
      "https://evil.example",
      "//evil.example",
      "/\\evil.example",
      "\\\\evil",
      "/%0d%0aset-cookie: a=b",
      "javascript:alert(1)",
    ]) {
      const begin = `${server.url}/api/v1/sign-in/providers/corp/start?returnTo=${encodeURIComponent(to)}`;
      const { page } = await signInAt(server, "amy", new BrowserJar(), begin);
      expect(new URL(page ?? "", server.url).origin).toBe(new URL(server.url).origin);
    }
  });

  it("makes no account for who may not have one, nor for an address that nobody has confirmed", async () => {
    expect(await signInAt(server, "eve")).toMatchObject({ page: "/sign-in?error=identity_unknown", me: null });
    expect(await signInAt(server, "joe")).toMatchObject({ page: "/sign-in?error=identity_unconfirmed", me: null });
    expect(await signInAt(server, "nil")).toMatchObject({ page: "/sign-in?error=identity_unconfirmed", me: null });
  });

  it("takes over no account by its address, and opens it once its owner has linked it", async () => {
    const bob = await addPerson(server, "bob@example.org");
    issuer.people["b0b"] = { email: "bob@example.org", email_verified: true };
    expect(await signInAt(server, "b0b")).toMatchObject({ page: "/sign-in?error=identity_needs_link", me: null });

    const link = (body: object, cookie = bob.cookie) => server.send("POST", "/api/v1/users/me/identities", body, { cookie });
    expect(await codeOf(await link({ provider: "corp", password: "a wrong password" }))).toBe("invalid_credentials");
    expect(await codeOf(await server.send("POST", "/api/v1/users/me/identities", { provider: "corp", password }))).toBe("session_required");
    const begun = await link({ provider: "corp", password });
    const { url } = (await begun.json()) as { url: string };

    // Somebody else's browser cannot finish it, not even with the flow's cookie.
    const flowCookie = begun.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    const stranger = new BrowserJar();
    const given = await passIssuer(stranger, url, "b0b", `${server.url}/api/v1/sign-in/providers/corp/callback`);
    const stolen = await fetch(given, { headers: { cookie: flowCookie }, redirect: "manual" });
    expect(stolen.headers.get("location")).toBe("/sign-in?error=identity_flow_invalid");

    const again = await link({ provider: "corp", password });
    const { url: second } = (await again.json()) as { url: string };
    const callback = await passIssuer(new BrowserJar(), second, "b0b", `${server.url}/api/v1/sign-in/providers/corp/callback`);
    const cookie = `${again.headers.getSetCookie()[0]?.split(";")[0] ?? ""}; ${bob.cookie}`;
    const linked = await fetch(callback, { headers: { cookie }, redirect: "manual" });
    expect(linked.headers.get("location")).toBe("/settings/security");
    expect((await signInAt(server, "b0b")).me?.id).toBe(bob.id);

    const carol = await addPerson(server, "carol@example.org");
    const third = await link({ provider: "corp", password }, carol.cookie);
    const { url: taken } = (await third.json()) as { url: string };
    const to = await passIssuer(new BrowserJar(), taken, "b0b", `${server.url}/api/v1/sign-in/providers/corp/callback`);
    const refused = await fetch(to, {
      headers: { cookie: `${third.headers.getSetCookie()[0]?.split(";")[0] ?? ""}; ${carol.cookie}` },
      redirect: "manual",
    });
    expect(refused.headers.get("location")).toBe("/sign-in?error=identity_taken");
  });

  it("unlinks, but never the last way in", async () => {
    const { browser, me } = await signInAt(server, "amy");
    const list = (await (await browser.call(`${server.url}/api/v1/users/me/identities`)).json()) as { items: { id: string }[] };
    expect(list).toMatchObject({ items: [{ provider: "corp", providerName: "Corp" }] });
    const unlink = (id: string) => browser.call(`${server.url}/api/v1/users/me/identities/${id}`, { method: "DELETE" });
    expect(await codeOf(await unlink(list.items[0]?.id ?? ""))).toBe("last_way_in");
    await server.context.database.queries
      .insertInto("accounts")
      .values({ id: "acct_test", user_id: me?.id ?? "", account_id: me?.id ?? "", provider_id: "credential", password: "x" })
      .execute();
    expect((await unlink(list.items[0]?.id ?? "")).status).toBe(204);
    expect(await codeOf(await unlink("acct_test"))).toBe("last_way_in");
    issuer.people["amy"] = { email: "amy@example.org", email_verified: true };
    expect((await signInAt(server, "amy")).page).toBe("/sign-in?error=identity_needs_link");
  });

  it("asks for the second factor of who has one, and lets nobody in who is suspended", async () => {
    issuer.people["dan"] = { email: "dan@example.org", email_verified: true };
    const { me, browser } = await signInAt(server, "dan");
    const recovery = await turnOnTwoFactor(server, me?.id ?? "", "dan@example.org");
    const second = await signInAt(server, "dan");
    expect(second.page).toBe("/sign-in?code=needed&next=%2Fruns");
    expect(second.me).toBeNull();
    const prove = (code: string, jar = second.browser) =>
      jar.call(`${server.url}/api/v1/sign-in/second-factor`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ code }),
      });
    expect(await codeOf(await prove("000000", new BrowserJar()))).toBe("identity_flow_invalid");
    expect(await codeOf(await prove("000000"))).toBe("two_factor_invalid");
    expect(await (await prove(recovery[0] ?? "")).json()).toMatchObject({ id: me?.id });
    expect((await second.browser.call(`${server.url}/api/v1/users/me`)).status).toBe(200);
    expect(await codeOf(await prove(recovery[1] ?? ""))).toBe("identity_flow_invalid");

    await server.context.admin.suspend(me?.id ?? "", "a reason");
    const third = await signInAt(server, "dan");
    expect(await codeOf(await prove(recovery[1] ?? "", third.browser))).toBe("account_suspended");
    expect((await browser.call(`${server.url}/api/v1/users/me`)).status).toBe(401);
  });

  it("makes one account when the same stranger comes twice at once", async () => {
    issuer.people["twin"] = { email: "twin@example.org", email_verified: true };
    const visits = await Promise.all([1, 2, 3].map(() => signInAt(server, "twin")));
    expect(new Set(visits.map(({ me }) => me?.id)).size).toBe(1);
  });
});

describe("where accounts are not made by themselves", () => {
  it("lets an invitation's address in with its role, and everybody whom the provider is trusted for", async () => {
    await using issuer = await startTestIssuer();
    issuer.people["ivy"] = { email: "ivy@example.org", email_verified: true };
    issuer.people["sam"] = { email: "sam@example.org", email_verified: true };
    await using server = await start(issuer, { SYLA_SIGN_UP: "invite" });
    await setUpAdmin(server);
    expect((await signInAt(server, "ivy")).page).toBe("/sign-in?error=identity_unknown");
    await server.send("POST", "/api/v1/invitations", { email: "ivy@example.org", role: "end_user" });
    expect((await signInAt(server, "ivy")).me).toMatchObject({ email: "ivy@example.org", role: "end_user" });
    expect((await signInAt(server, "sam")).page).toBe("/sign-in?error=identity_unknown");
  });

  it("says so when the provider is not there", async () => {
    const issuer = await startTestIssuer();
    await using server = await startTestServer({ SYLA_IDENTITY_PROVIDERS: JSON.stringify([providerOf(issuer, { signUp: true })]) });
    await issuer[Symbol.asyncDispose]();
    expect(await codeOf(await server.fetch(startPath, { headers: nobody }))).toBe("identity_provider_failed");
    expect((await getMe(server, nobody)).status).toBe(401);
  });
});

describe("GitHub", () => {
  let github: Server;
  let emails: object[] = [];
  let sent: URLSearchParams | undefined;
  beforeAll(async () => {
    const answerTo = async (request: IncomingMessage, response: ServerResponse) => {
      const url = new URL(request.url ?? "", "http://github.test");
      const body = await text(request);
      const answers: Record<string, unknown> = {
        "/login/oauth/access_token": { access_token: "gho_1", token_type: "bearer", scope: "read:user,user:email" },
        "/api/v3/user": { id: 42, login: "octo", name: null },
        "/api/v3/user/emails": emails,
      };
      if (url.pathname === "/login/oauth/access_token") sent = new URLSearchParams(body);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(answers[url.pathname]));
    };
    github = createServer((request, response) => void answerTo(request, response));
    await new Promise<void>((resolve) => github.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => new Promise((resolve) => github.close(resolve)));

  it("is asked for the primary confirmed address, with PKCE", async () => {
    const base = `http://127.0.0.1:${(github.address() as AddressInfo).port}`;
    const provider = { preset: "github", issuer: base, clientId: "c", clientSecret: "s", signUp: true };
    await using server = await startTestServer({ SYLA_IDENTITY_PROVIDERS: JSON.stringify([provider]) });
    const visit = async () => {
      const browser = new BrowserJar();
      const begun = await browser.call(`${server.url}/api/v1/sign-in/providers/github/start`);
      const to = new URL(begun.headers.get("location") ?? "");
      expect(to.pathname).toBe("/login/oauth/authorize");
      expect(Object.fromEntries(to.searchParams)).toMatchObject({
        client_id: "c",
        code_challenge_method: "S256",
        scope: "read:user user:email",
      });
      const callback = `${to.searchParams.get("redirect_uri")}?code=abc&state=${to.searchParams.get("state")}`;
      const answer = await browser.call(callback);
      expect(sent?.get("code_verifier")?.length).toBeGreaterThan(40);
      return { page: answer.headers.get("location"), me: await (await browser.call(`${server.url}/api/v1/users/me`)).json() };
    };
    emails = [
      { email: "octo@example.org", primary: true, verified: false },
      { email: "x@example.org", primary: false, verified: true },
    ];
    expect((await visit()).page).toBe("/sign-in?error=identity_unconfirmed");
    emails = [{ email: "Octo@example.org", primary: true, verified: true }];
    expect(await visit()).toMatchObject({ page: "/", me: { email: "octo@example.org", name: "octo" } });
  });
});
