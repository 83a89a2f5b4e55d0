import type { Asset, AssetDiff, AssetVersion } from "@syla/contracts/assets";
import type { TreeChange, TreeFile } from "@syla/contracts/programs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { applyChanges } from "../../src/catalog/files.ts";
import { createAccount, share, type Person } from "../access/people.ts";
import { createProgram, errorOf, json } from "./programs.ts";

let server: TestServer;
let ann: Person;
let bob: Person;
let program: Asset;

beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(async () => {
  [ann, bob] = await Promise.all([createAccount(server), createAccount(server)]);
  program = await createProgram(server, ann, "Sums", { "main.py": "a\nb\nc\n", "lib/one.py": "1\n", "lib/two.py": "2\n" });
});
afterAll(() => server[Symbol.asyncDispose]());

const send = (person: Person, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  server.send(method, path, body, { ...person.headers, ...headers });
const base = () => `/api/v1/programs/${program.id}`;
const assetBase = () => `/api/v1/assets/${program.id}`;
const change = (changes: readonly object[], revision: string = "*", person = ann) =>
  send(person, "POST", `${base()}/files`, { changes }, { "if-match": revision });
const write = (path: string, content: string, executable = false): TreeChange => ({ op: "write", file: { path, content, executable } });
const paths = async (query = "") =>
  (await json<{ items: TreeFile[] }>(send(ann, "GET", `${base()}/files${query}`))).items.map((file) => file.path);
const read = async (path: string, query = "", headers: Record<string, string> = {}) =>
  await send(ann, "GET", `${base()}/file?path=${encodeURIComponent(path)}${query}`, undefined, headers);
const publish = (input: object = {}) => send(ann, "POST", `${assetBase()}/versions`, input);

describe("the files of a program", () => {
  it("are listed in the order of their bytes, and read whole or in part", async () => {
    await change([write("Z.txt", "z"), write("ä.txt", "ä"), write("bin/run.sh", "#!/bin/sh\n", true)]);
    const listed = await json<{ tree: object; items: TreeFile[] }>(send(ann, "GET", `${base()}/files`));
    expect(listed.items.map((file) => file.path)).toEqual(["Z.txt", "bin/run.sh", "lib/one.py", "lib/two.py", "main.py", "ä.txt"]);
    expect(listed.items[1]).toMatchObject({ size: 10, executable: true });
    const whole = await read("main.py");
    expect(await whole.text()).toBe("a\nb\nc\n");
    expect(whole.headers.get("content-disposition")).toContain("attachment");
    const part = await read("main.py", "", { range: "bytes=2-3" });
    expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([206, "bytes 2-3/6", "b\n"]);
    expect((await errorOf(read("Main.py"))).code).toBe("file_not_found");
  });

  it("are changed all at once, into one new tree", async () => {
    const answer = await change([
      write("main.py", "new\n"),
      { op: "move", from: "lib", to: "src/lib" },
      { op: "delete", path: "src/lib/two.py" },
      { op: "move", from: "src/lib/one.py", to: "src/uno.py" },
    ]);
    expect(await json(answer)).toMatchObject({ revision: 2, tree: { files: 2, bytes: 6 } });
    expect(await paths()).toEqual(["main.py", "src/uno.py"]);
    expect(await (await read("src/uno.py")).text()).toBe("1\n");
  });

  it("take bytes that are no text, and content that was uploaded or is in the tree already", async () => {
    const bytes = Buffer.from([0, 255, 10, 13]);
    const uploaded = await server.fetch("/api/v1/blobs", { method: "POST", headers: ann.headers, body: "uploaded" });
    const { sha256 } = await json<{ sha256: string }>(uploaded);
    const { items } = await json<{ items: TreeFile[] }>(send(ann, "GET", `${base()}/files`));
    const one = items.find((file) => file.path === "lib/one.py")?.sha256;
    await change([
      { op: "write", file: { path: "a.bin", contentBase64: bytes.toString("base64") } },
      { op: "write", file: { path: "b.txt", blob: sha256 } },
      { op: "write", file: { path: "c.py", blob: one } },
    ]);
    expect(Buffer.from(await (await read("a.bin")).arrayBuffer())).toEqual(bytes);
    expect(await (await read("b.txt")).text()).toBe("uploaded");
    expect(await (await read("c.py")).text()).toBe("1\n");
  });

  it.each<[string, object[], string, string]>([
    ["a path out of the tree", [write("../x", "")], "invalid_path", "changes.0.file.path"],
    ["a file where a folder is", [write("lib", "")], "invalid_path", "changes"],
    ["a path that differs in case", [write("ok.py", ""), write("MAIN.py", "")], "invalid_path", "changes"],
    ["something unknown to delete", [{ op: "delete", path: "nothing" }], "file_not_found", "changes.0.path"],
    ["something unknown to move", [write("x", ""), { op: "move", from: "nothing", to: "y" }], "file_not_found", "changes.1.from"],
    ["a move onto what is there", [{ op: "move", from: "main.py", to: "lib/one.py" }], "path_exists", "changes.0.to"],
    ["a move into itself", [{ op: "move", from: "lib", to: "lib/deeper" }], "invalid_path", "changes.0.to"],
    ["a bad target", [{ op: "move", from: "main.py", to: "a/../b" }], "invalid_path", "changes.0.to"],
    ["unknown content", [{ op: "write", file: { path: "x", blob: "0".repeat(64) } }], "blob_unknown", "changes.0.file.blob"],
    ["half a character", [write("x", "\ud800")], "invalid_request", "changes.0.file.content"],
  ])("stay as they are after %s", async (_what, changes, code, field) => {
    const before = await json<Asset>(send(ann, "GET", assetBase()));
    const error = await errorOf(change(changes));
    expect([error.code, error.fields[0]?.path]).toEqual([code, field]);
    expect(await json(send(ann, "GET", assetBase()))).toEqual(before);
  });

  it("are not changed by who has not seen them, nor by who may only look", async () => {
    await change([write("main.py", "theirs\n")], '"1"');
    const error = await errorOf(change([write("main.py", "mine\n")], '"1"'));
    expect(error).toMatchObject({ code: "revision_conflict", details: { current: { revision: 2 } } });
    expect((await errorOf(send(ann, "POST", `${base()}/files`, { changes: [write("a", "")] }))).code).toBe("revision_required");
    await share(server, ann, { resourceType: "asset", resourceId: program.id, email: bob.email, level: "run" });
    expect((await errorOf(change([write("a", "")], "*", bob))).code).toBe("forbidden");
    expect(await (await read("main.py")).text()).toBe("theirs\n");
  });

  it("keep every one of many changes at once", async () => {
    await Promise.all(Array.from({ length: 12 }, (_, index) => change([write(`made/${index}.txt`, String(index))])));
    expect((await paths()).filter((path) => path.startsWith("made/"))).toHaveLength(12);
  });

  it("are refused in batches that would take long, and deleted in whole folders", () => {
    const entries = Array.from({ length: 9000 }, (_, at) => ({ path: `a/f${at}`, mode: 420 as const, size: 0, sha256: "" }));
    const deletions = entries.slice(0, 600).map(({ path }) => ({ op: "delete" as const, path }));
    expect(() => applyChanges(entries, deletions, [])).toThrow(expect.objectContaining({ code: "payload_too_large" }));
    expect(applyChanges(entries, deletions.slice(0, 500), [])).toHaveLength(8500);
    expect(applyChanges(entries, [{ op: "delete", path: "a" }], [])).toEqual([]);
  });

  it("tell everybody who comes too late at once what is there now", async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => change([write("new.txt", String(at))], `"1"`)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(39);
  });

  it("stay the same revision when nothing of them changes", async () => {
    expect(await json(change([write("main.py", "a\nb\nc\n")]))).toMatchObject({ revision: 1 });
  });
});

