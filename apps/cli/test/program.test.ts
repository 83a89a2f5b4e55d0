import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Analysis } from "@syla/contracts/analysis";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cliEntry, runCli, temporaryFolder } from "./run-cli.ts";

const examples = new URL("../../server/test/programs/analysis/fixtures/examples", import.meta.url).pathname;
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

const analyze = (...words: string[]) => runCli(["program", "analyze", ...words], { env });

function write(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

const slot = "from mellea import generative\n@generative\ndef f(text: str) -> str: ...\n";

describe("program analyze", () => {
  test("prints the whole analysis as JSON", async () => {
    const result = await analyze(write({ "a.py": slot }), "--json");
    expect(result).toMatchObject({ code: 0, stderr: "" });
    const analysis = Analysis.parse(JSON.parse(result.stdout));
    expect(analysis).toMatchObject({ slots: [{ name: "f", qualifiedName: "a.f", callable: true, line: 3 }], problems: [] });
  });

  test("prints lines of one kind in a pipe, and fails when something cannot be read", async () => {
    const result = await analyze(examples);
    expect(result.code).toBe(1);
    const lines = result.stdout.trim().split("\n");
    expect(lines).toContain("slot\ttranslate(text: str, into: str) -> str\tyes\t\tdocs/examples/tutorial/101_first_slot.py:13");
    expect(lines).toContain("dependency\tpydantic\t>=2\talways\tpyproject\tpyproject.toml:6");
    expect(lines).toContain("call\tgreet\t".replace("greet", "instruct (likely)") + "Greet the reader.\tgreet\tletter_desk/desk.py:43:12");
    expect(lines.some((line) => line.startsWith("problem\terror\tsummarize: "))).toBe(true);
    expect(lines.some((line) => line.includes("title(letter: str)") && line.endsWith("letters.ipynb:cell 3:2"))).toBe(true);
  });

  test("shows tables on a terminal, and nothing that a terminal would obey", async () => {
    const folder = write({ "a.py": slot, "b\u001b[31m.py": "x = (\n" });
    const command = `stty cols 200; exec ${process.execPath} ${cliEntry} program analyze ${folder}`;
    const child = spawn("script", ["-qec", command, "/dev/null"], {
      env: { ...env, PATH: process.env["PATH"] ?? "", TERM: "xterm", NO_COLOR: "1" },
    });
    let seen = "";
    child.stdout.on("data", (chunk: Buffer) => void (seen += chunk.toString()));
    await new Promise((resolve) => child.on("close", resolve));
    expect(seen).toMatch(/SLOT +CALLABLE +WHY NOT +IN\r?\n/);
    expect(seen).toMatch(/f\(text: str\) -> str +yes +a\.py:3/);
    expect(seen).toMatch(/error +SyntaxError: .* b\.py:1:5/);
    expect(seen).toMatch(/2 files, read with Python 3\./);
  });

  test("leaves out what tools can make again, and tells what is wrong with the folder", async () => {
    const bad = "x = (\n";
    const folder = write({ "a.py": "x = 1\n", ".venv/b.py": bad, "node_modules/c.py": bad, "__pycache__/d.py": bad, ".git/e.py": bad });
    const { stdout, code } = await analyze(folder, "--json");
    expect([code, Analysis.parse(JSON.parse(stdout)).files.total]).toEqual([0, 1]);
    expect(await analyze(join(folder, "a.py"))).toMatchObject({ code: 64 });
    expect(await analyze(join(folder, "none"))).toMatchObject({ code: 66 });
    expect(await analyze(write({}))).toMatchObject({ code: 66 });
  });
});
