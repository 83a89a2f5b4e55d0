import type { Access, Grant, PersonAccess } from "@syla/contracts/access";
import { adoptEmailGrants } from "@syla/server/access/sharing/service";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAccount, insertRun, share, type Person } from "./people.ts";

let server: TestServer;
let ann: Person;
let bob: Person;
let run: string;

beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(async () => {
  [ann, bob] = await Promise.all([createAccount(server), createAccount(server)]);
  run = await insertRun(server, ann);
});
afterAll(() => server[Symbol.asyncDispose]());

const thing = () => ({ resourceType: "run", resourceId: run });
const query = () => `resourceType=run&resourceId=${run}`;
const send = (person: Person, method: string, path: string, body?: unknown) => server.send(method, path, body, person.headers);
const json = async <T>(answer: Response | Promise<Response>) => (await (await answer).json()) as T;
const read = async (person: Person) => (await send(person, "GET", `/api/v1/runs/${run}`)).status;
const grants = async (person = ann) => (await json<{ items: Grant[] }>(send(person, "GET", `/api/v1/grants?${query()}`))).items;
const codeOf = async (answer: Promise<Response>) => (await json<{ code: string }>(answer)).code;

describe("a grant", () => {
  it("lets a person in, is changed, and is taken back", async () => {
    expect(await read(bob)).toBe(404);
    const id = await share(server, ann, { ...thing(), email: bob.email.toUpperCase(), level: "view" });
    expect(await read(bob)).toBe(200);
    expect(await codeOf(send(bob, "POST", `/api/v1/runs/${run}/cancel`))).toBe("forbidden");
    expect(await json(send(ann, "PATCH", `/api/v1/grants/${id}`, { level: "edit" }))).toMatchObject({ level: "edit" });
    expect(await codeOf(send(bob, "POST", `/api/v1/runs/${run}/cancel`))).toBe("run_finished");
    expect((await send(ann, "DELETE", `/api/v1/grants/${id}`)).status).toBe(204);
    expect(await read(bob)).toBe(404);
  });

  it("takes the place of the one before, also when two come at once", async () => {
    const input = { ...thing(), email: bob.email };
    const ids = await Promise.all((["view", "edit", "run"] as const).map((level) => share(server, ann, { ...input, level })));
    expect(new Set(ids).size).toBe(1);
    expect(await grants()).toHaveLength(1);
  });

  it("ends when it expires, and cannot end before it begins", async () => {
    const past = new Date(Date.now() - 1000).toISOString();
    const refused = await json<{ errors: { path: string }[] }>(
      send(ann, "POST", "/api/v1/grants", { ...thing(), email: bob.email, level: "view", expiresAt: past }),
    );
    expect(refused).toMatchObject({ code: "invalid_request" });
    const id = await share(server, ann, {
      ...thing(),
      email: bob.email,
      level: "view",
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
    });
    expect(await read(bob)).toBe(200);
    await send(ann, "PATCH", `/api/v1/grants/${id}`, { expiresAt: new Date(Date.now() + 300).toISOString() });
    await expect.poll(() => read(bob)).toBe(404);
  });

  it("is only given by those who may share, and to one subject", async () => {
    expect(await codeOf(send(bob, "POST", "/api/v1/grants", { ...thing(), email: bob.email, level: "view" }))).toBe("not_found");
    await share(server, ann, { ...thing(), email: bob.email, level: "edit" });
    expect(await codeOf(send(bob, "POST", "/api/v1/grants", { ...thing(), email: bob.email, level: "admin" }))).toBe("forbidden");
    expect(await codeOf(send(bob, "GET", `/api/v1/grants?${query()}`))).toBe("forbidden");
    for (const body of [{}, { email: bob.email, teamId: "team_1" }, { email: "nobody" }])
      expect(await codeOf(send(ann, "POST", "/api/v1/grants", { ...thing(), level: "view", ...body }))).toBe("invalid_request");
    for (const resourceId of ["run_none", "\0", "' OR 1=1 --"])
      expect(await codeOf(send(ann, "POST", "/api/v1/grants", { ...thing(), resourceId, email: bob.email, level: "view" }))).toBe(
        "not_found",
      );
    expect(await codeOf(send(ann, "PATCH", "/api/v1/grants/%00", { level: "view" }))).toBe("not_found");
    expect(await codeOf(send(ann, "GET", `/api/v1/grants?${query()}&cursor=AAAA`))).toBe("invalid_cursor");
  });

  it("may be given up by whom it was given to, and by nobody else", async () => {
    const cid = await createAccount(server);
    const id = await share(server, ann, { ...thing(), email: bob.email, level: "view" });
    expect((await send(cid, "DELETE", `/api/v1/grants/${id}`)).status).toBe(404);
    expect((await send(bob, "DELETE", `/api/v1/grants/${id}`)).status).toBe(204);
    expect(await read(bob)).toBe(404);
  });

  it("does not tell whether an address has an account", async () => {
    const given = { ...thing(), level: "view" };
    const known = await json<Grant>(send(ann, "POST", "/api/v1/grants", { ...given, email: bob.email }));
    const unknown = await json<Grant>(send(ann, "POST", "/api/v1/grants", { ...given, email: "nobody@example.org" }));
    expect({ ...known.subject, name: "" }).toEqual({ ...unknown.subject, name: "" });
    const people = await json<{ items: PersonAccess[] }>(send(ann, "GET", `/api/v1/access/people?${query()}`));
    const names = people.items.filter(({ reasons }) => reasons.some(({ type }) => type === "direct")).map(({ key, name }) => [key, name]);
    expect(names).toEqual([bob.email, "nobody@example.org"].toSorted().map((email) => [email, email]));
  });

  it("waits for an account that has the address, and is adopted with it", async () => {
    const email = "Late@Example.org";
    await share(server, ann, { ...thing(), email, level: "run" });
    const { queries } = server.context.database;
    const mail = await queries.selectFrom("deliveries").select("message").where("channel", "=", "email").execute();
    expect(JSON.stringify(mail)).toContain("late@example.org");
    const unconfirmed = await createAccount(server, "developer", false);
    expect(await read(unconfirmed)).toBe(404);
    await share(server, ann, { ...thing(), email: unconfirmed.email, level: "edit" });
    expect(await read(unconfirmed)).toBe(404);
    await queries.transaction().execute((work) => adoptEmailGrants(work, unconfirmed.id, unconfirmed.email));
    await queries.transaction().execute((work) => adoptEmailGrants(work, unconfirmed.id, email));
    expect(await read(unconfirmed)).toBe(200);
    expect((await grants()).map(({ level }) => level)).toEqual(["edit"]);
  });
});

