import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pointAt, startFakeSyla } from "./fake-syla.ts";
import { runCli, temporaryFolder } from "./run-cli.ts";

function program(files: Record<string, string | Buffer> = { "main.py": "print(1)\n" }): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

const userError = { class: "user_code", code: "uncaught_exception", message: "It failed.", hint: "See above.", location: null };

describe("output and exit code", () => {
  test("each stream goes to its own, and the program's code is ours", async () => {
    const fake = await startFakeSyla({
      output: [
        ["stdout", "one\n"],
        ["stderr", "Traceback\n"],
        ["stdout", "two"],
      ],
      run: { status: "failed", exitCode: 3, error: userError },
    });
    const result = await runCli(["exec", join(program(), "main.py")], { env: pointAt(fake) });
    expect(result).toMatchObject({ code: 3, stdout: "one\ntwo", stderr: "Traceback\n" });
  });

  test.each([
    [
      "a timeout is 124",
      { status: "timed_out", exitCode: null, signal: "SIGKILL", error: { ...userError, class: "limit", code: "timeout" } },
      124,
    ],
    [
      "a signal is 128 and its number",
      { status: "failed", exitCode: null, signal: "SIGSEGV", error: { ...userError, code: "killed_by_signal" } },
      139,
    ],
    [
      "out of memory is SIGKILL's",
      { status: "failed", exitCode: null, signal: "SIGKILL", error: { ...userError, class: "limit", code: "out_of_memory" } },
      137,
    ],
    ["our fault is 70", { status: "failed", exitCode: null, error: { ...userError, class: "infrastructure", code: "worker_lost" } }, 70],
    ["no room is 75", { status: "failed", exitCode: null, error: { ...userError, class: "infrastructure", code: "no_capacity" } }, 75],
    ["cancelled by somebody is 130", { status: "cancelled", exitCode: null, signal: "SIGTERM" }, 130],
  ])("%s", async (_, run, code) => {
    const fake = await startFakeSyla({ run });
    const result = await runCli(["exec", join(program(), "main.py")], { env: pointAt(fake) });
    expect(result.code).toBe(code);
    expect(result.stderr).toContain("error" in run ? `It failed. (${run.error.code})\n  ` : "run_01test was cancelled");
  });

  test("bytes that are no text reach a pipe as they were", async () => {
    const bytes = Buffer.concat([Buffer.from("ok ä "), Buffer.from([0xff, 0x00, 0xfe]), Buffer.from(" end\n")]);
    const fake = await startFakeSyla({
      output: [
        ["stdout", "ok ä "],
        ["stdout", "\uFFFD\0\uFFFD end\n"],
      ],
      log: { stdout: bytes },
    });
    const result = await runCli(["exec", join(program(), "main.py")], { env: pointAt(fake) });
    expect(result.stdoutBytes).toEqual(bytes);
  });

  test("a connection that is cut in between costs no line and doubles none", async () => {
    const output = Array.from({ length: 50 }, (_, index) => ["stdout", `line ${index}\n`] as const);
    const fake = await startFakeSyla({ output, cutAfter: 20 });
    const result = await runCli(["exec", join(program(), "main.py")], { env: pointAt(fake) });
    expect(result).toMatchObject({ code: 0, stdout: output.map(([, text]) => text).join(""), stderr: "" });
  });

  test("what the system says is on stderr", async () => {
    const fake = await startFakeSyla({ output: [["system", "[5 bytes were left out here\x1b[2J]\n"]], run: { truncated: true } });
    const result = await runCli(["exec", join(program(), "main.py")], { env: pointAt(fake) });
    expect(result).toMatchObject({ stdout: "", stderr: "syla: [5 bytes were left out here]\n" });
  });
});

