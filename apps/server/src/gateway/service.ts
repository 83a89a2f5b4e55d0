import type { Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";
import { AppError } from "@syla/contracts/errors";
import { credentialsOf, type ModelConfig } from "@syla/contracts/model-config";
import type { Access, Hold } from "../access/service.ts";
import type { Credentials } from "../credentials/service.ts";
import {
  listSecrets,
  noSecrets,
  revealSecrets,
  selectModel,
  type ModelCaller,
  type ModelSecrets,
  type SelectedModel,
} from "../models/service.ts";
import type { Database } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { Logger } from "../platform/logger.ts";
import type { CorrectedRateLimit } from "../platform/rate-limit.ts";
import type { Redis } from "../platform/redis.ts";
import type { Secret } from "../platform/secret.ts";
import type { EndedCall } from "../metrics/service.ts";
import type { Quotas } from "../quotas/service.ts";
import type { Budgets, CallFacts } from "../spend/budgets/service.ts";
import { dollar, holdBack, type SpendQuota } from "../spend/service.ts";
import { AnswerMemory } from "./answer-memory.ts";
import { assumedOutputTokens, keyQuotaOf, limited, paysForIt, plausibleUse } from "./call-limits.ts";
import { CallRecord, hideText, recordRefusal, sha256, storedText } from "./call-record.ts";
import { insertCall, type CallEnd } from "./calls/store.ts";
import { checkDelegated, delegatedBetas } from "./delegation/check.ts";
import { estimateTokens } from "./metering/count.ts";
import { costOf } from "./metering/cost.ts";
import { readEvents, type StreamEvent } from "./metering/event-reader.ts";
import { Meter } from "./metering/meter.ts";
import { deltaText, gatherText } from "./metering/text.ts";
import { readUsage } from "./metering/usage.ts";
import { ModelLimits } from "./model-limits.ts";
import { errorDocument, errorEvent, ProviderError, providerMessage, toFailure } from "./protocol-error.ts";
import { wantsStream, type Endpoint } from "./protocol.ts";
import { addsUsage, answersOf, checkBody, modelNameOf, mostOutputTokens, passedBody, readBody, type Body } from "./request.ts";
import { bodyFor, wholeBody } from "./reader.ts";
import { isLast, isUnfinished, isUsageOnly, streamError } from "./stream-end.ts";
import { checked, hideSecrets, readable, ToldError } from "./thrown.ts";
import { toAnswer, toEvents, type AnswerHead } from "./translate/answer.ts";
import type { NeutralCall } from "./translate/call.ts";
import { dialectOf, type Dialect } from "./translate/dialects.ts";
import { toOllamaEmbeddings, toOpenaiEmbeddings } from "./translate/embeddings.ts";
import { openProviderModel } from "./translate/provider-model.ts";
import { sendWithRetries } from "./upstream/retry.ts";
import { readText, type Send, type UpstreamAnswer, type UpstreamRequest } from "./upstream/send.ts";
import { familyFor, targetOf, type Family } from "./upstream/target.ts";
import { exchangeKey } from "./upstream/watsonx-token.ts";

/** Events behind the end of a stream are not passed on; after so many it is not read on. */
const mostBehindEnd = 8;
/** Estimates of input may be too small by so much. */
const inputMargin = 1.3;

/** What the gateway is made of. */
export interface GatewayContext {
  readonly database: Database;
  readonly logger: Logger;
  readonly credentials: Pick<Credentials, "reveal">;
  readonly quotas: Pick<Quotas, "spendLimit" | "spendKey" | "noteSpend" | "noteStored">;
  readonly budgets: Pick<Budgets, "ofCall" | "noteSpend" | "noteRefusal">;
  readonly rateLimit: CorrectedRateLimit;
  readonly redis: Pick<Redis, "get" | "set">;
  readonly send: Send;
  readonly access: Pick<Access, "holdCaller">;
  /** Counts a call that has ended. */
  readonly onEnded: (call: EndedCall) => void;
  /** A call of a node of a composition has ended. */
  readonly onNodeCall: (runId: string, nodePath: string) => void;
  /** Calls a minute of one person; 0: any number. */
  readonly callsPerMinute: number;
  /** How long in all an answer waits for who reads it. */
  readonly readerMs: number;
}

/** Who calls, and for which run or from which sandbox. */
export interface Caller extends ModelCaller {
  readonly runId: string | null;
  readonly sandboxId: string | null;
  readonly programId: string | null;
  /** The API key that is used, or that the run was started with. */
  readonly keyId: string | null;
}

/** A call as it came in. */
export interface Incoming {
  readonly endpoint: Endpoint;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly requestId: string;
  readonly traceId: string | null;
  /** The node of a composition that calls, as it says itself. */
  readonly node: string | null;
  /** Aborts when the caller goes. */
  readonly signal: AbortSignal;
}

/** An answer in the caller's protocol. */
export interface GatewayAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Readable;
}

