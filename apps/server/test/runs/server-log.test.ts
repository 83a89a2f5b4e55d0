import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createTestDatabase } from "@syla/testkit/database";
import { spawnServer } from "@syla/testkit/server-process";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { expect, it } from "vitest";

const planted = "what-a-program-says-4f1c";

it("the server's own log holds nothing of what programs say, get or leave, however much is logged", async () => {
  using directory = createTemporaryDirectory();
  await using database = await createTestDatabase();
  const dataDir = join(directory.path, "data");
  await using server = spawnServer(dataDir, { DATABASE_URL: database.url, SYLA_LOG_LEVEL: "trace" });
  const url = await server.ready();
  const key = readFileSync(join(dataDir, "cli.key"), "utf8").trim();
  const call = async (method: string, path: string, body?: object) =>
    await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const code = `
import os, sys
print("${planted}", os.environ["WORD"], sys.stdin.read(), flush=True)
print("${planted}" * 3000, file=sys.stderr, flush=True)
sys.stdout.buffer.write(b"\\xff${planted}\\n" * 200)
open("/output/${planted}", "w").write("${planted}")
open(b"/output/\\xff${planted}", "w")
raise RuntimeError("${planted}")
`;
  const input = { language: "python", code, stdin: planted, env: { WORD: planted }, args: [planted], limits: { outputBytes: 4096 } };
  const run = (await (await call("POST", "/api/v1/executions?wait=true", input)).json()) as { id: string; status: string; stdout: string };
  expect([run.status, run.stdout.includes(planted)]).toEqual(["failed", true]);
  await (await call("GET", `/api/v1/runs/${run.id}/log`)).text();
  await (await call("GET", `/api/v1/runs/${run.id}/events`)).text();
  await (await call("GET", `/api/v1/runs/${run.id}/artifacts/zip`)).arrayBuffer();
  await call("POST", "/api/v1/executions?wait=true", { language: "bash", code: `syntax error ${planted} (` });
  server.child.kill("SIGTERM");
  await server.exited();
  expect(server.output()).toContain('"level"');
  expect(server.output()).not.toContain(planted);
});
