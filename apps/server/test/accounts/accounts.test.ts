import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { accountRoutes, User } from "@syla/contracts/accounts";
import { apiKeyRoutes, NewApiKey } from "@syla/contracts/api-keys";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const person = { name: "Ann Ångström", email: "Ann@Example.org", password: "correct horse battery" };

/** The session's cookie that an answer set, as a browser would send it. */
function cookieOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";", 1)[0])
    .filter((cookie) => cookie?.includes("session_token"))
    .join("; ");
}

async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { code: string }).code;
}

const ApiKeys = apiKeyRoutes.listApiKeys.responses[200];
const Sessions = accountRoutes.listSessions.responses[200];

describe("accounts", () => {
  let server: TestServer;
  let cookie: string;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const nobody = { authorization: "" };
  const signIn = (password: string, email = person.email) => server.send("POST", "/api/v1/sessions", { email, password }, nobody);
  const token = () => new URL(server.running.setupUrl ?? "").searchParams.get("token") ?? "";

  it("has a first admin, whom the key file acts as, and who has no name yet", async () => {
    const me = User.parse(await (await server.fetch("/api/v1/users/me")).json());
    expect(me).toMatchObject({ role: "admin", email: null });
    expect(me.id).toMatch(/^user_[0-9a-z]{26}$/);
  });

  it("is set up with the one-time token, which works once", async () => {
    const good = token();
    const check = async (value: string) => (await server.fetch(`/api/v1/setup?token=${value}`, { headers: nobody })).json();
    expect(await check(good)).toEqual({ needed: true, tokenValid: true });
    expect(await check("x")).toEqual({ needed: true, tokenValid: false });
    expect(JSON.parse(readFileSync(join(server.dataDir, "server.json"), "utf8"))).toMatchObject({ setupUrl: server.running.setupUrl });

    const complete = (value: string, change = {}) => server.send("POST", "/api/v1/setup", { token: value, ...person, ...change }, nobody);
    expect(await codeOf(await complete("wrong"))).toBe("setup_token_invalid");
    expect((await complete(good, { password: "short" })).status).toBe(400);
    expect((await complete(good, { email: "no address" })).status).toBe(400);
    expect((await complete(good, { name: "a\u0007b" })).status).toBe(400);

    const answers = await Promise.all([complete(good), complete(good), complete(good)]);
    expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([201, 409, 409]);
    const winner = answers.find((answer) => answer.status === 201);
    if (winner === undefined) throw new Error("nobody won");
    expect(await winner.json()).toMatchObject({ name: person.name, email: "ann@example.org", role: "admin" });
    cookie = cookieOf(winner);
    const [set = ""] = winner.headers.getSetCookie();
    expect(set).toMatch(/HttpOnly/);
    expect(set).toMatch(/SameSite=Lax/);
    expect(set).toMatch(/Path=\//);

    expect(await codeOf(await complete(good))).toBe("already_set_up");
    expect(await check(good)).toEqual({ needed: false, tokenValid: false });
    expect(server.running.setupUrl).toBeUndefined();
    expect(readFileSync(join(server.dataDir, "server.json"), "utf8")).not.toContain("token=");
  });

  it("knows the browser by its cookie", async () => {
    expect(await (await server.fetch("/api/v1/users/me", { headers: { cookie } })).json()).toMatchObject({ email: "ann@example.org" });
    for (const forged of [cookie.slice(0, -8), `${cookie}x`, "syla.session_token=abc.def", "syla.session_token="]) {
      expect((await server.fetch("/api/v1/users/me", { headers: { cookie: forged } })).status).toBe(401);
    }
  });

  it("signs in with e-mail and password, whatever the case of the address", async () => {
    expect((await signIn(person.password)).status).toBe(201);
    expect((await signIn(person.password, "ANN@example.ORG")).status).toBe(201);
    expect(await codeOf(await signIn("wrong"))).toBe("invalid_credentials");
    expect(await codeOf(await signIn(person.password, "bob@example.org"))).toBe("invalid_credentials");
  });

  it("lists sessions, ends one, and signs out", async () => {
    const other = cookieOf(await signIn(person.password));
    const list = async () => Sessions.parse(await (await server.fetch("/api/v1/sessions", { headers: { cookie } })).json()).items;
    const before = await list();
    expect(before.filter((session) => session.current)).toHaveLength(1);
    const [newest] = before;
    if (newest === undefined) throw new Error("no session");
    expect((await server.fetch(`/api/v1/sessions/${newest.id}`, { method: "DELETE", headers: { cookie } })).status).toBe(204);
    expect((await server.fetch("/api/v1/users/me", { headers: { cookie: other } })).status).toBe(401);
    expect((await server.fetch(`/api/v1/sessions/${newest.id}`, { method: "DELETE", headers: { cookie } })).status).toBe(404);

    const third = cookieOf(await signIn(person.password));
    const out = await server.fetch("/api/v1/sessions/current", { method: "DELETE", headers: { cookie: third } });
    expect(out.status).toBe(204);
    expect(out.headers.getSetCookie().join()).toMatch(/syla\.session_token=;.*Max-Age=0/);
    expect((await server.fetch("/api/v1/users/me", { headers: { cookie: third } })).status).toBe(401);
  });

  it("makes API keys that work until they are revoked", async () => {
    const created = NewApiKey.parse(await (await server.send("POST", "/api/v1/api-keys", { name: "ci" }, { cookie })).json());
    expect(created).toMatchObject({ name: "ci", expiresAt: null });
    expect(created.key.startsWith(created.start)).toBe(true);
    const use = () => server.fetch("/api/v1/users/me", { headers: { authorization: `Bearer ${created.key}` } });
    expect((await use()).status).toBe(200);
    expect((await use()).status).toBe(200);
    const listed = ApiKeys.parse(await (await server.fetch("/api/v1/api-keys", { headers: { cookie } })).json());
    expect(listed.items).toHaveLength(1);
    expect(listed.items[0]?.lastUsedAt).not.toBeNull();
    expect(JSON.stringify(listed)).not.toContain(created.key);
    const stored = await server.context.database.queries.selectFrom("api_keys").selectAll().execute();
    expect(JSON.stringify(stored)).not.toContain(created.key);

    expect((await server.fetch(`/api/v1/api-keys/${created.id}`, { method: "DELETE", headers: { cookie } })).status).toBe(204);
    expect(await codeOf(await use())).toBe("invalid_api_key");
    expect((await server.fetch(`/api/v1/api-keys/${created.id}`, { method: "DELETE", headers: { cookie } })).status).toBe(404);
  });

  it("lets a key expire, also one that was used a moment ago", async () => {
    const created = NewApiKey.parse(await (await server.send("POST", "/api/v1/api-keys", { name: "short", expiresInDays: 1 })).json());
    const soon = new Date(Date.now() + 800);
    await server.context.database.queries.updateTable("api_keys").set({ expires_at: soon }).where("id", "=", created.id).execute();
    const use = () => server.fetch("/api/v1/users/me", { headers: { authorization: `Bearer ${created.key}` } });
    expect((await use()).status).toBe(200);
    await sleep(soon.getTime() - Date.now() + 50);
    expect(await codeOf(await use())).toBe("invalid_api_key");
  });

  it.each([
    { name: "" },
    { name: "a", expiresInDays: 0 },
    { name: "a", expiresInDays: 4000 },
    { name: "a", admin: true },
    {},
    { name: "a", scopes: [] },
    { name: "a", scopes: ["runs"] },
    { name: "a", requestsPerMinute: 0 },
  ])("refuses the key %j", async (body) => {
    expect((await server.send("POST", "/api/v1/api-keys", body)).status).toBe(400);
  });

  it.each(["Bearer", "Basic YTpi", "Bearer a b", `Bearer ${"x".repeat(5000)}`, "Bearer syla_local_guess", "Bearer syla_x"])(
    "refuses the credentials %.20s",
    async (authorization) => {
      const response = await server.fetch("/api/v1/users/me", { headers: { authorization } });
      expect([response.status, await codeOf(response)]).toEqual([401, "invalid_api_key"]);
    },
  );

  it("lets nobody end another person's session or revoke their key", async () => {
    const { queries } = server.context.database;
    const { key } = NewApiKey.parse(await (await server.send("POST", "/api/v1/api-keys", { name: "admin's" })).json());
    await queries.insertInto("users").values({ id: "user_bob", name: "Bob", email: "bob@example.org", image: null }).execute();
    await queries.updateTable("api_keys").set({ reference_id: "user_bob" }).where("name", "=", "admin's").execute();
    const asBob = { authorization: `Bearer ${key}` };
    expect(await (await server.fetch("/api/v1/users/me", { headers: asBob })).json()).toMatchObject({ id: "user_bob", role: "developer" });
    const adminSession = await queries.selectFrom("sessions").select("id").executeTakeFirstOrThrow();
    const adminKey = NewApiKey.parse(await (await server.send("POST", "/api/v1/api-keys", { name: "mine" })).json());
    expect((await server.fetch(`/api/v1/sessions/${adminSession.id}`, { method: "DELETE", headers: asBob })).status).toBe(404);
    expect((await server.fetch(`/api/v1/api-keys/${adminKey.id}`, { method: "DELETE", headers: asBob })).status).toBe(404);
    expect(await (await server.fetch("/api/v1/api-keys", { headers: asBob })).json()).toMatchObject({ items: [{ name: "admin's" }] });
  });

  it("slows down guessing, for the guessed person only", async () => {
    for (let attempt = 0; attempt < 10; attempt += 1) await signIn("guess", "carol@example.org");
    const refused = await signIn("guess", "carol@example.org");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(60);
    expect(await codeOf(refused)).toBe("rate_limited");
    expect((await signIn(person.password)).status).toBe(201);
  });
});

describe("accounts behind a proxy", () => {
  it("sets cookies for https and the base path, and believes the forwarded address", async () => {
    await using server = await startTestServer({ SYLA_PUBLIC_URL: "https://example.org/syla", SYLA_TRUST_PROXY: "1" });
    expect(server.running.setupUrl).toMatch(/^https:\/\/example\.org\/syla\/setup\?token=[\w-]{43}$/);
    const token = new URL(server.running.setupUrl ?? "").searchParams.get("token");
    const forwarded = {
      authorization: "",
      "x-forwarded-for": "198.51.100.1, 203.0.113.9",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "example.org",
      origin: "https://example.org",
    };
    const done = await server.send("POST", "/api/v1/setup", { token, ...person }, forwarded);
    expect(done.status).toBe(201);
    const [set = ""] = done.headers.getSetCookie();
    expect(set).toMatch(/^__Secure-syla\.session_token=/);
    expect(set).toMatch(/Path=\/syla;/);
    expect(set).toMatch(/Secure/);
    const cookie = cookieOf(done);
    const sessions = Sessions.parse(await (await server.fetch("/api/v1/sessions", { headers: { cookie } })).json());
    expect(sessions.items).toMatchObject([{ ip: "203.0.113.9", current: true }]);
  });

  it("does not believe a forwarded address without a proxy", async () => {
    await using server = await startTestServer();
    const token = new URL(server.running.setupUrl ?? "").searchParams.get("token");
    const done = await server.send(
      "POST",
      "/api/v1/setup",
      { token, ...person },
      { authorization: "", "x-forwarded-for": "203.0.113.9", "x-syla-address": "203.0.113.10" },
    );
    const sessions = Sessions.parse(await (await server.fetch("/api/v1/sessions", { headers: { cookie: cookieOf(done) } })).json());
    expect(sessions.items).toMatchObject([{ ip: "127.0.0.1" }]);
  });
});
