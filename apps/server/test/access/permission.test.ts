import { accessLevels, levelCovers, type AccessLevel } from "@syla/contracts/access";
import type { Role } from "@syla/contracts/accounts";
import { AppError } from "@syla/contracts/errors";
import type { Actor } from "@syla/server/access/actor";
import { can, higher, levelOf, personal, type RoleAction, type ThingAction } from "@syla/server/access/permission";
import { visibleTo } from "@syla/server/access/store";
import { newId } from "@syla/server/platform/ids";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccount, insertRun, type Person } from "./people.ts";

const roles: readonly Role[] = ["developer", "developer", "developer", "end_user", "admin"];
const runActions: readonly (readonly [ThingAction, AccessLevel])[] = [
  ["run:read", "view"],
  ["run:rerun", "run"],
  ["run:cancel", "edit"],
  ["run:pin", "edit"],
  ["run:share", "admin"],
];

describe("the permission function", () => {
  const actor: Actor = { userId: "user_1", role: "developer", via: "session" };
  const thing = { type: "run", id: "run_1", ownerId: "user_2", visibility: "private", level: null } as const;

  it("gives each level what is below it too", () => {
    for (const level of accessLevels)
      for (const [action, needed] of runActions) expect(can(actor, action, { ...thing, level })).toBe(levelCovers(level, needed));
  });

  it("lets everybody view and run what is public, and owners and administrators do everything", () => {
    expect(runActions.map(([action]) => can(actor, action, { ...thing, visibility: "public" }))).toEqual([true, true, false, false, false]);
    expect(runActions.every(([action]) => can(actor, action, { ...thing, ownerId: "user_1" }))).toBe(true);
    expect(runActions.every(([action]) => can({ ...actor, role: "admin" }, action, thing))).toBe(true);
  });

  it("lets end users change nothing that is not theirs", () => {
    const endUser: Actor = { ...actor, role: "end_user" };
    expect(runActions.map(([action]) => can(endUser, action, { ...thing, level: "admin" }))).toEqual([true, true, false, false, false]);
    expect(runActions.every(([action]) => can(endUser, action, { ...thing, ownerId: "user_1" }))).toBe(true);
    expect([can(endUser, "sandbox:keep"), can(endUser, "server:inspect"), can(endUser, "model:try")]).toEqual([false, false, false]);
  });

  it("lets end users own nothing but runs and passing sandboxes, and developers everything but what is the system's", () => {
    const creations = ["asset", "team", "credential", "package_index", "webhook", "trigger", "schedule"].map(
      (type) => `${type}:create` as RoleAction,
    );
    expect(creations.filter((action) => can({ ...actor, role: "end_user" }, action))).toEqual([]);
    expect(creations.every((action) => can(actor, action))).toBe(true);
    expect([can(actor, "system:own"), can({ ...actor, role: "admin" }, "system:own")]).toEqual([false, true]);
  });

  it("lets members have of their team's things what is said for each type, and its owners everything", () => {
    const types = ["run", "asset", "team", "credential", "package_index", "webhook"] as const;
    const levels = (teamRole: "owner" | "member") => types.map((type) => levelOf(actor, { ...thing, type, ownerId: "team_1", teamRole }));
    expect(levels("member")).toEqual(["edit", "edit", "view", "run", "view", "view"]);
    expect(new Set(levels("owner"))).toEqual(new Set(["admin"]));
  });

  it("shows what is nobody else's to its owner and to administrators", () => {
    const own = personal("account", "user_2", "user_2");
    expect([can(actor, "account:read", own), can({ ...actor, userId: "user_2" }, "account:read", own)]).toEqual([false, true]);
    expect(can({ ...actor, role: "admin" }, "account:read", own)).toBe(true);
  });
});

describe("what is the system's", () => {
  const thing = { type: "asset", id: "x", ownerId: "system", visibility: "public", level: "admin" } as const;
  const actions = ["asset:read", "asset:run", "asset:edit", "asset:share", "asset:delete", "asset:transfer"] as const;
  const may = (role: Role, more: object = {}) =>
    actions.filter((action) => can({ userId: "user_1", role, via: "session" }, action, { ...thing, ...more }));

  it("is run by everybody and changed by nobody", () => {
    for (const role of roles) expect(may(role)).toEqual(["asset:read", "asset:run"]);
  });

  it("is changed by administrators alone where they administer it, and used as it is shared", () => {
    expect(may("admin", { isAdministered: true, visibility: "private", level: null })).toEqual(actions);
    for (const role of ["developer", "end_user"] as const) {
      expect(may(role, { isAdministered: true })).toEqual(["asset:read", "asset:run"]);
      expect(may(role, { isAdministered: true, visibility: "private" })).toEqual(["asset:read", "asset:run"]);
      expect(may(role, { isAdministered: true, visibility: "private", level: "view" })).toEqual(["asset:read"]);
      expect(may(role, { isAdministered: true, visibility: "private", level: null })).toEqual([]);
    }
  });
});

/** A random grant, by places in the lists of people, teams and runs. */
const grant = fc.record({
  run: fc.nat(3),
  subject: fc.constantFrom("user", "team", "link", "email"),
  who: fc.nat(4),
  level: fc.constantFrom(...accessLevels),
  expires: fc.constantFrom("never", "later", "past"),
});
type RandomGrant = typeof grant extends fc.Arbitrary<infer T> ? T : never;
const world = fc.record({
  grants: fc.array(grant, { maxLength: 12 }),
  members: fc.array(fc.tuple(fc.nat(1), fc.nat(4)), { maxLength: 6 }),
  redeemed: fc.array(fc.tuple(fc.nat(11), fc.nat(4)), { maxLength: 6 }),
  open: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  owners: fc.array(fc.nat(4), { minLength: 4, maxLength: 4 }),
});

