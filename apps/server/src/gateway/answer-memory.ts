import { LRUCache } from "lru-cache";
import { z } from "zod";
import type { SelectedModel } from "../models/service.ts";
import type { Redis } from "../platform/redis.ts";
import { sha256 } from "./call-record.ts";
import type { Endpoint } from "./protocol.ts";
import type { Body } from "./request.ts";

const mostBytes = 64 * 1024 * 1024;
/** Longer answers, in characters, stay with the server that got them. */
const mostShared = 1024 * 1024;

/** An answer as it is kept. `until`: milliseconds since 1970. */
const Kept = z.object({ text: z.string(), contentType: z.string(), until: z.number() });
type Kept = z.infer<typeof Kept>;

/** A call, as far as its answer depends on it. */
interface AskedCall {
  readonly endpoint: Endpoint;
  /** Those of the caller that go to the provider. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly body: Body;
  readonly streamed: boolean;
}

/** Where the answer to a call is kept. */
interface AnswerPlace {
  readonly key: string;
  readonly seconds: number;
  /** Whether other servers may have it. */
  readonly isShared: boolean;
}

/**
 * Answers to calls that have one answer only, in the memory of this process and, where there is one, in Redis. They answer equal calls of the same
 * person, or of everybody where the model says so, as long as it says. Whoever is answered has leave to call the model as it is now: that is looked
 * at before, and a model that is changed has other places.
 */
export class AnswerMemory {
  readonly #redis: Pick<Redis, "get" | "set">;
  readonly #kept = new LRUCache<string, Kept>({ maxSize: mostBytes, sizeCalculation: ({ text }) => text.length * 2 + 200 });

  constructor(redis: Pick<Redis, "get" | "set">) {
    this.#redis = redis;
  }

  /** Null when the answer may not be kept. */
  placeOf(userId: string, model: SelectedModel, { endpoint, headers, text, body, streamed }: AskedCall): AnswerPlace | null {
    const { cacheSeconds, cacheFor, parameters, store } = model.config;
    if (cacheSeconds === 0 || streamed) return null;
    const options = body["options"] as Body | undefined;
    const temperature = body["temperature"] ?? options?.["temperature"] ?? parameters.temperature;
    const isEmbedding = endpoint.operation === "embeddings" || endpoint.operation.startsWith("embed");
    if (!isEmbedding && temperature !== 0) return null;
    const whose = cacheFor === "everybody" ? null : userId;
    const key = sha256(JSON.stringify([whose, model.id, model.config, endpoint, headers, text]));
    // Of a model that keeps nothing of what is said, nothing leaves this process.
    return { key, seconds: cacheSeconds, isShared: store !== "off" };
  }

  async get({ key, isShared }: AnswerPlace): Promise<Kept | undefined> {
    const known = this.#kept.get(key);
    if (known !== undefined || !isShared) return known;
    const found = readKept(await this.#redis.get(redisKey(key)));
    if (found === undefined || found.until <= Date.now()) return undefined;
    this.#kept.set(key, found, { ttl: found.until - Date.now() });
    return found;
  }

  async set({ key, seconds, isShared }: AnswerPlace, answer: { readonly text: string; readonly contentType: string }): Promise<void> {
    const kept = { ...answer, until: Date.now() + seconds * 1000 };
    this.#kept.set(key, kept, { ttl: seconds * 1000 });
    if (isShared && answer.text.length <= mostShared) await this.#redis.set(redisKey(key), JSON.stringify(kept), seconds * 1000);
  }
}

function redisKey(key: string): string {
  return `syla:answer:${key}`;
}

/** What Redis holds may be of another version of this program. */
function readKept(text: string | null): Kept | undefined {
  if (text === null) return undefined;
  try {
    return Kept.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
