import type { Asset } from "@syla/contracts/assets";
import { CanvasPresence } from "@syla/contracts/composition-live";
import type { CompositionGraph, CreatedComposition } from "@syla/contracts/compositions";
import type { FlowGraph } from "@syla/contracts/flow";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { createAccount, setStatus, share, type Person } from "../../access/people.ts";
import { errorOf, json } from "../../catalog/programs.ts";
import { graph, node, shout } from "../graphs.ts";
import { type Drawer, isWhole, openDraft, wired, without, withMore, withNode } from "./drawer.ts";

let server: TestServer;
let ann: Person;
let ben: Person;
let eve: Person;
const drawers: Drawer[] = [];

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  [ann, ben, eve] = [await createAccount(server), await createAccount(server), await createAccount(server)];
});
afterAll(() => server[Symbol.asyncDispose]());
afterEach(() => drawers.splice(0).forEach((drawer) => drawer.destroy()));

const send = (person: Person, method: string, path: string, body?: unknown, headers: object = {}) =>
  server.send(method, `/api/v1${path}`, body, { ...person.headers, ...headers });
const read = async (id: string) => await json<CompositionGraph>(send(ann, "GET", `/compositions/${id}/graph`));
const put = (id: string, given: object, revision: number | "*", person = ann) =>
  send(person, "PUT", `/compositions/${id}/graph`, { graph: given }, { "if-match": revision === "*" ? "*" : `"${revision}"` });
const labelsOf = ({ nodes }: Pick<FlowGraph, "nodes">) => nodes.map(({ label }) => label);

let count = 0;
/** A composition of Ann's that Ben may edit and Eve may see. */
async function shared(given: object = shout): Promise<{ id: string; grantId: string }> {
  const made = await send(ann, "POST", "/compositions", { name: `Drawn together ${(count += 1)}` });
  const { id } = (await json<CreatedComposition>(made)).asset;
  expect((await put(id, given, "*")).status).toBe(200);
  const grantId = await share(server, ann, { resourceType: "asset", resourceId: id, email: ben.email, level: "edit" });
  await share(server, ann, { resourceType: "asset", resourceId: id, email: eve.email, level: "view" });
  return { id, grantId };
}

async function open(person: Person, id: string): Promise<Drawer> {
  const drawer = await openDraft(server, person, id);
  drawers.push(drawer);
  await expect.poll(() => drawer.provider.isSynced).toBe(true);
  return drawer;
}

const saved = async (...all: readonly Drawer[]) =>
  await expect.poll(() => all.every((drawer) => drawer.isSaved), { timeout: 20_000 }).toBe(true);
/** Resolves when all of them have the same graph, which is that of the draft. */
async function same(id: string, ...all: readonly Drawer[]): Promise<FlowGraph> {
  await expect
    .poll(async () => new Set([...all.map((drawer) => JSON.stringify(drawer.graph)), JSON.stringify((await read(id)).graph)]).size, {
      timeout: 20_000,
    })
    .toBe(1);
  return (await read(id)).graph;
}
const refused = async (drawer: Drawer, code: string) =>
  await expect.poll(() => drawer.notices.find(({ type }) => type === "refused"), { timeout: 20_000 }).toMatchObject({ code });

