import type { LlmCall, LlmTotals, Model } from "@syla/contracts/models";
import type { Run } from "@syla/contracts/runs";
import { recoverRuns } from "@syla/server/runs/recovery";
import { execute, submit } from "@syla/testkit/runs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAccount, share } from "../access/people.ts";
import { openGateway, providerKey, type GatewaySetting } from "./gateway-setting.ts";

let setting: GatewaySetting;
let gpt: Model;
let claude: Model;

beforeAll(async () => {
  setting = await openGateway();
  gpt = await setting.model("GPT");
  claude = await setting.model("Claude", { provider: "anthropic" });
});
beforeEach(() => {
  setting.llm.behave({});
  setting.llm.seen.length = 0;
});
afterAll(() => setting[Symbol.asyncDispose]());

const run = (code: string, input: object = {}) =>
  execute(setting.server, { language: "python", code, models: [gpt.id], ...input }, setting.ann.headers);
const callsOf = async ({ id }: Run) =>
  await setting.json<{ items: LlmCall[]; total: LlmTotals }>(setting.send(setting.ann, "GET", `/api/v1/runs/${id}/llm-calls`));

/** What any HTTP client can do, without a library. */
const client = `
import json, os, urllib.request, urllib.error
def call(url, body, headers={}):
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), {"content-type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request) as answer: return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error: return error.code, error.read().decode()
hello = [{"role": "user", "content": "Hello"}]
`;

