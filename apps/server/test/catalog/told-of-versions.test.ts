import type { Asset } from "@syla/contracts/assets";
import type { Notification } from "@syla/contracts/notifications";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAccount, insertRun, setStatus, share, type Person } from "../access/people.ts";
import { createProgram } from "./programs.ts";

let server: TestServer;
let owner: Person;
let program: Asset;
let number = 0;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(async () => {
  owner = await createAccount(server);
  program = await createProgram(server, owner, `Told ${(number += 1)}`);
});
afterAll(() => server[Symbol.asyncDispose]());

/** Somebody who has run the program, so many days ago. */
async function createUser(more: { readonly daysAgo?: number; readonly granted?: boolean } = {}): Promise<Person> {
  const person = await createAccount(server);
  const { daysAgo = 1, granted = true } = more;
  if (granted) await share(server, owner, { resourceType: "asset", resourceId: program.id, email: person.email, level: "run" });
  const run = await insertRun(server, person);
  const created_at = new Date(Date.now() - daysAgo * 86_400_000);
  await server.context.database.queries.updateTable("runs").set({ asset_id: program.id, created_at }).where("id", "=", run).execute();
  return person;
}

async function publish(by: Person, version: string, message = ""): Promise<number> {
  return (await server.send("POST", `/api/v1/assets/${program.id}/versions`, { version, message }, by.headers)).status;
}

async function told({ headers }: Person): Promise<Notification[]> {
  const answer = await server.fetch("/api/v1/notifications?type=asset_updated", { headers });
  return ((await answer.json()) as { items: Notification[] }).items;
}

describe("a new version", () => {
  it("is told once to whoever has run it, with what has changed, and not to who published it", async () => {
    const user = await createUser();
    expect(await publish(owner, "1.0.0", "Faster")).toBe(201);
    expect(await publish(owner, "1.0.0")).toBe(409);
    expect(await told(user)).toEqual([
      expect.objectContaining({
        title: `“${program.name}” has a new version, 1.0.0`,
        body: "Faster",
        link: `/programs/${program.id}?tab=versions`,
        details: { assetId: program.id, version: "1.0.0" },
      }),
    ]);
    expect(await told(owner)).toEqual([]);
  });

  it("is told to its owner when somebody else has published it", async () => {
    const editor = await createAccount(server);
    await share(server, owner, { resourceType: "asset", resourceId: program.id, email: editor.email, level: "edit" });
    expect(await publish(editor, "1.0.0")).toBe(201);
    expect([(await told(owner)).length, (await told(editor)).length]).toEqual([1, 0]);
  });

  it("is not told to who may not see it any more, uses it no more, never did, or is suspended", async () => {
    const [revoked, past, suspended] = [await createUser({ granted: false }), await createUser({ daysAgo: 120 }), await createUser()];
    const onlooker = await createAccount(server);
    await share(server, owner, { resourceType: "asset", resourceId: program.id, email: onlooker.email, level: "run" });
    await setStatus(server, suspended, "suspended");
    expect(await publish(owner, "1.0.0")).toBe(201);
    await setStatus(server, suspended, "active");
    for (const person of [revoked, past, suspended, onlooker]) expect(await told(person)).toEqual([]);
    await server.send("PATCH", `/api/v1/assets/${program.id}`, { visibility: "public" }, { ...owner.headers, "if-match": "*" });
    expect(await publish(owner, "1.0.1")).toBe(201);
    expect((await told(revoked)).map(({ details }) => details["version"])).toEqual(["1.0.1"]);
  });

  it("is told to members of a team that has a schedule for it, and goes where each has chosen", async () => {
    const member = await createAccount(server);
    const { id: teamId } = (await (await server.send("POST", "/api/v1/teams", { name: "Readers" }, owner.headers)).json()) as {
      id: string;
    };
    const { queries } = server.context.database;
    await queries.insertInto("team_members").values({ team_id: teamId, user_id: member.id, role: "member" }).execute();
    await share(server, owner, { resourceType: "asset", resourceId: program.id, teamId, level: "run" });
    const made = await server.send("POST", "/api/v1/schedules", { name: "Yearly", programId: program.id, cron: "@yearly" }, member.headers);
    expect(made.status).toBe(201);
    await server.send(
      "PATCH",
      "/api/v1/notification-preferences",
      { types: { asset_updated: { inApp: true, email: true, webhook: false } } },
      member.headers,
    );
    expect(await publish(owner, "1.0.0")).toBe(201);
    expect(await told(member)).toHaveLength(1);
    const mails = await queries.selectFrom("deliveries").select("message").where("user_id", "=", member.id).execute();
    const subjects = mails.map(({ message }) => (message as { subject: string }).subject);
    expect(subjects.filter((subject) => subject.includes("version"))).toEqual([`“${program.name}” has a new version, 1.0.0`]);
  });

  it("is told no more to who has heard of twenty within the hour", async () => {
    const user = await createUser();
    for (let patch = 0; patch < 22; patch += 1) expect(await publish(owner, `1.0.${patch}`)).toBe(201);
    expect(await told(user)).toHaveLength(20);
  });
});
