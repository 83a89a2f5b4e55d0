import type { Endpoint, Operation } from "../protocol.ts";

const sampling = ["temperature", "top_p", "top_k", "min_p", "stop", "seed", "frequency_penalty", "presence_penalty", "repetition_penalty"];
const common = ["model", "stream", "user"];
const openai = [...common, ...sampling, "stream_options", "logit_bias", "logprobs", "n", "best_of", "max_tokens"];
const safety = ["safety_identifier", "prompt_cache_key"];
const tools = ["tools", "tool_choice", "parallel_tool_calls"];
const ollama = ["model", "name", "stream", "options"];

/**
 * By operation: those that change nothing but what one answer says, and whose cost is
 * held back before. Whatever is not here (other prices, work after the answer, the provider's own tools, what is stored in the account,
 * words that only one provider knows) can be set by the model's owner alone, so that a field invented tomorrow opens nothing.
 */
const fields: Readonly<Record<Operation, ReadonlySet<string>>> = {
  chat: new Set([
    ...openai,
    ...safety,
    ...tools,
    "messages",
    "functions",
    "function_call",
    "max_completion_tokens",
    "modalities",
    "reasoning_effort",
    "response_format",
    "top_logprobs",
    "verbosity",
    "store",
  ]),
  responses: new Set([
    ...common,
    ...safety,
    ...tools,
    "input",
    "instructions",
    "include",
    "max_output_tokens",
    "max_tool_calls",
    "reasoning",
    "stream_options",
    "temperature",
    "text",
    "top_logprobs",
    "top_p",
    "truncation",
    "store",
  ]),
  completions: new Set([...openai, "prompt", "suffix", "echo"]),
  embeddings: new Set([...common, "input", "dimensions", "encoding_format"]),
  messages: new Set([
    "model",
    "stream",
    "temperature",
    "top_p",
    "top_k",
    "messages",
    "system",
    "max_tokens",
    "stop_sequences",
    "tools",
    "tool_choice",
    "thinking",
    "metadata",
    "output_config",
    "output_format",
    "cache_control",
  ]),
  count_tokens: new Set([
    "model",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "output_format",
    "cache_control",
  ]),
  generate: new Set([...ollama, "prompt", "suffix", "images", "format", "system", "template", "raw", "context", "think"]),
  embed: new Set([...ollama, "input", "truncate", "dimensions"]),
  embed_old: new Set([...ollama, "prompt"]),
};

const ollamaChat: ReadonlySet<string> = new Set([...ollama, "messages", "tools", "format", "think"]);

/** The fields of a call that somebody may set who spends another's money. */
export function delegateFields({ protocol, operation }: Endpoint): ReadonlySet<string> {
  return protocol === "ollama" && operation === "chat" ? ollamaChat : fields[operation];
}

/** Ollama's options that change one answer. Others say how much of the machine a model takes, and have it loaded anew. */
export const delegateOptions: ReadonlySet<string> = new Set([
  ...sampling,
  "num_predict",
  "num_ctx",
  "num_keep",
  "typical_p",
  "tfs_z",
  "repeat_last_n",
  "repeat_penalty",
  "mirostat",
  "mirostat_tau",
  "mirostat_eta",
  "penalize_newline",
]);

/** What an entry of a conversation may be; without a type it is a message. Others name what the account has stored, or bring tools along. */
export const delegateItems: ReadonlySet<unknown> = new Set([
  undefined,
  "message",
  "function_call",
  "function_call_output",
  "custom_tool_call",
  "custom_tool_call_output",
  "reasoning",
  "compaction",
]);

/** What a part of a message may be. */
export const delegateParts: ReadonlySet<unknown> = new Set([
  "text",
  "image_url",
  "input_audio",
  "file",
  "refusal",
  "input_text",
  "input_image",
  "input_file",
  "output_text",
  "summary_text",
  "reasoning_text",
  "image",
  "document",
  "search_result",
  "thinking",
  "redacted_thinking",
  "tool_use",
  "tool_result",
]);

/** Anthropic's headers turn on what is not in the protocol yet; these cost nothing besides and reach nothing. */
export const delegateBetas: ReadonlySet<string> = new Set([
  "interleaved-thinking-2025-05-14",
  "structured-outputs-2025-11-13",
  "token-efficient-tools-2025-02-19",
  "prompt-caching-2024-07-31",
  "pdfs-2024-09-25",
  "token-counting-2024-11-01",
]);
