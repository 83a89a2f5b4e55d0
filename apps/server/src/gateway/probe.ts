import { ReadableStream } from "node:stream/web";
import { AppError } from "@syla/contracts/errors";
import type { ModelConfig } from "@syla/contracts/model-config";
import type { ModelTest } from "@syla/contracts/models";
import { listSecrets, type ModelSecrets } from "../models/service.ts";
import { hideText } from "./call-record.ts";
import { ProviderError, providerMessage, toFailure } from "./protocol-error.ts";
import { passedBody, type Body } from "./request.ts";
import { toAnswer, toEvents } from "./translate/answer.ts";
import type { NeutralCall } from "./translate/call.ts";
import { openProviderModel } from "./translate/provider-model.ts";
import { readText, type Send } from "./upstream/send.ts";
import { targetOf } from "./upstream/target.ts";
import { exchangeKey } from "./upstream/watsonx-token.ts";

const longestMs = 60_000;
const mostShown = 200;
const chat = { protocol: "openai", operation: "chat", path: "/chat/completions" } as const;
const codes: Readonly<Record<string, NonNullable<ModelTest["code"]>>> = {
  model_credential_refused: "invalid_api_key",
  model_unreachable: "unreachable",
  model_timeout: "timeout",
  model_garbled: "garbled",
  model_cut_off: "garbled",
  credential_missing: "credential",
  credential_expired: "credential",
  credential_unreadable: "credential",
  kms_unavailable: "credential",
  kms_refused: "credential",
};

/** What a model is shown to find out whether it sees: a red square, PNG. */
const picture = "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR42mP4z8BAEmIY1TCqYfhqAACQ+f8B8u7oVwAAAABJRU5ErkJggg==";

/** Calls a model for real: how fast it answers, what it can do, or what is wrong. `reveal` opens its credentials. */
export async function probeModel(send: Send, config: ModelConfig, reveal: () => Promise<ModelSecrets>): Promise<ModelTest> {
  const unknown = { streaming: null, tools: null, json: null, vision: null, embeddings: null };
  const nothing = { latencyMs: null, firstByteMs: null, capabilities: unknown, answer: null };
  const signal = AbortSignal.timeout(longestMs);
  try {
    const opened = await reveal();
    const isExchanged = opened.key !== null && config.provider === "watsonx";
    const secrets = isExchanged ? { ...opened, key: await exchangeKey(send, config.baseUrl ?? "", opened.key, signal) } : opened;
    if (config.capabilities.modalities.every((modality) => modality === "embedding"))
      return await probeEmbeddings(send, config, secrets, signal);
    const model = await openProviderModel(config, (path, body, streamed) => deliver(send, config, secrets, path, body, streamed, signal));
    const call: NeutralCall = { prompt: [user("Answer with the one word OK.")], maxOutputTokens: 256, abortSignal: signal };
    const startedAt = performance.now();
    let firstByteMs: number | null = null;
    let text = "";
    const { stream } = await model.doStream(call);
    for await (const event of toEvents(stream)) {
      firstByteMs ??= performance.now() - startedAt;
      if (event.type === "text") text += event.delta;
    }
    const latencyMs = performance.now() - startedAt;
    const tools = await tried(signal, async () => {
      const tool = {
        type: "function",
        name: "get_time",
        description: "The time now.",
        inputSchema: { type: "object", properties: {} },
      } as const;
      const answer = toAnswer(
        await model.doGenerate({
          ...call,
          prompt: [user("What time is it? Use the tool.")],
          tools: [tool],
          toolChoice: { type: "required" },
        }),
      );
      return answer.calls.some(({ name }) => name === "get_time");
    });
    const json = await tried(signal, async () => {
      const schema = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"], additionalProperties: false } as const;
      const answer = toAnswer(await model.doGenerate({ ...call, responseFormat: { type: "json", name: "answer", schema } }));
      return typeof (JSON.parse(answer.text) as { ok?: unknown }).ok === "boolean";
    });
    const vision = await tried(signal, async () => {
      const image = { type: "file" as const, mediaType: "image/png", data: { type: "data" as const, data: picture } };
      const asked = { role: "user" as const, content: [{ type: "text" as const, text: "Which colour is this?" }, image] };
      return toAnswer(await model.doGenerate({ ...call, prompt: [asked] })).text !== "";
    });
    const embeddings = hasEmbeddings(config) ? await tried(signal, () => embeds(send, config, secrets, signal)) : false;
    const capabilities = { streaming: true, tools, json, vision, embeddings };
    const answer = hideText(text, listSecrets(secrets)).slice(0, mostShown).toWellFormed();
    return { ok: true, code: null, message: null, latencyMs, firstByteMs, capabilities, answer };
  } catch (thrown) {
    return { ok: false, ...nothing, ...explain(thrown, signal) };
  }
}

