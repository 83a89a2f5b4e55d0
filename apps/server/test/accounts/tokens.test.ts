import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { TokenPair } from "@syla/contracts/tokens";
import { submit } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addPerson, codeOf, getMe, nobody, type Person } from "./people.ts";

/** An issuer on loopback that signs what it is told to. */
async function startIssuer() {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const other = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(publicKey)), kid: "1", alg: "ES256" };
  const server: Server = createServer((request, response) => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const document = request.url === "/keys" ? { keys: [jwk] } : { issuer: url, jwks_uri: `${url}/keys` };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(document));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sign = (claims: object, change: { audience?: string; issuer?: string; key?: CryptoKey; from?: number; until?: number } = {}) => {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg: "ES256", kid: "1" })
      .setIssuer(change.issuer ?? url)
      .setAudience(change.audience ?? "syla")
      .setIssuedAt(now + (change.from ?? 0))
      .setExpirationTime(now + (change.until ?? 300))
      .sign(change.key ?? privateKey);
  };
  return { url, server, sign, otherKey: other.privateKey, publicJwk: jwk };
}

let issuer: Awaited<ReturnType<typeof startIssuer>>;
let server: TestServer;
let bob: Person;
beforeAll(async () => {
  issuer = await startIssuer();
  server = await startTestServer({
    SYLA_SIGN_UP: "invite",
    SYLA_TRUSTED_ISSUERS: JSON.stringify([{ issuer: issuer.url, audience: "syla" }]),
  });
  bob = await addPerson(server, "bob@example.org");
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await new Promise((resolve) => issuer.server.close(resolve));
});

const ask = (body: object) => server.send("POST", "/api/v1/tokens", body, nobody);
const pairOf = async (body: object) => (await (await ask(body)).json()) as TokenPair;
const as = (token: string) => ({ authorization: `Bearer ${token}` });
const makeKey = async (more: object = {}) =>
  (await (await server.send("POST", "/api/v1/api-keys", { name: "service", ...more }, { cookie: bob.cookie })).json()) as {
    id: string;
    key: string;
  };

describe("tokens for an API key", () => {
  it("stand for its owner, within its scopes or fewer", async () => {
    const { key } = await makeKey({ scopes: ["runs:*", "accounts:read"] });
    const pair = await pairOf({ grantType: "api_key", apiKey: key });
    expect(pair).toMatchObject({ tokenType: "Bearer", expiresIn: 900, scopes: ["runs:*", "accounts:read"] });
    expect(await (await getMe(server, as(pair.accessToken))).json()).toMatchObject({ id: bob.id });
    expect((await server.fetch("/api/v1/runs", { headers: as(pair.accessToken) })).status).toBe(200);
    expect(await codeOf(await server.fetch("/api/v1/teams", { headers: as(pair.accessToken) }))).toBe("scope_missing");
    const fewer = await pairOf({ grantType: "api_key", apiKey: key, scopes: ["runs:read"] });
    expect(await codeOf(await getMe(server, as(fewer.accessToken)))).toBe("scope_missing");
    expect(await codeOf(await ask({ grantType: "api_key", apiKey: key, scopes: ["teams:read"] }))).toBe("scope_missing");
    const made = await server.send("POST", "/api/v1/api-keys", { name: "more" }, as(pair.accessToken));
    expect(await codeOf(made)).toBe("scope_missing");
    expect(await codeOf(await ask({ grantType: "api_key", apiKey: "syla_wrong" }))).toBe("invalid_api_key");
  });

  it("end with the key", async () => {
    const { id, key } = await makeKey();
    const pair = await pairOf({ grantType: "api_key", apiKey: key });
    expect((await getMe(server, as(pair.accessToken))).status).toBe(200);
    await server.fetch(`/api/v1/api-keys/${id}`, { method: "DELETE", headers: { cookie: bob.cookie } });
    await expect.poll(async () => await codeOf(await getMe(server, as(pair.accessToken)))).toBe("token_invalid");
    expect(await codeOf(await ask({ grantType: "refresh_token", refreshToken: pair.refreshToken }))).toBe("token_invalid");
  });

  it("are believed only as they were signed", async () => {
    const { key } = await makeKey();
    const { accessToken } = await pairOf({ grantType: "api_key", apiKey: key });
    const [head = "", body = "", signature = ""] = accessToken.split(".");
    const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as Record<string, unknown>;
    const changed = Buffer.from(JSON.stringify({ ...claims, sub: "user_other" })).toString("base64url");
    const unsigned = new UnsecuredJWT(claims).encode();
    const foreign = await new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "at+jwt" }).sign(new Uint8Array(32));
    for (const forged of [`${head}.${changed}.${signature}`, unsigned, `${unsigned}x`, foreign, `${head}.${body}.AAAA`, "a.b.c"])
      expect([forged, ["token_invalid", "invalid_api_key"].includes(await codeOf(await getMe(server, as(forged))))]).toEqual([
        forged,
        true,
      ]);
  });
});

