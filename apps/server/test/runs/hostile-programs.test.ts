import { setTimeout as sleep } from "node:timers/promises";
import { execute, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const mebibyte = 1024 * 1024;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const python = (code: string, limits = {}) => ({ language: "python", code, limits });

/** A program that has to succeed whatever happens beside it. */
const neighbour = () => execute(server, { language: "node", code: "setTimeout(() => console.log('fine'), 300)" });

describe("a hostile program", () => {
  it("that never ends is ended at its time limit, with what it said", async () => {
    const run = await execute(server, python("print('spinning', flush=True)\nwhile True: pass", { wallMs: 400 }));
    expect(run).toMatchObject({ status: "timed_out", stdout: "spinning\n", error: { class: "limit", code: "timeout" } });
    expect(run.timings.runMs).toBeGreaterThanOrEqual(400);
  });

  it("that refuses to end is ended all the same, with everything that it started", async () => {
    const code = "trap '' TERM INT HUP\n(setsid sleep 1000 &)\necho up\nwhile :; do sleep 1; done";
    expect(await execute(server, { language: "bash", code, limits: { wallMs: 500 } })).toMatchObject({
      status: "timed_out",
      stdout: "up\n",
    });
  });

  it("that forks without end harms nobody else", async () => {
    const bomb = execute(server, { language: "bash", code: "f() { f | f & }; f; sleep 60", limits: { wallMs: 1500, processes: 50 } });
    expect(await neighbour()).toMatchObject({ status: "succeeded", stdout: "fine\n" });
    expect((await bomb).status).not.toBe("succeeded");
    const counting =
      "import os\nn = 0\ntry:\n  while True:\n    if os.fork() == 0: os.pause() if hasattr(os, 'pause') else __import__('signal').pause()\n    n += 1\nexcept BlockingIOError: print(n < 40)\nos._exit(0)";
    expect(await execute(server, python(counting, { processes: 40 }))).toMatchObject({ status: "succeeded", stdout: "True\n" });
  });

  it("that takes all memory is blamed, and its neighbour is not", async () => {
    const greedy = "import time\nprint('start', flush=True)\nx = []\nwhile True: x.append(bytearray(4_000_000))";
    const modest = "x = bytearray(30_000_000)\nimport time\ntime.sleep(0.5)\nprint(len(x))";
    const [bomb, second, third] = await Promise.all([
      execute(server, python(greedy, { memoryBytes: 96 * mebibyte })),
      execute(server, python(modest, { memoryBytes: 96 * mebibyte })),
      neighbour(),
    ]);
    expect(bomb).toMatchObject({ status: "failed", stdout: "start\n", error: { class: "limit", code: "out_of_memory" } });
    expect(second).toMatchObject({ status: "succeeded", stdout: "30000000\n" });
    expect(third).toMatchObject({ status: "succeeded" });
    // What was taken is given back: the next run of the same sandbox has its whole share.
    expect(await execute(server, python(modest, { memoryBytes: 96 * mebibyte }))).toMatchObject({ status: "succeeded" });
  });

  it("that takes memory through its children is blamed", async () => {
    const code =
      "import os\nfor i in range(8):\n  if os.fork() == 0:\n    x = bytearray(40_000_000)\n    __import__('time').sleep(1)\nprint([os.wait() for i in range(8)] and 'survived')";
    const run = await execute(server, python(code, { memoryBytes: 128 * mebibyte, wallMs: 20_000 }));
    expect(run.status === "failed" ? run.error?.code : run.stdout).toMatch(/out_of_memory|survived/);
    expect(run.timings.runMs).toBeLessThan(20_000);
  });

  it("that writes 50 MB keeps running; the first and the last half are kept and the rest is counted", async () => {
    const code = "import sys\nfor i in range(50_000): sys.stdout.write(f'{i:05}' + 'x' * 994 + '\\n')\nprint('the end')";
    const run = await execute(server, python(code));
    const size = 50_000_008;
    expect(run).toMatchObject({ status: "succeeded", exitCode: 0, truncated: true, output: { stdoutBytes: size } });
    const kept = size - run.output.droppedBytes;
    expect(kept).toBeLessThanOrEqual(10 * mebibyte);
    expect(kept).toBeGreaterThan(9 * mebibyte);
    expect(run.stdout.startsWith(`00000${"x".repeat(994)}\n00001`)).toBe(true);
    const log = await (await server.fetch(`/api/v1/runs/${run.id}/log?stream=stdout`)).text();
    expect(log).toHaveLength(kept);
    expect(log.endsWith("x\nthe end\n")).toBe(true);
    const lines = log.split("\n").filter((line) => line.length === 999);
    const numbers = lines.map((line) => Number(line.slice(0, 5))).filter(Number.isFinite);
    expect(numbers).toContain(0);
    expect(numbers).toContain(49_999);
    expect(Math.abs(numbers.filter((number) => number < 25_000).length - numbers.filter((number) => number >= 25_000).length)).toBeLessThan(
      200,
    );
    const events = await (await server.fetch(`/api/v1/runs/${run.id}/log?format=jsonl`)).text();
    expect(events).toContain(`[${run.output.droppedBytes} bytes of output were left out here`);
  });

  it("that fills its disk is ended or told so", async () => {
    const code = "with open('/output/big', 'wb') as f:\n  while True: f.write(bytes(1_000_000))";
    const run = await execute(server, python(code, { diskBytes: 8 * mebibyte, wallMs: 20_000 }));
    expect(run.status).toBe("failed");
    expect(run.error?.code).toMatch(/disk_limit|uncaught_exception/);
  });

  it.each([
    ["python", "main.py"],
    ["node", "main.mjs"],
    ["bash", "main.sh"],
  ])("that is binary garbage fails by its own fault: %s", async (language, path) => {
    const bytes = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0xff, 0xfe, 0x80, 0, 1, 2, 3, 0xc3]);
    const run = await execute(server, { language, files: [{ path, contentBase64: bytes.toString("base64") }] });
    expect(run).toMatchObject({ status: "failed", error: { class: "user_code" } });
    expect(run.stderr).not.toBe("");
  });

  it("that puts NUL and broken text into its error is recorded like any other", async () => {
    const run = await execute(server, python("raise Exception('a\\0b\\udcff')"));
    expect(run).toMatchObject({ status: "failed", exitCode: 1, error: { code: "uncaught_exception" } });
    const bytes = await execute(
      server,
      python(
        "import sys\nsys.stderr.buffer.write(b'Traceback\\n  File \"/workspace/\\0\", line 1, in x\\nE: \\xff\\0\\xed\\xa0\\x80\\n')\nsys.exit(1)",
      ),
    );
    expect(bytes).toMatchObject({ status: "failed", exitCode: 1 });
  });

  it("that ends before it reads or after it closes its outputs is recorded", async () => {
    expect(await execute(server, python("import os\nos.close(1); os.close(2); os.close(0)\nos._exit(5)"))).toMatchObject({
      status: "failed",
      exitCode: 5,
    });
    expect(await execute(server, { language: "bash", code: "exec >&- 2>&-; kill -9 $$" })).toMatchObject({
      status: "failed",
      signal: "SIGKILL",
      error: { class: "user_code", code: "killed_by_signal" },
    });
  });

  it("that runs beside nineteen others does not see or disturb them", async () => {
    const code =
      "import os, sys, time\nopen('mine', 'x').write(sys.argv[1])\ntime.sleep(0.1)\nprint(open('mine').read(), len(os.listdir('.')))";
    const runs = await Promise.all(
      Array.from({ length: 20 }, (_, index) => execute(server, { language: "python", code, args: [String(index)] })),
    );
    expect(runs.map((run) => run.stdout)).toEqual(runs.map((_, index) => `${index} 2\n`));
  });
});

