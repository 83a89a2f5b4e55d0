import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cliEntry, runCli } from "./run-cli.ts";

let server: TestServer;
let folder: string;
let env: Record<string, string>;
let script: string;

beforeAll(async () => {
  server = await startTestServer();
  folder = mkdtempSync(join(tmpdir(), "syla-completion-"));
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin/syla"), `#!/bin/sh\nexec ${process.execPath} ${cliEntry} "$@"\n`);
  writeFileSync(join(folder, "bin/syla-extra"), "#!/bin/sh\n");
  for (const name of ["syla", "syla-extra"]) chmodSync(join(folder, "bin", name), 0o755);
  const profiles = { work: { url: server.url, apiKey: server.localKey }, wrong: { url: "http://127.0.0.1:1", apiKey: "k" } };
  mkdirSync(join(folder, "home"));
  writeFileSync(join(folder, "home/config.json"), JSON.stringify({ profile: "work", profiles }));
  env = { SYLA_HOME: join(folder, "home"), PATH: `${folder}/bin:/usr/bin:/bin` };
  script = (await runCli(["completion", "bash"], { env })).stdout;
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** What bash offers for the last of these words. */
async function complete(...words: string[]): Promise<string[]> {
  const list = words.map((word) => `'${word}'`).join(" ");
  const ask = `${script}\nCOMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _syla; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await promisify(execFile)("bash", ["-c", ask], { env: { ...env, HOME: folder }, cwd: folder });
  return stdout.trim().split("\n");
}

test("names of things are completed as well as words", async () => {
  const made = await runCli(["exec", "-d", "-l", "python", "-"], { env, stdin: "print(1)\n" });
  const run = made.stdout.trim();
  expect(await complete("syla", "logs", "run_")).toContain(run);
  expect(await complete("syla", "runs", "show", run.slice(0, 8))).toContain(run);
  await runCli(["workspace", "create", "bench"], { env });
  await runCli(["workspace", "create", "with a space"], { env });
  expect(await complete("syla", "exec", "--workspace", "be")).toEqual(["bench"]);
  expect(await complete("syla", "workspace", "info", "")).toEqual(expect.arrayContaining(["bench", expect.stringMatching(/^w\w+_/)]));
  expect(await complete("syla", "exec", "-l", "py")).toContain("python");
  expect(await complete("syla", "new", "x", "--template", "hel")).toEqual(["hello"]);
  await runCli(["runs", "wait", run], { env });
});

test("profiles, choices and plugins are completed without a server; where nothing is known files are offered", async () => {
  expect(await complete("syla", "runs", "list", "--profile", "")).toEqual(["local", "work", "wrong"]);
  expect(await complete("syla", "exec", "--network", "ga")).toEqual(["gateway"]);
  expect(await complete("syla", "completion", "")).toEqual(expect.arrayContaining(["bash", "zsh", "fish"]));
  expect(await complete("syla", "ext")).toEqual(["extra"]);
  expect(await complete("syla", "exec", "bi")).toEqual(["bin"]);
  // a server that does not answer is no reason to wait or to complain
  expect(await complete("syla", "logs", "--profile", "wrong", "hom")).toEqual(["home"]);
});

test("a command for scripts offers words that a shell takes as they are, and nothing when there is nothing", async () => {
  expect((await runCli(["complete-values", "workspaces"], { env })).stdout).not.toContain("with a");
  const away = await runCli(["complete-values", "runs"], { env: { SYLA_HOME: folder } });
  expect(away).toMatchObject({ code: 0, stdout: "", stderr: "" });
  expect((await runCli(["--help"], { env })).stdout).not.toContain("complete-values");
});

test("fish asks for the same", async () => {
  const fish = (await runCli(["completion", "fish"], { env })).stdout;
  expect(fish).toContain("-l profile -r -f -a '(syla complete-values profiles 2>/dev/null)'");
  expect(fish).toContain("complete -c syla -f -n '__fish_use_subcommand' -a extra");
});
