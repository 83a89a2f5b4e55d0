import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Asset } from "@syla/contracts/assets";
import { Import } from "@syla/contracts/imports";
import { createTestDatabase } from "@syla/testkit/database";
import { startTestGitServer } from "@syla/testkit/git-server";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { sql } from "kysely";
import { expect, it } from "vitest";

async function settle(server: TestServer, id: string): Promise<Import> {
  for (;;) {
    const found = Import.parse(await (await server.fetch(`/api/v1/imports/${id}`)).json());
    if (found.state !== "fetching" && found.state !== "analysing" && found.state !== "creating") return found;
    await sleep(50);
  }
}

it("imports that a server leaves go on in the next, or say why not; what was being made is made once", async () => {
  await using git = await startTestGitServer();
  git.create("repo", [{ files: { "main.py": "print(1)" } }]);
  using directory = createTemporaryDirectory();
  await using database = await createTestDatabase();
  const variables = {
    SYLA_DATA_DIR: join(directory.path, "data"),
    DATABASE_URL: database.url,
    SYLA_NETWORK_ALLOW_PRIVATE: git.url.replace("http://", ""),
  };
  const first = await startTestServer(variables);
  git.behaviour.stall = true;
  const begin = async (more: object) => {
    const source = { kind: "git", url: `${git.url}/repo.git`, ...more };
    return ((await (await first.send("POST", "/api/v1/imports", { source })).json()) as Import).id;
  };
  const open = await begin({});
  const secret = await begin({ token: "gone-with-the-server" });
  const files = [{ path: "main.py", content: "print('made')" }];
  const made = ((await (await first.send("POST", "/api/v1/imports", { source: { kind: "files", files } })).json()) as Import).id;
  await settle(first, made);
  const confirmed = await first.send("POST", `/api/v1/imports/${made}/confirm`, { name: "Made" });
  expect(confirmed.status).toBe(201);
  const again = async (content: string) => {
    const source = { kind: "files", files: [{ path: "main.py", content }] };
    const begun = (await (await first.send("POST", "/api/v1/imports", { source, assetId: program.id })).json()) as Import;
    await settle(first, begun.id);
    return begun.id;
  };
  const program = (await confirmed.json()) as Asset;
  const outdated = await again("print('outdated')");
  const file = { path: "important.py", content: "print('important')" };
  const changes = [{ op: "write", file }];
  expect((await first.send("POST", `/api/v1/programs/${program.id}/files`, { changes }, { "if-match": "*" })).status).toBe(200);
  const pending = ((await (await first.send("POST", "/api/v1/imports", { source: { kind: "files", files } })).json()) as Import).id;
  await settle(first, pending);
  await first.running.stopNow();

  const check = await createConnection(database.url);
  // As a server leaves it that is killed in the middle of making: one program is there already, one is not.
  await check(sql`alter table imports disable trigger imports_transition`);
  await check(sql`update imports set state = 'creating', confirmation = '{"name": "Made"}', worker_id = null where id = ${made}`);
  await check(sql`update imports set state = 'creating', confirmation = '{"name": "Pending"}', worker_id = null where id = ${pending}`);
  await check(sql`update imports set state = 'creating', confirmation = '{"version": "1.0.0"}', worker_id = null where id = ${outdated}`);
  await check(sql`alter table imports enable trigger imports_transition`);
  await check.close();

  delete git.behaviour.stall;
  await using next = await startTestServer(variables);
  const reopened = await settle(next, open);
  expect(reopened).toMatchObject({ state: "review", source: { ref: "main" } });
  expect(await settle(next, secret)).toMatchObject({
    state: "failed",
    error: { code: "git_denied", hint: expect.stringContaining("not stored") as string },
  });
  expect((await settle(next, made)).state).toBe("created");
  expect((await settle(next, pending)).state).toBe("created");
  // What somebody changed before the server was killed is not replaced after it.
  expect(await settle(next, outdated)).toMatchObject({ state: "review", diff: { removed: ["important.py"], changed: ["main.py"] } });
  const confirmedAgain = await next.send("POST", `/api/v1/imports/${outdated}/confirm`, { version: "1.0.0" });
  expect(await confirmedAgain.json()).toMatchObject({ id: program.id, version: "1.0.0" });
  const { items } = (await (await next.fetch("/api/v1/assets?type=program&sort=name")).json()) as { items: { name: string }[] };
  expect(items.map((item) => item.name)).toEqual(["Made", "Pending"]);
});

async function createConnection(url: string) {
  const { openDatabase } = await import("../../src/platform/database.ts");
  const { createLogger } = await import("../../src/platform/logger.ts");
  const database = openDatabase({ connectionString: url }, createLogger("silent"));
  const run = async (statement: ReturnType<typeof sql>) => void (await statement.execute(database.queries));
  return Object.assign(run, { close: () => database.close() });
}
