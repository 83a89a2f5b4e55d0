import type { ModelConfigDraft, ModelProvider, ModelTest, Role } from "@syla/sdk";

/** A header as it is typed. */
export interface HeaderDraft {
  readonly name: string;
  readonly value: string;
}

type Modality = "text" | "image" | "audio" | "embedding";
export type YesNo = "yes" | "no" | "unknown";

/** What is typed into the form of a model. */
export interface ModelDraft {
  readonly name: string;
  readonly description: string;
  readonly provider: ModelProvider;
  readonly modelId: string;
  readonly baseUrl: string;
  readonly apiVersion: string;
  readonly projectId: string;
  readonly credentialId: string | null;
  readonly headers: readonly HeaderDraft[];
  /** The value is the id of a credential. */
  readonly secretHeaders: readonly HeaderDraft[];
  readonly temperature: string;
  readonly maxTokens: string;
  readonly topP: string;
  readonly frequencyPenalty: string;
  readonly presencePenalty: string;
  readonly seed: string;
  /** One a line. */
  readonly stop: string;
  readonly contextWindow: string;
  readonly streaming: YesNo;
  readonly tools: YesNo;
  readonly json: YesNo;
  readonly modalities: readonly Modality[];
  readonly inputPrice: string;
  readonly outputPrice: string;
  readonly cachedPrice: string;
  readonly requestsPerMinute: string;
  readonly tokensPerMinute: string;
  readonly store: "full" | "hashed" | "off";
  readonly storeDays: string;
  /** The least role whose calls it answers. */
  readonly leastRole: Role;
  readonly cacheSeconds: string;
  readonly cacheFor: "person" | "everybody";
}

/** From the one that may do least. */
const roles = ["end_user", "developer", "admin"] as const satisfies readonly Role[];

export const roleLabels: Readonly<Record<Role, string>> = {
  end_user: "everybody with leave to spend",
  developer: "developers and administrators",
  admin: "administrators alone",
};

export const modalityLabels: Readonly<Record<string, string>> = {
  text: "text",
  image: "pictures",
  audio: "sound",
  embedding: "embeddings",
} satisfies Record<Modality, string>;

export const modalities = ["text", "image", "audio", "embedding"] as const satisfies readonly Modality[];

export const emptyDraft: ModelDraft = {
  name: "",
  description: "",
  provider: "openai",
  modelId: "",
  baseUrl: "",
  apiVersion: "",
  projectId: "",
  credentialId: null,
  headers: [],
  secretHeaders: [],
  temperature: "",
  maxTokens: "",
  topP: "",
  frequencyPenalty: "",
  presencePenalty: "",
  seed: "",
  stop: "",
  contextWindow: "",
  streaming: "yes",
  tools: "unknown",
  json: "unknown",
  modalities: ["text"],
  inputPrice: "",
  outputPrice: "",
  cachedPrice: "",
  requestsPerMinute: "",
  tokensPerMinute: "",
  store: "hashed",
  storeDays: "",
  leastRole: "end_user",
  cacheSeconds: "0",
  cacheFor: "person",
};

/** What each provider is called, and an example of what it calls a model. */
export const providerLabels: Readonly<Record<ModelProvider, { readonly label: string; readonly example: string }>> = {
  openai: { label: "OpenAI", example: "gpt-4o-mini" },
  anthropic: { label: "Anthropic", example: "claude-sonnet-4-5" },
  azure: { label: "Azure OpenAI", example: "the name of the deployment" },
  ollama: { label: "Ollama", example: "granite4:micro" },
  watsonx: { label: "IBM watsonx", example: "ibm/granite-3-8b-instruct" },
  "openai-compatible": { label: "Speaks OpenAI's protocol", example: "what the server calls it" },
};

const text = (value: number | null | undefined) => (value === null || value === undefined ? "" : String(value));
const number = (value: string) => (value.trim() === "" ? null : Number(value));
const optional = (value: string) => (value.trim() === "" ? null : value.trim());
const word = (value: boolean | null | undefined): YesNo => (value === true ? "yes" : value === false ? "no" : "unknown");
const answer = (value: YesNo) => (value === "unknown" ? null : value === "yes");
const toHeaders = (headers: Readonly<Record<string, string>> | undefined) =>
  Object.entries(headers ?? {}).map(([name, value]) => ({ name, value }));
const fromHeaders = (headers: readonly HeaderDraft[]) =>
  Object.fromEntries(
    headers.filter(({ name, value }) => name.trim() !== "" && value !== "").map(({ name, value }) => [name.trim(), value]),
  );

