import { listUsable, type SelectedModel } from "../models/service.ts";
import { selectModel } from "../models/service.ts";
import type { Queries } from "../platform/database.ts";
import type { Caller } from "./service.ts";

/** What Ollama's clients take for its version; older ones lack tools and formats. */
const ollamaVersion = "0.12.0";

/** The models that the caller may use, as OpenAI's and Anthropic's clients list them: one document serves both. */
export async function listModels(queries: Queries, caller: Caller): Promise<object> {
  const data = (await listUsable(queries, caller)).map(toModel);
  return { object: "list", data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
}

export async function getModel(queries: Queries, caller: Caller, name: string): Promise<object> {
  return toModel(await selectModel(queries, caller, name));
}

function toModel({ slug, name, createdAt, config }: SelectedModel) {
  return {
    id: slug,
    object: "model",
    type: "model",
    created: Math.floor(createdAt.getTime() / 1000),
    created_at: createdAt.toISOString(),
    display_name: name,
    owned_by: config.provider,
  };
}

/** What Ollama has besides calls. Null: it has no such address. */
export async function answerOllama(queries: Queries, caller: Caller, path: string, name: string): Promise<object | null> {
  switch (path) {
    case "/api/version":
      return { version: ollamaVersion };
    case "/api/tags":
      return { models: (await listUsable(queries, caller)).map(toTag) };
    case "/api/ps":
      return { models: [] };
    case "/api/show": {
      const { config } = await selectModel(queries, caller, name);
      const { contextWindow, tools, modalities } = config.capabilities;
      const capabilities = [
        ...(modalities.includes("text") ? ["completion"] : []),
        ...(modalities.includes("embedding") ? ["embedding"] : []),
        ...(tools === false ? [] : ["tools"]),
        ...(modalities.includes("image") ? ["vision"] : []),
      ];
      const info = contextWindow === null ? {} : { "general.architecture": "remote", "remote.context_length": contextWindow };
      return { modelfile: "", parameters: "", template: "", details: detailsOf(config.provider), model_info: info, capabilities };
    }
    case "/api/pull":
      // There is nothing to load: what may be used is there.
      await selectModel(queries, caller, name);
      return { status: "success" };
    default:
      return null;
  }
}

function toTag({ slug, createdAt, config, id }: SelectedModel) {
  const digest = Buffer.from(id).toString("hex").padEnd(64, "0").slice(0, 64);
  return { name: slug, model: slug, modified_at: createdAt.toISOString(), size: 0, digest, details: detailsOf(config.provider) };
}

function detailsOf(family: string) {
  return { parent_model: "", format: "remote", family, families: [family], parameter_size: "", quantization_level: "" };
}
