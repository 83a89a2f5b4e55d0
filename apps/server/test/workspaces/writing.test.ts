import type { Workspace } from "@syla/contracts/workspaces";
import { seededRandom } from "@syla/testkit/seeded-random";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as store from "../../src/workspaces/store.ts";
import { createAccount, share, type Person } from "../access/people.ts";
import { errorOf, json } from "../catalog/programs.ts";
import { createWorkspace, readFiles, write } from "./workspaces.ts";

let server: TestServer;
let ann: Person;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  ann = await createAccount(server);
});
afterAll(() => server[Symbol.asyncDispose]());

const change = (id: string, changes: readonly object[], revision: number, more: object = {}, person = ann) =>
  server.send("POST", `/api/v1/workspaces/${id}/files`, { changes, ...more }, { ...person.headers, "if-match": `"${revision}"` });

it("is put together with what others have written since, or changes nothing and says what is in the way", async () => {
  const { id, revision } = await createWorkspace(server, ann, "Two writers", {
    "a.txt": "1\n2\n3\n4\n5\n",
    "b.bin": "\0one",
    "c.txt": "c\n",
  });
  expect((await change(id, [write("a.txt", "one\n2\n3\n4\n5\n"), write("b.bin", "\0two")], revision)).status).toBe(200);
  expect((await change(id, [write("a.txt", "1\n2\n3\n4\nfive\n"), write("new.txt", "new\n")], revision)).status).toBe(200);
  const files = { "a.txt": "one\n2\n3\n4\nfive\n", "b.bin": "\0two", "c.txt": "c\n", "new.txt": "new\n" };
  expect(await readFiles(server, ann, id)).toEqual(files);

  const late = [write("b.bin", "\0three"), write("c.txt", "changed\n")];
  expect(await errorOf(change(id, late, revision))).toMatchObject({ code: "workspace_conflict", details: { paths: ["b.bin"], count: 1 } });
  expect(await readFiles(server, ann, id)).toEqual(files);
  expect((await change(id, late, revision, { onConflict: "theirs" })).status).toBe(200);
  expect(await readFiles(server, ann, id)).toEqual({ ...files, "c.txt": "changed\n" });
  expect((await change(id, late, revision, { onConflict: "mine" })).status).toBe(200);
  expect(await readFiles(server, ann, id)).toMatchObject({ "b.bin": "\0three" });

  expect((await errorOf(change(id, [write("c.txt", "x")], 900))).code).toBe("workspace_base_gone");
  await server.context.database.queries.deleteFrom("workspace_heads").where("workspace_id", "=", id).execute();
  expect((await errorOf(change(id, [write("c.txt", "x")], revision))).code).toBe("workspace_base_gone");
});

it("cannot bring in what its writer may not read: a base is one of the workspace's own", async () => {
  const secret = await createWorkspace(server, await createAccount(server), "Secret", { "secret.txt": "hidden\n" });
  const { id, revision } = await createWorkspace(server, ann, "Curious", {});
  const files = await server.context.workspaces.files({ userId: ann.id, role: "admin", via: "local" }, secret.id);
  const stolen = { op: "write", file: { path: "x", blob: files.entries[0]?.sha256 ?? "" } };
  expect((await errorOf(change(id, [stolen], revision))).code).toBe("blob_unknown");
});

it("does not bring back by a move what others have deleted or changed since", async () => {
  const { id, revision } = await createWorkspace(server, ann, "Taken out", { ".env": "secret\n", "b.txt": "old\n", "c.txt": "c\n" });
  expect((await change(id, [{ op: "delete", path: ".env" }, write("b.txt", "new\n")], revision)).status).toBe(200);
  const files = { "b.txt": "new\n", "c.txt": "c\n" };
  const move = (from: string, to: string) => ({ op: "move", from, to });
  for (const onConflict of ["refuse", "mine"]) {
    const back = await errorOf(change(id, [move(".env", "x"), move("x", "y")], revision, { onConflict }));
    expect(back).toMatchObject({ code: "workspace_conflict", details: { paths: ["y"] } });
    expect((await errorOf(change(id, [move("b.txt", "x")], revision, { onConflict }))).code).toBe("workspace_conflict");
  }
  expect((await change(id, [move(".env", "x")], revision, { onConflict: "theirs" })).status).toBe(200);
  expect(await readFiles(server, ann, id)).toEqual(files);
  expect((await change(id, [move("c.txt", "d.txt")], revision)).status).toBe(200);
  expect(await readFiles(server, ann, id)).toEqual({ "b.txt": "new\n", "d.txt": "c\n" });
});