export function toDraft(name: string, description: string, config: ModelConfigDraft): ModelDraft {
  const { parameters, capabilities, prices, limits } = config;
  return {
    name,
    description,
    provider: config.provider,
    modelId: config.modelId,
    baseUrl: config.baseUrl ?? "",
    apiVersion: config.apiVersion ?? "",
    projectId: config.projectId ?? "",
    credentialId: config.credentialId ?? null,
    headers: toHeaders(config.headers),
    secretHeaders: toHeaders(config.secretHeaders),
    temperature: text(parameters?.temperature),
    maxTokens: text(parameters?.maxTokens),
    topP: text(parameters?.topP),
    frequencyPenalty: text(parameters?.frequencyPenalty),
    presencePenalty: text(parameters?.presencePenalty),
    seed: text(parameters?.seed),
    stop: (parameters?.stop ?? []).join("\n"),
    contextWindow: text(capabilities?.contextWindow),
    streaming: word(capabilities?.streaming ?? true),
    tools: word(capabilities?.tools),
    json: word(capabilities?.json),
    modalities: capabilities?.modalities ?? ["text"],
    inputPrice: text(prices?.input),
    outputPrice: text(prices?.output),
    cachedPrice: text(prices?.cachedInput),
    requestsPerMinute: text(limits?.requestsPerMinute),
    tokensPerMinute: text(limits?.tokensPerMinute),
    store: config.store ?? "hashed",
    storeDays: text(config.storeDays),
    leastRole: leastOf(config.roles),
    cacheSeconds: text(config.cacheSeconds ?? 0),
    cacheFor: config.cacheFor ?? "person",
  };
}

/** What is sent. `before`: what the form does not show stays as it was. */
export function toConfig(draft: ModelDraft, before: ModelConfigDraft | null): ModelConfigDraft {
  return {
    ...before,
    provider: draft.provider,
    modelId: draft.modelId.trim(),
    baseUrl: optional(draft.baseUrl),
    apiVersion: optional(draft.apiVersion),
    projectId: optional(draft.projectId),
    credentialId: draft.credentialId,
    headers: fromHeaders(draft.headers),
    secretHeaders: fromHeaders(draft.secretHeaders),
    parameters: parametersOf(draft),
    capabilities: {
      contextWindow: number(draft.contextWindow),
      streaming: draft.streaming !== "no",
      tools: answer(draft.tools),
      json: answer(draft.json),
      modalities: [...draft.modalities],
    },
    prices: { input: number(draft.inputPrice), output: number(draft.outputPrice), cachedInput: number(draft.cachedPrice) },
    limits: { requestsPerMinute: number(draft.requestsPerMinute), tokensPerMinute: number(draft.tokensPerMinute) },
    store: draft.store,
    storeDays: number(draft.storeDays),
    // A choice of roles that the form cannot show stays while nobody touches it.
    roles:
      before?.roles !== undefined && leastOf(before.roles) === draft.leastRole ? before.roles : roles.slice(roles.indexOf(draft.leastRole)),
    cacheSeconds: number(draft.cacheSeconds) ?? 0,
    cacheFor: draft.cacheFor,
  };
}

/** What a test has seen, put into the form: what it could not see stays. */
export function withSeen(draft: ModelDraft, { ok, capabilities: seen }: ModelTest): ModelDraft {
  if (!ok) return draft;
  const keep = (now: YesNo, value: boolean | null) => (value === null ? now : word(value));
  const can = { image: seen.vision, embedding: seen.embeddings } as const;
  const isKept = (one: Modality) =>
    one === "image" || one === "embedding" ? (can[one] ?? draft.modalities.includes(one)) : draft.modalities.includes(one);
  return {
    ...draft,
    streaming: keep(draft.streaming, seen.streaming),
    tools: keep(draft.tools, seen.tools),
    json: keep(draft.json, seen.json),
    modalities: modalities.filter(isKept),
  };
}

function parametersOf(draft: ModelDraft): NonNullable<ModelConfigDraft["parameters"]> {
  const stop = draft.stop.split("\n").filter((line) => line !== "");
  const numbers = ["temperature", "maxTokens", "topP", "frequencyPenalty", "presencePenalty", "seed"] as const;
  const said = numbers.flatMap((name) => {
    const value = number(draft[name]);
    return value === null ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(said), ...(stop.length === 0 ? {} : { stop }) };
}

function leastOf(chosen: readonly Role[] | undefined): Role {
  return roles.find((role) => chosen?.includes(role)) ?? "end_user";
}
