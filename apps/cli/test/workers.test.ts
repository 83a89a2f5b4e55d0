import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import type { SandboxPool, WorkersReport } from "@syla/sdk";
import { createPerson, execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cliEntry, runCli } from "./run-cli.ts";

let server: TestServer;
let env: Record<string, string>;

beforeAll(async () => {
  server = await startTestServer({ SYLA_WORKER_SLOTS: "3" }, { sandboxes: {} });
  env = { SYLA_URL: server.url, SYLA_API_KEY: server.localKey, SYLA_HOME: mkdtempSync(join(tmpdir(), "syla-cli-home-")) };
  await execute(server, { language: "bash", code: "true" });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(env["SYLA_HOME"] ?? "", { recursive: true, force: true });
});

/** Runs a command on a terminal of its own, as long as `until` has not been seen. */
function onTerminal(command: string, until: () => boolean): { readonly seen: () => string; readonly ended: Promise<number | null> } {
  const child = spawn("script", ["-qec", `stty cols 160; exec ${process.execPath} ${cliEntry} ${command}`, "/dev/null"], {
    env: { ...env, PATH: process.env["PATH"] ?? "", TERM: "xterm" },
  });
  let seen = "";
  let interrupted = false;
  child.stdout.on("data", (chunk: Buffer) => {
    seen += chunk.toString();
    if (!interrupted && until()) {
      interrupted = true;
      child.stdin.write("\x03");
    }
  });
  return { seen: () => seen, ended: new Promise((resolve) => child.on("close", resolve)) };
}

describe("syla workers", () => {
  test("lists the workers, one a line", async () => {
    const { id, version } = { id: server.context.workerId, version: server.context.version };
    const { code, stdout } = await runCli(["workers"], { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^${id}\tlive\t0\t3\t${hostname()}\t${process.pid}\t${version}\t\\d{4}-[^\t]*\n$`));
  });

  test("--json has the queue too", async () => {
    const report = JSON.parse((await runCli(["workers", "--json"], { env })).stdout) as WorkersReport;
    expect(report.items).toMatchObject([{ id: server.context.workerId, current: true }]);
    expect(report.queue).toMatchObject({ queued: 0, running: 0, runsPerMinute: 1, sampled: 1 });
  });

  test("drain has one take no more runs, and resume takes that back", async () => {
    const id = server.context.workerId;
    expect(await runCli(["workers", "drain", id], { env })).toMatchObject({ code: 0, stdout: `${id} takes no more runs; it has none\n` });
    expect((await runCli(["workers"], { env })).stdout).toContain(`${id}\tdrained\t0`);
    expect(await runCli(["workers", "resume", id], { env })).toMatchObject({ code: 0, stdout: `${id} takes runs\n` });
    expect((await runCli(["workers"], { env })).stdout).toContain(`${id}\tlive\t0`);
    expect(await runCli(["workers", "drain", "worker_none"], { env })).toMatchObject({
      code: 66,
      stderr: expect.stringContaining("not_found"),
    });
  });

  test("is refused to others, with the reason", async () => {
    const { authorization } = await createPerson(server);
    const key = authorization.replace("Bearer ", "");
    for (const command of ["workers", "pools"]) {
      const refused = await runCli([command], { env: { ...env, SYLA_API_KEY: key } });
      expect([refused.code, refused.stdout, refused.stderr]).toEqual([77, "", expect.stringContaining("forbidden")]);
    }
  });

  test("--watch needs a terminal", async () => {
    expect(await runCli(["workers", "--watch"], { env })).toMatchObject({
      code: 64,
      stdout: "",
      stderr: expect.stringContaining("terminal"),
    });
    const asJson = await runCli(["pools", "--watch", "--json"], { env });
    expect([asJson.code, JSON.parse(asJson.stdout)]).toEqual([64, { error: expect.objectContaining({ code: "usage" }) }]);
  });

  // `script` of util-linux gives the command a terminal.
  test.skipIf(!existsSync("/usr/bin/script"))("--watch draws again until Ctrl-C, with what is new", async () => {
    const drawings = () => watched.seen().split("\x1b[H\x1b[2J").length - 1;
    const watched = onTerminal("workers --watch", () => drawings() >= 3);
    expect(await watched.ended).toBe(0);
    expect(watched.seen()).toMatch(/ID +STATE +RUNS +SLOTS +HOST/);
    expect(watched.seen()).toMatch(/submitted +1 runs within the last minute/);
  });
});

describe("syla pools", () => {
  test("lists the jails with their owners, and those that wait for one", async () => {
    const { code, stdout } = await runCli(["pools"], { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^any\tAdministrator\t0\t\d\t\d\t\d\t\d{4}-[^\t]*$/m);
    expect(stdout).toMatch(/^python@[\d.]+\t\(spare\)\t0\t1\t1\t1\t-$/m);
    const { items } = JSON.parse((await runCli(["pools", "--json"], { env })).stdout) as { items: SandboxPool[] };
    expect(items.find((pool) => pool.kind === "any")?.jails).toMatchObject([{ owner: { name: "Administrator", email: null } }]);
  });
});
