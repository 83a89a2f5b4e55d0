import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { expect, test } from "vitest";
import { writeTomlFile } from "../src/settings/toml-file.ts";
import { pointAt, startFakeSyla } from "./fake-syla.ts";
import { runCli, temporaryFolder } from "./run-cli.ts";

test("signing in keeps the key, for this person only, and it is used from then on", async () => {
  const fake = await startFakeSyla();
  const home = join(temporaryFolder(), "new/home");
  const env = { SYLA_HOME: home };
  const login = await runCli(["auth", "login", "--url", `${fake.url}/`, "--profile", "work"], { env, stdin: "syla_key_good\n" });
  expect(login).toMatchObject({ code: 0, stdout: `Signed in to ${fake.url} as Ada (profile work).\n` });
  expect(statSync(join(home, "config.toml")).mode & 0o777).toBe(0o600);
  expect(statSync(home).mode & 0o777).toBe(0o700);
  const status = await runCli(["auth", "status", "--json"], { env });
  expect(JSON.parse(status.stdout)).toMatchObject({ url: fake.url, source: "profile", profile: "work", user: { name: "Ada" } });
  const shown = [login, status, await runCli(["config", "list"], { env }), await runCli(["auth", "status"], { env })];
  expect(shown.map((result) => result.stdout + result.stderr).join("")).not.toContain("syla_key_good");
  expect((await runCli(["auth", "logout"], { env })).stdout).toContain("Forgot the key of profile work");
  expect(readFileSync(join(home, "config.toml"), "utf8")).not.toContain("syla_key_good");
  expect((await runCli(["auth", "status"], { env })).code).toBe(69);
});

test("a wrong key is not kept", async () => {
  const fake = await startFakeSyla();
  const home = temporaryFolder();
  const result = await runCli(["auth", "login", "--url", fake.url, "--api-key", "syla_key_bad"], { env: { SYLA_HOME: home } });
  expect(result.code).toBe(77);
  expect(existsSync(join(home, "config.toml"))).toBe(false);
});

test("SYLA_URL goes before --profile, that before SYLA_PROFILE, that before the current one; SYLA_API_KEY before any key", async () => {
  const home = temporaryFolder();
  const servers = { one: await startFakeSyla(), two: await startFakeSyla(), three: await startFakeSyla() };
  const profile = (name: keyof typeof servers, apiKey = "syla_key_good") => ({ url: servers[name].url, apiKey });
  writeFileSync(
    join(home, "config.json"),
    JSON.stringify({ profile: "one", profiles: { one: profile("one"), two: profile("two"), bad: profile("two", "syla_key_bad") } }),
  );
  const urlOf = async (env: Record<string, string>, ...flags: string[]) => {
    const result = await runCli(["auth", "status", "--json", ...flags], { env: { SYLA_HOME: home, ...env } });
    return (JSON.parse(result.stdout) as { url?: string }).url ?? result.code;
  };
  expect(await urlOf({})).toBe(servers.one.url);
  expect(await urlOf({ SYLA_PROFILE: "two" })).toBe(servers.two.url);
  expect(await urlOf({ SYLA_PROFILE: "one" }, "--profile", "two")).toBe(servers.two.url);
  expect(await urlOf(pointAt(servers.three), "--profile", "two")).toBe(servers.three.url);
  expect(await urlOf({ SYLA_URL: servers.two.url })).toBe(servers.two.url);
  expect(await urlOf({}, "--profile", "bad")).toBe(77);
  expect(await urlOf({ SYLA_API_KEY: "syla_key_good" }, "--profile", "bad")).toBe(servers.two.url);
  expect(await urlOf({ SYLA_PROFILE: "onne" })).toBe(78);
});

test("the local server's key is not sent elsewhere", async () => {
  const fake = await startFakeSyla();
  const home = temporaryFolder();
  mkdirSync(join(home, "data"));
  writeFileSync(join(home, "data/cli.key"), "local_secret\n");
  writeFileSync(join(home, "data/server.json"), JSON.stringify({ pid: process.pid, url: fake.url, version: "1", startedAt: "x" }));
  const result = await runCli(["auth", "status"], { env: { SYLA_HOME: home, SYLA_URL: fake.url } });
  expect(result.code).toBe(77);
  expect(fake.requests.map((request) => request.authorization)).toEqual([undefined]);
});

