import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newNotebook, newCell, parseNotebook, writeNotebook } from "@syla/contracts/notebook";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli, temporaryFolder } from "./run-cli.ts";

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

function notebook(name: string, sources: readonly string[]): string {
  const made = newNotebook("python");
  const cells = [newCell(made, "markdown", "# Title"), ...sources.map((source) => newCell(made, "code", source))];
  const file = join(temporaryFolder(), name);
  writeFileSync(file, writeNotebook({ ...made, cells }));
  return file;
}
const read = (file: string) => parseNotebook(readFileSync(file, "utf8"));
const live = async () => ((await (await server.send("GET", "/api/v1/sandboxes?live=true")).json()) as { items: unknown[] }).items.length;

test("runs all cells, prints what they print, and writes what comes of them", async () => {
  const file = notebook("good.ipynb", ["%matplotlib inline\nx = 20", "print('hello')\nx + 1"]);
  const output = `${file}.out`;
  const before = readFileSync(file, "utf8");
  const ran = await runCli(["notebook", "run", file, "--output", output], { env });
  expect([ran.code, ran.stdout]).toEqual([0, "hello\n21\n"]);
  expect(ran.stderr).toContain("2 cells ran");
  expect(readFileSync(file, "utf8")).toBe(before);
  expect(read(output).cells.map(({ executionCount }) => executionCount)).toEqual([null, 1, 2]);
  expect(read(output).cells[2]?.outputs).toMatchObject([
    { output_type: "stream", name: "stdout", text: "hello\n" },
    { output_type: "execute_result", data: { "text/plain": "21" }, execution_count: 2 },
  ]);
  expect(await live()).toBe(0);
});

test("ends at the first cell that fails with exit code 1, and has written what came before", async () => {
  const file = notebook("bad.ipynb", ["print(1)", "1 / 0", "print(3)"]);
  const ran = await runCli(["notebook", "run", file, "--json"], { env });
  expect(ran.code).toBe(1);
  expect(JSON.parse(ran.stdout)).toEqual({
    output: file,
    executed: 1,
    failure: { cell: 3, name: "ZeroDivisionError", value: "division by zero" },
  });
  expect(read(file).cells.map(({ outputs }) => outputs.length)).toEqual([0, 1, 1, 0]);
  expect(await live()).toBe(0);
});

test("runs nothing when what comes of it could be kept nowhere", async () => {
  const file = notebook("kept.ipynb", ["print('ran')"]);
  const refused = await runCli(["notebook", "run", file, "--output", "/nonexistent/of.ipynb"], { env });
  expect([refused.code, refused.stdout, refused.stderr]).toEqual([73, "", expect.stringContaining("(cannot_write)")]);
});

test("refuses what is no notebook, and changes nothing", async () => {
  const file = join(temporaryFolder(), "no.ipynb");
  writeFileSync(file, '{"nbformat": 3}');
  const ran = await runCli(["notebook", "run", file], { env });
  expect([ran.code, ran.stdout]).toEqual([65, ""]);
  expect(ran.stderr).toMatch(/notebook_invalid/);
  expect(readFileSync(file, "utf8")).toBe('{"nbformat": 3}');
  expect((await runCli(["notebook", "run", `${file}.none`], { env })).code).toBe(66);
});
