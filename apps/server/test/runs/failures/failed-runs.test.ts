import type { Run, RunSummary } from "@syla/contracts/runs";
import { createPerson, execute, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { StoredError } from "../../../src/runs/result.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const files = [
  { path: "main.py", content: "from lib.rows import load\n\nload('rows.cvs')\n" },
  { path: "lib/rows.py", content: "def load(path):\n    with open(path) as file:\n        return file.read()\n" },
  { path: "rows.csv", content: "a\n" },
];

describe("a run that failed", () => {
  it("tells the line of its own files, what leads there, and what helps", async () => {
    const { error } = await execute(server, { files, entrypoint: "main.py" });
    expect(error).toMatchObject({
      code: "uncaught_exception",
      kind: "FileNotFoundError",
      location: { path: "lib/rows.py", file: "lib/rows.py", line: 2, function: "load" },
      excerpt: {
        path: "lib/rows.py",
        firstLine: 1,
        line: 2,
        lines: ["def load(path):", "    with open(path) as file:", "        return file.read()"],
      },
      suggestion: { kind: "did_you_mean", subject: "rows.csv" },
    });
    expect(error?.frames.map(({ path, line, own }) => [path, line, own])).toEqual([
      ["lib/rows.py", 2, true],
      ["main.py", 3, true],
    ]);
    expect(error?.location?.column).toBe(10);
  });

  it("keeps lists short, and what it was told after the fact is the same", async () => {
    const run = await waitForRun(server, (await submit(server, { files, entrypoint: "main.py" })).id);
    const { items } = (await (await server.fetch("/api/v1/runs?limit=1")).json()) as { items: RunSummary[] };
    expect(items[0]).toMatchObject({ id: run.id, error: { location: { line: 2 }, frames: [], excerpt: null } });
    expect(items[0]?.error?.suggestion).toEqual(run.error?.suggestion);
    expect(run.error?.excerpt?.line).toBe(2);
  });

  it("shows no lines of its files to somebody who has only a link to it", async () => {
    const ann = await createPerson(server);
    const values = { anonymousLinks: "true" };
    expect((await server.send("PATCH", "/api/v1/admin/settings", { values })).status).toBe(200);
    const { id } = await waitForRun(server, (await submit(server, { files, entrypoint: "main.py" }, ann)).id);
    const body = { resourceType: "run", resourceId: id, level: "view" };
    const { token } = (await (await server.send("POST", "/api/v1/share-links", body, ann)).json()) as { token: string };
    const headers = { authorization: `Bearer ${token}` };
    const { error } = (await (await server.fetch(`/api/v1/runs/${id}`, { headers })).json()) as Run;
    expect(error).toMatchObject({ code: "uncaught_exception", location: { line: 2 }, excerpt: null });
    const events = await (await server.fetch(`/api/v1/runs/${id}/events`, { headers })).text();
    expect(events).toContain('"excerpt":null');
    expect(events).not.toContain("return file.read()");
  });

  it("names the command of a script, and the limit that was too low", async () => {
    expect((await execute(server, { language: "bash", code: "set -e\necho x | grpe x\n" })).error).toMatchObject({
      code: "nonzero_exit",
      message: "grpe: command not found",
      location: { path: "main.sh", line: 2 },
      suggestion: { kind: "did_you_mean", subject: "grep" },
    });
    const { error } = await execute(server, { language: "bash", code: "sleep 30", limits: { wallMs: 200 } });
    expect(error).toMatchObject({ code: "timeout", suggestion: { kind: "raise_limit" } });
    expect(error?.suggestion?.text).toContain("It had 0.2 s.");
  });

  it("says which host to allow", async () => {
    const { error } = await execute(server, {
      language: "python",
      code: "import urllib.request\nurllib.request.urlopen('http://data.example.org/rows')\n",
    });
    expect(error?.suggestion).toMatchObject({ kind: "allow_host", subject: "data.example.org" });
  });

  it("is read from rows of older releases too", () => {
    const old = { class: "user_code", code: "uncaught_exception", message: "m", hint: "h", location: { file: "main.py", line: 3 } };
    expect(StoredError.parse(old)).toEqual({
      ...old,
      kind: null,
      node: null,
      location: { path: "main.py", file: "main.py", line: 3, column: null, function: null },
      frames: [],
      causes: [],
      excerpt: null,
      suggestion: null,
    });
    expect(StoredError.parse({ ...old, location: null })?.location).toBe(null);
    expect(StoredError.parse(null)).toBe(null);
  });
});
