import { join } from "node:path";
import { Readable } from "node:stream";
import { ModelConfig } from "@syla/contracts/model-config";
import type { Model, ModelTest } from "@syla/contracts/models";
import { expireKept } from "@syla/server/gateway/calls/retention";
import { probeModel } from "@syla/server/gateway/probe";
import type { Send } from "@syla/server/gateway/upstream/send";
import { noSecrets } from "@syla/server/models/service";
import { createTestDatabase } from "@syla/testkit/database";
import { hasRedis, startTestRedis } from "@syla/testkit/redis";
import { startTestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { createAccount, share } from "../access/people.ts";
import { errorOf, json } from "../catalog/programs.ts";
import { openGateway, providerKey, type GatewaySetting } from "./gateway-setting.ts";

/** What the owner of a model says of its calls. */

let setting: GatewaySetting;
beforeAll(async () => {
  setting = await openGateway();
});
beforeEach(() => {
  setting.llm.behave({});
  setting.llm.seen.length = 0;
});
afterAll(() => setting[Symbol.asyncDispose]());

const ask = (model: Model, more: object = {}) => ({ model: model.id, messages: [{ role: "user", content: "Hello" }], ...more });
const call = (model: Model, more: object = {}, path = "/v1/chat/completions", who = setting.ann) =>
  setting.send(who, "POST", path, ask(model, more));
const seen = () => setting.llm.seen.at(-1)?.body as unknown as Record<string, unknown>;
const get = (model: Model) => json<Model>(setting.send(setting.ann, "GET", `/api/v1/models/${model.id}`));

describe("a model's defaults", () => {
  const parameters = { temperature: 0.5, maxTokens: 7, topP: 0.25, frequencyPenalty: 1.5, presencePenalty: -1, stop: ["END"], seed: 42 };
  const sent = { temperature: 0.5, max_tokens: 7, top_p: 0.25, frequency_penalty: 1.5, presence_penalty: -1, stop: ["END"], seed: 42 };

  it("are what a call gets that does not say itself, and nothing where it does; what is not known passes", async () => {
    const model = await setting.model("Defaults of all kinds", { parameters });
    expect((await call(model)).status).toBe(200);
    expect(seen()).toMatchObject(sent);
    const own = {
      temperature: 0,
      max_tokens: 3,
      top_p: 1,
      frequency_penalty: 0,
      presence_penalty: 0,
      stop: "x",
      seed: 0,
      x_new: { a: [1] },
    };
    expect((await call(model, own)).status).toBe(200);
    expect(seen()).toMatchObject(own);
  });

  it("are in the words of each protocol, and of the provider that a call is translated for", async () => {
    const llama = await setting.model("Llama with defaults", { provider: "ollama", parameters });
    await (await call(llama, { options: { seed: 1, mirostat: 2 } }, "/api/chat")).text();
    expect(seen()["options"]).toEqual({
      temperature: 0.5,
      num_predict: 7,
      top_p: 0.25,
      frequency_penalty: 1.5,
      presence_penalty: -1,
      stop: ["END"],
      seed: 1,
      mirostat: 2,
    });
    const gpt = await setting.model("GPT with defaults", { parameters });
    expect((await call(gpt, { max_tokens: 5, temperature: 0.75 }, "/v1/messages")).status).toBe(200);
    expect(seen()).toMatchObject({ ...sent, max_tokens: 5, temperature: 0.75 });
  });
});

describe("headers of a model", () => {
  it("hold no secret but by a credential, which goes to the provider and is said nowhere", async () => {
    const value = "planted-header-secret-98765";
    const made = await json<{ id: string }>(
      setting.send(setting.ann, "POST", "/api/v1/credentials", { kind: "model", name: "proxy", value }),
    );
    const model = await setting.model("Behind a proxy", {
      headers: { "X-Team": "blue" },
      secretHeaders: { "X-Proxy-Token": made.id },
      store: "full",
    });
    setting.llm.behave({ text: `You sent ${value}` });
    const answer = await call(model);
    expect(await answer.text()).toContain("You sent [secret]");
    expect(setting.llm.seen[0]?.headers).toMatchObject({
      "x-team": "blue",
      "x-proxy-token": value,
      authorization: `Bearer ${providerKey}`,
    });
    const { id } = await setting.lastCall(model);
    const { context } = setting.server;
    await context.audit.flushed();
    const events = await context.database.queries
      .selectFrom("audit_events")
      .select("details")
      .where("action", "=", "model.create")
      .execute();
    const named = [
      { id: setting.credentialId, path: "credentialId" },
      { id: made.id, path: "secretHeaders.X-Proxy-Token" },
    ];
    expect(events).toContainEqual({ details: expect.objectContaining({ credentials: named }) as object });
    const shown = [await get(model), await (await setting.send(setting.ann, "GET", `/api/v1/models/${model.id}/calls/${id}`)).text()];
    expect(JSON.stringify(shown)).not.toContain(value);
    const used = await json<{ uses: object[] }>(setting.send(setting.ann, "GET", `/api/v1/credentials/${made.id}`));
    expect(used.uses).toMatchObject([{ id: model.id }]);
    const test = await json<ModelTest>(setting.send(setting.ann, "POST", `/api/v1/models/${model.id}/test`));
    expect(JSON.stringify(test)).not.toContain(value);
    expect(setting.llm.seen.every(({ headers }) => headers["x-proxy-token"] === value)).toBe(true);
  });

  it("are refused where they would hold one for everybody to read, or are somebody else's", async () => {
    const create = (more: object) =>
      errorOf(
        setting.send(setting.ann, "POST", "/api/v1/models", {
          name: "Refused",
          config: { provider: "ollama", modelId: "m", baseUrl: setting.llm.url, ...more },
        }),
      );
    for (const name of ["X-Api-Token", "Ocp-Apim-Subscription-Key", "x-secret"])
      expect(await create({ headers: { [name]: "abc" } })).toMatchObject({
        code: "invalid_request",
        fields: [{ path: `config.headers.${name}` }],
      });
    const old = await setting.model("Of before", { headers: { "X-Team": "blue" } });
    const { queries } = setting.server.context.database;
    await sql`update assets set config = jsonb_set(config, '{headers,X-Session-Id}', '"abc"') where id = ${old.id}`.execute(queries);
    const copied = await setting.send(setting.ann, "POST", `/api/v1/assets/${old.id}/clone`, {});
    expect([copied.status, await json(copied)]).toMatchObject([201, { config: { headers: { "X-Team": "blue", "X-Session-Id": "abc" } } }]);
    const bob = await createAccount(setting.server);
    const theirs = await json<{ id: string }>(
      setting.send(bob, "POST", "/api/v1/credentials", { kind: "model", name: "theirs", value: "x" }),
    );
    expect(await create({ secretHeaders: { "X-Proxy-Token": theirs.id } })).toMatchObject({
      code: "credential_unusable",
      fields: [{ path: "config.secretHeaders.X-Proxy-Token" }],
    });
    expect((await create({ secretHeaders: { Authorization: setting.credentialId } })).code).toBe("invalid_request");
    expect((await create({ headers: { "X-A": "1" }, secretHeaders: { "x-a": setting.credentialId } })).code).toBe("invalid_request");
  });
});

describe("a test of a model", () => {
  it("notes what the model was seen to do", async () => {
    const model = await setting.model("Looked at");
    expect(model.capabilities).toMatchObject({ tools: null, json: null, modalities: ["text"] });
    const test = await json<ModelTest>(setting.send(setting.ann, "POST", `/api/v1/models/${model.id}/test`));
    expect(test).toMatchObject({ ok: true, capabilities: { streaming: true, tools: true, vision: true, embeddings: true } });
    const after = await get(model);
    expect(after.capabilities).toMatchObject({ tools: true, json: test.capabilities.json, modalities: ["text", "image", "embedding"] });
    setting.llm.behave({ status: 401 });
    expect(await json<ModelTest>(setting.send(setting.ann, "POST", `/api/v1/models/${model.id}/test`))).toMatchObject({
      ok: false,
      code: "invalid_api_key",
    });
    expect(await get(model)).toMatchObject({ capabilities: after.capabilities, revision: after.revision });
  });

  it("knows nothing of what there was no time for, and that a model cannot do what its provider refuses", async () => {
    const minute = new AbortController();
    const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(minute.signal);
    onTestFinished(() => timeout.mockRestore());
    const chunk = { id: "c", object: "chat.completion.chunk", created: 1, model: "m" };
    const said = { ...chunk, choices: [{ index: 0, delta: { role: "assistant", content: "OK" }, finish_reason: "stop" }] };
    const answer = (status: number, type: string, text: string) => ({
      status,
      headers: { "content-type": type },
      body: Readable.from([Buffer.from(text)]),
    });
    const send: Send = ({ body, signal }) => {
      const asked = JSON.parse(body ?? "") as { stream?: boolean; tools?: unknown };
      if (asked.stream === true)
        return Promise.resolve(answer(200, "text/event-stream", `data: ${JSON.stringify(said)}\n\ndata: [DONE]\n\n`));
      if (asked.tools !== undefined)
        return Promise.resolve(answer(400, "application/json", JSON.stringify({ error: { message: "no tools" } })));
      minute.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError"));
      return Promise.reject(signal.reason as Error);
    };
    const config = ModelConfig.parse({ provider: "ollama", modelId: "m" });
    const test = await probeModel(send, config, () => Promise.resolve(noSecrets));
    expect(test).toMatchObject({ ok: true, capabilities: { tools: false, json: null, vision: null, embeddings: null } });
  });
});

describe("limits of a model", () => {
  it("let so many calls through in a minute, of all callers together, and say so in each protocol", async () => {
    const model = await setting.model("Two a minute", { limits: { requestsPerMinute: 2 } });
    const bob = await createAccount(setting.server);
    await share(setting.server, setting.ann, { resourceType: "asset", resourceId: model.id, email: bob.email, level: "run" });
    await wholeMinute();
    const answers = await Promise.all([setting.ann, bob, setting.ann, bob].map((who) => call(model, { max_tokens: 9 }, undefined, who)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 429, 429]);
    const refused = [
      await call(model),
      await call(model, { max_tokens: 9 }, "/v1/messages"),
      await call(model, { stream: false }, "/api/chat"),
    ];
    const message = expect.stringContaining("All callers together may call Two a minute 2 times a minute.") as string;
    for (const answer of refused) {
      expect(answer.status).toBe(429);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
      expect(Number(answer.headers.get("retry-after"))).toBeLessThanOrEqual(60);
    }
    const [openai, anthropic, ollama] = await Promise.all(refused.map(async (answer) => (await answer.json()) as object));
    expect(openai).toEqual({ error: { message, type: "rate_limit_error", param: null, code: "rate_limited" } });
    expect(anthropic).toMatchObject({ type: "error", error: { type: "rate_limit_error", message } });
    expect(ollama).toEqual({ error: message });
    expect(setting.llm.seen).toHaveLength(2);
  });

  it("count no call that is refused before it is made", async () => {
    const model = await setting.model("Two a minute, and little money", { limits: { requestsPerMinute: 2, tokensPerMinute: 100_000 } });
    const { queries } = setting.server.context.database;
    await wholeMinute();
    const budget = await json<{ id: string }>(setting.send(setting.ann, "POST", "/api/v1/budgets", { amount: 0.01, stops: true }));
    for (let count = 0; count < 3; count += 1)
      expect(await json(call(model, { max_tokens: 90_000 }))).toMatchObject({ error: { code: "budget_reached" } });
    await queries.deleteFrom("budgets").where("id", "=", budget.id).execute();
    const answers = [await call(model, { max_tokens: 90_000 }), await call(model, { max_tokens: 9 }), await call(model, { max_tokens: 9 })];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
  });

  it("let so many tokens through in a minute; what a call may use is held back, and what it did not use is given back", async () => {
    const model = await setting.model("A hundred tokens", { limits: { tokensPerMinute: 100 } });
    await wholeMinute();
    setting.llm.behave({ usage: { input: 5, output: 5 }, slowMs: 300 });
    // Each may write 60: two at once do not fit, and both do one after the other. Only streams are slow.
    const atOnce = { max_tokens: 60, stream: true };
    const both = await Promise.all([call(model, atOnce), call(model, atOnce)]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 429]);
    await Promise.all(both.map((answer) => answer.text()));
    await setting.lastCall(model);
    setting.llm.behave({ usage: { input: 5, output: 5 } });
    expect((await call(model, { max_tokens: 60 })).status).toBe(200);
    await setting.lastCall(model);
    setting.llm.behave({ usage: { input: 5, output: 200 } });
    expect((await call(model, { max_tokens: 60 })).status).toBe(200);
    await setting.lastCall(model);
    expect((await call(model, { max_tokens: 1 })).status).toBe(429);
  });

  it.skipIf(!hasRedis)("are counted for all servers together, and answers are shared between them, as far as the model says", async () => {
    await using redis = await startTestRedis();
    await using database = await createTestDatabase();
    await using first = await openGateway({ DATABASE_URL: database.url, SYLA_REDIS_URL: redis.url, SYLA_WORKER_SLOTS: "0" });
    await using second = await startTestServer({
      DATABASE_URL: database.url,
      SYLA_REDIS_URL: redis.url,
      SYLA_WORKER_SLOTS: "0",
      SYLA_MODEL_ALLOW_PRIVATE: `127.0.0.1:${first.llm.port}`,
      SYLA_CREDENTIAL_KEYS_FILE: join(first.server.dataDir, "credential-keys.json"),
    });
    const servers = [first.server, second] as const;
    for (const server of servers) await expect.poll(async () => await isConnected(server)).toBe(true);
    const callAt = async (server: (typeof servers)[number], who: { headers: Record<string, string> }, model: Model, more: object = {}) =>
      await server.send("POST", "/v1/chat/completions", ask(model, more), who.headers);
    await wholeMinute();
    const limited = await first.model("Two a minute", { limits: { requestsPerMinute: 2 } });
    const answers = await Promise.all([0, 1, 0, 1].map((at) => callAt(servers[at as 0 | 1], first.ann, limited)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 429, 429]);

    const bob = await createAccount(first.server);
    // Of others, calls are limited to what is held back where they do not say it: those are other calls.
    const zero = { temperature: 0, max_tokens: 50 };
    const upstream = async (model: Model, more: object = {}) => {
      first.llm.seen.length = 0;
      const texts = [];
      for (const [server, who] of [
        [first.server, first.ann],
        [second, first.ann],
        [second, bob],
      ] as const)
        texts.push(await (await callAt(server, who, model, { ...zero, ...more })).text());
      return { calls: first.llm.seen.length, texts };
    };
    const shareWith = (model: Model) =>
      share(first.server, first.ann, { resourceType: "asset", resourceId: model.id, email: bob.email, level: "run" });
    const own = await first.model("For each", { cacheSeconds: 60 });
    await shareWith(own);
    expect(await upstream(own)).toMatchObject({ calls: 2 });
    const all = await first.model("For all", { cacheSeconds: 60, cacheFor: "everybody" });
    // Who may not call it is not answered by what others were.
    const refused = await upstream(all);
    expect([refused.calls, refused.texts[2]]).toEqual([1, expect.stringContaining("unknown_model")]);
    await shareWith(all);
    const shared = await upstream(all);
    expect([shared.calls, new Set(shared.texts).size]).toEqual([0, 1]);
    const nothing = await first.model("Keeps nothing", { cacheSeconds: 60, cacheFor: "everybody", store: "off" });
    await shareWith(nothing);
    // Each server its own.
    expect(await upstream(nothing)).toMatchObject({ calls: 2 });
  });
});

