import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cliEntry, runCli, temporaryFolder } from "./run-cli.ts";

const examples = new URL("../../../examples", import.meta.url).pathname;
const home = mkdtempSync(join(tmpdir(), "syla-real-"));
const env = { SYLA_HOME: home };

function write(name: string, code: string): string {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, code);
  return file;
}

const exec = (args: readonly string[], stdin?: string | Buffer) =>
  runCli(["exec", ...args], { env, ...(stdin !== undefined && { stdin }) });

// the local server starts by itself, and the first runs race for it
beforeAll(async () => {
  const runs = await Promise.all(Array.from({ length: 3 }, () => exec([join(examples, "hello/main.py")])));
  for (const run of runs) if (run.code !== 0) throw new Error(`the local server did not come up: ${run.stderr}`);
});

afterAll(async () => {
  await runCli(["down", "--timeout", "30s"], { env });
  rmSync(home, { recursive: true, force: true });
});

/** Ends by the limit whoever enforces it: an allocation may fail in the program, a file in memory may not. */
const fillMemory = `import time
with open("/tmp/x", "wb") as file:
    try:
        while True: file.write(b"a" * 10**6)
    except OSError: time.sleep(20)
`;

describe("exec in a real sandbox", () => {
  test("hello: its lines arrive one after another, not at the end", async () => {
    const arrivals: number[] = [];
    const onOutput = () => void arrivals.push(performance.now());
    const result = await runCli(["exec", join(examples, "hello/main.py"), "Ada"], { env, onOutput });
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(result.stdout).toMatch(/^1\. Hello from a sandbox\.\n2\. .*\n3\. .*\n4\. .*\nPython 3\.\d+\.\d+ says goodbye, Ada\.\n$/);
    // the program rests a second in all between its first line and its last
    expect((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)).toBeGreaterThan(500);
  });

  test("fail: the traceback names the functions, and the exit code is the program's", async () => {
    const result = await exec([join(examples, "fail/main.py")]);
    expect(result.code).toBe(1);
    expect(result.stdout).toBe("adding up 2 orders\n");
    expect(result.stderr).toMatch(/^Traceback[\s\S]*in total\n[\s\S]*in cost\n[\s\S]*KeyError: 'count'\n$/);
  });

  test("its trace is drawn: each part with its time, below what it is a part of", async () => {
    const { runId } = JSON.parse((await exec(["--json", write("traced.py", "print(1)")])).stdout) as { runId: string };
    const result = await runCli(["runs", "trace", runId], { env });
    expect(result).toMatchObject({ code: 0, stderr: "" });
    // What took no time has no line.
    expect(result.stdout).toMatch(/^traced\.py .*█.* m?s\n[^]*\n {2}Start .*█[^]*\n {2}Program .*█/);
    expect(result.stdout).toMatch(/\ntrace [0-9a-f]{32}\n$/);
  });

  test("--json is the documented document, with the whole of a long output", async () => {
    const result = await exec(["--json", "--resource", "memory=256M", write("long.py", 'import sys\nprint("é" * 100_000)\nsys.exit(5)')]);
    expect(result).toMatchObject({ code: 5, stderr: "" });
    const document = JSON.parse(result.stdout) as Record<string, unknown>;
    expect(document).toMatchObject({
      status: "failed",
      exitCode: 5,
      signal: null,
      stdout: `${"é".repeat(100_000)}\n`,
      truncated: false,
      tier: "namespace",
      cached: false,
    });
    expect(document).toMatchObject({
      error: { class: "user_code", code: "nonzero_exit" },
      limits: { memoryBytes: { value: 256 * 1024 ** 2 } },
    });
    expect(document["timings"]).toMatchObject({
      queueMs: expect.any(Number) as number,
      startMs: expect.any(Number) as number,
      totalMs: expect.any(Number) as number,
    });
  });

  test("a run without a network has no proxy, and one with hosts is told which ones it may not have", async () => {
    const look = write("look.py", "import os\nprint(sorted(name for name in os.environ if 'proxy' in name.lower()))");
    expect((await exec([look])).stdout).toBe("[]\n");
    const code = `import urllib.error, urllib.request
try:
    urllib.request.urlopen("http://other.invalid/")
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())`;
    const result = await exec(["--json", "--allow-domain", "Example.ORG", write("reach.py", code)]);
    const document = JSON.parse(result.stdout) as { runId: string; stdout: string };
    expect(document.stdout).toMatch(/^403 .*other\.invalid:80 is refused.*allow list\.\nAllow it with `--allow-domain other\.invalid`/);
    expect(document).toMatchObject({ network: { policy: { allow: ["example.org"] }, connections: 1, refused: 1, sentBytes: 0 } });
    const shown = await runCli(["runs", "show", document.runId], { env });
    expect(shown.stdout).toMatch(/network +example\.org: 1 connection \(1 refused\), 0 B sent, 0 B received/);
    expect(shown.stdout).toMatch(/Connections:\n {2}refused +other\.invalid:80 .*allow list/);
  });

  test.each([
    ["a timeout", "t.py", "while True: pass", ["--timeout", "700ms"], 124],
    ["a signal", "s.py", "import os; os.kill(os.getpid(), 11)", [], 139],
    ["memory", "m.py", fillMemory, ["--resource", "memory=64M"], 137],
    ["its own code", "c.sh", "exit 42", [], 42],
    ["an unknown language", "c.sh", "exit 42", ["--language", "klingon"], 65],
    ["a limit above the maximum", "c.sh", "exit 42", ["--timeout", "48h"], 65],
  ])("%s shows in the exit code", async (_, name, code, flags, expected) => {
    expect((await exec([...flags, write(name, code)])).code).toBe(expected);
  });

  test("any bytes pass through stdin and stdout unchanged", async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256));
    const result = await exec([write("cat.sh", "cat")], bytes);
    expect(result.stdoutBytes.equals(bytes)).toBe(true);
  });

  test("code from a pipe, its arguments and variables", async () => {
    const result = await exec(
      ["-l", "node", "-e", "GREETING=hi", "-", "a b", "--json"],
      "console.log(process.env.GREETING, process.argv.slice(2))",
    );
    expect(result.stdout).toBe("hi [ 'a b', '--json' ]\n");
  });

  test("a folder's modules are found, and what is left in /output is saved", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "main.py"), 'import helper\nopen("/output/result.bin", "wb").write(helper.data)');
    writeFileSync(join(folder, "helper.py"), "data = bytes(range(256))");
    const out = join(temporaryFolder(), "out");
    expect(await exec(["-o", out, folder])).toMatchObject({ code: 0 });
    expect(readFileSync(join(out, "result.bin"))).toEqual(Buffer.from(Array.from({ length: 256 }, (_, index) => index)));
  });

  test("Ctrl-C ends the program, and the list says so", async () => {
    let sent = false;
    const file = write("wait.py", 'import time\nprint("up", flush=True)\ntime.sleep(60)');
    const onOutput = (kill: (signal: NodeJS.Signals) => void) => {
      if (!sent) kill("SIGINT");
      sent = true;
    };
    expect((await runCli(["exec", file], { env, onOutput })).code).toBe(130);
    const list = await runCli(["runs", "list", "-n", "1", "--json"], { env });
    expect(JSON.parse(list.stdout)).toMatchObject({ items: [{ status: "cancelled", entrypoint: "wait.py" }] });
  });

  test("a detached run is followed by its id", async () => {
    const { stdout } = await exec(["--detach", join(examples, "hello/main.py")]);
    const logs = await runCli(["logs", "-f", stdout.trim()], { env });
    expect(logs.stdout).toContain("says goodbye");
    expect((await runCli(["logs", stdout.trim()], { env })).stdout).toBe(logs.stdout);
    expect((await runCli(["runs", "show", stdout.trim()], { env })).stdout).toContain("succeeded");
    expect((await runCli(["runs", "cancel", stdout.trim()], { env })).code).toBe(65);
  });

  test("a terminal does not get the program's control sequences", async () => {
    const file = write("escape.py", 'print("\\x1b]0;owned\\x07\\x1b[2Jtext\\x1b[31m!")');
    expect((await exec([file])).stdout).toBe("\x1b]0;owned\x07\x1b[2Jtext\x1b[31m!\n");
    const shown = spawnSync("script", ["-qec", `'${process.execPath}' '${cliEntry}' exec '${file}'`, "/dev/null"], {
      env: { ...process.env, ...env },
      encoding: "utf8",
      input: "",
    });
    expect(shown.stdout).toContain("text\x1b[31m!");
    expect(shown.stdout).not.toContain("\x1b]0;");
    expect(shown.stdout).not.toContain("\x1b[2J");
  });

  test("runtimes and doctor tell what is here", async () => {
    expect((await runCli(["runtimes"], { env })).stdout).toMatch(/^python\t3\./m);
    const doctor = await runCli(["doctor", "--json"], { env });
    expect(JSON.parse(doctor.stdout)).toMatchObject({
      tiers: expect.arrayContaining([expect.objectContaining({ tier: "namespace" })]) as unknown[],
    });
  });
});