describe("the smallest limits", () => {
  it("are kept, and none of them is the server's fault", async () => {
    for (const limits of [
      { wallMs: 10 },
      { memoryBytes: 16 * mebibyte },
      { processes: 1 },
      { openFiles: 16 },
      { outputBytes: 1024 },
      { cpus: 0.05 },
    ]) {
      for (const language of ["python", "node", "bash"]) {
        const code = language === "bash" ? "echo ok" : language === "node" ? "console.log('ok')" : "print('ok')";
        const run = await execute(server, { language, code, limits: { wallMs: 20_000, ...limits } });
        expect([language, limits, run.error?.class ?? "none"]).not.toEqual([language, limits, "infrastructure"]);
      }
    }
  });
});

describe("a client that goes away", () => {
  it("leaves no slot taken", async () => {
    await using small = await startTestServer({ SYLA_WORKER_SLOTS: "2" });
    for (let round = 0; round < 6; round++) {
      const gone = new AbortController();
      const request = small.fetch("/api/v1/executions?wait=true", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ language: "bash", code: "sleep 0.1" }),
        signal: gone.signal,
      });
      await sleep(round * 4);
      gone.abort();
      await request.catch(() => {});
    }
    const run = await submit(small, { language: "bash", code: "echo free" });
    expect(await waitForRun(small, run.id)).toMatchObject({ status: "succeeded" });
  });
});
