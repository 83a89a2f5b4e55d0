import { AppError } from "@syla/contracts/errors";
import { z } from "zod";
import { readUsage } from "../metering/usage.ts";
import type { Endpoint } from "../protocol.ts";

const Text = z.union([z.string(), z.array(z.string()).min(1)]);
const OpenaiAnswer = z.looseObject({ data: z.array(z.looseObject({ index: z.int(), embedding: z.array(z.number()) })) });

/** A request for embeddings of Ollama as one of OpenAI. @throws ZodError */
export function toOpenaiEmbeddings({ operation }: Endpoint, body: Readonly<Record<string, unknown>>, modelId: string): object {
  const input = Text.parse(operation === "embed_old" ? body["prompt"] : body["input"]);
  const dimensions = z.int().nullish().parse(body["dimensions"]);
  return { model: modelId, input, encoding_format: "float", ...(dimensions == null ? {} : { dimensions }) };
}

/** The answer of OpenAI's kind as Ollama gives it. @throws AppError `model_garbled` */
export function toOllamaEmbeddings({ operation }: Endpoint, answer: Readonly<Record<string, unknown>>, model: string): object {
  const parsed = OpenaiAnswer.safeParse(answer);
  if (!parsed.success) throw new AppError("model_garbled");
  const vectors = parsed.data.data.toSorted((a, b) => a.index - b.index).map(({ embedding }) => embedding);
  if (operation === "embed_old") return { embedding: vectors[0] ?? [] };
  return { model, embeddings: vectors, total_duration: 0, load_duration: 0, prompt_eval_count: readUsage("openai", answer)?.input ?? 0 };
}