test("exec starts the server on another port when the usual one is taken", async () => {
  const other = createServer();
  // somebody else may hold the port already, which is as good
  await new Promise<void>((resolve) => other.once("error", () => resolve()).listen(7878, "127.0.0.1", resolve));
  const second = { SYLA_HOME: temporaryFolder() };
  expect(await runCli(["exec", write("a.sh", "echo ok")], { env: second })).toMatchObject({ code: 0, stdout: "ok\n" });
  await runCli(["down"], { env: second });
  other.close();
});

test("when the server is killed in the middle it is said so, and the next start tells how the run ended", async () => {
  const own = { SYLA_HOME: temporaryFolder() };
  await runCli(["up", "--detach", "--port", "0"], { env: own });
  const { pid } = JSON.parse(readFileSync(join(own.SYLA_HOME, "data/server.json"), "utf8")) as { pid: number };
  let killed = false;
  const onOutput = () => {
    if (!killed) process.kill(pid, "SIGKILL");
    killed = true;
  };
  const lost = await runCli(["exec", write("long.py", 'import time\nprint("up", flush=True)\ntime.sleep(60)')], { env: own, onOutput });
  expect(lost).toMatchObject({ code: 69, stdout: "up\n" });
  const [, runId = ""] = /went away while (run_\w+) ran/.exec(lost.stderr) ?? [];
  await runCli(["up", "--detach", "--port", "0"], { env: own });
  const shown = await runCli(["runs", "show", "--json", runId], { env: own });
  expect(JSON.parse(shown.stdout)).toMatchObject({ status: "failed", error: { class: "infrastructure", code: "worker_lost" } });
  await runCli(["down"], { env: own });
});

