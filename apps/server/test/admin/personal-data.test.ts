import { newId } from "@syla/server/platform/ids";
import { createSandbox } from "@syla/testkit/sandboxes";
import { execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportParts, notExported } from "../../src/admin/export/store.ts";
import { leftBehind } from "../../src/admin/forgetting/store.ts";
import { createAccount, share, type Person } from "../access/people.ts";
import { insertDelivery, insertModelCall, ownedKinds, Things } from "../access/things.ts";
import { cookieOf, password, signIn, turnOnTwoFactor } from "../accounts/people.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ SYLA_WORKER_SLOTS: "2", SYLA_WEBHOOK_ALLOW_PRIVATE: "127.0.0.1", SYLA_SIGN_UP: "open" });
});
afterAll(() => server[Symbol.asyncDispose]());

const queries = () => server.context.database.queries;

/** Columns of the tables, and whether they refer to accounts. */
async function readColumns(): Promise<{ name: string; refers: boolean }[]> {
  const { rows } = await sql<{ name: string; refers: boolean }>`
    select c.table_name || '.' || c.column_name as name, exists (
      select from pg_constraint k join pg_attribute a on a.attrelid = k.conrelid and a.attnum = any(k.conkey)
      where k.contype = 'f' and k.confrelid = 'users'::regclass and k.conrelid = c.table_name::regclass and a.attname = c.column_name) as refers
    from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = current_schema() and t.table_type = 'BASE TABLE'`.execute(queries());
  return rows;
}

/** Names of columns that hold somebody's id or address. */
const naming = /(?:^|_)(?:user_id|owner_id|owner_ids|actor_id|impersonator_id|reference_id|api_key_id|subject_id|email)$|_by$/;
/** Called so, and naming nobody. */
const namesNobody = ["sandboxes.paused_by"];

/** Where a text is to be found, as `table.column`. */
async function findMentions(text: string): Promise<string[]> {
  const tables = [...new Set((await readColumns()).map(({ name }) => name.split(".")[0] ?? ""))];
  const found: string[] = [];
  for (const table of tables) {
    const { rows } = await sql<{ key: string }>`
      select distinct e.key from ${sql.table(table)} t, lateral jsonb_each_text(to_jsonb(t)) e where position(${text} in e.value) > 0`.execute(
      queries(),
    );
    found.push(...rows.map(({ key }) => `${table}.${key}`));
  }
  return found.toSorted();
}

