import type { AssetPage } from "@syla/contracts/assets";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccount, share, type Person } from "../access/people.ts";
import { createProgram, errorOf, json } from "./programs.ts";

let server: TestServer;
let ann: Person;
let bob: Person;
let carl: Person;
let admin: Person;
let teamId: string;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  [ann, bob, carl, admin] = await Promise.all([
    createAccount(server),
    createAccount(server),
    createAccount(server),
    createAccount(server, "admin"),
  ]);
  teamId = (await json<{ id: string }>(server.send("POST", "/api/v1/teams", { name: "Readers" }, bob.headers))).id;
  await server.context.database.queries.insertInto("team_members").values({ team_id: teamId, user_id: carl.id, role: "member" }).execute();
  await make(ann, "Fetch weather data", { description: "Reads the Überblick of every station", tags: ["weather", "http"] });
  await make(ann, "summarizeText", { description: "Ends up in three sentences", tags: ["text"] });
  await make(ann, "数据分析工具", { tags: ["data"] });
  await make(ann, "Погода завтра", { visibility: "public", tags: ["weather"] });
  await make(ann, "🚀", {});
  const shared = await make(ann, "Granted to Bob", { tags: ["weather"] });
  await share(server, ann, { resourceType: "asset", resourceId: shared.id, email: bob.email, level: "view" });
  const forTeam = await make(ann, "Granted to the team", {});
  await share(server, ann, { resourceType: "asset", resourceId: forTeam.id, teamId: await annsTeam(), level: "view" });
  await make(bob, "Owned by the team", { ownerId: teamId });
  await make(bob, "Bob’s own", { tags: ["http"] });
});
afterAll(() => server[Symbol.asyncDispose]());

/** A team with Ann and Carl in it, whose grants reach Carl. */
async function annsTeam(): Promise<string> {
  const { id } = await json<{ id: string }>(server.send("POST", "/api/v1/teams", { name: "Weather" }, ann.headers));
  await server.context.database.queries.insertInto("team_members").values({ team_id: id, user_id: carl.id, role: "member" }).execute();
  return id;
}

const make = (owner: Person, name: string, more: object) => createProgram(server, owner, name, undefined, more);
const query = (person: Person, filter: Record<string, string>) =>
  server.send("GET", `/api/v1/assets?${new URLSearchParams(filter).toString()}`, undefined, person.headers);
const page = async (person: Person, filter: Record<string, string>) => await json<AssetPage>(query(person, filter));
const names = async (person: Person, filter: Record<string, string>) => (await page(person, filter)).items.map((item) => item.name);

describe("a view of the catalog", () => {
  it("is one's own", async () => {
    expect(new Set(await names(bob, { view: "mine" }))).toEqual(new Set(["Bob’s own"]));
  });

  it("is what is shared: by grants, by teams, and what one's teams own", async () => {
    expect(new Set(await names(bob, { view: "shared" }))).toEqual(new Set(["Granted to Bob", "Owned by the team"]));
    expect(new Set(await names(carl, { view: "shared" }))).toEqual(new Set(["Granted to the team", "Owned by the team"]));
    expect(await names(ann, { view: "shared" })).toEqual([]);
  });

  it("is what everybody sees", async () => {
    expect(await names(carl, { view: "public" })).toEqual(["Погода завтра"]);
  });

  it("is all of that together, each once, and everything for an administrator", async () => {
    expect((await names(bob, {})).toSorted()).toEqual(["Bob’s own", "Granted to Bob", "Owned by the team", "Погода завтра"].toSorted());
    expect(await names(admin, {})).toHaveLength(9);
  });

  it.each([
    [{ owner: "me" }, ["Bob’s own"]],
    [{ tags: "weather" }, ["Granted to Bob", "Погода завтра"]],
    [{ tags: "weather,http" }, []],
    [{ visibility: "public" }, ["Погода завтра"]],
    [{ type: "model,dataset" }, []],
    [{ type: "program", tags: "http" }, ["Bob’s own"]],
  ])("is narrowed by %j", async (filter, found) => {
    expect((await names(bob, filter)).toSorted()).toEqual(found);
  });

  it("is narrowed to what a team owns", async () => {
    expect(await names(carl, { owner: teamId })).toEqual(["Owned by the team"]);
  });

  it.each([
    ["name", "asc"],
    ["name", "desc"],
    ["updated", "desc"],
    ["created", "asc"],
    ["lastRun", "desc"],
  ])("is sorted by %s, %s, over pages without a gap or a double", async (sort, order) => {
    const whole = await names(ann, { sort, order, limit: "200" });
    const paged: string[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const found: Awaited<ReturnType<typeof page>> = await page(ann, { sort, order, limit: "2", ...(cursor === "" ? {} : { cursor }) });
      paged.push(...found.items.map((item) => item.name));
      cursor = found.nextCursor;
    }
    expect(paged).toEqual(whole);
    expect(new Set(whole).size).toBe(7);
  });

  it("does not take the cursor of another list, or a made up one", async () => {
    const { nextCursor } = await page(ann, { sort: "name", limit: "1" });
    const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const cursors = [
      nextCursor ?? "",
      "x",
      forged(["updated", "desc", "'; drop table assets", "prog_1"]),
      forged({}),
      forged(["updated", "desc", "x\0", null]),
    ];
    for (const cursor of cursors) expect((await errorOf(query(ann, { cursor }))).code).toBe("invalid_cursor");
    const id = `prog_${"0".repeat(26)}`;
    for (const time of ["2026-02-31 00:00:00+00", "0000-01-01 00:00:00+00", "2026-01-01 00:00:00+00:99", "2026-01-01 24:00:00+00"])
      expect((await errorOf(query(ann, { cursor: forged(["updated", "desc", time, id]) }))).code).toBe("invalid_cursor");
    for (const rank of ["9e99", "1e-99", "NaN"])
      expect((await errorOf(query(ann, { q: "fetch", cursor: forged(["relevance", "desc", rank, id]) }))).code).toBe("invalid_cursor");
    expect((await query(ann, { q: "fetch", cursor: forged(["relevance", "desc", "0.5", id]) })).status).toBe(200);
    expect((await query(ann, { cursor: forged(["updated", "desc", "2026-01-01 00:00:00.123+05:30", id]) })).status).toBe(200);
  });
});

