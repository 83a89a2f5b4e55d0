import type { Run, RunComparison } from "@syla/sdk";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { mkdirSync, writeFileSync } from "node:fs";
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
