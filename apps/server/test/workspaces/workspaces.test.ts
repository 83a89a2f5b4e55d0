import type { Problem } from "@syla/contracts/problem";
import type { Workspace, WorkspaceDiff, WorkspaceVersion } from "@syla/contracts/workspaces";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { extract } from "tar-stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccount, share, type Person } from "../access/people.ts";
import { createProgram, errorOf, json } from "../catalog/programs.ts";
import { createWorkspace, readFiles, write } from "./workspaces.ts";

let server: TestServer;
let ann: Person;
let bob: Person;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  [ann, bob] = await Promise.all([createAccount(server), createAccount(server)]);
});
afterAll(() => server[Symbol.asyncDispose]());

const send = (person: Person, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  server.send(method, `/api/v1/workspaces${path}`, body, { ...person.headers, ...headers });
const codeOf = async (answer: Promise<Response>) => (await errorOf(answer)).code;
const change = (person: Person, id: string, changes: readonly object[], revision: number | "*" = "*", more: object = {}) =>
  send(person, "POST", `/${id}/files`, { changes, ...more }, { "if-match": revision === "*" ? "*" : `"${revision}"` });

describe("a workspace", () => {
  it("is made empty, of files, of a program or of another one, under a name of its own", async () => {
    const empty = await createWorkspace(server, ann, "Empty", {});
    expect(empty).toMatchObject({ kind: "persistent", state: "active", revision: 1, tree: { files: 0 }, version: null, ttlMs: null });
    expect(empty.profile).toEqual({ cpus: 2, memoryBytes: 4 * 1024 ** 3, diskBytes: 20 * 1024 ** 3 });
    expect(await codeOf(send(ann, "POST", "", { name: "  empty " }))).toBe("name_taken");

    const program = await createProgram(server, ann, "Sums", { "main.py": "print(1)\n" });
    const ofProgram = await json<Workspace>(send(ann, "POST", "", { name: "P", source: { kind: "program", programId: program.id } }));
    expect(await readFiles(server, ann, ofProgram.id)).toEqual({ "main.py": "print(1)\n" });
    const copy = await json<Workspace>(send(ann, "POST", `/${ofProgram.id}/clone`, { kind: "session" }));
    expect(copy).toMatchObject({ name: "P 2", kind: "session", tree: ofProgram.tree, clonedFrom: { id: ofProgram.id, version: null } });
    expect(copy.expiresAt).toBe(new Date(Date.parse(copy.lastUsedAt) + 24 * 3_600_000).toISOString());
    const both = { name: "X", files: [], source: { kind: "program", programId: program.id } };
    expect(await codeOf(send(ann, "POST", "", both))).toBe("invalid_request");
  });

  it("comes from an archive and from a template, and takes them in later over what is there", async () => {
    const space = await createWorkspace(server, ann, "Exported", { "a.txt": "a\n", "sub/b.txt": "b\n" });
    const zip = await (await server.fetch(`/api/v1/workspaces/${space.id}/export`, { headers: ann.headers })).arrayBuffer();
    const uploaded = await json<{ sha256: string }>(
      server.fetch("/api/v1/blobs", { method: "POST", headers: { ...ann.headers, "content-type": "application/octet-stream" }, body: zip }),
    );
    const source = { kind: "archive", blob: uploaded.sha256 };
    const again = await json<Workspace>(send(ann, "POST", "", { name: "Imported", source }));
    expect(again.tree).toEqual(space.tree);
    await change(ann, again.id, [write("a.txt", "mine\n"), write("c.txt", "c\n")]);
    const merged = await json<Workspace>(send(ann, "POST", `/${again.id}/import`, { source }));
    expect(await readFiles(server, ann, again.id)).toEqual({ "a.txt": "a\n", "c.txt": "c\n", "sub/b.txt": "b\n" });
    expect(merged.version).toBe(1);
    expect(await readFiles(server, ann, again.id, "?version=1")).toMatchObject({ "a.txt": "mine\n" });
    await send(ann, "POST", `/${again.id}/import`, { source, replace: true });
    expect(Object.keys(await readFiles(server, ann, again.id))).toEqual(["a.txt", "sub/b.txt"]);
    expect(await codeOf(send(ann, "POST", `/${again.id}/import`, { source: { kind: "template", template: "none" } }))).toBe(
      "template_unknown",
    );
    expect(await codeOf(send(bob, "POST", "", { name: "Stolen", source }))).toBe("blob_unknown");
  });

  it("is exported as it is, whatever its files are called", async () => {
    const files = { "a b/ü.txt": "1\n", "-rf": "2\n", "x\\..\\y": "3\n", "two\nlines": "4\n" };
    const space = await createWorkspace(server, ann, "Hostile names", files);
    expect(await readFiles(server, ann, space.id)).toEqual(files);
    const tar = await server.fetch(`/api/v1/workspaces/${space.id}/export?format=tar`, { headers: ann.headers });
    const found: Record<string, string> = {};
    const reader = extract();
    reader.end(Buffer.from(await tar.arrayBuffer()));
    for await (const entry of reader) {
      const parts: Buffer[] = [];
      for await (const chunk of entry) parts.push(chunk as Buffer);
      found[entry.header.name] = Buffer.concat(parts).toString();
    }
    expect(found).toEqual(files);
    for (const path of ["../x", "/x", "a//b", "a/./b", "", "a/\0"])
      expect(await codeOf(change(ann, space.id, [write(path, "x")]))).toMatch(/^invalid_(path|request)$/);
    expect(await codeOf(change(ann, space.id, [write("-RF", "x")]))).toBe("invalid_path");
    expect(await readFiles(server, ann, space.id)).toEqual(files);
  });

  it("is changed as what was loaded, and deleted, restored and removed", async () => {
    const space = await createWorkspace(server, ann, "Short");
    expect(await codeOf(send(ann, "PATCH", `/${space.id}`, { name: "Long" }))).toBe("revision_required");
    const changed = await send(ann, "PATCH", `/${space.id}`, { name: "Long", network: { allow: ["example.org"] } }, { "if-match": '"1"' });
    expect([changed.headers.get("etag"), await json<Workspace>(changed)]).toMatchObject(['"2"', { name: "Long" }]);
    expect(await codeOf(send(ann, "PATCH", `/${space.id}`, { name: "Longer" }, { "if-match": '"1"' }))).toBe("revision_conflict");
    expect(await codeOf(send(ann, "PATCH", `/${space.id}`, { network: "full" }, { "if-match": "*" }))).toBe("forbidden");
    await send(ann, "DELETE", `/${space.id}`);
    expect(await json<Workspace>(send(ann, "GET", `/${space.id}`))).toMatchObject({ state: "deleted" });
    expect(await codeOf(change(ann, space.id, [write("a.txt", "x")]))).toBe("workspace_deleted");
    expect(await json<Workspace>(send(ann, "POST", `/${space.id}/restore`))).toMatchObject({ state: "active", purgeAt: null });
    expect((await send(ann, "DELETE", `/${space.id}?forGood=true`)).status).toBe(204);
    expect(await codeOf(send(ann, "GET", `/${space.id}`))).toBe("not_found");
  });

  it("is laid aside and taken up again; archived it is not changed", async () => {
    const space = await createWorkspace(server, ann, "Aside");
    expect(await json<Workspace>(send(ann, "POST", `/${space.id}/suspend`))).toMatchObject({ state: "suspended" });
    expect(await json<Workspace>(change(ann, space.id, [write("a.txt", "x")]))).toMatchObject({ state: "active" });
    expect(await json<Workspace>(send(ann, "POST", `/${space.id}/archive`))).toMatchObject({ state: "archived" });
    expect(await codeOf(change(ann, space.id, [write("a.txt", "y")]))).toBe("workspace_archived");
    const brief = await createWorkspace(server, ann, "Not for ever", {}, { kind: "ephemeral" });
    expect(await codeOf(send(ann, "POST", `/${brief.id}/archive`))).toBe("conflict");
    expect(await json<Workspace>(send(ann, "POST", `/${space.id}/resume`))).toMatchObject({ state: "active", archivedAt: null });
    const results = await json<{ results: { id: string; ok: boolean }[] }>(
      send(ann, "POST", "/bulk", { action: "delete", ids: [space.id, "wsp_none"] }),
    );
    expect(results.results.map(({ ok }) => ok)).toEqual([true, false]);
  });

  it("is found by whoever may see it, page by page", async () => {
    const person = await createAccount(server);
    const made: string[] = [];
    for (const name of ["One", "Two", "Three"]) made.unshift((await createWorkspace(server, person, name, {})).id);
    const shared = await createWorkspace(server, ann, "Shared with them", {});
    await share(server, ann, { resourceType: "workspace", resourceId: shared.id, email: person.email, level: "edit" });
    const list = async (query: string) => await json<{ items: Workspace[]; nextCursor: string | null }>(send(person, "GET", `?${query}`));
    const first = await list("view=mine&limit=2");
    const second = await list(`view=mine&limit=2&cursor=${first.nextCursor}`);
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(made);
    expect((await list("view=shared")).items).toMatchObject([{ id: shared.id, yourLevel: "edit", isOwner: false }]);
    expect((await list("view=all")).items).toHaveLength(4);
    expect((await list("q=TWO")).items.map(({ name }) => name)).toEqual(["Two"]);
    expect((await list("kind=session")).items).toEqual([]);
    expect((await list("view=team")).items).toEqual([]);
    expect(await codeOf(send(person, "GET", "?cursor=bm90aGluZw"))).toBe("invalid_cursor");
    expect((await change(person, shared.id, [write("theirs.txt", "x")])).status).toBe(200);
  });
});

describe("versions", () => {
  it("are kept, compared and put back, with what was there before", async () => {
    const space = await createWorkspace(server, ann, "Versions", { "a.txt": "1\n2\n" });
    const first = await json<WorkspaceVersion>(send(ann, "POST", `/${space.id}/versions`, { message: "Begin" }));
    expect(first).toMatchObject({ number: 1, cause: "manual", message: "Begin", tree: space.tree });
    await change(ann, space.id, [write("a.txt", "1\n3\n"), write("b.txt", "b\n")]);
    const diff = await json<WorkspaceDiff>(send(ann, "GET", `/${space.id}/diff`));
    expect(diff).toMatchObject({
      from: "1",
      to: "head",
      files: [
        { path: "a.txt", status: "changed" },
        { path: "b.txt", status: "added" },
      ],
    });
    expect(await codeOf(send(ann, "POST", `/${space.id}/versions/1/restore`, undefined, { "if-match": '"1"' }))).toBe("revision_conflict");
    const restored = await json<Workspace>(send(ann, "POST", `/${space.id}/versions/1/restore`, undefined, { "if-match": '"2"' }));
    expect(restored).toMatchObject({ tree: space.tree, version: 2, revision: 3 });
    const { items } = await json<{ items: WorkspaceVersion[] }>(send(ann, "GET", `/${space.id}/versions`));
    expect(items.map(({ number, cause }) => [number, cause])).toEqual([
      [2, "before_restore"],
      [1, "manual"],
    ]);
    expect(await readFiles(server, ann, space.id, "?version=2")).toEqual({ "a.txt": "1\n3\n", "b.txt": "b\n" });
    const other = await createWorkspace(server, ann, "Other", { "a.txt": "1\n2\n" });
    expect(await json<WorkspaceDiff>(send(ann, "GET", `/${space.id}/diff?other=${other.id}`))).toMatchObject({ files: [] });
    expect(await codeOf(send(ann, "GET", `/${space.id}/diff?from=9`))).toBe("not_found");
  });

  it("are made by themselves before many files go", async () => {
    const files = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`many/${index}.txt`, "x"]));
    const space = await createWorkspace(server, ann, "Many", files);
    expect(await json<Workspace>(change(ann, space.id, [{ op: "delete", path: "many" }]))).toMatchObject({
      tree: { files: 0 },
      version: 1,
    });
    expect(Object.keys(await readFiles(server, ann, space.id, "?version=1"))).toHaveLength(25);
  });
});

