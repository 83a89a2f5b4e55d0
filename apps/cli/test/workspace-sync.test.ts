import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Syla } from "@syla/sdk";
import { seededRandom } from "@syla/testkit/seeded-random";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readState } from "../src/workspaces/sync/state-file.ts";
import { syncFolder, type Synced } from "../src/workspaces/sync/sync-folder.ts";
import { runCli, temporaryFolder } from "./run-cli.ts";

let server: TestServer;
let client: Syla;
let env: Record<string, string>;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  client = new Syla({ baseUrl: server.url, apiKey: server.localKey });
  env = { SYLA_URL: server.url, SYLA_API_KEY: server.localKey, SYLA_HOME: mkdtempSync(join(tmpdir(), "syla-cli-home-")) };
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(env["SYLA_HOME"] ?? "", { recursive: true, force: true });
});

type Files = Readonly<Record<string, string>>;

async function make(name: string, files: Files): Promise<string> {
  const { id } = await client.workspaces.create({ name, files: Object.entries(files).map(([path, content]) => ({ path, content })) });
  return id;
}

const sync = async (id: string, folder: string, direction: "both" | "pull" | "push" = "both"): Promise<Synced> => {
  const workspace = await client.workspaces.get(id);
  return await syncFolder({ syla: client, server: server.url, folder, workspace, direction }, readState(folder, server.url));
};

function put(folder: string, files: Readonly<Record<string, string | null>>): void {
  for (const [path, content] of Object.entries(files)) {
    if (content === null) rmSync(join(folder, path));
    else {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
  }
}

async function change(id: string, files: Readonly<Record<string, string | null>>): Promise<void> {
  const changes = Object.entries(files).map(([path, content]) =>
    content === null ? ({ op: "delete", path } as const) : ({ op: "write", file: { path, content } } as const),
  );
  await client.workspaces.changeFiles(id, changes, "*");
}

function readFolder(folder: string, prefix = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(join(folder, prefix), { withFileTypes: true })) {
    const path = prefix + entry.name;
    if (entry.name === ".syla" || entry.isSymbolicLink()) continue;
    if (entry.isDirectory()) Object.assign(found, readFolder(folder, `${path}/`));
    else found[path] = readFileSync(join(folder, path), "utf8");
  }
  return found;
}

async function readWorkspace(id: string): Promise<Record<string, string>> {
  const { items } = await client.workspaces.files(id);
  const read = items.map(async ({ path, sha256 }) => [path, (await server.context.blobs.get(sha256)).toString()] as const);
  return Object.fromEntries(await Promise.all(read));
}

test("what either side has changed goes to the other, and what both have changed is put together", async () => {
  const folder = temporaryFolder();
  const id = await make("Both ways", { "a.txt": "1\n2\n3\n4\n5\n", "sub/b.txt": "b\n", "c.txt": "c\n" });
  expect((await sync(id, folder)).received).toEqual(["a.txt", "c.txt", "sub/b.txt"]);
  expect(await sync(id, folder)).toMatchObject({ sent: [], received: [], conflicts: [] });
  put(folder, { "a.txt": "one\n2\n3\n4\n5\n", "new.txt": "new\n", "c.txt": null });
  chmodSync(join(folder, "new.txt"), 0o755);
  await change(id, { "a.txt": "1\n2\n3\n4\nfive\n", "sub/b.txt": null, "sub/d.txt": "d\n" });
  expect(await sync(id, folder)).toMatchObject({
    sent: ["new.txt"],
    deletedThere: ["c.txt"],
    deletedHere: ["sub/b.txt"],
    merged: ["a.txt"],
    conflicts: [],
  });
  const files = { "a.txt": "one\n2\n3\n4\nfive\n", "new.txt": "new\n", "sub/d.txt": "d\n" };
  expect(readFolder(folder)).toEqual(files);
  expect(await readWorkspace(id)).toEqual(files);
  expect((await client.workspaces.files(id)).items.find(({ path }) => path === "new.txt")?.executable).toBe(true);
  put(folder, { "a.txt": null });
  await change(id, { "a.txt": "changed there\n", "new.txt": null });
  put(folder, { "new.txt": "changed here\n" });
  await sync(id, folder);
  expect(readFolder(folder)).toEqual({ "a.txt": "changed there\n", "new.txt": "changed here\n", "sub/d.txt": "d\n" });
  expect(await readWorkspace(id)).toEqual(readFolder(folder));
});

