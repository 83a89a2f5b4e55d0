import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccount, share, type Person } from "../access/people.ts";
import { json } from "../catalog/programs.ts";
import { GitClient, pkt, refusalOf } from "./git-client.ts";
import { commitOf, packOf, repeated, treeOf, whole, type PackedObject } from "./git-packs.ts";
import { createWorkspace, readFiles } from "./workspaces.ts";

let server: TestServer;
let ann: Person;
let client: GitClient;
/** A workspace that every pack is meant for, and where its branch is. */
let target: string;
let tip: string;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  ann = await createAccount(server);
  client = new GitClient(server.url, ann);
  target = (await createWorkspace(server, ann, "Target", { "a.txt": "1\n" })).id;
  tip = (await client.run(await client.clone(target), "rev-parse", "HEAD")).trim();
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  client[Symbol.dispose]();
});

type Body = string | Buffer | Readable;

const post = async (body: Body, headers: Readonly<Record<string, string>> = {}, person: Pick<Person, "headers"> = ann) => {
  const init = { method: "POST", headers: { ...person.headers, ...headers }, body: body as never, duplex: "half" };
  const answer = await server.fetch(`/git/${target}.git/git-receive-pack`, init as RequestInit);
  return { status: answer.status, text: await answer.text() };
};
const command = (to: string, from = tip, name = "refs/heads/main") => pkt(`${from} ${to} ${name}\0report-status\n`);
/** Pushes a pack as the new state of the branch, after what is there. @returns what git is told */
const push = async (commit: PackedObject, pack: Buffer) => {
  const { status, text } = await post(Buffer.concat([Buffer.from(`${command(commit.id)}0000`), pack]));
  expect(status).toBe(200);
  return text;
};
const fileCount = async () => (await server.context.database.queries.selectFrom("workspace_packs").selectAll().execute()).length;

/** Nothing of the workspace has changed, and no version was made. */
async function expectUnchanged(packs: number): Promise<void> {
  expect(await readFiles(server, ann, target)).toEqual({ "a.txt": "1\n" });
  const { items } = await json<{ items: object[] }>(server.fetch(`/api/v1/workspaces/${target}/versions`, { headers: ann.headers }));
  expect(items).toEqual([]);
  expect(await fileCount()).toBe(packs);
}

const blob = whole("blob", Buffer.from("x\n"));
const file = (name: string | Buffer, { id }: Pick<PackedObject, "id"> = blob, mode = "100644") => ({ mode, name, id });