describe("what a list shows", () => {
  /** Who of the people finds it in a list. */
  const seenBy = async (name: string) => {
    const lists = await Promise.all(
      Object.entries({ ann, bob, carl }).map(async ([who, person]) => [who, await names(person, { q: name })] as const),
    );
    return lists.flatMap(([who, found]) => (found.includes(name) ? [who] : []));
  };
  const send = (person: Person, method: string, path: string, body?: unknown) => server.send(method, path, body, person.headers);

  it("follows grants, their end, the public and owners", async () => {
    const { id } = await make(ann, "Zephyr", {});
    expect(await seenBy("Zephyr")).toEqual(["ann"]);
    const grants = [
      await share(server, ann, { resourceType: "asset", resourceId: id, email: bob.email, level: "view" }),
      await share(server, ann, { resourceType: "asset", resourceId: id, teamId: await annsTeam(), level: "view" }),
    ];
    expect(await seenBy("Zephyr")).toEqual(["ann", "bob", "carl"]);
    for (const grant of grants) await send(ann, "DELETE", `/api/v1/grants/${grant}`);
    expect(await seenBy("Zephyr")).toEqual(["ann"]);
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const lent = await share(server, ann, { resourceType: "asset", resourceId: id, email: bob.email, level: "view", expiresAt });
    expect(await seenBy("Zephyr")).toEqual(["ann", "bob"]);
    expect(await names(bob, { view: "shared", q: "zephyr" })).toEqual(["Zephyr"]);
    await server.context.database.queries
      .updateTable("grants")
      .set({ expires_at: new Date(0) })
      .where("id", "=", lent)
      .execute();
    expect(await seenBy("Zephyr")).toEqual(["ann"]);
    const change = (body: object) => server.send("PATCH", `/api/v1/assets/${id}`, body, { ...ann.headers, "if-match": "*" });
    await change({ visibility: "public" });
    expect(await seenBy("Zephyr")).toEqual(["ann", "bob", "carl"]);
    await change({ visibility: "private" });
    expect((await send(ann, "POST", `/api/v1/assets/${id}/transfer`, { email: carl.email })).status).toBe(200);
    expect(await seenBy("Zephyr")).toEqual(["carl"]);
  });

  it("misses none of many grants that are given at once", async () => {
    const { id } = await make(ann, "Quorum", {});
    const everybody = await Promise.all(Array.from({ length: 6 }, () => createAccount(server)));
    await Promise.all(everybody.map(({ email }) => share(server, ann, { resourceType: "asset", resourceId: id, email, level: "view" })));
    const row = await server.context.database.queries.selectFrom("assets").select("viewers").where("id", "=", id).executeTakeFirstOrThrow();
    expect(row.viewers.toSorted()).toEqual([ann.id, ...everybody.map((person) => person.id)].toSorted());
  });
});