/** A call that has been let in. */
interface Admitted {
  readonly caller: Caller;
  readonly incoming: Incoming;
  readonly model: SelectedModel;
  readonly text: string;
  readonly body: Body;
  readonly streamed: boolean;
  readonly meter: Meter;
  readonly record: CallRecord;
  readonly secrets: ModelSecrets;
}

const json = "application/json; charset=utf-8";

/** The way to language models: authorises, adds the key, measures, and writes down. */
export class Gateway {
  readonly #context: GatewayContext;
  readonly #memory: AnswerMemory;
  readonly #limits: ModelLimits;

  constructor(context: GatewayContext) {
    this.#context = context;
    this.#memory = new AnswerMemory(context.redis);
    this.#limits = new ModelLimits(context.rateLimit);
  }

  /** Never rejects: what goes wrong is an answer in the caller's protocol. */
  async call(caller: Caller, incoming: Incoming): Promise<GatewayAnswer> {
    try {
      const answer = await this.#perform(caller, incoming);
      if (typeof answer.body !== "string") return answer;
      const { body, headers } = wholeBody(answer.body, this.#context.readerMs);
      return { status: answer.status, headers: { ...answer.headers, ...headers }, body };
    } catch (thrown) {
      return this.refuse(incoming, thrown);
    }
  }

  /** An error as clients of the protocol read it. */
  refuse({ endpoint, requestId }: Pick<Incoming, "endpoint" | "requestId">, thrown: unknown): GatewayAnswer {
    const failure = toFailure(thrown);
    if (failure.code === "internal") this.#context.logger.error({ err: thrown, requestId }, "a model call failed");
    return {
      status: failure.status,
      headers: {
        "content-type": json,
        "x-request-id": requestId,
        // What was not read of a request would be taken for the next one.
        ...(failure.status === 413 ? { connection: "close" } : {}),
        ...(failure.retryAfter === null ? {} : { "retry-after": failure.retryAfter }),
      },
      body: JSON.stringify(errorDocument(endpoint.protocol, failure, requestId)),
    };
  }

  async #perform(caller: Caller, incoming: Incoming): Promise<GatewayAnswer> {
    const { endpoint } = incoming;
    const given = readBody(incoming.body);
    await this.#requireRate(caller.userId);
    checkBody(endpoint, given.body);
    const model = await selectModel(this.#context.database.queries, caller, modelNameOf(given.body));
    if (!paysForIt(model)) checkDelegated(endpoint, given.body, model.config);
    const quota = await this.#quotaOf(caller, model);
    const { text, body } = limited(endpoint, given, model, quota);
    const streamed = wantsStream(endpoint, body);
    const family = familyFor(model.config, endpoint);
    const inputText = gatherText(body);
    if (family === null && endpoint.operation === "count_tokens")
      return { status: 200, headers: { "content-type": json }, body: JSON.stringify({ input_tokens: estimateTokens(inputText) }) };
    const dialect = family === null ? dialectOf(endpoint) : null;
    const isEmbedding = endpoint.operation === "embed" || endpoint.operation === "embed_old";
    if (family === null && dialect === null && !(isEmbedding && familyFor(model.config, embeddings) === "openai"))
      throw new AppError("model_unsupported", {
        message: `${model.config.provider} has no ${incoming.endpoint.path.replaceAll("/", " ").trim()}.`,
      });
    const neutral = dialect === null ? null : readNeutral(dialect, body, model.config);
    const headers = forwarded(family ?? ownFamily(model.config), incoming.headers, paysForIt(model));
    const place = this.#memory.placeOf(caller.userId, model, { endpoint, headers, text, body, streamed });
    const known = place === null ? undefined : await this.#memory.get(place);
    const admitted = await this.#admit(caller, incoming, model, { text, body, streamed, inputText, quota, isFree: known !== undefined });
    if (known !== undefined) {
      await admitted.record.answerFromMemory();
      return { status: 200, headers: headersOf(admitted, known.contentType), body: known.text };
    }
    const answer = await this.#guarded(admitted, async () => {
      if (family !== null) return await this.#pass(admitted, family);
      if (dialect !== null && neutral !== null) return await this.#translate(admitted, dialect, neutral);
      return await this.#embed(admitted);
    });
    if (place !== null && answer.status === 200 && typeof answer.body === "string")
      await this.#memory.set(place, { text: answer.body, contentType: answer.headers["content-type"] ?? json });
    return answer;
  }

  async #requireRate(userId: string): Promise<void> {
    const { callsPerMinute, rateLimit } = this.#context;
    if (callsPerMinute === 0) return;
    const state = await rateLimit.take(`llm ${userId}`, { limit: callsPerMinute, windowMs: 60_000 });
    if (!state.allowed)
      throw new AppError("rate_limited", {
        message: `You may call models ${callsPerMinute} times a minute.`,
        retryAfter: state.resetMs / 1000,
      });
  }

  /** As it is now; budgets are looked at once more when something is held back. */
  async #quotaOf(caller: Caller, model: SelectedModel): Promise<SpendQuota> {
    const { quotas, budgets } = this.#context;
    const limit = await quotas.spendLimit(caller.userId);
    return {
      userId: caller.userId,
      limit: limit < 0 ? null : limit * dollar,
      key: keyQuotaOf(await quotas.spendKey(caller.keyId)),
      budgets: await budgets.ofCall(factsOf(caller, model)),
    };
  }

  /** Holds back what the call may cost and records that it begins, in one step; then opens the credential. */
  async #admit(
    caller: Caller,
    incoming: Incoming,
    model: SelectedModel,
    wish: { text: string; body: Body; streamed: boolean; inputText: string; quota: SpendQuota; isFree: boolean },
  ): Promise<Admitted> {
    const { text, body, streamed, inputText, quota, isFree } = wish;
    const { database, quotas, budgets, credentials } = this.#context;
    const { config } = model;
    const isEmbedding = incoming.endpoint.operation.startsWith("embed");
    const most = {
      input: Math.ceil(estimateTokens(inputText) * inputMargin),
      output: isEmbedding
        ? 0
        : (mostOutputTokens(incoming.endpoint, body, config) ?? assumedOutputTokens * answersOf(incoming.endpoint, body)),
      cached: null,
      reasoning: null,
    };
    const prices = isEmbedding ? { ...config.prices, output: config.prices.output ?? 0 } : config.prices;
    const amount = isFree ? 0 : costOf(most, prices);
    const call = {
      id: newId("llm"),
      runId: caller.runId,
      sandboxId: caller.sandboxId,
      nodePath: caller.runId === null ? null : incoming.node,
      programId: caller.programId,
      userId: caller.userId,
      modelId: model.id,
      modelName: model.name,
      modelOwnerId: model.ownerId,
      provider: config.provider,
      upstreamModel: config.modelId,
      credentialId: credentialsOf(config)[0]?.id ?? null,
      protocol: incoming.endpoint.protocol,
      operation: incoming.endpoint.operation,
      streamed,
      requestSha256: config.store === "off" ? null : sha256(text),
      requestText: config.store === "full" ? storedText(text) : null,
      traceId: incoming.traceId,
    };
    const taken = isFree ? null : await this.#limits.take(model, most.input + most.output);
    let bound: SpendQuota["budgets"] = [];
    try {
      await database.queries.transaction().execute(async (work) => {
        // One that was set since then counts as well; one that is set later finds this call.
        bound = await budgets.ofCall(factsOf(caller, model), work);
        const scopes = await holdBack(work, { modelId: model.id, amount, quota: { ...quota, budgets: bound }, leaves: model.leaves });
        await insertCall(work, { ...call, reserved: amount ?? 0, scopes });
      });
    } catch (error) {
      if (taken !== null) this.#correct(taken.giveBack());
      if (error instanceof AppError && refusals.has(error.code)) {
        await recordRefusal(database, call, toFailure(error));
        this.#noteNode(call);
        this.#noteStored(model.ownerId, call.requestText);
      }
      if (error instanceof AppError && error.code === "budget_reached")
        this.#tellOf(budgets.noteRefusal(String(error.details?.["budget"])));
      throw error;
    }
    this.#noteStored(model.ownerId, call.requestText);
    const meter = new Meter(inputText, plausibleUse(config, mostOutputTokens(incoming.endpoint, body, config)));
    const onSettled = async () => {
      await quotas.noteSpend(caller.userId, caller.keyId);
      if (bound.length > 0) this.#tellOf(budgets.noteSpend(bound));
    };
    const hold = this.#hold(caller, model.id, incoming.signal);
    const onEnded = (end: CallEnd) => {
      const { provider, operation } = call;
      if (taken !== null) this.#correct(taken.settle((end.inputTokens ?? 0) + (end.outputTokens ?? 0)));
      this.#noteStored(model.ownerId, end.responseText);
      this.#context.onEnded({ ...end, provider, operation, cost: end.cost === null ? null : end.cost / dollar });
      this.#noteNode(call);
    };
    const record = new CallRecord(call.id, { ...this.#context, onSettled, onEnded, onOver: () => hold.release() }, model, meter, {
      amount,
      prices,
    });
    const gone = () => void record.fail(cancelled, true);
    const { signal } = hold;
    signal.addEventListener("abort", gone, { once: true });
    try {
      if (signal.aborted) throw new AppError("model_cut_off", { message: "The caller has gone." });
      const revealed = isFree ? noSecrets : await revealSecrets(credentials, config, model.ownerId);
      const secrets = { ...revealed, key: revealed.key === null ? null : await this.#exchange(config, revealed.key, signal) };
      record.secrets = listSecrets(secrets);
      return { caller, incoming: { ...incoming, signal }, model, text, body, streamed, meter, record, secrets };
    } catch (error) {
      await record.fail(toFailure(error), signal.aborted);
      throw error;
    }
  }

  #noteNode({ runId, nodePath }: { readonly runId: string | null; readonly nodePath: string | null }): void {
    if (runId !== null && nodePath !== null) this.#context.onNodeCall(runId, nodePath);
  }

  /** What is kept of calls counts for whoever owns the model and says that it is, from when it is there. */
  #noteStored(ownerId: string, text: string | null): void {
    const bytes = Buffer.byteLength(text ?? "");
    if (bytes === 0 || !ownerId.startsWith("user_")) return;
    this.#context.quotas
      .noteStored(ownerId, bytes)
      .catch((err: unknown) => this.#context.logger.warn({ err }, "what is kept of a model call could not be counted"));
  }

  #correct(correcting: Promise<void>): void {
    correcting.catch((err: unknown) => this.#context.logger.warn({ err }, "what was taken of a model's minute could not be given back"));
  }

  /** Nobody waits for it, and the next call tells what this one could not. */
  #tellOf(telling: Promise<void>): void {
    telling.catch((err: unknown) => this.#context.logger.warn({ err }, "nobody could be told of a budget"));
  }

  /** A call goes on while whoever makes it may sign in and has leave for the model. */
  #hold({ userId, role, modelIds }: Caller, modelId: string, gone: AbortSignal): Hold {
    const { access, database } = this.#context;
    const mayCall = (current: { role: Caller["role"] }) =>
      selectModel(database.queries, { userId, role: current.role, modelIds }, modelId).then(
        ({ id }) => id === modelId,
        (error: unknown) => {
          if (error instanceof AppError) return false;
          throw error;
        },
      );
    return access.holdCaller({ userId, role, via: "server" }, gone, `asset:${modelId}`, mayCall);
  }

  async #exchange(config: ModelConfig, key: Secret, signal: AbortSignal): Promise<Secret> {
    if (config.provider !== "watsonx") return key;
    return await exchangeKey(this.#context.send, config.baseUrl ?? "", key, signal);
  }

  /** Whatever goes wrong before an answer has begun ends the call. */
  async #guarded(admitted: Admitted, work: () => Promise<GatewayAnswer>): Promise<GatewayAnswer> {
    try {
      return await work();
    } catch (thrown) {
      const error = hideSecrets(readable(thrown), listSecrets(admitted.secrets));
      await admitted.record.fail(toFailure(error), admitted.incoming.signal.aborted);
      throw error;
    }
  }

  /** Sends a body to the provider, and again while that may help. */
  async #deliver(admitted: Admitted, family: Family, path: string, body: string, streamed: boolean): Promise<UpstreamAnswer> {
    const { model, secrets, incoming, record } = admitted;
    const target = targetOf(model.config, family, path, secrets, streamed);
    const request = {
      method: "POST" as const,
      url: target.url,
      headers: {
        ...forwarded(family, incoming.headers, paysForIt(model)),
        ...target.headers,
        accept: streamed ? "text/event-stream, application/x-ndjson, application/json" : "application/json",
      },
      body,
      signal: incoming.signal,
    };
    const answer = await sendWithRetries((sent) => this.#sendNoted(record, sent), request);
    if (answer.status >= 300 && answer.status < 400) {
      await readText(answer.body).catch(() => "");
      throw new AppError("model_unreachable", { message: "The provider sends to another address, which is not followed." });
    }
    if (answer.status === 401 || answer.status === 403) {
      await readText(answer.body).catch(() => "");
      throw new AppError("model_credential_refused", { message: `The provider refused the model's credential (${answer.status}).` });
    }
    return answer;
  }

  /** Sends, and notes whether the provider works on it. */
  async #sendNoted(record: CallRecord, request: UpstreamRequest): Promise<UpstreamAnswer> {
    const answered = record.noteSent();
    try {
      const answer = await this.#context.send(request);
      answered(answer.status, null);
      if (answer.status >= 300) record.noteRefused();
      return answer;
    } catch (error) {
      answered(null, error instanceof AppError ? error.code : "internal");
      if (error instanceof AppError && error.code === "model_unreachable") record.noteRefused();
      throw error;
    }
  }

  async #pass(admitted: Admitted, family: Family): Promise<GatewayAnswer> {
    const { incoming, model, text, body, streamed, record, meter } = admitted;
    const secrets = listSecrets(admitted.secrets);
    const { endpoint } = incoming;
    const sent = passedBody(text, body, endpoint, family, model.config, streamed);
    const answer = await this.#deliver(admitted, family, endpoint.path, sent, streamed);
    const isJson = answer.headers["content-type"]?.startsWith("application/json") ?? true;
    if (answer.status >= 400) {
      const said = hideText(await readText(answer.body), secrets);
      const message = providerMessage(said) ?? `The provider answered with ${answer.status}.`;
      const retryAfter = answer.headers["retry-after"] ?? null;
      await record.fail({ status: answer.status, code: "provider_error", message, retryAfter }, false);
      const more = retryAfter === null ? {} : { "retry-after": retryAfter };
      // A document of the protocol is passed on; anything else is said in its words.
      if (providerMessage(said) !== null) return { status: answer.status, headers: { ...headersOf(admitted, json), ...more }, body: said };
      return this.refuse(incoming, new ProviderError(answer.status, message, retryAfter));
    }
    // What it is is said by us: a provider that calls its answer a page would have a browser show one of this server's.
    if (streamed && (family === "ollama" || !isJson)) {
      const contentType = family === "ollama" ? "application/x-ndjson" : "text/event-stream; charset=utf-8";
      const hidesUsage = addsUsage(endpoint, family, body, streamed);
      return await this.#stream(admitted, contentType, this.#passEvents(admitted, family, readEvents(family, answer.body), hidesUsage));
    }
    const said = hideText(await readText(answer.body), secrets);
    const document = parseDocument(said);
    record.noteFirstByte();
    meter.say(readUsage(family, document));
    if (!isEmbeddingAnswer(endpoint)) meter.add(gatherText(document));
    meter.pass(said);
    await record.succeed(answer.status, isUnfinished(document));
    return { status: answer.status, headers: headersOf(admitted, json), body: said };
  }

  /** The provider's events as they are. */
  async *#passEvents(
    { meter, record }: Admitted,
    family: Family,
    events: AsyncIterable<StreamEvent>,
    hidesUsage: boolean,
  ): AsyncGenerator<string> {
    let isComplete = false;
    let isEnded = false;
    let behindEnd = 0;
    for await (const { raw, document, isDone } of events) {
      if (isEnded && ++behindEnd > mostBehindEnd) break;
      if (isEnded) continue;
      isEnded = isDone;
      isComplete ||= isDone;
      meter.isWhole ||= isDone;
      if (document !== null) {
        const usage = readUsage(family, document);
        meter.say(usage);
        meter.add(deltaText(document));
        const problem = streamError(document);
        if (problem !== null) {
          yield raw;
          throw new ToldError(problem);
        }
        isComplete ||= isLast(family, document);
        // In OpenAI's chats usage comes with the last event or after it.
        if (isComplete) meter.isWhole ||= usage !== null || family !== "openai" || typeof document["type"] === "string";
        record.isComplete = isComplete;
        if (hidesUsage && isUsageOnly(document)) continue;
      }
      yield raw;
    }
    if (!isComplete) throw new AppError("model_cut_off");
  }

  /** Answers with a stream, once its first piece is there: until then it can still be refused. */
  async #stream(admitted: Admitted, contentType: string, pieces: AsyncGenerator<string>): Promise<GatewayAnswer> {
    const first = await pieces.next();
    const { record } = admitted;
    record.noteFirstByte();
    const body = bodyFor(this.#finish(admitted, first, pieces), this.#context.readerMs, () => void record.fail(slowReader, false));
    body.once("close", () => void pieces.return(undefined).catch(() => {}));
    return { status: 200, headers: { ...headersOf(admitted, contentType), "x-accel-buffering": "no" }, body };
  }

  async *#finish(admitted: Admitted, first: IteratorResult<string>, rest: AsyncGenerator<string>): AsyncGenerator<string> {
    const { record, meter, incoming } = admitted;
    const secrets = listSecrets(admitted.secrets);
    try {
      for (let next = first; next.done !== true; next = await rest.next()) {
        if (next.value === "") continue;
        const piece = hideText(next.value, secrets);
        meter.pass(piece);
        yield piece;
      }
      await record.succeed(200);
    } catch (thrown) {
      const error = hideSecrets(readable(thrown), secrets);
      const failure = toFailure(error);
      await record.fail(failure, incoming.signal.aborted);
      if (!(error instanceof ToldError)) yield errorEvent(incoming.endpoint.protocol, failure, incoming.requestId);
    } finally {
      // Whoever read it stopped.
      await record.fail(cancelled, true);
    }
  }

  async #translate(admitted: Admitted, dialect: Dialect, neutral: NeutralCall): Promise<GatewayAnswer> {
    const { model, streamed, meter, record, incoming, body } = admitted;
    const family = ownFamily(model.config);
    const provider = await openProviderModel(model.config, async (path, sent, isStream) => {
      const text =
        model.config.provider === "watsonx" ? passedBody(sent, parseDocument(sent), chat, "openai", model.config, isStream) : sent;
      const answer = await this.#deliver(admitted, family, path, text, isStream);
      if (answer.status >= 400) {
        const message = providerMessage(await readText(answer.body)) ?? `The provider answered with ${answer.status}.`;
        throw new ProviderError(answer.status, message, answer.headers["retry-after"] ?? null);
      }
      const headers = { "content-type": answer.headers["content-type"] ?? "" };
      return new Response(ReadableStream.from(answer.body), {
        status: answer.status,
        headers,
      });
    });
    const head = { id: record.id, model: String(body["model"]), createdAt: new Date() };
    const call = { ...neutral, abortSignal: incoming.signal };
    if (streamed) {
      const { stream } = await provider.doStream(call);
      return await this.#stream(admitted, dialect.contentType, this.#writeEvents(admitted, dialect, head, toEvents(stream)));
    }
    const answer = toAnswer(await provider.doGenerate(call));
    record.noteFirstByte();
    meter.say(answer.tokens);
    meter.add(answer.text + answer.reasoning + answer.calls.map((made) => made.arguments).join(""));
    const counted = meter.count();
    const said = JSON.stringify(dialect.answer({ ...answer, tokens: counted.tokens }, head));
    meter.pass(said);
    await record.succeed(200);
    return { status: 200, headers: headersOf(admitted, json), body: said };
  }

  async *#writeEvents(
    { meter, body, record }: Admitted,
    dialect: Dialect,
    head: AnswerHead,
    events: ReturnType<typeof toEvents>,
  ): AsyncGenerator<string> {
    const withUsage = (body["stream_options"] as Body | undefined)?.["include_usage"] === true;
    const writer = dialect.stream(head, { withUsage, inputTokens: meter.count().tokens.input ?? 0 });
    let begun = false;
    for await (const event of events) {
      if (!begun) yield writer.begin();
      begun = true;
      if (event.type === "text" || event.type === "reasoning" || event.type === "arguments") meter.add(event.delta);
      if (event.type !== "finish") yield writer.write(event);
      else {
        meter.say(event.tokens);
        meter.isWhole = true;
        record.isComplete = true;
        yield writer.write({ ...event, tokens: meter.count().tokens });
      }
    }
    yield writer.end();
  }

  /** Embeddings in Ollama's words from a provider that has OpenAI's. */
  async #embed(admitted: Admitted): Promise<GatewayAnswer> {
    const { incoming, body, model, meter, record } = admitted;
    const sent = JSON.stringify(checked(() => toOpenaiEmbeddings(incoming.endpoint, body, model.config.modelId)));
    const answer = await this.#deliver(admitted, "openai", embeddings.path, sent, false);
    const said = await readText(answer.body);
    if (answer.status >= 400)
      throw new ProviderError(
        answer.status,
        providerMessage(said) ?? `The provider answered with ${answer.status}.`,
        answer.headers["retry-after"] ?? null,
      );
    const document = parseDocument(said);
    record.noteFirstByte();
    meter.say(readUsage("openai", document));
    const translated = JSON.stringify(toOllamaEmbeddings(incoming.endpoint, document, String(body["model"])));
    meter.pass(translated);
    await record.succeed(200);
    return { status: 200, headers: headersOf(admitted, json), body: translated };
  }
}

