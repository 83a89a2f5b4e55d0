import { z } from "zod";
import { Role } from "./accounts.ts";
import { modelProviders } from "./model-providers.ts";

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
/** What its name says is a secret is none for everybody to read who may change the model. */
const secretName = /(^|-)(secret|token|password|passwd|key|apikey|auth|authorization|credentials?|session|signature)(-|$)/i;

/** Whether a header is likely to hold a secret, by its name. */
export function looksSecret(header: string): boolean {
  return secretName.test(header);
}

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
  secretHeaders: z
    .record(headerName, z.string().min(1).max(64))
    .default({})
    .refine((headers) => Object.keys(headers).length <= 10, "at most 10")
    .describe("headers whose values are secrets: the ids of credentials of the kind `model`, of the same owner"),
  credentialId: z.string().max(64).nullable().default(null).describe("null: the provider asks for none"),
  parameters: z
    .strictObject({
      temperature: z.number().min(0).max(2).optional(),
      maxTokens: z.int().min(1).max(10_000_000).optional(),
      topP: z.number().min(0).max(1).optional(),
      frequencyPenalty: z.number().min(-2).max(2).optional(),
      presencePenalty: z.number().min(-2).max(2).optional(),
      stop: z.array(z.string().min(1).max(200)).max(8).optional(),
      seed: z.int().min(0).max(2_147_483_647).optional(),
    })
    .prefault({})
    .describe("what a call gets that does not say itself"),
  capabilities: z
    .strictObject({
      contextWindow: z.int().min(1).max(1_000_000_000).nullable().default(null),
      streaming: z.boolean().default(true),
      tools: z.boolean().nullable().default(null).describe("null: unknown"),
      json: z.boolean().nullable().default(null).describe("whether its answers keep to a JSON schema; null: unknown"),
      modalities: z.array(z.enum(["text", "image", "audio", "embedding"])).default(["text"]),
    })
    .prefault({}),
  prices: ModelPrices.prefault({}),
  roles: z.array(Role).min(1).default(["end_user", "developer", "admin"]).describe("whose calls it answers; its owner's always"),
  store: z
    .enum(["full", "hashed", "off"])
    .default("hashed")
    .describe("what is kept of prompts and answers: their text (the owner can read it), their hashes, nothing"),
  storeDays: z
    .int()
    .min(1)
    .max(3650)
    .nullable()
    .default(null)
    .describe("after so many days it is removed; null: after as many as the server says, which is the most in any case"),
  cacheSeconds: z
    .int()
    .min(0)
    .max(30 * 86_400)
    .default(0)
    .describe("how long the answer to a call with temperature 0 answers equal calls; 0: never"),
  cacheFor: z
    .enum(["person", "everybody"])
    .default("person")
    .describe("whose equal calls it answers: those of the same person, or of everybody who may call the model"),
  limits: z
    .strictObject({
      requestsPerMinute: z.int().min(1).max(1_000_000).nullable().default(null),
      tokensPerMinute: z.int().min(1).max(1_000_000_000).nullable().default(null).describe("read and written"),
    })
    .prefault({})
    .describe("of all callers together, its owner too; null: any number"),
});

/** The credentials that calls of a model are made with, and where each is named. */
export function credentialsOf({
  credentialId,
  secretHeaders,
}: Pick<z.output<typeof ShownModelConfig>, "credentialId" | "secretHeaders">): { readonly id: string; readonly path: string }[] {
  return [
    ...(credentialId === null ? [] : [{ id: credentialId, path: "credentialId" }]),
    ...Object.entries(secretHeaders).map(([name, id]) => ({ id, path: `secretHeaders.${name}` })),
  ];
}

/** How to reach one language model, and what it costs. */
export const ModelConfig = ShownModelConfig.superRefine((config, context) => {
  const open = new Set(Object.keys(config.headers).map((name) => name.toLowerCase()));
  for (const name of Object.keys(config.secretHeaders))
    if (open.has(name.toLowerCase()))
      context.addIssue({ code: "custom", path: ["secretHeaders", name], message: "is among the other headers as well" });
  if (config.baseUrl === null && providersWithoutAddress.includes(config.provider))
    context.addIssue({ code: "custom", path: ["baseUrl"], message: `is needed for ${config.provider}` });
  if (config.provider === "watsonx" && config.projectId === null)
    context.addIssue({ code: "custom", path: ["projectId"], message: "is needed for watsonx" });
  if (config.provider !== "ollama" && config.provider !== "openai-compatible" && config.credentialId === null)
    context.addIssue({ code: "custom", path: ["credentialId"], message: `is needed for ${config.provider}` });
}).meta({ id: "ModelConfig" });
export type ModelConfig = z.output<typeof ModelConfig>;
export type ModelConfigDraft = z.input<typeof ModelConfig>;