describe("a published version", () => {
  it("is the next one when nothing is said, and stays as it was", async () => {
    expect(await json(publish({ message: "First" }))).toMatchObject({ version: "0.1.0", message: "First", tree: { files: 3 } });
    await change([write("main.py", "later\n")]);
    expect(await json(publish())).toMatchObject({ version: "0.1.1" });
    expect(await (await read("main.py", "&version=0.1.0")).text()).toBe("a\nb\nc\n");
    expect(await (await read("main.py", "&version=0.1.1")).text()).toBe("later\n");
    const listed = await json<{ items: AssetVersion[]; next: object }>(send(ann, "GET", `${assetBase()}/versions`));
    expect(listed.items.map((item) => item.version)).toEqual(["0.1.1", "0.1.0"]);
    expect(listed.next).toEqual({ patch: "0.1.2", minor: "0.2.0", major: "1.0.0" });
    const { queries } = server.context.database;
    await expect(queries.updateTable("asset_versions").set({ message: "x" }).execute()).rejects.toThrow("not changed");
  });

  it("is listed by precedence, page after page, whatever the order of publishing", async () => {
    const order = [
      "1.0.0-alpha",
      "1.0.0-alpha.1",
      "1.0.0-alpha.beta",
      "1.0.0-beta.2",
      "1.0.0-beta.11",
      "1.0.0-rc.1",
      "1.0.0",
      "1.2.0",
      "1.10.0",
    ];
    for (const version of [
      "1.0.0",
      "1.10.0",
      "1.0.0-beta.11",
      "1.0.0-alpha.1",
      "1.2.0",
      "1.0.0-beta.2",
      "1.0.0-alpha",
      "1.0.0-rc.1",
      "1.0.0-alpha.beta",
    ])
      expect((await publish({ version })).status).toBe(201);
    const found: string[] = [];
    for (let cursor = ""; ;) {
      const page = await json<{ items: AssetVersion[]; nextCursor: string | null }>(
        send(ann, "GET", `${assetBase()}/versions?limit=4${cursor === "" ? "" : `&cursor=${cursor}`}`),
      );
      found.push(...page.items.map((item) => item.version));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    expect(found).toEqual(order.toReversed());
    expect(await json(send(ann, "GET", assetBase()))).toMatchObject({ version: "1.10.0" });
  });

  it.each(["1", "1.0", "v1.0.0", "01.0.0", "1.0.0-", "1.0.0-a..b", "1.0.0+build", "1.0.0\0", "9999999999.0.0"])(
    "is not called %j",
    async (version) => {
      expect((await errorOf(publish({ version }))).code).toBe("invalid_request");
    },
  );

  it("is published once, also when two do so at the same moment", async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => publish({ version: "1.0.0" })));
    expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409, 409]);
    expect(await errorOf(publish({ version: "1.0.0" }))).toMatchObject({ code: "version_taken", details: { suggestion: "1.0.1" } });
  });

  it("needs its entrypoint", async () => {
    await change([{ op: "delete", path: "main.py" }]);
    expect((await errorOf(publish())).code).toBe("entrypoint_missing");
  });

  it("is told apart from another, line by line", async () => {
    await publish({ version: "1.0.0" });
    await change([
      write("main.py", "a\nB\nc\nd\n"),
      { op: "delete", path: "lib/one.py" },
      { op: "write", file: { path: "x.bin", contentBase64: Buffer.from([0, 1]).toString("base64") } },
      { op: "write", file: { path: "lib/two.py", content: "2\n", executable: true } },
    ]);
    const asset = await json<Asset>(send(ann, "GET", assetBase()));
    await send(ann, "PATCH", assetBase(), { config: { ...asset.config, entrypoint: "main.py", args: ["-v"] } }, { "if-match": "*" });
    const diff = await json<AssetDiff>(send(ann, "GET", `${assetBase()}/diff`));
    expect(diff).toMatchObject({ from: "1.0.0", to: "head", omitted: 0, config: [{ field: "args", from: [], to: ["-v"] }] });
    expect(diff.files.map(({ path, status, additions, deletions, note }) => [path, status, additions, deletions, note])).toEqual([
      ["lib/one.py", "removed", 0, 1, null],
      ["lib/two.py", "changed", 0, 0, null],
      ["main.py", "changed", 2, 1, null],
      ["x.bin", "added", 0, 0, "binary"],
    ]);
    expect(diff.files[2]?.hunks?.[0]?.lines).toEqual([" a", "-b", "+B", " c", "+d"]);
    const back = await json<AssetDiff>(send(ann, "GET", `${assetBase()}/diff?from=head&to=1.0.0`));
    expect(back.files.map((file) => file.status)).toEqual(["added", "changed", "changed", "removed"]);
    expect((await errorOf(send(ann, "GET", `${assetBase()}/diff?from=9.9.9`))).code).toBe("not_found");
  });

  it("tells of large files that they differ, and of many within a bound of time", async () => {
    const noise = (seed: number) => Array.from({ length: 20_000 }, (_, line) => `${(line * seed) % 9973}`).join("\n");
    await change([write("noise.txt", noise(7919)), write("large.txt", "x".repeat(300_000))]);
    await publish({ version: "1.0.0" });
    await change([write("noise.txt", noise(104_729)), write("large.txt", "y".repeat(300_000))]);
    const diff = await json<AssetDiff>(send(ann, "GET", `${assetBase()}/diff`));
    expect(diff.files.map(({ path, note }) => [path, note])).toEqual([
      ["large.txt", "large"],
      ["noise.txt", "large"],
    ]);
  });

  it("comes back into the head, files and configuration, and nothing is lost", async () => {
    await publish({ version: "1.0.0" });
    await change([write("main.py", "later\n"), { op: "delete", path: "lib" }]);
    await publish({ version: "1.1.0" });
    expect((await errorOf(send(ann, "POST", `${assetBase()}/versions/1.0.0/restore`))).code).toBe("revision_required");
    const restored = await send(ann, "POST", `${assetBase()}/versions/1.0.0/restore`, undefined, { "if-match": "*" });
    expect(await json(restored)).toMatchObject({ version: "1.1.0", tree: { files: 3 } });
    expect(await (await read("main.py")).text()).toBe("a\nb\nc\n");
    expect(await (await read("main.py", "&version=1.1.0")).text()).toBe("later\n");
  });
});