describe("a search", () => {
  it.each([
    ["weather", "Fetch weather data"],
    ["fet wea", "Fetch weather data"],
    ["WEATHER DATA", "Fetch weather data"],
    ["uberblick", "Fetch weather data"],
    ["überbl", "Fetch weather data"],
    ["summarize", "summarizeText"],
    ["text", "summarizeText"],
    ["分析", "数据分析工具"],
    ["погод", "Погода завтра"],
    ["ЗАВТРА", "Погода завтра"],
    ["🚀", "🚀"],
  ])("for %j finds it", async (q, name) => {
    expect(await names(ann, { q })).toContain(name);
  });

  it.each([
    ["wether", "Fetch weather data"],
    ["fecth wether", "Fetch weather data"],
    ["summrai", "summarizeText"],
    ["погдоа", "Погода завтра"],
  ])("for %j finds what may have been meant", async (q, name) => {
    const found = await page(ann, { q });
    expect(found.items.map((item) => item.name)).toContain(name);
    expect(found.isAlike).toBe(true);
    expect((await page(ann, { q: name })).isAlike).toBe(false);
  });

  it("for what is mistyped looks at the first words alone", async () => {
    expect(await names(ann, { q: "wether fetch weather dat weathe" })).toContain("Fetch weather data");
    expect(await names(ann, { q: "fetch weather data weathe wether" })).toEqual([]);
  });

  it("for what is mistyped goes on over pages, and shows nobody what they may not see", async () => {
    const whole = await names(ann, { q: "wether" });
    const first = await page(ann, { q: "wether", limit: "1" });
    const rest = await page(ann, { q: "wether", cursor: first.nextCursor ?? "" });
    expect([...first.items, ...rest.items].map((item) => item.name)).toEqual(whole);
    expect(whole.length).toBeGreaterThan(1);
    expect(rest.isAlike).toBe(true);
    expect(await names(bob, { q: "sumarise" })).toEqual([]);
  });

  it("finds names before tags, and tags before descriptions", async () => {
    await make(carl, "kites", {});
    await make(carl, "Another thing", { tags: ["kites"] });
    await make(carl, "A third thing", { description: "all about kites" });
    expect(await names(carl, { q: "kites", view: "mine" })).toEqual(["kites", "Another thing", "A third thing"]);
  });

  it.each([["nothing like it"], ["数析"], ["eather"], ["!!!"]])("for %j finds nothing", async (q) => {
    expect(await names(ann, { q })).toEqual([]);
  });

  it("shows nobody what they may not see", async () => {
    expect(await names(bob, { q: "fetch" })).toEqual([]);
    expect(await names(carl, { q: "granted" })).toEqual(["Granted to the team"]);
  });

  it("is over pages without a gap or a double", async () => {
    const first = await page(bob, { q: "o", limit: "1" });
    const second = await page(bob, { q: "o", limit: "1", cursor: first.nextCursor ?? "" });
    const all = await names(bob, { q: "o" });
    expect([...first.items, ...second.items].map((item) => item.name)).toEqual(all.slice(0, 2));
  });

  it("is never an error, whatever is typed", async () => {
    const hostile = [
      "'",
      "''",
      "a'b",
      "a & ",
      "!(a",
      ":*",
      "a:*b",
      "\\",
      "a\\'",
      "<->",
      "((((",
      "%",
      "_",
      "\0",
      "a\0b",
      "$1",
      "'; drop table assets; --",
      "\ud800",
      "ﬃ",
      "İ",
      "ß",
      "\u202e",
    ];
    for (const q of hostile) expect([q, (await query(ann, { q })).status]).toEqual([q, 200]);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 30 }), async (q) => (await query(ann, { q })).status === 200),
      { numRuns: 60 },
    );
  });

  it("finds a name of any script by its own beginning", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }), fc.integer({ min: 0 }), async (text, salt) => {
        const name = `${text} ${salt}`.trim().slice(0, 100);
        const answer = await server.send(
          "POST",
          "/api/v1/assets",
          { type: "program", name, files: [{ path: "main.py", content: "" }] },
          bob.headers,
        );
        if (answer.status !== 201) return;
        expect(await names(bob, { q: name, view: "mine", limit: "200" })).toContain(name);
      }),
      { numRuns: 25 },
    );
  });
});