test("a conflict changes neither side, lies beside, and is over when that is deleted", async () => {
  const folder = temporaryFolder();
  const id = await make("In conflict", { "a.txt": "base\n", "b.txt": "b\n" });
  await sync(id, folder);
  put(folder, { "a.txt": "mine\n", "b.txt": "b2\n" });
  await change(id, { "a.txt": "theirs\n" });
  const cli = await runCli(["workspace", "sync", folder], { env });
  expect([cli.code, cli.stdout]).toEqual([65, "> b.txt\n! a.txt\n"]);
  expect(cli.stderr).toContain("sync_conflict");
  expect(readFolder(folder)).toEqual({ "a.txt": "mine\n", "a.txt.syla-theirs": "theirs\n", "b.txt": "b2\n" });
  expect(await readWorkspace(id)).toEqual({ "a.txt": "theirs\n", "b.txt": "b2\n" });
  expect((await sync(id, folder)).conflicts).toEqual(["a.txt"]);
  put(folder, { "a.txt": "mine and theirs\n", "a.txt.syla-theirs": null });
  expect(await sync(id, folder)).toMatchObject({ sent: ["a.txt"], conflicts: [] });
  expect(await readWorkspace(id)).toEqual({ "a.txt": "mine and theirs\n", "b.txt": "b2\n" });
});

test("what is ignored, cannot be read or leads elsewhere is neither sent nor taken away", async () => {
  const [folder, outside] = [temporaryFolder(), temporaryFolder()];
  const id = await make("Left out", { "dist/there.txt": "there\n", "linked/x.txt": "x\n", "a.txt": "a\n" });
  put(folder, { ".gitignore": "dist/\n*.log\n", "x.log": "log\n", "CASE.txt": "1\n", "case.txt": "2\n", "line\nbreak.txt": "3\n" });
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe])]), "no text");
  symlinkSync(outside, join(folder, "linked"));
  put(outside, { "secret.txt": "secret\n" });
  const synced = await sync(id, folder);
  expect(synced.skipped).toHaveLength(3);
  expect(synced.skipped.map(({ path }) => path)).toEqual(expect.arrayContaining(["case.txt", "linked", expect.stringContaining("\uFFFD")]));
  expect(await readWorkspace(id)).toEqual({
    "dist/there.txt": "there\n",
    "linked/x.txt": "x\n",
    "a.txt": "a\n",
    ".gitignore": "dist/\n*.log\n",
    "CASE.txt": "1\n",
    "line\nbreak.txt": "3\n",
  });
  expect(readdirSync(outside)).toEqual(["secret.txt"]);
  expect(existsSync(join(folder, "dist"))).toBe(false);
  expect(await sync(id, folder)).toMatchObject({ sent: [], received: [], deletedThere: [], deletedHere: [] });
  put(folder, { ".gitignore": "dist/\n*.log\na.txt\n" });
  await sync(id, folder);
  expect(await readWorkspace(id)).toMatchObject({ "a.txt": "a\n" });
});

test("one way alone leaves the other side as it is", async () => {
  const folder = temporaryFolder();
  const id = await make("One way", { "a.txt": "1\n", "b.txt": "1\n" });
  await sync(id, folder);
  put(folder, { "a.txt": "here\n" });
  await change(id, { "b.txt": "there\n" });
  expect(await sync(id, folder, "pull")).toMatchObject({ sent: [], received: ["b.txt"] });
  expect(await readWorkspace(id)).toEqual({ "a.txt": "1\n", "b.txt": "there\n" });
  await change(id, { "b.txt": "again\n" });
  expect(await sync(id, folder, "push")).toMatchObject({ sent: ["a.txt"], received: [] });
  put(folder, { "b.txt": "here too\n" });
  expect((await sync(id, folder, "push")).conflicts).toEqual(["b.txt"]);
  expect(await readWorkspace(id)).toEqual({ "a.txt": "here\n", "b.txt": "again\n" });
});

