import type { ModelConfig } from "@syla/contracts/model-config";
import type { ModelSecrets } from "../../models/service.ts";
import type { Endpoint } from "../protocol.ts";

/** Which dialect a provider is spoken to in. */
export type Family = "openai" | "anthropic" | "ollama";

/** Where a call goes. */
export interface Target {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const ownAddresses = {
  openai: "https://api.openai.com/v1",
  anthropic: "https://api.anthropic.com/v1",
  ollama: "http://127.0.0.1:11434",
} as const;

/** The version of the protocol that is spoken where the caller does not name one. */
const anthropicVersion = "2023-06-01";
const azureVersion = "2024-10-21";
const watsonxVersion = "2025-02-11";

function baseOf({ provider, baseUrl }: ModelConfig): string {
  const own = provider in ownAddresses ? ownAddresses[provider as keyof typeof ownAddresses] : "";
  return (baseUrl ?? own).replace(/\/+$/, "");
}

/** The dialect in which a provider answers an operation; null when it has nothing of the kind, and the call has to be translated. */
export function familyFor({ provider }: ModelConfig, { protocol, operation }: Endpoint): Family | null {
  switch (provider) {
    case "anthropic":
      return protocol === "anthropic" ? "anthropic" : null;
    case "ollama":
      return protocol === "ollama" ? "ollama" : protocol === "openai" && operation !== "responses" ? "openai" : null;
    case "openai":
    case "azure":
      return protocol === "openai" ? "openai" : null;
    case "openai-compatible":
      return protocol === "openai" && operation !== "responses" ? "openai" : null;
    case "watsonx":
      return protocol === "openai" && operation === "chat" ? "openai" : null;
  }
}

/** The address and the headers for a path of a dialect (`/chat/completions`). `secrets`: what the provider asks for. */
export function targetOf(config: ModelConfig, family: Family, path: string, secrets: ModelSecrets, streamed: boolean): Target {
  const { key } = secrets;
  const secret = Object.fromEntries(Object.entries(secrets.headers).map(([name, value]) => [name, value.reveal()]));
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "user-agent": "Syla",
    ...lowerCase(config.headers),
    ...lowerCase(secret),
  };
  const base = baseOf(config);
  const bearer = key === null ? {} : { authorization: `Bearer ${key.reveal()}` };
  const version = (text: string) => encodeURIComponent(config.apiVersion ?? text);
  switch (config.provider) {
    case "anthropic":
      return {
        url: base + path,
        headers: { "anthropic-version": anthropicVersion, ...headers, ...(key === null ? {} : { "x-api-key": key.reveal() }) },
      };
    case "azure": {
      const place = path === "/responses" ? "/openai/responses" : `/openai/deployments/${encodeURIComponent(config.modelId)}${path}`;
      return {
        url: `${base}${place}?api-version=${version(azureVersion)}`,
        headers: { ...headers, ...(key === null ? {} : { "api-key": key.reveal() }) },
      };
    }
    case "ollama":
      return { url: family === "openai" ? `${base}/v1${path}` : base + path, headers: { ...headers, ...bearer } };
    case "watsonx":
      return {
        url: `${base}/ml/v1/text/${streamed ? "chat_stream" : "chat"}?version=${version(watsonxVersion)}`,
        headers: { ...headers, ...bearer },
      };
    default:
      return { url: base + path, headers: { ...headers, ...bearer } };
  }
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
