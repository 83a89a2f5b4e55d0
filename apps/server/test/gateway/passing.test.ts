import Anthropic from "@anthropic-ai/sdk";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { gzipSync } from "node:zlib";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import fc from "fast-check";
import OpenAI from "openai";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Model } from "@syla/contracts/models";
import { GatewayListener } from "@syla/server/gateway/listener";
import type { RunTokens } from "@syla/server/gateway/run-tokens/service";
import { Gateway } from "@syla/server/gateway/service";
import { requireOneReading } from "@syla/server/gateway/json-scan";
import { estimateTokens } from "@syla/server/gateway/metering/count";
import { readEvents } from "@syla/server/gateway/metering/event-reader";
import { gatherText } from "@syla/server/gateway/metering/text";
import { startLlm } from "@syla/testkit/llm";
import { createAccount } from "../access/people.ts";
import { openGateway, providerKey, type GatewaySetting } from "./gateway-setting.ts";

let setting: GatewaySetting;
let gpt: Model;
let claude: Model;
let llama: Model;

beforeAll(async () => {
  setting = await openGateway();
  gpt = await setting.model("GPT");
  claude = await setting.model("Claude", { provider: "anthropic" });
  llama = await setting.model("Llama", { provider: "ollama" });
});
beforeEach(() => {
  setting.llm.behave({});
  setting.llm.seen.length = 0;
});
afterAll(() => setting[Symbol.asyncDispose]());

const key = () => setting.ann.headers.authorization.slice("Bearer ".length);
const openai = () => new OpenAI({ baseURL: `${setting.server.url}/v1`, apiKey: key(), maxRetries: 0 });
const anthropic = () => new Anthropic({ baseURL: setting.server.url, apiKey: key(), maxRetries: 0 });
const ask = (model: Model, more: object = {}) => ({ model: model.slug, messages: [{ role: "user" as const, content: "Hello" }], ...more });
const raw = (path: string, body: string) =>
  fetch(setting.server.url + path, { method: "POST", body, headers: { ...setting.ann.headers, "content-type": "application/json" } });
const never = {} as never;
const codeOf = (failed: unknown) => (failed as { code?: string; error?: { code?: string } }).code;