describe("renewing", () => {
  it("takes each refresh token once, and ends everything when an old one comes back", async () => {
    const { key } = await makeKey();
    const first = await pairOf({ grantType: "api_key", apiKey: key });
    const second = await pairOf({ grantType: "refresh_token", refreshToken: first.refreshToken });
    expect(second.refreshToken).not.toBe(first.refreshToken);
    const third = await pairOf({ grantType: "refresh_token", refreshToken: second.refreshToken });
    expect((await getMe(server, as(third.accessToken))).status).toBe(200);
    await server.context.database.queries
      .updateTable("token_families")
      .set({ refreshed_at: new Date(Date.now() - 60_000) })
      .execute();
    expect(await codeOf(await ask({ grantType: "refresh_token", refreshToken: second.refreshToken }))).toBe("token_invalid");
    expect(await codeOf(await ask({ grantType: "refresh_token", refreshToken: third.refreshToken }))).toBe("token_invalid");
    await expect.poll(async () => await codeOf(await getMe(server, as(third.accessToken)))).toBe("token_invalid");
  });

  it("ends what was opened with a token when it is revoked", async () => {
    const { key } = await makeKey();
    const pair = await pairOf({ grantType: "api_key", apiKey: key });
    const run = await submit(server, { code: "sleep 60", entrypoint: "main.sh" }, as(pair.accessToken));
    const stream = await server.fetch(`/api/v1/runs/${run.id}/events`, {
      headers: { ...as(pair.accessToken), accept: "text/event-stream" },
    });
    expect(stream.status).toBe(200);
    const read = stream.text().catch(() => "cut");
    await server.send("POST", "/api/v1/tokens/revoke", { refreshToken: pair.refreshToken }, nobody);
    await read;
    await server.send("POST", `/api/v1/runs/${run.id}/cancel`);
  });

  it("lets a client that lost an answer ask once more, and two at once both go on", async () => {
    const { key } = await makeKey();
    const first = await pairOf({ grantType: "api_key", apiKey: key });
    const both = await Promise.all([1, 2].map(() => ask({ grantType: "refresh_token", refreshToken: first.refreshToken })));
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
  });

  it("ends where it is revoked, with time, and for who is suspended", async () => {
    const { key } = await makeKey();
    const [revoked, old] = [await pairOf({ grantType: "api_key", apiKey: key }), await pairOf({ grantType: "api_key", apiKey: key })];
    const revoke = (refreshToken: string) => server.send("POST", "/api/v1/tokens/revoke", { refreshToken }, nobody);
    expect((await revoke(revoked.refreshToken)).status).toBe(204);
    expect((await revoke("unknown")).status).toBe(204);
    expect(await codeOf(await ask({ grantType: "refresh_token", refreshToken: revoked.refreshToken }))).toBe("token_invalid");
    await server.context.database.queries
      .updateTable("token_families")
      .set({ expires_at: new Date(0) })
      .execute();
    expect(await codeOf(await ask({ grantType: "refresh_token", refreshToken: old.refreshToken }))).toBe("token_invalid");
    const carol = await addPerson(server, "carol@example.org");
    const hers = (await (await server.send("POST", "/api/v1/api-keys", { name: "k" }, { cookie: carol.cookie })).json()) as { key: string };
    const pair = await pairOf({ grantType: "api_key", apiKey: hers.key });
    expect((await getMe(server, as(pair.accessToken))).status).toBe(200);
    await server.context.admin.suspend(carol.id, "a reason");
    await expect.poll(async () => await codeOf(await getMe(server, as(pair.accessToken)))).toBe("account_suspended");
    expect(await codeOf(await ask({ grantType: "refresh_token", refreshToken: pair.refreshToken }))).toBe("account_suspended");
    const rows = await server.context.database.queries.selectFrom("token_families").select(["refresh_hash"]).execute();
    expect(JSON.stringify(rows)).not.toContain(pair.refreshToken);
  });
});

