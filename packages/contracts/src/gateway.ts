import { z } from "zod";
import { route } from "./route.ts";

const common = { tag: "gateway", auth: "user", scope: "models:use" } as const;
const errors = [
  "unknown_model",
  "forbidden",
  "model_unsupported",
  "spend_cap_reached",
  "budget_reached",
  "price_unknown",
  "quota_exceeded",
  "rate_limited",
  "run_token_invalid",
  "payload_too_large",
  "credential_missing",
  "credential_expired",
  "credential_unreadable",
  "kms_unavailable",
  "kms_refused",
  "model_credential_refused",
  "model_unreachable",
  "model_timeout",
  "model_garbled",
  "model_cut_off",
] as const;
const call = { ...common, method: "POST", body: "bytes", responses: { 200: "bytes" }, errors } as const;
const look = { ...common, method: "GET", responses: { 200: "bytes" }, errors: ["unknown_model"] } as const;

/** The model gateway speaks the languages of others: bodies, answers and errors are as their clients know them. */
export const gatewayRoutes = {
  createChatCompletion: route({ ...call, path: "/v1/chat/completions", summary: "OpenAI: a chat completion" }),
  createResponse: route({ ...call, path: "/v1/responses", summary: "OpenAI: a response" }),
  createCompletion: route({ ...call, path: "/v1/completions", summary: "OpenAI: a completion" }),
  createEmbeddings: route({ ...call, path: "/v1/embeddings", summary: "OpenAI: embeddings" }),
  listGatewayModels: route({ ...look, path: "/v1/models", summary: "OpenAI, Anthropic: the models that you may use" }),
  getGatewayModel: route({
    ...look,
    path: "/v1/models/:model",
    summary: "OpenAI, Anthropic: one model",
    params: z.object({ model: z.string().max(300) }),
  }),
  createMessage: route({ ...call, path: "/v1/messages", summary: "Anthropic: a message" }),
  countMessageTokens: route({ ...call, path: "/v1/messages/count_tokens", summary: "Anthropic: how many tokens a message has" }),
  ollamaChat: route({ ...call, path: "/api/chat", summary: "Ollama: a chat" }),
  ollamaGenerate: route({ ...call, path: "/api/generate", summary: "Ollama: a completion" }),
  ollamaEmbed: route({ ...call, path: "/api/embed", summary: "Ollama: embeddings" }),
  ollamaEmbeddings: route({ ...call, path: "/api/embeddings", summary: "Ollama: an embedding, as it was before" }),
  ollamaShow: route({ ...call, path: "/api/show", summary: "Ollama: what is known of a model" }),
  ollamaPull: route({ ...call, path: "/api/pull", summary: "Ollama: load a model, which is there already" }),
  ollamaTags: route({ ...look, path: "/api/tags", summary: "Ollama: the models that you may use" }),
  ollamaProcesses: route({ ...look, path: "/api/ps", summary: "Ollama: the models that are loaded" }),
  ollamaVersion: route({ ...look, path: "/api/version", summary: "Ollama: its version" }),
};
