import type { ModelConfig } from "@syla/contracts/model-config";
import { AppError } from "@syla/contracts/errors";
import { setMembers } from "./json-edit.ts";
import { requireOneReading } from "./json-scan.ts";
import { badBody } from "./protocol-error.ts";
import type { Endpoint } from "./protocol.ts";
import type { Family } from "./upstream/target.ts";

export type Body = Readonly<Record<string, unknown>>;

/** Largest request of a model, bytes: pictures and documents are in it. */
export const mostRequestBytes = 32 * 1024 * 1024;

/** A request's body: as it came, and what is in it. @throws AppError `invalid_request` */
export function readBody(bytes: Buffer): { text: string; body: Body } {
  let value: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new AppError("invalid_request", { message: "The body is not valid UTF-8." });
  }
  requireOneReading(text);
  try {
    value = JSON.parse(text);
  } catch {
    throw new AppError("invalid_request", { message: "The body is not valid JSON." });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw badBody("", "must be a JSON object");
  return { text, body: value as Body };
}

/** The name of the model that a request asks for. */
export function modelNameOf(body: Body): string {
  const name = body["model"] ?? body["name"];
  if (typeof name !== "string" || name === "" || name.length > 300) throw badBody("model", "must be the name of a model");
  return name;
}

/** In these a call says how much may be written; `num_predict` stands among the options. */
const mostFields = ["max_completion_tokens", "max_tokens", "max_output_tokens", "num_predict"] as const;
type MostField = (typeof mostFields)[number];
/** No call writes more. */
const mostCounted = 1_000_000_000;
/** Nor gives more answers, to one prompt and to all of them. */
const mostEach = 128;
const mostAnswers = 100_000;

/** Fields that decide here which model is called, how, and what it may cost. */
const decisive: ReadonlySet<string> = new Set([...mostFields, "model", "name", "stream", "stream_options", "options", "n", "best_of"]);

/** What decides how an answer comes and what it may cost has to be what it seems. @throws AppError `invalid_request` */
export function checkBody({ protocol }: Endpoint, body: Body): void {
  checkNames(body, "");
  checkNames(body["options"], "options.");
  if (body["stream"] != null && typeof body["stream"] !== "boolean") throw badBody("stream", "must be true or false");
  for (const field of mostFields) {
    const value = saidMost(body, field);
    const path = field === "num_predict" ? "options.num_predict" : field;
    if (value != null && !(typeof value === "number" && Number.isFinite(value))) throw badBody(path, "must be a number");
  }
  if (protocol !== "openai") return;
  for (const field of ["n", "best_of"]) {
    const value = body[field];
    const isCount = Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= mostEach;
    if (value != null && !isCount) throw badBody(field, `must be a whole number from 1 to ${mostEach}`);
  }
}

/** Providers that do not mind upper case would read what is not read here. */
function checkNames(value: unknown, prefix: string): void {
  if (typeof value !== "object" || value === null) return;
  for (const name of Object.keys(value)) {
    const plain = fold(name);
    if (plain !== name && decisive.has(plain)) throw badBody(`${prefix}${name}`, `must be written \`${plain}\``);
  }
}

/** A name as readers take it that do not mind upper case. */
export function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/** A call that is not to stay in the account of the model's owner: responses do where it is not said. */
export function withoutStoring({ operation }: Endpoint, given: { text: string; body: Body }, { provider }: ModelConfig): typeof given {
  if (operation !== "responses" || given.body["store"] != null || (provider !== "openai" && provider !== "azure")) return given;
  return { text: setMembers(given.text, { store: false }), body: { ...given.body, store: false } };
}

/** The most that a call may write, as far as it says so. */
export function mostOutputTokens(endpoint: Endpoint, body: Body, { parameters }: ModelConfig): number | null {
  const said = fieldsOf(endpoint).flatMap((field) => saidMost(body, field) ?? []) as number[];
  // Zero and less stand for «as much as there is».
  if (said.some((value) => value <= 0)) return null;
  const all = mostFields.flatMap((field) => saidMost(body, field) ?? []) as number[];
  const each = said.length > 0 ? Math.max(...all) : (parameters.maxTokens ?? null);
  return each === null ? null : Math.min(mostCounted, Math.ceil(each * answersOf(endpoint, body)));
}

