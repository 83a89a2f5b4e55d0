import { Run } from "@syla/contracts/runs";
import { createPerson, execute, getRun, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const printInput = "import sys\nsys.stdout.write(sys.stdin.read())";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

describe("a rehearsal", () => {
  it("runs a program and leaves nothing of it", async () => {
    const { runs, blobs, sandboxes, audit, database } = server.context;
    const look = async () => {
      await audit.flushed();
      return {
        blobs: (await Array.fromAsync(blobs.list())).map(({ sha256 }) => sha256),
        runs: await database.queries.selectFrom("runs").select("id").execute(),
        entries: await database.queries.selectFrom("audit_events").select("id").execute(),
        used: await database.queries.selectFrom("usage_days").selectAll().execute(),
        tenants: sandboxes.pools().flatMap(({ jails }) => jails.map(({ tenant }) => tenant)),
      };
    };
    const before = await look();
    await runs.rehearse();
    expect(await look()).toEqual(before);
  });
});

describe("executing", () => {
  it("with `wait` answers 200 with everything that came of it", async () => {
    const response = await server.send("POST", "/api/v1/executions?wait=true", { language: "python", code: "print('hi')" });
    expect(response.status).toBe(200);
    const run = Run.parse(await response.json());
    expect(response.headers.get("location")).toBe(`/api/v1/runs/${run.id}`);
    expect(run).toMatchObject({
      kind: "execution",
      status: "succeeded",
      phase: null,
      language: "python",
      entrypoint: "main.py",
      attempt: 1,
      exitCode: 0,
      signal: null,
      error: null,
      stdout: "hi\n",
      stderr: "",
      truncated: false,
      tier: "namespace",
      network: "none",
      cached: false,
      output: { stdoutBytes: 3, stderrBytes: 0, droppedBytes: 0 },
    });
    expect(run.runtimeVersion).toMatch(/^3\./);
    const { compileMs, compileCached, environmentMs, ...times } = run.timings;
    expect([compileMs, compileCached, environmentMs]).toEqual([null, null, null]);
    for (const ms of Object.values(times)) expect(ms).toBeGreaterThanOrEqual(0);
    expect(run.usage?.cpuMs).toBeGreaterThan(0);
    expect(await getRun(server, run.id)).toEqual(run);
  });

  it("without `wait` answers 202 with where to look", async () => {
    const response = await server.send("POST", "/api/v1/executions", { language: "python", code: "print('later')" });
    expect(response.status).toBe(202);
    const run = Run.parse(await response.json());
    expect(response.headers.get("location")).toBe(`/api/v1/runs/${run.id}`);
    expect(run.finishedAt).toBeNull();
    expect(await waitForRun(server, run.id)).toMatchObject({ status: "succeeded", stdout: "later\n" });
  });

  it("as a run answers 202 as well", async () => {
    const response = await server.send("POST", "/api/v1/runs", { language: "bash", code: "echo run" });
    expect(response.status).toBe(202);
    expect(await waitForRun(server, Run.parse(await response.json()).id)).toMatchObject({ status: "succeeded", stdout: "run\n" });
  });

  it.each([
    ["python", "print(6 * 7)", "main.py"],
    ["py", "print(6 * 7)", "main.py"],
    ["PYTHON", "print(6 * 7)", "main.py"],
    ["node", "console.log(6 * 7)", "main.mjs"],
    ["javascript", "console.log(6 * 7)", "main.mjs"],
    ["typescript", "const answer: number = 6 * 7; console.log(answer)", "main.mts"],
    ["ts", "interface A { b: number }\nconst a: A = { b: 42 }; console.log(a.b)", "main.mts"],
    ["bash", "echo $((6 * 7))", "main.sh"],
  ])("runs %s", async (language, code, entrypoint) => {
    expect(await execute(server, { language, code })).toMatchObject({ status: "succeeded", stdout: "42\n", entrypoint });
  });

  it.each([
    ["a.py", "print(1)", "python"],
    ["dir/A.PY", "print(1)", "python"],
    ["a.ts", "const one: number = 1; console.log(one)", "node"],
    ["a.cjs", "console.log(require('node:path').sep.length)", "node"],
    ["script", "#!/usr/bin/env python3\nprint(1)", "python"],
    ["script", "#!/usr/bin/env -S node\nconsole.log(1)", "node"],
    ["script", "#!/bin/sh -e\necho 1", "bash"],
  ])("guesses the language of %s: %j", async (path, content, language) => {
    expect(await execute(server, { files: [{ path, content }] })).toMatchObject({ language, entrypoint: path, stdout: "1\n" });
  });

  it("guesses from the entrypoint's name when there is bare code", async () => {
    expect(await execute(server, { code: "echo 1", entrypoint: "x/y.sh" })).toMatchObject({
      language: "bash",
      entrypoint: "x/y.sh",
      stdout: "1\n",
    });
  });

  it("takes text, bytes and uploads as files, beside the code", async () => {
    const bytes = Buffer.from([0, 255, 254, 10, 13]);
    const uploaded = await server.fetch("/api/v1/blobs", { method: "POST", body: "uploaded é" });
    expect(uploaded.status).toBe(201);
    const blob = (await uploaded.json()) as { sha256: string; size: number };
    const run = await execute(server, {
      language: "python",
      code: "from pathlib import Path\nimport lib.half\nprint(lib.half.h(84), Path('deep/er/data.bin').read_bytes(), Path('blob.txt').read_text())",
      files: [
        { path: "lib/half.py", content: "def h(x): return x // 2" },
        { path: "deep/er/data.bin", contentBase64: bytes.toString("base64") },
        { path: "blob.txt", blob: blob.sha256 },
      ],
    });
    expect(run).toMatchObject({ status: "succeeded", stdout: "42 b'\\x00\\xff\\xfe\\n\\r' uploaded é\n" });
    expect(run.files.map((file) => [file.path, file.size])).toEqual([
      ["lib/half.py", 23],
      ["deep/er/data.bin", 5],
      ["blob.txt", blob.size],
      ["main.py", expect.any(Number)],
    ]);
    const read = async (path: string) => await server.fetch(`/api/v1/runs/${run.id}/file?path=${encodeURIComponent(path)}`);
    expect(Buffer.from(await (await read("deep/er/data.bin")).arrayBuffer())).toEqual(bytes);
    expect(await (await read("main.py")).text()).toContain("import lib.half");
    for (const path of ["nope", "../main.py", "/etc/passwd", "main.py\0"]) expect((await read(path)).status).toBe(404);
  });

  it("hands over arguments and variables as they are", async () => {
    const args = ["", "a b", "--flag", "$HOME", "ü\n'\"", "*"];
    const env = { EMPTY: "", WORDS: "a b=c\n$X", _u: "ü" };
    const code = "import json, os, sys\nprint(json.dumps([sys.argv[1:], {k: os.environ.get(k) for k in ('EMPTY', 'WORDS', '_u')}]))";
    expect(JSON.parse((await execute(server, { language: "python", code, args, env })).stdout)).toEqual([args, env]);
    const run = await execute(server, { language: "bash", code: 'printf "%s|" "$@" "$WORDS"', args, env });
    expect(run.stdout).toBe(`${[...args, env.WORDS].join("|")}|`);
    expect(run).toMatchObject({ args, env });
  });

  it("shows nothing of the server's own environment", async () => {
    const { stdout } = await execute(server, {
      language: "bash",
      code: "export -p | sed 's/=.*//'; cat /proc/self/environ | tr '\\0' '\\n'",
    });
    expect(stdout).not.toMatch(/SYLA|DATABASE|VITEST|npm_/);
  });

  it("gives stdin as text or bytes, and gives it back", async () => {
    const bytes = Buffer.from([0, 1, 255, 10]);
    const copy = "import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read())";
    const text = await execute(server, { language: "python", code: printInput, stdin: "zeile ü\n" });
    expect(text).toMatchObject({ stdout: "zeile ü\n", stdinBytes: 9 });
    const binary = await execute(server, { language: "python", code: copy, stdinBase64: bytes.toString("base64") });
    expect(binary.stdinBytes).toBe(4);
    const stdinOf = async (id: string) => Buffer.from(await (await server.fetch(`/api/v1/runs/${id}/stdin`)).arrayBuffer());
    const logOf = async (id: string) => Buffer.from(await (await server.fetch(`/api/v1/runs/${id}/log?stream=stdout`)).arrayBuffer());
    expect(await stdinOf(binary.id)).toEqual(bytes);
    expect(await logOf(binary.id)).toEqual(bytes);
    const none = await execute(server, { language: "python", code: printInput });
    expect(none.stdout).toBe("");
    expect(await stdinOf(none.id)).toHaveLength(0);
  });

  it("takes 5 MB of stdin that the program never reads", async () => {
    expect(await execute(server, { language: "bash", code: "echo ok", stdin: "x".repeat(5_000_000) })).toMatchObject({ stdout: "ok\n" });
  });

  it("reports and enforces limits", async () => {
    const limits = {
      wallMs: 5000,
      memoryBytes: 128 * 1024 * 1024,
      openFiles: 32,
      processes: 20,
      outputBytes: 4096,
      diskBytes: 8 * 1024 * 1024,
      cpus: 0.5,
    };
    const code = `
import resource
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
try:
  files = [open('/dev/null') for _ in range(100)]
except OSError as error:
  print(error.errno)
`;
    const run = await execute(server, { language: "python", code, limits });
    expect(run).toMatchObject({ stdout: "32\n24\n", requestedLimits: limits });
    for (const [name, value] of Object.entries(limits)) {
      const effective = run.limits?.[name as keyof typeof limits];
      expect(effective?.enforcedBy).not.toBe("none");
      expect(effective?.value).toBe(effective?.enforcedBy === "affinity" ? Math.ceil(value) : value);
    }
    const defaults = await execute(server, { language: "python", code: "print(1)" });
    expect(defaults.limits).toMatchObject({
      wallMs: { value: 60_000 },
      memoryBytes: { value: 536_870_912 },
      outputBytes: { value: 10_485_760 },
    });
  });

  it("says so when a power cut took the log", async () => {
    const run = await execute(server, { language: "python", code: "print('on paper')" });
    await server.fetch(`/api/v1/runs/${run.id}`); // it is recorded by then
    const { queries } = server.context.database;
    const row = await queries.selectFrom("runs").select("log_sha256").where("id", "=", run.id).executeTakeFirstOrThrow();
    await server.context.blobs.delete(row.log_sha256 ?? "");
    const found = (await (await server.fetch(`/api/v1/runs/${run.id}`)).json()) as Run;
    expect(found).toMatchObject({ status: "succeeded", stdout: "", output: { stdoutBytes: 9 } });
    expect(await (await server.fetch(`/api/v1/runs/${run.id}/log`)).text()).toBe("[the log of this run was lost in a power cut]\n");
    expect(await (await server.fetch(`/api/v1/runs/${run.id}/log?stream=stdout`)).text()).toBe("");
  });

  it("can be found as soon as it is answered", async () => {
    const runs = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const { id } = await execute(server, { language: "python", code: `print(${index})` });
        const [one, list] = await Promise.all([server.fetch(`/api/v1/runs/${id}`), server.fetch("/api/v1/runs?limit=100")]);
        const { items } = (await list.json()) as { items: { id: string }[] };
        return [one.status, items.some((item) => item.id === id)];
      }),
    );
    expect(runs).toEqual(runs.map(() => [200, true]));
  });

  it("goes on when the client has gone away", async () => {
    const gone = new AbortController();
    const code = "import time\ntime.sleep(0.5)\nprint('finished alone')";
    const waiting = server.fetch("/api/v1/executions?wait=true", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ language: "python", code, entrypoint: "alone.py" }),
      signal: gone.signal,
    });
    const find = async () => {
      const { items } = (await (await server.fetch("/api/v1/runs?q=alone.py")).json()) as { items: { id: string }[] };
      return items[0]?.id;
    };
    await expect.poll(find).toBeDefined();
    gone.abort();
    await expect(waiting).rejects.toThrow("aborted");
    expect(await waitForRun(server, (await find()) ?? "")).toMatchObject({ status: "succeeded", stdout: "finished alone\n" });
  });

  it("runs again what ran before, as a run of its own", async () => {
    const input = {
      language: "python",
      code: `${printInput}\nprint(sys.argv[1:])`,
      stdin: "in ",
      args: ["x"],
      limits: { wallMs: 4000 },
      priority: 7,
    };
    const first = await execute(server, input);
    const response = await server.send("POST", `/api/v1/runs/${first.id}/rerun`);
    expect(response.status).toBe(202);
    const again = await waitForRun(server, Run.parse(await response.json()).id);
    expect(again).toMatchObject({
      retryOf: first.id,
      stdout: first.stdout,
      requestedLimits: input.limits,
      priority: 7,
      files: first.files,
    });
    expect(again.id).not.toBe(first.id);
    const failed = await execute(server, { language: "bash", code: "exit 3" });
    const rerun = Run.parse(await (await server.send("POST", `/api/v1/runs/${failed.id}/rerun`)).json());
    expect(await waitForRun(server, rerun.id)).toMatchObject({ status: "failed", exitCode: 3 });
    expect((await server.send("POST", "/api/v1/runs/run_none/rerun")).status).toBe(404);
  });

  it("shows the same 64 KiB of output at the end as later, never half a character", async () => {
    const run = await execute(server, { language: "python", code: "print('x' + 'é' * 50_000)" });
    expect(run.stdout).toBe(`x${"é".repeat(32_767)}`);
    expect(await getRun(server, run.id)).toEqual(run);
  });

  it("keeps people apart", async () => {
    const ann = await createPerson(server);
    const bob = await createPerson(server);
    const run = await execute(server, { language: "bash", code: "echo private; echo x > /output/a" }, ann);
    const paths = ["", "/events", "/log", "/artifacts", "/file?path=main.sh", "/stdin"].map((path) => `/api/v1/runs/${run.id}${path}`);
    for (const path of paths) {
      expect([path, (await server.fetch(path, { headers: ann })).status]).toEqual([path, 200]);
      expect([path, (await server.fetch(path, { headers: bob })).status]).toEqual([path, 404]);
      expect([path, (await server.fetch(path, { headers: { authorization: "" } })).status]).toEqual([path, 401]);
    }
    for (const action of ["cancel", "rerun"])
      expect((await server.send("POST", `/api/v1/runs/${run.id}/${action}`, undefined, bob)).status).toBe(404);
    const { items } = (await (await server.fetch(`/api/v1/runs/${run.id}/artifacts`)).json()) as { items: { id: string }[] };
    const artifact = `/api/v1/runs/${run.id}/artifacts/${items[0]?.id}`;
    expect((await server.fetch(artifact, { headers: bob })).status).toBe(404);
    expect(await (await server.fetch(artifact, { headers: ann })).text()).toBe("x\n");
    // An artifact of one run cannot be had through another.
    const own = await submit(server, { language: "bash", code: "true" }, bob);
    expect((await server.fetch(`/api/v1/runs/${own.id}/artifacts/${items[0]?.id}`, { headers: bob })).status).toBe(404);
  });

  it("lets nobody refer to what another person uploaded", async () => {
    const ann = await createPerson(server);
    const bob = await createPerson(server);
    const secret = `secret ${Math.random()}`;
    const { sha256 } = (await (await server.fetch("/api/v1/blobs", { method: "POST", body: secret, headers: ann })).json()) as {
      sha256: string;
    };
    const input = { language: "bash", code: "cat f", files: [{ path: "f", blob: sha256 }] };
    const refused = await server.send("POST", "/api/v1/executions?wait=true", input, bob);
    expect([refused.status, await refused.json()]).toMatchObject([400, { code: "blob_unknown", fields: [{ path: "files.0.blob" }] }]);
    expect(await execute(server, input, ann)).toMatchObject({ stdout: secret });
    await server.fetch("/api/v1/blobs", { method: "POST", body: secret, headers: bob });
    expect(await execute(server, input, bob)).toMatchObject({ stdout: secret });
  });
});
