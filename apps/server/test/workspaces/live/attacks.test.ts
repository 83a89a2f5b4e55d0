import type { LiveDocument } from "@syla/contracts/workspace-live";
import type { Workspace } from "@syla/contracts/workspaces";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import * as Y from "yjs";
import { createAccount, share, type Person } from "../../access/people.ts";
import { json } from "../../catalog/programs.ts";
import { createWorkspace, readFiles } from "../workspaces.ts";
import { encode, forgedDelete, forgedInsert, forgedState, openRaw, syncs, types, type RawConnection } from "./raw.ts";
import { join, type Connection, type Replica } from "./replica.ts";

let server: TestServer;
let ann: Person;
let ben: Person;
let eve: Person;
const connections: Connection[] = [];
const raws: RawConnection[] = [];

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  [ann, ben, eve] = [await createAccount(server), await createAccount(server), await createAccount(server)];
});
afterAll(() => server[Symbol.asyncDispose]());
afterEach(() => {
  connections.splice(0).forEach((connection) => connection.close());
  raws.splice(0).forEach(({ socket }) => socket.terminate());
});

/** A workspace of ann's that ben may edit and eve may see, with ann's editor of its file. */
async function guarded(name: string): Promise<{ id: string; document: string; grantId: string; a: Replica }> {
  const { id } = await createWorkspace(server, ann, name, { "a.txt": "text\n" }, { kind: "collaborative" });
  const resource = { resourceType: "workspace", resourceId: id };
  const grantId = await share(server, ann, { ...resource, email: ben.email, level: "edit" });
  await share(server, ann, { ...resource, email: eve.email, level: "view" });
  const connection = await join(server, ann, id);
  connections.push(connection);
  const a = await connection.open("a.txt");
  return { id, document: await documentOf(id), grantId, a };
}

async function documentOf(id: string): Promise<string> {
  const found = await json<LiveDocument>(server.fetch(`/api/v1/workspaces/${id}/document?path=a.txt`, { headers: ann.headers }));
  return found.id;
}

async function raw(person: Person, id: string): Promise<RawConnection> {
  const connection = await openRaw(server, person, id);
  raws.push(connection);
  return connection;
}

/** What a replica of somebody's document writes. */
function writtenOn({ provider }: Replica, write: (text: Y.Text) => void): Uint8Array {
  const replica = new Y.Doc();
  Y.applyUpdate(replica, Y.encodeStateAsUpdate(provider.document));
  const before = Y.encodeStateVector(replica);
  write(replica.getText("content"));
  return Y.encodeStateAsUpdate(replica, before);
}

/** Nothing of what was said is anywhere, and whoever may write goes on. */
async function expectUntouched(id: string, a: Replica, text: string): Promise<void> {
  a.text.insert(0, "+");
  await a.saved();
  expect(a.text.toJSON()).toBe(`+${text}`);
  await server.context.liveWorkspaces.settleAll(id);
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": `+${text}` });
}

const writing = [
  ["an update", types.sync, syncs.update],
  ["an answer", types.sync, syncs.step2],
  ["an update as a reply", types.syncReply, syncs.update],
  ["an answer as a reply", types.syncReply, syncs.step2],
] as const;

it("takes nothing from who may only read, however it is sent", async () => {
  const { id, document, a } = await guarded("Read only");
  const viewer = await raw(eve, id);
  expect(await viewer.enter(document)).toBe(true);
  const insert = writtenOn(a, (text) => text.insert(0, "hacked "));
  const remove = writtenOn(a, (text) => text.delete(0, 3));
  // What is known already hides something that is not.
  const hidden = Y.mergeUpdates([Y.encodeStateAsUpdate(a.provider.document), remove]);
  const changes = [insert, remove, hidden, forgedInsert(77, 0, "hacked ")];
  for (const [, type, sync] of writing) for (const change of changes) viewer.say(document, type, sync, change);
  // At once with what is harmless, which must not open the way for it.
  for (const change of changes) {
    viewer.say(document, types.sync, syncs.update, Y.encodeStateAsUpdate(a.provider.document));
    viewer.say(document, types.sync, syncs.update, change);
    viewer.say(document, types.sync, syncs.step1, Uint8Array.of(0));
    viewer.say(document, types.sync, syncs.update, change);
  }
  await viewer.done(document);
  expect(new Set(viewer.refusals(document))).toEqual(new Set(["forbidden"]));
  expect(viewer.refusals(document)).toHaveLength(writing.length * changes.length + 2 * changes.length);
  await expectUntouched(id, a, "text\n");
});