describe("a run with a model", () => {
  it("calls it under any name, in every protocol, with the variables that clients know, and nothing else", async () => {
    const done = await run(
      `${client}
print(call(os.environ["OPENAI_BASE_URL"] + "/chat/completions", {"model": "gpt-9", "messages": hello})[1])
print(call(os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", {"model": "claude-9", "max_tokens": 9, "messages": hello})[1])
print(call(os.environ["OLLAMA_HOST"] + "/api/chat", {"model": "granite4:micro", "stream": False, "messages": hello})[1])
print(call(os.environ["OPENAI_BASE_URL"] + "/models", None)[1])
print(call("http://example.org/", None))
`,
    );
    expect(done).toMatchObject({ status: "succeeded", network: "gateway", models: [gpt.id] });
    const lines = done.stdout.trim().split("\n");
    expect(lines.slice(0, 3).every((line) => line.includes("You said: Hello"))).toBe(true);
    expect(lines[3]).toContain(`"id":"${gpt.slug}"`);
    expect(lines[4]).toMatch(/^\(403, .*no other host/);
    expect(setting.llm.seen.every(({ headers }) => headers.authorization === `Bearer ${providerKey}`)).toBe(true);
    const { items, total } = await callsOf(done);
    expect(items.map(({ protocol, status, model }) => [protocol, status, model.name])).toEqual([
      ["openai", "succeeded", "GPT"],
      ["anthropic", "succeeded", "GPT"],
      ["ollama", "succeeded", "GPT"],
    ]);
    expect(done.usage?.llm).toMatchObject({ calls: 3, failed: 0, inputTokens: total.inputTokens, cost: total.cost });
  });

  it("chooses among several by their names", async () => {
    const code = `${client}
for name in [${JSON.stringify(claude.slug)}, "Claude", "anything"]:
    print(json.loads(call(os.environ["OPENAI_BASE_URL"] + "/chat/completions", {"model": name, "messages": hello})[1])["model"])`;
    const done = await run(code, { models: [gpt.slug, "Claude"] });
    expect((await callsOf(done)).items.map(({ model }) => model.name)).toEqual(["Claude", "Claude", "GPT"]);
  });

  it("sees pieces as they come", async () => {
    setting.llm.behave({ slowMs: 60 });
    const done = await run(`
import json, os, time, http.client, urllib.parse
at = urllib.parse.urlsplit(os.environ["OPENAI_BASE_URL"])
connection = http.client.HTTPConnection(at.hostname, at.port)
connection.request("POST", at.path + "/chat/completions", json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}), {"content-type": "application/json"})
answer = connection.getresponse()
begun = time.monotonic()
times = [time.monotonic() - begun for line in answer if line.startswith(b"data:")]
print(len(times), times[-1] - times[0] > 0.15)`);
    expect(done.stdout).toMatch(/^[5-9] True/);
  });

  it("finds no key of a provider anywhere: not in its variables, its processes, its files", async () => {
    const done = await run(`
import os
seen = ["\\n".join(f"{k}={v}" for k, v in os.environ.items())]
for root, folders, files in os.walk("/"):
    folders[:] = [f for f in folders if os.path.join(root, f) not in ("/usr", "/sys", "/lib", "/lib64")]
    for name in files:
        path = os.path.join(root, name)
        if name in ("kmsg", "kcore", "pagemap", "mem", "clear_refs") or not os.path.isfile(path): continue
        try:
            with open(path, "rb") as file: seen.append(file.read(1 << 20).decode("latin1"))
        except OSError: pass
text = "\\n".join(seen)
print(len(seen) > 20, "planted-" + "provider" in text, "syla_run_" in text)`);
    expect(done.stdout).toBe("True False True\n");
    const shown = JSON.stringify([done, await callsOf(done)]);
    expect(shown).not.toContain(providerKey);
    expect(shown).not.toContain("syla_run_");
  });

  it("says its token to nobody, in whatever pieces and forms, and nobody can use it after", async () => {
    const done = await run(`
import base64, os, sys
key = os.environ["OPENAI_API_KEY"]
whole, inside = (base64.b64encode(text.encode()).decode() for text in (key, "Bearer " + key))
for text in ("codes " + ",".join(str(ord(one)) for one in key), key, whole, inside, key[9:]): print(text, flush=True)
for character in key: print(character, end="", flush=True)
print(key, file=sys.stderr)
with open("/output/t", "w") as file: file.write("." * 65530 + key + whole + inside)
with open("/output/named-" + key, "w") as file: file.write("x")
os.symlink("/etc", "/output/left-out-" + key)`);
    const token = String.fromCharCode(...(/codes (\S+)/.exec(done.stdout)?.[1] ?? "").split(",").map(Number));
    expect(token).toMatch(/^syla_run_.{43}$/);
    expect(done.stdout.replace(/.*/, "").match(/\[secret\]/g)).toHaveLength(5);
    expect(done.stderr).toBe("syla_run_[secret]\n");
    const at = `/api/v1/runs/${done.id}`;
    const { items } = await setting.json<{ items: { id: string; path: string }[] }>(setting.send(setting.ann, "GET", `${at}/artifacts`));
    expect(items.map(({ path }) => path).toSorted()).toEqual(["named-syla_run_[secret]", "t"]);
    const pages = [at, `${at}/events`, `${at}/artifacts`, ...items.map(({ id }) => `${at}/artifacts/${id}`)];
    const texts = await Promise.all(pages.map(async (path) => await (await setting.send(setting.ann, "GET", path)).text()));
    expect(JSON.stringify(texts[0])).toContain("left-out-syla_run_[secret]");
    const shown = texts.join("\n");
    for (const form of [token.slice(9), Buffer.from(token).toString("base64").slice(12, -4)]) expect(shown).not.toContain(form);
    for (const path of ["/v1/models", "/api/v1/runs", "/api/v1/users/me"]) {
      const answer = await setting.server.fetch(path, { headers: { authorization: `Bearer ${token}` } });
      expect(await answer.json()).toMatchObject({ code: "run_token_invalid" });
    }
    const { queries } = setting.server.context.database;
    expect(await queries.selectFrom("run_tokens").selectAll().where("run_id", "=", done.id).execute()).toEqual([]);
  });

  it("has no token any more when its worker is lost", async () => {
    const code = "import time; print('began', flush=True); time.sleep(30)";
    const begun = await submit(setting.server, { language: "python", code, models: [gpt.id] }, setting.ann.headers);
    const { database } = setting.server.context;
    const tokens = () => database.queries.selectFrom("run_tokens").selectAll().where("run_id", "=", begun.id).execute();
    const row = () =>
      database.queries.selectFrom("runs").select(["status", "worker_id"]).where("id", "=", begun.id).executeTakeFirstOrThrow();
    await expect.poll(async () => (await row()).status, { timeout: 20_000 }).toBe("running");
    await expect.poll(tokens).toHaveLength(1);
    const { worker_id: workerId } = await row();
    await database.queries.transaction().execute((work) => recoverRuns(work, workerId ?? ""));
    expect((await row()).status).toBe("failed");
    expect(await tokens()).toEqual([]);
  });

  it("may reach hosts besides, and still no others", async () => {
    const done = await run(
      `${client}
print(call(os.environ["OPENAI_BASE_URL"] + "/chat/completions", {"model": "m", "messages": hello})[0])
print(call("http://not-allowed.example/", None)[0])`,
      { network: { allow: ["example.org"] } },
    );
    const lines = done.stdout.trim().split("\n");
    expect(lines).toEqual(["200", "403"]);
  });

  it("is told clearly that a cap is reached, and goes on", async () => {
    const bob = await createAccount(setting.server);
    const id = await share(setting.server, setting.ann, { resourceType: "asset", resourceId: gpt.id, email: bob.email, level: "run" });
    await setting.send(setting.ann, "PATCH", `/api/v1/models/${gpt.id}/caps/${id}`, { amount: 0.000001, period: "day" });
    const code = `${client}
print(*call(os.environ["OPENAI_BASE_URL"] + "/chat/completions", {"model": "m", "messages": hello}))`;
    const done = await execute(setting.server, { language: "python", code, models: [gpt.id] }, bob.headers);
    expect(done.status).toBe("succeeded");
    expect(done.stdout).toMatch(/^402 .*spend_cap_reached/s);
    expect(done.stdout).toContain("The cap of $");
  });

  it.each([
    ["a model that is not there", { models: ["none"] }, "unknown_model"],
    ["the gateway without a model", { models: [], network: "gateway" }, "network_unavailable"],
    ["test cases", { tests: { cases: [{ expected: { stdout: "" } }] } }, "invalid_request"],
  ])("is refused with %s", async (_what, input, code) => {
    const answer = await setting.send(setting.ann, "POST", "/api/v1/executions", {
      language: "python",
      code: "1",
      models: [gpt.id],
      ...input,
    });
    expect(await answer.json()).toMatchObject({ code });
  });

  it("is refused before it starts when its model is somebody else's, or its credential has expired", async () => {
    const stranger = await createAccount(setting.server);
    const refused = await setting.send(stranger, "POST", "/api/v1/executions", { language: "python", code: "1", models: [gpt.id] });
    expect(await refused.json()).toMatchObject({ code: "unknown_model" });
    const { queries } = setting.server.context.database;
    const expire = async (at: Date | null) =>
      await queries.updateTable("credentials").set({ expires_at: at }).where("id", "=", setting.credentialId).execute();
    await expire(new Date(0));
    const expired = await setting.send(setting.ann, "POST", "/api/v1/executions", { language: "python", code: "1", models: [gpt.id] });
    await expire(null);
    expect(await expired.json()).toMatchObject({ code: "credential_expired" });
  });
});