test("an address that is none is refused, and the password in it is not repeated", async () => {
  const result = await runCli(["auth", "status"], { env: { SYLA_URL: "http://user:hunter2@host/" } });
  expect(result.code).toBe(78);
  expect(result.stderr).not.toContain("hunter2");
});

test("settings of the local server are set, shown, masked and taken back", async () => {
  const home = temporaryFolder();
  const config = (...args: string[]) => runCli(["config", ...args], { env: { SYLA_HOME: home } });
  await config("set", "port", "9000");
  await config("set", "trustProxy", "10.0.0.0/8,proxy.local");
  await config("set", "databaseUrl", "postgres://u:hunter2@db/syla");
  expect(JSON.parse(readFileSync(join(home, "data/config.json"), "utf8"))).toEqual({
    port: 9000,
    trustProxy: "10.0.0.0/8,proxy.local",
    databaseUrl: "postgres://u:hunter2@db/syla",
  });
  expect((await config("get", "port")).stdout).toBe("9000\n");
  expect(JSON.parse((await config("list", "--json")).stdout)).toEqual({
    profile: "local",
    port: "9000",
    trustProxy: "10.0.0.0/8,proxy.local",
    databaseUrl: "[secret]",
  });
  await config("unset", "port");
  expect((await config("get", "port")).stdout).toBe("\n");
});

test.each([
  ["an unknown setting", ["set", "prot", "1"], 'Did you mean "port"?', 64],
  ["a port that is no number", ["set", "port", "high"], "a whole number", 64],
  ["a flag that is neither", ["set", "insecure", "maybe"], "true or false", 64],
  ["a profile that is not there", ["set", "profile", "nope"], "There is no profile", 78],
])("%s changes nothing", async (_, args, message, code) => {
  const home = temporaryFolder();
  const result = await runCli(["config", ...args], { env: { SYLA_HOME: home } });
  expect(result.code).toBe(code);
  expect(result.stderr).toContain(message);
  expect(existsSync(join(home, "config.toml")) || existsSync(join(home, "data"))).toBe(false);
});

test("a damaged settings file is named, and left as it is", async () => {
  const home = temporaryFolder();
  writeFileSync(join(home, "config.json"), "{oops");
  const result = await runCli(["runs", "list"], { env: { SYLA_HOME: home } });
  expect(result.code).toBe(78);
  expect(result.stderr).toContain(join(home, "config.json"));
  expect(readFileSync(join(home, "config.json"), "utf8")).toBe("{oops");
});

test("an old settings file is taken over with the first change, and nothing of it is lost", async () => {
  const home = temporaryFolder();
  const old = join(home, "config.json");
  const fresh = join(home, "config.toml");
  const env = { SYLA_HOME: home };
  const profiles = {
    work: { url: "http://127.0.0.1:1", apiKey: "syla_key_work" },
    "at home": { url: "http://127.0.0.1:2", apiKey: 'k"2', team: "a" },
  };
  const before = { profile: "work", profiles, workspaces: { "http://127.0.0.1:1": "wks_1" }, later: { list: [1, "a"], nothing: null } };
  writeFileSync(old, JSON.stringify(before));
  expect((await runCli(["config", "get", "profile"], { env })).stdout).toBe("work\n");
  expect([existsSync(old), existsSync(fresh)]).toEqual([true, false]);
  expect((await runCli(["config", "set", "profile", "at home"], { env })).code).toBe(0);
  expect([existsSync(old), statSync(fresh).mode & 0o777]).toEqual([false, 0o600]);
  expect(parse(readFileSync(fresh, "utf8"))).toEqual({
    profile: "at home",
    profiles: {
      work: { url: "http://127.0.0.1:1", api_key: "syla_key_work" },
      "at home": { url: "http://127.0.0.1:2", api_key: 'k"2', team: "a" },
    },
    workspaces: { "http://127.0.0.1:1": "wks_1" },
    later: { list: [1, "a"] },
  });
});