const chat = { protocol: "openai", operation: "chat", path: "/chat/completions" } as const;
const embeddings = { protocol: "openai", operation: "embeddings", path: "/embeddings" } as const;
/** What a call is refused with before it is made. */
const refusals: ReadonlySet<string> = new Set(["spend_cap_reached", "quota_exceeded", "budget_reached", "price_unknown"]);
const cancelled = { status: 499, code: "cancelled", message: "The caller has gone.", retryAfter: null } as const;

const slowReader = { status: 499, code: "slow_reader", message: "The caller did not read the answer in time.", retryAfter: null } as const;

function factsOf({ userId, programId }: Caller, { ownerId: modelOwnerId }: SelectedModel): CallFacts {
  return { userId, programId, modelOwnerId };
}

function isEmbeddingAnswer({ operation }: Endpoint): boolean {
  return operation === "embeddings" || operation === "embed" || operation === "embed_old" || operation === "count_tokens";
}

function readNeutral(dialect: Dialect, body: Body, { parameters }: ModelConfig): NeutralCall {
  const call = checked(() => dialect.read(body));
  const { temperature, maxTokens, topP, frequencyPenalty, presencePenalty, stop, seed } = parameters;
  const defaults = { temperature, maxOutputTokens: maxTokens, topP, frequencyPenalty, presencePenalty, stopSequences: stop, seed };
  const set = Object.fromEntries(Object.entries(defaults).filter(([, value]) => value !== undefined));
  return { ...set, ...call };
}

function parseDocument(text: string): Body {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Body;
  } catch {
    // said below
  }
  throw new AppError("model_garbled");
}

/** What a provider is asked in where the caller's protocol is not its own. */
function ownFamily({ provider }: ModelConfig): "anthropic" | "openai" {
  return provider === "anthropic" ? "anthropic" : "openai";
}

/** Headers of the caller that mean something to the provider. */
function forwarded(family: Family, headers: Incoming["headers"], isOwner: boolean): Record<string, string> {
  const { "anthropic-version": version, "anthropic-beta": beta, "openai-beta": openaiBeta } = headers;
  if (family === "openai") return isOwner && typeof openaiBeta === "string" ? { "openai-beta": openaiBeta } : {};
  if (family !== "anthropic") return {};
  const betas = typeof beta !== "string" ? "" : isOwner ? beta : delegatedBetas(beta);
  return {
    ...(typeof version === "string" ? { "anthropic-version": version } : {}),
    ...(betas === "" ? {} : { "anthropic-beta": betas }),
  };
}

function headersOf({ record, incoming }: Admitted, contentType: string): Record<string, string> {
  return { "content-type": contentType, "cache-control": "no-store", "x-request-id": incoming.requestId, "x-syla-call": record.id };
}