describe("a version's name, description, tags and slots", () => {
  it("are kept with it, compared and restored; old versions do not know theirs", async () => {
    const set = (body: object) => send(ann, "PATCH", assetBase(), body, { "if-match": "*" });
    const diff = async (query = "") => await json<AssetDiff>(send(ann, "GET", `${assetBase()}/diff${query}`));
    await set({ name: "First name", description: "before", tags: ["one"] });
    await publish({ version: "1.0.0" });
    const looked = async () => (await json<{ state: string }>(send(ann, "GET", `${base()}/analysis`))).state;
    await expect.poll(looked).toBe("done"); // which says that there are none
    await server.context.catalog.noteSlots(program.tree?.sha256 ?? "", ["summarise"]);
    expect(await json(send(ann, "GET", `${assetBase()}/versions/1.0.0`))).toMatchObject({
      metadata: { name: "First name", description: "before", tags: ["one"], slots: ["summarise"] },
    });
    await set({ name: "Second name", description: "after", tags: [] });
    expect((await diff()).metadata).toEqual([
      { field: "name", from: "First name", to: "Second name" },
      { field: "description", from: "before", to: "after" },
      { field: "tags", from: ["one"], to: [] },
    ]);
    const restore = () => json<Asset>(send(ann, "POST", `${assetBase()}/versions/1.0.0/restore`, undefined, { "if-match": "*" }));
    expect(await restore()).toMatchObject({ name: "First name", description: "before", tags: ["one"] });
    await expect.poll(async () => (await diff()).metadata).toEqual([]);
    await set({ name: "Second name", description: "after" });
    await createProgram(server, ann, "First name", { "main.py": "1" });
    expect(await restore()).toMatchObject({ name: "Second name", description: "before" });
    const copy = await json<Asset>(send(ann, "POST", `${assetBase()}/clone`, { version: "1.0.0" }));
    expect(copy).toMatchObject({ name: "First name 2", description: "before", tags: ["one"] });
    const old = { asset_id: program.id, version: "0.1.0", version_key: "0", tree_sha256: null, config: JSON.stringify(program.config) };
    await server.context.database.queries.insertInto("asset_versions").values(old).execute();
    expect((await diff("?from=0.1.0")).metadata).toEqual([]);
    expect(await json(send(ann, "GET", `${assetBase()}/versions/0.1.0`))).toMatchObject({ metadata: null });
    const back = send(ann, "POST", `${assetBase()}/versions/0.1.0/restore`, undefined, { "if-match": "*" });
    expect(await json(back)).toMatchObject({ name: "Second name", description: "before" });
  });
});