/** Somebody who has used everything, and somebody who has been used by them. */
async function makeFullPerson(): Promise<{ ann: Person; bob: Person; teamId: string; cookie: string }> {
  const [ann, bob] = [await createAccount(server, "admin"), await createAccount(server)];
  const send = async <T>(
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = ann.headers,
  ): Promise<T> => {
    const answer = await server.send(method, path, body, { ...headers });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (answer.status === 204 ? undefined : await answer.json()) as T;
  };
  const [first = ""] = await turnOnTwoFactor(server, ann.id, ann.email);
  const cookie = cookieOf(await signIn(server, ann.email, password, { code: first }));
  const run = await execute(server, { language: "bash", code: "echo hello > /output/a.txt", stdin: "x" }, { ...ann.headers });
  const repeated = { language: "bash", code: "true", cache: true };
  for (let count = 0; count < 2; count += 1) await execute(server, repeated, { ...ann.headers });
  await execute(server, { code: "int main() { return 0; }", language: "c" }, { ...ann.headers });
  await send("DELETE", `/api/v1/runs/${(await execute(server, { language: "bash", code: "true" }, { ...ann.headers })).id}`);
  await createSandbox(server, {}, { ...ann.headers });

  const files = [{ path: "main.py", content: "print(1)" }];
  const program = await send<{ id: string; revision: number }>("POST", "/api/v1/assets", { type: "program", name: newId("test"), files });
  await send("POST", `/api/v1/assets/${program.id}/versions`, { version: "1.0.0" });
  const workspace = await send<{ id: string }>("POST", "/api/v1/workspaces", { name: newId("test"), files });
  await send("POST", `/api/v1/workspaces/${workspace.id}/versions`, { message: "as it was" });
  const things = new Things(server, ann, program.id);
  const made = new Map<string, string>();
  for (const kind of ownedKinds) made.set(kind, await things.id(kind));
  const modelConfig = { provider: "ollama", modelId: "m", baseUrl: "http://127.0.0.1:1" };
  const model = await send<{ id: string }>("POST", "/api/v1/models", { name: newId("test"), config: modelConfig });
  await insertModelCall(server, model.id, ann);
  await queries().updateTable("llm_calls").set({ request_text: "what was asked" }).where("user_id", "=", ann.id).execute();
  const ofBob = await insertModelCall(server, model.id, ann);
  await queries().updateTable("llm_calls").set({ user_id: bob.id, credential_owner_id: ann.id }).where("id", "=", ofBob).execute();
  await queries()
    .insertInto("spend_counters")
    .values({ scope: `user:${ann.id}`, period_start: new Date(0), spent: 1 })
    .execute();
  await insertDelivery(server, made.get("webhook") ?? "", ann);

  const team = await send<{ id: string }>("POST", "/api/v1/teams", { name: newId("test") });
  await queries().insertInto("team_members").values({ team_id: team.id, user_id: bob.id, role: "owner" }).execute();
  const ofTeam = await send<{ id: string }>("POST", "/api/v1/assets", { type: "program", name: newId("test"), files, ownerId: team.id });
  await send("POST", `/api/v1/assets/${ofTeam.id}/versions`, { version: "1.0.0" });
  const shared = await send<{ id: string }>("POST", "/api/v1/workspaces", { name: newId("test"), files, ownerId: team.id });
  await send("POST", `/api/v1/workspaces/${shared.id}/versions`, { message: "as it was" });
  await sql`update workspace_versions set author = ${`Name of ${ann.id}`} where created_by = ${ann.id}`.execute(queries());
  await send("POST", "/api/v1/credentials", { kind: "program", name: newId("test"), value: "hidden", ownerId: team.id });
  const link = await send<{ token: string }>("POST", "/api/v1/share-links", { resourceType: "run", resourceId: run.id, level: "view" });
  await send("POST", "/api/v1/share-links/redeem", { token: link.token }, bob.headers);
  await share(server, ann, { resourceType: "asset", resourceId: program.id, email: bob.email, level: "view" });
  const theirs = await execute(server, { language: "bash", code: "true" }, { ...bob.headers });
  await share(server, bob, { resourceType: "run", resourceId: theirs.id, email: ann.email, level: "view" });
  const other = await send<{ token: string }>(
    "POST",
    "/api/v1/share-links",
    { resourceType: "run", resourceId: theirs.id, level: "view" },
    bob.headers,
  );
  await send("POST", "/api/v1/share-links/redeem", { token: other.token });

  await send("PATCH", "/api/v1/notification-preferences", { digest: "daily" });
  await send("PATCH", `/api/v1/quotas/${ann.id}`, { runsPerDay: 100 });
  await send("PATCH", `/api/v1/quotas/${bob.id}`, { runsPerDay: 100 });
  await send("PATCH", `/api/v1/api-keys/${bob.keyId}/quotas`, { runsPerDay: 50 });
  const key = await send<{ id: string; key: string }>("POST", "/api/v1/api-keys", { name: "limited" });
  await send("PATCH", `/api/v1/api-keys/${key.id}/quotas`, { runsPerDay: 50 });
  await execute(server, { language: "bash", code: "true" }, { authorization: `Bearer ${key.key}` });
  await send(
    "POST",
    "/api/v1/tokens",
    { grantType: "api_key", apiKey: ann.headers.authorization.slice("Bearer ".length) },
    { authorization: "" },
  );
  await send("POST", "/api/v1/announcements".replace("/v1/", "/v1/admin/"), { title: "Hello", notify: false });
  await send("POST", "/api/v1/password-reset", { email: ann.email }, { authorization: "" });
  await server.context.accounts.settled();
  await queries()
    .insertInto("invitations")
    .values({
      id: newId("inv"),
      email: ann.email,
      team_id: null,
      team_role: null,
      token_hash: newId("test"),
      invited_by: ann.id,
      expires_at: new Date(),
    })
    .execute();
  await queries().insertInto("quota_warnings").values({ user_id: ann.id, quota: "runsPerDay", period: "2026" }).execute();
  await queries()
    .insertInto("webhook_events")
    .values({ type: "run.finished", owner_ids: [ann.id], program_id: null, run_status: null, asset_type: null, data: "{}" })
    .execute();
  await queries()
    .insertInto("device_codes")
    .values({
      id: newId("dev"),
      device_code_hash: newId("test"),
      user_code: newId("test").slice(-8),
      user_id: ann.id,
      client_name: "a terminal",
      ip_address: null,
      expires_at: new Date(),
    })
    .execute();
  await sql`insert into trigger_calls (id, trigger_id, outcome, ip, bytes) values (${newId("call")}, ${made.get("trigger")}, 'refused', '127.0.0.1', 0)`.execute(
    queries(),
  );
  await sql`insert into run_network (run_id, connections) values (${run.id}, '[]')`.execute(queries());
  await sql`insert into node_runs (run_id, path, attempt, seq, state, message, approved, decided_by, decided_at)
    values (${run.id}, 'ask', 1, 1, 'succeeded', 'Good?', true, ${ann.id}, now())`.execute(queries());
  await sql`insert into storage_jobs (id, kind, state, started_by, worker_id, report)
    select ${newId("job")}, 'check', 'done', ${ann.id}, id, '{}' from workers limit 1`.execute(queries());
  await sql`insert into backup_jobs (id, kind, state, started_by, worker_id, report)
    select ${newId("bjob")}, 'create', 'done', ${ann.id}, id, '{}' from workers limit 1`.execute(queries());
  await sql`update spend_caps set updated_by = ${ann.id}`.execute(queries());
  const acting = await server.send("POST", `/api/v1/users/${bob.id}/impersonate`, { reason: "look" }, { cookie });
  expect(acting.status).toBe(201);
  await server.send("PATCH", "/api/v1/notification-preferences", { digest: "never" }, { cookie: cookieOf(acting) });
  await server.context.audit.flushed();
  return { ann, bob, teamId: team.id, cookie };
}

