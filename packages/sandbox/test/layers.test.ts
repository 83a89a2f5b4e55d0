import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { NamespaceTier } from "../src/namespace-tier.ts";
import { bash, createTier, python, runIn, type TestTier, type Wish } from "./sandbox-driver.ts";

/** Built dependencies in a sandbox: found by the interpreters that run there, changed by nobody. */

const layers = mkdtempSync(join(tmpdir(), "syla-layers-"));
const [mine, other] = ["mine-3f2a", "other-77c1"];
const version = "3.11";
let kept: TestTier;
let tier: NamespaceTier;

function put(path: string, content: string, mode = 0o644): void {
  const target = join(layers, path);
  mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
  writeFileSync(target, content, { mode });
}

/** An environment as the builder leaves it. */
function makeEnvironment(name: string): void {
  const packages = `${name}/lib/python${version}/site-packages`;
  put(`${name}/pyvenv.cfg`, "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n");
  put(`${packages}/greeting/__init__.py`, `TEXT = "hello from ${name}"\n`);
  put(`${packages}/extra.pth`, "import sys; sys.was_here = True\n");
  put(`${name}/bin/greet`, "#!/bin/sh\necho a script of the environment\n", 0o755);
  put(`${name}/node_modules/greeting/index.js`, `module.exports = "hello from ${name}";\n`);
  symlinkSync("/usr/bin/python3", join(layers, name, "bin/python"));
}

/** A run that has the environment `mine`. */
function withLayer(wish: Wish = {}): Wish {
  const prefix = `/layers/${mine}`;
  const runtime = { ...python, command: [`${prefix}/bin/python`, "{entrypoint}"], prefix };
  return { runtime, ...wish, env: { PATH: `${prefix}/bin:/usr/bin:/bin`, VIRTUAL_ENV: prefix, ...wish.env } };
}

beforeAll(async () => {
  makeEnvironment(mine);
  makeEnvironment(other);
  chmodSync(layers, 0o311);
  kept = createTier({ layers });
  tier = kept.tier;
});

afterAll(async () => {
  await kept[Symbol.asyncDispose]();
  chmodSync(layers, 0o700);
  rmSync(layers, { recursive: true, force: true });
});

test("a Python program finds what is installed there, and the scripts", async () => {
  const code = `import greeting, subprocess, sys
print(greeting.TEXT, sys.was_here, flush=True)
subprocess.run(["greet"])
subprocess.run([sys.executable, "-c", "import greeting; print('again', greeting.TEXT)"])`;
  const { out, err } = await runIn(tier, python, code, withLayer());
  expect(err).toBe("");
  expect(out).toBe(`hello from ${mine} True\na script of the environment\nagain hello from ${mine}\n`);
});

test("the forked interpreter cannot be told from the environment's own", async () => {
  const facts = `import json, os, site, sys, sysconfig
print(json.dumps([sys.prefix, sys.exec_prefix, sys.base_prefix, sys.executable, sys._base_executable, sys.path, sys.argv, sys.orig_argv, site.PREFIXES,
  site.getsitepackages(), site.ENABLE_USER_SITE, sysconfig.get_paths(), sys.flags[:], dict(os.environ)]))`;
  const forked = await runIn(tier, python, facts, withLayer({ args: ["x"] }));
  // A variable that is read at boot: the program gets an interpreter of its own.
  const booted = await runIn(tier, python, facts, withLayer({ args: ["x"], env: { PYTHONNODEBUGRANGES: "" } }));
  const [ours, real] = [forked, booted].map(({ out }) =>
    out.replace('"PYTHONNODEBUGRANGES": "", ', "").replace(', "PYTHONNODEBUGRANGES": ""', ""),
  );
  expect(JSON.parse(ours ?? "")).toEqual(JSON.parse(real ?? ""));
});

test("a program without an environment, in the same jail, sees nothing of one", async () => {
  const code = `import sys
print(sys.prefix, any("layers" in path for path in sys.path))
try:
    import greeting
except ImportError as error:
    print(error)`;
  const { out } = await runIn(tier, python, code);
  expect(out).toBe("/usr False\nNo module named 'greeting'\n");
});

test("an environment that is made while a jail is up is there for its next run", async () => {
  makeEnvironment("late-1234");
  const prefix = "/layers/late-1234";
  const runtime = { ...python, command: [`${prefix}/bin/python`, "{entrypoint}"], prefix };
  const { out } = await runIn(tier, python, "import greeting; print(greeting.TEXT)", { runtime });
  expect(out).toBe("hello from late-1234\n");
});

test("a link in the workspace leads into it", async () => {
  const files = [{ path: "node_modules", link: `/layers/${mine}/node_modules` }];
  const { out } = await runIn(tier, bash, "cat node_modules/greeting/index.js; ls -l", { files: files as never });
  expect(out).toContain(`hello from ${mine}`);
});

const attacks: readonly (readonly [what: string, script: string])[] = [
  ["list the environments of others", "ls /layers && echo GOT IN"],
  ["find them by what the shell expands", "cat /layers/*/pyvenv.cfg && echo GOT IN"],
  ["write into a file", `echo evil >> /layers/${mine}/pyvenv.cfg && echo GOT IN`],
  ["add a file", `echo evil > /layers/${mine}/lib/python${version}/site-packages/os.py && echo GOT IN`],
  ["make a file in the folder of all", "echo evil > /layers/evil && echo GOT IN"],
  ["remove one", `rm -rf /layers/${mine} ; [ -e /layers/${mine}/pyvenv.cfg ] || echo GOT IN`],
  ["swap a link", `ln -sfn /tmp /layers/${mine}/bin/python && echo GOT IN`],
  ["rename it away", `mv /layers/${mine} /layers/away && echo GOT IN`],
  ["open its folder for listing", "chmod 777 /layers && echo GOT IN"],
  ["mount it anew", "mount -o remount,rw /layers && echo GOT IN"],
  [
    "change it through another process's root",
    `for root in /proc/[0-9]*/root; do echo evil >> $root/layers/${mine}/pyvenv.cfg && echo GOT IN; done`,
  ],
  ["change its times", `touch /layers/${mine}/pyvenv.cfg && echo GOT IN`],
  ["link it into the workspace and write", `ln /layers/${mine}/pyvenv.cfg mine && echo evil >> mine && echo GOT IN`],
];

test.each(attacks)("a program cannot %s", async (_what, script) => {
  const file = join(layers, mine, "pyvenv.cfg");
  const before = [readFileSync(file, "utf8"), statSync(file).mtimeMs, statSync(layers).mode];
  const { out } = await runIn(tier, bash, script);
  expect(out).not.toContain("GOT IN");
  expect([readFileSync(file, "utf8"), statSync(file).mtimeMs, statSync(layers).mode]).toEqual(before);
});
