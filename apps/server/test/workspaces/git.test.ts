import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { WorkspaceVersion } from "@syla/contracts/workspaces";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccount, share, type Person } from "../access/people.ts";
import { json } from "../catalog/programs.ts";
import { GitClient, pkt, refusalOf } from "./git-client.ts";
import { createWorkspace, readFiles, write } from "./workspaces.ts";

let server: TestServer;
let ann: Person;
let client: GitClient;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  ann = await createAccount(server);
  client = new GitClient(server.url, ann);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  client[Symbol.dispose]();
});

const git = (folder: string, ...words: string[]) => client.run(folder, ...words);
const clone = (id: string, person?: Pick<Person, "headers">, ...words: string[]) => client.clone(id, person, ...words);
const commit = (folder: string, files: Readonly<Record<string, string | Buffer>>, message: string) => client.commit(folder, files, message);

const change = (id: string, changes: readonly object[], revision: number | string) =>
  server.send(
    "POST",
    `/api/v1/workspaces/${id}/files`,
    { changes },
    { ...ann.headers, "if-match": revision === "*" ? "*" : `"${revision}"` },
  );
const versionsOf = async (id: string) =>
  (await json<{ items: WorkspaceVersion[] }>(server.fetch(`/api/v1/workspaces/${id}/versions`, { headers: ann.headers }))).items;