describe("a clone", () => {
  it("has the files and a name of its own, and nothing of the owner's secrets", async () => {
    const secret = await json<{ id: string }>(
      send(ann, "POST", "/api/v1/credentials", { kind: "program", name: "token", value: "s3cret" }),
    );
    const config = { ...program.config, secrets: [{ variable: "TOKEN", credentialId: secret.id }] };
    await send(ann, "PATCH", assetBase(), { config, tags: ["sums"] }, { "if-match": "*" });
    await share(server, ann, { resourceType: "asset", resourceId: program.id, email: bob.email, level: "view" });
    const made = await json<Asset>(send(bob, "POST", `${assetBase()}/clone`, {}));
    expect(made).toMatchObject({
      name: "Sums",
      tags: ["sums"],
      owner: { id: bob.id },
      tree: { files: 3 },
      clonedFrom: { id: program.id, version: null },
      config: { entrypoint: "main.py", secrets: [] },
      version: null,
    });
    expect(await json(send(bob, "POST", `${assetBase()}/clone`, {}))).toMatchObject({ name: "Sums 2", slug: "sums-2" });
    expect((await errorOf(send(bob, "POST", `${assetBase()}/clone`, { name: "Sums" }))).code).toBe("name_taken");
  });

  it("of a version has that version's files", async () => {
    await publish({ version: "1.0.0" });
    await change([{ op: "delete", path: "lib" }]);
    expect(await json(send(ann, "POST", `${assetBase()}/clone`, { name: "Old sums", version: "1.0.0" }))).toMatchObject({
      tree: { files: 3 },
    });
    expect((await errorOf(send(ann, "POST", `${assetBase()}/clone`, { version: "2.0.0" }))).code).toBe("not_found");
  });

  it("is not for those who do not see it, nor for end users", async () => {
    expect((await errorOf(send(bob, "POST", `${assetBase()}/clone`, {}))).code).toBe("not_found");
    const endUser = await createAccount(server, "end_user");
    await share(server, ann, { resourceType: "asset", resourceId: program.id, email: endUser.email, level: "admin" });
    expect((await errorOf(send(endUser, "POST", `${assetBase()}/clone`, {}))).code).toBe("forbidden");
  });
});