test("two folders and a workspace become the same, whatever is changed where, and no change is lost", async () => {
  const random = seededRandom(7);
  const folders = [temporaryFolder(), temporaryFolder()];
  const id = await make("Many changes", { "0.txt": "0\n", "1.txt": "1\n", "2/3.txt": "3\n" });
  const names = ["0.txt", "1.txt", "2/3.txt", "4.txt", "5/6/7.txt"];
  /** Brings all together; how many conflicts there were, which its people settle by taking both. */
  const settle = async () => {
    let count = 0;
    for (const folder of folders) {
      for (const path of (await sync(id, folder)).conflicts) {
        const mine = existsSync(join(folder, path)) ? readFileSync(join(folder, path), "utf8") : "";
        const theirs = readFileSync(join(folder, `${path}.syla-theirs`), "utf8");
        put(folder, { [path]: mine + theirs, [`${path}.syla-theirs`]: null });
        count += 1;
      }
    }
    return count;
  };
  let conflicts = await settle();
  for (let round = 0; round < 12; round += 1) {
    for (const place of [0, 1, 2]) {
      const path = names[Math.floor(random() * names.length)] ?? "";
      const content = random() < 0.2 ? null : `round ${round} place ${place}\n`;
      if (place === 2) {
        const isThere = (await client.workspaces.files(id)).items.some((file) => file.path === path);
        if (content !== null || isThere) await change(id, { [path]: content });
      } else if (content !== null || existsSync(join(folders[place] ?? "", path))) put(folders[place] ?? "", { [path]: content });
    }
    conflicts += await settle();
  }
  expect(conflicts).toBeGreaterThan(0);
  for (let quiet = 0, turns = 0; quiet < 2; turns += 1) {
    expect(turns).toBeLessThan(10);
    quiet = (await settle()) === 0 ? quiet + 1 : 0;
  }
  const files = await readWorkspace(id);
  for (const folder of folders) expect(readFolder(folder)).toEqual(files);
});

test("a folder with files belongs to no workspace until one is named, and to none that is deleted", async () => {
  const folder = temporaryFolder();
  const id = await make("In use", { "a.txt": "a\n" });
  const cli = (...words: string[]) => runCli(["workspace", ...words], { env });
  await cli("use", id);
  put(folder, { "private.txt": "mine\n" });
  const refused = await cli("sync", folder);
  expect([refused.code, refused.stderr]).toEqual([64, expect.stringContaining("--workspace In use")]);
  expect(await readWorkspace(id)).toEqual({ "a.txt": "a\n" });
  expect(readdirSync(folder)).toEqual(["private.txt"]);
  expect((await cli("sync", folder, "--workspace", id)).stdout).toBe("> private.txt\n< a.txt\n");
  expect((await cli("sync", folder)).stdout).toBe("Nothing differs.\n");
  const empty = temporaryFolder();
  expect((await cli("sync", empty)).code).toBe(0);
  await cli("delete", id);
  const gone = await cli("sync", folder);
  expect([gone.code, gone.stderr]).toEqual([65, expect.stringContaining("(workspace_deleted)")]);
});

test("it goes on while both sides change, and ends when told", async () => {
  const folder = temporaryFolder();
  const id = await make("Watched", { "a.txt": "a\n" });
  let isChanged = false;
  const result = await runCli(["workspace", "sync", folder, "--workspace", id, "--watch"], {
    env,
    onOutput: (kill, stdout) => {
      if (stdout.includes("< a.txt") && !isChanged) {
        isChanged = true;
        put(folder, { "here.txt": "here\n" });
      }
      if (stdout.includes("> here.txt") && !stdout.includes("< there.txt")) void change(id, { "there.txt": "there\n" });
      if (stdout.includes("< there.txt")) kill("SIGINT");
    },
  });
  expect(result.code).toBe(0);
  expect(await readWorkspace(id)).toMatchObject({ "here.txt": "here\n", "there.txt": "there\n" });
  expect(statSync(join(folder, ".syla/workspace.json")).isFile()).toBe(true);
});

test("a link lets somebody in", async () => {
  const id = await make("Joined", { "a.txt": "a\n" });
  const link = await runCli(["workspace", "share", id, "--link", "--level", "edit"], { env });
  const joined = await runCli(["workspace", "join", link.stdout.trim()], { env });
  expect([joined.stderr, joined.stdout, joined.code]).toEqual(["", expect.stringContaining(`${id}\tJoined\t`), 0]);
  expect(JSON.parse((await runCli(["workspace", "info", "--json"], { env })).stdout)).toMatchObject({ id });
});
