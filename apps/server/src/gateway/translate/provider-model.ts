import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { ModelConfig } from "@syla/contracts/model-config";

/** Sends a body to a path of the provider's dialect. The adapters think that they call the provider themselves. */
export type Deliver = (path: string, body: string, streamed: boolean) => Promise<Response>;

/** Adapters write this address; what is below it is taken, and the rest is the configuration's. */
const nowhere = "http://provider.invalid";

/** The adapter that speaks to a model's provider, loaded when it is first needed. The key is none of its business. */
export async function openProviderModel({ provider, modelId }: ModelConfig, deliver: Deliver): Promise<LanguageModelV4> {
  const fetch = async (input: unknown, init?: { body?: unknown }): Promise<Response> => {
    const path = String(input).slice(nowhere.length);
    const body = typeof init?.body === "string" ? init.body : "";
    return await deliver(path, body, (JSON.parse(body) as { stream?: unknown }).stream === true);
  };
  const options = { baseURL: nowhere, apiKey: "none", fetch: fetch as typeof globalThis.fetch };
  switch (provider) {
    case "anthropic": {
      const { createAnthropic } = await import("@ai-sdk/anthropic");
      return createAnthropic(options).languageModel(modelId);
    }
    case "openai":
    case "azure": {
      const { createOpenAI } = await import("@ai-sdk/openai");
      return createOpenAI(options).chat(modelId);
    }
    default: {
      const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
      const compatible = createOpenAICompatible({ ...options, name: "provider", includeUsage: true, supportsStructuredOutputs: true });
      return compatible.languageModel(modelId);
    }
  }
}