describe("what is sent", () => {
  test("the file, the arguments and the flags", async () => {
    const fake = await startFakeSyla();
    const folder = program({ "main.py": "print(1)\n", "vars.env": "FROM_FILE=1\nBOTH=file\n" });
    const flags = [
      "--timeout",
      "1.5s",
      "--resource",
      "cpu=2,memory=4G",
      "-r",
      "processes=9",
      "--env-file",
      join(folder, "vars.env"),
      "-e",
      "BOTH=flag",
      "-e",
      "PASSED",
      "--tier",
      "namespace",
    ];
    await runCli(["exec", ...flags, join(folder, "main.py"), "-x", "--json", "a b"], { env: { ...pointAt(fake), PASSED: "yes" } });
    expect(fake.submitted).toEqual([
      {
        args: ["-x", "--json", "a b"],
        env: { FROM_FILE: "1", BOTH: "flag", PASSED: "yes" },
        limits: { cpus: 2, memoryBytes: 4 * 1024 ** 3, processes: 9, wallMs: 1500 },
        tier: "namespace",
        entrypoint: "main.py",
        files: [{ path: "main.py", content: "print(1)\n" }],
      },
    ]);
  });

  test("a file of variables that is not there is told of, and is no option of Node's", async () => {
    const fake = await startFakeSyla();
    const main = join(program(), "main.py");
    const refused = await runCli(["exec", "--env-file", "nofile", main], { env: pointAt(fake) });
    expect([refused.code, refused.stderr]).toEqual([66, expect.stringContaining("(file_unreadable)")]);
    expect(await runCli(["exec", main, "--env-file", "nofile"], { env: pointAt(fake) })).toMatchObject({ code: 0 });
    expect(fake.submitted).toMatchObject([{ args: ["--env-file", "nofile"] }]);
  });

  test("the network that it may use: none by default, hosts, or a policy, never both", async () => {
    const fake = await startFakeSyla();
    const main = join(program(), "main.py");
    const env = pointAt(fake);
    await runCli(["exec", main], { env });
    await runCli(["exec", "--allow-domain", "example.org", "--allow-domain", "*.example.net:8443", main], { env });
    await runCli(["exec", "--network", "full", main], { env });
    expect(fake.submitted.map((input) => input.network)).toEqual([undefined, { allow: ["example.org", "*.example.net:8443"] }, "full"]);
    const both = await runCli(["exec", "--network", "full", "--allow-domain", "example.org", main], { env });
    expect(both).toMatchObject({ code: 64, stdout: "" });
    expect(both.stderr).toContain("--network and --allow-domain cannot be combined");
    expect((await runCli(["exec", "--network", "some", main], { env })).code).toBe(64);
    expect(fake.submitted).toHaveLength(3);
  });

  test("a folder with its subfolders, without what is no part of it; large files as uploads, bytes as base64", async () => {
    const fake = await startFakeSyla();
    const big = Buffer.alloc(300_000, 7);
    const folder = program({
      "main.py": "",
      "lib/a.py": "a",
      ".git/config": "x",
      "node_modules/x/y.js": "x",
      "data.bin": Buffer.from([255, 0]),
      "big.bin": big,
    });
    symlinkSync(folder, join(folder, "circle"));
    await runCli(["exec", folder], { env: pointAt(fake) });
    expect(fake.submitted[0]?.entrypoint).toBe("main.py");
    expect(fake.submitted[0]?.files).toEqual([
      { path: "big.bin", blob: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
      { path: "data.bin", contentBase64: "/wA=" },
      { path: "lib/a.py", content: "a" },
      { path: "main.py", content: "" },
    ]);
    expect(fake.uploads).toEqual([big]);
  });

  test("extra files keep their place beside the program", async () => {
    const fake = await startFakeSyla();
    const folder = program({ "src/main.py": "", "src/lib/a.py": "a", "other/data.csv": "1" });
    await runCli(["exec", "-f", "src/lib", "-f", "other/data.csv", "src/main.py"], { env: pointAt(fake), cwd: folder });
    expect(fake.submitted[0]?.files?.map((file) => file.path).toSorted()).toEqual(["data.csv", "lib/a.py", "main.py"]);
  });

  test("standard input: piped, from a file, as bytes, as the code itself", async () => {
    const fake = await startFakeSyla();
    const folder = program({ "main.py": "", "in.txt": "from a file" });
    const main = join(folder, "main.py");
    const env = pointAt(fake);
    await runCli(["exec", main], { env, stdin: "piped" });
    await runCli(["exec", main], { env, stdin: Buffer.from([0xff]) });
    await runCli(["exec", "--stdin", join(folder, "in.txt"), main], { env, stdin: "not this" });
    await runCli(["exec", "--language", "bash", "-", "arg"], { env, stdin: "echo hi" });
    expect(fake.submitted[0]).toMatchObject({ stdin: "piped" });
    expect(fake.submitted[1]).toMatchObject({ stdinBase64: "/w==" });
    expect(fake.submitted[2]).toMatchObject({ stdin: "from a file" });
    expect(fake.submitted[3]).toMatchObject({ code: "echo hi", language: "bash", args: ["arg"] });
  });
});

describe("--json", () => {
  test("is one document with every field and the whole output", async () => {
    const long = "x".repeat(100_000);
    const fake = await startFakeSyla({
      output: [
        ["stdout", long],
        ["stderr", "oops\x9b31m"],
      ],
      run: { status: "failed", exitCode: 1, error: userError },
    });
    const result = await runCli(["exec", "--json", join(program(), "main.py")], { env: pointAt(fake) });
    expect(result).toMatchObject({ code: 1, stderr: "" });
    expect(result.stdout).not.toContain("\x9b");
    const document = JSON.parse(result.stdout) as Record<string, unknown>;
    expect(Object.keys(document)).toEqual([
      "runId",
      "status",
      "exitCode",
      "signal",
      "stdout",
      "stderr",
      "truncated",
      "timings",
      "tier",
      "limits",
      "network",
      "cached",
      "error",
    ]);
    expect(document).toMatchObject({
      runId: "run_01test",
      status: "failed",
      exitCode: 1,
      signal: null,
      stdout: long,
      stderr: "oops\x9b31m",
      tier: "namespace",
      cached: false,
      error: userError,
    });
    expect(Object.keys(document["timings"] as object)).toEqual(["queueMs", "startMs", "compileMs", "compileCached", "runMs", "totalMs"]);
  });

  test.each([
    ["a missing file", ["exec", "--json", "/nonexistent/main.py"], 66, { class: "request", code: "file_not_found" }],
    ["an unknown flag", ["exec", "--json", "--nope", "x.py"], 64, { class: "request", code: "usage" }],
    ["no server there", ["exec", "--json", "--language", "python", "-"], 69, { class: "infrastructure", code: "connection_failed" }],
  ])("is printed for %s too", async (_, args, code, error) => {
    const result = await runCli(args, { env: { SYLA_URL: "http://127.0.0.1:2", SYLA_API_KEY: "k" }, stdin: "x" });
    expect(result.code).toBe(code);
    expect(JSON.parse(result.stdout)).toMatchObject({ runId: null, status: "failed", exitCode: null, stdout: "", limits: null, error });
  });

  test("is printed when the server refuses", async () => {
    const fake = await startFakeSyla();
    fake.refuse = { status: 400, code: "unknown_language", message: "No such language: pyhton." };
    const result = await runCli(["exec", "--json", "-l", "pyhton", join(program(), "main.py")], { env: pointAt(fake) });
    expect(result.code).toBe(65);
    expect(JSON.parse(result.stdout)).toMatchObject({
      runId: null,
      error: { class: "request", code: "unknown_language", message: "No such language: pyhton.", hint: "A hint." },
    });
  });
});

describe("what goes wrong", () => {
  test("a file that is not there is named, with the one that was meant", async () => {
    const folder = program();
    const result = await runCli(["exec", "mian.py"], { env: { SYLA_URL: "http://127.0.0.1:2" }, cwd: folder });
    expect(result).toMatchObject({ code: 66, stdout: "" });
    expect(result.stderr).toContain('There is no file mian.py. Did you mean "main.py"?');
  });

  test.each([
    ["a folder that does not tell what to start", ["exec", "."], "--entrypoint"],
    ["a duration that is none", ["exec", "--timeout", "soon", "a.py"], '"soon" is not a duration'],
    ["a resource that is none", ["exec", "-r", "memroy=1G", "a.py"], 'Did you mean "memory"?'],
    ["a variable without a name", ["exec", "-e", "=1", "a.py"], "not the name of a variable"],
    ["code without a language", ["exec", "-"], "--language"],
  ])("%s", async (_, args, message) => {
    const result = await runCli(args, { env: { SYLA_URL: "http://127.0.0.1:2" }, cwd: program({ "a.py": "", "b.py": "" }) });
    expect(result.code).toBe(64);
    expect(result.stderr).toContain(message);
  });

  test("a wrong key is 77, fields that are wrong are listed, and the key is never shown", async () => {
    const fake = await startFakeSyla();
    const main = join(program(), "main.py");
    const denied = await runCli(["exec", main], { env: { ...pointAt(fake, "syla_wrong_key"), SYLA_DEBUG: "1" } });
    expect(denied.code).toBe(77);
    expect(denied.stdout + denied.stderr).not.toContain("syla_wrong_key");
    fake.refuse = {
      status: 400,
      code: "invalid_request",
      message: "The request is not valid.",
      fields: [{ path: "limits.wallMs", message: "too small\x1b[2J" }],
    };
    const refused = await runCli(["exec", main], { env: pointAt(fake) });
    expect(refused.stderr).toContain("limits.wallMs: too small");
    expect(refused.stderr).not.toContain("\x1b[2J");
  });

  test("Ctrl-C cancels the run, and its end is awaited", async () => {
    const fake = await startFakeSyla({
      output: [["stdout", "started\n"]],
      holdUntilCancelled: true,
      run: { status: "cancelled", exitCode: null, signal: "SIGTERM" },
    });
    let sent = false;
    const onOutput = (kill: (signal: NodeJS.Signals) => void, stdout: string) => {
      if (sent || !stdout.includes("started")) return;
      sent = true;
      kill("SIGINT");
    };
    const result = await runCli(["exec", join(program(), "main.py")], { env: pointAt(fake), onOutput });
    expect(result.code).toBe(130);
    expect(result.stderr).toContain("press Ctrl-C again");
    expect(fake.requests.map((request) => `${request.method} ${request.url}`)).toContain("POST /api/v1/runs/run_01test/cancel");
  });
});

test("--detach prints the id and does not wait", async () => {
  const fake = await startFakeSyla({ holdUntilCancelled: true });
  const main = join(program(), "main.py");
  expect(await runCli(["exec", "--detach", main], { env: pointAt(fake) })).toMatchObject({ code: 0, stdout: "run_01test\n" });
  const json = await runCli(["exec", "--json", "--no-wait", main], { env: pointAt(fake) });
  expect(JSON.parse(json.stdout)).toEqual({ runId: "run_01test", status: "queued" });
});

test("artifacts are saved below the folder, and none outside of it", async () => {
  const target = temporaryFolder();
  const good = await startFakeSyla({
    artifacts: [
      { path: "a.txt", content: "A" },
      { path: "sub/b.txt", content: "B" },
    ],
  });
  const main = join(program(), "main.py");
  const saved = await runCli(["exec", "-o", join(target, "out"), main], { env: pointAt(good) });
  expect(saved.stderr).toContain("2 files saved");
  expect(readFileSync(join(target, "out/sub/b.txt"), "utf8")).toBe("B");
  const outside = temporaryFolder();
  symlinkSync(outside, join(target, "out/link"));
  symlinkSync(join(outside, "file"), join(target, "out/file"));
  for (const path of ["../evil", "/etc/evil", "link/evil", "file", "a/../../evil", "nul\0"]) {
    const evil = await startFakeSyla({ artifacts: [{ path, content: "evil" }] });
    expect((await runCli(["exec", "-o", join(target, "out"), main], { env: pointAt(evil) })).code).not.toBe(0);
  }
  expect(existsSync(join(outside, "evil")) || existsSync(join(outside, "file")) || existsSync(join(target, "evil"))).toBe(false);
});

test("logs prints the bytes, one stream, or the events", async () => {
  const fake = await startFakeSyla({
    output: [
      ["stdout", "out\n"],
      ["stderr", "err\n"],
    ],
  });
  const env = pointAt(fake);
  expect((await runCli(["logs", "run_01test"], { env })).stdout).toBe("out\nerr\n");
  expect((await runCli(["logs", "--stream", "stderr", "run_01test"], { env })).stdout).toBe("err\n");
  const followed = await runCli(["logs", "-f", "run_01test"], { env });
  expect([followed.stdout, followed.stderr]).toEqual(["out\n", "err\n"]);
  const events = (await runCli(["logs", "-f", "--json", "run_01test"], { env })).stdout.trim().split("\n");
  expect(events.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(["status", "log", "log", "end"]);
});

test("a search for which the server had no time fails, and says how far it came", async () => {
  const line = { stream: "stdout", time: "2026-01-01T00:00:00.000Z", level: null, nodeId: null, matches: [[0, 1]] };
  const page = (number: number, nextAfter: number | null, complete: boolean) => {
    return { items: [{ ...line, number, text: `line ${number}` }], count: 2, lines: 5000, complete, nextAfter };
  };
  const search = async (...found: object[]) =>
    await runCli(["logs", "run_01test", "--search", "line"], { env: pointAt(await startFakeSyla({ found })) });
  expect(await search(page(1, 1, false), page(2, null, true))).toMatchObject({ code: 0, stdout: "line 1\nline 2\n", stderr: "" });
  const cut = await search(page(1, 1, true), page(2, null, false));
  expect(cut).toMatchObject({ code: 75, stdout: "line 1\nline 2\n" });
  expect(cut.stderr).toContain("first 5000 lines");
});
