import type { Workspace } from "@syla/contracts/workspaces";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, it } from "vitest";
import { countStored, measureDrift } from "../../src/quotas/store.ts";
import { sweepWorkspaces } from "../../src/workspaces/lifecycle.ts";
import { readTimes } from "../../src/workspaces/service.ts";
import { createAccount, type Person } from "../access/people.ts";
import { json } from "../catalog/programs.ts";
import { createWorkspace } from "./workspaces.ts";

let server: TestServer;
let ann: Person;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  ann = await createAccount(server);
});
afterAll(() => server[Symbol.asyncDispose]());

const make = async (kind: string, more: object = {}) =>
  (await createWorkspace(server, ann, `A ${kind} ${JSON.stringify(more)}`, {}, { kind, ...more })).id;
const stateOf = async (id: string) => {
  const answer = await server.fetch(`/api/v1/workspaces/${id}`, { headers: ann.headers });
  return answer.status === 200 ? (await json<Workspace>(answer)).state : "gone";
};

/** So much time passes in which nobody uses anything, and somebody looks after it. */
async function pass(interval: string): Promise<void> {
  const { database, settings } = server.context;
  await sql`update workspaces set last_used_at = last_used_at - ${interval}::interval, deleted_at = deleted_at - ${interval}::interval,
    warned_at = warned_at - ${interval}::interval`.execute(database.queries);
  await sweepWorkspaces(
    database,
    readTimes((name) => settings.get(name)),
  );
}

it("of each kind goes its way, and nobody is surprised by it", async () => {
  const [ephemeral, session, kept, persistent, collaborative] = await Promise.all([
    make("ephemeral"),
    make("session"),
    make("session", { keepOnExit: true }),
    make("persistent"),
    make("collaborative"),
  ]);
  const states = async () => await Promise.all([ephemeral, session, kept, persistent, collaborative].map(stateOf));
  expect(await states()).toEqual(["active", "active", "active", "active", "active"]);
  await pass("4 minutes");
  expect(await states()).toEqual(["active", "active", "active", "active", "active"]);
  await pass("2 minutes");
  expect(await states()).toEqual(["gone", "active", "active", "active", "active"]);
  await pass("25 minutes");
  expect(await states()).toEqual(["gone", "suspended", "suspended", "suspended", "active"]);
  // That is nobody's change.
  const idle = await json<Workspace>(server.fetch(`/api/v1/workspaces/${persistent}`, { headers: ann.headers }));
  expect(idle).toMatchObject({ revision: 1, updatedBy: { id: ann.id }, updatedAt: idle.createdAt });
  await pass("30 minutes");
  expect(await states()).toEqual(["gone", "suspended", "suspended", "suspended", "suspended"]);
  await pass("23 hours");
  expect(await states()).toEqual(["gone", "deleted", "archived", "suspended", "suspended"]);
  await pass("26 days 12 hours");
  const told = await server.context.database.queries
    .selectFrom("notifications")
    .select("title")
    .where("user_id", "=", ann.id)
    .orderBy("seq")
    .execute();
  expect(told.map(({ title }) => title).filter((title) => title.includes("persistent") || title.includes("collaborative"))).toHaveLength(2);
  expect(await states()).toEqual(["gone", "deleted", "archived", "suspended", "suspended"]);
  // Whoever is told and uses it has it on.
  await server.send("POST", `/api/v1/workspaces/${collaborative}/versions`, {}, ann.headers);
  await pass("3 days");
  expect(await states()).toEqual(["gone", "deleted", "archived", "archived", "suspended"]);
  await pass("1 day");
  expect(await stateOf(session)).toBe("gone");
  await server.send("POST", `/api/v1/workspaces/${persistent}/resume`, undefined, ann.headers);
  expect(await stateOf(persistent)).toBe("active");
});

it("gives back what was deleted from its files some days ago, and what they are stays", async () => {
  const { queries } = server.context.database;
  const person = await createAccount(server);
  const space = await createWorkspace(server, person, "Emptied", { "large.txt": "x".repeat(3_000_000), "a.txt": "a" });
  const changes = [{ op: "delete", path: "large.txt" }];
  const edited = await server.send("POST", `/api/v1/workspaces/${space.id}/files`, { changes }, { ...person.headers, "if-match": '"1"' });
  expect(edited.status).toBe(200);
  const usage = async () => [await countStored(queries, person.id), await measureDrift(queries, person.id)];
  await pass("1 minute");
  expect(await usage()).toEqual([3_000_001, 0]);
  await sql`update workspace_heads set superseded_at = superseded_at - interval '4 days'`.execute(queries);
  await sql`update uploads set created_at = created_at - interval '4 days'`.execute(queries);
  await pass("1 minute");
  expect(await usage()).toEqual([1, 0]);
  const listing = await json<{ items: object[] }>(server.fetch(`/api/v1/workspaces/${space.id}/files`, { headers: person.headers }));
  expect(listing.items).toHaveLength(1);
  expect(await queries.selectFrom("workspace_heads").select("revision").where("workspace_id", "=", space.id).execute()).toEqual([
    { revision: 2 },
  ]);
});

it("takes its times from the settings", async () => {
  const id = await make("ephemeral", { description: "by the settings" });
  const values = { workspaceEphemeralMinutes: "60" };
  expect((await server.send("PATCH", "/api/v1/admin/settings", { values })).status).toBe(200);
  await pass("30 minutes");
  expect(await stateOf(id)).toBe("active");
  await pass("31 minutes");
  expect(await stateOf(id)).toBe("gone");
});
