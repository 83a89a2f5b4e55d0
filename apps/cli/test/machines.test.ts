import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findTestGuest } from "@syla/testkit/guest";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

/** Virtual machines from the command line. */

const { folder, image, reason } = findTestGuest();
if (image === null) process.stdout.write(`\nno machine is booted: ${reason}\n`);

describe.skipIf(image === null)("syla --tier microvm", () => {
  let server: TestServer;
  let home: string;
  let env: Record<string, string>;
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "syla-cli-machines-"));
    symlinkSync(folder, join(home, "guest"));
    server = await startTestServer({ SYLA_RUNTIMES_DIR: home, SYLA_MICROVM_ACCELERATOR: "tcg", SYLA_MICROVM_WARM: "0" });
    env = { SYLA_URL: server.url, SYLA_API_KEY: server.localKey, SYLA_HOME: home };
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(home, { recursive: true, force: true });
  });
  const syla = (...args: string[]) => runCli(args, { env });

  const exec = (code: string, ...args: string[]) => runCli(["exec", "--language", "bash", ...args, "-"], { env, stdin: code });

  test("exec and runs show", async () => {
    const ran = await exec("uname -r", "--tier", "microvm", "--json");
    expect(JSON.parse(ran.stdout)).toMatchObject({ status: "succeeded", tier: "microvm", stdout: `${image?.kernel}\n` });
    const { runId } = JSON.parse(ran.stdout) as { runId: string };
    expect((await syla("runs", "show", runId)).stdout).toMatch(/^walls +qemu \(emulated\), bubblewrap, guest kernel/m);
  });

  test("sandbox: files, commands, contexts, pause, resume and delete", async () => {
    const id = (await syla("sandbox", "create", "--tier", "microvm")).stdout.trim();
    const file = join(home, "in.txt");
    writeFileSync(file, "put in");
    expect((await syla("sandbox", "put", id, file, "in.txt")).code).toBe(0);
    expect((await syla("sandbox", "exec", id, "uname -r; cat in.txt")).stdout).toBe(`${image?.kernel}\nput in`);
    expect((await runCli(["sandbox", "run", id], { env, stdin: "total = 40" })).code).toBe(0);
    expect((await runCli(["sandbox", "run", id], { env, stdin: "total + 2" })).stdout).toBe("42\n");
    expect((await syla("sandbox", "pause", id)).code).toBe(0);
    expect((await syla("sandbox", "resume", id)).code).toBe(0);
    expect((await syla("sandbox", "get", id, "in.txt", join(home, "back"))).code).toBe(0);
    expect(readFileSync(join(home, "back"), "utf8")).toBe("put in");
    expect((await syla("sandbox", "delete", id)).code).toBe(0);
  });

  test("what a team and a program ask for at least", async () => {
    const team = JSON.parse((await syla("team", "create", "careful", "--json")).stdout) as { id: string };
    const changed = await syla("team", "update", team.id, "--least-tier", "microvm", "--json");
    expect(JSON.parse(changed.stdout)).toMatchObject({ leastTier: "microvm" });
    const refused = await exec("true", "--tier", "namespace");
    expect(refused.stderr).toContain("tier_too_weak");
    const ran = await exec("true", "--json");
    expect(JSON.parse(ran.stdout)).toMatchObject({ tier: "microvm" });
    await syla("team", "update", team.id, "--least-tier", "namespace");
  });
});
