import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { pointAt, startFakeSyla } from "./fake-syla.ts";
import { runCli, temporaryFolder } from "./run-cli.ts";

/** An executable of its own folder. */
function writeProgram(path: string, body: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

const nodeFolder = dirname(process.execPath);

/** A home of its own, and a PATH with this folder first. */
function place(folder = temporaryFolder()) {
  return { SYLA_HOME: temporaryFolder(), PATH: `${folder}:${nodeFolder}:/usr/local/bin:/usr/bin:/bin` };
}

test("an executable of the PATH is a command: arguments, input, output and exit code are its own", async () => {
  const fake = await startFakeSyla();
  const folder = temporaryFolder();
  writeProgram(
    join(folder, "syla-tell"),
    'for word in "$@"; do printf "<%s>" "$word"; done; cat; echo "$SYLA_URL $SYLA_API_KEY $SYLA_HOME" >&2; exit 42',
  );
  const env = { ...place(folder), ...pointAt(fake) };
  const words = ["--json", "a b", "-x", "", "--", "$HOME"];
  const result = await runCli(["tell", ...words], { env, stdin: "in\n" });
  expect([result.code, result.stdout]).toEqual([42, "<--json><a b><-x><><--><$HOME>in\n"]);
  expect(result.stderr).toBe(`${fake.url} syla_key_good ${env.SYLA_HOME}\n`);
  expect((await runCli(["--help"], { env })).stdout).toContain("Commands of plugins: tell");
});

test("a plugin that a signal ends, that ends by itself, or cannot be started", async () => {
  const folder = temporaryFolder();
  writeProgram(join(folder, "syla-dies"), "kill -TERM $$");
  writeProgram(join(folder, "syla-waits"), "trap 'echo told; exit 7' TERM; echo ready; while :; do sleep 0.05; done");
  writeFileSync(join(folder, "syla-broken"), "#!/none\n", { mode: 0o755 });
  writeFileSync(join(folder, "syla-text"), "", { mode: 0o644 });
  const env = place(folder);
  expect((await runCli(["dies"], { env })).code).toBe(128 + 15);
  let told = false;
  const waits = await runCli(["waits"], {
    env,
    onOutput: (kill, stdout) => {
      if (!stdout.includes("ready") || told) return;
      told = true;
      kill("SIGTERM");
    },
  });
  expect([waits.code, waits.stdout]).toEqual([7, "ready\ntold\n"]);
  expect(await runCli(["broken"], { env })).toMatchObject({ code: 69, stderr: expect.stringContaining("(plugin_not_started)") });
  expect((await runCli(["text"], { env })).code).toBe(64);
});

test("a command of ours is never another's", async () => {
  const folder = temporaryFolder();
  for (const name of ["version", "help", "runs"]) writeProgram(join(folder, `syla-${name}`), "echo taken");
  const env = place(folder);
  expect((await runCli(["version"], { env })).stdout).toMatch(/^syla \d/);
  expect((await runCli(["help"], { env })).stdout).toContain("Usage: syla");
  const listed = JSON.parse((await runCli(["plugin", "list", "--json"], { env })).stdout) as { name: string; shadowed: boolean }[];
  expect(listed.map(({ name, shadowed }) => [name, shadowed])).toEqual([
    ["help", true],
    ["runs", true],
    ["version", true],
  ]);
  const refused = await runCli(["plugin", "install", join(folder, "syla-runs")], { env });
  expect([refused.code, refused.stderr]).toEqual([73, expect.stringContaining("(plugin_conflict)")]);
});

test("a file and a folder are installed, listed, run and removed", async () => {
  const sources = temporaryFolder();
  const env = place();
  const file = writeProgram(join(sources, "syla-greet.sh"), 'echo "hello $1"');
  writeProgram(join(sources, "kit/syla-one"), 'exec "$(dirname "$0")/lib/part"');
  writeProgram(join(sources, "kit/lib/part"), "echo part of one");
  writeProgram(join(sources, "kit/syla-two"), "echo two");
  expect(await runCli(["plugin", "install", file], { env })).toMatchObject({ code: 0, stdout: "syla greet\n" });
  expect(await runCli(["plugin", "install", join(sources, "kit")], { env })).toMatchObject({ code: 0, stdout: "syla one\nsyla two\n" });
  expect((await runCli(["greet", "you"], { env })).stdout).toBe("hello you\n");
  expect((await runCli(["one"], { env })).stdout).toBe("part of one\n");
  expect((await runCli(["plugin", "list"], { env })).stdout.split("\n").map((line) => line.split("\t")[0])).toEqual([
    "greet",
    "one",
    "two",
    "",
  ]);
  // the same again is the newer one
  writeProgram(file, "echo newer");
  expect((await runCli(["plugin", "install", file], { env })).code).toBe(0);
  expect((await runCli(["greet"], { env })).stdout).toBe("newer\n");
  // of another plugin it is not taken
  const taken = await runCli(["plugin", "install", writeProgram(join(sources, "other/syla-two"), "")], { env });
  expect([taken.code, taken.stderr]).toEqual([73, expect.stringContaining("plugin remove kit")]);
  expect(await runCli(["plugin", "remove", "two", "--json"], { env })).toMatchObject({ code: 0, stdout: '{"removed":"kit"}\n' });
  expect((await runCli(["one"], { env })).code).toBe(64);
  expect((await runCli(["plugin", "remove", "gret"], { env })).stderr).toContain('Did you mean "greet"?');
});

test("a package is installed by npm with what it needs, without its scripts", async () => {
  const sources = temporaryFolder();
  const env = place();
  const write = (path: string, value: unknown) => {
    mkdirSync(dirname(join(sources, path)), { recursive: true });
    writeFileSync(join(sources, path), typeof value === "string" ? value : JSON.stringify(value));
  };
  write("package.json", {
    name: "@example/report",
    version: "1.2.3",
    bin: { "syla-report": "main.mjs", other: "main.mjs" },
    files: ["main.mjs", "word.mjs"],
    scripts: { install: "touch ran" },
  });
  write("main.mjs", '#!/usr/bin/env node\nimport { word } from "./word.mjs";\nconsole.log(word, process.argv.slice(2).join());\n');
  write("word.mjs", 'export const word = "report of";\n');
  const installed = await runCli(["plugin", "install", sources, "--json"], { env });
  expect(installed.stderr).toBe("");
  expect(JSON.parse(installed.stdout)).toMatchObject({ name: "@example/report", version: "1.2.3", source: sources });
  expect((await runCli(["report", "a", "b"], { env })).stdout).toBe("report of a,b\n");
  expect((await runCli(["plugin", "list"], { env })).stdout).toMatch(/^report\t@example\/report\t1\.2\.3\t/);
  expect((await runCli(["plugin", "remove", "@example/report"], { env })).code).toBe(0);
});

test.each([
  ["a file of another name", "greet.sh", 64],
  ["a folder without commands", "empty", 66],
  ["nothing of that name", "./none", 66],
  ["words that are no package", "a b", 66],
])("%s is refused, and nothing stays", async (_, source, code) => {
  const folder = temporaryFolder();
  writeProgram(join(folder, "greet.sh"), "");
  mkdirSync(join(folder, "empty"));
  const env = place();
  expect((await runCli(["plugin", "install", source], { env, cwd: folder })).code).toBe(code);
  expect((await runCli(["plugin", "list", "--json"], { env })).stdout).toBe("[]\n");
});
