import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { runCli, temporaryFolder } from "./run-cli.ts";

const homes: string[] = [];
afterAll(async () => {
  for (const home of homes) await runCli(["down", "--force"], { env: { SYLA_HOME: home } });
});

/** A home of its own, whose server is stopped when the test ends. */
function newHome(): Record<string, string> {
  const home = temporaryFolder();
  homes.push(home);
  onTestFinished(async () => void (await runCli(["down"], { env: { SYLA_HOME: home } })));
  return { SYLA_HOME: home };
}

const readPid = (home: string) => (JSON.parse(readFileSync(join(home, "data/server.json"), "utf8")) as { pid: number }).pid;

test("up starts, status tells, the owner is signed in, down stops", { timeout: 60_000 }, async () => {
  const env = newHome();
  const up = await runCli(["up", "--detach", "--port", "0", "--json"], { env });
  expect(up.code).toBe(0);
  const server = JSON.parse(up.stdout) as { pid: number; url: string; setupUrl: string; started: boolean };
  expect(server).toMatchObject({ started: true, setupUrl: expect.stringContaining(`${server.url}/setup?token=`) as string });
  expect(JSON.parse((await runCli(["status", "--json"], { env })).stdout)).toMatchObject({
    status: "ready",
    source: "local",
    pid: server.pid,
    setupNeeded: true,
  });
  expect(JSON.parse((await runCli(["auth", "status", "--json"], { env })).stdout)).toMatchObject({
    source: "local",
    user: { role: "admin" },
  });
  const again = await runCli(["up", "--detach"], { env });
  expect(again.stdout.trim()).toBe(server.setupUrl);
  expect((await runCli(["server", "logs", "-n", "50"], { env })).stdout).toContain("ready");
  expect(statSync(join(env["SYLA_HOME"] as string, "data/server.log")).mode & 0o777).toBe(0o600);
  expect(JSON.parse((await runCli(["down", "--json"], { env })).stdout)).toEqual({ stopped: true, pid: server.pid });
  expect((await runCli(["status"], { env })).code).toBe(3);
  expect(await runCli(["down"], { env })).toMatchObject({ code: 0, stdout: "No local server was running.\n" });
});

test("several starts at once make one server, and all find it", { timeout: 60_000 }, async () => {
  const env = newHome();
  const ups = await Promise.all(Array.from({ length: 4 }, () => runCli(["up", "--detach", "--port", "0", "--json"], { env })));
  expect(ups.map((up) => up.code)).toEqual([0, 0, 0, 0]);
  const servers = ups.map((up) => JSON.parse(up.stdout) as { pid: number; started: boolean });
  expect(new Set(servers.map((server) => server.pid)).size).toBe(1);
  expect(servers.filter((server) => server.started)).toHaveLength(1);
});

test("after kill -9 the next start works", { timeout: 60_000 }, async () => {
  const env = newHome();
  await runCli(["up", "--detach", "--port", "0"], { env });
  const pid = readPid(env["SYLA_HOME"] as string);
  process.kill(pid, "SIGKILL");
  while (existsSync(`/proc/${pid}`)) await new Promise((resolve) => setTimeout(resolve, 20));
  expect((await runCli(["status"], { env })).code).toBe(3);
  expect((await runCli(["up", "--detach", "--port", "0"], { env })).code).toBe(0);
});

test("in the foreground it shows the log and ends with the signal", { timeout: 60_000 }, async () => {
  const env = newHome();
  let stopped = false;
  const onOutput = (kill: (signal: NodeJS.Signals) => void, stdout: string) => {
    if (stopped || !stdout.includes("http://")) return;
    stopped = true;
    kill("SIGTERM");
  };
  const result = await runCli(["up", "--port", "0"], { env, onOutput });
  expect(result.code).toBe(0);
  expect(result.stderr).toContain("ready");
  expect((await runCli(["status"], { env })).code).toBe(3);
});

test("why it does not start is told: the port", { timeout: 60_000 }, async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void other.close());
  const result = await runCli(["up", "--detach", "--port", String((other.address() as AddressInfo).port)], { env: newHome() });
  expect(result.code).toBe(69);
  expect(result.stderr).toContain("port_in_use");
});

test("why it does not start is told: an open address without TLS", async () => {
  const result = await runCli(["up", "--detach", "--host", "0.0.0.0", "--port", "0"], { env: newHome() });
  expect(result.code).toBe(78);
  expect(result.stderr).toContain("--insecure");
});

test("why it does not start is told: a data directory of a newer version, which is left as it is", async () => {
  const env = newHome();
  const data = join(env["SYLA_HOME"] as string, "data");
  mkdirSync(data);
  writeFileSync(join(data, "layout.json"), '{"layout":99}');
  const result = await runCli(["up", "--detach", "--port", "0"], { env });
  expect(result.code).toBe(78);
  expect(result.stderr).toContain("data_dir_newer");
  expect(readFileSync(join(data, "layout.json"), "utf8")).toBe('{"layout":99}');
});

test("down does not touch a process that only has the number of a server", async () => {
  const env = newHome();
  const data = join(env["SYLA_HOME"] as string, "data");
  mkdirSync(data);
  writeFileSync(join(data, "server.json"), JSON.stringify({ pid: process.pid, url: "http://127.0.0.1:1", version: "1", startedAt: "x" }));
  expect((await runCli(["down", "--force"], { env })).stdout).toBe("No local server was running.\n");
});

test("a home that cannot be written is named", async () => {
  const result = await runCli(["up", "--detach"], { env: { SYLA_HOME: "/proc/syla" } });
  expect(result.code).toBe(73);
  expect(result.stderr).toContain("/proc/syla");
});

test("without HOME the files go where the account's home is", () => {
  const script = 'import { sylaHome } from "./apps/cli/src/settings/home.ts"; console.log(sylaHome(process.env))';
  const root = new URL("../../..", import.meta.url).pathname;
  const ask = (env: Record<string, string>) =>
    execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: root, env, encoding: "utf8" }).trim();
  expect(ask({ HOME: "" })).toMatch(/^\/.*\/\.syla$/);
  expect(ask({})).toBe(ask({ HOME: "" }));
  expect(ask({ HOME: "/h", SYLA_HOME: "/elsewhere" })).toBe("/elsewhere");
});