it("shows and takes nothing of a document of another workspace, nor of one that nobody was let into", async () => {
  const [here, there] = [await guarded("Here"), await guarded("There")];
  const { id: closed } = await createWorkspace(server, ann, "Closed", { "a.txt": "secret\n" }, { kind: "collaborative" });
  const secret = await documentOf(closed);
  const outsider = await raw(ben, here.id);
  for (const name of [there.document, secret, there.id, closed, "liv_none", "", here.document.toUpperCase()]) {
    expect(await outsider.enter(name)).toBe(false);
    for (const [, type, sync] of writing) outsider.say(name, type, sync, forgedInsert(78, 0, "hacked "));
    outsider.say(name, types.sync, syncs.step1, Uint8Array.of(0));
    outsider.say(name, types.query);
    expect(await outsider.enter(name)).toBe(false);
  }
  // The one that may be entered, before it is.
  for (const [, type, sync] of writing) outsider.say(here.document, type, sync, forgedInsert(79, 1, "hacked "));
  expect(await outsider.enter(here.document)).toBe(true);
  await outsider.done(here.document);
  const told = outsider.heard.filter(({ name, type }) => name !== here.document && type !== types.auth);
  expect(told).toEqual([]);
  await expectUntouched(there.id, there.a, "text\n");
  await expectUntouched(here.id, here.a, "text\n");
  expect(await readFiles(server, ann, closed)).toEqual({ "a.txt": "secret\n" });
});

it("does nothing twice that is said again, whoever says it", async () => {
  const { id, document, grantId, a } = await guarded("Again");
  const [editor, viewer] = [await raw(ben, id), await raw(eve, id)];
  expect([await editor.enter(document), await viewer.enter(document)]).toEqual([true, true]);
  const change = writtenOn(a, (text) => text.insert(4, " of ben"));
  const frame = encode(document, types.sync, syncs.update, change);
  for (let count = 0; count < 5; count += 1) editor.socket.send(frame);
  await editor.done(document);
  await expect.poll(() => a.text.toJSON()).toBe("text of ben\n");
  for (let count = 0; count < 5; count += 1) viewer.socket.send(frame);
  await viewer.done(document);
  expect([...editor.refusals(document), ...viewer.refusals(document)]).toEqual([]);
  // What was deleted meanwhile stays so.
  a.text.delete(4, " of ben".length);
  await a.saved();
  editor.socket.send(frame);
  await editor.done(document);
  expect(a.text.toJSON()).toBe("text\n");
  // What was refused is refused again, also with the next connection.
  expect((await server.send("PATCH", `/api/v1/grants/${grantId}`, { level: "view" }, ann.headers)).status).toBe(200);
  const late = encode(
    document,
    types.sync,
    syncs.update,
    writtenOn(a, (text) => text.insert(0, "late ")),
  );
  for (let count = 0; count < 3; count += 1) editor.socket.send(late);
  await editor.done(document);
  expect(editor.refusals(document)).toEqual(["forbidden", "forbidden", "forbidden"]);
  const next = await raw(ben, id);
  expect(await next.enter(document)).toBe(true);
  next.socket.send(late);
  await next.done(document);
  expect(next.refusals(document)).toEqual(["forbidden"]);
  await expectUntouched(id, a, "text\n");
});

it("takes what was sent until somebody's right to write has ended, and nothing after", async () => {
  const { id, document, grantId, a } = await guarded("Ended");
  const editor = await raw(ben, id);
  expect(await editor.enter(document)).toBe(true);
  let clock = 0;
  const over = new AbortController();
  const typing = (async () => {
    while (!over.signal.aborted) {
      editor.say(document, types.sync, syncs.update, forgedInsert(80, clock, "."));
      clock += 1;
      await editor.done(document);
    }
  })();
  await expect.poll(() => a.text.length).toBeGreaterThan(30);
  expect((await server.send("PATCH", `/api/v1/grants/${grantId}`, { level: "view" }, ann.headers)).status).toBe(200);
  const atLeast = editor.confirmed(document);
  await expect.poll(() => editor.refusals(document)).toContain("forbidden");
  over.abort();
  await typing;
  // Each that was confirmed is there, and nothing else.
  const dots = () => a.text.toJSON().replaceAll(/[^.]/g, "").length;
  await expect.poll(dots).toBe(editor.confirmed(document));
  expect(dots()).toBeGreaterThanOrEqual(atLeast);
  const text = a.text.toJSON();
  editor.say(document, types.sync, syncs.update, forgedInsert(81, 0, "after"));
  await editor.done(document);
  await expectUntouched(id, a, text);
});

