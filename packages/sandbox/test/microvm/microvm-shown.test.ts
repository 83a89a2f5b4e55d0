import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findTestGuest } from "@syla/testkit/guest";
import { collect, mebibyte, node, python, specOf, type Wish } from "../sandbox-driver.ts";
import { evaluate, openSession, shell, valueOf } from "../session-driver.ts";
import type { InputFile, RuntimeSpec } from "../../src/spec.ts";
import { createMachines, type TestMachines } from "./machines.ts";

/** What machines are shown on drives: toolchains, which a machine has from its start, and built packages, which come with each run. */

const { image, reason } = findTestGuest();
if (image === null) process.stdout.write(`\nno machine is booted: ${reason}\n`);
const layers = mkdtempSync(join(tmpdir(), "syla-layers-"));
const names = ["3f2a".repeat(10), "77c1".repeat(10)] as const;

function put(path: string, content: string, mode = 0o644): void {
  const target = join(layers, path);
  mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
  writeFileSync(target, content, { mode });
}

/** An environment as the builder leaves it. */
function makeEnvironment(name: string): void {
  put(`${name}/pyvenv.cfg`, "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n");
  put(`${name}/lib/python3.11/site-packages/greeting/__init__.py`, `TEXT = "hello from ${name}"\n`);
  put(`${name}/node_modules/greeting/index.js`, `module.exports = "hello from ${name}";\n`);
  put(`${name}/bin/greet`, "#!/bin/sh\necho a script of the environment\n", 0o755);
  symlinkSync("/usr/bin/python3", join(layers, name, "bin/python"));
}

describe.skipIf(image === null)("a machine is shown", () => {
  let stage: TestMachines;
  beforeAll(() => {
    for (const name of names) makeEnvironment(name);
    chmodSync(layers, 0o311);
    if (image !== null) stage = createMachines(image, { layers });
  });
  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
    chmodSync(layers, 0o700);
    rmSync(layers, { recursive: true, force: true });
  });
  const run = async (runtime: RuntimeSpec, code: string, wish: Wish = {}) => collect(await stage.tier.start(specOf(runtime, code, wish)));
  const withLayer = (name: string): [RuntimeSpec, Wish] => {
    const prefix = `/layers/${name}`;
    const runtime = { ...python, command: [`${prefix}/bin/python`, "{entrypoint}"], prefix };
    return [runtime, { layers: [name], env: { PATH: `${prefix}/bin:/usr/bin:/bin`, VIRTUAL_ENV: prefix } }];
  };

  test("the packages of a program, and those of no other one", async () => {
    const code = `
import greeting, os, subprocess, sys
print(greeting.TEXT, flush=True)
subprocess.run(["greet"])
for path in (f"/layers/${names[1]}/bin/greet", "/layers/other"): print(os.path.exists(path))
try: open(greeting.__file__, "a")
except OSError as error: print(error.strerror)
`;
    const [runtime, wish] = withLayer(names[0]);
    const result = await run(runtime, code, wish);
    expect([result.err, result.out]).toEqual([
      "",
      `hello from ${names[0]}\na script of the environment\nFalse\nFalse\nRead-only file system\n`,
    ]);
    // The same kind of machine, with other packages on its drives.
    const [other, otherWish] = withLayer(names[1]);
    expect((await run(other, "import greeting; print(greeting.TEXT)", otherWish)).out).toBe(`hello from ${names[1]}\n`);
    expect((await run(python, "import os; print(os.path.exists('/layers/" + names[0] + "'))")).out).toBe("False\n");
  });

  test("two environments at once, in a session with contexts", async () => {
    const options = { runtime: python, layers: names, limits: { memoryBytes: 256 * mebibyte, cpus: 1 } };
    await using session = await openSession(stage.tier, {
      ...options,
      python: `/layers/${names[1]}/bin/python`,
      path: [`/layers/${names[0]}/bin`],
    });
    expect((await shell(session, "greet")).out).toBe("a script of the environment\n");
    const context = await session.openContext("python");
    expect(await evaluate(context, "import greeting; print(greeting.TEXT)")).toContain(`hello from ${names[1]}\n`);
    expect(await valueOf(context, "1 + 1")).toBe("2");
    const terminal = await session.start({
      command: ["bash", "-c", "read line; echo got $line; [ -t 0 ] && echo on a terminal"],
      terminal: { columns: 80, rows: 24 },
      stdin: true,
    });
    await terminal.write(Buffer.from("typed\r"));
    let said = "";
    for await (const { data } of terminal.output) said += data.toString();
    expect(said).toContain("got typed");
    expect(said).toContain("on a terminal");
  });

  test("the toolchain of a language that the system does not have, and its packages", async () => {
    const files = [{ path: "node_modules", link: `/layers/${names[0]}/node_modules` }];
    const code = `import { createRequire } from "node:module";
console.log(process.version, createRequire("/workspace/")("greeting"), process.argv.slice(2));`;
    const wish = { entrypoint: "main.mjs", layers: [names[0]], args: ["a"], limits: { memoryBytes: 512 * mebibyte, wallMs: 120_000 } };
    const started = await stage.tier.start({
      ...specOf(node, code, wish),
      files: [...(specOf(node, code, wish).files as InputFile[]), ...files],
    });
    const result = await collect(started);
    expect(result).toMatchObject({ err: "", exit: { exitCode: 0, signal: null, failure: null } });
    expect(result.out).toBe(`${process.version} hello from ${names[0]} [ 'a' ]\n`);
  });
});