it("puts together what several draw, per node and per field, and text by letters; confirmed when it is in the database", async () => {
  const { id } = await shared();
  const [a, b] = [await open(ann, id), await open(ben, id)];
  expect(a.graph).toEqual((await read(id)).graph);
  a.cut();
  b.cut();
  a.draw((now) => withNode(now, "up", () => ({ position: { x: 160, y: 32 } })));
  a.draw((now) => withNode(now, "up", ({ config }) => ({ config: { ...config, source: "# first\nreturn text.upper()" } })));
  b.draw((now) => withNode(now, "up", ({ config }) => ({ label: "Louder", config: { ...config, source: "return text.upper() + '!'" } })));
  b.draw((now) => withMore(now, node("note_xbenben", "note", { text: "from Ben" }, { label: "", position: { x: 0, y: 0 } })));
  a.draw((now) => withMore(now, node("note_xannann", "note", { text: "from Ann" }, { label: "", position: { x: 0, y: 0 } })));
  await Promise.all([a.connect(), b.connect()]);
  await saved(a, b);
  expect(await server.context.database.queries.selectFrom("live_updates").select("user_id").execute()).toEqual(
    expect.arrayContaining([{ user_id: ann.id }, { user_id: ben.id }]),
  );
  const { nodes } = await same(id, a, b);
  expect(nodes.find((each) => each.id === "up")).toMatchObject({
    label: "Louder",
    position: { x: 160, y: 32 },
    config: { source: "# first\nreturn text.upper() + '!'" },
  });
  expect(nodes.map((each) => each.id)).toEqual(expect.arrayContaining(["note_xbenben", "note_xannann"]));
  expect(await server.context.database.queries.selectFrom("live_updates").select("seq").execute()).toEqual([]);
});

it("is a graph for all when the same thing is deleted, connected and changed at once", async () => {
  const { id } = await shared();
  const [a, b] = [await open(ann, id), await open(ben, id)];
  a.cut();
  b.cut();
  a.draw((now) => without(now, "up"));
  b.draw((now) => withNode(now, "up", () => ({ position: { x: 99, y: 0 }, label: "Kept?" })));
  b.draw((now) => wired(now, "e9", ["in", "value"], ["up", "text"]));
  a.draw((now) => wired(now, "e7", ["in", "value"], ["out", "value"]));
  b.draw((now) => wired(now, "e8", ["up", "result"], ["out", "value"]));
  await Promise.all([a.connect(), b.connect()]);
  await saved(a, b);
  const merged = await same(id, a, b);
  expect(merged.nodes.map((each) => each.id)).toEqual(["in", "out"]);
  expect(isWhole(merged)).toBe(true);
  // Both delete the same, and one takes it back: the other's change of it is there again, too.
  a.undo();
  a.undo();
  await saved(a);
  const back = await same(id, a, b);
  expect(back.nodes.find((each) => each.id === "up")).toMatchObject({ position: { x: 99, y: 0 }, label: "Kept?" });
  for (const drawer of [a, b]) drawer.draw((now) => without(now, "up"));
  await saved(a, b);
  expect((await same(id, a, b)).nodes.map((each) => each.id)).toEqual(["in", "out"]);
});

it("takes back only one's own", async () => {
  const { id } = await shared();
  const [a, b] = [await open(ann, id), await open(ben, id)];
  a.draw((now) => withNode(now, "in", () => ({ label: "by Ann" })));
  await saved(a);
  await expect.poll(() => labelsOf(b.graph)).toContain("by Ann");
  b.draw((now) => withNode(now, "out", () => ({ position: { x: 5, y: 5 } })));
  b.draw((now) => withNode(now, "in", () => ({ position: { x: 7, y: 7 } })));
  await saved(b);
  await expect.poll(() => a.graph.nodes[0]?.position).toEqual({ x: 7, y: 7 });
  a.undo();
  await saved(a);
  const after = await same(id, a, b);
  expect(labelsOf(after)).not.toContain("by Ann");
  expect(after.nodes.map(({ position }) => position)).toEqual([
    { x: 7, y: 7 },
    { x: 0, y: 0 },
    { x: 5, y: 5 },
  ]);
});