it("goes on beside clocks that lie", async () => {
  const { id, document, a } = await guarded("Clocks");
  const liar = await raw(ben, id);
  expect(await liar.enter(document)).toBe(true);
  const own = a.provider.document.clientID;
  a.text.insert(0, "ann: ");
  await a.saved();
  const lies = [
    ...[1, 2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER - 1].map((clock) => forgedInsert(90, clock, "lie")),
    forgedInsert(own, 0, "lie"),
    forgedInsert(own, 2 ** 31, "lie"),
    forgedInsert(91, 0, "lie", "other"),
    forgedDelete(own, 0, 2 ** 40),
    forgedDelete(92, 0, 1),
    forgedDelete(92, Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER - 1),
  ];
  for (const [, type, sync] of writing) for (const lie of lies) liar.say(document, type, sync, lie);
  await liar.done(document);
  expect(new Set(liar.refusals(document))).toEqual(new Set(["live_update_invalid"]));
  await expectUntouched(id, a, "ann: text\n");
});

it("shows nobody to be where somebody else says that they are, or gone", async () => {
  const { id, document, a } = await guarded("Shown");
  const [liar, watcher] = [await raw(ben, id), await raw(eve, id)];
  expect([await liar.enter(document), await watcher.enter(document)]).toEqual([true, true]);
  const own = a.provider.document.clientID;
  a.provider.setAwarenessField("cursor", null);
  await expect.poll(() => watcher.shown(document, own).length).toBeGreaterThan(0);
  const later = 2 ** 40;
  for (const state of ["null", "{}", JSON.stringify({ user: { id: ann.id, name: "Nobody" }, cursor: { head: 1 } })])
    liar.say(document, types.awareness, forgedState(own, later, state));
  await liar.done(document);
  const before = watcher.shown(document, own).length;
  a.provider.setAwarenessField("cursor", { anchor: null, head: null });
  await expect.poll(() => watcher.shown(document, own).length).toBeGreaterThan(before);
  const shown = watcher.shown(document, own);
  expect(Math.max(...shown.map(({ clock }) => clock))).toBeLessThan(later);
  for (const { state } of shown) expect(state).toMatchObject({ user: { id: ann.id, name: `Name of ${ann.id}` } });
});

it("goes on beside bytes that mean nothing", async () => {
  const { id, document, a } = await guarded("Garbage");
  const good = writtenOn(a, (text) => text.insert(2, "more"));
  const flipped = fc
    .tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }))
    .map(([at, byte]) => good.map((old, index) => (index === at ? byte : old)));
  const payload = fc.oneof(fc.uint8Array({ maxLength: 80 }), flipped);
  const message = fc.oneof(
    fc.tuple(fc.constantFrom(...writing), payload).map(([[, type, sync], bytes]) => encode(document, type, sync, bytes)),
    payload.map((bytes) => encode(document, types.awareness, bytes)),
    fc.tuple(fc.nat({ max: 12 }), payload).map(([type, bytes]) => Buffer.concat([encode(document, type), bytes])),
    payload,
  );
  // Alone, it may be what can be read and means something else.
  const one = fc.tuple(fc.constantFrom(...writing), flipped).map(([[, type, sync], bytes]) => [encode(document, type, sync, bytes)]);
  // Who may only read sends it: whatever would be a change must not become one.
  let said = 0;
  await fc.assert(
    fc.asyncProperty(fc.oneof(one, fc.array(message, { minLength: 1, maxLength: 20 })), async (messages) => {
      const fool = await raw(eve, id);
      await fool.enter(document);
      for (const bytes of messages) fool.socket.send(bytes);
      const isOpen = await Promise.race([fool.done(document).then(() => true), fool.closed.then(() => false)]);
      said += isOpen ? 1 : 0;
      fool.socket.terminate();
    }),
    { numRuns: 60 },
  );
  expect(said).toBeGreaterThan(0);
  await expectUntouched(id, a, "text\n");
});

it("cuts off who does not read, and goes on for the others", async () => {
  const { id, document, a } = await guarded("Unread");
  const silent = await raw(eve, id);
  expect(await silent.enter(document)).toBe(true);
  silent.say(document, types.awareness, forgedState(99, 1, '{"cursor":null}'));
  await expect.poll(() => [...(a.provider.awareness?.getStates().keys() ?? [])]).toContain(99);
  silent.socket.pause();
  const large = `${"x".repeat(99)}\n`.repeat(5000);
  for (let count = 0; count < 50; count += 1) {
    a.text.insert(0, large);
    await a.saved();
    a.text.delete(0, large.length);
    await a.saved();
    if (count % 10 === 9) await server.context.liveWorkspaces.settleAll(id);
  }
  await expect.poll(() => [...(a.provider.awareness?.getStates().keys() ?? [])]).not.toContain(99);
  silent.socket.resume();
  expect(await silent.closed).toBe(1006);
  await expectUntouched(id, a, "text\n");
});

