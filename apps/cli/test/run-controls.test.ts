import type { Run, RunComparison } from "@syla/sdk";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

let server: TestServer;
let env: Record<string, string>;
const folder = createTemporaryDirectory();
beforeAll(async () => {
  server = await startTestServer();
  env = { SYLA_URL: server.url, SYLA_API_KEY: server.localKey, SYLA_HOME: folder.path };
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

test("a failure is shown at its line, with what helps; then it is edited, run again and compared", async () => {
  const program = join(folder.path, "program");
  mkdirSync(program);
  writeFileSync(join(program, "main.py"), "import sys\nfrom helpers import text\nprint(text, sys.argv[1:])\n");
  writeFileSync(join(program, "helper.py"), "text = 'first'\n");
  const failed = await runCli(["exec", "--entrypoint", "main.py", program], { env });
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain("Did you mean helper?");

  const { stdout } = await runCli(["runs", "list", "--json"], { env });
  const { items } = JSON.parse(stdout) as { items: Run[] };
  const id = items[0]?.id ?? "";
  const shown = await runCli(["runs", "show", id], { env });
  expect(shown.stdout).toMatch(/at +main\.py:2/);
  expect(shown.stdout).toContain("> 2 | from helpers import text");

  writeFileSync(join(program, "main.py"), "import sys\nfrom helper import text\nprint(text, sys.argv[1:])\n");
  const again = await runCli(["runs", "rerun", id, "-f", join(program, "main.py"), "-e", "A=1", "--", "x"], { env });
  expect([again.code, again.stdout]).toEqual([0, "first ['x']\n"]);
  const newest = JSON.parse((await runCli(["runs", "list", "--json", "-n", "1"], { env })).stdout) as { items: Run[] };
  expect(newest.items[0]?.retryOf).toBe(id);

  const next = newest.items[0]?.id ?? "";
  const compared = await runCli(["runs", "compare", id, next], { env });
  expect(compared.stdout).toContain("-from helpers import text\n+from helper import text");
  expect(compared.stdout).toContain('args: [] -> ["x"]');
  expect(compared.stdout).toMatch(/stdoutBytes\t0 B\t/);
  const json = JSON.parse((await runCli(["runs", "compare", id, next, "--json"], { env })).stdout) as RunComparison;
  expect([json.from.id, json.to.id]).toEqual([id, next]);
});

test("runs are pinned, retried and deleted, one or many", async () => {
  for (const code of ["exit 4", "exit 5"])
    await server.send("POST", "/api/v1/executions?wait=true", { language: "bash", code, entrypoint: "many.sh" });
  const list = JSON.parse((await runCli(["runs", "list", "--json", "-q", "many"], { env })).stdout) as { items: Run[] };
  const [one = "", two = ""] = list.items.map(({ id }) => id);
  expect((await runCli(["runs", "pin", one], { env })).stdout).toBe(`${one} is kept\n`);
  expect((await runCli(["runs", "unpin", one], { env })).stdout).toBe(`${one} is not kept any more\n`);

  const retried = await runCli(["runs", "retry", one, "run_none"], { env });
  expect([retried.code, retried.stdout.trim().split("\n").length]).toEqual([1, 1]);
  expect(retried.stderr).toContain("run_none");

  expect((await runCli(["runs", "delete"], { env })).stderr).toContain("Which runs?");
  expect((await runCli(["runs", "delete", one, "--everything", "-q", "x"], { env })).code).toBe(64);
  expect((await runCli(["runs", "delete", two], { env })).stdout).toBe("1 run deleted\n");
  const rest = await runCli(["runs", "delete", "-q", "many", "-s", "failed", "--json"], { env });
  expect((JSON.parse(rest.stdout) as { done: string[] }).done).toContain(one);
  expect((await runCli(["runs", "show", one], { env })).code).toBe(66);
});

test("lines of a log are looked for, what a run left is saved, and links to it are made and revoked", async () => {
  const code =
    "import sys\nprint('INFO:a:one')\nprint('ERROR:a:two')\nprint('three')\nopen('/output/a.txt', 'w').write('first')\nopen('/output/b.txt', 'w').write('second')";
  const made = await server.send("POST", "/api/v1/executions?wait=true", { language: "python", code });
  const { id } = (await made.json()) as { id: string };
  const logs = async (...flags: string[]) => (await runCli(["logs", id, ...flags], { env })).stdout;
  expect(await logs("--search", "T", "-n")).toBe("2: ERROR:a:two\n3: three\n");
  expect(await logs("-n")).toBe("1: INFO:a:one\n2: ERROR:a:two\n3: three\n");
  expect(await logs("--search", "^.{5}$", "--regex")).toBe("three\n");
  expect(await logs("--level", "warn", "-t")).toMatch(/^\d{4}-\d\d-\d\dT\S+Z ERROR:a:two\n$/);
  expect(await logs("-f", "--level", "info", "--match-case", "-s", "o")).toBe("INFO:a:one\nERROR:a:two\n");
  expect(JSON.parse(await logs("-s", "three", "--json"))).toMatchObject({ number: 3, level: null, text: "three" });
  expect(JSON.parse(await logs("--level", "error", "--json"))).toMatchObject({ number: 2, text: "ERROR:a:two", matches: [] });
  expect((await runCli(["logs", id, "-s", "(", "--regex"], { env })).code).toBe(65);
  expect((await runCli(["logs", id, "--level", "loud"], { env })).code).toBe(64);

  const target = join(folder.path, "left");
  expect((await runCli(["runs", "download", id, "-o", target], { env })).stderr).toContain("2 files saved");
  expect(readFileSync(join(target, "b.txt"), "utf8")).toBe("second");
  const some = JSON.parse(
    (await runCli(["runs", "download", id, "a.txt", "-o", join(folder.path, "some"), "--json"], { env })).stdout,
  ) as object;
  expect(some).toMatchObject({ files: 1 });
  expect((await runCli(["runs", "download", id, "none.txt", "-o", target], { env })).code).toBe(66);
  const archive = join(folder.path, "all.zip");
  expect((await runCli(["runs", "download", id, "--zip", archive], { env })).code).toBe(0);
  expect(readFileSync(archive).subarray(0, 2).toString()).toBe("PK");
  expect((await runCli(["runs", "download", id, "--zip", archive], { env })).code).toBe(73);
  expect((await runCli(["runs", "download", id, "a.txt", "--zip"], { env })).code).toBe(64);

  const url = (await runCli(["runs", "link", id, "a.txt", "--expires", "5m"], { env })).stdout.trim();
  expect(await (await fetch(url)).text()).toBe("first");
  expect((await runCli(["runs", "link", id, "--expires", "30d"], { env })).code).toBe(65);
  expect((await runCli(["runs", "link", id, "--revoke"], { env })).code).toBe(0);
  expect((await fetch(url)).status).toBe(403);
});