it("takes in what others save meanwhile, a version that is restored, and gives them their conflict", async () => {
  const { id } = await shared();
  const b = await open(ben, id);
  const seen = await read(id);
  b.draw((now) => withNode(now, "up", () => ({ label: "live" })));
  await saved(b);
  // What they saw is not what is there.
  expect((await errorOf(put(id, seen.graph, seen.revision))).code).toBe("revision_conflict");
  expect(labelsOf((await read(id)).graph)).toContain("live");
  const labelled = (now: FlowGraph) => ({ ...now, ...withNode(now, "out", () => ({ label: "by script" })) });
  b.draw((live) => withNode(live, "up", () => ({ position: { x: 1, y: 2 } })));
  // A change that is on its way may be quicker: then they look again, as scripts do.
  await expect
    .poll(async () => {
      const now = await read(id);
      return (await put(id, labelled(now.graph), now.revision)).status;
    })
    .toBe(200);
  await saved(b);
  const merged = await same(id, b);
  expect(merged.nodes.find((each) => each.id === "up")).toMatchObject({ label: "live", position: { x: 1, y: 2 } });
  expect(labelsOf(merged)).toContain("by script");

  expect((await send(ann, "POST", `/assets/${id}/versions`, {})).status).toBe(201);
  b.draw((live) => without(live, "up"));
  await saved(b);
  const { revision } = await read(id);
  const [version] = (await json<{ items: { version: string }[] }>(send(ann, "GET", `/assets/${id}/versions`))).items;
  const restored = await send(ann, "POST", `/assets/${id}/versions/${version?.version}/restore`, {}, { "if-match": `"${revision}"` });
  expect(restored.status).toBe(200);
  await expect.poll(() => labelsOf(b.graph)).toContain("live");
  expect(await same(id, b)).toEqual(merged);
  // The draft that was saved stays as it was saved: nobody's next save is refused for it.
  const { revision: kept } = await json<Asset>(send(ann, "GET", `/assets/${id}`));
  expect((await read(id)).revision).toBe(kept);
  expect((await json<Asset>(send(ann, "GET", `/assets/${id}`))).revision).toBe(kept);
});

it("is in a version, a copy and an export as it is drawn", async () => {
  const { id } = await shared();
  const b = await open(ben, id);
  b.draw((now) => withNode(now, "up", () => ({ label: "drawn" })));
  await saved(b);
  expect((await send(ann, "POST", `/assets/${id}/versions`, {})).status).toBe(201);
  const of = async (path: string) => JSON.stringify(await json(send(ann, "GET", path)));
  expect(await of(`/compositions/${id}/graph?version=0.1.0`).catch(() => of(`/compositions/${id}/graph?version=1.0.0`))).toContain("drawn");
  b.draw((now) => withNode(now, "up", () => ({ label: "drawn on" })));
  await saved(b);
  expect(await of(`/compositions/${id}/export`)).toContain("drawn on");
  b.draw((now) => withNode(now, "up", () => ({ label: "drawn further" })));
  await saved(b);
  const copy = await json<Asset>(send(ann, "POST", `/assets/${id}/clone`, { name: `Copy ${count}` }));
  expect(labelsOf((await read(copy.id)).graph)).toContain("drawn further");
});

it("refuses what somebody may not draw, change by change, and ends with the access", async () => {
  const { id, grantId } = await shared();
  const [viewer, b] = [await open(eve, id), await open(ben, id)];
  viewer.draw((now) => without(now, "up"));
  await refused(viewer, "forbidden");
  b.draw((now) => withNode(now, "up", () => ({ label: "good" })));
  await saved(b);
  expect((await send(ann, "PATCH", `/grants/${grantId}`, { level: "view" })).status).toBe(200);
  b.draw((now) => withNode(now, "up", () => ({ label: "late" })));
  await refused(b, "forbidden");
  expect(labelsOf((await read(id)).graph)).toContain("good");
  expect((await read(id)).graph.nodes).toHaveLength(3);
  expect((await send(ann, "DELETE", `/grants/${grantId}`)).status).toBe(204);
  expect(await b.closed).toBe(4003);
  await setStatus(server, eve, "suspended");
  expect(await viewer.closed).toBe(4003);
  await setStatus(server, eve, "active");
  const { headers } = await createAccount(server);
  expect((await errorOf(server.fetch(`/api/v1/compositions/${id}/document`, { headers }))).code).toBe("not_found");
});