/** A minute of the clock has long enough to go: what is counted in it is not split by its end. */
async function wholeMinute(): Promise<void> {
  await expect.poll(() => Date.now() % 60_000, { timeout: 20_000, interval: 200 }).toBeLessThan(48_000);
}

async function isConnected(server: GatewaySetting["server"]): Promise<boolean> {
  const stats = (await (await server.fetch("/api/v1/cache")).json()) as { redis: string };
  return stats.redis === "connected";
}

describe("what a model keeps of calls", () => {
  const { parse } = JSON;

  it("counts what was asked from when it is kept, and only the answer when that is there", async () => {
    const { queries } = setting.server.context.database;
    const eve = await createAccount(setting.server);
    const config = { provider: "ollama", modelId: "m", baseUrl: setting.llm.url, store: "full" };
    setting.llm.key = null;
    onTestFinished(() => void (setting.llm.key = providerKey));
    const model = await json<Model>(setting.send(eve, "POST", "/api/v1/models", { name: "Slow to answer", config }));
    setting.llm.behave({ slowMs: 200 });
    const counted = async () => {
      const day = await queries.selectFrom("usage_days").select("stored_bytes").where("user_id", "=", eve.id).executeTakeFirst();
      return day?.stored_bytes ?? 0;
    };
    const kept = async () => {
      const row = await queries.selectFrom("llm_calls").selectAll().where("model_id", "=", model.id).executeTakeFirstOrThrow();
      return { status: row.status, bytes: Buffer.byteLength((row.request_text ?? "") + (row.response_text ?? "")) };
    };
    const calling = call(model, { stream: true }, undefined, eve);
    await expect.poll(counted).toBeGreaterThan(0);
    expect(await kept()).toEqual({ status: "running", bytes: await counted() });
    await (await calling).text();
    await expect.poll(kept).toMatchObject({ status: "succeeded" });
    const { bytes } = await kept();
    await expect.poll(counted).toBe(bytes);
  });

  it("counts with what its owner has stored, and goes when its time is over", async () => {
    const { ann, server } = setting;
    const { queries } = server.context.database;
    const stored = async () => {
      const { items } = await json<{ items: { name: string; used: number }[] }>(setting.send(ann, "GET", "/api/v1/quotas"));
      return items.find(({ name }) => name === "storageMb")?.used ?? 0;
    };
    const before = await stored();
    const words = "word ".repeat(40_000);
    const models = [
      await setting.model("Keeps texts", { store: "full" }),
      await setting.model("Keeps texts for a week", { store: "full", storeDays: 7 }),
      await setting.model("Keeps hashes"),
    ] as const;
    const ids: string[] = [];
    for (const model of models) {
      expect((await call(model, { messages: [{ role: "user", content: words }] })).status).toBe(200);
      ids.push((await setting.lastCall(model)).id);
    }
    expect((await stored()) - before).toBeGreaterThan(0.4);
    const days = async () =>
      Number(
        (await queries.selectFrom("usage_days").select("stored_bytes").where("user_id", "=", ann.id).executeTakeFirst())?.stored_bytes,
      );
    await expect.poll(days).toBeGreaterThan(400_000);

    const kept = async () => {
      const rows = await queries.selectFrom("llm_calls").selectAll().where("id", "in", ids).orderBy("id").execute();
      return rows.map((row) => [row.request_text !== null, row.response_text !== null, row.request_sha256 !== null]);
    };
    const expire = (textDays: number, hashDays: number) =>
      expireKept(
        {
          database: server.context.database,
          settings: { get: ((name: string) => (name === "modelTextDays" ? textDays : hashDays)) as never },
        },
        new AbortController().signal,
      );
    const age = (count: number) => sql`update llm_calls set started_at = now() - ${count} * interval '1 day'`.execute(queries);
    await age(8);
    await expire(30, 0);
    expect(await kept()).toEqual([
      [true, true, true],
      [false, false, false],
      [false, false, true],
    ]);
    await age(31);
    await expire(0, 0);
    expect((await kept())[0]).toEqual([true, true, true]);
    await expire(30, 60);
    expect(await kept()).toEqual([
      [false, false, true],
      [false, false, false],
      [false, false, true],
    ]);
    expect((await stored()) - before).toBeLessThan(0.1);
    expect(await days()).toBeLessThan(100_000);
    await expire(30, 31);
    expect((await kept()).flat()).toEqual(Array.from({ length: 9 }, () => false));
    const shown = await setting.send(ann, "GET", `/api/v1/models/${models[0].id}/calls/${ids[0]}`);
    expect(parse(await shown.text())).toMatchObject({ status: "succeeded", request: null, response: null });
  });
});
