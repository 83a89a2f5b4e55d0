import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startTestGitServer, type TestGitServer } from "@syla/testkit/git-server";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli, temporaryFolder } from "./run-cli.ts";

let git: TestGitServer;
let server: TestServer;
let env: Record<string, string>;

beforeAll(async () => {
  git = await startTestGitServer();
  server = await startTestServer({ SYLA_NETWORK_ALLOW_PRIVATE: new URL(git.url).host });
  env = { SYLA_URL: server.url, SYLA_API_KEY: server.localKey, SYLA_HOME: mkdtempSync(join(tmpdir(), "syla-cli-home-")) };
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await git[Symbol.asyncDispose]();
  rmSync(env["SYLA_HOME"] ?? "", { recursive: true, force: true });
});

const workspace = (...args: string[]) => runCli(["workspace", ...args], { env });
const mirror = (...args: string[]) => workspace("mirror", ...args);

test("a workspace follows a repository, says how that goes, and follows it no more", async () => {
  const url = `${git.url}/tools.git`;
  const [first] = git.create("tools", [{ files: { "a.txt": "a\n", "jobs/b.txt": "b\n" } }]);
  const id = (await workspace("create", "Tools")).stdout.trim();
  expect((await mirror(id)).stdout).toBe("The workspace follows no repository.\n");
  expect((await mirror(id, "--json")).stdout).toBe("null\n");
  const set = await mirror("Tools", url, "--path", "jobs", "--every", "30");
  expect([set.code, set.stderr]).toEqual([0, ""]);
  expect(set.stdout).toMatch(new RegExp(`^repository +${url}\nref +its default branch\nfolder +jobs\nevery +30 min\n`));
  expect(set.stdout).toMatch(new RegExp(`\nstate +following\ncommit +${first}\n`));
  expect(JSON.parse((await mirror("Tools", "--json")).stdout)).toMatchObject({ url, path: "jobs", everyMinutes: 30, state: "following" });

  // Both have changed the same.
  const folder = temporaryFolder();
  writeFileSync(join(folder, "b.txt"), "here\n");
  await workspace("import", folder, id);
  const work = temporaryFolder();
  const run = (...words: string[]) =>
    execFileSync("git", ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-C", work, ...words], { stdio: "pipe" });
  run("clone", "--quiet", git.folder("tools"), ".");
  writeFileSync(join(work, "jobs/b.txt"), "there\n");
  run("commit", "--quiet", "--all", "--message", "more");
  run("push", "--quiet", "origin", "main");
  const diverged = await mirror(id, "--fetch");
  expect([diverged.code, diverged.stderr]).toEqual([65, expect.stringContaining("workspace_conflict")]);
  expect(diverged.stderr).toContain("--fetch --take mine or theirs");
  expect(diverged.stdout).toMatch(/\nstate +diverged\n[^]*\nchanged twice +b\.txt\n$/);
  expect((await mirror(id, "--fetch", "--take", "theirs")).code).toBe(0);
  const out = temporaryFolder();
  await workspace("export", id, "--format", "tar", "-o", join(out, "out.tar"));
  expect(execFileSync("tar", ["-xOf", join(out, "out.tar"), "b.txt"]).toString()).toBe("there\n");

  git.behaviour.status = 500;
  expect((await mirror(id, "--fetch")).code).toBe(69);
  delete git.behaviour.status;
  expect([(await mirror(id, "--end")).code, (await mirror(id)).stdout]).toEqual([0, "The workspace follows no repository.\n"]);
  expect((await mirror(id, "--end")).stderr).toContain("The workspace follows no repository.");
}, 120_000);

test("what makes no sense is told before anything is asked", async () => {
  const id = (await workspace("create", "Nonsense")).stdout.trim();
  for (const args of [
    ["a/b", "--fetch"],
    ["--fetch", "--end"],
    ["--take", "mine"],
    ["a/b", "--every", "often"],
    ["--take", "both", "--fetch"],
  ])
    expect([args, (await mirror(id, ...args)).code]).toEqual([args, 64]);
  const often = await mirror(id, "a/b", "--every", "1");
  expect([often.code, often.stderr]).toEqual([65, expect.stringContaining("everyMinutes")]);
  expect((await mirror(id, "file:///etc")).stderr).toContain("git_url_invalid");
  expect((await mirror(id)).stdout).toBe("The workspace follows no repository.\n");
}, 60_000);

test("the commands of the how-to do what it says", async () => {
  const url = `${git.url}/how-to.git`;
  git.create("how-to", [{ files: { "jobs/a.txt": "a\n", "b.txt": "b\n" } }]);
  const text = readFileSync(join(import.meta.dirname, "../../../docs/how-to/mirror-a-git-repository.md"), "utf8");
  const [commands = "", requests = ""] = [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block = ""]) =>
    block.replaceAll("https://git.example.org/team/tools.git", url),
  );
  const lines = commands.trim().split("\n");
  expect(lines.length).toBeGreaterThan(4);
  const outputs: string[] = [];
  for (const line of lines) {
    const [program, ...args] = line.replace(/ +#.*$/, "").split(" ");
    expect(program).toBe("./syla");
    const ended = await runCli(args, { env });
    expect([line, ended.code, ended.stderr]).toEqual([line, 0, ""]);
    outputs.push(ended.stdout);
  }
  expect(outputs.map((output) => /^state +(\w+)$/m.exec(output)?.[1])).toEqual([
    undefined,
    "following",
    "following",
    "following",
    undefined,
  ]);
  const id = (await workspace("create", "Over HTTP")).stdout.trim();
  const script = requests.replaceAll("wsp_…", id).replaceAll(/^curl /gm, "curl --fail-with-body ");
  const { stdout } = await promisify(execFile)("bash", ["-eu", "-c", script], { env: { PATH: process.env["PATH"], ...env } });
  expect(stdout.match(/"state":"following"/g)).toHaveLength(2);
}, 120_000);
