/** Who may answer. A module of its own: the command line knows them without what parses. */
export const modelProviders = ["openai", "anthropic", "azure", "ollama", "watsonx", "openai-compatible"] as const;