describe("a workspace by git", () => {
  it("is cloned with its versions, changed, pushed, and cloned again with the same commits", async () => {
    const { id } = await createWorkspace(server, ann, "By git", { "a.txt": "one\n", 'b/ü "x".txt': "quoted\n" });
    await server.send("POST", `/api/v1/workspaces/${id}/versions`, { message: "The first" }, ann.headers);
    await change(id, [write("a.txt", "two\n")], "*");
    const folder = await clone(id);
    expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("two\n");
    expect(readFileSync(join(folder, 'b/ü "x".txt'), "utf8")).toBe("quoted\n");
    expect((await git(folder, "log", "--format=%s|%an|%ae", "--reverse")).trim().split("\n")).toEqual([
      expect.stringMatching(/^The first\|.+\|user_.+@users\.syla\.invalid$/),
      expect.stringMatching(/^Changes up to revision \d+\|/),
    ]);
    expect((await git(folder, "tag")).trim()).toBe("version-1");
    await git(folder, "fsck", "--strict");

    const first = await commit(folder, { "a.txt": "three\n", "new.bin": Buffer.from([0, 1, 2, 255]) }, "Change a\n\nWith a reason");
    rmSync(join(folder, "b"), { recursive: true });
    const second = await commit(folder, { "run.sh": "echo 1\n" }, "Remove b");
    expect(await git(folder, "push", "origin", "main")).toContain("Made version 2, 3.");
    expect(await readFiles(server, ann, id)).toEqual({
      "a.txt": "three\n",
      "new.bin": Buffer.from([0, 1, 2, 255]).toString(),
      "run.sh": "echo 1\n",
    });
    expect(await versionsOf(id)).toMatchObject([
      { number: 3, cause: "push", message: "Remove b", commit: second, author: "Eve Hacker" },
      { number: 2, cause: "push", message: "Change a\n\nWith a reason", commit: first, createdBy: { id: ann.id } },
      { number: 1, cause: "manual", commit: expect.stringMatching(/^[0-9a-f]{40}$/) },
    ]);

    const again = await clone(id, ann, "-c", "protocol.version=0");
    expect((await git(again, "rev-parse", "HEAD")).trim()).toBe(second);
    expect(await git(again, "log", "--format=%H %an %s")).toBe(await git(folder, "log", "--format=%H %an %s"));
    await change(id, [write("a.txt", "four\n")], "*");
    await git(again, "pull", "--quiet", "--ff-only");
    expect(readFileSync(join(again, "a.txt"), "utf8")).toBe("four\n");
    const shallow = await clone(id, ann, "--depth", "1");
    expect((await git(shallow, "rev-list", "--count", "HEAD")).trim()).toBe("1");
    await commit(shallow, { "a.txt": "five\n" }, "From a shallow clone");
    await git(shallow, "push", "--quiet", "origin", "main");
    expect(await readFiles(server, ann, id)).toMatchObject({ "a.txt": "five\n" });
    const partial = await clone(id, ann, "--filter=blob:none");
    expect(readFileSync(join(partial, "a.txt"), "utf8")).toBe("five\n");
  }, 240_000);

  it("does not lose what others have changed: who pushes has to fetch it first, and one of two wins", async () => {
    const { id } = await createWorkspace(server, ann, "Two pushers", { "a.txt": "1\n", "b.txt": "1\n" });
    const [one, other] = [await clone(id), await clone(id)];
    await commit(one, { "a.txt": "one\n" }, "one");
    await commit(other, { "b.txt": "other\n" }, "other");
    const results = await Promise.allSettled([git(one, "push", "origin", "main"), git(other, "push", "origin", "main")]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const loser = results[0]?.status === "rejected" ? one : other;
    expect(await refusalOf(git(loser, "push", "origin", "main"))).toMatch(/fetch first|rejected/);
    await git(loser, "pull", "--quiet", "--rebase");
    await git(loser, "push", "--quiet", "origin", "main");
    expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "one\n", "b.txt": "other\n" });

    await commit(loser, { "c.txt": "c\n" }, "late");
    await change(id, [write("a.txt", "by the editor\n")], "*");
    expect(await refusalOf(git(loser, "push", "origin", "main"))).toMatch(/fetch first/);
    expect(await refusalOf(git(loser, "push", "--force", "origin", "main"))).toMatch(/fetch first|non-fast-forward/);
    expect(await readFiles(server, ann, id)).toMatchObject({ "a.txt": "by the editor\n" });
    await git(loser, "pull", "--quiet", "--rebase");
    await git(loser, "push", "--quiet", "origin", "main");
    expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "by the editor\n", "b.txt": "other\n", "c.txt": "c\n" });
    await git(loser, "commit", "--quiet", "--amend", "--allow-empty", "--message", "rewritten");
    expect(await refusalOf(git(loser, "push", "--force", "origin", "main"))).toMatch(/non-fast-forward/);
  }, 240_000);

  it("starts empty, and takes the first push", async () => {
    const { id } = await createWorkspace(server, ann, "Empty at first", {});
    const folder = await clone(id);
    await git(folder, "checkout", "--quiet", "-B", "main");
    await commit(folder, { "first.txt": "1\n" }, "First");
    await git(folder, "push", "--quiet", "origin", "main");
    expect(await readFiles(server, ann, id)).toEqual({ "first.txt": "1\n" });
  }, 120_000);

  it("refuses what a workspace does not hold, and says why", async () => {
    const { id } = await createWorkspace(server, ann, "Strict", { "a.txt": "1\n" });
    const folder = await clone(id);
    const start = (await git(folder, "rev-parse", "HEAD")).trim();
    const refused = async (work: () => Promise<unknown>, words: RegExp) => {
      await git(folder, "reset", "--quiet", "--hard", start);
      await work();
      expect(await refusalOf(git(folder, "push", "origin", "main"))).toMatch(words);
    };
    await refused(async () => {
      symlinkSync("/etc/passwd", join(folder, "link"));
      await commit(folder, {}, "link");
    }, /no symbolic links: "link"/);
    await refused(async () => {
      await git(folder, "update-index", "--add", "--cacheinfo", `160000,${start},sub`);
      await git(folder, "commit", "--quiet", "--message", "submodule");
    }, /no submodules: "sub"/);
    await refused(async () => {
      await commit(folder, { "A.txt": "other case\n" }, "case");
    }, /differ only in case/);
    await refused(async () => {
      const blob = (await git(folder, "rev-parse", "HEAD:a.txt")).trim();
      await client.commitTree(
        folder,
        `100644 blob ${blob}\ta.txt\n040000 tree ${await client.makeTree(folder, `100644 blob ${blob}\tconfig\n`)}\t.git\n`,
      );
    }, /not allowed: hasDotgit/);
    await refused(async () => {
      const blob = (await git(folder, "rev-parse", "HEAD:a.txt")).trim();
      await client.commitTree(folder, `040000 tree ${await client.makeTree(folder, `100644 blob ${blob}\tx\n`)}\t..\n`);
    }, /not allowed: hasDotdot/);
    await git(folder, "reset", "--quiet", "--hard", start);
    await commit(folder, { "b.txt": "b\n" }, "branch");
    expect(await refusalOf(git(folder, "push", "origin", "main:feature"))).toMatch(/branch main alone/);
    expect(await refusalOf(git(folder, "push", "origin", "HEAD:refs/tags/x"))).toMatch(/branch main alone/);
    expect(await refusalOf(git(folder, "push", "origin", ":main"))).toMatch(/delet/);
    expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "1\n" });
  }, 240_000);

  it("refuses packs that are damaged, incomplete or no packs", async () => {
    const { id } = await createWorkspace(server, ann, "Hostile packs", { "a.txt": "1\n" });
    const folder = await clone(id);
    const tip = (await git(folder, "rev-parse", "HEAD")).trim();
    const to = await commit(folder, { "a.txt": "2\n" }, "two");
    const whole = execFileSync("git", ["-C", folder, "pack-objects", "--stdout", "--revs", "-q"], {
      env: client.environment,
      input: `${to}\n^${tip}\n`,
    });
    const command = (name: string, from: string, target: string) => pkt(`${from} ${target} ${name}\0report-status\n`) + "0000";
    const send = async (body: Buffer) => {
      const answer = await server.fetch(`/git/${id}.git/git-receive-pack`, { method: "POST", headers: ann.headers, body });
      return `${answer.status} ${await answer.text()}`;
    };
    const push = (pack: Buffer, name = "refs/heads/main") => send(Buffer.concat([Buffer.from(command(name, tip, to)), pack]));
    expect(await push(Buffer.from("no pack at all"))).toMatch(/^200 .*ng refs\/heads\/main the pack is damaged/s);
    expect(await push(Buffer.concat([whole.subarray(0, 20), Buffer.alloc(64, 7)]))).toMatch(/ng refs\/heads\/main the pack is damaged/);
    expect(await push(emptyPack)).toMatch(/ng refs\/heads\/main main has to be a commit/);
    expect(await send(Buffer.from("zzzz"))).toMatch(/^400 .*git_protocol/s);
    expect(await send(Buffer.from("00ff0123"))).toMatch(/^400 .*git_protocol/s);
    expect(await send(Buffer.from(`${pkt("one two three\n")}0000`))).toMatch(/^400 .*git_protocol/s);
    expect(await send(Buffer.from("0000"))).toBe("200 ");
    expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "1\n" });
  }, 240_000);

  it("is for those who may see it, and changed by those who may change it", async () => {
    const { id } = await createWorkspace(server, ann, "Shared by git", { "a.txt": "1\n" });
    const ben = await createAccount(server);
    const anonymous = await server.fetch(`/git/${id}.git/info/refs?service=git-upload-pack`, { headers: { authorization: "" } });
    expect([anonymous.status, anonymous.headers.get("www-authenticate")]).toEqual([401, expect.stringMatching(/^Basic /)]);
    expect(await refusalOf(clone(id, { headers: { authorization: "Bearer wrong" } }))).toMatch(/Authentication failed/);
    expect(await refusalOf(clone(id, ben))).toMatch(/not found/);
    await share(server, ann, { resourceType: "workspace", resourceId: id, email: ben.email, level: "view" });
    const folder = await clone(id, ben);
    await commit(folder, { "a.txt": "2\n" }, "by ben");
    expect(await refusalOf(git(folder, "push", "origin", "main"))).toMatch(/403/);
    await server.send("POST", `/api/v1/workspaces/${id}/archive`, undefined, ann.headers);
    const archived = await clone(id);
    await commit(archived, { "a.txt": "3\n" }, "late");
    expect(await refusalOf(git(archived, "push", "origin", "main"))).toMatch(/409|archived/);
    expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "1\n" });
  }, 240_000);
});

const emptyPack = Buffer.concat([
  Buffer.from("PACK"),
  Buffer.from([0, 0, 0, 2, 0, 0, 0, 0]),
  Buffer.from("029d08823bd8a8eab510ad6ac75c823cfd3ed31e", "hex"),
]);