describe("a share link", () => {
  const makeLink = async (more: object = {}) =>
    await json<{ token: string; url: string; grant: Grant }>(
      send(ann, "POST", "/api/v1/share-links", { ...thing(), level: "run", ...more }),
    );
  const redeem = (person: Person, token: string) => send(person, "POST", "/api/v1/share-links/redeem", { token });

  it("gives access to whoever redeems it, for as long as it lives", async () => {
    const { token, url, grant } = await makeLink();
    expect(url).toBe(`${server.url}/share#${token}`);
    expect(await read(bob)).toBe(404);
    expect(await json(redeem(bob, token))).toEqual({ ...thing(), level: "run" });
    expect((await redeem(bob, token)).status).toBe(200);
    expect(await read(bob)).toBe(200);
    expect((await grants())[0]).toMatchObject({ useCount: 1, subject: { type: "link", name: token.slice(0, 17) } });
    await send(ann, "DELETE", `/api/v1/grants/${grant.id}`);
    expect(await read(bob)).toBe(404);
    expect(await codeOf(redeem(bob, token))).toBe("share_link_invalid");
  });

  it("is stored as a hash, and refused when it is wrong or has expired", async () => {
    const { token } = await makeLink({ expiresAt: new Date(Date.now() + 200).toISOString() });
    const stored = await server.context.database.queries.selectFrom("share_links").selectAll().execute();
    expect(JSON.stringify(stored)).not.toContain(token);
    await expect.poll(() => codeOf(redeem(bob, token))).toBe("share_link_invalid");
    expect(await codeOf(redeem(bob, "syla_share_none"))).toBe("share_link_invalid");
    expect((await server.send("POST", "/api/v1/share-links/redeem", { token }, { authorization: "" })).status).toBe(401);
  });
});