const wish = JSON.stringify({ type: "put_back" });

/** The file is deleted, and everybody who has it open knows. */
async function deleted(name: string): Promise<Awaited<ReturnType<typeof guarded>>> {
  const made = await guarded(name);
  const { revision } = await json<Workspace>(server.fetch(`/api/v1/workspaces/${made.id}`, { headers: ann.headers }));
  const headers = { ...ann.headers, "if-match": `"${revision}"` };
  const changes = [{ op: "delete", path: "a.txt" }];
  expect((await server.send("POST", `/api/v1/workspaces/${made.id}/files`, { changes }, headers)).status).toBe(200);
  await made.a.told("detached");
  return made;
}

it("puts no file back for who may only read, nor for who may write no more", async () => {
  const { id, document, grantId, a } = await deleted("Gone");
  const [viewer, editor] = [await raw(eve, id), await raw(ben, id)];
  expect([await viewer.enter(document), await editor.enter(document)]).toEqual([true, true]);
  expect((await server.send("PATCH", `/api/v1/grants/${grantId}`, { level: "view" }, ann.headers)).status).toBe(200);
  for (const connection of [viewer, editor]) {
    connection.say(document, types.stateless, wish);
    await expect.poll(() => connection.refusals(document)).toEqual(["forbidden"]);
  }
  // Of one that is not open there, and of the room, nothing can be asked.
  const other = await guarded("Not gone");
  viewer.say(other.document, types.stateless, wish);
  viewer.say(id, types.stateless, wish);
  await viewer.done(document);
  await server.context.liveWorkspaces.settleAll(id);
  expect(await readFiles(server, ann, id)).toEqual({});
  expect(viewer.heard.filter(({ name, type }) => name !== document && type === types.stateless)).toEqual([]);
  a.putBack();
  expect(await a.told("settled")).toEqual({ type: "settled", problem: null });
  await expectUntouched(id, a, "text\n");
});

it("ends a connection that asks for what cannot be asked for", async () => {
  const { id, document, a } = await deleted("Nonsense");
  const asked = ["", "null", "[]", '"put_back"', "{}", '{"type":"put"}', '{"type":["put_back"]}', wish.slice(1), `${wish}x`];
  for (const text of asked) {
    const editor = await raw(ben, id);
    expect(await editor.enter(document)).toBe(true);
    editor.say(document, types.stateless, text);
    expect(await editor.closed).toBe(1007);
  }
  const editor = await raw(ben, id);
  expect(await editor.enter(document)).toBe(true);
  editor.socket.send(encode(document, types.stateless, wish).subarray(0, -3));
  expect(await editor.closed).toBe(1007);
  await server.context.liveWorkspaces.settleAll(id);
  expect(await readFiles(server, ann, id)).toEqual({});
  a.putBack();
  expect(await a.told("settled")).toEqual({ type: "settled", problem: null });
});

it("puts a file back for who may write while others ask for that without end, and does it once", async () => {
  const { id, document, a } = await deleted("Flood");
  const [viewer, editor] = [await raw(eve, id), await raw(ben, id)];
  expect([await viewer.enter(document), await editor.enter(document)]).toEqual([true, true]);
  const frame = encode(document, types.stateless, wish);
  const over = new AbortController();
  const flood = async ({ socket, done }: RawConnection) => {
    while (!over.signal.aborted) {
      for (let count = 0; count < 500; count += 1) socket.send(frame);
      await done(document);
    }
  };
  const viewing = flood(viewer);
  await expect.poll(() => viewer.refusals(document).length).toBeGreaterThan(5);
  expect(await readFiles(server, ann, id)).toEqual({});
  a.putBack();
  expect(await a.told("settled")).toEqual({ type: "settled", problem: null });
  const revision = async () => (await json<Workspace>(server.fetch(`/api/v1/workspaces/${id}`, { headers: ann.headers }))).revision;
  const before = await revision();
  const editing = flood(editor);
  await expectUntouched(id, a, "text\n");
  for (let count = 0; count < 5; count += 1) await editor.done(document);
  over.abort();
  await Promise.all([viewing, editing]);
  expect(new Set(viewer.refusals(document))).toEqual(new Set(["forbidden"]));
  expect(editor.refusals(document)).toEqual([]);
  // What ann wrote meanwhile, and nothing of all that was asked.
  expect(await revision()).toBe(before + 1);
  await expectUntouched(id, a, "+text\n");
});
