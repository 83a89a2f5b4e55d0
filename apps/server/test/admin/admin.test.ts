import { UserRecord } from "@syla/contracts/admin";
import { createPerson, execute, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let server: TestServer;
let cookie: string;
const admin = { name: "Ann Ångström", email: "ann@example.org", password: "correct horse battery" };

beforeAll(async () => {
  server = await startTestServer({ SYLA_WORKER_SLOTS: "2" });
  const token = new URL(server.running.setupUrl ?? "").searchParams.get("token");
  cookie = cookiesOf(await server.send("POST", "/api/v1/setup", { token, ...admin }, { authorization: "" }), "");
});
afterAll(() => server[Symbol.asyncDispose]());

/** The cookies that a browser has after an answer. */
function cookiesOf(answer: Response, before: string): string {
  const jar = new Map(before.split("; ").flatMap((pair) => (pair === "" ? [] : [pair.split(/=(.*)/s) as [string, string]])));
  for (const set of answer.headers.getSetCookie()) {
    const [name = "", value = ""] = (set.split(";", 1)[0] ?? "").split(/=(.*)/s);
    if (value === "" || /max-age=0/i.test(set)) jar.delete(name);
    else jar.set(name, value);
  }
  return [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
}

async function person(role: "developer" | "end_user" | "admin" = "developer") {
  const headers = await createPerson(server, role);
  const me = (await (await server.fetch("/api/v1/users/me", { headers })).json()) as { id: string; email: string };
  return { headers, ...me };
}

const code = async (answer: Response) => ((await answer.json()) as { code: string }).code;
const setRole = (id: string, role: string, headers = {}) => server.send("PATCH", `/api/v1/users/${id}`, { role }, headers);
const suspend = (id: string, reason = "a test", headers = {}) => server.send("POST", `/api/v1/users/${id}/suspend`, { reason }, headers);

/** Waits until somebody waits for a row that another has locked. */
async function blocked(): Promise<void> {
  const { queries } = server.context.database;
  const waiting = sql<object>`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  await expect.poll(async () => (await waiting.execute(queries)).rows.length).toBeGreaterThan(0);
}

async function audited(
  action: string,
): Promise<readonly { outcome: string; actor_id: string | null; impersonator_id: string | null; details: unknown }[]> {
  await server.context.audit.flushed();
  return await server.context.database.queries.selectFrom("audit_events").selectAll().where("action", "=", action).orderBy("id").execute();
}

describe("accounts", () => {
  it("are listed, searched and filtered in pages", async () => {
    const people = [await person(), await person("end_user"), await person("end_user")];
    const list = async (query: string) => {
      const answer = await server.fetch(`/api/v1/users${query}`);
      expect(answer.status).toBe(200);
      return (await answer.json()) as { items: { id: string }[]; nextCursor: string | null };
    };
    const page = await list("?limit=2");
    expect(page.items.map(({ id }) => id)).toEqual([people[2]?.id, people[1]?.id]);
    expect((await list(`?limit=1&cursor=${page.nextCursor}`)).items[0]?.id).toBe(people[0]?.id);
    expect((await list("?q=ANN%40")).items).toMatchObject([{ name: admin.name, role: "admin", status: "active" }]);
    expect((await list("?q=%25")).items).toEqual([]);
    expect((await list("?role=end_user")).items).toHaveLength(2);
    expect((await list("?status=suspended")).items).toEqual([]);
    expect(await code(await server.fetch("/api/v1/users?cursor=run_1"))).toBe("invalid_cursor");
    expect((await server.fetch("/api/v1/users?role=king")).status).toBe(400);
  });

  it("are found among ten thousand, by every filter at once, each of them on one page", async () => {
    const { queries } = server.context.database;
    await sql`insert into users (id, name, email, email_verified, role, status)
      select 'user_' || lpad(n::text, 26, '0'), 'Crowd ' || n, 'crowd' || n || '@example.org', true,
        case when n % 10 = 0 then 'end_user' else 'developer' end, case when n % 100 = 0 then 'suspended' else 'active' end
      from generate_series(1, 10000) n`.execute(queries);
    const all = async (query: string) => {
      const found: string[] = [];
      for (let cursor: string | null = ""; cursor !== null;) {
        const answer = await server.fetch(`/api/v1/users?limit=200&${query}${cursor === "" ? "" : `&cursor=${cursor}`}`);
        const page = (await answer.json()) as { items: { name: string }[]; nextCursor: string | null };
        found.push(...page.items.map(({ name }) => name));
        cursor = page.nextCursor;
      }
      return found;
    };
    expect(await all("q=crowd7777%40")).toEqual(["Crowd 7777"]);
    expect(await all("q=Crowd&role=end_user&status=suspended")).toHaveLength(100);
    expect(await all("q=crowd&status=active&role=developer")).toHaveLength(9000);
    const every = await all("q=CROWD");
    expect([every.length, new Set(every).size, every[0], every.at(-1)]).toEqual([10_000, 10_000, "Crowd 10000", "Crowd 1"]);
    await queries.deleteFrom("users").where("name", "like", "Crowd %").execute();
  });

  it("are for administrators: everybody else is refused every route, and that is recorded", async () => {
    const [ann, victim] = [await person(), await person()];
    for (const [method, path, body] of [
      ["GET", "/api/v1/users", undefined],
      ["GET", `/api/v1/users/${victim.id}`, undefined],
      ["PATCH", `/api/v1/users/${ann.id}`, { role: "admin" }],
      ["POST", `/api/v1/users/${victim.id}/suspend`, { reason: "x" }],
      ["POST", `/api/v1/users/${victim.id}/reactivate`, undefined],
      ["DELETE", `/api/v1/users/${victim.id}/sessions`, undefined],
      ["DELETE", `/api/v1/users/${victim.id}`, undefined],
      ["POST", `/api/v1/users/${victim.id}/impersonate`, { reason: "x" }],
      ["GET", "/api/v1/admin/overview", undefined],
      ["GET", "/api/v1/admin/deliveries", undefined],
      ["POST", "/api/v1/admin/announcements", { title: "x" }],
    ] as const) {
      const refused = await server.send(method, path, body, ann.headers);
      expect([method, path, refused.status]).toEqual([method, path, 403]);
      expect((await server.send(method, path, body, { authorization: "" })).status).toBe(401);
    }
    expect(await audited("admin.user_update")).toMatchObject([{ outcome: "denied", actor_id: ann.id }]);
  });

  it("get another role, are suspended with a reason and let in again", async () => {
    const ann = await person();
    expect(UserRecord.parse(await (await setRole(ann.id, "end_user")).json())).toMatchObject({ role: "end_user" });
    expect((await setRole(ann.id, "king")).status).toBe(400);
    expect((await setRole("user_nobody", "admin")).status).toBe(404);
    expect((await suspend(ann.id, " ")).status).toBe(400);
    expect(await (await suspend(ann.id, "spam")).json()).toMatchObject({ status: "suspended", suspendedReason: "spam" });
    expect((await audited("admin.user_suspend")).at(-1)).toMatchObject({ outcome: "ok", details: { reason: "spam" } });
    expect(await (await server.send("POST", `/api/v1/users/${ann.id}/reactivate`)).json()).toMatchObject({
      status: "active",
      suspendedReason: null,
    });
  });
});

describe("the last administrator", () => {
  it("is neither demoted, suspended nor deleted", async () => {
    const { id } = (await (await server.fetch("/api/v1/users/me")).json()) as { id: string };
    expect(await code(await setRole(id, "developer"))).toBe("last_admin");
    expect(await code(await suspend(id))).toBe("last_admin");
    expect(await code(await server.send("DELETE", `/api/v1/users/${id}`))).toBe("last_admin");
    const answer = await server.send("POST", "/api/v1/users/me/delete", { confirm: admin.email, password: admin.password }, { cookie });
    expect(await code(answer)).toBe("last_admin");
  });

  it.each([
    ["demote", (id: string, headers: object) => setRole(id, "developer", headers)],
    ["suspend", (id: string, headers: object) => suspend(id, "a test", headers)],
    ["delete", (id: string, headers: object) => server.send("DELETE", `/api/v1/users/${id}`, undefined, { ...headers })],
  ])("is left over when administrators %s each other at once", async (_what, act) => {
    await using second = await startTestServer({ SYLA_WORKER_SLOTS: "0" });
    const before = server;
    server = second;
    try {
      const people = [await person("admin"), await person("admin"), await person("admin")];
      const { id: first } = (await (await server.fetch("/api/v1/users/me")).json()) as { id: string };
      await setRole(first, "developer");
      // With the key of the server's owner, who may whatever becomes of the others.
      const answers = await Promise.all(people.map(({ id }) => act(id, {})));
      expect(answers.filter((answer) => answer.status === 409)).toHaveLength(1);
      const { items } = (await (await server.fetch("/api/v1/users?role=admin&status=active")).json()) as { items: unknown[] };
      expect(items).toHaveLength(1);
    } finally {
      server = before;
    }
  });
});

describe("acting as somebody else", () => {
  it("is a session of its own that is recorded, may not touch what lets the person in, and ends where it began", async () => {
    const ann = await person();
    const path = `/api/v1/users/${ann.id}/impersonate`;
    expect(await code(await server.send("POST", path, { reason: "look" }))).toBe("session_required");
    expect((await server.send("POST", path, { reason: "" }, { cookie })).status).toBe(400);
    const started = await server.send("POST", path, { reason: "a ticket" }, { cookie });
    expect(started.status).toBe(201);
    const acting = { cookie: cookiesOf(started, cookie) };
    const me = async (headers: Record<string, string>) =>
      (await (await server.fetch("/api/v1/users/me", { headers })).json()) as { id: string };
    expect((await me(acting)).id).toBe(ann.id);
    expect(await (await server.fetch("/api/v1/impersonation", { headers: acting })).json()).toMatchObject({
      active: true,
      reason: "a ticket",
    });
    for (const [method, route, body] of [
      ["POST", "/api/v1/api-keys", { name: "x" }],
      ["POST", "/api/v1/users/me/export", undefined],
      ["POST", "/api/v1/users/me/delete", { confirm: ann.email }],
      ["POST", "/api/v1/notification-preferences/webhook-secret", undefined],
    ] as const)
      expect([route, await code(await server.send(method, route, body, acting))]).toEqual([route, "impersonating"]);
    expect((await server.fetch("/api/v1/users", { headers: acting })).status).toBe(403);
    const run = await execute(server, { language: "bash", code: "true" }, acting);
    expect(run.id).toMatch(/^run_/);
    const { id: adminId } = await me({ cookie });
    const recorded = await audited("auth.api_key_create");
    expect(recorded.at(-1)).toMatchObject({ actor_id: ann.id, impersonator_id: adminId, outcome: "denied" });
    expect((await audited("admin.impersonate")).slice(-3)).toMatchObject([
      { outcome: "denied" },
      { outcome: "failed" },
      { outcome: "ok", details: { reason: "a ticket" } },
    ]);

    const stopped = await server.send("DELETE", "/api/v1/impersonation", undefined, acting);
    expect(stopped.status).toBe(204);
    expect((await me({ cookie: cookiesOf(stopped, acting.cookie) })).id).toBe(adminId);
    expect((await server.fetch("/api/v1/users/me", { headers: acting })).status).toBe(401);
    expect(await code(await server.send("DELETE", "/api/v1/impersonation", undefined, { cookie }))).toBe("not_found");
  });

  it("is never of an administrator, and ends when the person becomes one, or an hour has passed", async () => {
    const other = await person("admin");
    expect(await code(await server.send("POST", `/api/v1/users/${other.id}/impersonate`, { reason: "x" }, { cookie }))).toBe("forbidden");
    const act = async (id: string) =>
      cookiesOf(await server.send("POST", `/api/v1/users/${id}/impersonate`, { reason: "x" }, { cookie }), cookie);
    const ann = await person();
    const acting = await act(ann.id);
    await setRole(ann.id, "admin");
    expect((await server.fetch("/api/v1/users/me", { headers: { cookie: acting } })).status).toBe(401);
    const ben = await person();
    const late = await act(ben.id);
    await server.context.database.queries
      .updateTable("sessions")
      .set({ created_at: new Date(Date.now() - 3_700_000) })
      .where("user_id", "=", ben.id)
      .execute();
    expect((await server.fetch("/api/v1/users/me", { headers: { cookie: late } })).status).toBe(401);
    for (const id of [other.id, ann.id]) await setRole(id, "developer");
  });

  it("of somebody who is suspended is refused", async () => {
    const ann = await person();
    await suspend(ann.id);
    expect(await code(await server.send("POST", `/api/v1/users/${ann.id}/impersonate`, { reason: "x" }, { cookie }))).toBe(
      "account_suspended",
    );
  });
});

describe("deleting an account", () => {
  it("takes its runs with it, or gives them to somebody", async () => {
    const [ann, ben, heir] = [await person(), await person(), await person()];
    const lost = await execute(server, { language: "bash", code: "echo lost" }, ann.headers);
    const kept = await execute(server, { language: "bash", code: "echo kept" }, ben.headers);
    await expect
      .poll(async () => ((await (await server.fetch(`/api/v1/users/${ben.id}`)).json()) as { holdings: { runs: number } }).holdings.runs)
      .toBe(1);
    expect((await server.send("DELETE", `/api/v1/users/${ann.id}?transferTo=user_nobody`)).status).toBe(404);
    expect((await server.send("DELETE", `/api/v1/users/${ann.id}`)).status).toBe(204);
    expect((await server.send("DELETE", `/api/v1/users/${ann.id}`)).status).toBe(404);
    expect((await server.send("DELETE", `/api/v1/users/${ben.id}?transferTo=${heir.id}`)).status).toBe(204);
    expect((await server.fetch(`/api/v1/runs/${lost.id}`)).status).toBe(404);
    expect((await server.fetch(`/api/v1/runs/${kept.id}`, { headers: heir.headers })).status).toBe(200);
    expect((await audited("admin.user_delete")).at(-1)).toMatchObject({ outcome: "ok", details: { transferTo: heir.id } });
  });

  it("locks administrators and whoever stored something in one order", async () => {
    const [ann, ben, later] = [await person(), await person("admin"), await person()];
    const { queries } = server.context.database;
    const other = Promise.withResolvers<void>();
    const holding = Promise.withResolvers<void>();
    // Somebody else who holds an administrator, and goes on to lock one who comes later in the order.
    const holder = queries.transaction().execute(async (work) => {
      await sql`select from users where id = ${ben.id} for no key update`.execute(work);
      holding.resolve();
      await other.promise;
      await sql`select from users where id = ${later.id} for no key update nowait`.execute(work);
    });
    await holding.promise;
    const removed = server.send("DELETE", `/api/v1/users/${ann.id}?transferTo=${later.id}`);
    await blocked();
    other.resolve();
    await holder;
    expect((await removed).status).toBe(204);
    await setRole(ben.id, "developer");
  });

  it("leaves the counters of names that contain that of the account", async () => {
    const ann = await person();
    const { queries } = server.context.database;
    const keys = (name: string) => [`sign-in name ${name}`, `sign-in pair 127.0.0.1 ${name}`, `mail to ${name}`];
    const others = [`x${ann.email}`, `${ann.email}pany`].flatMap(keys);
    const ends_at = new Date(Date.now() + 60_000);
    const values = [...keys(ann.email), ...others].map((key) => ({ key, count: 1, ends_at }));
    await queries.insertInto("tries").values(values).execute();
    expect((await server.send("DELETE", `/api/v1/users/${ann.id}`)).status).toBe(204);
    const { rows } = await sql<{ key: string }>`select key from tries where position(${ann.email} in key) > 0`.execute(queries);
    expect(rows.map(({ key }) => key).toSorted()).toEqual(others.toSorted());
  });

  it("waits until nothing of it runs", async () => {
    const ann = await person();
    const { id } = await submit(server, { language: "bash", code: "sleep 60" }, ann.headers);
    expect(await code(await server.send("DELETE", `/api/v1/users/${ann.id}`))).toBe("account_busy");
    await server.send("POST", `/api/v1/runs/${id}/cancel`, undefined, ann.headers);
    await waitForRun(server, id);
    expect((await server.send("DELETE", `/api/v1/users/${ann.id}`)).status).toBe(204);
  });

  it("leaves no team without an owner, and none without members", async () => {
    const [ann, ben] = [await person(), await person()];
    const { queries } = server.context.database;
    for (const slug of ["shared", "alone"])
      await queries
        .insertInto("teams")
        .values({ id: `team_${slug}`, name: slug, slug, created_by: ann.id })
        .execute();
    await queries
      .insertInto("team_members")
      .values([
        { team_id: "team_shared", user_id: ann.id, role: "owner" },
        { team_id: "team_shared", user_id: ben.id, role: "member" },
        { team_id: "team_alone", user_id: ann.id, role: "owner" },
      ])
      .execute();
    expect((await server.send("DELETE", `/api/v1/users/${ann.id}`)).status).toBe(204);
    expect(await queries.selectFrom("teams").select("id").execute()).toEqual([{ id: "team_shared" }]);
    expect(await queries.selectFrom("team_members").select(["user_id", "role"]).execute()).toEqual([{ user_id: ben.id, role: "owner" }]);
  });

  it("is not done to the account that the server's owner acts as", async () => {
    const other = await person("admin");
    const { id } = (await (await server.fetch("/api/v1/users/me")).json()) as { id: string };
    expect(await code(await server.send("DELETE", `/api/v1/users/${id}`))).toBe("local_account");
    await setRole(other.id, "developer");
  });
});

describe("one's own data", () => {
  it("is exported as one document without anything that lets somebody in", async () => {
    const ann = await person();
    const run = await execute(server, { language: "bash", code: "true" }, ann.headers);
    await server.context.audit.flushed();
    await expect
      .poll(async () => {
        const answer = await server.send("POST", "/api/v1/users/me/export", undefined, ann.headers);
        expect(answer.headers.get("content-disposition")).toContain("attachment");
        return await answer.json();
      })
      .toMatchObject({
        account: [{ id: ann.id, email: ann.email }],
        apiKeys: [{ name: "test" }],
        runs: [{ id: run.id }],
        notifications: [],
        sessions: [],
      });
    const text = await (await server.send("POST", "/api/v1/users/me/export", undefined, { cookie })).text();
    expect(text).not.toContain("password");
    expect(text).not.toContain("token");
    expect(text).not.toContain(ann.id);
  });

  it("is deleted by the person, with their password", async () => {
    const ann = await person();
    expect(await code(await server.send("POST", "/api/v1/users/me/delete", { confirm: ann.email }, ann.headers))).toBe("session_required");
    const { queries } = server.context.database;
    const { hashPassword } = await import("@syla/server/accounts/password");
    await queries
      .insertInto("accounts")
      .values({
        id: "acct_1",
        user_id: ann.id,
        account_id: ann.id,
        provider_id: "credential",
        password: await hashPassword("correct horse battery"),
      })
      .execute();
    const signedIn = await server.send(
      "POST",
      "/api/v1/sessions",
      { email: ann.email, password: "correct horse battery" },
      { authorization: "" },
    );
    const own = { cookie: cookiesOf(signedIn, "") };
    const remove = (body: object) => server.send("POST", "/api/v1/users/me/delete", body, own);
    expect(await code(await remove({ confirm: ann.email, password: "wrong" }))).toBe("invalid_credentials");
    expect(await code(await remove({ confirm: ann.email }))).toBe("invalid_credentials");
    expect(await code(await remove({ confirm: "x@example.org", password: "correct horse battery" }))).toBe("invalid_credentials");
    expect((await remove({ confirm: ann.email, password: "correct horse battery" })).status).toBe(204);
    expect((await server.fetch("/api/v1/users/me", { headers: own })).status).toBe(401);
  });
});

describe("announcements", () => {
  it("are shown to everybody, told to everybody who may sign in, and taken down", async () => {
    const [ann, gone] = [await person(), await person()];
    await suspend(gone.id);
    const announce = (body: object) => server.send("POST", "/api/v1/admin/announcements", body);
    expect((await announce({ title: "a\nb" })).status).toBe(400);
    expect((await announce({ title: "" })).status).toBe(400);
    const made = (await (await announce({ title: "Maintenance", body: "At noon.", level: "warning" })).json()) as { id: string };
    expect((await announce({ title: "Over", endsAt: new Date(Date.now() - 1000).toISOString(), notify: false })).status).toBe(201);
    const shown = async () =>
      (await (await server.fetch("/api/v1/announcements", { headers: ann.headers })).json()) as { items: unknown[] };
    expect((await shown()).items).toMatchObject([{ id: made.id, level: "warning" }]);
    const told = async (id: string) =>
      await server.context.database.queries.selectFrom("notifications").select("title").where("user_id", "=", id).execute();
    expect(await told(ann.id)).toEqual([{ title: "Maintenance" }]);
    expect(await told(gone.id)).toEqual([]);
    expect((await server.send("DELETE", `/api/v1/admin/announcements/${made.id}`)).status).toBe(204);
    expect((await server.send("DELETE", `/api/v1/admin/announcements/${made.id}`)).status).toBe(404);
    expect((await shown()).items).toEqual([]);
  });
});

describe("the overview", () => {
  it("counts people", async () => {
    const count = async () =>
      (await (await server.fetch("/api/v1/admin/overview")).json()) as { users: { total: number; endUsers: number } };
    const before = await count();
    await person("end_user");
    const after = await count();
    expect(after.users.total).toBe(before.users.total + 1);
    expect(after.users.endUsers).toBe(before.users.endUsers + 1);
  });
});
