import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isComplete } from "../src/interactive/cell.ts";
import { isCommand } from "../src/interactive/commands.ts";
import { createFormsWriter } from "../src/interactive/show-forms.ts";
import { runCli, temporaryFolder } from "./run-cli.ts";
import { runOnTerminal } from "./terminal.ts";

describe("a piece of code", () => {
  test.each([
    ["python", "x = 1", true],
    ["python", "x = (1,", false],
    ["python", "x = '''a", false],
    ["python", "x = '('  # (", true],
    ["python", "def f():", false],
    ["python", "def f():\n  return 1", false],
    ["python", "def f():\n  return 1\n", true],
    ["python", "if x:  # why", false],
    ["python", "@cached", false],
    ["python", "x = 1 + \\", false],
    ["python", "x = 'open", true],
    ["python", "d = {'a': 1}", true],
    ["javascript", "const f = () => {", false],
    ["javascript", "const f = () => {\n}", true],
    ["javascript", "`a ${1}", false],
    ["javascript", "/* why", false],
    ["javascript", "1 // (", true],
    ["javascript", "'('", true],
  ] as const)("%s: %j is complete: %s", (language, text, complete) => {
    expect(isComplete(language, text.split("\n"))).toBe(complete);
  });

  test("a line that only begins like a command is code", () => {
    expect(["/help", "/load a b.py", "/a/.test(x)", "/x/", "/ 2"].map(isCommand)).toEqual([true, true, false, false, false]);
  });
});

test("pictures are saved under new names, and text is made harmless", () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "001.png"), "there");
  const forms = createFormsWriter(folder);
  expect(forms.show({ "image/png": Buffer.from("png").toString("base64"), "text/plain": "<Figure \u001b]0;x\u0007>" })).toBe(
    `<Figure >\n[image/png, 3 B: ${join(folder, "002.png")}]\n`,
  );
  expect(readFileSync(join(folder, "002.png"), "utf8")).toBe("png");
  expect(forms.show({ "application/json": { a: 1 } })).toBe('{\n  "a": 1\n}\n');
  expect(forms.show({ "text/html": "<b>1</b>" })).toContain("003.html");
});

describe("with a server", () => {
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

  test("what is piped in is run piece by piece with its variables, and a failure is the exit code", async () => {
    const good = await runCli(["interactive"], { env, stdin: "x = 20\ndef f():\n  return x + 22\n\nf()\n/nope\n" });
    expect([good.stdout, good.code]).toEqual(["42\n", 1]);
    expect(good.stderr).toContain("There is no command /nope.");
    const js = await runCli(["interactive", "-l", "javascript", "--json"], { env, stdin: "const a = 6\na * 7\n" });
    const documents = js.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { status: string; events: { data?: object }[] });
    expect(documents.map(({ status }) => status)).toEqual(["ok", "ok"]);
    expect(documents[1]?.events[0]?.data).toMatchObject({ "text/plain": "42" });
    expect(js.code).toBe(0);
    // the sandboxes went with them
    expect((await runCli(["sandbox", "list", "--json"], { env })).stdout).not.toContain("interactive");
  });

  test("on a terminal Ctrl+C ends what runs and keeps the variables, names are completed, and the history is private", async () => {
    const terminal = runOnTerminal(["interactive"], env, 24, 80);
    const shows = async (text: string) => await expect.poll(() => terminal.written()).toContain(text);
    await shows("> ");
    terminal.press("kept_value = 4242\r");
    terminal.press("while True: pass\r\r");
    await expect.poll(() => terminal.written().split("> ").length).toBeGreaterThan(2);
    terminal.press("\x03");
    await shows("the variables stay");
    const typed = terminal.written().length;
    terminal.press("kept_v\t");
    // what is typed ahead is taken for pasted text, in which nothing is completed
    await expect.poll(() => terminal.written().slice(typed)).toContain("alue");
    terminal.press(" + 1\r");
    await shows("4243");
    // what was given up is gone, so that the end is the end
    terminal.press("half typed\x03");
    await shows("half typed^C");
    terminal.press("\x04");
    expect(await terminal.ended).toBe(0);
    const file = join(env["SYLA_HOME"] ?? "", "history/python");
    expect([existsSync(file), statSync(file).mode & 0o777]).toEqual([true, 0o600]);
    expect(readFileSync(file, "utf8")).toContain("kept_value = 4242\n");
  });

  test("a folder is made from a template, described, run, and pushed as it is described", async () => {
    const folder = temporaryFolder();
    const syla = (args: readonly string[], cwd = folder) => runCli(args, { env, cwd });
    expect((await syla(["template", "list"])).stdout).toContain("template:hello\t");
    expect((await syla(["template", "show", "helo"])).stderr).toContain('Did you mean "hello"?');
    expect(await syla(["new", "first", "--template", "hello"])).toMatchObject({ code: 0, stdout: `${join(folder, "first")}\n` });
    expect((await syla(["new", "first"])).code).toBe(73);
    const place = join(folder, "first");
    expect(readFileSync(join(place, ".syla.yml"), "utf8")).toMatch(/name: first\nruntime: python\nentrypoint: main.py\n$/);
    expect((await syla(["exec"], place)).code).toBe(0);

    expect((await syla(["init", "--auto"], place)).code).toBe(73);
    expect((await syla(["init", "--auto", "--force", "--language", "pyhton"], place)).stderr).toContain('Did you mean "python"?');
    writeFileSync(join(place, "tests.yaml"), "- { stdin: '', expected: x }\n");
    const again = JSON.parse((await syla(["init", "--auto", "--force", "--json"], place)).stdout) as { settings: object };
    expect(again.settings).toEqual({ name: "first", runtime: "python", entrypoint: "main.py", tests: "tests.yaml" });
    expect((await syla(["init"], place)).code).toBe(64);

    writeFileSync(join(place, ".syla.yml"), "name: first\nruntime: python\nentrypoint: main.py\nargs: [Ada]\ndependencies: ['six>=1']\n");
    const made = await syla(["program", "create", "--json"], place);
    expect(JSON.parse(made.stdout)).toMatchObject({
      name: "first",
      config: { entrypoint: "main.py", args: ["Ada"], dependencies: { source: "manual", packages: [{ name: "six", constraint: ">=1" }] } },
    });
  });

  test("what a run changes in a mounted folder comes back, and what was changed here stays", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "main.sh"), "echo new > data/made.txt; rm data/gone.txt; echo more >> data/kept.txt\n");
    mkdirSync(join(folder, "data"));
    for (const name of ["gone", "kept", "same"]) writeFileSync(join(folder, `data/${name}.txt`), `${name}\n`);
    const result = await runCli(["exec", "--mount", "data", "--mount-write", "main.sh"], { env, cwd: folder });
    expect([result.stderr, result.code]).toEqual(["", 0]);
    const read = (name: string) => readFileSync(join(folder, "data", name), "utf8");
    expect([read("made.txt"), read("kept.txt"), read("same.txt"), existsSync(join(folder, "data/gone.txt"))]).toEqual([
      "new\n",
      "kept\nmore\n",
      "same\n",
      false,
    ]);
    expect((await runCli(["workspace", "list"], { env })).stdout).not.toContain("exec-");
  });
});