describe("a transfer", () => {
  it("gives it to a person, who is told; the giver keeps nothing", async () => {
    const given = await send(ann, "POST", `${assetBase()}/transfer`, { email: bob.email });
    expect(await json(given)).toMatchObject({ owner: { id: bob.id, type: "user" } });
    expect((await errorOf(send(ann, "GET", assetBase()))).code).toBe("not_found");
    const told = await json<{ items: { title: string; link: string }[] }>(send(bob, "GET", "/api/v1/notifications"));
    expect(told.items[0]).toMatchObject({ title: "“Sums” belongs to you now", link: `/programs/${program.id}` });
  });

  it("gives it to a team, where members edit it", async () => {
    const team = await json<{ id: string }>(send(ann, "POST", "/api/v1/teams", { name: "Adders" }));
    expect(await json(send(ann, "POST", `${assetBase()}/transfer`, { ownerId: team.id }))).toMatchObject({
      owner: { type: "team", name: "Adders" },
    });
    expect(await json(send(ann, "POST", `${assetBase()}/transfer`, { ownerId: "me" }))).toMatchObject({ owner: { id: ann.id } });
  });

  it("is refused to those who only administer it, to end users, and onto a name that is in use", async () => {
    await share(server, ann, { resourceType: "asset", resourceId: program.id, email: bob.email, level: "admin" });
    expect((await errorOf(send(bob, "POST", `${assetBase()}/transfer`, { ownerId: "me" }))).code).toBe("forbidden");
    const endUser = await createAccount(server, "end_user");
    expect((await errorOf(send(ann, "POST", `${assetBase()}/transfer`, { email: endUser.email }))).code).toBe("not_found");
    expect((await errorOf(send(ann, "POST", `${assetBase()}/transfer`, {}))).code).toBe("invalid_request");
    await createProgram(server, bob, "sums");
    expect(await errorOf(send(ann, "POST", `${assetBase()}/transfer`, { email: bob.email }))).toMatchObject({ code: "name_taken" });
  });
});