describe("a call in the provider's own protocol", () => {
  it("comes through without a character changed but the name of the model", async () => {
    const body = `{ "x":12345678901234567890.50, "model" : "${gpt.slug}","messages":[{"role":"user","content":"Gr\\u00fc\\u00dfe"}], "e":1e400}`;
    const answer = await raw("/v1/chat/completions", body);
    expect(answer.status).toBe(200);
    const sent = setting.llm.seen[0];
    expect(sent?.text).toBe(body.replace(`"${gpt.slug}"`, '"upstream-1"'));
    expect(sent?.path).toBe("/v1/chat/completions");
    expect(sent?.headers.authorization).toBe(`Bearer ${providerKey}`);
    const said = (await answer.json()) as { x_unknown_field: object; model: string };
    expect(said).toMatchObject({ x_unknown_field: { kept: true }, model: "upstream-1-2024" });
  });

  it("answers the client of OpenAI: chats, streams, tools, schemas, responses, completions, embeddings, models", async () => {
    const client = openai();
    const chat = await client.chat.completions.create(ask(gpt));
    expect(chat.choices[0]?.message.content).toBe("You said: Hello");
    let streamed = "";
    for await (const chunk of await client.chat.completions.create({ ...ask(gpt), stream: true }))
      streamed += chunk.choices[0]?.delta.content ?? "";
    expect(streamed).toBe("You said: Hello");
    expect(setting.llm.seen.at(-1)?.body.stream_options).toEqual({ include_usage: true });
    const tool = {
      type: "function" as const,
      function: { name: "add", parameters: { type: "object", properties: { a: { type: "number" } } } },
    };
    const called = await client.chat.completions.create(ask(gpt, { tools: [tool] }));
    expect(called).toMatchObject({
      choices: [{ finish_reason: "tool_calls", message: { tool_calls: [{ function: { name: "add", arguments: '{"a":7}' } }] } }],
    });
    const response = await client.responses.create({ model: gpt.slug, input: "Hi" });
    expect(response.output_text).toBe("You said: Hi");
    const events: string[] = [];
    for await (const event of await client.responses.create({ model: gpt.slug, input: "Hi", stream: true })) events.push(event.type);
    expect(events).toContain("response.completed");
    const completion = await client.completions.create({ model: gpt.slug, prompt: "Once" });
    expect(completion.choices[0]?.text).toBe("You said: Once");
    const vectors = await client.embeddings.create({ model: gpt.slug, input: ["a", "b"], encoding_format: "float" });
    expect(vectors.data).toHaveLength(2);
    const listed = await client.models.list();
    expect(listed.data.map(({ id }) => id)).toEqual([gpt.slug, claude.slug, llama.slug]);
    expect((await client.models.retrieve(gpt.slug)).id).toBe(gpt.slug);
  });

  it("answers the client of Anthropic, which sends its key in its own header", async () => {
    const client = anthropic();
    const message = await client.messages.create({ ...ask(claude), max_tokens: 100 });
    expect(message.content).toEqual([{ type: "text", text: "You said: Hello" }]);
    expect(setting.llm.seen[0]?.headers).toMatchObject({ "x-api-key": providerKey, "anthropic-version": "2023-06-01" });
    const stream = client.messages.stream({ ...ask(claude), max_tokens: 100 });
    expect((await stream.finalMessage()).content).toMatchObject([{ type: "text", text: "You said: Hello" }]);
    expect((await client.messages.countTokens(ask(claude))).input_tokens).toBeGreaterThan(0);
  });

  it("answers clients of Ollama", async () => {
    const chat = (await (await raw("/api/chat", JSON.stringify(ask(llama, { stream: false })))).json()) as object;
    expect(chat).toMatchObject({ message: { content: "You said: Hello" }, done: true });
    const lines = (await (await raw("/api/generate", JSON.stringify({ model: llama.slug, prompt: "Hi" }))).text()).trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { response: string }).response).join("")).toBe("You said: Hi");
    expect(await (await raw("/api/embed", JSON.stringify({ model: llama.slug, input: "a" }))).json()).toMatchObject({
      embeddings: [expect.any(Array)],
    });
    expect(await (await raw("/api/show", JSON.stringify({ model: llama.slug }))).json()).toMatchObject({ details: { family: "ollama" } });
    expect(await (await raw("/api/pull", JSON.stringify({ model: llama.slug }))).json()).toEqual({ status: "success" });
    const tags = (await (await setting.server.fetch("/api/tags", { headers: setting.ann.headers })).json()) as {
      models: { name: string }[];
    };
    expect(tags.models.map(({ name }) => name)).toContain(llama.slug);
  });
});

