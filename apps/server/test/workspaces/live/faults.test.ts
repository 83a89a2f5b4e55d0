import { setTimeout as sleep } from "node:timers/promises";
import type { Run } from "@syla/contracts/runs";
import type { Workspace } from "@syla/contracts/workspaces";
import { sweepWorkspaces } from "@syla/server/workspaces/lifecycle";
import { execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import * as Y from "yjs";
import { createAccount, share, type Person } from "../../access/people.ts";
import { errorOf, json } from "../../catalog/programs.ts";
import { createWorkspace, readFiles, write } from "../workspaces.ts";
import { allHold, join, type Connection } from "./replica.ts";

let server: TestServer;
let ann: Person;
let ben: Person;
const connections: Connection[] = [];

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  [ann, ben] = [await createAccount(server), await createAccount(server)];
});
afterAll(() => server[Symbol.asyncDispose]());
afterEach(() => connections.splice(0).forEach((connection) => connection.close()));

async function shared(name: string, files: Readonly<Record<string, string>>, others: readonly Person[] = [ben]): Promise<string> {
  const { id } = await createWorkspace(server, ann, name, files, { kind: "collaborative" });
  for (const { email } of others) await share(server, ann, { resourceType: "workspace", resourceId: id, email, level: "edit" });
  return id;
}

async function enter(person: Person, id: string): Promise<Connection> {
  const connection = await join(server, person, id);
  connections.push(connection);
  return connection;
}

const settle = (id: string) => server.context.liveWorkspaces.settleAll(id);
const post = (id: string, what: string, body?: unknown, more: Record<string, string> = {}) =>
  server.send("POST", `/api/v1/workspaces/${id}/${what}`, body, { ...ann.headers, ...more });

it("takes nothing that is written in somebody else's name, nor what counts on where nobody was", async () => {
  const id = await shared("Names", { "a.txt": "text\n" });
  const [writing, quiet] = [await (await enter(ann, id)).open("a.txt"), await (await enter(ann, id)).open("a.txt")];
  writing.text.insert(0, "ann ");
  await writing.saved();
  // Of the other editor of hers nothing is written yet: that it is hers is only shown.
  for (const { provider } of [writing, quiet]) provider.setAwarenessField("cursor", null);
  for (const { provider } of [writing, quiet]) {
    const { clientID } = provider.document;
    const b = await (await enter(ben, id)).open("a.txt");
    await expect.poll(() => [...(b.provider.awareness?.getStates().keys() ?? [])]).toContain(clientID);
    b.provider.document.clientID = clientID;
    b.text.insert(0, "forged ");
    expect(await b.told("refused")).toMatchObject({ code: "live_update_invalid" });
  }
  quiet.text.insert(0, "more ");
  await quiet.saved();
  // A clock that is ahead: something before it is missing, and never comes.
  const ahead = new Y.Doc();
  const b = await (await enter(ben, id)).open("a.txt");
  Y.applyUpdate(ahead, Y.encodeStateAsUpdate(b.provider.document));
  ahead.getText("content").insert(0, "lost ");
  const before = Y.encodeStateVector(ahead);
  ahead.getText("content").insert(0, "ahead ");
  b.provider.document.emit("update", [Y.encodeStateAsUpdate(ahead, before), null, b.provider.document, null as never]);
  await b.saved(); // they are asked for everything that they have, and have nothing of it
  await settle(id);
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "more ann text\n" });
});

it("takes up a version that is restored, and what a run writes, beside what is being written", async () => {
  const id = await shared("Beside", { "a.txt": "1\n2\n3\n4\n5\n", "go.sh": "sed -i s/5/five/ a.txt\n" });
  const b = await (await enter(ben, id)).open("a.txt");
  await post(id, "versions", { message: "first" });
  b.text.insert(0, "mine ");
  const run: Run = await execute(server, { entrypoint: "go.sh", workspaceId: id }, ann.headers);
  expect(run.workspace).toMatchObject({ outcome: "merged" });
  await allHold([b], "mine 1\n2\n3\n4\nfive\n");
  b.text.insert(b.text.length, "6\n");
  await b.saved();
  const { revision } = await json<Workspace>(server.fetch(`/api/v1/workspaces/${id}`, { headers: ann.headers }));
  expect((await post(id, "versions/1/restore", {}, { "if-match": `"${revision}"` })).status).toBe(200);
  await expect.poll(() => b.text.toJSON()).toBe("1\n2\n3\n4\n5\n");
  b.text.insert(0, "again ");
  await b.saved();
  await settle(id);
  expect((await readFiles(server, ann, id))["a.txt"]).toBe("again 1\n2\n3\n4\n5\n");
});