describe("a hostile push", () => {
  const inner = treeOf([file("x")]);
  const link = whole("blob", Buffer.from("../../etc/passwd"));
  const nothing = { id: "1".repeat(40) };
  const trees: readonly (readonly [what: string, tree: PackedObject, said: RegExp])[] = [
    ["a folder `..`", treeOf([file("..", inner, "40000")]), /an object is not allowed: hasDotdot/],
    ["a folder `.git`", treeOf([file(".git", inner, "40000")]), /an object is not allowed: hasDotgit/],
    ["a folder `.GIT`", treeOf([file(".GIT", inner, "40000")]), /an object is not allowed: hasDotgit/],
    ["a path in one name", treeOf([file("../../x")]), /an object is not allowed: fullPathname/],
    ["an empty name", treeOf([file("")]), /an object is not allowed: (emptyName|badTree)/],
    ["names that differ in case", treeOf([file("A.txt"), file("a.txt")]), /differ only in case/],
    ["a name that is no UTF-8", treeOf([file(Buffer.from([0x61, 0xff]))]), /no valid UTF-8: a\?/],
    ["a link out of it", treeOf([file("link", link, "120000")]), /no symbolic links: "link"/],
    ["an unknown kind of file", treeOf([file("device", blob, "60666")]), /no submodules: "device"/],
    ["entries in no order", treeOf([file("b"), file("a")]), /an object is not allowed: treeNotSorted/],
    ["two of one name", treeOf([file("a"), file("a")]), /an object is not allowed: duplicateEntries/],
    ["files that are missing", treeOf([file("a", nothing)]), /objects are missing/],
  ];
  it.each(trees)(
    "of %s is refused with the reason, and changes nothing",
    async (_what, tree, said) => {
      const before = await fileCount();
      const commit = commitOf(tree, tip);
      expect(await push(commit, packOf([blob, link, inner, tree, commit]))).toMatch(
        new RegExp(`^....unpack ok\n....ng refs/heads/main .*(?:${said.source})`, "s"),
      );
      await expectUnchanged(before);
    },
    60_000,
  );

  it("of a pack that is cut, damaged or foreign is refused", async () => {
    const before = await fileCount();
    const tree = treeOf([file("b.txt")]);
    const commit = commitOf(tree, tip);
    const pack = packOf([blob, tree, commit]);
    for (const length of [0, 4, 11, 12, 40, pack.length - 21, pack.length - 1])
      expect(await push(commit, pack.subarray(0, length))).toMatch(/ng refs\/heads\/main the pack is damaged/);
    const flipped = Buffer.from(pack);
    flipped[30] = (flipped[30] ?? 0) ^ 255;
    expect(await push(commit, flipped)).toMatch(/ng refs\/heads\/main the pack is damaged/);
    expect(await push(commitOf(tree, "2".repeat(40)), pack)).toMatch(/ng refs\/heads\/main main has to be a commit/);
    const stray = commitOf(tree, "2".repeat(40));
    expect(await push(stray, packOf([blob, tree, stray]))).toMatch(
      /ng refs\/heads\/main (objects are missing|non-fast-forward|the pack is damaged)/,
    );
    await expectUnchanged(before);
  }, 120_000);

  const zeros = Buffer.alloc(15_000_000);
  const base = whole("blob", zeros);

  it("of some bytes that become gigabytes is refused", async () => {
    const before = await fileCount();
    const tree = treeOf([file("a")]);
    const commit = commitOf(tree, tip);
    const bomb = packOf([blob, base, repeated(base, zeros, 250, false), tree, commit]);
    expect(bomb.length).toBeLessThan(100_000);
    expect(await push(commit, bomb)).toMatch(/ng refs\/heads\/main The commits are too large/);
    await expectUnchanged(before);
  }, 60_000);

  it("of a file that becomes larger than a workspace is refused", async () => {
    const before = await fileCount();
    const large = repeated(base, zeros, 10, true);
    const tree = treeOf([file("large", large)]);
    const commit = commitOf(tree, tip);
    expect(await push(commit, packOf([base, large, tree, commit]))).toMatch(/ng refs\/heads\/main The files are larger than 100 MiB/);
    await expectUnchanged(before);
  }, 60_000);

  it("of a few trees that are files without an end is refused", async () => {
    const before = await fileCount();
    let nested = inner;
    const levels = [nested];
    for (let level = 0; level < 12; level += 1) {
      nested = treeOf(Array.from({ length: 10 }, (_, index) => file(String(index), nested, "40000")));
      levels.push(nested);
    }
    const commit = commitOf(nested, tip);
    expect(await push(commit, packOf([blob, ...levels, commit]))).toMatch(
      /ng refs\/heads\/main The commits (are too large|change too many files)/,
    );
    await expectUnchanged(before);
  }, 60_000);

  it("of more bytes than a push may have is refused", async () => {
    const before = await fileCount();
    const part = Buffer.alloc(1 << 20, 7);
    const parts = function* () {
      yield Buffer.from(`${command("3".repeat(40))}0000PACK`);
      for (let count = 0; count < 257; count += 1) yield part;
    };
    expect(await post(Readable.from(parts()))).toEqual({
      status: 200,
      text: expect.stringMatching(/ng refs\/heads\/main a push takes at most 256 MiB/),
    });
    await expectUnchanged(before);
  }, 60_000);

  it("of 100,000 names, or of words without an end, is refused without being kept", async () => {
    const before = await fileCount();
    const [zero, one] = ["0".repeat(40), "4".repeat(40)];
    const names = Array.from({ length: 100_000 }, (_, index) =>
      pkt(`${zero} ${one} refs/heads/b${index}${index === 0 ? "\0report-status" : ""}\n`),
    );
    const { status, text } = await post(`${names.join("")}0000PACK`);
    expect([status, text.slice(0, 200)]).toEqual([
      200,
      expect.stringContaining("ng refs/heads/b0 a push names at most 1000 branches and tags"),
    ]);
    expect(text.match(/ng refs/g)).toHaveLength(1000);
    const delimiters = gzipSync(Buffer.alloc(64 << 20, "0001"));
    expect(await post(delimiters, { "content-encoding": "gzip" })).toEqual({ status: 400, text: expect.stringContaining("git_protocol") });
    expect(await post(Buffer.from([1, 2, 3]), { "content-encoding": "gzip" })).toEqual({
      status: 400,
      text: expect.stringContaining("git_protocol"),
    });
    await expectUnchanged(before);
  }, 60_000);

  it("of a viewer, a stranger, or with a key that is for reading alone is refused", async () => {
    const before = await fileCount();
    const [viewer, stranger] = [await createAccount(server), await createAccount(server)];
    await share(server, ann, { resourceType: "workspace", resourceId: target, email: viewer.email, level: "view" });
    const made = await server.send("POST", "/api/v1/api-keys", { name: "reader", scopes: ["workspaces:read"] }, ann.headers);
    const reader = { headers: { authorization: `Bearer ${((await made.json()) as { key: string }).key}` } };
    const folder = await client.clone(target, reader);
    await client.commit(folder, { "a.txt": "2\n" }, "two");
    expect(await refusalOf(client.run(folder, "push", "origin", "main"))).toMatch(/403/);
    const tree = treeOf([file("a\n:100644 100644 1 2 M"), file("b.txt")]);
    const commit = commitOf(tree, tip);
    const body = Buffer.concat([Buffer.from(`${command(commit.id)}0000`), packOf([blob, tree, commit])]);
    expect(await post(body, {}, reader)).toEqual({ status: 403, text: expect.stringContaining("scope_missing") });
    expect(await post(body, {}, viewer)).toEqual({ status: 403, text: expect.stringContaining("forbidden") });
    expect(await post(body, {}, stranger)).toEqual({ status: 404, text: expect.stringContaining("not_found") });
    await expectUnchanged(before);
    expect(await push(commit, packOf([blob, tree, commit]))).toMatch(/ok refs\/heads\/main/);
    expect(await readFiles(server, ann, target)).toEqual({ "a\n:100644 100644 1 2 M": "x\n", "b.txt": "x\n" });
  }, 60_000);
});
