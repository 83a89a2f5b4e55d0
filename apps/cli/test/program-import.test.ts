import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startTestGitServer, type TestGitServer } from "@syla/testkit/git-server";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli, temporaryFolder } from "./run-cli.ts";

let server: TestServer;
let git: TestGitServer;
beforeAll(async () => {
  git = await startTestGitServer();
  server = await startTestServer({ SYLA_NETWORK_ALLOW_PRIVATE: new URL(git.url).host });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await git[Symbol.asyncDispose]();
});

const env = () => ({ SYLA_URL: server.url, SYLA_API_KEY: server.localKey });
const syla = (...args: string[]) => runCli(args, { env: env() });

function makeFolder(): string {
  const folder = join(temporaryFolder(), "my-app");
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  writeFileSync(join(folder, "main.py"), "print('from the command line')\n");
  writeFileSync(join(folder, ".env"), "KEY=value");
  writeFileSync(join(folder, "node_modules", "x.js"), "x");
  return folder;
}

describe("syla program import", () => {
  test("takes a folder, an archive and a template, and replaces what is there", async () => {
    const folder = makeFolder();
    const made = await syla("program", "import", folder, "--yes", "--json", "--publish", "1.0.0");
    expect(made).toMatchObject({ code: 0 });
    const asset = JSON.parse(made.stdout) as { id: string; tree: { files: number } };
    expect(asset).toMatchObject({
      name: "my-app",
      version: "1.0.0",
      tree: { files: 1 },
      config: { runtime: "python", entrypoint: "main.py" },
    });

    const archive = join(temporaryFolder(), "packed.tar.gz");
    execFileSync("tar", ["-czf", archive, "-C", join(folder, ".."), "my-app/main.py"]);
    const again = await syla("program", "import", archive, "--into", asset.id, "--yes");
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining(asset.id) as string });

    const template = await syla("program", "import", "template:hello", "--name", "Greeting", "--yes");
    expect(template).toMatchObject({ code: 0, stdout: expect.stringMatching(/^prog_\S+ {2}Greeting\n$/) as string });
    expect((await syla("program", "templates")).stdout).toContain("template:data-analysis\t-\tpython\t");
  });

  test("reads a private repository with a stored credential, and again without being told", async () => {
    git.create("private", [{ files: { "main.py": "print(1)" } }]);
    git.behaviour.token = "token-of-the-command-line";
    const url = `${git.url}/private.git`;
    const words = ["credential", "create", "my git", "--kind", "git", "--host", git.url];
    expect(await runCli(words, { env: env(), stdin: "token-of-the-command-line\n" })).toMatchObject({ code: 0 });
    const denied = await syla("program", "import", url, "--yes");
    expect([denied.code === 0, denied.stderr]).toEqual([false, expect.stringMatching(/repository/) as string]);
    const made = await syla("program", "import", url, "--credential", "my git", "--yes", "--json");
    const { id, importSource } = JSON.parse(made.stdout) as { id: string; importSource: object };
    expect(importSource).toMatchObject({ kind: "git", url, ref: "main" });
    expect(await syla("program", "import", "--into", id, "--yes")).toMatchObject({ code: 0 });
    expect((await syla("program", "import", "--into", id, "--credential", "none", "--yes")).code).not.toBe(0);
    expect((await syla("credential", "list")).stdout).toContain(`git\t${git.url}\t`);
  });

  test("without --yes shows what would be made, and leaves it to be confirmed", async () => {
    const shown = await syla("program", "import", makeFolder());
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/entrypoint +main\.py/);
    expect(shown.stderr).toMatch(/left out: \.env .*\n.*nothing was made yet: imp_/s);
  });

  test.each([
    [["./no-such-folder"], 64, /There is no file or folder/],
    [["template:none"], 66, /no template/],
    [["not an address"], 65, /no address of a git repository/],
    [["owner/name", "--credential", "none of mine"], 65, /no credential "none of mine"/],
    [["template:hello", "--model", "none"], 66, /no such model/],
    [[], 64, /What is to be imported/],
  ])("says what is wrong with %j", async (args, _code, message) => {
    const result = await syla("program", "import", ...args, "--yes");
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(message);
  });
});

describe("syla server storage", () => {
  test("checks, repairs and collects what is stored", async () => {
    expect(JSON.parse((await syla("server", "storage", "status", "--json")).stdout)).toMatchObject({ store: "local" });
    expect((await syla("server", "storage", "check")).stdout).toMatch(/^Looked at \d+ blobs, .*: all are whole\.\n$/);
    const sha256 = (
      (await (
        await server.fetch("/api/v1/blobs", {
          method: "POST",
          body: new Uint8Array(100_000),
          headers: { "content-type": "application/octet-stream" },
        })
      ).json()) as { sha256: string }
    ).sha256;
    writeFileSync(join(server.dataDir, "blobs", "sha256", sha256.slice(0, 2), sha256), "spoilt");
    const damaged = await syla("server", "storage", "check");
    expect([damaged.code, damaged.stdout]).toEqual([
      65,
      expect.stringMatching(new RegExp(`${sha256}\tdamaged\tfound\tan upload of user_`)) as string,
    ]);
    expect((await syla("server", "storage", "repair")).stdout).toContain("quarantined");
    expect((await syla("server", "storage", "collect")).stdout).toMatch(/were deleted/);
    expect((await syla("server", "storage", "measure")).stdout).toMatch(/^\d+ blobs, .*storage status/);
    expect((await syla("server", "storage", "status")).stdout).toMatch(/ in \d+ blobs, measured /);
    expect((await syla("server", "storage", "copy")).stderr).toContain("SYLA_S3_");
    expect((await syla("server", "storage", "stop")).stderr).toContain("No job is running");
  });
});