describe("a call", () => {
  it("is written down with its tokens, its cost and the version of the prices, and without its text", async () => {
    await openai().chat.completions.create(ask(gpt));
    const call = await setting.lastCall(gpt);
    expect(call).toMatchObject({
      status: "succeeded",
      protocol: "openai",
      operation: "chat",
      httpStatus: 200,
      attempts: 1,
      isEstimate: false,
      priceVersion: 1,
    });
    const { inputTokens, outputTokens, cost } = call;
    expect(cost).toBeCloseTo(((inputTokens ?? 0) * 1 + (outputTokens ?? 0) * 2) / 1e6, 9);
    const row = await setting.server.context.database.queries
      .selectFrom("llm_calls")
      .selectAll()
      .where("id", "=", call.id)
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({
      request_text: null,
      response_text: null,
      request_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
  });

  it("is counted by ourselves, and says so, where the provider does not count or lies", async () => {
    const words = "one two three four five six seven eight nine ten ".repeat(30);
    for (const usage of ["none", { input: 1, output: 1 }] as const) {
      setting.llm.behave({ usage, text: words });
      await openai().chat.completions.create({ model: gpt.slug, messages: [{ role: "user", content: words }] });
      const call = await setting.lastCall(gpt);
      expect(call.isEstimate).toBe(true);
      expect(call.inputTokens).toBeGreaterThan(200);
      expect(call.outputTokens).toBeGreaterThan(200);
      let text = "";
      for await (const chunk of await openai().chat.completions.create({ ...ask(gpt), stream: true }))
        text += chunk.choices[0]?.delta.content ?? "";
      expect(text).toBe(words);
      expect(await setting.lastCall(gpt)).toMatchObject({ isEstimate: true, streamed: true });
    }
  });

  it("is not counted as more than it can have used, nor by what is said behind its end", async () => {
    for (const usage of [
      { input: -5, output: -1 },
      { input: 1e12, output: 1e12 },
      { input: 900_000_000, output: 900_000_000 },
    ]) {
      setting.llm.behave({ usage });
      await openai().chat.completions.create(ask(gpt, { max_tokens: 100 }));
      const call = await setting.lastCall(gpt);
      expect(call).toMatchObject({ status: "succeeded", isEstimate: true });
      expect(call.inputTokens).toBeLessThan(20);
      expect(call.outputTokens).toBeLessThanOrEqual(100);
      expect(call.cost).toBeLessThan(0.001);
    }
    const usage = { prompt_tokens: 5_000_000, completion_tokens: 16_000, total_tokens: 5_016_000 };
    const late = `data: ${JSON.stringify({ choices: [], usage })}\n\n`;
    setting.llm.behave({ after: late.repeat(100) });
    const answer = await raw("/v1/chat/completions", JSON.stringify(ask(gpt, { stream: true, stream_options: { include_usage: true } })));
    expect((await answer.text()).trimEnd()).toMatch(/data: \[DONE\]$/);
    expect((await setting.lastCall(gpt)).inputTokens).toBeLessThan(100);
  });

  it("has an unknown cost where no prices are known, which is not nothing", async () => {
    const unknown = await setting.model("Unpriced", { prices: {} });
    await openai().chat.completions.create(ask(unknown));
    expect(await setting.lastCall(unknown)).toMatchObject({ cost: null, priceVersion: null, status: "succeeded" });
    const free = await setting.model("Free", { prices: { input: 0, output: 0 } });
    await openai().chat.completions.create(ask(free));
    expect((await setting.lastCall(free)).cost).toBe(0);
  });

  it("has a cost when it embeds, where there is no price of output", async () => {
    const vectors = await setting.model("Vectors", { prices: { input: 1 } });
    await openai().embeddings.create({ model: vectors.slug, input: "Hello there" });
    expect((await setting.lastCall(vectors)).cost).toBeGreaterThan(0);
  });

  it("keeps the text where the model says so, and nothing where it says so", async () => {
    const { queries } = setting.server.context.database;
    // A program may have told the model the token of its run, which those who read calls could use.
    const token = `syla_run_${"Aa0_-".repeat(9).slice(0, 43)}`;
    for (const [store, text] of [
      ["full", expect.stringContaining("Hello") as string],
      ["off", null],
    ] as const) {
      const model = await setting.model(`Store ${store}`, { store });
      const said = `Hello ${token}`;
      await openai().chat.completions.create(ask(model, { messages: [{ role: "user", content: said }] }));
      const { id } = await setting.lastCall(model);
      const row = await queries.selectFrom("llm_calls").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
      expect(row.request_text).toEqual(text);
      expect(`${row.request_text} ${row.response_text}`).not.toContain(token);
      expect(row.response_text === null).toBe(store === "off");
      expect(store === "off" ? row.request_sha256 : null).toBeNull();
      const path = `/api/v1/models/${model.id}/calls/${id}`;
      const shown = await setting.json<{ request: string | null }>(setting.send(setting.ann, "GET", path));
      expect(shown.request).toEqual(text);
      expect((await setting.send(await createAccount(setting.server), "GET", path)).status).toBe(404);
    }
  });

  it("is tried again while the provider is busy, and not after an answer has begun", async () => {
    setting.llm.behave({ status: 503, times: 1 });
    await openai().chat.completions.create(ask(gpt));
    expect((await setting.lastCall(gpt)).attempts).toBe(2);
    setting.llm.behave({ status: 429, retryAfter: 3600 });
    const failed = await openai()
      .chat.completions.create(ask(gpt))
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(OpenAI.RateLimitError);
    expect(await setting.lastCall(gpt)).toMatchObject({ status: "failed", attempts: 1, httpStatus: 429, cost: 0 });
  });

  it.each([
    ["stalls", { stall: true }, 504, "model_timeout"],
    ["sends no JSON", { garbage: "json" }, 502, "model_garbled"],
    ["sends no text", { garbage: "bytes" }, 502, "model_garbled"],
    ["redirects", { redirect: "http://127.0.0.1:9/v1" }, 502, "model_unreachable"],
  ] as const)("fails with a word for it when the provider %s", async (_what, how, status, code) => {
    setting.llm.behave(how);
    const failed = await openai()
      .chat.completions.create(ask(gpt))
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ status });
    expect(codeOf(failed)).toBe(code);
    expect(await setting.lastCall(gpt)).toMatchObject({ status: "failed", error: { code } });
  });

  it.each([
    ["cuts off", { cutAfter: 3 }, "model_cut_off"],
    ["falls silent", { stallAfter: 3 }, "model_timeout"],
  ] as const)("ends a stream with an error when the provider %s in the middle, and counts what came", async (_what, how, code) => {
    setting.llm.behave(how);
    let text = "";
    const read = async () => {
      for await (const chunk of await openai().chat.completions.create({ ...ask(gpt), stream: true }))
        text += chunk.choices[0]?.delta.content ?? "";
    };
    await expect(read()).rejects.toMatchObject({ code });
    expect(text).toBe("You said: Hello".slice(0, 16));
    expect(await setting.lastCall(gpt)).toMatchObject({ status: "failed", error: { code }, isEstimate: true });
  });

  it("is refused before it streams when the first event cannot be read", async () => {
    setting.llm.behave({ garbage: "stream" });
    const failed = await openai()
      .chat.completions.create({ ...ask(gpt), stream: true })
      .catch((error: unknown) => error);
    expect(codeOf(failed)).toBe("model_garbled");
  });

  it.each([
    ["endless text", "text/plain", undefined],
    ["an endless stream", "text/event-stream", undefined],
    ["an endless event", "text/event-stream", "data: "],
    ["a bomb", "application/json", "gzip"],
  ])("is ended when the provider answers with %s, and takes no more memory than that", async (_what, type, start) => {
    const chunk = Buffer.alloc(1024 * 1024, start === undefined && type === "text/event-stream" ? ": \n\n" : " ");
    let sent = 0;
    const isBomb = start === "gzip";
    const bomb = gzipSync(Buffer.alloc(isBomb ? 8 * 1024 * 1024 : 1, " "));
    function* chunks(): Generator<Buffer, void, void> {
      if (isBomb) yield bomb;
      if (start !== undefined) yield Buffer.from(start);
      const most = isBomb ? 0 : 1024;
      for (; sent < most; sent += 1) yield chunk;
    }
    setting.llm.behave({ raw: { type, chunks: chunks(), ...(isBomb ? { encoding: "gzip" } : {}) } });
    const answer = await raw("/v1/chat/completions", JSON.stringify(ask(gpt, { stream: type === "text/event-stream" })));
    expect((await answer.text()).length).toBeLessThan(70 * 1024 * 1024);
    expect(await setting.lastCall(gpt)).toMatchObject({ status: "failed", error: { code: "model_garbled" } });
    expect(sent).toBeLessThan(100); // of 1024
  });

  it("is said to be what it is, whatever the provider calls it", async () => {
    const document = Buffer.from(JSON.stringify({ choices: [{ message: { content: "<script>1</script>" } }] }));
    setting.llm.behave({ raw: { type: "text/html", chunks: [document] } });
    const answer = await raw("/v1/chat/completions", JSON.stringify(ask(gpt)));
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json; charset=utf-8"]);
    setting.llm.behave({ raw: { type: "text/html", chunks: [Buffer.from('data: {"choices":[{"finish_reason":"stop"}]}\n\n')] } });
    const stream = await raw("/v1/chat/completions", JSON.stringify(ask(gpt, { stream: true })));
    expect([stream.headers.get("content-type"), await stream.text()]).toEqual(["text/event-stream; charset=utf-8", expect.any(String)]);
  });

  it("never follows the provider to another address, and takes the key nowhere", async () => {
    await using elsewhere = await startLlm();
    for (const stream of [false, true]) {
      setting.llm.behave({ redirect: `${elsewhere.url}/v1/chat/completions` });
      expect((await raw("/v1/chat/completions", JSON.stringify(ask(gpt, { stream })))).status).toBe(502);
    }
    expect(elsewhere.seen).toEqual([]);
  });

  it("ends at the provider when the caller goes, and is paid as far as it came", async () => {
    setting.llm.behave({ slowMs: 100 });
    const gone = new AbortController();
    const stream = await openai().chat.completions.create({ ...ask(gpt), stream: true }, { signal: gone.signal });
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content) break;
    }
    gone.abort();
    const call = await setting.lastCall(gpt);
    expect(call).toMatchObject({ status: "cancelled", isEstimate: true });
    expect(call.cost).toBeGreaterThan(0);
    await expect.poll(() => setting.llm.seen[0]?.aborted).toBe(true);
  });

  it("costs what was held back when it is cut short before the provider has counted", async () => {
    const held = (20_000 * 2) / 1e6;
    const most = { max_tokens: 20_000 };
    for (const [how, more] of [
      [{ stall: true }, {}],
      [{ garbage: "json" }, {}],
      [{ cutAfter: 3 }, { stream: true }],
      [{ stallAfter: 3 }, { stream: true }],
    ] as const) {
      setting.llm.behave(how);
      await raw("/v1/chat/completions", JSON.stringify({ ...ask(gpt), ...most, ...more })).then((answer) => answer.text());
      const call = await setting.lastCall(gpt);
      expect(call).toMatchObject({ status: "failed", isEstimate: true });
      expect(call.cost).toBeGreaterThanOrEqual(held);
    }
    for (const more of [{}, { stream: true }]) {
      setting.llm.behave("stream" in more ? { slowMs: 200 } : { stall: true });
      setting.llm.seen.length = 0;
      const gone = new AbortController();
      const calling = openai().chat.completions.create({ ...ask(gpt), ...most, ...more }, { signal: gone.signal });
      const ended = calling.catch((error: unknown) => error);
      await expect.poll(() => setting.llm.seen.length).toBe(1);
      gone.abort();
      await ended;
      await expect.poll(async () => (await setting.lastCall(gpt)).status).toBe("cancelled");
      expect((await setting.lastCall(gpt)).cost).toBeGreaterThanOrEqual(held);
    }
    setting.llm.behave({});
    await openai().chat.completions.create({ ...ask(gpt), ...most });
    expect((await setting.lastCall(gpt)).cost).toBeLessThan(held / 10);
  });

  it("costs what was held back when the caller goes between the last word and the count", async () => {
    setting.llm.behave({ slowMs: 150 });
    const gone = new AbortController();
    const asked = { ...ask(gpt), max_tokens: 20_000, stream: true as const };
    for await (const chunk of await openai().chat.completions.create(asked, { signal: gone.signal })) {
      if (chunk.choices[0]?.finish_reason != null) gone.abort();
    }
    const call = await setting.lastCall(gpt);
    expect(call).toMatchObject({ status: "succeeded", isEstimate: true });
    expect(call.cost).toBeGreaterThanOrEqual((20_000 * 2) / 1e6);
  });

  it.each([
    ["/v1/chat/completions", { stream: 1 }, "stream"],
    ["/v1/chat/completions", { max_tokens: "9" }, "max_tokens"],
    ["/v1/completions", { best_of: 0 }, "best_of"],
    ["/v1/completions", { n: "2" }, "n"],
  ])("to %s is refused with %j", async (path, more, field) => {
    const answer = await raw(path, JSON.stringify({ ...ask(gpt), prompt: "x", ...more }));
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(`\`${field}\``);
    expect(setting.llm.seen).toEqual([]);
  });

  it("is not made to a private address that the operator did not allow, nor to a name that leads there", async () => {
    for (const baseUrl of ["http://127.0.0.1:1/v1", "http://localhost:1/v1", "http://169.254.169.254/v1", "http://[::1]:1/v1"]) {
      const model = await setting.model(`At ${baseUrl}`, { baseUrl });
      const failed = await openai()
        .chat.completions.create(ask(model))
        .catch((error: unknown) => error);
      expect(codeOf(failed)).toBe("model_unreachable");
      expect(await setting.lastCall(model)).toMatchObject({ attempts: 1 });
    }
  });

  it.each([
    ["not JSON", "{", 400],
    ["no object", "[]", 400],
    ["no model", "{}", 400],
    ["a model that is not there", '{"model":"none"}', 404],
    ["too large", `{"model":"gpt","x":"${"x".repeat(33 * 1024 * 1024)}"}`, 413],
  ])("is refused when it is %s", async (_what, body, status) => {
    const answer = await raw("/v1/chat/completions", body);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { message: expect.any(String) as string, type: "invalid_request_error" } });
    expect(setting.llm.seen).toEqual([]);
  });

  it("needs a key that may call models", async () => {
    const { server, ann, json, send } = setting;
    expect(
      (await raw("/v1/chat/completions", "{}").then(() => server.send("POST", "/v1/chat/completions", {}, { authorization: "" }))).status,
    ).toBe(401);
    const made = await json<{ key: string }>(send(ann, "POST", "/api/v1/api-keys", { name: "reader", scopes: ["models:read"] }));
    const refused = await new OpenAI({ baseURL: `${server.url}/v1`, apiKey: made.key, maxRetries: 0 }).chat.completions
      .create(ask(gpt))
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 403 });
    const user = await json<{ key: string }>(send(ann, "POST", "/api/v1/api-keys", { name: "user", scopes: ["models:use"] }));
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: user.key });
    expect((await client.chat.completions.create(ask(gpt))).choices).toHaveLength(1);
    const stranger = await createAccount(server);
    const failed = await new OpenAI({ baseURL: `${server.url}/v1`, apiKey: stranger.headers.authorization.slice(7) }).chat.completions
      .create(ask(gpt))
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ status: 404, code: "unknown_model" });
  });

  it("answers again from memory where the model allows it, to the same person and at no cost", async () => {
    const model = await setting.model("Remembered", { cacheSeconds: 60 });
    const first = await openai().chat.completions.create(ask(model, { temperature: 0 }));
    const again = await openai().chat.completions.create(ask(model, { temperature: 0 }));
    expect(again).toEqual(first);
    expect(setting.llm.seen).toHaveLength(1);
    expect(await setting.lastCall(model)).toMatchObject({ cached: true, cost: 0 });
    await openai().chat.completions.create(ask(model, { temperature: 1 }));
    expect(setting.llm.seen).toHaveLength(2);
    // What goes along to the provider may change its answer.
    await openai().chat.completions.create(ask(model, { temperature: 0 }), { headers: { "openai-beta": "other=v1" } });
    expect(setting.llm.seen).toHaveLength(3);
    expect(setting.llm.seen[2]?.headers).toMatchObject({ "openai-beta": "other=v1" });
  });

  it("has the model's default parameters where it says nothing", async () => {
    const model = await setting.model("Defaults", { parameters: { temperature: 0.25, maxTokens: 9 } });
    await openai().chat.completions.create(ask(model, { temperature: 1 }));
    expect(setting.llm.seen[0]?.body).toMatchObject({ temperature: 1, max_tokens: 9 });
  });
});

