import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Model } from "@syla/contracts/models";
import { openGateway, type GatewaySetting } from "./gateway-setting.ts";

let setting: GatewaySetting;
let claude: Model;
let compatible: Model;
let llama: Model;

beforeAll(async () => {
  setting = await openGateway();
  claude = await setting.model("Claude", { provider: "anthropic" });
  compatible = await setting.model("Compatible", { provider: "openai-compatible" });
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
const hello = { role: "user" as const, content: "Hello" };
const parameters = { type: "object" as const, properties: { city: { type: "string" } }, required: ["city"] };
const raw = (path: string, body: object) => setting.send(setting.ann, "POST", path, body);
const picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

describe("OpenAI's client with a model of Anthropic", () => {
  it("chats, whole and in pieces, with usage", async () => {
    const whole = await openai().chat.completions.create({
      model: claude.slug,
      messages: [{ role: "system", content: "Be kind" }, hello],
      max_tokens: 50,
    });
    expect(whole.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: "You said: Hello" } });
    expect(whole.usage?.total_tokens).toBeGreaterThan(1);
    expect(setting.llm.seen[0]).toMatchObject({
      path: "/v1/messages",
      body: { max_tokens: 50, system: [{ type: "text", text: "Be kind" }] },
    });
    let text = "";
    let usage: object | null | undefined;
    const stream = await openai().chat.completions.create({
      model: claude.slug,
      messages: [hello],
      stream: true,
      stream_options: { include_usage: true },
    });
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      usage = chunk.usage ?? usage;
    }
    expect(text).toBe("You said: Hello");
    expect(usage).toMatchObject({ completion_tokens: expect.any(Number) as number });
    expect(await setting.lastCall(claude)).toMatchObject({
      status: "succeeded",
      streamed: true,
      protocol: "openai",
      provider: "anthropic",
      isEstimate: false,
    });
  });

  it("calls tools and gives their results back", async () => {
    const tools = [{ type: "function" as const, function: { name: "weather", parameters } }];
    const first = await openai().chat.completions.create({ model: claude.slug, messages: [hello], tools });
    const [call] = first.choices[0]?.message.tool_calls ?? [];
    expect(call).toMatchObject({ type: "function", function: { name: "weather", arguments: '{"city":"text"}' } });
    const messages = [
      hello,
      { role: "assistant" as const, content: null, tool_calls: call === undefined ? [] : [call] },
      { role: "tool" as const, tool_call_id: call?.id ?? "", content: "Rain" },
    ];
    await openai().chat.completions.create({ model: claude.slug, messages, tools });
    expect(JSON.stringify(setting.llm.seen.at(-1)?.body.messages)).toContain('"tool_result"');
    let args = "";
    for await (const chunk of await openai().chat.completions.create({ model: claude.slug, messages: [hello], tools, stream: true }))
      args += chunk.choices[0]?.delta.tool_calls?.[0]?.function?.arguments ?? "";
    expect(JSON.parse(args)).toEqual({ city: "text" });
  });

  it("shows pictures and asks for a schema", async () => {
    const content = [
      { type: "text" as const, text: "What is it?" },
      { type: "image_url" as const, image_url: { url: `data:image/png;base64,${picture}` } },
    ];
    await openai().chat.completions.create({ model: claude.slug, messages: [{ role: "user", content }] });
    expect(JSON.stringify(setting.llm.seen[0]?.body.messages)).toContain(`"media_type":"image/png","data":"${picture.slice(0, 20)}`);
    const answer = await openai().chat.completions.create({
      model: claude.slug,
      messages: [hello],
      response_format: { type: "json_schema", json_schema: { name: "place", schema: { ...parameters, additionalProperties: false } } },
    });
    expect(JSON.parse(answer.choices[0]?.message.content ?? "")).toEqual({ city: "text" });
  });

  it("uses responses as well", async () => {
    const answer = await openai().responses.create({ model: claude.slug, instructions: "Be kind", input: "Hi" });
    expect(answer.output_text).toBe("You said: Hi");
    let final = "";
    for await (const event of await openai().responses.create({ model: compatible.slug, input: "Hi", stream: true }))
      if (event.type === "response.completed") final = JSON.stringify(event.response.output);
    expect(final).toContain("You said: Hi");
    expect(setting.llm.seen.at(-1)?.path).toBe("/v1/chat/completions");
  });

  it("is told what cannot be had", async () => {
    const once = openai().completions.create({ model: claude.slug, prompt: "Once" });
    expect(await once.catch((error: unknown) => error)).toMatchObject({ status: 400, code: "model_unsupported" });
    const vectors = openai().embeddings.create({ model: claude.slug, input: "a" });
    expect(await vectors.catch((error: unknown) => error)).toMatchObject({ status: 400, code: "model_unsupported" });
    const many = openai().chat.completions.create({ model: claude.slug, messages: [hello], n: 2 });
    expect(await many.catch((error: unknown) => error)).toMatchObject({
      status: 400,
      code: "invalid_request",
      message: expect.stringContaining("only one answer") as string,
    });
  });
});

