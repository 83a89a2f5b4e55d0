import type { Workspace, WorkspaceVersion } from "@syla/contracts/workspaces";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { WebSocket } from "ws";
import * as Y from "yjs";
import { createAccount, setStatus, share, type Person } from "../../access/people.ts";
import { errorOf, json } from "../../catalog/programs.ts";
import { createWorkspace, readFiles, write } from "../workspaces.ts";
import { allHold, join, type Connection } from "./replica.ts";

let server: TestServer;
let ann: Person;
let ben: Person;
let eve: Person;
const connections: Connection[] = [];

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  [ann, ben, eve] = [await createAccount(server), await createAccount(server), await createAccount(server)];
});
afterAll(() => server[Symbol.asyncDispose]());
afterEach(() => connections.splice(0).forEach((connection) => connection.close()));

async function shared(name: string, files: Readonly<Record<string, string>>): Promise<Workspace & { readonly grantId: string }> {
  const made = await createWorkspace(server, ann, name, files, { kind: "collaborative" });
  const resource = { resourceType: "workspace", resourceId: made.id };
  const grantId = await share(server, ann, { ...resource, email: ben.email, level: "edit" });
  await share(server, ann, { ...resource, email: eve.email, level: "view" });
  return { ...made, grantId };
}

async function enter(person: Person, id: string): Promise<Connection> {
  const connection = await join(server, person, id);
  connections.push(connection);
  return connection;
}

const settle = (id: string) => server.context.liveWorkspaces.settleAll(id);
const revisionOf = async (id: string) =>
  (await json<Workspace>(server.fetch(`/api/v1/workspaces/${id}`, { headers: ann.headers }))).revision;
const change = async (id: string, changes: readonly object[], person = ann) =>
  await server.send("POST", `/api/v1/workspaces/${id}/files`, { changes }, { ...person.headers, "if-match": `"${await revisionOf(id)}"` });

it("is edited by several, confirmed when it is in the database, and comes into the file in the names of those who wrote", async () => {
  const { id } = await shared("Together", { "a.txt": "one\ntwo\n" });
  const [a, b] = [await (await enter(ann, id)).open("a.txt"), await (await enter(ben, id)).open("a.txt")];
  a.text.insert(0, "zero\n");
  b.text.insert(b.text.length, "three\n");
  await Promise.all([a.saved(), b.saved()]);
  const { queries } = server.context.database;
  expect(await queries.selectFrom("live_updates").select("user_id").execute()).toEqual(
    expect.arrayContaining([{ user_id: ann.id }, { user_id: ben.id }]),
  );
  await allHold([a, b], "zero\none\ntwo\nthree\n");
  const made = await json<WorkspaceVersion>(server.send("POST", `/api/v1/workspaces/${id}/versions`, { message: "Both" }, ann.headers));
  expect(made.authors.map((author) => author.id)).toEqual(expect.arrayContaining([ann.id, ben.id]));
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "zero\none\ntwo\nthree\n" });
  expect(await queries.selectFrom("live_updates").select("seq").execute()).toEqual([]);
});

it("takes changes of others in beside what is being written, wherever they come from", async () => {
  const { id } = await shared("Meeting", { "a.txt": "1\n2\n3\n4\n5\n", "win.txt": "x\r\ny\r\n" });
  const connection = await enter(ben, id);
  const [b, windows] = [await connection.open("a.txt"), await connection.open("win.txt")];
  b.text.insert(0, "mine ");
  windows.text.insert(0, "w");
  await Promise.all([b.saved(), windows.saved()]);
  expect((await change(id, [write("a.txt", "1\n2\n3\n4\nfive\n")])).status).toBe(200);
  await allHold([b], "mine 1\n2\n3\n4\nfive\n");
  await settle(id);
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "mine 1\n2\n3\n4\nfive\n", "win.txt": "wx\r\ny\r\n" });
});

it("goes with a file that is moved, and says when it is gone, and keeps what is written until it is there again", async () => {
  const { id } = await shared("Moving", { "a.txt": "text\n" });
  const b = await (await enter(ben, id)).open("a.txt");
  b.text.insert(0, "more ");
  await b.saved();
  expect((await change(id, [{ op: "move", from: "a.txt", to: "dir/b.txt" }])).status).toBe(200);
  expect(await b.told("moved")).toEqual({ type: "moved", path: "dir/b.txt" });
  b.text.insert(0, "and ");
  await b.saved();
  await settle(id);
  expect(await readFiles(server, ann, id)).toEqual({ "dir/b.txt": "and more text\n" });
  expect((await change(id, [{ op: "delete", path: "dir/b.txt" }])).status).toBe(200);
  await b.told("detached");
  b.text.insert(0, "still ");
  await b.saved();
  await settle(id);
  expect(await readFiles(server, ann, id)).toEqual({});
  expect((await change(id, [write("dir/b.txt", "still and more text\n")])).status).toBe(200);
  b.text.insert(0, "here: ");
  await b.saved();
  await expect
    .poll(async () => {
      await settle(id);
      return await readFiles(server, ann, id);
    })
    .toEqual({ "dir/b.txt": "here: still and more text\n" });
});

