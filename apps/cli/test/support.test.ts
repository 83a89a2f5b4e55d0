import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createRedactor } from "../src/support/redact.ts";
import { writeTar } from "../src/support/write-tar.ts";
import { runCli, temporaryFolder } from "./run-cli.ts";

const planted = {
  profileKey: "syla_key_in_profile_1234567890",
  localKey: "local-key-0987654321",
  variableKey: "plain words of a key",
  databasePassword: "hunter2+two",
  urlPassword: "pass-in-url",
  setupToken: "set-up-token-abcdef",
  shareToken: "share-token-in-path",
  output: "the program printed this",
  errorMessage: "message that quotes a prompt",
  bearer: "Bearer abcdefghij0123456789",
} as const;

function plantedHome(): string {
  const home = temporaryFolder();
  mkdirSync(join(home, "data"));
  const profiles = { work: { url: `http://ada:${planted.urlPassword}@127.0.0.1:1`, apiKey: planted.profileKey } };
  writeFileSync(join(home, "config.json"), JSON.stringify({ profile: "local", profiles }));
  writeFileSync(join(home, "data/cli.key"), `${planted.localKey}\n`);
  writeFileSync(
    join(home, "data/config.json"),
    JSON.stringify({ databaseUrl: `postgres://u:${encodeURIComponent(planted.databasePassword)}@db/syla`, port: 9000 }),
  );
  const records = [
    {
      level: "info",
      time: "2026-01-01T00:00:00.000Z",
      url: `http://127.0.0.1:1/?token=${planted.setupToken}`,
      version: "0.1.0",
      msg: "ready",
    },
    { level: "debug", method: "GET", path: `/api/v1/share-links/${planted.shareToken}`, status: 200, ms: 3, msg: "request" },
    { level: "warn", runId: "run_1", output: planted.output, reason: planted.output, msg: "a log could not be stored" },
    {
      level: "error",
      err: {
        type: "TypeError",
        message: planted.errorMessage,
        stack: `TypeError: ${planted.errorMessage}\n    at work (file:///srv/syla/a.ts:1:2)\n    at ${planted.output}`,
      },
      msg: "request failed",
    },
    { level: "info", library: "better-auth", msg: planted.errorMessage },
    { level: "info", headers: { authorization: planted.bearer }, msg: `tried ${planted.localKey}` },
    { level: "debug", postgres: planted.output, msg: "PostgreSQL" },
  ];
  const lines = [...records.map((record) => JSON.stringify(record)), planted.output, `syla: data_dir_in_use: ${planted.errorMessage}`];
  writeFileSync(join(home, "data/server.log"), `${lines.join("\n")}\n`);
  return home;
}

test("a support bundle tells of versions, settings and the log, and of no secret or output", async () => {
  const home = plantedHome();
  const file = join(temporaryFolder(), "bundle.tar.gz");
  const env = { SYLA_HOME: home, SYLA_MASTER_KEY: planted.variableKey, SYLA_PORT: "9000" };
  const result = await runCli(["support", "bundle", "-o", file, "--json"], { env });
  expect(JSON.parse(result.stdout)).toEqual({
    file,
    files: ["README.txt", "versions.json", "doctor.json", "settings.json", "environment.json", "server.log"],
  });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const all = gunzipSync(readFileSync(file)).toString("utf8");
  for (const [name, secret] of Object.entries(planted)) expect([name, all.includes(secret)]).toEqual([name, false]);

  const folder = temporaryFolder();
  execFileSync("tar", ["-xzf", file, "-C", folder]);
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  expect(JSON.parse(read("settings.json"))).toEqual({
    commandLine: { profile: "local", profiles: { work: { url: "http://[secret]@127.0.0.1:1", api_key: "[secret]" } }, workspaces: {} },
    server: { databaseUrl: "[secret]", port: "9000" },
  });
  expect(JSON.parse(read("environment.json"))).toMatchObject({ SYLA_MASTER_KEY: "[set]", SYLA_PORT: "9000" });
  expect(JSON.parse(read("versions.json"))).toMatchObject({
    node: process.versions.node,
    server: { error: { code: "server_not_running" } },
  });
  expect(JSON.parse(read("doctor.json"))).toMatchObject({ checks: expect.arrayContaining([expect.objectContaining({ name: "node" })]) });
  const log = read("server.log");
  expect(log).toContain('"path":"/api/v1/share-links/*","status":200');
  expect(log).toContain('{"type":"TypeError","frames":["at work (file:///srv/syla/a.ts:1:2)"]}');
  expect(log).toContain("syla: data_dir_in_use\n(1 lines that are no records are left out)\n");
});

