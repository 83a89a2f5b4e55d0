import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPerson } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli, temporaryFolder } from "./run-cli.ts";

let server: TestServer;
let home: string;
let ann: { authorization: string };
let bob: { authorization: string };

beforeAll(async () => {
  server = await startTestServer();
  home = mkdtempSync(join(tmpdir(), "syla-cli-home-"));
  ann = await createPerson(server);
  bob = await createPerson(server);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

const syla = (person: { authorization: string }, ...args: string[]) =>
  runCli(["program", ...args], {
    env: { SYLA_URL: server.url, SYLA_API_KEY: person.authorization.slice("Bearer ".length), SYLA_HOME: home },
  });

/** A folder with these files. */
function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

const read = (folder: string, path: string) => readFileSync(join(folder, path), "utf8");

/** What a push or a pull says with `--json`. */
interface Moved {
  readonly written: string[];
  readonly deleted: string[];
  readonly sentFiles: number;
  readonly program: { readonly id: string; readonly revision: number };
}

const jsonOf = ({ stdout }: { stdout: string }) => JSON.parse(stdout) as Moved;

describe("syla program", () => {
  test("makes a program of a folder, without what its ignore files leave out", async () => {
    const folder = folderOf({
      "main.py": "print(1)\n",
      "lib/a.py": "",
      ".gitignore": "*.log\nbuild/\n",
      "a.log": "",
      "build/out": "",
      "lib/.gitignore": "secret*\n!secret-not.txt\n",
      "lib/secret.txt": "",
      "lib/secret-not.txt": "",
      "node_modules/x/index.js": "",
    });
    chmodSync(join(folder, "main.py"), 0o755);
    symlinkSync("/etc/passwd", join(folder, "link"));
    const id = (await syla(ann, "create", "Sums", folder, "-d", "adds", "-t", "math,demo")).stdout.trim();
    const shown = jsonOf(await syla(ann, "show", "sums", "--json"));
    expect(shown).toMatchObject({ id, name: "Sums", description: "adds", tags: ["math", "demo"], config: { entrypoint: "main.py" } });
    const files = (await (await server.fetch(`/api/v1/programs/${id}/files`, { headers: ann })).json()) as { items: object[] };
    expect(files.items).toMatchObject([
      { path: ".gitignore", executable: false },
      { path: "lib/.gitignore" },
      { path: "lib/a.py" },
      { path: "lib/secret-not.txt" },
      { path: "main.py", executable: true },
    ]);
    expect((await syla(ann, "list")).stdout).toContain(`${id}\tsums\tSums\t-\t`);
    expect((await syla(ann, "search", "sum")).stdout).toContain(id);
    expect((await syla(bob, "show", id)).code).toBe(66);
    expect(await syla(bob, "show", "sums")).toMatchObject({ code: 64 });
  });

  test("pushes only what is missing, and pulls it elsewhere", async () => {
    const folder = folderOf({ "main.py": "print(1)\n", "large.txt": "x".repeat(100_000) });
    await syla(ann, "create", "Moved", folder);
    writeFileSync(join(folder, "main.py"), "print(2)\n");
    rmSync(join(folder, "large.txt"));
    writeFileSync(join(folder, "renamed.txt"), "x".repeat(100_000));
    const pushed = jsonOf(await syla(ann, "push", "-C", folder, "--json"));
    expect(pushed).toMatchObject({ written: ["main.py", "renamed.txt"], deleted: ["large.txt"], sentFiles: 1, program: { revision: 2 } });
    expect((await syla(ann, "push", "-C", folder)).stdout).toBe("Nothing differs.\n");
    const other = join(temporaryFolder(), "new");
    expect(jsonOf(await syla(ann, "pull", "moved", "-C", other, "--json")).written).toEqual(["main.py", "renamed.txt"]);
    expect(read(other, "main.py")).toBe("print(2)\n");
  });

  test("leaves out what looks secret, unless it is named, and says so", async () => {
    const token = `ghp_${"a1B2".repeat(9)}`;
    const folder = folderOf({ "main.py": "print(1)\n", ".env": "KEY=1\n", "note.txt": "plain\n" });
    const made = await syla(ann, "create", "Careful", folder, "--json");
    expect(made.stderr).toContain("left out: .env (");
    const { id } = JSON.parse(made.stdout) as { id: string };
    const paths = async () => {
      const answer = await server.fetch(`/api/v1/programs/${id}/files`, { headers: ann });
      return ((await answer.json()) as { items: { path: string }[] }).items.map(({ path }) => path);
    };
    expect(await paths()).toEqual(["main.py", "note.txt"]);
    const looked = async () =>
      ((await (await server.fetch(`/api/v1/programs/${id}/analysis`, { headers: ann })).json()) as { state: string }).state;
    await expect.poll(looked).toBe("done");
    writeFileSync(join(folder, "note.txt"), `line\n${token}\n`);
    writeFileSync(join(folder, "more.txt"), "more\n");
    const pushed = await syla(ann, "push", "-C", folder, "--json");
    expect(pushed.stderr).toContain("left out: note.txt:2 (");
    expect(pushed.stderr).toContain("2 files that look secret: --include PATH takes one, --with-secrets all.");
    expect(jsonOf(pushed)).toMatchObject({
      written: ["more.txt"],
      deleted: [],
      leftOut: [{ path: ".env" }, { path: "note.txt", line: 2 }],
    });
    const kept = await server.fetch(`/api/v1/programs/${id}/file?path=note.txt`, { headers: ann });
    expect(await kept.text()).toBe("plain\n");
    expect(read(folder, "note.txt")).toContain(token);
    expect(jsonOf(await syla(ann, "push", "-C", folder, "--include", "note.txt", "--json")).written).toEqual(["note.txt"]);
    expect(jsonOf(await syla(ann, "push", "-C", folder, "--with-secrets", "--json")).written).toEqual([".env"]);
    expect(await paths()).toEqual([".env", "main.py", "more.txt", "note.txt"]);
    expect((await syla(ann, "push", "-C", folder)).stdout).toBe("Nothing differs.\n");
  });

  test("does not push over what somebody else has done, unless it is forced", async () => {
    const folder = folderOf({ "main.py": "1\n" });
    await syla(ann, "create", "Contested", folder);
    const other = join(temporaryFolder(), "other");
    await syla(ann, "pull", "contested", "-C", other);
    writeFileSync(join(other, "main.py"), "theirs\n");
    expect((await syla(ann, "push", "-C", other)).code).toBe(0);
    writeFileSync(join(folder, "main.py"), "mine\n");
    const refused = await syla(ann, "push", "-C", folder);
    expect(refused.code).toBe(65);
    expect(refused.stderr).toContain("has been changed on the server");
    const kept = await syla(ann, "pull", "-C", folder);
    expect(kept.code).toBe(65);
    expect(kept.stderr).toContain("main.py");
    expect(read(folder, "main.py")).toBe("mine\n");
    expect((await syla(ann, "push", "-C", folder, "--force")).code).toBe(0);
    expect((await syla(ann, "pull", "-C", other)).code).toBe(0);
    expect(read(other, "main.py")).toBe("mine\n");
    const unknown = await syla(ann, "push", "contested", "-C", folderOf({ "main.py": "new\n" }));
    expect(unknown.stderr).toContain("was never pushed");
  });

  test("takes away on a pull what was deleted there, and nothing that is only here", async () => {
    const folder = folderOf({ "main.py": "1\n", "old.txt": "old" });
    await syla(ann, "create", "Shrinking", folder);
    const other = join(temporaryFolder(), "other");
    await syla(ann, "pull", "shrinking", "-C", other);
    writeFileSync(join(other, "own.txt"), "only here");
    rmSync(join(folder, "old.txt"));
    await syla(ann, "push", "-C", folder);
    expect(jsonOf(await syla(ann, "pull", "-C", other, "--json")).deleted).toEqual(["old.txt"]);
    expect([existsSync(join(other, "old.txt")), read(other, "own.txt")]).toEqual([false, "only here"]);
  });

  test("never writes through a link out of the folder", async () => {
    const folder = folderOf({ "main.py": "1\n", "lib/a.txt": "a" });
    await syla(ann, "create", "Linked", folder);
    const [other, outside] = [temporaryFolder(), temporaryFolder()];
    symlinkSync(outside, join(other, "lib"));
    expect((await syla(ann, "pull", "linked", "-C", other, "--force")).code).toBe(64);
    expect(existsSync(join(outside, "a.txt"))).toBe(false);
  });

  test("publishes, lists and compares versions, and brings one back", async () => {
    const folder = folderOf({ "main.py": "one\n" });
    await syla(ann, "create", "Published", folder);
    expect((await syla(ann, "publish", "published", "-m", "First")).stdout).toBe("0.1.0\n");
    writeFileSync(join(folder, "main.py"), "two\n");
    await syla(ann, "push", "-C", folder);
    expect((await syla(ann, "diff", "published")).stdout).toBe("--- a/main.py\n+++ b/main.py\n@@ -1,1 +1,1 @@\n-one\n+two\n");
    expect((await syla(ann, "publish", "published", "1.0.0")).stdout).toBe("1.0.0\n");
    expect((await syla(ann, "publish", "published", "1.0.0")).stderr).toContain("version_taken");
    expect((await syla(ann, "versions", "published")).stdout.split("\n").map((line) => line.split("\t")[0])).toEqual([
      "1.0.0",
      "0.1.0",
      "",
    ]);
    expect((await syla(ann, "restore", "published", "0.1.0")).code).toBe(0);
    await syla(ann, "pull", "-C", folder);
    expect(read(folder, "main.py")).toBe("one\n");
    const old = join(temporaryFolder(), "old");
    await syla(ann, "pull", "published", "-C", old, "--at", "1.0.0");
    expect(read(old, "main.py")).toBe("two\n");
    expect(statSync(join(old, "main.py")).mode & 0o111).toBe(0);
  });

  test("clones, deletes and restores", async () => {
    await syla(ann, "create", "Original", folderOf({ "main.py": "1\n" }));
    const copy = (await syla(ann, "clone", "original", "--name", "Copy")).stdout.trim();
    expect((await syla(ann, "delete", copy)).code).toBe(0);
    expect((await syla(ann, "list", "--deleted")).stdout).toContain(copy);
    expect((await syla(ann, "restore", "copy")).code).toBe(0);
    expect(jsonOf(await syla(ann, "show", "copy", "--json"))).toMatchObject({ id: copy, deletedAt: null });
  });

  test("renames, shows to everybody, tags, shares, exports, deletes and gives away, one or several", async () => {
    const ids = await Promise.all(
      ["Alpha", "Beta"].map(async (name) => (await syla(ann, "create", name, folderOf({ "main.py": "1\n" }))).stdout.trim()),
    );
    expect((await syla(ann, "rename", "alpha", "Gamma", "--slug", "gamma")).stdout).toBe(`${ids[0]}  Gamma  gamma  private\n`);
    expect((await syla(ann, "visibility", "gamma", "public")).stdout).toContain("public");
    expect((await syla(ann, "visibility", "gamma", "secret")).code).toBe(64);
    expect((await syla(ann, "tag", "gamma", "beta", "--add", "demo,weather")).stdout).toBe("Gamma is changed.\nBeta is changed.\n");
    expect((await syla(ann, "tag", "beta", "--remove", "demo")).code).toBe(0);
    expect(jsonOf(await syla(ann, "show", "beta", "--json"))).toMatchObject({ tags: ["weather"] });
    const refused = await syla(bob, "tag", "gamma", "--add", "mine");
    expect([refused.code, refused.stderr.includes("Gamma: ")]).toEqual([65, true]);
    const { email } = (await (await server.fetch("/api/v1/users/me", { headers: bob })).json()) as { email: string };
    expect((await syla(ann, "share", ...ids, "--with", email, "--level", "edit")).stdout).toContain(`${ids[1]} is shared.`);
    expect((await syla(bob, "show", ids[1] ?? "")).code).toBe(0);
    const folder = temporaryFolder();
    expect((await syla(ann, "export", "gamma", "beta", "-o", join(folder, "all.zip"))).code).toBe(0);
    const archive = readFileSync(join(folder, "all.zip"));
    expect(archive.subarray(0, 2).toString()).toBe("PK");
    expect((await syla(ann, "export", "gamma", "-o", join(folder, "all.zip"))).code).toBe(73);
    expect(readFileSync(join(folder, "all.zip")).equals(archive)).toBe(true);
    expect((await syla(ann, "transfer", "beta", "--to", email)).stdout).toContain("Beta belongs to ");
    expect((await syla(ann, "transfer", "gamma")).code).toBe(64);
    expect((await syla(ann, "delete", "gamma", ids[0] ?? "")).stdout).toBe("Gamma is deleted.\n");
    expect((await syla(bob, "delete", "beta")).stdout).toBe("Beta is deleted.\n");
  });

  test("says what is wrong", async () => {
    expect((await syla(ann, "push", "-C", folderOf({}))).stderr).toContain("belongs to no program");
    expect((await syla(ann, "show", "orginal")).stderr).toContain('Did you mean "original"?');
    expect((await syla(ann, "create", "Nowhere", "/nonexistent/folder")).code).toBe(66);
    expect((await syla(ann, "create", "Two", folderOf({ "a.txt": "", "b.txt": "" }))).stderr).toContain("cannot be told");
    expect((await syla(ann, "list", "-n", "0")).code).toBe(64);
  });
});

describe("syla dataset", () => {
  const dataset = (person: { authorization: string }, ...args: string[]) =>
    runCli(args[0] === "run" ? args : ["dataset", ...args], {
      env: { SYLA_URL: server.url, SYLA_API_KEY: person.authorization.slice("Bearer ".length), SYLA_HOME: home },
    });

  test("uploads, shows, reads, splits, changes, exports, runs on and deletes rows", async () => {
    const folder = folderOf({
      "people.csv": "id,name\n1,Ada\n2,Bo\n3,\n",
      "more.jsonl": Array.from({ length: 40 }, (_, id) => `{"id":${id}}\n`).join(""),
      "main.sh": 'cat datasets/rows.jsonl; echo "$SYLA_DATASETS" | grep -c split',
      "bad.csv": "a,b\n1\n",
    });
    const file = (name: string) => join(folder, name);
    const id = (await dataset(ann, "create", "People", file("people.csv"), "-d", "who", "-t", "one,two")).stdout.trim();
    expect(id).toMatch(/^data_/);
    const shown = JSON.parse((await dataset(ann, "show", "people", "--json")).stdout) as object;
    expect(shown).toMatchObject({
      id,
      description: "who",
      tags: ["one", "two"],
      config: { rowCount: 3 },
      statistics: [
        { name: "id", max: 3 },
        { name: "name", empty: 1 },
      ],
    });
    expect((await dataset(ann, "list")).stdout).toContain(`${id}\tpeople\tPeople\t0.1.0\t`);
    expect((await dataset(ann, "rows", "people", "--columns", "name")).stdout).toBe("0\tAda\n1\tBo\n2\t\n");
    expect((await dataset(ann, "rows", "people", "-w", "name~B")).stdout).toBe("1\t2\tBo\n");
    expect((await dataset(ann, "update", "people", file("more.jsonl"), "-m", "more", "--name", "Numbers")).stdout).toBe("0.1.1\n");
    const split = await dataset(ann, "split", "people", "train=50", "test=50", "--seed", "3");
    const [train = "", held = ""] = split.stdout.trim().split("\n");
    expect(Number(train.split("\t")[1]) + Number(held.split("\t")[1])).toBe(40);
    const lines = (await dataset(ann, "export", "people", "--split", "test")).stdout;
    expect(lines.trim().split("\n")).toHaveLength(Number(held.split("\t")[1]));
    expect((await dataset(ann, "export", "people", "--version", "0.1.0", "-f", "jsonl", "-o", file("out.jsonl"))).code).toBe(0);
    expect(read(folder, "out.jsonl")).toBe('{"id":1,"name":"Ada"}\n{"id":2,"name":"Bo"}\n{"id":3,"name":null}\n');
    expect((await dataset(ann, "export", "people", "-o", file("out.jsonl"))).code).not.toBe(0);
    await syla(ann, "create", "Dataset reader", folder, "-l", "bash", "-e", "main.sh");
    const ran = await dataset(ann, "run", "dataset-reader", "--dataset", "rows=people:test");
    expect([ran.stdout, ran.code]).toEqual([`${lines}1\n`, 0]);
    const refused = await dataset(ann, "create", "Bad", file("bad.csv"));
    expect(refused.stderr).toContain("Line 2: the row has 1 values, and the header 2");
    expect((await dataset(ann, "publish", "numbers", "2.0.0", "-m", "Whole")).stdout).toBe("2.0.0\n");
    expect((await dataset(ann, "versions", "numbers")).stdout).toContain("2.0.0\t");
    expect((await dataset(ann, "diff", "numbers", "2.0.0")).stdout).toBe("Nothing differs.\n");
    expect((await dataset(ann, "clone", "numbers", "--name", "More numbers")).stdout).toMatch(/^data_/);
    expect((await dataset(ann, "delete", "people")).stdout).toBe("Numbers is deleted.\n");
    expect((await dataset(ann, "rows", "people")).code).not.toBe(0);
    expect((await dataset(ann, "restore", "people")).stdout).toBe(`${id}\n`);
  });
});
