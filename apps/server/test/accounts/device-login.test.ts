import { DeviceCode } from "@syla/contracts/device-login";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addPerson, codeOf, getMe, nobody, type Person } from "./people.ts";

describe("signing in a device", () => {
  let server: TestServer;
  let bob: Person;
  beforeAll(async () => {
    server = await startTestServer({ SYLA_SIGN_UP: "invite" });
    bob = await addPerson(server, "bob@example.org");
  });
  afterAll(() => server[Symbol.asyncDispose]());
  const begin = async () =>
    DeviceCode.parse(await (await server.send("POST", "/api/v1/device-codes", { clientName: "a laptop" }, nobody)).json());
  const redeem = (deviceCode: string) => server.send("POST", "/api/v1/device-codes/token", { deviceCode }, nobody);
  const decide = (userCode: string, approve: boolean, headers: Record<string, string> = { cookie: bob.cookie }) =>
    server.send("POST", `/api/v1/device-codes/${userCode}/decision`, { approve }, headers);

  it("gives a key to the device that was let in, once", async () => {
    const code = await begin();
    expect(code.verificationUrlComplete).toBe(`${server.url}/device?code=${code.userCode}`);
    expect(await codeOf(await redeem(code.deviceCode))).toBe("authorization_pending");
    expect(await codeOf(await redeem(code.deviceCode))).toBe("slow_down");
    const asked = await server.fetch(`/api/v1/device-codes/${code.userCode.toLowerCase().replace("-", "")}`, {
      headers: { cookie: bob.cookie },
    });
    expect(await asked.json()).toMatchObject({ clientName: "a laptop", ip: "127.0.0.1", userCode: code.userCode });
    expect((await decide(code.userCode, true)).status).toBe(204);
    expect((await decide(code.userCode, false)).status).toBe(404);
    const answers = await Promise.all([1, 2, 3].map(() => redeem(code.deviceCode)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 400, 400]);
    const key = (await answers.find(({ status }) => status === 201)?.json()) as { key: string; name: string; expiresAt: string };
    expect(key).toMatchObject({ name: "a laptop", user: { email: "bob@example.org" } });
    expect(Date.parse(key.expiresAt) - Date.now()).toBeLessThanOrEqual(90 * 86_400_000);
    expect((await getMe(server, { authorization: `Bearer ${key.key}` })).status).toBe(200);
    const stored = await server.context.database.queries.selectFrom("device_codes").selectAll().execute();
    expect(JSON.stringify(stored)).not.toContain(code.deviceCode);
  });

  it("gives nothing when it was refused, has expired or was never asked for", async () => {
    const refused = await begin();
    await decide(refused.userCode, false);
    expect(await codeOf(await redeem(refused.deviceCode))).toBe("access_denied");
    const late = await begin();
    await server.context.database.queries
      .updateTable("device_codes")
      .set({ expires_at: new Date(0) })
      .where("user_code", "=", late.userCode)
      .execute();
    expect(await codeOf(await redeem(late.deviceCode))).toBe("expired_token");
    expect((await decide(late.userCode, true)).status).toBe(404);
    expect(await codeOf(await redeem("guess"))).toBe("expired_token");
  });

  it("is decided by a person in a browser, not by a key", async () => {
    const made = (await (
      await server.send("POST", "/api/v1/api-keys", { name: "k", scopes: ["accounts:*"] }, { cookie: bob.cookie })
    ).json()) as { key: string };
    const code = await begin();
    expect(await codeOf(await decide(code.userCode, true, { authorization: `Bearer ${made.key}` }))).toBe("session_required");
    expect(await codeOf(await redeem(code.deviceCode))).toBe("authorization_pending");
    expect((await decide(code.userCode, true, { cookie: bob.cookie, origin: "https://evil.example" })).status).toBe(403);
  });

  it("gives nothing to who was suspended meanwhile", async () => {
    const code = await begin();
    await decide(code.userCode, true);
    await server.context.database.queries.updateTable("users").set({ status: "suspended" }).where("id", "=", bob.id).execute();
    expect(await codeOf(await redeem(code.deviceCode))).toBe("account_suspended");
  });

  it("slows down guessing of codes", async () => {
    await server.context.database.queries.updateTable("users").set({ status: "active" }).where("id", "=", bob.id).execute();
    const statuses: number[] = [];
    for (let n = 0; n < 25; n += 1)
      statuses.push((await server.fetch("/api/v1/device-codes/XXXX-XXXX", { headers: { cookie: bob.cookie } })).status);
    expect(statuses.at(-1)).toBe(429);
  });
});