it("hold 10,000 files, of which clones take no room", async () => {
  const files = Array.from({ length: 10_000 }, (_, index) => ({ path: `d${index % 100}/f${index}.txt`, content: `${index % 50}` }));
  const space = await json<Workspace>(send(ann, "POST", "", { name: "Large", files }));
  expect(space.tree.files).toBe(10_000);
  const { queries } = server.context.database;
  const count = async () => (await queries.selectFrom("trees").select("sha256").execute()).length;
  const before = await count();
  const copy = await json<Workspace>(send(ann, "POST", `/${space.id}/clone`, {}));
  expect([copy.tree, await count()]).toEqual([space.tree, before]);
  expect(await codeOf(change(ann, space.id, [write("one-more.txt", "x")]))).toBe("payload_too_large");
  const saved = await json<Workspace>(change(ann, space.id, [write("d1/f1.txt", "changed")], space.revision));
  expect(saved).toMatchObject({ revision: 2, tree: { files: 10_000 } });
}, 60_000);

it("go with their team, or to who takes its things", async () => {
  const team = await json<{ id: string }>(server.send("POST", "/api/v1/teams", { name: "Makers" }, ann.headers));
  const space = await createWorkspace(server, ann, "The team's", {}, { ownerId: team.id });
  expect(space.owner).toMatchObject({ id: team.id, type: "team" });
  const refused = await server.send("DELETE", `/api/v1/teams/${team.id}`, undefined, ann.headers);
  expect((await json<Problem>(refused)).code).toBe("team_owns_assets");
  expect((await server.send("DELETE", `/api/v1/teams/${team.id}?transferTo=me`, undefined, ann.headers)).status).toBe(204);
  expect(await json<Workspace>(send(ann, "GET", `/${space.id}`))).toMatchObject({ owner: { id: ann.id } });
});
