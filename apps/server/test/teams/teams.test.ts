import type { Run } from "@syla/contracts/runs";
import type { Schedule } from "@syla/contracts/schedules";
import type { Team, TeamMember } from "@syla/contracts/teams";
import { submit } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAccount, insertRun, share, type Person } from "../access/people.ts";

let server: TestServer;
let ann: Person;
let bob: Person;
let team: Team;

beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(async () => {
  [ann, bob] = await Promise.all([createAccount(server), createAccount(server)]);
  team = await json<Team>(send(ann, "POST", "/api/v1/teams", { name: "Ångström’s team" }));
});
afterAll(() => server[Symbol.asyncDispose]());

const send = (person: Person, method: string, path: string, body?: unknown) => server.send(method, path, body, person.headers);
const json = async <T>(answer: Response | Promise<Response>) => (await (await answer).json()) as T;
const codeOf = async (answer: Promise<Response>) => (await json<{ code: string }>(answer)).code;
const base = () => `/api/v1/teams/${team.id}`;

/** Invites somebody as the owner, and lets them accept. */
async function join(person: Person, role: "owner" | "member" = "member"): Promise<Response> {
  const { url } = await json<{ url: string }>(send(ann, "POST", `${base()}/invitations`, { email: person.email, role }));
  return await send(person, "POST", "/api/v1/teams/join", { token: new URL(url).hash.slice(1) });
}

describe("a team", () => {
  it("is created, listed, renamed and deleted by its owner", async () => {
    expect(team).toMatchObject({ name: "Ångström’s team", memberCount: 1, yourRole: "owner" });
    expect(team.slug).toMatch(/^angstrom-s-team-[0-9a-z]{8}$/);
    expect(await json(send(ann, "PATCH", base(), { name: "Compilers", description: "gcc" }))).toMatchObject({ name: "Compilers" });
    const listed = await json<{ items: Team[] }>(send(ann, "GET", "/api/v1/teams"));
    expect(listed.items.map(({ id, name }) => [id, name])).toEqual([[team.id, "Compilers"]]);
    expect((await send(ann, "DELETE", base())).status).toBe(204);
    expect((await send(ann, "GET", base())).status).toBe(404);
  });

  it("is hidden from strangers, and closed to members' changes", async () => {
    expect(await codeOf(send(bob, "GET", base()))).toBe("not_found");
    await join(bob);
    expect((await send(bob, "GET", base())).status).toBe(200);
    expect(await codeOf(send(bob, "PATCH", base(), { name: "Mine" }))).toBe("forbidden");
    expect(await codeOf(send(bob, "DELETE", base()))).toBe("forbidden");
    expect(await codeOf(send(bob, "GET", `${base()}/invitations`))).toBe("forbidden");
    expect(await codeOf(send(bob, "DELETE", `${base()}/members/${ann.id}`))).toBe("forbidden");
  });

  it.each([{}, { name: "" }, { name: "a\nb" }, { name: "x".repeat(101) }, { name: "a", more: 1 }])("refuses %j", async (body) => {
    expect(await codeOf(send(ann, "POST", "/api/v1/teams", body))).toBe("invalid_request");
  });

  it("is not for end users to create", async () => {
    const endUser = await createAccount(server, "end_user");
    expect(await codeOf(send(endUser, "POST", "/api/v1/teams", { name: "Mine" }))).toBe("forbidden");
    expect((await join(endUser)).status).toBe(200);
  });

  it("goes through pages with neither gap nor double", async () => {
    const ids = [team.id];
    for (let index = 0; index < 3; index += 1)
      ids.unshift((await json<Team>(send(ann, "POST", "/api/v1/teams", { name: `T${index}` }))).id);
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const page: { items: Team[]; nextCursor: string | null } = await json(
        send(ann, "GET", `/api/v1/teams?limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`),
      );
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(ids);
  });
});