test("what a person wrote into the settings file stays when it is changed", async () => {
  const fake = await startFakeSyla();
  const home = temporaryFolder();
  const file = join(home, "config.toml");
  const env = { SYLA_HOME: home };
  const text = [
    "# mine",
    'profile = "work" # the usual one',
    "",
    "# at the office",
    "[profiles.work]",
    `url = "${fake.url}"`,
    'api_key = "syla_key_good"',
    "",
    '[profiles."other place"]',
    'url = "http://127.0.0.1:2"',
    'api_key = "k2"',
    "",
  ].join("\n");
  writeFileSync(file, text);
  expect((await runCli(["config", "set", "profile", "other place"], { env })).code).toBe(0);
  expect(readFileSync(file, "utf8")).toBe(text.replace('profile = "work" # the usual one', 'profile = "other place"'));
  const login = ["auth", "login", "--url", fake.url, "--profile", "new"];
  expect((await runCli(login, { env, stdin: "syla_key_good\n" })).code).toBe(0);
  const grown = readFileSync(file, "utf8");
  expect(grown).toContain("# mine\n");
  expect(grown).toContain(`\n[profiles.new]\nurl = "${fake.url}"\napi_key = "syla_key_good"\n`);
  expect((await runCli(["auth", "logout"], { env })).code).toBe(0);
  expect(readFileSync(file, "utf8")).toBe(text.replace('profile = "work" # the usual one', 'profile = "local"'));
});

test("what is written in other ways of TOML is changed as well, and means the same", () => {
  const values = { profile: "b", profiles: { a: { url: "u", api_key: "k" }, b: { url: "v", api_key: "l" } }, workspaces: {} };
  const file = join(temporaryFolder(), "config.toml");
  writeFileSync(file, 'profile = """a"""\nprofiles = { a = { url = "u", api_key = "old" } }\n');
  writeTomlFile(file, values, "# heading\n");
  expect(parse(readFileSync(file, "utf8"))).toEqual(values);
});

test.each([
  ["a broken line", 'profile = "a"\nprofiles = [\n', "config.toml:"],
  ["a profile without a key", '[profiles.a]\nurl = "http://127.0.0.1:1"\n', "the profile a needs a url and an api_key"],
  ["a number", "profile = 3\n", "profile is not the name of one"],
])("%s in the settings is refused, and no key is shown", async (_, text, message) => {
  const home = temporaryFolder();
  writeFileSync(join(home, "config.toml"), `${text}\n[profiles.b]\nurl = "http://127.0.0.1:2"\napi_key = "syla_key_b"\n`);
  const result = await runCli(["runs", "list"], { env: { SYLA_HOME: home } });
  expect(result.code).toBe(78);
  expect(result.stderr).toContain(message);
  expect(result.stderr).not.toContain("syla_key_b");
});

test("commands and their groups: help, version, and what was meant", async () => {
  expect((await runCli(["version", "--json"])).stdout).toContain('"version"');
  expect((await runCli(["--help"])).stdout).toContain("Exit codes");
  const wrong = await runCli(["statsu"]);
  expect(wrong.code).toBe(64);
  expect(wrong.stderr).toContain("Did you mean status?");
  expect((await runCli(["runs"])).code).toBe(64);
});

test("completion scripts know commands and flags, and bash accepts its own", async () => {
  const bash = (await runCli(["completion", "bash"])).stdout;
  expect(bash).toContain(
    '"runs") words="list summary show wait trace download link rerun compare cancel retry delete pin unpin requeue share unshare access help --help"',
  );
  const ask = `${bash}\nCOMP_WORDS=(syla runs l); COMP_CWORD=2; _syla; echo "\${COMPREPLY[@]}"; COMP_WORDS=(syla exec --time); COMP_CWORD=2; _syla; echo "\${COMPREPLY[@]}"`;
  expect(execFileSync("bash", ["-c", ask], { encoding: "utf8" })).toBe("list link\n--timeout\n");
  expect((await runCli(["completion", "zsh"])).stdout).toMatch(/^#compdef syla/);
  expect((await runCli(["completion", "fish"])).stdout).toContain("-a exec");
  expect((await runCli(["completion", "tcsh"])).code).toBe(64);
});
