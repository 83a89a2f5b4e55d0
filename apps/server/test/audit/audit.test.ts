import type { AuditEvent, AuditVerification } from "@syla/contracts/audit";
import { createPerson } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { beforeAll, afterAll, beforeEach, describe, expect, it } from "vitest";
import { Sealer } from "../../src/audit/sealer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ SYLA_WORKER_SLOTS: "0" });
});
afterAll(() => server[Symbol.asyncDispose]());

const queries = () => server.context.database.queries;

/** Writes events with these actions and seals them, as one batch. */
async function sealed(...actions: string[]): Promise<string[]> {
  for (const action of actions)
    server.context.audit.add({
      action,
      actor: null,
      actorName: "Ann Ångström",
      resourceType: "run",
      resourceId: `run_${action}`,
      ip: "192.0.2.7",
    });
  await server.context.audit.flushed();
  await server.context.sealer.seal(-60_000);
  const rows = await queries().selectFrom("audit_events").select("id").where("action", "in", actions).orderBy("id").execute();
  return rows.map((row) => row.id);
}

/** Does what no trigger lets through. */
async function tamper(statement: string): Promise<void> {
  await queries()
    .transaction()
    .execute(async (work) => {
      await sql`set local session_replication_role = replica`.execute(work);
      await sql.raw(statement).execute(work);
    });
}

async function verify(): Promise<AuditVerification> {
  const answer = await server.fetch("/api/v1/audit/verify");
  expect(answer.status).toBe(200);
  return (await answer.json()) as AuditVerification;
}