describe("the provider's key", () => {
  it("is in no answer, no record and no error, even when the provider says it", async () => {
    for (const status of [400, 401, 500]) {
      setting.llm.behave({ status, echoKey: true });
      const failed = (await openai()
        .chat.completions.create(ask(gpt))
        .catch((error: unknown) => error)) as { message: string; error: unknown };
      expect(JSON.stringify([failed.message, failed.error])).not.toContain(providerKey);
      const translated = (await anthropic()
        .messages.create({ ...ask(gpt), max_tokens: 5 })
        .catch((error: unknown) => error)) as { message: string };
      expect(translated.message).not.toContain(providerKey);
    }
    setting.llm.behave({ text: providerKey });
    const said = await raw("/v1/chat/completions", JSON.stringify(ask(gpt)));
    expect(await said.text()).not.toContain(providerKey);
    const full = await setting.model("Full", { store: "full" });
    for (const how of [{ text: providerKey }, { streamError: `Incorrect API key provided: ${providerKey}` }]) {
      setting.llm.behave(how);
      await raw("/v1/chat/completions", JSON.stringify({ ...ask(full), stream: true })).then((answer) => answer.text());
      await setting.lastCall(full);
    }
    expect((await setting.lastCall(full)).error?.message).toContain("[secret]");
    const { queries } = setting.server.context.database;
    await setting.server.context.audit.flushed();
    for (const table of ["llm_calls", "audit_events", "assets", "credentials"]) {
      const { rows } = await sql<{ text: string }>`select t::text as text from ${sql.table(table)} t`.execute(queries);
      expect(JSON.stringify(rows)).not.toContain(providerKey);
    }
  });
});

