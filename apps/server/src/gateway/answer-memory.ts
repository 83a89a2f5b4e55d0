import { LRUCache } from "lru-cache";
import type { SelectedModel } from "../models/service.ts";
import { sha256 } from "./call-record.ts";
import type { Endpoint } from "./protocol.ts";
import type { Body } from "./request.ts";

const mostBytes = 64 * 1024 * 1024;

interface Kept {
  readonly text: string;
  readonly contentType: string;
}

/** Answers to calls that have one answer only. They answer equal calls of the same person, as long as the model says. */
export class AnswerMemory {
  readonly #kept = new LRUCache<string, Kept>({ maxSize: mostBytes, sizeCalculation: ({ text }) => text.length * 2 + 200 });

  /** Where the answer to a call is kept; null when it may not be. */
  keyOf(userId: string, model: SelectedModel, endpoint: Endpoint, text: string, body: Body, streamed: boolean): string | null {
    const { cacheSeconds, parameters } = model.config;
    if (cacheSeconds === 0 || streamed) return null;
    const options = body["options"] as Body | undefined;
    const temperature = body["temperature"] ?? options?.["temperature"] ?? parameters.temperature;
    const isEmbedding = endpoint.operation === "embeddings" || endpoint.operation.startsWith("embed");
    if (!isEmbedding && temperature !== 0) return null;
    return sha256(JSON.stringify([userId, model.id, model.config, endpoint, text]));
  }

  get(key: string): Kept | undefined {
    return this.#kept.get(key);
  }

  set(key: string, answer: Kept, seconds: number): void {
    this.#kept.set(key, answer, { ttl: seconds * 1000 });
  }
}