/** How many answers a call asks for. */
export function answersOf({ protocol, operation }: Endpoint, body: Body): number {
  if (protocol !== "openai") return 1;
  const [n, bestOf] = [Number(body["n"] ?? 1), Number(body["best_of"] ?? 1)];
  const prompt = body["prompt"];
  // A list of numbers is one text in tokens.
  const prompts = operation === "completions" && Array.isArray(prompt) && typeof prompt[0] !== "number" ? prompt.length : 1;
  return Math.min(mostAnswers, Math.max(1, n, bestOf) * Math.max(1, prompts));
}

/** A call that does not say how much may be written, limited to so much in the words of its protocol. */
export function withMost(
  endpoint: Endpoint,
  text: string,
  body: Body,
  { provider }: ModelConfig,
  most: number,
): { text: string; body: Body } {
  const fields = fieldsOf(endpoint);
  const said = fields.filter((field) => saidMost(body, field) != null);
  // OpenAI's newer models do not take the older word.
  const usual = provider === "openai" || provider === "azure" ? fields[0] : fields.at(-1);
  const set = Object.fromEntries((said.length > 0 || usual === undefined ? said : [usual]).map((field) => [field, most]));
  const changes = endpoint.protocol === "ollama" ? { options: { ...(body["options"] as Body | undefined), ...set } } : set;
  return Object.keys(set).length === 0 ? { text, body } : { text: setMembers(text, changes), body: { ...body, ...changes } };
}

/** The fields that an operation reads. */
function fieldsOf({ protocol, operation }: Endpoint): readonly MostField[] {
  if (operation === "chat" && protocol === "openai") return ["max_completion_tokens", "max_tokens"];
  if (operation === "responses") return ["max_output_tokens"];
  if (operation === "completions" || operation === "messages") return ["max_tokens"];
  return operation === "chat" || operation === "generate" ? ["num_predict"] : [];
}

function saidMost(body: Body, field: MostField): unknown {
  return field === "num_predict" ? (body["options"] as Body | null | undefined)?.["num_predict"] : body[field];
}

/** What a call's body becomes for a provider that speaks its dialect: nothing of it is lost, and no character changed that need not be. */
export function passedBody(text: string, body: Body, endpoint: Endpoint, family: Family, config: ModelConfig, streamed: boolean): string {
  const changes: Record<string, unknown> = { model: config.modelId, ...defaultsFor(endpoint, body, config) };
  if (addsUsage(endpoint, family, body, streamed))
    changes["stream_options"] = { ...(body["stream_options"] as object), include_usage: true };
  if (config.provider !== "watsonx") return setMembers(text, changes);
  const { model: _model, stream: _stream, stream_options: _options, ...rest } = body;
  const { model: _own, stream_options: _own2, ...more } = changes;
  return JSON.stringify({ ...rest, ...more, model_id: config.modelId, project_id: config.projectId });
}

/** Whether usage at the end of a stream is asked for in the caller's place, who then does not get to see it. */
export function addsUsage({ operation }: Endpoint, family: Family, body: Body, streamed: boolean): boolean {
  if (!streamed || family !== "openai" || (operation !== "chat" && operation !== "completions")) return false;
  return (body["stream_options"] as Body | undefined)?.["include_usage"] !== true;
}

/** The model's default parameters, under the names of the protocol, where the call says nothing. */
function defaultsFor({ protocol, operation }: Endpoint, body: Body, { parameters: own }: ModelConfig): Record<string, unknown> {
  if (operation === "embeddings" || operation === "embed" || operation === "embed_old" || operation === "count_tokens") return {};
  if (protocol === "ollama") {
    const options = (body["options"] ?? {}) as Body;
    const defaults = missing(options, {
      temperature: own.temperature,
      num_predict: own.maxTokens,
      top_p: own.topP,
      frequency_penalty: own.frequencyPenalty,
      presence_penalty: own.presencePenalty,
      stop: own.stop,
      seed: own.seed,
    });
    return Object.keys(defaults).length === 0 ? {} : { options: { ...defaults, ...options } };
  }
  const common = { temperature: own.temperature, top_p: own.topP };
  if (protocol === "anthropic") return missing(body, { ...common, max_tokens: own.maxTokens, stop_sequences: own.stop });
  if (operation === "responses") return missing(body, { ...common, max_output_tokens: own.maxTokens });
  const most = body["max_completion_tokens"] == null ? { max_tokens: own.maxTokens } : {};
  return missing(body, {
    ...common,
    ...most,
    frequency_penalty: own.frequencyPenalty,
    presence_penalty: own.presencePenalty,
    stop: own.stop,
    seed: own.seed,
  });
}

function missing(body: Body, defaults: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(defaults).filter(([key, value]) => value !== undefined && body[key] == null));
}