async function probeEmbeddings(send: Send, config: ModelConfig, secrets: ModelSecrets, signal: AbortSignal): Promise<ModelTest> {
  const startedAt = performance.now();
  if (!(await embeds(send, config, secrets, signal))) throw new AppError("model_garbled");
  const latencyMs = performance.now() - startedAt;
  const capabilities = { streaming: false, tools: false, json: false, vision: false, embeddings: true };
  return { ok: true, code: null, message: null, latencyMs, firstByteMs: latencyMs, capabilities, answer: null };
}

/** Whether the provider has embeddings at all, where the gateway asks for them. */
function hasEmbeddings({ provider }: ModelConfig): boolean {
  return provider !== "anthropic" && provider !== "watsonx";
}

async function embeds(send: Send, config: ModelConfig, secrets: ModelSecrets, signal: AbortSignal): Promise<boolean> {
  const body = JSON.stringify({ model: config.modelId, input: "OK" });
  const { data } = (await (await deliver(send, config, secrets, "/embeddings", body, false, signal)).json()) as { data?: unknown };
  return Array.isArray(data);
}

async function deliver(
  send: Send,
  config: ModelConfig,
  secrets: ModelSecrets,
  path: string,
  body: string,
  streamed: boolean,
  signal: AbortSignal,
): Promise<Response> {
  const target = targetOf(config, config.provider === "anthropic" ? "anthropic" : "openai", path, secrets, streamed);
  const sent = config.provider === "watsonx" ? passedBody(body, JSON.parse(body) as Body, chat, "openai", config, streamed) : body;
  const answer = await send({ method: "POST", ...target, body: sent, signal });
  if (answer.status >= 300 && answer.status < 400)
    throw new AppError("model_unreachable", { message: "The provider sends to another address, which is not followed." });
  if (answer.status === 401 || answer.status === 403) throw new AppError("model_credential_refused");
  if (answer.status >= 400) {
    const said = providerMessage(await readText(answer.body)) ?? `The provider answered with ${answer.status}.`;
    throw new ProviderError(answer.status, hideText(said, listSecrets(secrets)), null);
  }
  const headers = { "content-type": answer.headers["content-type"] ?? "" };
  return new Response(ReadableStream.from(answer.body), {
    status: answer.status,
    headers,
  });
}

/** What a provider refuses as such, or answers otherwise than it was asked, it cannot do; what there was no time for is not known. */
async function tried(signal: AbortSignal, work: () => Promise<boolean>): Promise<boolean | null> {
  try {
    return await work();
  } catch (thrown) {
    const error = causeOf(thrown);
    if (signal.aborted || error instanceof AppError) return null;
    return error instanceof ProviderError && (error.status >= 500 || error.status === 429) ? null : false;
  }
}

/** What was thrown where the provider was asked, also when it came through somebody else's error. */
function causeOf(thrown: unknown): unknown {
  const cause = (thrown as { cause?: unknown }).cause;
  return cause instanceof AppError || cause instanceof ProviderError ? cause : thrown;
}

function explain(thrown: unknown, signal: AbortSignal): { code: NonNullable<ModelTest["code"]>; message: string } {
  const error = causeOf(thrown);
  if (signal.aborted) return { code: "timeout", message: "The model did not answer within a minute." };
  if (error instanceof ProviderError) {
    const { message, status } = error;
    if (status === 404 || /model.*(not (found|exist)|does not exist|unknown)|unknown model|no such model/i.test(message))
      return { code: "unknown_model", message };
    return { code: status === 429 ? "rate_limited" : "failed", message };
  }
  if ((error as { name?: string }).name?.startsWith("AI_") === true)
    return { code: "garbled", message: "The provider's answer cannot be read." };
  const { code, message } = toFailure(error);
  return { code: codes[code] ?? "failed", message };
}

function user(text: string) {
  return { role: "user" as const, content: [{ type: "text" as const, text }] };
}