describe("personal data", () => {
  it("is in the export, or is left out for a reason, whatever column names a person", async () => {
    const columns = await readColumns();
    const listed = [...exportParts.flatMap(({ names }) => names), ...Object.keys(notExported), ...namesNobody];
    const found = columns.filter(({ name, refers }) => refers || naming.test(name.split(".")[1] ?? "")).map(({ name }) => name);
    // Whoever adds a table with somebody's id adds it to admin/export/store.ts, and to admin/forgetting/store.ts where it outlives them.
    expect(found.filter((name) => !listed.includes(name))).toEqual([]);
    const all = columns.map(({ name }) => name);
    expect([...listed, ...Object.keys(leftBehind)].filter((name) => !all.includes(name))).toEqual([]);
  });

  it("is exported whole, without anything that lets somebody in, and is forgotten with the account", async () => {
    const { ann, bob, teamId, cookie } = await makeFullPerson();
    const listed = new Set([...exportParts.flatMap(({ names }) => names), ...Object.keys(notExported)]);
    const inDocuments = /\.(?:author|data|details|message|report|config|value|body|title|name|email|link|scopes|hash|account_id)$/;
    expect((await findMentions(ann.id)).filter((name) => !listed.has(name) && !inDocuments.test(name))).toEqual([]);

    const answer = await server.send("POST", "/api/v1/users/me/export", undefined, { cookie });
    const text = await answer.text();
    const document = JSON.parse(text) as Record<string, object[]>;
    expect(Object.entries(document).filter(([, rows]) => Array.isArray(rows) && rows.length === 0)).toEqual([]);
    expect(document).toMatchObject({
      account: [{ id: ann.id, email: ann.email, two_factor_enabled: true }],
      apiKeys: expect.anything() as unknown,
    });
    expect(JSON.stringify(document["modelCalls"])).toContain("what was asked");
    const { rows: secrets } = await sql<{ secret: string }>`
      select password as secret from accounts where password is not null union select token from sessions where token <> id union select key from api_keys
      union select secret from two_factors union select token_hash from account_links union select token_hash from share_links
      union select refresh_hash from token_families union select hash from run_tokens union select device_code_hash from device_codes`.execute(
      queries(),
    );
    expect(secrets.length).toBeGreaterThan(8);
    expect([...secrets.map(({ secret }) => secret), "hidden", bob.email].filter((secret) => text.includes(secret))).toEqual([]);

    for (const { id } of document["sandboxes"] as { id: string }[])
      expect((await server.fetch(`/api/v1/sandboxes/${id}`, { method: "DELETE", headers: ann.headers })).status).toBeLessThan(300);
    const name = `Name of ${ann.id}`;
    // The calls above were made up, and are counted by this.
    expect(await (await server.send("POST", "/api/v1/usage/recount")).json()).toEqual({ differing: 2 });
    const usedBefore = await sumUse();
    const removed = await server.send("DELETE", `/api/v1/users/${ann.id}`);
    expect([removed.status, await removed.text()]).toEqual([204, ""]);
    const left = new Set([...(await findMentions(ann.id)), ...(await findMentions(ann.email)), ...(await findMentions(name))]);
    expect([...left].filter((column) => !(column in leftBehind))).toEqual([]);
    expect([...left]).toContain("audit_events.actor_id");
    expect([...left]).not.toContain("workspace_versions.author");
    // What was used stays used, by nobody; counted anew it is the same.
    expect(usedBefore).toHaveLength(2);
    expect(await sumUse()).toEqual(usedBefore);
    expect(await (await server.send("POST", "/api/v1/usage/recount")).json()).toEqual({ differing: 0 });
    // What others have by them is still there.
    const { items } = (await (await server.fetch(`/api/v1/assets?owner=${teamId}`, { headers: bob.headers })).json()) as {
      items: { id: string }[];
    };
    expect(items).toHaveLength(1);
    const asset = (await (await server.fetch(`/api/v1/assets/${items[0]?.id}`, { headers: bob.headers })).json()) as object;
    expect(asset).toMatchObject({ createdBy: null, updatedBy: null, version: "1.0.0" });
  }, 120_000);

  it("is given to administrators with a reason, which is recorded, and to nobody else", async () => {
    const [ann, bob] = [await createAccount(server), await createAccount(server)];
    const exportOf = (id: string, headers: object, body: object = { reason: "asked by letter" }) =>
      server.send("POST", `/api/v1/users/${id}/export`, body, { ...headers });
    expect((await exportOf(ann.id, bob.headers)).status).toBe(403);
    expect((await exportOf(ann.id, {}, {})).status).toBe(400);
    expect((await exportOf("user_none", {})).status).toBe(404);
    const answer = await exportOf(ann.id, {});
    expect(answer.headers.get("content-disposition")).toContain("attachment");
    expect(await answer.json()).toMatchObject({ account: [{ id: ann.id }], apiKeys: [{ id: ann.keyId }] });
    await server.context.audit.flushed();
    const event = await queries()
      .selectFrom("audit_events")
      .selectAll()
      .where("action", "=", "admin.user_export")
      .where("outcome", "=", "ok")
      .executeTakeFirstOrThrow();
    expect(event).toMatchObject({ resource_id: ann.id, details: { reason: "asked by letter" } });
  });
});

async function sumUse(): Promise<readonly object[]> {
  const { rows } = await sql<object>`
    select what, sum(ended)::int as ended, sum(cpu_ms)::bigint as cpu_ms, sum(cost)::bigint as cost from usage_counts group by what order by what`.execute(
    queries(),
  );
  return rows;
}
