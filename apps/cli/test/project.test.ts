import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pointAt, startFakeSyla } from "./fake-syla.ts";
import { runCli, temporaryFolder } from "./run-cli.ts";

function write(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

const project = `name: Adder
entrypoint: src/add.py
runtime: python
args: [1, two]
env: { LEVEL: 3, BOTH: file }
env_file: vars.env
resources: { timeout: 20s, memory: 1G, cpu: 2 }
allow_domains: [example.org]
`;
const files = { ".syla.yml": project, "src/add.py": "print(1)\n", "vars.env": "FROM_FILE=1\n", "src/deep/other.py": "print(2)\n" };

describe(".syla.yml", () => {
  test("without a file the project's program is run as it says, also from a folder below", async () => {
    const fake = await startFakeSyla();
    const folder = write(files);
    const result = await runCli(["exec"], { env: pointAt(fake), cwd: join(folder, "src/deep") });
    expect([result.code, result.stderr]).toEqual([0, expect.stringContaining("gives it the network: example.org")]);
    expect(fake.submitted).toEqual([
      expect.objectContaining({
        args: ["1", "two"],
        env: { FROM_FILE: "1", LEVEL: "3", BOTH: "file" },
        limits: { wallMs: 20_000, memoryBytes: 1024 ** 3, cpus: 2 },
        network: { allow: ["example.org"] },
        language: "python",
        entrypoint: "src/add.py",
      }),
    ]);
  });

  test("flags go before it, and another file of the folder has its language told by its name", async () => {
    const fake = await startFakeSyla();
    const folder = write(files);
    const flags = ["--timeout", "1s", "-r", "cpu=1", "-e", "BOTH=flag", "--network", "none"];
    await runCli(["exec", ...flags, join(folder, "src/deep/other.py"), "x"], { env: pointAt(fake) });
    expect(fake.submitted[0]).toMatchObject({
      args: ["x"],
      env: { BOTH: "flag", LEVEL: "3" },
      limits: { wallMs: 1000, memoryBytes: 1024 ** 3, cpus: 1 },
      network: "none",
      entrypoint: "other.py",
    });
    expect(fake.submitted[0]).not.toHaveProperty("language");
    await runCli(["exec", "--no-project", join(folder, "src/add.py")], { env: pointAt(fake) });
    expect(fake.submitted[1]).toMatchObject({ env: {}, limits: {}, args: [] });
  });

  test.each([
    ["an unknown key", "name: a\nentrypiont: b.py\n", ':2: There is no key "entrypiont". Did you mean "entrypoint"?'],
    ["an unknown resource", "resources:\n  cpu: 1\n  memroy: 1G\n", ':3: There is no key "memroy". Did you mean "memory"?'],
    ["a value of the wrong kind", "name: a\nargs: 3\n", ":2: args: "],
    ["a path that leads out", "\nenv_file: ../secrets.env\n", ":2: env_file: "],
    ["both kinds of network", "network: full\nallow_domains: [a.org]\n", ":2: allow_domains: cannot be combined with network"],
    ["broken YAML", "name: [\n", ":2: "],
    ["a list", "- a\n", ":1: "],
  ])("%s is refused with its line, and nothing is run", async (_, text, message) => {
    const fake = await startFakeSyla();
    const folder = write({ ".syla.yml": text, "main.py": "" });
    const result = await runCli(["exec", "main.py"], { env: pointAt(fake), cwd: folder });
    expect([result.code, fake.submitted]).toEqual([78, []]);
    expect(result.stderr).toContain(`.syla.yml${message}`);
    expect(result.stderr).toContain("(project_file_invalid)");
  });

  test("an alias that stands for too much is refused", async () => {
    const fake = await startFakeSyla();
    const bomb = `env: &a {A: x}\nargs: [${Array.from({ length: 200 }, () => "*a").join(", ")}]\n`;
    const result = await runCli(["exec", "main.py"], { env: pointAt(fake), cwd: write({ ".syla.yml": bomb, "main.py": "" }) });
    expect(result.code).toBe(78);
  });

  test("no file and no project: what to do is said", async () => {
    const result = await runCli(["exec", "--json"], { cwd: temporaryFolder() });
    expect(result.code).toBe(64);
    expect(JSON.parse(result.stdout)).toMatchObject({ runId: null, error: { code: "usage", hint: expect.stringContaining("syla init") } });
  });
});

describe("several files", () => {
  test("each is run, their lines have names, and the exit code is the worst", async () => {
    const error = { class: "user_code", code: "uncaught_exception", message: "It failed.", hint: "", location: null };
    const fake = await startFakeSyla({ output: [["stdout", "one\ntwo"]], run: { status: "failed", exitCode: 4, error } });
    const folder = write({ "a.py": "", "b.py": "" });
    const result = await runCli(["exec", "--parallel", "2", "a.py", "b.py", "--", "x"], { env: pointAt(fake), cwd: folder });
    expect(result.code).toBe(4);
    expect(result.stdout.split("\n").toSorted()).toEqual(["", "a.py | one", "a.py | two", "b.py | one", "b.py | two"]);
    expect(result.stderr).toMatch(/a\.py {2}failed \(uncaught_exception\) {2}exit 4/);
    expect(new Map(fake.submitted.map(({ entrypoint, args }) => [entrypoint, args]))).toEqual(
      new Map([
        ["a.py", ["x"]],
        ["b.py", ["x"]],
      ]),
    );
  });

  test("one that is refused stops no other, and JSON is one document of all", async () => {
    const fake = await startFakeSyla({ output: [["stdout", "fine\n"]] });
    fake.refuse = { status: 429, code: "queue_full", message: "The queue is full." };
    const folder = write({ "a.py": "", "b.py": "" });
    const result = await runCli(["exec", "--json", "--parallel", "1", "a.py", "b.py"], { env: pointAt(fake), cwd: folder });
    const document = JSON.parse(result.stdout) as { items: { file: string; error: { code: string } }[]; exitCode: number };
    expect(document.items.map(({ file, error }) => [file, error.code])).toEqual([
      ["a.py", "queue_full"],
      ["b.py", "queue_full"],
    ]);
    expect([result.code, document.exitCode]).toEqual([75, 75]);
  });

  test.each([
    ["--parallel", "0", "a.py"],
    ["--parallel", "2", "-"],
    ["--parallel", "2", "--watch", "a.py"],
    ["--watch", "--json", "a.py"],
    ["--mount-write", "a.py"],
  ])("%s %s is refused", async (...words) => {
    expect((await runCli(["exec", ...words], { cwd: write({ "a.py": "" }) })).code).toBe(64);
  });
});

describe("mounts", () => {
  test("a folder is found under its name, or where it is put", async () => {
    const fake = await startFakeSyla();
    const folder = write({ "main.py": "", "data/x.csv": "1\n", "data/deep/y.csv": "2\n" });
    await runCli(["exec", "--mount", "data", "--mount", "data:in/put", "main.py"], { env: pointAt(fake), cwd: folder });
    expect(fake.submitted[0]?.files?.map(({ path }) => path).toSorted()).toEqual([
      "data/deep/y.csv",
      "data/x.csv",
      "in/put/deep/y.csv",
      "in/put/x.csv",
      "main.py",
    ]);
  });

  test.each(["data:/etc", "data:../up", "none", "data:"])("%s is refused", async (mount) => {
    const fake = await startFakeSyla();
    const folder = write({ "main.py": "", "data/x.csv": "1\n" });
    const result = await runCli(["exec", "--mount", mount, "main.py"], { env: pointAt(fake), cwd: folder });
    expect([result.code, fake.submitted]).toEqual([mount === "none" ? 66 : 64, []]);
  });
});

test("--watch runs again when a file has changed, and Ctrl+C ends it", async () => {
  const fake = await startFakeSyla({ output: [["stdout", "ran\n"]] });
  const folder = write({ "main.py": "print(1)\n" });
  let changed = false;
  const result = await runCli(["exec", "--watch", "main.py"], {
    env: pointAt(fake),
    cwd: folder,
    onOutput: (kill, _stdout, stderr) => {
      const waits = stderr.split("waiting for a change").length - 1;
      if (waits === 1 && !changed) {
        changed = true;
        writeFileSync(join(folder, "main.py"), "print(2)\n");
      }
      if (waits === 2) kill("SIGINT");
    },
  });
  expect(result.stdout).toBe("ran\nran\n");
  expect(result.stderr).toContain("main.py has changed");
  expect(fake.submitted.map(({ files: sent }) => sent?.[0])).toEqual([
    { path: "main.py", content: "print(1)\n" },
    { path: "main.py", content: "print(2)\n" },
  ]);
});