describe("an invitation", () => {
  it("is sent by e-mail, can be used once, and is stored as a hash", async () => {
    const invited = await json<{ url: string }>(send(ann, "POST", `${base()}/invitations`, { email: "New@Example.org" }));
    const token = new URL(invited.url).hash.slice(1);
    const { queries } = server.context.database;
    const mails = await queries.selectFrom("deliveries").select("message").execute();
    expect(JSON.stringify(mails)).toContain(invited.url);
    expect(JSON.stringify(await queries.selectFrom("invitations").selectAll().execute())).not.toContain(token);
    const answers = await Promise.all(
      [bob, await createAccount(server)].map((person) => send(person, "POST", "/api/v1/teams/join", { token })),
    );
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(["200", "403"]);
  });

  it("is accepted from its notification by whoever has the address, once, and by nobody else", async () => {
    const invited = await json<{ invitation: { id: string } }>(
      send(ann, "POST", `${base()}/invitations`, { email: bob.email.toUpperCase() }),
    );
    const { items } = await json<{ items: { type: string; link: string }[] }>(send(bob, "GET", "/api/v1/notifications"));
    const invitationId = new URL(items[0]?.link ?? "", server.url).searchParams.get("invitation");
    expect([items[0]?.type, invitationId]).toEqual(["team_invitation", invited.invitation.id]);
    const accept = (person: Person, id: unknown = invitationId) => send(person, "POST", "/api/v1/teams/join", { invitationId: id });
    const unconfirmed = await createAccount(server, "developer", false);
    await json(send(ann, "POST", `${base()}/invitations`, { email: unconfirmed.email }));
    const other = await server.context.database.queries
      .selectFrom("invitations")
      .select("id")
      .where("email", "=", unconfirmed.email)
      .executeTakeFirst();
    expect(await codeOf(accept(unconfirmed, other?.id))).toBe("invitation_invalid");
    for (const wrong of ["inv_none", "\0"]) expect(await codeOf(accept(bob, wrong))).toBe("invitation_invalid");
    expect(await codeOf(accept(await createAccount(server)))).toBe("invitation_invalid");
    const answers = await Promise.all([accept(bob), accept(bob)]);
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(["200", "403"]);
    for (const body of [{}, { token: "a", invitationId: "b" }, { invitationId: 1 }])
      expect(await codeOf(send(bob, "POST", "/api/v1/teams/join", body))).toBe("invalid_request");
  });

  it("is worth nothing when it was taken back, has expired, or never was", async () => {
    const { url, invitation } = await json<{ url: string; invitation: { id: string } }>(
      send(ann, "POST", `${base()}/invitations`, { email: bob.email }),
    );
    const token = new URL(url).hash.slice(1);
    expect((await send(ann, "DELETE", `${base()}/invitations/${invitation.id}`)).status).toBe(204);
    expect((await send(ann, "DELETE", `${base()}/invitations/${invitation.id}`)).status).toBe(404);
    for (const wrong of [token, "syla_invite_none"])
      expect(await codeOf(send(bob, "POST", "/api/v1/teams/join", { token: wrong }))).toBe("invitation_invalid");
    const late = await json<{ url: string }>(send(ann, "POST", `${base()}/invitations`, { email: bob.email }));
    await server.context.database.queries
      .updateTable("invitations")
      .set({ expires_at: new Date(0) })
      .execute();
    expect(await codeOf(send(bob, "POST", "/api/v1/teams/join", { token: new URL(late.url).hash.slice(1) }))).toBe("invitation_invalid");
  });
});

describe("the owners of a team", () => {
  it("hand it over, and then may leave", async () => {
    await join(bob);
    expect(await codeOf(send(ann, "DELETE", `${base()}/members/me`))).toBe("last_owner");
    expect(await codeOf(send(ann, "PATCH", `${base()}/members/${ann.id}`, { role: "member" }))).toBe("last_owner");
    expect(await json(send(ann, "PATCH", `${base()}/members/${bob.id}`, { role: "owner" }))).toMatchObject({ role: "owner" });
    expect((await send(ann, "DELETE", `${base()}/members/me`)).status).toBe(204);
    const members = await json<{ items: TeamMember[] }>(send(bob, "GET", `${base()}/members`));
    expect(members.items.map(({ userId, role }) => [userId, role])).toEqual([[bob.id, "owner"]]);
  });

  it("do not all leave, also when two leave at once", async () => {
    await join(bob, "owner");
    const left = await Promise.all([ann, bob].map((person) => send(person, "DELETE", `${base()}/members/me`)));
    expect(left.map(({ status }) => String(status)).toSorted()).toEqual(["204", "409"]);
  });
});

describe("what a team was given", () => {
  it("is said before the team is deleted, and goes with it", async () => {
    const run = await insertRun(server, ann);
    await join(bob);
    await share(server, ann, { resourceType: "run", resourceId: run, teamId: team.id, level: "view" });
    expect((await send(bob, "GET", `/api/v1/runs/${run}`)).status).toBe(200);
    expect(await json(send(ann, "GET", `${base()}/grants`))).toEqual({ runs: 1, sandboxes: 0, assets: 0, ownedAssets: 0 });
    await send(ann, "DELETE", base());
    expect((await send(bob, "GET", `/api/v1/runs/${run}`)).status).toBe(404);
    expect(await server.context.database.queries.selectFrom("grants").selectAll().where("subject_id", "=", team.id).execute()).toEqual([]);
  });

  it("is not given by those who are not in it", async () => {
    const run = await insertRun(server, bob);
    const refused = send(bob, "POST", "/api/v1/grants", { resourceType: "run", resourceId: run, teamId: team.id, level: "view" });
    expect(await codeOf(refused)).toBe("not_found");
  });
});