describe("Anthropic's client with a model that speaks OpenAI's", () => {
  it("talks, whole and in pieces, and counts", async () => {
    const whole = await anthropic().messages.create({ model: compatible.slug, messages: [hello], max_tokens: 50 });
    expect(whole).toMatchObject({ role: "assistant", stop_reason: "end_turn", content: [{ type: "text", text: "You said: Hello" }] });
    expect(setting.llm.seen[0]?.path).toBe("/v1/chat/completions");
    const final = await anthropic()
      .messages.stream({ model: compatible.slug, messages: [hello], max_tokens: 50 })
      .finalMessage();
    expect(final.content).toMatchObject([{ type: "text", text: "You said: Hello" }]);
    expect(final.usage.output_tokens).toBeGreaterThan(0);
    expect((await anthropic().messages.countTokens({ model: compatible.slug, messages: [hello] })).input_tokens).toBeGreaterThan(0);
  });

  it("calls tools", async () => {
    const tools = [{ name: "weather", input_schema: parameters }];
    const final = await anthropic()
      .messages.stream({ model: compatible.slug, messages: [hello], max_tokens: 50, tools })
      .finalMessage();
    expect(final).toMatchObject({ stop_reason: "tool_use", content: [{ type: "tool_use", name: "weather", input: { city: "text" } }] });
    const [use] = final.content;
    const messages = [
      hello,
      { role: "assistant" as const, content: final.content },
      {
        role: "user" as const,
        content: [{ type: "tool_result" as const, tool_use_id: use?.type === "tool_use" ? use.id : "", content: "Rain" }],
      },
    ];
    await anthropic().messages.create({ model: compatible.slug, messages, max_tokens: 50, tools });
    expect(setting.llm.seen.at(-1)?.body.messages?.at(-1)).toMatchObject({ role: "tool", content: "Rain" });
  });

  it("reads the provider's failures in its own words", async () => {
    setting.llm.behave({ status: 400 });
    const failed = await anthropic()
      .messages.create({ model: compatible.slug, messages: [hello], max_tokens: 5 })
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(Anthropic.BadRequestError);
    setting.llm.behave({ cutAfter: 4 });
    await expect(
      anthropic()
        .messages.stream({ model: compatible.slug, messages: [hello], max_tokens: 5 })
        .finalMessage(),
    ).rejects.toThrow(Anthropic.AnthropicError);
    expect(await setting.lastCall(compatible)).toMatchObject({ status: "failed", error: { code: "model_cut_off" } });
  });
});

describe("Ollama's clients with models of others", () => {
  it("chat and generate, whole and in lines", async () => {
    const whole = (await (await raw("/api/chat", { model: claude.slug, messages: [hello], stream: false })).json()) as object;
    expect(whole).toMatchObject({
      message: { role: "assistant", content: "You said: Hello" },
      done: true,
      done_reason: "stop",
      eval_count: expect.any(Number) as number,
    });
    const lines = (await (await raw("/api/generate", { model: compatible.slug, prompt: "Hi" })).text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { response: string; done: boolean });
    expect(lines.map(({ response }) => response).join("")).toBe("You said: Hi");
    expect(lines.at(-1)?.done).toBe(true);
  });

  it("call tools, use formats and embed", async () => {
    const tools = [{ type: "function", function: { name: "weather", parameters } }];
    const lines = (await (await raw("/api/chat", { model: compatible.slug, messages: [hello], tools })).text()).trim().split("\n");
    expect(lines.join()).toContain('"tool_calls":[{"function":{"name":"weather","arguments":{"city":"text"}}}]');
    const format = (await (
      await raw("/api/chat", { model: compatible.slug, messages: [hello], format: parameters, stream: false })
    ).json()) as { message: { content: string } };
    expect(JSON.parse(format.message.content)).toEqual({ city: "text" });
    expect(await (await raw("/api/embed", { model: compatible.slug, input: ["a", "b"] })).json()).toMatchObject({
      embeddings: [expect.any(Array), expect.any(Array)],
    });
    expect(await (await raw("/api/embeddings", { model: compatible.slug, prompt: "a" })).json()).toMatchObject({
      embedding: expect.any(Array) as number[],
    });
  });

  it.each([{ messages: "no" }, { messages: [] }, { messages: [{ role: "robot", content: "x" }] }])("are refused with %j", async (body) => {
    const answer = await raw("/api/chat", { model: claude.slug, ...body });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: expect.stringContaining("messages") as string });
    expect(setting.llm.seen).toEqual([]);
  });
});

describe("OpenAI's client with a model of Ollama", () => {
  it("is passed on to its own endpoint", async () => {
    const answer = await openai().chat.completions.create({ model: llama.slug, messages: [hello] });
    expect(answer.choices[0]?.message.content).toBe("You said: Hello");
    expect(setting.llm.seen[0]?.path).toBe("/v1/chat/completions");
  });
});

describe("Azure and watsonx", () => {
  it("are called at their own addresses, with their own words for the model and the key", async () => {
    const azure = await setting.model("Azure", { provider: "azure", modelId: "my deployment", apiVersion: "2025-01-01" });
    await openai().chat.completions.create({ model: azure.slug, messages: [hello] });
    expect(setting.llm.seen[0]).toMatchObject({
      path: "/openai/deployments/my%20deployment/chat/completions",
      headers: { "api-key": expect.any(String) as string },
    });
    const watsonx = await setting.model("Granite", { provider: "watsonx", modelId: "ibm/granite-3-8b", projectId: "project-1" });
    const answer = await openai().chat.completions.create({ model: watsonx.slug, messages: [hello] });
    expect(answer.choices[0]?.message.content).toBe("You said: Hello");
    const [token, call] = setting.llm.seen.slice(1);
    expect(token).toMatchObject({ path: "/identity/token", text: expect.stringContaining("apikey=") as string });
    expect(call).toMatchObject({ path: "/ml/v1/text/chat", body: { model_id: "ibm/granite-3-8b" } });
    expect(call?.body).toMatchObject({ project_id: "project-1" });
    expect(call?.body.model).toBeUndefined();
    let text = "";
    for await (const chunk of await openai().chat.completions.create({ model: watsonx.slug, messages: [hello], stream: true }))
      text += chunk.choices[0]?.delta.content ?? "";
    expect(text).toBe("You said: Hello");
    expect(await setting.lastCall(watsonx)).toMatchObject({ isEstimate: false });
  });
});