async function list(query: string): Promise<{ items: AuditEvent[]; nextCursor: string | null }> {
  const answer = await server.fetch(`/api/v1/audit?${query}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as { items: AuditEvent[]; nextCursor: string | null };
}

describe("the audit trail", () => {
  it("is for administrators", async () => {
    for (const path of ["/api/v1/audit", "/api/v1/audit/export", "/api/v1/audit/verify"]) {
      for (const role of ["developer", "end_user"] as const)
        expect((await server.fetch(path, { headers: await createPerson(server, role) })).status).toBe(403);
      expect((await server.fetch(path, { headers: { authorization: "" } })).status).toBe(401);
      expect((await server.fetch(path)).status).toBe(200);
    }
  });

  it("has what was changed as soon as that is answered", async () => {
    const headers = await createPerson(server);
    const names = Array.from({ length: 20 }, (_, place) => `Team ${place}`);
    const found = await Promise.all(
      names.map(async (name) => {
        const made = (await (await server.send("POST", "/api/v1/teams", { name }, headers)).json()) as { id: string };
        const events = await queries().selectFrom("audit_events").select("action").where("resource_id", "=", made.id).execute();
        return events.map(({ action }) => action);
      }),
    );
    expect(found).toEqual(names.map(() => ["team.create"]));
  });

  it("is found by actor, action, thing, outcome, time and text, in pages", async () => {
    const ids = await sealed("share.create", "share.revoke", "share_link.use");
    expect((await list("action=share.*")).items.map((event) => event.id)).toEqual(ids.slice(0, 2).toReversed());
    expect((await list("action=share.create")).items).toMatchObject([{ actorName: "Ann Ångström", outcome: "ok", ip: "192.0.2.7" }]);
    expect((await list("resource=run_share.revoke")).items.map((event) => event.id)).toEqual([ids[1]]);
    expect((await list("q=ångström&action=share*")).items).toHaveLength(3);
    expect((await list("q=100%25")).items).toEqual([]);
    expect((await list("action=share*&outcome=denied")).items).toEqual([]);
    expect((await list("action=share*&since=2100-01-01T00:00:00Z")).items).toEqual([]);
    expect((await list("action=share*&until=2100-01-01T00:00:00Z")).items).toHaveLength(3);
    const first = await list("action=share*&limit=2");
    const second = await list(`action=share*&limit=2&cursor=${first.nextCursor}`);
    expect([...first.items, ...second.items].map((event) => event.id)).toEqual(ids.toReversed());
    expect(second.nextCursor).toBeNull();
    const { userId } = { userId: (await queries().selectFrom("users").select("id").executeTakeFirstOrThrow()).id };
    expect((await list(`actor=${userId}&limit=1`)).items.every((event) => event.actorId === userId)).toBe(true);
  });

  it.each(["cursor=bm9uc2Vuc2U", "outcome=maybe", "since=yesterday", "limit=0", "q=%00", `q=${"x".repeat(201)}`])(
    "refuses %s",
    async (query) => {
      expect((await server.fetch(`/api/v1/audit?${query}`)).status).toBe(400);
    },
  );

  it("is exported as JSON and as CSV that no spreadsheet takes for formulas", async () => {
    server.context.audit.add({
      action: "export.test",
      actor: null,
      actorName: '=HYPERLINK("http://x")',
      resourceId: "a,b\nc",
      details: { n: 1 },
    });
    await server.context.audit.flushed();
    const json = await server.fetch("/api/v1/audit/export?action=export.*");
    expect(json.headers.get("content-disposition")).toMatch(/^attachment; filename="audit-\d{4}-\d\d-\d\d\.json"$/);
    expect(await json.json()).toMatchObject([{ action: "export.test", details: { n: 1 } }]);
    const csv = await (await server.fetch("/api/v1/audit/export?action=export.*&format=csv")).text();
    const [heading, ...lines] = csv.split("\r\n");
    expect(heading).toMatch(/^id,at,actorId,actorName,/);
    expect(lines.join("\r\n")).toContain(`,"'=HYPERLINK(""http://x"")",`);
    expect(lines.join("\r\n")).toContain(`,"a,b\nc",`);
    expect(await (await server.fetch("/api/v1/audit/export?action=never.*")).json()).toEqual([]);
    await server.context.audit.flushed();
    expect((await list("action=admin.audit_export&limit=1")).items).toMatchObject([{ details: { action: "never.*", format: "json" } }]);
  });

  it("is exported whole, however long it is", async () => {
    await sql`insert into audit_events (id, at, actor_name, via, action, outcome)
      select 'aud_' || lpad(n::text, 26, '0'), now(), 'Ann Ångström', 'none', 'many.made', 'ok' from generate_series(1, 2500) n`.execute(
      queries(),
    );
    const events = (await (await server.fetch("/api/v1/audit/export?action=many.*")).json()) as AuditEvent[];
    expect(new Set(events.map((event) => event.id)).size).toBe(2500);
    expect((await (await server.fetch("/api/v1/audit/export?action=many.*&format=csv")).text()).trimEnd().split("\r\n")).toHaveLength(2501);
  });
});

describe("sealing", () => {
  beforeEach(async () => {
    await server.context.audit.flushed();
    await server.context.sealer.seal(-60_000);
  });

  it("chains what was written, once, however many servers do it", async () => {
    const other = new Sealer({ ...server.context, retentionDays: 0 });
    for (let n = 0; n < 40; n += 1) server.context.audit.add({ action: "seal.race", actor: null });
    await server.context.audit.flushed();
    await Promise.all(Array.from({ length: 8 }, (_, n) => (n % 2 === 0 ? server.context.sealer : other).seal(-60_000)));
    await other.seal(-60_000);
    const rows = await queries().selectFrom("audit_events").select("seal_seq").where("action", "=", "seal.race").execute();
    expect(rows).toHaveLength(40);
    expect(rows.every((row) => row.seal_seq !== null)).toBe(true);
    expect(await verify()).toMatchObject({ ok: true, problem: null });
  });

  it("leaves what is only seconds old for the next time", async () => {
    server.context.audit.add({ action: "seal.young", actor: null });
    await server.context.audit.flushed();
    await server.context.sealer.seal(60_000);
    const verification = await verify();
    expect(verification.ok).toBe(true);
    expect(verification.unsealed).toBeGreaterThan(0);
  });

  it("is kept by the database, which refuses every change", async () => {
    const [id] = await sealed("keep.this");
    const refused = "the audit trail is not changed";
    await expect(sql`update audit_events set action = 'x' where id = ${id}`.execute(queries())).rejects.toThrow(refused);
    await expect(sql`update audit_events set seal_seq = 99999 where id = ${id}`.execute(queries())).rejects.toThrow(refused);
    await expect(sql`delete from audit_events where id = ${id}`.execute(queries())).rejects.toThrow(refused);
    await expect(sql`truncate audit_events`.execute(queries())).rejects.toThrow(refused);
    await expect(sql`update audit_seals set hash = 'x'`.execute(queries())).rejects.toThrow("seals");
    await expect(sql`delete from audit_seals`.execute(queries())).rejects.toThrow("seals");
    expect((await verify()).ok).toBe(true);
  });

  it.each([
    ["the action", "action = 'run.other'"],
    ["the details", `details = '{"a":1}'`],
    ["a microsecond", "at = at + interval '1 microsecond'"],
    ["the actor", "actor_id = 'user_1'"],
    ["its seal", "seal_seq = seal_seq - 1"],
  ])("tells which event had %s changed", async (_what, change) => {
    await sealed("before.it");
    const [, id] = await sealed("change.a", "change.b", "change.c");
    await tamper(`create temporary table kept on commit drop as select * from audit_events where id = '${id}';
      update audit_events set ${change} where id = '${id}'`);
    const { ok, problem } = await verify();
    const row = await queries()
      .selectFrom("audit_events")
      .select("seal_seq")
      .where("id", "=", id ?? "")
      .executeTakeFirstOrThrow();
    expect([ok, problem?.eventId]).toEqual([false, id]);
    expect(problem?.seal).toBeLessThanOrEqual((row.seal_seq ?? 0) + 1);
    await repair();
  });

  it("tells which event is missing, and which was added", async () => {
    const [, second = ""] = await sealed("gone.a", "gone.b");
    await tamper(`delete from audit_events where id = '${second}'`);
    expect((await verify()).problem).toMatchObject({ kind: "event_missing", eventId: second });
    await repair();
    const [first = ""] = await sealed("added.a", "added.b");
    const added = "aud_00000000000000000000000009";
    await tamper(`insert into audit_events select '${added}', at, actor_id, actor_name, actor_role, via, impersonator_id, action, resource_type,
      resource_id, outcome, error_code, ip, user_agent, request_id, details, seal_seq from audit_events where id = '${first}'`);
    const { problem } = await verify();
    await repair();
    expect(problem).toMatchObject({ kind: "event_added", eventId: added });
  });

  it("tells which seal was changed, or is missing", async () => {
    await sealed("seal.one");
    await sealed("seal.two");
    await sealed("seal.three");
    const { head } = await verify();
    await tamper(`update audit_seals set event_hashes = array_append(event_hashes[2:], event_hashes[1] || 'x') where seq = ${head.seal}`);
    expect((await verify()).problem?.seal).toBe(head.seal);
    await repair();
    await sealed("seal.four");
    await sealed("seal.five");
    const last = (await verify()).head.seal;
    await tamper(`delete from audit_seals where seq = ${last}; delete from audit_events where seal_seq = ${last}`);
    expect((await verify()).problem).toMatchObject({ kind: "seal_missing", seal: last });
    await repair();
  });

  it("goes on from what is kept when the oldest batches are removed", async () => {
    await sealed("old.a");
    await sealed("old.b");
    const { head } = await verify();
    await tamper(`update audit_seals set at = now() - interval '40 days'`);
    await sealed("new.a");
    const keeper = new Sealer({ ...server.context, retentionDays: 30 });
    await keeper.removeOld();
    const verification = await verify();
    expect(verification).toMatchObject({ ok: true, anchor: { seal: head.seal, hash: head.hash }, seals: 1 });
    expect((await list("action=old.*")).items).toEqual([]);
    await server.context.audit.flushed();
    expect((await list("action=admin.audit_retention")).items).toMatchObject([
      { actorName: "Syla", details: { seals: expect.any(Number) } },
    ]);
    await new Sealer({ ...server.context, retentionDays: 0 }).removeOld(Date.now() + 1e12);
    expect((await verify()).seals).toBe(1);
  });
});

/** Begins a new trail: each test breaks its own. */
async function repair(): Promise<void> {
  await tamper(`delete from audit_events; delete from audit_seals;
    update audit_chain set anchor_seq = 0, anchor_hash = repeat('0', 64), head_seq = 0, head_hash = repeat('0', 64)`);
}
