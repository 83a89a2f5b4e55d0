import { join } from "node:path";
import { NewApiKey } from "@syla/contracts/api-keys";
import { databaseUrl } from "@syla/testkit/database-url";
import { startTestServer } from "@syla/testkit/server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { describe, expect, it } from "vitest";
import { createLogger } from "../../src/platform/logger.ts";
import { EmbeddedPostgres, ensureDatabase } from "../../src/platform/postgres.ts";

const person = { name: "Ann", email: "ann@example.org", password: "correct horse battery" };

describe("database that goes away and comes back", () => {
  it("makes nothing look wrong that is only out of reach", async () => {
    using directory = createTemporaryDirectory();
    const start = () => EmbeddedPostgres.start(join(directory.path, "postgres"), createLogger("silent"));
    let postgres = await start();
    await ensureDatabase(postgres, "syla");
    await using server = await startTestServer({ DATABASE_URL: databaseUrl(postgres.address("syla")), SYLA_DRAIN_SECONDS: "0" });
    const token = new URL(server.running.setupUrl ?? "").searchParams.get("token");
    const done = await server.send("POST", "/api/v1/setup", { token, ...person }, { authorization: "" });
    const cookie = done.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
    const { key } = NewApiKey.parse(await (await server.send("POST", "/api/v1/api-keys", { name: "ci" })).json());

    const statuses = async () =>
      Object.fromEntries(
        await Promise.all(
          Object.entries({
            key: server.fetch("/api/v1/users/me", { headers: { authorization: `Bearer ${key}` } }),
            wrongKey: server.fetch("/api/v1/users/me", { headers: { authorization: "Bearer syla_wrong" } }),
            cookie: server.fetch("/api/v1/users/me", { headers: { cookie } }),
            localKey: server.fetch("/api/v1/users/me"),
            signIn: server.send("POST", "/api/v1/sessions", { email: person.email, password: person.password }, { authorization: "" }),
            setup: server.fetch("/api/v1/setup", { headers: { authorization: "" } }),
            ready: server.fetch("/readyz"),
            alive: server.fetch("/healthz"),
          }).map(async ([name, response]) => [name, (await response).status] as const),
        ),
      );

    await postgres.stop();
    const away = { key: 503, wrongKey: 503, cookie: 503, localKey: 503, signIn: 503, setup: 503, ready: 503, alive: 200 };
    expect(await statuses()).toEqual(away);
    expect(await statuses()).toEqual(away);
    postgres = await start();
    expect(await statuses()).toEqual({
      key: 200,
      wrongKey: 401,
      cookie: 200,
      localKey: 200,
      signIn: 201,
      setup: 200,
      ready: 200,
      alive: 200,
    });
    await server.running.stopNow();
    await postgres.stop();
  });
});