it("refuses what somebody may not write, message by message, and says so", async () => {
  const { id, grantId } = await shared("Guarded", { "a.txt": "text\n" });
  const viewing = await enter(eve, id);
  const [viewer, writing] = [await viewing.open("a.txt"), await enter(ben, id)];
  const b = await writing.open("a.txt");
  viewer.text.insert(0, "hacked ");
  expect(await viewer.told("refused")).toMatchObject({ code: "forbidden" });
  b.text.insert(0, "good ");
  await b.saved();
  expect(b.text.toJSON()).toBe("good text\n");

  expect((await server.send("PATCH", `/api/v1/grants/${grantId}`, { level: "view" }, ann.headers)).status).toBe(200);
  b.text.insert(0, "after ");
  expect(await b.told("refused")).toMatchObject({ code: "forbidden" });
  await settle(id);
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "good text\n" });
  expect((await server.send("DELETE", `/api/v1/grants/${grantId}`, undefined, ann.headers)).status).toBe(204);
  expect(await writing.closed).toBe(4003);
  await setStatus(server, eve, "suspended");
  expect(await viewing.closed).toBe(4003);
  await setStatus(server, eve, "active");
});

it("refuses what is no change of the text, and goes on", async () => {
  const { id } = await shared("Hostile", { "a.txt": "text\n" });
  const connection = await enter(ben, id);
  const b = await connection.open("a.txt");
  const a = await (await enter(ann, id)).open("a.txt");
  const refused = async (make: (document: Y.Doc) => void, code = "live_update_invalid") => {
    const forged = new Y.Doc();
    Y.applyUpdate(forged, Y.encodeStateAsUpdate(b.provider.document));
    const before = Y.encodeStateVector(forged);
    make(forged);
    b.notices.length = 0;
    Y.applyUpdate(b.provider.document, Y.encodeStateAsUpdate(forged, before));
    expect(await b.told("refused")).toMatchObject({ code });
  };
  // Each is made on what the server has: a document that was refused something is not the server's any more, so each comes from a new one.
  await refused((forged) => forged.getText("content").insert(0, "a\0b"));
  await settle(id);
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "text\n" });
  a.text.insert(0, "good ");
  await a.saved();
  await settle(id);
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "good text\n" });

  const raw = new WebSocket(`${server.url.replace("http", "ws")}/api/v1/workspaces/${id}/live`, { headers: ben.headers });
  const closed = new Promise<number>((resolve) => raw.once("close", resolve));
  await new Promise((resolve) => raw.once("open", resolve));
  raw.send(Buffer.from([1, 65, 99, 3, 1, 2]));
  expect(await closed).toBe(1007);
});

it("says why a file cannot be edited together", async () => {
  const { id } = await shared("Not these", { "mixed.txt": "a\r\nb\n", "a.txt": "a\n" });
  const open = (path: string, person: Person = ben) =>
    errorOf(server.fetch(`/api/v1/workspaces/${id}/document?path=${path}`, { headers: person.headers }));
  expect(await open("mixed.txt")).toMatchObject({ code: "live_not_text" });
  expect(await open("none.txt")).toMatchObject({ code: "file_not_found" });
  expect(await open("a.txt", await createAccount(server))).toMatchObject({ code: "not_found" });
  const large = { op: "write", file: { path: "large.txt", content: "x".repeat(2 * 1024 * 1024 + 1) } };
  expect((await change(id, [large, { op: "write", file: { path: "b.bin", contentBase64: "AAEC" } }])).status).toBe(200);
  expect(await open("large.txt")).toMatchObject({ code: "live_too_large" });
  expect(await open("b.bin")).toMatchObject({ code: "live_not_text" });
});

it("tells who is there, in their own names, and in which file", async () => {
  const { id } = await shared("Room", { "a.txt": "a\n" });
  const [one, other] = [await enter(ann, id), await enter(ben, id)];
  one.room.awareness?.setLocalState({ path: "a.txt", user: { id: eve.id, name: "Somebody else" } });
  other.room.awareness?.setLocalState({ path: null });
  const answer = await server.fetch(`/api/v1/workspaces/${id}/people`, { headers: eve.headers });
  const reader = answer.body?.getReader();
  let text = "";
  while (!(text.includes(ann.id) && text.includes(ben.id) && text.includes('"path":"a.txt"'))) {
    const { value, done } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) throw new Error(`it ended: ${text}`);
    text += new TextDecoder().decode(value);
  }
  expect(text).not.toContain("Somebody else");
  await reader?.cancel();
});
