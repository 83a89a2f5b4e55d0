import type { ModelConfigDraft, ModelProvider, Role } from "@syla/sdk";

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
  readonly temperature: string;
  readonly maxTokens: string;
  readonly contextWindow: string;
  readonly inputPrice: string;
  readonly outputPrice: string;
  readonly cachedPrice: string;
  readonly store: "full" | "hashed" | "off";
  /** The least role whose calls it answers. */
  readonly leastRole: Role;
  readonly cacheSeconds: string;
}

/** From the one that may do least. */
const roles = ["end_user", "developer", "admin"] as const satisfies readonly Role[];

export const roleLabels: Readonly<Record<Role, string>> = {
  end_user: "everybody with leave to spend",
  developer: "developers and administrators",
  admin: "administrators alone",
};

export const emptyDraft: ModelDraft = {
  name: "",
  description: "",
  provider: "openai",
  modelId: "",
  baseUrl: "",
  apiVersion: "",
  projectId: "",
  credentialId: null,
  temperature: "",
  maxTokens: "",
  contextWindow: "",
  inputPrice: "",
  outputPrice: "",
  cachedPrice: "",
  store: "hashed",
  leastRole: "end_user",
  cacheSeconds: "0",
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

export function toDraft(name: string, description: string, config: ModelConfigDraft): ModelDraft {
  const { parameters, capabilities, prices } = config;
  return {
    name,
    description,
    provider: config.provider,
    modelId: config.modelId,
    baseUrl: config.baseUrl ?? "",
    apiVersion: config.apiVersion ?? "",
    projectId: config.projectId ?? "",
    credentialId: config.credentialId ?? null,
    temperature: text(parameters?.temperature),
    maxTokens: text(parameters?.maxTokens),
    contextWindow: text(capabilities?.contextWindow),
    inputPrice: text(prices?.input),
    outputPrice: text(prices?.output),
    cachedPrice: text(prices?.cachedInput),
    store: config.store ?? "hashed",
    leastRole: leastOf(config.roles),
    cacheSeconds: text(config.cacheSeconds ?? 0),
  };
}

/** What is sent. `before`: what the form does not show stays as it was. */
export function toConfig(draft: ModelDraft, before: ModelConfigDraft | null): ModelConfigDraft {
  const temperature = number(draft.temperature);
  const maxTokens = number(draft.maxTokens);
  const { temperature: _t, maxTokens: _m, ...parameters } = before?.parameters ?? {};
  return {
    ...before,
    provider: draft.provider,
    modelId: draft.modelId.trim(),
    baseUrl: optional(draft.baseUrl),
    apiVersion: optional(draft.apiVersion),
    projectId: optional(draft.projectId),
    credentialId: draft.credentialId,
    parameters: { ...parameters, ...(temperature === null ? {} : { temperature }), ...(maxTokens === null ? {} : { maxTokens }) },
    capabilities: { ...before?.capabilities, contextWindow: number(draft.contextWindow) },
    prices: { input: number(draft.inputPrice), output: number(draft.outputPrice), cachedInput: number(draft.cachedPrice) },
    store: draft.store,
    // A choice of roles that the form cannot show stays while nobody touches it.
    roles:
      before?.roles !== undefined && leastOf(before.roles) === draft.leastRole ? before.roles : roles.slice(roles.indexOf(draft.leastRole)),
    cacheSeconds: number(draft.cacheSeconds) ?? 0,
  };
}

function leastOf(chosen: readonly Role[] | undefined): Role {
  return roles.find((role) => chosen?.includes(role)) ?? "end_user";
}