describe("a team that is deleted while it is used", () => {
  it("takes its members' access at once: what runs ends as it would have, what waits runs, and nothing new begins", async () => {
    const { queries } = server.context.database;
    await join(bob);
    await server.send("PATCH", `/api/v1/quotas/${bob.id}`, { concurrentRuns: 1 });
    const files = [{ path: "main.sh", content: "cat\necho done" }];
    const program = await json<{ id: string }>(
      send(ann, "POST", "/api/v1/assets", { type: "program", name: "Nightly", files, ownerId: team.id }),
    );
    const begin = async (stdin: string) => await json<Run>(send(bob, "POST", "/api/v1/runs", { programId: program.id, stdin }));
    const shared = (await submit(server, { code: "echo begun; sleep 60", entrypoint: "a.sh" }, ann.headers)).id;
    await share(server, ann, { resourceType: "run", resourceId: shared, teamId: team.id, level: "view" });
    const schedule = await json<Schedule>(
      send(bob, "POST", "/api/v1/schedules", { name: "S", programId: program.id, cron: "@yearly", missed: "once" }),
    );
    const trigger = await json<{ id: string; secret: string }>(
      send(bob, "POST", "/api/v1/triggers", { name: "T", programId: program.id, auth: "bearer" }),
    );
    await send(ann, "POST", "/api/v1/credentials", { kind: "program", name: "Key", value: "hidden", ownerId: team.id });
    const stream = await server.fetch(`/api/v1/runs/${shared}/events`, { headers: bob.headers });
    expect(stream.status).toBe(200);
    // Of two runs of Bob's one goes on for as long as the other waits.
    const going = await json<Run>(send(bob, "POST", "/api/v1/executions", { language: "bash", code: "sleep 60" }));
    const waiting = await begin("in the queue");
    expect(waiting.status).toBe("queued");

    expect(await codeOf(send(ann, "DELETE", base()))).toBe("team_owns_assets");
    expect((await send(ann, "DELETE", `${base()}?transferTo=me`)).status).toBe(204);
    await stream.text(); // it has ended
    await send(bob, "POST", `/api/v1/runs/${going.id}/cancel`);
    const read = async () => await json<Run>(send(bob, "GET", `/api/v1/runs/${waiting.id}`));
    await expect.poll(async () => (await read()).status, { timeout: 30_000 }).toBe("succeeded");
    expect((await read()).stdout).toBe("in the queuedone\n");

    expect(await codeOf(send(bob, "POST", "/api/v1/runs", { programId: program.id }))).toBe("not_found");
    const called = await server.send("POST", `/api/v1/triggers/${trigger.id}/calls`, {}, { authorization: `Bearer ${trigger.secret}` });
    expect((await json<{ code: string }>(called)).code).toBe("trigger_disabled");
    await sql`update schedules set next_at = date_trunc('year', now(), 'UTC') where id = ${schedule.id}`.execute(queries);
    await expect
      .poll(async () => await json<Schedule>(send(bob, "GET", `/api/v1/schedules/${schedule.id}`)), { timeout: 30_000 })
      .toMatchObject({ enabled: false, disabledReason: "not_found" });
    expect(await json(send(ann, "GET", `/api/v1/assets/${program.id}`))).toMatchObject({ owner: { id: ann.id } });
    expect(await findMentions(team.id)).toEqual([]);
    await send(ann, "POST", `/api/v1/runs/${shared}/cancel`);
  }, 120_000);
});

/** The tables that still name something, besides what tells of the past. */
async function findMentions(id: string): Promise<string[]> {
  const { queries } = server.context.database;
  const { rows: tables } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = current_schema() and table_type = 'BASE TABLE'`.execute(
    queries,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    if (/^(audit_|notification|deliver|idempotent_|events|runs$|usage_counts$)/.test(name)) continue;
    const { rows } = await sql`select from ${sql.table(name)} t where to_jsonb(t)::text like ${`%${id}%`} limit 1`.execute(queries);
    if (rows.length > 0) found.push(name);
  }
  return found;
}