describe("what somebody may do", () => {
  let server: TestServer;
  let people: Person[];
  let runs: string[];
  beforeAll(async () => {
    server = await startTestServer();
    people = await Promise.all(roles.map((role) => createAccount(server, role)));
    runs = [];
    for (let index = 0; index < 4; index += 1) runs.push(await insertRun(server, people[0] as Person));
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it("is the same in the function, in lists, and as the grants say", async () => {
    const property = fc.asyncProperty(world, async (random) => {
      const levels = await build(random);
      for (const [index, person] of people.entries()) {
        const role = roles[index] ?? "developer";
        const actor: Actor = { userId: person.id, role, via: "session" };
        const listed = await server.context.database.queries.selectFrom("runs").select("id").where(visibleTo(actor, "run")).execute();
        const seen = new Set(listed.map(({ id }) => id));
        for (const [place, id] of runs.entries()) {
          const level = expectedLevel(random, levels, place, index);
          for (const [action, needed] of runActions)
            expect(await allows(actor, action, id), `${action} of run ${place} by ${index}`).toBe(
              level !== null && levelCovers(level, needed),
            );
          expect(seen.has(id)).toBe(level !== null);
        }
      }
    });
    await fc.assert(property, { numRuns: 40 });
  }, 120_000);

  async function allows(actor: Actor, action: ThingAction, id: string): Promise<boolean> {
    const thing = await server.context.runs.thing(id);
    if (thing === undefined) throw new Error("the run is gone");
    try {
      await server.context.access.require(actor, action, thing);
      return true;
    } catch (error) {
      if (error instanceof AppError && (error.code === "forbidden" || error.code === "not_found")) return false;
      throw error;
    }
  }

  /** Writes a random world down. @returns the level that each grant gives now, by run and person */
  async function build({ grants, members, redeemed, open, owners }: typeof world extends fc.Arbitrary<infer T> ? T : never) {
    const { queries } = server.context.database;
    await queries.deleteFrom("grants").execute();
    await queries.deleteFrom("share_links").execute();
    await queries.deleteFrom("teams").execute();
    for (const [place, id] of runs.entries())
      await queries
        .updateTable("runs")
        .set({ visibility: open[place] === true ? "public" : "private", owner_id: people[owners[place] ?? 0]?.id ?? "" })
        .where("id", "=", id)
        .execute();
    const teams = [newId("team"), newId("team")];
    for (const id of teams) await queries.insertInto("teams").values({ id, name: id, slug: id, created_by: null }).execute();
    for (const [team, person] of members)
      await queries
        .insertInto("team_members")
        .values({ team_id: teams[team] ?? "", user_id: people[person]?.id ?? "", role: "member" })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    const levels = new Map<string, AccessLevel | null>();
    for (const [index, given] of grants.entries()) await insertGrant(given, index, teams, members, redeemed, levels);
    return levels;
  }

  async function insertGrant(
    given: RandomGrant,
    index: number,
    teams: readonly string[],
    members: readonly (readonly [number, number])[],
    redeemed: readonly (readonly [number, number])[],
    levels: Map<string, AccessLevel | null>,
  ): Promise<void> {
    const { queries } = server.context.database;
    const link = newId("link");
    const team = given.who % 2;
    const subjects = { user: people[given.who]?.id, team: teams[team], link, email: people[given.who]?.email };
    const users = redeemed.filter(([place]) => place === index).map(([, person]) => person);
    if (given.subject === "link") {
      await queries.insertInto("share_links").values({ id: link, token_hash: link, start: "s", created_by: null }).execute();
      for (const person of new Set(users))
        await queries
          .insertInto("share_link_uses")
          .values({ link_id: link, user_id: people[person]?.id ?? "" })
          .execute();
    }
    const ends = { never: null, later: new Date(Date.now() + 3_600_000), past: new Date(Date.now() - 1000) };
    const written = await queries
      .insertInto("grants")
      .values({
        id: newId("grant"),
        resource_type: "run",
        resource_id: runs[given.run] ?? "",
        subject_type: given.subject,
        subject_id: subjects[given.subject] ?? "",
        level: given.level,
        created_by: null,
        expires_at: ends[given.expires],
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning("id")
      .executeTakeFirst();
    if (written === undefined || given.expires === "past") return;
    const reached = {
      user: [given.who],
      team: members.filter(([place]) => place === team).map(([, person]) => person),
      link: users,
      email: [],
    }[given.subject];
    for (const person of reached) {
      const key = `${given.run} ${person}`;
      levels.set(key, higher(levels.get(key) ?? null, given.level));
    }
  }
});

/** What the grants, the owner, the visibility and the role make of it. */
function expectedLevel(
  { open, owners }: { open: readonly boolean[]; owners: readonly number[] },
  levels: ReadonlyMap<string, AccessLevel | null>,
  run: number,
  person: number,
): AccessLevel | null {
  if (roles[person] === "admin" || owners[run] === person) return "admin";
  const level = higher(levels.get(`${run} ${person}`) ?? null, open[run] === true ? "run" : null);
  return roles[person] === "end_user" && level !== null && levelCovers(level, "run") ? "run" : level;
}
