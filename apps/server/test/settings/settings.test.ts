import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Setting } from "@syla/contracts/settings";
import { createTestDatabase } from "@syla/testkit/database";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccount, type Person } from "../access/people.ts";

const stack = new AsyncDisposableStack();
let server: TestServer;
let other: TestServer;
let ann: Person;

beforeAll(async () => {
  const database = stack.use(await createTestDatabase());
  server = stack.use(await startTestServer({ DATABASE_URL: database.url, SYLA_SANDBOX_LIMIT: "7" }));
  other = stack.use(await startTestServer({ DATABASE_URL: database.url, SYLA_WORKER_SLOTS: "0" }));
  ann = await createAccount(server);
});
afterAll(() => stack.disposeAsync());

const change = (values: Readonly<Record<string, unknown>>, headers: Record<string, string> = {}, on = server) =>
  on.send("PATCH", "/api/v1/admin/settings", { values }, headers);
const read = async (name: string, on = server) =>
  ((await (await on.fetch("/api/v1/admin/settings")).json()) as { items: Setting[] }).items.find((setting) => setting.name === name);
const signUpMode = async (on: TestServer) => ((await (await on.fetch("/api/v1/sign-up")).json()) as { mode: string }).mode;

describe("a setting that an administrator changes", () => {
  it("takes effect in every server at once, survives a restart, and goes back to the default", async () => {
    expect(await read("signUp")).toMatchObject({ value: "closed", origin: "default", isFixed: false, form: { kind: "choice" } });
    expect((await change({ signUp: "open", quotaRunsPerDay: "2" })).status).toBe(200);
    expect(await signUpMode(server)).toBe("open");
    await expect.poll(() => signUpMode(other)).toBe("open");
    expect(await read("signUp", other)).toMatchObject({ value: "open", origin: "administrator" });
    const quotas = await (await server.fetch("/api/v1/quotas", { headers: ann.headers })).json();
    expect(quotas).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ name: "runsPerDay", limit: 2, isDefault: true })]),
    });
    await change({ signUp: null, quotaRunsPerDay: "" });
    expect(await read("quotaRunsPerDay")).toMatchObject({ value: "50", origin: "default" });
    await expect.poll(() => signUpMode(other)).toBe("closed");
  });

  it("is refused as a whole when one of it is wrong, and says what", async () => {
    const wrong = { signUp: "everybody", signUpDomains: "example.org", sandboxes: "1", quotaStorageMb: "-2", anonymousLinks: "maybe" };
    for (const [name, value] of Object.entries(wrong)) {
      if (name === "signUpDomains") continue;
      const answer = await change({ signUpDomains: "example.org", [name]: value });
      expect([name, answer.status, await answer.json()]).toMatchObject([
        name,
        400,
        { code: "invalid_request", fields: [{ path: `values.${name}` }] },
      ]);
    }
    const together = await change({ signUp: "domain" });
    expect(await together.json()).toMatchObject({ fields: [{ path: "values.signUpDomains" }] });
    const lockedOut = await change({ passwordSignIn: "false" });
    expect(await lockedOut.json()).toMatchObject({ fields: [{ message: "must stay on while there is no identity provider" }] });
    for (const values of [
      { signUp: 1 },
      { signUp: "x".repeat(5000) },
      { constructor: "1" },
      { databaseUrl: "postgres://h/d" },
      { dataDir: "/" },
    ])
      expect((await change(values)).status).toBe(400);
    expect(await read("signUpDomains")).toMatchObject({ isSet: false, origin: "default" });
    expect((await change({ signUp: "domain", signUpDomains: "example.org, example.net" })).status).toBe(200);
    expect((await change({ signUpDomains: null })).status).toBe(400);
    expect((await change({ signUp: null, signUpDomains: null })).status).toBe(200);
  });

  it("stays what the environment or the file says", async () => {
    expect(await read("sandboxLimit")).toMatchObject({ value: "7", origin: "environment", isFixed: true, form: { kind: "number" } });
    const refused = await change({ sandboxLimit: "9", anonymousLinks: "true" });
    expect([refused.status, await refused.json()]).toMatchObject([409, { code: "setting_fixed", details: { name: "sandboxLimit" } }]);
    expect(await read("anonymousLinks")).toMatchObject({ value: "false" });
    // The other server does not fix it, so there it may be chosen; here the environment still wins.
    expect((await change({ sandboxLimit: "9" }, {}, other)).status).toBe(200);
    expect(await read("sandboxLimit", other)).toMatchObject({ value: "9", origin: "administrator" });
    await expect.poll(async () => (await read("sandboxLimit"))?.value).toBe("7");
    await change({ sandboxLimit: null }, {}, other);
    using directory = createTemporaryDirectory();
    writeFileSync(join(directory.path, "config.json"), JSON.stringify({ signUp: "invite" }));
    await using fixed = await startTestServer({ SYLA_DATA_DIR: directory.path });
    expect(await read("signUp", fixed)).toMatchObject({ value: "invite", origin: "file", isFixed: true });
    expect((await change({ signUp: "open" }, {}, fixed)).status).toBe(409);
  });

  it("of two at once keeps both, and is for administrators alone", async () => {
    await Promise.all([
      change({ quotaStorageMb: "10" }),
      change({ quotaConcurrentRuns: "4" }, {}, other),
      change({ rateLimit: "999" }),
      change({ anonymousLinks: "on" }, {}, other),
    ]);
    await expect
      .poll(async () => [
        await read("quotaStorageMb"),
        await read("quotaConcurrentRuns"),
        await read("rateLimit"),
        await read("anonymousLinks"),
      ])
      .toMatchObject([{ value: "10" }, { value: "4" }, { value: "999" }, { value: "true" }]);
    expect((await server.fetch("/api/v1/users/me", { headers: ann.headers })).headers.get("ratelimit-limit")).toBe("999");
    expect((await change({ rateLimit: "1" }, ann.headers)).status).toBe(403);
    await change({ quotaStorageMb: null, quotaConcurrentRuns: null, rateLimit: null, anonymousLinks: null });
  });

  it("is in the audit trail with what it was before", async () => {
    await change({ anonymousLinks: "true" });
    await change({ anonymousLinks: "false" });
    await server.context.audit.flushed();
    const events = await server.context.database.queries
      .selectFrom("audit_events")
      .select(["action", "details"])
      .where("action", "=", "admin.settings_update")
      .orderBy("id", "desc")
      .limit(1)
      .execute();
    expect(events).toEqual([{ action: "admin.settings_update", details: { changes: { anonymousLinks: { from: "true", to: "false" } } } }]);
  });

  it("that cannot be read any more counts as not chosen", async () => {
    const { queries } = server.context.database;
    await queries
      .updateTable("settings")
      .set({ value: JSON.stringify({ signUp: "sideways", quotaStorageMb: "12", gone: "1" }) })
      .where("key", "=", "chosen")
      .execute();
    await change({ quotaStorageMb: "13" });
    expect(await read("signUp")).toMatchObject({ value: "closed", origin: "default" });
    expect(await read("quotaStorageMb")).toMatchObject({ value: "13", origin: "administrator" });
  });
});
