import { execFileSync, spawn, type SpawnSyncReturns, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isNewer } from "../src/npm/newest-version.ts";
import { startFakeSyla, pointAt } from "./fake-syla.ts";
import { runCli, temporaryFolder } from "./run-cli.ts";

const root = new URL("../../..", import.meta.url).pathname;
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
const path = `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;

let folder: string;
let syla: string;
/** How install.sh ended. */
let installation: SpawnSyncReturns<string>;

/** The package, made and installed as a person does it, in a home of its own. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "syla-package-"));
  const archive = execFileSync(process.execPath, [join(root, "tools/package-cli.mjs"), folder], { encoding: "utf8" }).trim();
  const env = { PATH: path, HOME: folder, npm_config_prefix: join(folder, "prefix"), npm_config_cache: join(folder, "cache") };
  mkdirSync(join(folder, "prefix/lib/node_modules"), { recursive: true });
  installation = spawnSync("sh", [join(root, "install.sh"), archive], { env, encoding: "utf8" });
  syla = join(folder, "prefix/bin/syla");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the installed command. */
function run(words: readonly string[], env: Readonly<Record<string, string>> = {}, cwd = folder) {
  return spawnSync(syla, words, { env: { PATH: path, HOME: folder, SYLA_HOME: join(folder, "home"), ...env }, cwd, encoding: "utf8" });
}

test("install.sh installs the package, and says what to put into the PATH", () => {
  expect([installation.status, installation.stderr]).toEqual([0, expect.stringContaining(`syla ${version} is installed`)]);
  expect(installation.stderr).toContain(`export PATH="${join(folder, "prefix/bin")}:$PATH"`);
  expect(run(["--version"]).stdout).toBe(`${version}\n`);
  expect(run(["exec", "--help"]).stdout).toContain("Usage: syla exec");
  expect(existsSync(join(folder, "prefix/share/man/man1/syla.1"))).toBe(true);
  expect(readFileSync(join(root, "install.sh"), "utf8")).not.toMatch(/https?:|curl|wget/);
});

test("install.sh goes below the home folder where the global one is not ours, and says what is missing", () => {
  const old = temporaryFolder();
  writeFileSync(join(old, "node"), '#!/bin/sh\n[ "$1" = --version ] && echo v18.0.0 && exit\nexit 1\n');
  chmodSync(join(old, "node"), 0o755);
  const start = (PATH: string) => spawnSync("/bin/sh", [join(root, "install.sh"), "x"], { env: { PATH, HOME: old }, encoding: "utf8" });
  expect(start(old)).toMatchObject({ status: 69, stderr: expect.stringContaining("this is v18.0.0") });
  expect(start(temporaryFolder())).toMatchObject({ status: 69, stderr: expect.stringContaining("Node is not installed") });
});

test("the installed command line runs programs on a server, and says that it has none of its own", async () => {
  const fake = await startFakeSyla({ output: [["stdout", "from afar\n"]] });
  const place = temporaryFolder();
  writeFileSync(join(place, "main.py"), "print(1)\n");
  const { promise, resolve } = Promise.withResolvers<{ code: number | null; stdout: string }>();
  const child = spawn(syla, ["exec", "main.py"], {
    env: { PATH: path, HOME: folder, ...pointAt(fake) },
    cwd: place,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let stdout = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.on("close", (code) => resolve({ code, stdout }));
  expect(await promise).toEqual({ code: 0, stdout: "from afar\n" });
  expect(run(["up"])).toMatchObject({ status: 69, stderr: expect.stringContaining("(server_missing)") });
});

/** A npm of our own, first in the PATH. */
function fakeNpm(script: string): Record<string, string> {
  const place = temporaryFolder();
  writeFileSync(join(place, "npm"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(place, "npm"), 0o755);
  return { PATH: `${place}:${path}` };
}

test("upgrade asks npm for the package by its name, and says how to get what is newer", () => {
  const newer = fakeNpm(`echo "$@" > ${folder}/words; echo '"99.0.0"'`);
  expect(run(["upgrade", "--check"], newer)).toMatchObject({
    status: 1,
    stdout: expect.stringContaining("npm install --global @syla/cli@99.0.0"),
  });
  expect(readFileSync(join(folder, "words"), "utf8")).toMatch(/^view @syla\/cli version --json /);
  expect(run(["upgrade"], newer).status).toBe(0);
  const same = run(["upgrade", "--check", "--json"], fakeNpm(`echo '"${version}"'`));
  expect([same.status, JSON.parse(same.stdout)]).toMatchObject([0, { version, newest: version, isNewer: false }]);
});

test("without a connection, or where npm knows no such package, that is said", () => {
  const offline = run(
    ["upgrade", "--check"],
    fakeNpm(`echo '{"error":{"code":"ENOTFOUND","summary":"to registry.example"}}'; echo registry.example >&2; exit 1`),
  );
  expect(offline).toMatchObject({ status: 69, stderr: expect.stringContaining("npm says ENOTFOUND") });
  expect(offline.stderr).not.toContain("registry.example");
  const unknown = run(["upgrade", "--check"], fakeNpm(`echo '{"error":{"code":"E404"}}'; exit 1`));
  expect(unknown).toMatchObject({ status: 0, stdout: expect.stringContaining("npm knows no package @syla/cli") });
  const silent = run(["upgrade", "--json"], fakeNpm("exit 1"));
  expect([silent.status, JSON.parse(silent.stdout)]).toMatchObject([69, { error: { code: "registry_unreachable" } }]);
});

test("a checkout is upgraded by git", async () => {
  expect(await runCli(["upgrade", "--check"])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/from a checkout.* git -C .* pull\n/),
  });
});

test.each([
  ["1.0.1", "1.0.0", true],
  ["1.0.0", "1.0.0", false],
  ["0.9.9", "1.0.0", false],
  ["1.10.0", "1.9.0", true],
  ["1.0.0", "1.0.0-rc.1", true],
  ["1.0.0-rc.1", "1.0.0", false],
  ["1.0.0-rc.10", "1.0.0-rc.9", true],
])("%s is newer than %s: %s", (one, other, newer) => {
  expect(isNewer(one, other)).toBe(newer);
});