it("keeps what does not fit into a quota, says so, and puts it into the file when it does", async () => {
  const poor = await createAccount(server);
  const id = await shared("Poor", { "a.txt": "" }, [poor]);
  await server.send("PATCH", `/api/v1/quotas/${poor.id}`, { storageMb: 1 });
  const p = await (await enter(poor, id)).open("a.txt");
  const part = `${"x".repeat(99)}\n`.repeat(4000);
  for (let count = 0; count < 3; count += 1) {
    p.text.insert(p.text.length, part);
    await p.saved();
  }
  await settle(id);
  expect(await p.told("settled")).toMatchObject({ problem: { code: "quota_exceeded" } });
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "" });
  await server.send("PATCH", `/api/v1/quotas/${poor.id}`, { storageMb: 100 });
  p.notices.length = 0;
  await settle(id);
  expect(await p.told("settled")).toEqual({ type: "settled", problem: null });
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": part.repeat(3) });
});

it("takes nothing for an archived workspace, and has what was confirmed before when it is taken up again", async () => {
  const id = await shared("Archived", { "a.txt": "text\n" });
  const b = await (await enter(ben, id)).open("a.txt");
  b.text.insert(0, "before ");
  await b.saved();
  // It was not used for long: nobody asks for what is being written.
  const { database } = server.context;
  await database.queries
    .updateTable("workspaces")
    .set({ last_used_at: new Date(Date.now() - 60_000) })
    .where("id", "=", id)
    .execute();
  await sweepWorkspaces(database, { ephemeralMs: 1e9, sessionMs: 1e9, idleMs: 1e9, collaborativeIdleMs: 1e9, archiveMs: 1000 });
  expect((await errorOf(post(id, "files", { changes: [write("b.txt", "")] }, { "if-match": "*" }))).code).toBe("workspace_archived");
  b.text.insert(0, "after ");
  expect(await b.told("refused")).toMatchObject({ code: "workspace_archived" });
  expect((await post(id, "resume")).status).toBe(200);
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "before text\n" });
  const again = await (await enter(ben, id)).open("a.txt");
  expect(again.text.toJSON()).toBe("before text\n");
});

it("ends with a workspace that is deleted", async () => {
  const id = await shared("Deleted", { "a.txt": "text\n" });
  const connection = await enter(ben, id);
  const b = await connection.open("a.txt");
  expect((await server.send("DELETE", `/api/v1/workspaces/${id}`, undefined, { ...ann.headers, "if-match": "*" })).status).toBeLessThan(
    300,
  );
  expect(await connection.closed).toBe(4003);
  b.text.insert(0, "late ");
  await settle(id);
});

it("brings twenty people together in one file", { timeout: 120_000 }, async () => {
  const id = await shared("Crowd", { "a.txt": "start\n" });
  const people = await Promise.all(Array.from({ length: 20 }, (_, index) => enter(index % 2 === 0 ? ann : ben, id)));
  const replicas = await Promise.all(people.map((connection) => connection.open("a.txt")));
  for (let round = 0; round < 5; round += 1) {
    for (const [index, { text }] of replicas.entries()) text.insert(text.length, `<${round}.${index}>`);
    await sleep(20);
  }
  await Promise.all(replicas.map((replica) => replica.saved()));
  const tokens = Array.from({ length: 100 }, (_, count) => `<${Math.floor(count / 20)}.${count % 20}>`);
  await expect.poll(() => new Set(replicas.map(({ text }) => text.toJSON())).size, { timeout: 60_000 }).toBe(1);
  const whole = replicas[0]?.text.toJSON() ?? "";
  expect(tokens.filter((token) => whole.split(token).length !== 2)).toEqual([]);
  await settle(id);
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": whole });
});
