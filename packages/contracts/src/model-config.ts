import { z } from "zod";
import { Role } from "./accounts.ts";

export const modelProviders = ["openai", "anthropic", "azure", "ollama", "watsonx", "openai-compatible"] as const;
export const ModelProvider = z.enum(modelProviders).meta({ id: "ModelProvider" });
export type ModelProvider = z.infer<typeof ModelProvider>;

/** Providers that have no address of their own. */
export const providersWithoutAddress: readonly ModelProvider[] = ["azure", "watsonx", "openai-compatible"];

const plainText = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\u0000-\u001f\u007f]*$/, "no control characters");
const baseUrl = z
  .url({ protocol: /^https?$/ })
  .max(2000)
  .refine((text) => {
    const { username, password, search, hash } = new URL(text);
    return username === "" && password === "" && search === "" && hash === "";
  }, "must not hold a name, a password, a query or a fragment");
/** What says who is asking belongs into a credential; what frames a message is not the configuration's. */
const refusedHeaders =
  /^(authorization|proxy-.*|x-api-key|api-key|cookie|host|connection|content-length|content-type|transfer-encoding|te|trailer|upgrade|expect|keep-alive|accept-encoding)$/i;
const headerName = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,64}$/, "letters, digits and dashes")
  .refine((name) => !refusedHeaders.test(name), "cannot be set here: secrets belong into a credential");
const headerValue = z
  .string()
  .max(1000)
  .regex(/^[\u0020-\u007e]*$/, "printable ASCII only");
const price = z.number().min(0).max(1_000_000).nullable().default(null);

export const ModelPrices = z
  .strictObject({
    input: price.describe("US dollars for a million tokens of input; null: unknown, which is not free"),
    output: price.describe("for a million tokens of output, thinking included"),
    cachedInput: price.describe("for a million tokens of input that the provider had in its cache; null: as other input"),
  })
  .meta({ id: "ModelPrices" });
export type ModelPrices = z.infer<typeof ModelPrices>;

/** The same without the rules that span fields: as it is read by those who do not see all of it. */
export const ShownModelConfig = z.strictObject({
  provider: ModelProvider,
  modelId: plainText(200).describe("what the provider calls it; of Azure, the deployment"),
  baseUrl: baseUrl.nullable().default(null).describe("null: the provider's own address"),
  apiVersion: plainText(40).nullable().default(null).describe("for Azure and watsonx"),
  projectId: plainText(100).nullable().default(null).describe("for watsonx"),
  headers: z
    .record(headerName, headerValue)
    .default({})
    .refine((headers) => Object.keys(headers).length <= 20, "at most 20"),
  credentialId: z.string().max(64).nullable().default(null).describe("null: the provider asks for none"),
  parameters: z
    .strictObject({
      temperature: z.number().min(0).max(2).optional(),
      maxTokens: z.int().min(1).max(10_000_000).optional(),
      topP: z.number().min(0).max(1).optional(),
      frequencyPenalty: z.number().min(-2).max(2).optional(),
      presencePenalty: z.number().min(-2).max(2).optional(),
      stop: z.array(z.string().min(1).max(200)).max(8).optional(),
    })
    .prefault({})
    .describe("what a call gets that does not say itself"),
  capabilities: z
    .strictObject({
      contextWindow: z.int().min(1).max(1_000_000_000).nullable().default(null),
      streaming: z.boolean().default(true),
      tools: z.boolean().nullable().default(null).describe("null: unknown"),
      modalities: z.array(z.enum(["text", "image", "audio", "embedding"])).default(["text"]),
    })
    .prefault({}),
  prices: ModelPrices.prefault({}),
  roles: z.array(Role).min(1).default(["end_user", "developer", "admin"]).describe("whose calls it answers; its owner's always"),
  store: z
    .enum(["full", "hashed", "off"])
    .default("hashed")
    .describe("what is kept of prompts and answers: their text (the owner can read it), their hashes, nothing"),
  cacheSeconds: z
    .int()
    .min(0)
    .max(30 * 86_400)
    .default(0)
    .describe("how long the answer to a call with temperature 0 answers equal calls of the same person; 0: never"),
});

/** How to reach one language model, and what it costs. */
export const ModelConfig = ShownModelConfig.superRefine((config, context) => {
  if (config.baseUrl === null && providersWithoutAddress.includes(config.provider))
    context.addIssue({ code: "custom", path: ["baseUrl"], message: `is needed for ${config.provider}` });
  if (config.provider === "watsonx" && config.projectId === null)
    context.addIssue({ code: "custom", path: ["projectId"], message: "is needed for watsonx" });
  if (config.provider !== "ollama" && config.provider !== "openai-compatible" && config.credentialId === null)
    context.addIssue({ code: "custom", path: ["credentialId"], message: `is needed for ${config.provider}` });
}).meta({ id: "ModelConfig" });
export type ModelConfig = z.output<typeof ModelConfig>;
export type ModelConfigDraft = z.input<typeof ModelConfig>;