it("tells what somebody is moving, as long as they may draw, and keeps nothing of it", async () => {
  const { id } = await shared();
  const [a, b, viewer] = [await open(ann, id), await open(ben, id), await open(eve, id)];
  const seen = ({ document }: Drawer) => a.provider.awareness?.getStates().get(document.clientID);
  const before = await read(id);
  const cursor = { path: "", at: { x: 1, y: 2 }, nodes: ["up"], drag: { node: "up", to: { x: 160, y: 32 }, along: ["out"] } };
  for (const drawer of [b, viewer]) drawer.provider.setAwarenessField("cursor", cursor);
  await expect.poll(() => seen(b)).toMatchObject({ user: { id: ben.id }, cursor });
  await expect.poll(() => seen(viewer)).toMatchObject({ user: { id: eve.id }, cursor: { ...cursor, drag: null } });
  // The most that a page takes comes through.
  const longId = "n".repeat(64);
  const most = {
    path: Array.from({ length: 12 }, () => longId).join("/"),
    at: { x: -123_456.789, y: 123_456.789 },
    nodes: Array.from({ length: 12 }, () => longId),
    drag: { node: longId, to: { x: -123_456.789, y: 123_456.789 }, along: Array.from({ length: 24 }, () => longId) },
  };
  expect(CanvasPresence.parse(most)).toEqual(most);
  b.provider.setAwarenessField("cursor", most);
  await expect.poll(() => seen(b)).toMatchObject({ cursor: most });
  expect(await read(id)).toEqual(before);
});

it("ends with a composition that is deleted, and has what was drawn when it is there again", async () => {
  const { id } = await shared();
  const b = await open(ben, id);
  b.draw((now) => withNode(now, "up", () => ({ label: "before" })));
  await saved(b);
  expect((await send(ann, "DELETE", `/assets/${id}`, undefined, { "if-match": "*" })).status).toBeLessThan(300);
  expect(await b.closed).toBe(4003);
  expect((await send(ann, "POST", `/assets/${id}/restore`)).status).toBe(200);
  expect(labelsOf((await read(id)).graph)).toContain("before");
});

it("keeps what is no composition, says so, and saves it when it is one", async () => {
  const { id } = await shared();
  const b = await open(ben, id);
  const inner = { nodes: [], edges: [] };
  const own = node("self_xbenben", "module", { composition: { id } }, { label: "", position: { x: 0, y: 0 }, body: inner });
  b.draw((now) => withMore(now, own));
  await saved(b);
  expect((await read(id)).graph.nodes).toHaveLength(3);
  await expect.poll(() => b.notices.at(-1)).toMatchObject({ type: "settled", problem: { code: "invalid_graph" } });
  b.draw((now) => withNode(without(now, "self_xbenben"), "up", () => ({ label: "whole" })));
  await saved(b);
  expect(labelsOf((await read(id)).graph)).toContain("whole");
  expect(b.notices.at(-1)).toEqual({ type: "settled", problem: null });
});

it("has graphs within, each in its place", async () => {
  const inner = graph([node("in", "input", { name: "item" }), node("out", "output", { name: "result" })], "in.value -> out.value");
  const { id } = await shared(graph([node("each", "map", {}, { body: { nodes: inner.nodes, edges: inner.edges } })]));
  const [a, b] = [await open(ann, id), await open(ben, id)];
  a.draw((now) => withNode(now, "each", ({ body }) => ({ body: withNode(body ?? now, "in", () => ({ label: "first" })) })));
  b.draw((now) => withNode(now, "each", ({ body }) => ({ body: withNode(body ?? now, "out", () => ({ label: "last" })) })));
  await saved(a, b);
  const [each] = (await same(id, a, b)).nodes;
  expect(each?.body?.nodes.map(({ label }) => label)).toEqual(["first", "last"]);
  expect(each?.body?.edges).toHaveLength(1);
});