describe("access", () => {
  it("of a team's thing says what each is in the team, apart from teams that it is shared with", async () => {
    const { queries } = server.context.database;
    const [owning, reading] = [
      await json<{ id: string }>(send(ann, "POST", "/api/v1/teams", { name: "Owning" })),
      await json<{ id: string }>(send(ann, "POST", "/api/v1/teams", { name: "Reading" })),
    ];
    for (const team of [owning, reading])
      await queries.insertInto("team_members").values({ team_id: team.id, user_id: bob.id, role: "member" }).execute();
    const asset = await json<{ id: string }>(
      send(ann, "POST", "/api/v1/assets", {
        type: "program",
        name: "Shared",
        ownerId: owning.id,
        files: [{ path: "main.sh", content: "" }],
      }),
    );
    const ref = { resourceType: "asset", resourceId: asset.id };
    await share(server, ann, { ...ref, teamId: reading.id, level: "run" });
    const waysOf = (reasons: Access["reasons"]) => reasons.map(({ name, level, teamRole }) => `${name} ${level} ${teamRole}`).toSorted();
    const asked = `resourceType=asset&resourceId=${asset.id}`;
    const { items } = await json<{ items: PersonAccess[] }>(send(ann, "GET", `/api/v1/access/people?${asked}`));
    const ofBob = ["Owning edit member", "Reading run null"];
    expect(waysOf(items.find(({ key }) => key === ann.email)?.reasons ?? [])).toEqual(["Owning admin owner", "Reading run null"]);
    expect(waysOf(items.find(({ key }) => key === bob.email)?.reasons ?? [])).toEqual(ofBob);
    expect(waysOf((await json<Access>(send(bob, "GET", `/api/v1/access?${asked}`))).reasons)).toEqual(ofBob);
  });

  it("says what one may do, and by every way that there is", async () => {
    const team = await json<{ id: string }>(send(ann, "POST", "/api/v1/teams", { name: "Readers" }));
    await server.context.database.queries
      .insertInto("team_members")
      .values({ team_id: team.id, user_id: bob.id, role: "member" })
      .execute();
    await share(server, ann, { ...thing(), email: bob.email, level: "view" });
    await share(server, ann, { ...thing(), teamId: team.id, level: "edit" });
    await send(ann, "PATCH", `/api/v1/runs/${run}`, { visibility: "public" });
    const access = await json<Access>(send(bob, "GET", `/api/v1/access?${query()}`));
    expect(access).toMatchObject({ level: "edit", isOwner: false, visibility: "public", owner: { id: ann.id } });
    expect(access.reasons.map(({ type, name }) => [type, name])).toEqual([
      ["direct", null],
      ["team", "Readers"],
      ["public", null],
    ]);
    const people = await json<{ items: PersonAccess[] }>(send(ann, "GET", `/api/v1/access/people?${query()}`));
    expect(
      people.items
        .find(({ key }) => key === ann.email)
        ?.reasons.map(({ type }) => type)
        .toSorted(),
    ).toEqual(["owner", "team"]);
    const first = await json<{ items: PersonAccess[]; nextCursor: string }>(send(ann, "GET", `/api/v1/access/people?${query()}&limit=1`));
    const second = await json<{ items: PersonAccess[] }>(
      send(ann, "GET", `/api/v1/access/people?${query()}&limit=1&cursor=${first.nextCursor}`),
    );
    expect([...first.items, ...second.items].map(({ key }) => key)).toEqual([ann.email, bob.email].toSorted());
  });

  it("is shown in lists: what is mine, what is shared with me, and all that I may see", async () => {
    const open = await insertRun(server, ann, "public");
    const own = await insertRun(server, bob);
    await share(server, ann, { ...thing(), email: bob.email, level: "view" });
    const list = async (owner: string) =>
      (await json<{ items: { id: string }[] }>(send(bob, "GET", `/api/v1/runs?owner=${owner}&limit=200`))).items.map(({ id }) => id);
    expect(await list("me")).toEqual([own]);
    expect(await list("shared")).toEqual([run]);
    expect(await list("visible")).toEqual(expect.arrayContaining([run, open, own]));
    expect((await send(bob, "GET", "/api/v1/runs?owner=all")).status).toBe(403);
  });

  it("to somebody else's thing is in the audit trail, once in a while and not on each look", async () => {
    await share(server, ann, { ...thing(), email: bob.email, level: "view" });
    const cid = await createAccount(server);
    for (let index = 0; index < 3; index += 1) {
      for (const person of [bob, cid]) await read(person);
      for (const what of ["artifacts/art_none", "file?path=main.sh"]) await send(bob, "GET", `/api/v1/runs/${run}/${what}`);
    }
    await read(ann);
    await server.context.audit.flushed();
    const found = await server.context.database.queries
      .selectFrom("audit_events")
      .select(["actor_id", "action", "outcome", "error_code"])
      .where("resource_id", "=", run)
      .execute();
    expect(found.toSorted((a, b) => `${a.action} ${a.outcome}`.localeCompare(`${b.action} ${b.outcome}`))).toEqual([
      { actor_id: bob.id, action: "run.artifact", outcome: "ok", error_code: null },
      { actor_id: bob.id, action: "run.input", outcome: "ok", error_code: null },
      { actor_id: cid.id, action: "run.read", outcome: "denied", error_code: "not_found" },
      { actor_id: bob.id, action: "run.read", outcome: "ok", error_code: null },
      { actor_id: ann.id, action: "share.grant", outcome: "ok", error_code: null },
    ]);
  });
});
