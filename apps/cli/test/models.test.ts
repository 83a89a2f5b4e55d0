import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLlm, type LlmStandIn } from "@syla/testkit/llm";
import { createPerson } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

let server: TestServer;
let llm: LlmStandIn;
let home: string;
let ann: { authorization: string };
const key = "sk-planted-for-the-command-line";

beforeAll(async () => {
  llm = await startLlm();
  llm.key = key;
  server = await startTestServer({ SYLA_MODEL_ALLOW_PRIVATE: `127.0.0.1:${llm.port}` });
  home = mkdtempSync(join(tmpdir(), "syla-cli-home-"));
  ann = await createPerson(server);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await llm[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

const as = (token: string, args: readonly string[], stdin?: string) =>
  runCli(args, { env: { SYLA_URL: server.url, SYLA_API_KEY: token, SYLA_HOME: home }, ...(stdin !== undefined && { stdin }) });
const syla = (...args: string[]) => as(ann.authorization.slice("Bearer ".length), args);
const piped = (stdin: string, ...args: string[]) => as(ann.authorization.slice("Bearer ".length), args, stdin);

test("a key goes in by a pipe and never comes out; a model uses it; a program calls the model", async () => {
  const made = await piped(`${key}\n`, "credential", "create", "provider", "--kind", "model");
  expect(made.stdout).toMatch(/^cred_[0-9a-z]{26}\n$/);
  expect((await syla("credential", "list")).stdout).toContain("provider\tmodel");
  const { stdout } = await syla(
    "model",
    "create",
    "gpt",
    "--provider",
    "openai-compatible",
    "--model",
    "upstream",
    "--credential",
    "provider",
    "--base-url",
    `${llm.url}/v1`,
    "--input-price",
    "0.15",
    "--output-price",
    "0.6",
  );
  expect(stdout).toMatch(/^model_[0-9a-z]{26}\n$/);
  expect((await syla("model", "list", "--usable")).stdout).toContain("gpt\topenai-compatible\tupstream");
  const tested = await syla("model", "test", "gpt");
  expect(tested).toMatchObject({ code: 0, stdout: expect.stringMatching(/first byte +\d+ ms/) as string });
  const file = join(home, "ask.py");
  writeFileSync(
    file,
    `import json, os, urllib.request
body = json.dumps({"model": "x", "messages": [{"role": "user", "content": "Hello"}]}).encode()
request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body, {"content-type": "application/json"})
print(json.load(urllib.request.urlopen(request))["choices"][0]["message"]["content"])`,
  );
  const done = await syla("exec", "--model", "gpt", file);
  expect(done).toMatchObject({ code: 0, stdout: "You said: Hello\n" });
  const run = (await syla("runs", "list", "--json")).stdout;
  const { items } = JSON.parse(run) as { items: { id: string }[] };
  expect((await syla("runs", "show", items[0]?.id ?? "")).stdout).toMatch(/models +1 calls, \d+ tokens in, \d+ out, \$/);
  const shown = await syla("model", "show", "gpt");
  expect(shown.stdout).toContain("1 calls in 30 days");
  const everything = [made, tested, done, shown, await syla("credential", "list", "--json"), await syla("model", "show", "gpt", "--json")];
  expect(JSON.stringify(everything)).not.toContain(key);
});

test("who may select a model, what is kept, and what others may spend, are set and shown", async () => {
  const changed = await syla("model", "update", "gpt", "--role", "developer", "admin", "--cache-seconds", "60", "--output-price", "0.7");
  expect(changed).toMatchObject({ code: 0, stdout: "gpt is changed.\n" });
  const shown = await syla("model", "show", "gpt", "--json");
  expect(JSON.parse(shown.stdout)).toMatchObject({
    config: {
      roles: ["developer", "admin"],
      cacheSeconds: 60,
      prices: { input: 0.15, output: 0.7 },
      credentialId: expect.any(String) as string,
    },
  });
  for (const wrong of [[], ["--cache-seconds", "9999999"]]) expect((await syla("model", "update", "gpt", ...wrong)).code).toBe(64);
  const { id } = JSON.parse(shown.stdout) as { id: string };
  const bob = await createPerson(server);
  const { email } = (await (await server.send("GET", "/api/v1/users/me", undefined, bob)).json()) as { email: string };
  const grant = { resourceType: "asset", resourceId: id, email, level: "run" };
  await server.send("POST", "/api/v1/grants", grant, ann);
  expect((await syla("model", "cap", "set", "gpt", email, "--amount", "2.5", "--period", "day")).stdout).toMatch(
    /may spend \$2\.50 a day\.\n$/,
  );
  const listed = JSON.parse((await syla("model", "cap", "list", "gpt", "--json")).stdout) as { items: object[] };
  expect(listed.items).toMatchObject([{ amount: 2.5, period: "day", spent: 0 }]);
  expect((await syla("model", "cap", "set", "gpt", email, "--amount", "x")).code).toBe(64);
  expect((await syla("model", "cap", "remove", "gpt", email)).code).toBe(0);
  expect((await syla("model", "cap", "list", "gpt", "--json")).stdout).not.toContain("2.5");
});

test("a model's defaults, headers, abilities and limits are set and taken back", async () => {
  await piped("a proxy's token", "credential", "create", "proxy token");
  const set = (...flags: string[]) => syla("model", "update", "gpt", ...flags);
  const defaults = ["--temperature", "0.5", "--top-p", "0.9", "--seed", "7", "--frequency-penalty", "-0.5", "--stop", "END", "STOP"];
  expect((await set(...defaults, "--header", "X-Team=blue", "--secret-header", "X-Proxy-Token=proxy token")).code).toBe(0);
  const rest = ["--context-window", "128000", "--requests-per-minute", "60", "--store", "full", "--store-days", "7"];
  expect((await set(...rest, "--cache-for", "everybody", "--json-schemas", "yes", "--modality", "text", "image")).code).toBe(0);
  const config = async () => (JSON.parse((await syla("model", "show", "gpt", "--json")).stdout) as { config: object }).config;
  const whole = await config();
  expect(whole).toMatchObject({
    parameters: { temperature: 0.5, topP: 0.9, seed: 7, frequencyPenalty: -0.5, stop: ["END", "STOP"] },
    headers: { "X-Team": "blue" },
    secretHeaders: { "X-Proxy-Token": expect.stringMatching(/^cred_/) as string },
    capabilities: { contextWindow: 128_000, json: true, modalities: ["text", "image"] },
    limits: { requestsPerMinute: 60, tokensPerMinute: null },
    cacheFor: "everybody",
    store: "full",
    storeDays: 7,
  });
  const shown = (await syla("model", "show", "gpt")).stdout;
  expect(shown).toContain("X-Team, X-Proxy-Token (secret)");
  expect(shown).toContain("60 calls a minute");
  await set("--seed", "none", "--stop", "none", "--header", "X-Team=", "--secret-header", "X-Proxy-Token=", "--store-days", "none");
  await set("--requests-per-minute", "none", "--context-window", "none");
  expect(await config()).toMatchObject({
    parameters: { temperature: 0.5, topP: 0.9, frequencyPenalty: -0.5 },
    headers: {},
    secretHeaders: {},
    limits: { requestsPerMinute: null },
    storeDays: null,
  });
  expect(JSON.stringify(await config())).not.toContain("END");
  expect(JSON.stringify(await config())).not.toContain("seed");
  expect((await syla("credential", "delete", "proxy token")).code).toBe(0);
  for (const wrong of [
    ["--top-p", "2"],
    ["--seed", "x"],
    ["--header", "X"],
  ])
    expect((await set(...wrong)).code).toBe(64);
  expect((await set("--header", "X-Token=open")).code).not.toBe(0);
});

test("what was spent on a model, and its calls, are shown", async () => {
  expect((await syla("model", "usage", "gpt")).stdout).toMatch(/calls +1, 0 failed\n/);
  const usage = JSON.parse((await syla("model", "usage", "gpt", "--days", "1", "--json")).stdout) as object;
  expect(usage).toMatchObject({ total: { calls: 1 } });
  expect((await syla("model", "usage", "gpt", "--days", "0")).code).toBe(64);
  const listed = JSON.parse((await syla("model", "calls", "gpt", "--json")).stdout) as { items: { id: string }[] };
  expect(listed.items).toHaveLength(1);
  const { id } = listed.items[0] ?? { id: "" };
  expect((await syla("model", "calls", "gpt")).stdout).toMatch(new RegExp(`${id}\t.*\tsucceeded\t.*\topenai chat\t`));
  expect((await syla("model", "calls", "gpt", id)).stdout).toContain("The prompt was not kept.");
  expect((await syla("model", "calls", "gpt", "llm_none")).code).not.toBe(0);
});

test("a model has versions, copies, and is restored", async () => {
  expect((await syla("model", "publish", "gpt", "1.0.0", "-m", "first")).stdout).toBe("1.0.0\n");
  await syla("model", "update", "gpt", "--max-tokens", "99");
  expect((await syla("model", "versions", "gpt")).stdout).toContain("1.0.0");
  expect((await syla("model", "diff", "gpt")).stdout).toContain('"maxTokens":99');
  expect((await syla("model", "restore", "gpt", "1.0.0")).code).toBe(0);
  expect((await syla("model", "diff", "gpt")).stdout).toBe("Nothing differs.\n");
  const copy = (await syla("model", "clone", "gpt", "--name", "copy")).stdout.trim();
  expect(copy).toMatch(/^model_/);
  expect((await syla("model", "tag", "copy", "--add", "fast")).code).toBe(0);
  expect((await syla("model", "delete", "copy")).code).toBe(0);
  expect((await syla("model", "show", "copy")).code).not.toBe(0);
  expect((await syla("model", "restore", "copy")).stdout).toBe(`${copy}\n`);
  expect((await syla("model", "test", "copy")).code).toBe(0);
  expect((await syla("model", "delete", "copy")).code).toBe(0);
});

test("what is known of a credential is shown and changed, and its secret stays", async () => {
  const shown = await syla("credential", "show", "provider");
  expect(shown.stdout).toMatch(/name +provider\n/);
  expect(shown.stdout).toMatch(/gpt +model|gpt\tmodel/);
  expect((await syla("credential", "rename", "provider", "vendor")).stdout).toContain("It is called vendor now.");
  expect((await syla("credential", "update", "vendor", "--expires", "2090-01-31T00:00:00Z")).stdout).toContain("ends at 2090-01-31");
  expect((await syla("credential", "update", "vendor", "--expires", "2020-01-31T00:00:00Z")).code).not.toBe(0);
  expect((await syla("credential", "update", "vendor", "--expires", "never", "--username", "ann")).stdout).toContain("has no end");
  expect(JSON.parse((await syla("credential", "show", "vendor", "--json")).stdout)).toMatchObject({ username: "ann", expiresAt: null });
  expect((await syla("credential", "update", "vendor")).code).toBe(64);
  expect((await syla("model", "test", "gpt")).code).toBe(0);
  expect((await syla("credential", "rename", "vendor", "provider")).code).toBe(0);
});

test("a secret is replaced, and not deleted while something uses it", async () => {
  expect((await piped("", "credential", "create", "empty")).code).toBe(64);
  expect((await syla("credential", "delete", "provider")).stderr).toContain("credential_in_use");
  expect((await piped("another", "credential", "replace", "provider")).code).toBe(0);
  const failed = await syla("model", "test", "gpt");
  expect(failed.code).not.toBe(0);
  expect(failed.stderr).toContain("invalid_api_key");
  expect((await syla("model", "delete", "gpt")).code).toBe(0);
  expect((await syla("credential", "delete", "provider")).code).toBe(0);
  expect((await syla("model", "show", "gpt")).code).not.toBe(0);
});

test("models of the system are kept by administrators and called by everybody", async () => {
  const admin = (...args: string[]) => as(server.localKey, args);
  await as(server.localKey, ["credential", "create", "provider", "--system"], key);
  const provider = ["--provider", "openai-compatible", "--model", "m", "--base-url", `${llm.url}/v1`, "--credential", "provider"];
  expect((await syla("model", "create", "all", "--system", ...provider)).code).not.toBe(0);
  expect((await admin("model", "create", "all", "--system", "--team", "x", ...provider)).code).toBe(64);
  expect((await admin("model", "create", "all", "--system", "--visibility", "private", ...provider)).code).toBe(0);
  expect((await syla("model", "list", "--system", "--json")).stdout).not.toContain("all");
  expect((await admin("model", "update", "all", "--visibility", "public", "--credential", "provider")).code).toBe(0);
  expect((await syla("model", "list", "--system", "--usable")).stdout).toContain("all\topenai-compatible\tm\tSyla");
  expect((await syla("model", "update", "all", "--input-price", "1")).code).not.toBe(0);
  expect((await admin("model", "test", "all")).code).toBe(0);
});

test("the keys are changed by administrators", async () => {
  await piped(key, "credential", "create", "kept", "--kind", "git", "--host", "git.example.org");
  expect((await syla("server", "keys", "rotate")).code).not.toBe(0);
  const rotated = await as(server.localKey, ["server", "keys", "rotate"]);
  expect(rotated.stdout).toMatch(/^2 credentials are sealed with mk_/);
  expect(rotated.stdout).toMatch(/The key mk_[0-9a-z]+ is gone\./);
});

test("a program is bound to a model and to credentials, and its runs may take others", async () => {
  const provider = ["--provider", "openai-compatible", "--base-url", `${llm.url}/v1`, "--credential", "kept-key", "--model"];
  await piped(key, "credential", "create", "kept-key");
  await piped("a database", "credential", "create", "database", "--kind", "program");
  for (const name of ["one", "two"]) await syla("model", "create", name, ...provider, `upstream-${name}`);
  const folder = mkdtempSync(join(home, "program-"));
  const ask = `import json, os, urllib.request
body = json.dumps({"model": "x", "messages": [{"role": "user", "content": os.environ.get("DATABASE_URL", "none")}]}).encode()
request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body, {"content-type": "application/json"})
print(json.load(urllib.request.urlopen(request))["model"])`;
  writeFileSync(join(folder, "main.py"), ask);
  writeFileSync(join(folder, "other.py"), "print('other')");
  await syla("program", "create", "Asker", folder, "--language", "python", "--entrypoint", "main.py");
  const set = (...flags: string[]) => syla("program", "set", "asker", ...flags);
  expect(await set("--model", "one", "--size", "medium", "--secret", "DATABASE_URL=database")).toMatchObject({
    code: 0,
    stdout: "Asker is changed.\n",
  });
  const shown = async () => (await syla("program", "show", "asker")).stdout;
  expect(await shown()).toMatch(/model +model_\w+\nsize +medium\nsecrets +DATABASE_URL \(owner\)/);
  const before = await shown();
  await set("--secret", "DATABASE_URL=database:runners", "--description", "asks", "--tag", "a,b");
  expect(await shown()).toMatch(/DATABASE_URL \(runners\)/);
  expect((await syla("run", "asker")).stdout).toBe("upstream-one-2024\n");
  expect((await syla("run", "asker", "--model", "two", "--size", "large")).stdout).toBe("upstream-two-2024\n");
  await set("--model", "none", "--secret", "DATABASE_URL=", "--entrypoint", "other.py", "--language", "python");
  expect(await shown()).toMatch(/model +none/);
  expect(await shown()).not.toContain("DATABASE_URL");
  expect((await syla("run", "asker")).stdout).toBe("other\n");
  for (const wrong of [[], ["--secret", "x"], ["--size", "huge"]]) expect((await set(...wrong)).code).toBe(64);
  for (const wrong of [
    ["--model", "three"],
    ["--secret", "A=nothing"],
  ])
    expect((await set(...wrong)).code).not.toBe(0);
  expect(before).not.toContain("a database");
});
