/** The languages that clients of language models speak. */
export type Protocol = "openai" | "anthropic" | "ollama";

/** What a call asks for. Names as their protocols have them. */
export type Operation =
  | "chat"
  | "responses"
  | "completions"
  | "embeddings"
  | "messages"
  | "count_tokens"
  | "generate"
  | "embed"
  | "embed_old";

/** A call of a model as it comes in. */
export interface Endpoint {
  readonly protocol: Protocol;
  readonly operation: Operation;
  /** Below the address of the protocol. */
  readonly path: string;
}

/** Every address at which a model is called with a POST. */
export const endpoints = {
  "/v1/chat/completions": { protocol: "openai", operation: "chat", path: "/chat/completions" },
  "/v1/responses": { protocol: "openai", operation: "responses", path: "/responses" },
  "/v1/completions": { protocol: "openai", operation: "completions", path: "/completions" },
  "/v1/embeddings": { protocol: "openai", operation: "embeddings", path: "/embeddings" },
  "/v1/messages": { protocol: "anthropic", operation: "messages", path: "/messages" },
  "/v1/messages/count_tokens": { protocol: "anthropic", operation: "count_tokens", path: "/messages/count_tokens" },
  "/api/chat": { protocol: "ollama", operation: "chat", path: "/api/chat" },
  "/api/generate": { protocol: "ollama", operation: "generate", path: "/api/generate" },
  "/api/embed": { protocol: "ollama", operation: "embed", path: "/api/embed" },
  "/api/embeddings": { protocol: "ollama", operation: "embed_old", path: "/api/embeddings" },
} as const satisfies Record<string, Endpoint>;

/** Whether a call wants its answer in pieces. Ollama streams unless it is told not to. */
export function wantsStream({ protocol, operation }: Endpoint, body: Readonly<Record<string, unknown>>): boolean {
  if (protocol === "ollama") return (operation === "chat" || operation === "generate") && body["stream"] !== false;
  return body["stream"] === true && operation !== "embeddings" && operation !== "count_tokens";
}
