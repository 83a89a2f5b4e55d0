import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cliEntry, runCli, temporaryFolder } from "./run-cli.ts";

let server: TestServer;
let env: Record<string, string>;
let id: string;

beforeAll(async () => {
  server = await startTestServer();
  env = { SYLA_URL: server.url, SYLA_API_KEY: server.localKey, SYLA_HOME: mkdtempSync(join(tmpdir(), "syla-cli-home-")) };
  id = (await sandbox("create", "--name", "bench", "-e", "COLOUR=blue")).stdout.trim();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(env["SYLA_HOME"] ?? "", { recursive: true, force: true });
});

const sandbox = (...args: string[]) => runCli(["sandbox", ...args], { env });
const feed = (stdin: string | Buffer, ...args: string[]) => runCli(["sandbox", ...args], { env, stdin });

describe("syla sandbox", () => {
  test("create, list and show", async () => {
    expect(id).toMatch(/^sbx_/);
    expect((await sandbox("list")).stdout).toContain(`${id}\tbench\trunning\tpython\t`);
    expect(JSON.parse((await sandbox("show", id, "--json")).stdout)).toMatchObject({
      id,
      status: "running",
      stats: { processes: 0 },
      ports: [],
    });
    expect((await sandbox("show", id)).stdout).toMatch(/^name +bench$/m);
  });

  test("exec: the bytes, the input and the exit code of a command", async () => {
    const result = await sandbox("exec", id, "echo $COLOUR; printf '\\377'; echo no >&2; exit 3");
    expect([result.code, result.stdoutBytes.toString("latin1"), result.stderr]).toEqual([3, "blue\n\u00ff", "no\n"]);
    expect((await feed(Buffer.from([1, 255, 2]), "exec", id, "cat")).stdoutBytes).toEqual(Buffer.from([1, 255, 2]));
    expect((await sandbox("exec", "-C", "/tmp", "-e", "A=b", id, "sh", "-c", "pwd; echo $A")).stdout).toBe("/tmp\nb\n");
    expect((await sandbox("exec", "-t", "200ms", id, "sleep 60")).code).toBe(124);
    expect(JSON.parse((await sandbox("exec", "--json", id, "exit 4")).stdout)).toMatchObject({ exitCode: 4 });
    const missing = await sandbox("exec", id, "/no/such", "program");
    expect([missing.code, missing.stderr]).toEqual([66, expect.stringContaining("path_not_found")]);
  });

  test("put, ls and get", async () => {
    const folder = temporaryFolder();
    const bytes = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 256));
    writeFileSync(join(folder, "a b.bin"), bytes, { mode: 0o755 });
    expect((await sandbox("put", id, join(folder, "a b.bin"), "in/")).code).toBe(0);
    expect((await sandbox("ls", id, "in")).stdout).toBe("0755\t4.9 KiB\t/workspace/in/a b.bin\n");
    expect((await sandbox("get", id, "in/a b.bin", join(folder, "back"))).code).toBe(0);
    expect(readFileSync(join(folder, "back"))).toEqual(bytes);
    expect((await sandbox("get", id, "in/a b.bin", "-")).stdoutBytes).toEqual(bytes);
    const missing = await sandbox("get", id, "nowhere", join(folder, "none"));
    expect([missing.code, existsSync(join(folder, "none"))]).toEqual([66, false]);
    expect((await sandbox("put", id, join(folder, "nothing"))).code).toBe(66);
  });

  test("mkdir, mv, chmod and rm: what the shell's do, and what they refuse", async () => {
    expect((await sandbox("mkdir", id, "deep/er", "other")).code).toBe(0);
    await sandbox("exec", id, "echo one > deep/a; echo two > deep/b");
    expect((await sandbox("mv", id, "deep/a", "deep/er/a")).code).toBe(0);
    const taken = await sandbox("mv", id, "deep/b", "deep/er/a");
    expect([taken.code === 0, taken.stderr]).toEqual([false, expect.stringContaining("exists")]);
    expect((await sandbox("mv", "-f", id, "deep/b", "deep/er/a")).code).toBe(0);
    expect(JSON.parse((await sandbox("chmod", "--json", id, "640", "deep/er/a")).stdout)).toMatchObject([{ mode: 0o640 }]);
    expect((await sandbox("chmod", id, "rwx", "deep/er/a")).code).toBe(64);
    expect((await sandbox("exec", id, "cat deep/er/a; stat -c %a deep/er/a; ls deep")).stdout).toBe("two\n640\ner\n");
    expect((await sandbox("rm", id, "deep")).code).not.toBe(0);
    expect((await sandbox("rm", "-r", id, "deep", "other")).code).toBe(0);
    expect((await sandbox("exec", id, "ls -d deep other 2>&1 | wc -l")).stdout).toBe("2\n");
    expect((await sandbox("rm", id, "nowhere")).code).toBe(66);
  });

  test("watch: what changes, until it is interrupted", async () => {
    const { PATH = "" } = process.env;
    const child = spawn(process.execPath, [cliEntry, "sandbox", "watch", id], { env: { ...env, PATH } });
    const text = { out: "", err: "" };
    child.stdout.on("data", (chunk: Buffer) => (text.out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (text.err += chunk.toString()));
    const closed = new Promise((resolve) => child.on("close", resolve));
    await expect.poll(() => text.err, { timeout: 20_000 }).toContain("watching /workspace");
    await sandbox("exec", id, "mkdir seen; echo x > seen/file");
    await expect
      .poll(() => text.out, { timeout: 20_000 })
      .toMatch(/^created\t\/workspace\/seen\/$[\s\S]*^(created|modified)\t\/workspace\/seen\/file$/m);
    child.kill("SIGINT");
    await closed;
  });

  test("run: variables stay, errors are told", async () => {
    await feed("x = 20", "run", id);
    expect(await feed("print('hi')\nx + 1", "run", id)).toMatchObject({ code: 0, stdout: "hi\n21\n" });
    const failed = await feed("1/0", "run", id);
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining("ZeroDivisionError")]);
    expect((await feed("[1, 2].map((n) => n * 2)", "run", "-l", "javascript", id)).stdout).toBe("[ 2, 4 ]\n");
  });

  // `script` of util-linux gives the command a terminal.
  test.skipIf(!existsSync("/usr/bin/script"))("shell: keys in, screen out, and the exit code", async () => {
    const { PATH = "" } = process.env;
    const child = spawn("script", ["-qec", `${process.execPath} ${cliEntry} sandbox shell ${id}`, "/dev/null"], {
      env: { ...env, PATH, TERM: "xterm" },
    });
    let seen = "";
    child.stdout.on("data", (chunk: Buffer) => (seen += chunk.toString()));
    const code = new Promise((resolve) => child.on("close", resolve));
    await expect.poll(() => seen, { timeout: 20_000 }).toContain("$ ");
    child.stdin.write("echo mark$((40+2)); tty\n");
    await expect.poll(() => seen, { timeout: 20_000 }).toMatch(/mark42[\s\S]*\/dev\/pts\/0/);
    child.stdin.write("exit 7\n");
    expect(await code).toBe(7);
    expect((await sandbox("shell", id)).stderr).toContain("no_terminal");
  });

  test("pause, resume and delete", async () => {
    expect((await sandbox("pause", id)).stdout).toBe("paused\n");
    expect((await sandbox("exec", id, "true")).stderr).toContain("sandbox_paused");
    expect((await sandbox("resume", id)).stdout).toBe("running\n");
    expect((await sandbox("delete", id)).code).toBe(0);
    expect((await sandbox("list")).stdout).toBe("");
    expect((await sandbox("list", "--ended")).stdout).toContain("\tstopped\t");
  });
});