describe("a run's connection", () => {
  it("takes a few large requests at once, and any number of small ones", async () => {
    const { queries } = setting.server.context.database;
    const gateway = new Gateway({
      ...setting.server.context,
      rateLimit: never,
      redis: never,
      credentials: never,
      onNodeCall: never,
      quotas: never,
      send: never,
      onEnded: never,
      callsPerMinute: 0,
      readerMs: 60_000,
    });
    const caller = { userId: "user_none", role: "developer", runId: null, sandboxId: null, programId: null, modelIds: [] } as const;
    const runTokens = { read: async () => await Promise.resolve(caller) } as unknown as RunTokens;
    const listener = new GatewayListener({
      gateway,
      runTokens,
      queries,
      nodes: { answer: () => Promise.reject(new Error("nobody asks")) },
      readerMs: 60_000,
    });
    const sockets: Socket[] = [];
    await using server = createServer((socket) => {
      sockets.push(socket);
      listener.accept(socket, "token");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const begin = () => {
      const sent = request({ port, host: "127.0.0.1", path: "/v1/chat/completions", method: "POST", headers: { "content-length": 1000 } });
      const answered = once(sent, "response").then(([response]) => response as IncomingMessage);
      sent.write("{");
      return { sent, answered };
    };
    const open = Array.from({ length: 4 }, begin);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const refused = await begin().answered;
    expect(refused).toMatchObject({ statusCode: 429, headers: { "retry-after": "1", connection: "close" } });
    for (const { sent } of open) sent.end(" ".repeat(999));
    for (const { answered } of open) expect((await answered).statusCode).toBe(400);
    const small = Array.from({ length: 30 }, () => fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: "POST", body: "{" }));
    expect(new Set((await Promise.all(small)).map(({ status }) => status))).toEqual(new Set([400]));
    // What is written on the connection itself leads nowhere else, whatever a program makes of it.
    const say = async (text: string) => {
      const socket = connect(port, "127.0.0.1");
      socket.write(text);
      const answered = await Array.fromAsync(socket as AsyncIterable<Buffer>);
      return [
        ...Buffer.concat(answered)
          .toString()
          .matchAll(/HTTP\/1\.1 (\d+)/g),
      ].map(([, status]) => Number(status));
    };
    const last = "Host: x\r\nConnection: close\r\n";
    const hidden = `0\r\n\r\nGET / HTTP/1.1\r\n${last}\r\n`;
    for (const [text, statuses] of [
      [`POST /v1/chat/completions HTTP/1.1\r\n${last}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${hidden}`, [400]],
      [`POST /v1/chat/completions HTTP/1.1\r\n${last}Content-Length: 5\r\nContent-Length: 6\r\n\r\n${hidden}`, [400]],
      [`POST /v1/chat/completions HTTP/1.1\r\n${last}Transfer-Encoding: xchunked\r\n\r\n${hidden}`, [400]],
      [`GET / HTTP/1.1\r\n${last}X-Forwarded-Host: evil.example\r\nAuthorization: Bearer syla_run_another\r\n\r\n`, [200]],
      [`GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n${last}\r\n`, [200, 200]],
      [`GET http://169.254.169.254/latest HTTP/1.1\r\n${last}\r\n`, [403]],
      [`CONNECT 127.0.0.1:22 HTTP/1.1\r\n${last}\r\n`, [403]],
      [`GET //v1//..%2f..%2fapi/v1/users/me HTTP/1.1\r\n${last}\r\n`, [404]],
      [`GET /v1/../api/v1/users/me HTTP/1.1\r\n${last}\r\n`, [404]],
      [`GET /api/v1/users/me HTTP/1.1\r\n${last}\r\n`, [404]],
    ] as const)
      expect([text, await say(text)]).toEqual([text, statuses]);
    for (const socket of sockets) socket.destroy();
  });
});

