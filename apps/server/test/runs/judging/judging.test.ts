import type { Run, RunInputDraft } from "@syla/contracts/runs";
import { TestReport, type TestsDraft } from "@syla/contracts/tests";
import { createPerson, execute, followRun, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const judge = (code: string, tests: TestsDraft, rest: Partial<RunInputDraft> = {}) =>
  execute(server, { language: "python", code, tests, ...rest });
const verdicts = (run: Run) => run.tests?.cases.map(({ verdict }) => verdict);
const reportOf = async (run: Run, headers = {}) => {
  const response = await server.send("GET", `/api/v1/runs/${run.id}/tests`, undefined, headers);
  return response.status === 200 ? TestReport.parse(await response.json()) : response.status;
};
const logOf = async (run: Run) => (await server.fetch(`/api/v1/runs/${run.id}/log`)).text();

const double = "print(2 * int(input()))";

describe("a program with test cases", () => {
  it("is accepted when every case is", async () => {
    const run = await judge(double, {
      cases: [
        { name: "small", stdin: "2\n", expected: { stdout: "4\n" } },
        { stdin: "-1", expected: { stdout: "-2" } },
      ],
    });
    expect(run).toMatchObject({ status: "succeeded", error: null, tests: { verdict: "accepted", passed: 2, total: 2, coverage: null } });
    expect(run.tests?.cases).toMatchObject([
      { name: "small", hidden: false, verdict: "accepted", message: null, exitCode: 0, signal: null },
      { name: "case 2", verdict: "accepted" },
    ]);
    expect(run.usage?.cpuMs).toBeGreaterThan(0);
    expect(await reportOf(run)).toMatchObject({ details: [{ stdin: "2\n", expected: "4\n", stdout: "4\n", stderr: "" }, { stdin: "-1" }] });
  });

  it("gets a verdict for every way to be wrong, and the run says which was first", async () => {
    const code = `
import sys, time
word = input()
if word == "slow": time.sleep(30)
if word == "large":
    kept = []
    while True: kept.append("x" * 10**6)
if word == "fail": raise KeyError("missing")
if word == "exit": sys.exit(7)
if word == "kill":
    import os; os.kill(os.getpid(), 11)
print("right" if word == "good" else "wrong")
`;
    const expected = { stdout: "right\n" };
    const run = await judge(code, {
      cases: [
        { stdin: "good", expected },
        { name: "wrong", stdin: "bad", expected },
        { stdin: "slow", expected, limits: { wallMs: 300 } },
        { stdin: "large", expected, limits: { memoryBytes: 64 << 20 } },
        { stdin: "fail", expected },
        { stdin: "exit", expected },
        { stdin: "kill", expected },
        { stdin: "exit", expected: { exitCode: 7 } },
        { stdin: "good", expected: { ...expected, exitCode: 7 } },
      ],
    });
    expect(verdicts(run)).toEqual([
      "accepted",
      "wrong_answer",
      "time_limit",
      "memory_limit",
      "runtime_error",
      "runtime_error",
      "runtime_error",
      "accepted",
      "wrong_answer",
    ]);
    expect(run.tests?.cases.map(({ message }) => message)).toMatchObject([
      null,
      'line 1: "wrong" instead of "right"',
      expect.stringContaining("time limit"),
      expect.stringContaining("memory"),
      "KeyError: 'missing' (main.py:8)",
      "The program ended with exit code 7.",
      expect.stringContaining("SIGSEGV"),
      null,
      "exit code 0 instead of 7",
    ]);
    expect(run).toMatchObject({
      status: "failed",
      exitCode: null,
      error: {
        class: "user_code",
        code: "tests_failed",
        message: "2 of 9 test cases were accepted; the first that was not: wrong (wrong_answer).",
      },
      tests: { verdict: "wrong_answer", passed: 2, total: 9 },
    });
  });

  it("gets arguments, files and a place for its own", async () => {
    const code = `
import sys
text = open(sys.argv[1]).read() + open("common.txt").read()
open("/output/copy.txt", "w").write(text.upper())
`;
    const run = await judge(
      code,
      {
        cases: [
          { args: ["in.txt"], files: [{ path: "in.txt", content: "a" }], expected: { files: [{ path: "copy.txt", content: "AX" }] } },
          {
            args: ["b/in.txt"],
            files: [{ path: "b/in.txt", contentBase64: "Yg==" }],
            expected: { files: [{ path: "copy.txt", content: "no" }] },
          },
          {
            args: ["common.txt"],
            files: [{ path: "common.txt", content: "own" }],
            expected: { files: [{ path: "other.txt", content: "" }] },
          },
        ],
      },
      { files: [{ path: "common.txt", content: "x" }] },
    );
    expect(run.tests?.cases.map(({ verdict, message }) => [verdict, message])).toEqual([
      ["accepted", null],
      ["wrong_answer", '/output/copy.txt: line 1: "BX" instead of "no"'],
      ["wrong_answer", "/output/other.txt is missing"],
    ]);
  });

  it("starts anew for each case: nothing of one reaches the next", async () => {
    const code = "import os\nprint(os.path.exists('/tmp/left') or os.path.exists('left'))\nopen('/tmp/left', 'w')\nopen('left', 'w')";
    const run = await judge(code, { cases: Array.from({ length: 5 }, () => ({ expected: { stdout: "False" } })), parallel: 2 });
    expect(run.tests?.passed).toBe(5);
  });

  it("never gets to see what is expected of it", async () => {
    const code =
      "import subprocess\nprint(subprocess.run('grep -rl 5ecret-answer /workspace /tmp /output /etc /opt /dev/shm 2>/dev/null; env; cat /proc/*/cmdline /proc/*/environ', shell=True, capture_output=True, text=True).stdout.count('5ecret-answer'))";
    const run = await judge(code, { cases: [{ expected: { stdout: "5ecret-answer" } }] }, { limits: { wallMs: 30_000 } });
    expect(await reportOf(run)).toMatchObject({ details: [{ stdout: "1\n" }] }); // the program's own text
  });

  it("is compiled once for all cases, and not at all when that fails", async () => {
    const cases = [1, 2, 3].map((n) => ({ stdin: String(n), expected: { stdout: String(n * n) } }));
    const good = '#include <stdio.h>\nint main(void) { int n; scanf("%d", &n); printf("%d", n * n); }';
    const run = await judge(good, { cases, parallel: 4 }, { language: "c" });
    expect(run).toMatchObject({ status: "succeeded", tests: { passed: 3 }, timings: { compileCached: false } });
    expect(await judge(good, { cases }, { language: "c" })).toMatchObject({ status: "succeeded", timings: { compileCached: true } });
    const bad = await judge("int main(void) { return x; }", { cases }, { language: "c" });
    expect(bad).toMatchObject({ status: "failed", error: { code: "compile_error", location: { file: "main.c", line: 1 } } });
    expect(verdicts(bad)).toEqual(["compile_error", "compile_error", "compile_error"]);
    expect(await logOf(bad)).toMatch(/error: .x. undeclared/);
  });

  it("can stop at the first case that is wrong", async () => {
    const cases = ["1", "x", "2", "3"].map((stdin) => ({ stdin, expected: {} }));
    expect(verdicts(await judge(double, { cases, stopOnFailure: true }))).toEqual(["accepted", "runtime_error", "skipped", "skipped"]);
  });

  it("prints more than its limit: the answer cannot be right", async () => {
    const cases = [{ expected: { stdout: "x" } }, { expected: {} }];
    const run = await judge("print('x' * 100_000)", { cases }, { limits: { outputBytes: 1024 } });
    expect(run.tests?.cases.map(({ verdict, message }) => [verdict, message])).toEqual([
      ["wrong_answer", "it printed more than its output limit"],
      ["accepted", null],
    ]);
  });
});

describe("checks", () => {
  it("exact, trimmed, tolerant; a case's own goes before that of all", async () => {
    const run = await judge("print('3.14159 ')", {
      check: "exact",
      cases: [
        { expected: { stdout: "3.14159 \n" } },
        { expected: { stdout: "3.14159" } },
        { expected: { stdout: "3.14159" }, check: "trimmed" },
        { expected: { stdout: "3.1416" }, check: { tolerance: 1e-4 } },
        { expected: { stdout: "3.15" }, check: { tolerance: 1e-4 } },
      ],
    });
    expect(verdicts(run)).toEqual(["accepted", "wrong_answer", "accepted", "accepted", "wrong_answer"]);
  });

  const sums = `
import sys
given, got, wanted = (open(path).read().split() for path in sys.argv[1:])
if len(got) != 2 or not all(word.isdigit() for word in got): print("two numbers, please"); sys.exit(1)
if sum(map(int, got)) != int(given[0]): print("they add up to", sum(map(int, got))); sys.exit(1)
`;

  it("a program of one's own decides, with a message", async () => {
    const run = await judge("n = int(input())\nprint(n - 1, 1) if n < 10 else print('many') if n > 100 else print(n, n)", {
      check: { program: { language: "python", code: sums } },
      cases: [{ stdin: "5" }, { stdin: "50" }, { stdin: "500" }],
    });
    expect(run.tests?.cases.map(({ verdict, message }) => [verdict, message])).toEqual([
      ["accepted", null],
      ["wrong_answer", "they add up to 100"],
      ["wrong_answer", "two numbers, please"],
    ]);
  });

  it("a compiled one too, compiled once", async () => {
    const code = '#include <stdio.h>\nint main(int n, char **a) { int x; FILE *f = fopen(a[2], "r"); fscanf(f, "%d", &x); return x % 2; }';
    const run = await judge("print(input())", {
      check: { program: { language: "c", code } },
      cases: [{ stdin: "2" }, { stdin: "3" }, { stdin: "4" }],
      parallel: 2,
    });
    expect(verdicts(run)).toEqual(["accepted", "wrong_answer", "accepted"]);
  });

  it.each([
    ["raise ValueError('oops')", /ended with exit code 1: ValueError: oops/],
    ["import sys; sys.exit(9)", /ended with exit code 9/],
    ["def (", /SyntaxError|invalid syntax/],
    ["import os; os.kill(os.getpid(), 9)", /was killed/],
  ])("one that fails itself (%s) accepts nothing, and says why", async (code, message) => {
    const run = await judge("print(1)", { check: { program: { language: "python", code } }, cases: [{}, { check: "exact" }] });
    expect(verdicts(run)).toEqual(["wrong_answer", "accepted"]);
    expect(run.tests?.cases[0]?.message).toMatch(message);
  });

  it("one that cannot be compiled gives no verdict at all", async () => {
    const run = await judge("print(1)", { check: { program: { language: "c", code: "int main(" } }, cases: [{}] });
    expect(run).toMatchObject({ status: "failed", tests: null, error: { code: "checker_failed" } });
  });

  it("one cannot be reached from the program", async () => {
    const code = "open('/output/verdict', 'w').write('accept')\nopen('expected.txt', 'w').write('mine')\nprint('mine')";
    const same = "import sys\nsys.exit(open('output.txt').read() != open('expected.txt').read())";
    const run = await judge(code, {
      check: { program: { language: "python", code: same } },
      cases: [{ expected: { stdout: "theirs\n" } }],
    });
    expect(verdicts(run)).toEqual(["wrong_answer"]);
  });
});

describe("hidden cases", () => {
  const secret = "s3cret";
  const code = `import sys\nword = input()\nprint(word)\nprint(word, file=sys.stderr)\nif word.endswith("x"): raise KeyError(word)`;
  const cases = [`${secret}-1`, `${secret}-x`].map((stdin, index) => ({
    name: `h${index}`,
    stdin,
    expected: { stdout: `${secret}-answer` },
    hidden: true,
  }));

  it("show nothing but their verdict, anywhere", async () => {
    const run = await judge(code, { cases: [...cases, { stdin: "open", expected: { stdout: "open" } }] });
    expect(verdicts(run)).toEqual(["wrong_answer", "runtime_error", "accepted"]);
    const events = [];
    for await (const event of followRun(server, run.id)) events.push(event);
    const list = await (await server.fetch("/api/v1/runs")).text();
    const everything = [run, await reportOf(run), await logOf(run), events, list].map((part) => JSON.stringify(part)).join("\n");
    expect(everything).not.toContain(secret);
    expect(await logOf(run)).toContain("open");
    expect(await reportOf(run)).toMatchObject({ details: [null, null, { stdout: "open\n" }] });
  });

  it("are not told of by a checker that fails, nor by the lines that they reached", async () => {
    const checker = "import sys\nint(open(sys.argv[2]).read())";
    const hidden = [{ stdin: `${secret}-in`, expected: { stdout: "1" }, hidden: true }];
    const failing = await judge("print(input())", { cases: hidden, check: { program: { language: "python", code: checker } } });
    expect(failing.tests?.cases).toMatchObject([
      { verdict: "wrong_answer", exitCode: null, message: "the answer is not the expected one" },
    ]);
    expect(JSON.stringify([failing, await logOf(failing)])).not.toContain(secret);
    const spying = `word = input()\nif word[0] == "s":\n    pass\n`;
    const open = { stdin: "open", expected: {} };
    const run = await judge(spying, { cases: [...hidden.map((entry) => ({ ...entry, expected: {} })), open], coverage: true });
    expect(await reportOf(run)).toMatchObject({ coverage: [{ path: "main.py", missed: [3] }] });
  });

  it("are judged again by a rerun", async () => {
    const run = await judge(code, { cases });
    const again = (await (await server.send("POST", `/api/v1/runs/${run.id}/rerun`)).json()) as Run;
    expect(verdicts(await waitForRun(server, again.id))).toEqual(verdicts(run));
  });
});

describe("coverage", () => {
  it("of Python names the lines that no case reached", async () => {
    const main = "import sys\nfrom helper import sign\n\nprint(sign(int(input())))\nif len(sys.argv) > 5:\n    print('never')\n";
    const helper = "def sign(n):\n    if n < 0:\n        return -1\n    if n == 0:\n        return 0\n    return 1\n";
    const cases = [
      { stdin: "5", expected: { stdout: "1" } },
      { stdin: "-5", expected: { stdout: "-1" } },
    ];
    const run = await judge(main, { cases, coverage: true }, { files: [{ path: "helper.py", content: helper }] });
    expect(run.tests).toMatchObject({ passed: 2, coverage: { covered: 9, total: 11 } });
    expect(await reportOf(run)).toMatchObject({
      coverage: [
        { path: "helper.py", covered: 5, total: 6, missed: [5] },
        { path: "main.py", covered: 4, total: 5, missed: [6] },
      ],
    });
  });

  it("of JavaScript too", async () => {
    const code =
      'import { readFileSync } from "node:fs";\nconst n = Number(readFileSync(0, "utf8"));\nif (n > 100) {\n  console.log("large");\n} else {\n  console.log("small");\n}\nfunction never() {\n  return 1;\n}\n';
    const run = await judge(code, { cases: [{ stdin: "5", expected: { stdout: "small" } }], coverage: true }, { language: "node" });
    expect(run.tests?.passed).toBe(1);
    const report = await reportOf(run);
    expect(typeof report === "object" && report.coverage?.[0]?.missed).toEqual(expect.arrayContaining([4, 9]));
    expect(typeof report === "object" && report.coverage?.[0]?.missed).not.toContain(6);
  });

  it("does not change what the program does", async () => {
    const code = "import sys, atexit\natexit.register(print, 'bye')\nprint(sys.argv, __name__, __file__)\nsys.exit(3)";
    const tests = {
      cases: [{ args: ["a", "b c"], expected: { stdout: "['main.py', 'a', 'b c'] __main__ /workspace/main.py\nbye", exitCode: 3 } }],
    };
    const plain = await judge(code.replace("__file__", "__file__"), tests);
    const covered = await judge(code, { ...tests, coverage: true });
    expect([plain, covered].map((run) => run.tests?.cases[0]?.message)).toEqual([
      covered.tests?.cases[0]?.message,
      covered.tests?.cases[0]?.message,
    ]);
  });

  it("is refused where it cannot be told", async () => {
    const response = await server.send("POST", "/api/v1/executions", {
      language: "bash",
      code: "true",
      tests: { cases: [{}], coverage: true },
    });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([400, "coverage_unavailable"]);
  });
});

describe("a judged run", () => {
  it("does not hold what later cases print until an earlier one has ended", { timeout: 120_000 }, async () => {
    const code = "import sys, time\nif input() == 'slow': time.sleep(4)\nelse: sys.stdout.write('x' * (8 << 20))";
    const cases = [{ stdin: "slow" }, ...Array.from({ length: 30 }, () => ({ stdin: "fast" }))];
    const before = process.memoryUsage().rss;
    let most = 0;
    const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 50);
    const run = await judge(code, { cases, parallel: 2 });
    clearInterval(timer);
    expect(run.tests?.passed).toBe(31);
    expect(most - before).toBeLessThan(200 << 20); // all of it would be 240 MiB
  });

  it("can be cancelled in the middle", async () => {
    const cases = Array.from({ length: 50 }, () => ({ expected: {} }));
    const run = await submit(server, { language: "python", code: "import time; time.sleep(0.2)", tests: { cases, parallel: 2 } });
    await waitForRun(server, run.id, (now) => now.status === "running");
    await server.send("POST", `/api/v1/runs/${run.id}/cancel`);
    expect(await waitForRun(server, run.id)).toMatchObject({ status: "cancelled", tests: null });
  });

  it("is its owner's alone", async () => {
    const [one, other] = [await createPerson(server), await createPerson(server)];
    const run = await execute(server, { language: "python", code: double, tests: { cases: [{ stdin: "1" }] } }, one);
    expect(await reportOf(run, other)).toBe(404);
    expect(await reportOf(run, one)).toMatchObject({ summary: { passed: 1 } });
    expect(await reportOf(await execute(server, { language: "python", code: "1" }))).toBe(404);
  });

  it("takes many cases", async () => {
    const cases = Array.from({ length: 300 }, (_, n) => ({ stdin: `${n}`, expected: { stdout: `${2 * n}` } }));
    const run = await judge(double, { cases, parallel: 2 });
    expect(run.tests).toMatchObject({ passed: 300, total: 300 });
  });

  it.each<[string, unknown]>([
    ["no cases", { cases: [] }],
    ["two inputs", { cases: [{ stdin: "a", stdinBase64: "YQ==" }] }],
    ["a path that leads out", { cases: [{ files: [{ path: "../x", content: "" }] }] }],
    ["a file in a file", { cases: [{ files: [{ path: "main.py/x", content: "" }] }] }],
    ["expected files that lead out", { cases: [{ expected: { files: [{ path: "/etc/x", content: "" }] } }] }],
    ["half a character", { cases: [{ stdin: "\ud800" }] }],
    ["an unknown checker", { cases: [{}], check: { program: { language: "nothing", code: "x" } } }],
    ["an unknown check", { cases: [{}], check: "fuzzy" }],
    ["unknown fields", { cases: [{ expect: "x" }] }],
    ["a negative tolerance", { cases: [{}], check: { tolerance: -1 } }],
  ])("is refused with %s", async (_what, tests) => {
    const response = await server.send("POST", "/api/v1/executions", { language: "python", code: "1", tests });
    expect(response.status).toBe(400);
  });
});