describe("tokens of a trusted issuer", () => {
  const exchange = (subjectToken: string) => ask({ grantType: "token_exchange", subjectToken });

  it("are exchanged for ours; the account is made at the first visit, one for each person", async () => {
    const claims = { sub: "host-1", name: "Una", email: "Una@example.org", email_verified: true };
    const answers = await Promise.all([1, 2, 3].map(async () => await exchange(await issuer.sign(claims))));
    const pairs = await Promise.all(answers.map(async (answer) => (await answer.json()) as TokenPair));
    const people = await Promise.all(
      pairs.map(async ({ accessToken }) => (await (await getMe(server, as(accessToken))).json()) as { id: string }),
    );
    expect(new Set(people.map(({ id }) => id)).size).toBe(1);
    expect(people[0]).toMatchObject({ name: "Una", email: "una@example.org", role: "end_user" });
    const again = await exchange(await issuer.sign({ ...claims, name: "Another", email: "x@example.org" }));
    expect(await (await getMe(server, as(((await again.json()) as TokenPair).accessToken))).json()).toMatchObject({
      id: people[0]?.id,
      name: "Una",
    });
  });

  it("give nobody the account of somebody else's address", async () => {
    const pair = (await (await exchange(await issuer.sign({ sub: "host-2", email: bob.email, email_verified: true }))).json()) as TokenPair;
    const me = (await (await getMe(server, as(pair.accessToken))).json()) as { id: string; email: string | null };
    expect(me.id).not.toBe(bob.id);
    expect(me.email).toBeNull();
    const unconfirmed = await issuer.sign({ sub: "host-3", email: "free@example.org" });
    const other = (await (await exchange(unconfirmed)).json()) as TokenPair;
    expect(await (await getMe(server, as(other.accessToken))).json()).toMatchObject({ email: null });
  });

  it("are refused when they are forged, for others, old, or without a subject", async () => {
    const claims = { sub: "host-4" };
    const forged = [
      await issuer.sign(claims, { key: issuer.otherKey }),
      await issuer.sign(claims, { audience: "another" }),
      await issuer.sign(claims, { issuer: "https://evil.example" }),
      await issuer.sign(claims, { from: -600, until: -60 }),
      await issuer.sign(claims, { from: -7200 }),
      await issuer.sign({}),
      await issuer.sign({ sub: "" }),
      await issuer.sign({ sub: "a\0b" }),
      new UnsecuredJWT(claims).setIssuer(issuer.url).setAudience("syla").setIssuedAt().setExpirationTime("1m").encode(),
      // Signed with the public key as if it were a shared secret.
      await new SignJWT(claims)
        .setProtectedHeader({ alg: "HS256", kid: "1" })
        .setIssuer(issuer.url)
        .setAudience("syla")
        .setIssuedAt()
        .setExpirationTime("1m")
        .sign(new TextEncoder().encode(JSON.stringify(issuer.publicJwk).padEnd(64))),
      "no token",
    ];
    for (const token of forged) expect(await codeOf(await exchange(token))).toBe("token_invalid");
    const made = await server.context.database.queries.selectFrom("accounts").select("id").where("account_id", "=", "host-4").execute();
    expect(made).toEqual([]);
  });
});