describe("kept results", () => {
  const program = () => write("once.py", `import os\nprint(os.urandom(8).hex(), "${Math.random()}")`);

  test("exec --cache takes an earlier result and says from where; stats and clear know of it", async () => {
    const file = program();
    const first = await exec(["--cache", file]);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    const second = await exec(["--cache-for", "10m", file]);
    expect(second).toMatchObject({ code: 0, stdout: first.stdout });
    expect(second.stderr).toMatch(/nothing was run: this is the result of run_/);
    const json = JSON.parse((await exec(["--cache-for", "10m", "--json", file])).stdout) as { cached: boolean; runId: string };
    expect(json.cached).toBe(true);
    const stats = JSON.parse((await runCli(["cache", "stats", "--json"], { env })).stdout) as { entries: number; hits: number };
    expect(stats.entries).toBeGreaterThanOrEqual(1);
    expect(stats.hits).toBeGreaterThanOrEqual(2);
    expect((await runCli(["cache", "stats"], { env })).stdout).toMatch(/results of yours +\d+\n.*hits/);
    expect(await runCli(["cache", "clear", json.runId], { env })).toMatchObject({ code: 0, stdout: "1 result forgotten\n" });
    expect((await exec(["--cache", file])).stdout).not.toBe(first.stdout);
  });

  test("cache warm runs what is not kept, and tells of what failed", async () => {
    const [good, bad] = [program(), write("bad.py", "raise SystemExit(3)")];
    const first = await runCli(["cache", "warm", good], { env });
    expect(first).toMatchObject({ code: 0 });
    expect(first.stdout).toMatch(/^ran +succeeded +run_/);
    expect((await runCli(["cache", "warm", good], { env })).stdout).toMatch(/^was kept +succeeded/);
    expect((await exec(["--cache", good])).stderr).toMatch(/nothing was run/);
    expect((await runCli(["cache", "warm", good, bad], { env })).code).toBe(1);
    expect((await runCli(["cache", "warm", join(home, "missing.py")], { env })).code).toBe(66);
  });
});

describe("test", () => {
  const judge = (...args: string[]) => runCli(["test", ...args], { env });
  const triangle = [join(examples, "judge/triangle.py"), join(examples, "judge/tests.yaml")];

  test("judges the example: 20 cases, hidden ones, limits, a checker", async () => {
    const result = await judge(...triangle, "--parallel", "2");
    expect(result.code).toBe(1);
    const verdicts = result.stdout.split("\n").flatMap((line) => line.split("\t")[1] ?? []);
    const count = (verdict: string) => verdicts.filter((found) => found === verdict).length;
    expect([count("accepted"), count("wrong_answer"), count("runtime_error"), count("time_limit"), count("memory_limit")]).toEqual([
      14, 3, 1, 1, 1,
    ]);
    expect(result.stdout).toMatch(/^hidden 2\twrong_answer\t[^\n]*the answer is not the expected one$/m);
    expect(result.stdout).toMatch(/14 of 20 accepted\n$/);
  });

  test("--json has verdicts and coverage; every case accepted is exit code 0", async () => {
    const file = write("double.py", "n = int(input())\nif n > 100:\n    print('never')\nprint(2 * n)");
    const cases = write("cases.json", JSON.stringify([{ stdin: "4", expected: "8" }]));
    const result = await judge("--json", "--coverage", file, cases);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(result.stdout)).toMatchObject({
      status: "succeeded",
      verdict: "accepted",
      passed: 1,
      coverage: { covered: 3, total: 4, files: [{ path: "double.py", missed: [3] }] },
    });
    expect((await judge("--coverage", file, cases)).stdout).toMatch(/double\.py: 3 of 4 lines ran, not 3\n1 of 1 accepted\n$/);
  });

  test("mistakes are told apart from verdicts", async () => {
    const file = write("bad.py", "print(");
    const cases = write("cases.yaml", "- {}");
    expect(await judge(file, cases)).toMatchObject({ code: 1, stdout: expect.stringContaining("runtime_error") as string });
    expect((await judge(file, join(home, "missing.yaml"))).code).toBe(66);
    expect((await judge(file, write("bad.yaml", "- { unknown: 1 }"))).code).toBe(65);
  });
});