test("a bundle is written into a new file only, and where it can be", async () => {
  const folder = temporaryFolder();
  const file = join(folder, "there.tar.gz");
  writeFileSync(file, "mine");
  const env = { SYLA_HOME: folder };
  expect((await runCli(["support", "bundle", "-o", file], { env })).code).toBe(73);
  expect(readFileSync(file, "utf8")).toBe("mine");
  expect((await runCli(["support", "bundle", "-o", join(folder, "no/x")], { env })).code).toBe(73);
  expect((await runCli(["support", "bundle", "-n", "many"], { env })).code).toBe(64);
});

test("no secret that is known comes through, wherever it stands", () => {
  const secret = fc.string({ minLength: 4, maxLength: 30 });
  fc.assert(
    fc.property(secret, fc.string(), fc.string(), (known, before, after) => {
      fc.pre(!"[secret]".includes(known));
      expect(createRedactor([known])(`${before}${known}${after}`).includes(known)).toBe(false);
    }),
  );
});

test("tar reads what is written", () => {
  const file = join(temporaryFolder(), "a.tar.gz");
  const long = "ä".repeat(5000);
  writeFileSync(
    file,
    writeTar(
      [
        { path: "a.txt", text: "" },
        { path: "b/c.txt", text: long },
      ],
      new Date("2026-01-02T03:04:05Z"),
    ),
  );
  expect(execFileSync("tar", ["-tzf", file], { encoding: "utf8" })).toBe("a.txt\nb/c.txt\n");
  expect(execFileSync("tar", ["-xzOf", file, "b/c.txt"], { encoding: "utf8" })).toBe(long);
});

function brokenHome(): string {
  const home = plantedHome();
  chmodSync(join(home, "data/cli.key"), 0o644);
  writeFileSync(join(home, "data/server.json"), JSON.stringify({ pid: 999_999_999, url: "http://127.0.0.1:1" }));
  const leftover = join(home, "config.json.123.0123abcd.tmp");
  writeFileSync(leftover, "half");
  utimesSync(leftover, new Date(0), new Date(0));
  writeFileSync(join(home, "config.json.124.0123abcd.tmp"), "being written");
  return home;
}

test("doctor --fix puts right what it can and says each step; --dry-run only says it", async () => {
  const home = brokenHome();
  const env = { SYLA_HOME: home };
  const before = readdirSync(home).toSorted();
  const dry = await runCli(["doctor", "--fix", "--dry-run"], { env });
  expect(dry.stderr).toContain(`would let only you use it (chmod 600 ${join(home, "data/cli.key")})`);
  expect(readdirSync(home).toSorted()).toEqual(before);
  expect((await runCli(["doctor"], { env })).stdout).toContain("What `syla doctor --fix` would do:");

  const fixed = await runCli(["doctor", "--fix"], { env });
  for (const word of ["cli.key can be used by others", "is of a server that is gone", "was left half written", "take them over"])
    expect(fixed.stderr).toContain(word);
  expect(statSync(join(home, "data/cli.key")).mode & 0o777).toBe(0o600);
  expect(existsSync(join(home, "data/server.json"))).toBe(false);
  expect(readdirSync(home).toSorted()).toEqual(["config.json.124.0123abcd.tmp", "config.toml", "data"]);
  expect((await runCli(["doctor", "--fix", "--json"], { env })).stdout).toContain('"repairs":[]');
  expect((await runCli(["doctor", "--dry-run"], { env })).code).toBe(64);
});
