import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli, temporaryFolder } from "./run-cli.ts";

let server: TestServer;
let env: Record<string, string>;

beforeAll(async () => {
  server = await startTestServer();
  env = { SYLA_URL: server.url, SYLA_API_KEY: server.localKey, SYLA_HOME: mkdtempSync(join(tmpdir(), "syla-cli-home-")) };
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(env["SYLA_HOME"] ?? "", { recursive: true, force: true });
});

const syla = (args: readonly string[], cwd?: string) => runCli(args, { env, ...(cwd === undefined ? {} : { cwd }) });
const workspace = (...args: string[]) => syla(["workspace", ...args]);
const document = async (...args: string[]) => JSON.parse((await workspace(...args, "--json")).stdout) as Record<string, unknown>;

test("a workspace is made of a folder, used, run in, kept in versions and put back", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "sub"));
  writeFileSync(join(folder, "count.sh"), "echo x >> lines.txt; cat lines.txt\n");
  writeFileSync(join(folder, "sub/data.txt"), "1\n");
  const made = await workspace("create", "Bench", folder);
  const id = made.stdout.trim();
  expect([made.code, id]).toEqual([0, expect.stringMatching(/^wsp_/)]);
  expect((await workspace("list")).stdout).toContain(`${id}\tBench\tpersistent\tactive\t2\t`);

  const missing = await workspace("info");
  expect([missing.code, missing.stderr]).toEqual([64, expect.stringContaining("No workspace is in use here")]);
  expect((await workspace("use", "bench")).stdout.trim()).toBe(id);
  expect(await document("info")).toMatchObject({ id, name: "Bench", tree: { files: 2 } });

  const first = await syla(["exec", "--workspace", ".", "count.sh"]);
  expect([first.stderr, first.stdout, first.code]).toEqual(["", "x\n", 0]);
  expect((await syla(["exec", "-w", "Bench", "--no-write-back", "count.sh"])).stdout).toBe("x\nx\n");
  expect((await syla(["exec", "-w", id, "count.sh"])).stdout).toBe("x\nx\n");
  const script = join(folder, "other.sh");
  writeFileSync(script, "cat sub/data.txt; rm sub/data.txt\n");
  expect((await syla(["exec", "-w", ".", script])).stdout).toBe("1\n");
  expect(await document("info")).toMatchObject({ tree: { files: 2 } });

  expect((await workspace("snapshot", "-m", "two lines")).stdout).toBe("4\n");
  expect((await workspace("diff", "--from", "1")).stdout).toContain("lines.txt");
  expect((await workspace("versions")).stdout).toContain("two lines");
  expect((await workspace("restore", ".", "1")).code).toBe(0);
  expect(await document("info")).toMatchObject({ tree: { files: 2 }, version: 4 });
});

test("a workspace is copied, packed, filled, laid aside, deleted and restored", async () => {
  const folder = temporaryFolder();
  const id = (await workspace("create", "Origin", "--kind", "session")).stdout.trim();
  writeFileSync(join(folder, "a.txt"), "a\n");
  expect((await workspace("import", folder, id)).stdout).toContain("1 files");
  const archive = join(folder, "out.zip");
  expect((await workspace("export", id, "-o", archive)).stdout.trim()).toBe(archive);
  expect(readFileSync(archive).subarray(0, 2).toString()).toBe("PK");
  expect((await syla(["workspace", "export", id, "--format", "tar"], folder)).stdout).toBe("Origin.tar\n");
  expect(existsSync(join(folder, "Origin.tar"))).toBe(true);
  const copy = await document("clone", id, "--name", "Copy", "--kind", "persistent");
  expect(copy).toMatchObject({ name: "Copy", kind: "persistent", clonedFrom: { id } });
  writeFileSync(join(folder, "b.txt"), "b\n");
  await workspace("import", folder, "Copy");
  const [before] = (await document("versions", "Copy"))["items"] as object[];
  expect(before).toMatchObject({ number: 1, cause: "before_import", tree: { files: 1 } });
  expect((await workspace("import", archive, "Copy", "--replace")).stdout).toContain("1 files");
  expect((await workspace("suspend", "Copy")).stdout).toBe("Copy is suspended.\n");
  expect((await workspace("resume", "Copy")).stdout).toBe("Copy is active.\n");
  expect((await workspace("archive", "Copy")).stdout).toBe("Copy is archived.\n");
  expect((await workspace("import", folder, "Copy")).stderr).toContain("workspace_archived");
  expect((await workspace("delete", "Copy")).code).toBe(0);
  expect((await workspace("info", "Copy")).code).toBe(64);
  expect((await workspace("restore", "Copy")).stdout).toBe("Copy is restored.\n");
  expect((await workspace("share", id, "--with", "somebody@example.org", "--level", "edit")).code).toBe(0);
  expect((await workspace("members", id)).stdout).toContain("somebody@example.org\tedit");
  expect((await workspace("unshare", id, "somebody@example.org")).code).toBe(0);
  expect((await workspace("members", id)).stdout).not.toContain("somebody@example.org");
});