it("loses nothing that was acknowledged, however three writers come in between each other", async () => {
  const random = seededRandom(20);
  const writers = [ann, await createAccount(server), await createAccount(server)];
  const lines = Array.from({ length: 40 }, (_, index) => `line ${index}\n`);
  const { id } = await createWorkspace(server, ann, "Three writers", { "shared.txt": lines.join("") });
  for (const { email } of writers.slice(1)) await share(server, ann, { resourceType: "workspace", resourceId: id, email, level: "edit" });
  const acknowledged: { readonly path: string; readonly text: string }[] = [];
  const refusals = new Set<string>();
  let refused = 0;
  const work = async (person: Person, who: number) => {
    let seen = await json<Workspace>(server.fetch(`/api/v1/workspaces/${id}`, { headers: person.headers }));
    let shared = (await readFiles(server, person, id))["shared.txt"] ?? "";
    for (let round = 0; round < 15; round += 1) {
      const own = `own-${who}-${round}.txt`;
      const mark = `mark ${who}.${round}`;
      const at = shared.split("\n");
      at.splice(Math.floor(random() * (at.length - 1)), 0, mark);
      const text = at.join("\n");
      const answer = await change(id, [write("shared.txt", text), write(own, mark)], seen.revision, {}, person);
      if (answer.status === 200) acknowledged.push({ path: own, text: mark });
      else {
        refusals.add((await errorOf(answer)).code);
        refused += 1;
      }
      // Some look again, some go on writing on what they saw long ago.
      if (answer.status !== 200 || random() < 0.6) {
        const before = await json<Workspace>(server.fetch(`/api/v1/workspaces/${id}`, { headers: person.headers }));
        const files = await readFiles(server, person, id);
        const after = await json<Workspace>(server.fetch(`/api/v1/workspaces/${id}`, { headers: person.headers }));
        if (before.revision === after.revision) [seen, shared] = [after, files["shared.txt"] ?? ""];
      }
    }
  };
  await Promise.all(writers.map(work));
  const end = await readFiles(server, ann, id);
  const missing = acknowledged.filter(({ path, text }) => end[path] !== text || !(end["shared.txt"] ?? "").includes(`${text}\n`));
  expect(missing).toEqual([]);
  expect([...refusals].filter((code) => code !== "workspace_conflict")).toEqual([]);
  expect(acknowledged.length).toBeGreaterThan(10);
  expect(acknowledged.length + refused).toBe(45);
  for (const line of lines) expect(end["shared.txt"]).toContain(line);
}, 60_000);

it("goes on while a version is put back: what was edited meanwhile is kept or refused, not lost", async () => {
  const { id } = await createWorkspace(server, ann, "Restored", { "a.txt": "1\n2\n3\n4\n5\n" });
  await server.send("POST", `/api/v1/workspaces/${id}/versions`, {}, ann.headers);
  const edited = await json<Workspace>(change(id, [write("a.txt", "1\n2\n3\n4\nfive\n")], 1));
  const restored = await server.send("POST", `/api/v1/workspaces/${id}/versions/1/restore`, undefined, {
    ...ann.headers,
    "if-match": '"2"',
  });
  expect(restored.status).toBe(200);
  const saved = await change(id, [write("a.txt", "one\n2\n3\n4\nfive\n"), write("b.txt", "b\n")], edited.revision);
  expect(saved.status).toBe(200);
  expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "one\n2\n3\n4\n5\n", "b.txt": "b\n" });
});

it("makes what was there a version where that is asked for", async () => {
  const { id, revision } = await createWorkspace(server, ann, "Brought in", { "a.txt": "before\n" });
  expect((await change(id, [write("a.txt", "after\n")], revision, { keepBefore: true })).status).toBe(200);
  expect(await readFiles(server, ann, id, "?version=1")).toEqual({ "a.txt": "before\n" });
});

it("changes nothing when there is no room for it", async () => {
  const poor = await createAccount(server);
  const { id, revision, tree } = await createWorkspace(server, poor, "Full", { "a.txt": "a\n" });
  await server.send("PATCH", `/api/v1/quotas/${poor.id}`, { storageMb: 1 });
  const changes = [write("a.txt", "changed\n"), write("large.txt", "x".repeat(2_000_000))];
  expect((await errorOf(change(id, changes, revision, {}, poor))).code).toBe("quota_exceeded");
  expect(await json<Workspace>(server.fetch(`/api/v1/workspaces/${id}`, { headers: poor.headers }))).toMatchObject({ revision, tree });
});

it("keeps what a run left beside however many versions make themselves, and what somebody wanted", async () => {
  const { id, tree } = await createWorkspace(server, ann, "Much run in", { "a.txt": "a\n" });
  const other = (await createWorkspace(server, ann, "Of other files", { "b.txt": "b\n" })).tree;
  await server.context.database.queries.transaction().execute(async (work) => {
    const add = (cause: store.NewVersion["cause"], sha256: string) =>
      store.insertVersion(work, id, { tree: sha256, message: "", cause, by: ann.id });
    await add("run", tree.sha256);
    await add("manual", other.sha256);
    for (let count = 0; count < 102; count += 1) await add("before_run", (count % 2 === 0 ? tree : other).sha256);
    const left = await work.selectFrom("workspace_versions").select("number").where("workspace_id", "=", id).orderBy("number").execute();
    expect([left.length, left.slice(0, 3).map(({ number }) => number)]).toEqual([102, [1, 2, 5]]);
  });
});