describe("what is read of requests and streams", () => {
  it("is all that a model reads", () => {
    const words = "one two three";
    const tool = { type: "function", function: { name: "f", description: words } };
    for (const body of [
      { messages: [{ role: "user", content: `data: ${words}` }] },
      { tools: [tool] },
      { prompt: [`data:${words}`] },
      { messages: [{ role: "user", content: [{ type: "document", source: { type: "text", data: words } }] }] },
    ])
      expect(gatherText(body)).toContain(words);
    expect(gatherText({ prompt: [[1, 2], [3]] })).toBe("1 2 3");
    expect(gatherText({ messages: [{ role: "user", content: "x", images: ["aGVsbG8="] }] }).trim()).toBe("x");
  });

  it("is the same for every reader: no key stands twice, and nothing is nested without end", async () => {
    const hello = '[{"role":"user","content":"Hello"}]';
    for (const [body, path] of [
      [`{"model":"${gpt.slug}","messages":${hello},"model":"dear"}`, "model"],
      [`{"model":"${gpt.slug}","messages":${hello},"\\u006dodel":"dear"}`, "model"],
      [`{"model":"${gpt.slug}","stream":false,"messages":${hello},"stream":true}`, "stream"],
      [`{"model":"${gpt.slug}","messages":[{"role":"user","content":"x","content":"y"}]}`, "content"],
    ] as const) {
      const answer = await raw("/v1/chat/completions", body);
      expect(await setting.json(answer)).toMatchObject({
        error: { code: "invalid_request", param: path, message: expect.stringContaining("stands there twice") as string },
      });
      expect(answer.status).toBe(400);
    }
    const nested = `{"model":"${gpt.slug}","messages":${hello},"x":${"[".repeat(300)}${"]".repeat(300)}}`;
    expect((await raw("/v1/chat/completions", nested)).status).toBe(400);
    expect(setting.llm.seen).toEqual([]);
    const alike = `{"model":"${gpt.slug}","messages":[{"role":"user","content":"\\"model\\":1,"},{"role":"user","content":"a"}],"tools":[]}`;
    expect((await raw("/v1/chat/completions", alike)).status).toBe(200);
  });

  it("finds keys that stand twice wherever they are, and only those", () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof({ depthSize: "small" }, fc.string({ unit: "binary" }), fc.integer(), tie("list"), tie("object")),
      list: fc.array(tie("any"), { maxLength: 4 }),
      object: fc.dictionary(fc.string({ unit: "binary", maxLength: 4 }), tie("any"), { maxKeys: 30 }),
    })).object;
    fc.assert(
      fc.property(value, fc.boolean(), (document, isSpaced) => {
        const text = JSON.stringify(document, null, isSpaced ? 1 : 0);
        requireOneReading(text);
        const [first] = Object.keys(document);
        if (first === undefined) return;
        expect(() => requireOneReading(`[{"a":{"b":1}},${text.slice(0, -1)},${JSON.stringify(first)}:{}}]`)).toThrow("not valid");
      }),
      { numRuns: 30 },
    );
    requireOneReading(`{"a${"x".repeat(9)}`);
  });

  it("is estimated quickly, however long it is", () => {
    const text = "some words ".repeat(3_000_000);
    const startedAt = performance.now();
    expect(estimateTokens(text)).toBeGreaterThan(text.length / 8);
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });

  it("is the same in whatever pieces it comes, and is looked through once", async () => {
    const text = 'data: {"a":"ü"}\r\n\r\ndata: {"b":1}\n\n: c\r\rdata: [DONE]\n\ndata: {"d":2}';
    for (const size of [1, 2, 3, 7, 1000]) {
      const bytes = Buffer.from(text);
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
      const events = await Array.fromAsync(readEvents("openai", streamOf(pieces)));
      expect(events.map(({ raw: piece }) => piece).join("")).toBe(text);
      expect(events.map(({ document }) => document)).toEqual([{ a: "ü" }, { b: 1 }, null, null, { d: 2 }]);
    }
    const filler = Buffer.alloc(16, "x");
    const long = [Buffer.from('data: {"a":"'), ...Array.from({ length: 500_000 }, () => filler), Buffer.from('"}\n\n')];
    expect(await Array.fromAsync(readEvents("openai", streamOf(long)))).toHaveLength(1);
  });
});

async function* streamOf(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces;
}
