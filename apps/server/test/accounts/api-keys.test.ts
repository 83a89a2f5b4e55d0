import { NewApiKey } from "@syla/contracts/api-keys";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addPerson, codeOf, getMe, type Person } from "./people.ts";

describe("API keys", () => {
  let server: TestServer;
  let bob: Person;
  beforeAll(async () => {
    server = await startTestServer({ SYLA_SIGN_UP: "invite" });
    bob = await addPerson(server, "bob@example.org");
  });
  afterAll(() => server[Symbol.asyncDispose]());
  const make = async (input: object, headers: Record<string, string> = { cookie: bob.cookie }) =>
    NewApiKey.parse(await (await server.send("POST", "/api/v1/api-keys", { name: "k", ...input }, headers)).json());
  const bearer = ({ key }: { key: string }) => ({ authorization: `Bearer ${key}` });

  it("may do what their scopes say and nothing else", async () => {
    const reader = await make({ scopes: ["runs:read"] });
    expect((await server.fetch("/api/v1/runs", { headers: bearer(reader) })).status).toBe(200);
    expect(await codeOf(await getMe(server, bearer(reader)))).toBe("scope_missing");
    expect((await server.send("POST", "/api/v1/runs", {}, bearer(reader))).status).toBe(403);
    expect((await getMe(server, bearer(await make({ scopes: ["*:read"] })))).status).toBe(200);
    expect((await getMe(server, bearer(await make({ scopes: ["accounts:*"] })))).status).toBe(200);
  });

  it("never have more than their owner, or than the key that made them", async () => {
    const everything = await make({ scopes: ["*"] });
    expect(await codeOf(await server.fetch("/api/v1/invitations", { headers: bearer(everything) }))).toBe("forbidden");
    const writer = await make({ scopes: ["accounts:*", "runs:read"] });
    const wish = (scopes: string[]) => server.send("POST", "/api/v1/api-keys", { name: "child", scopes }, bearer(writer));
    for (const scopes of [["*"], ["*:read"], ["runs:*"], ["runs:read", "runs:write"]])
      expect(await codeOf(await wish(scopes))).toBe("scope_missing");
    expect(await codeOf(await server.send("POST", "/api/v1/api-keys", { name: "child" }, bearer(writer)))).toBe("scope_missing");
    expect((await wish(["runs:read", "accounts:write"])).status).toBe(201);
  });

  it("are made for parts of the API that there are", async () => {
    const refused = await server.send("POST", "/api/v1/api-keys", { name: "k", scopes: ["runs:read", "tea:read"] }, { cookie: bob.cookie });
    expect(await refused.json()).toMatchObject({ code: "invalid_request", fields: [{ path: "scopes.1" }] });
    const known = (await (await server.fetch("/api/v1/api-key-scopes", { headers: { cookie: bob.cookie } })).json()) as { items: object[] };
    expect(known.items).toContainEqual({ tag: "runs", read: true, write: true, use: false });
  });

  it("are counted by the minute, and say how they stand", async () => {
    const limited = await make({ requestsPerMinute: 2 });
    const free = await make({});
    const first = await getMe(server, bearer(limited));
    expect([first.headers.get("ratelimit-limit"), first.headers.get("ratelimit-remaining")]).toEqual(["2", "1"]);
    expect((await getMe(server, bearer(limited))).status).toBe(200);
    const refused = await getMe(server, bearer(limited));
    expect(refused.status).toBe(429);
    expect(refused.headers.get("ratelimit-remaining")).toBe("0");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    const other = await getMe(server, bearer(free));
    expect([other.status, other.headers.get("ratelimit-limit")]).toEqual([200, "120000"]);
  });
});
