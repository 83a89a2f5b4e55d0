import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "./logger.ts";
import type { Secret } from "./secret.ts";

/** How long a command may take before the caller goes on without it. */
const commandMs = 250;
const retryMs = 1000;

/** Redis, where one is configured. What it holds and carries can be had elsewhere: a command that fails or takes too long is a miss, never an error. */
export interface Redis {
  readonly state: "off" | "connected" | "unreachable";
  get(key: string): Promise<string | null>;
  set(key: string, value: string, ttlMs: number): Promise<void>;
  /** Adds to a count that begins anew when its window ends. Null: not known. */
  count(key: string, windowMs: number, amount?: number): Promise<{ count: number; resetMs: number } | null>;
  /** Sends a message to whoever hears the channel now. Answers how many do; null: not known. */
  publish(channel: string, message: string): Promise<number | null>;
  /** Hears a channel while there is a connection, from when it resolves on. What is sent meanwhile is lost. @returns ends that */
  subscribe(channel: string, handler: (message: string) => void): Promise<() => void>;
  /** Removes every key that begins so. */
  removeBelow(prefix: string): Promise<void>;
  close(): Promise<void>;
}

/** Connects in the background, and again whenever the connection is lost. Undefined: there is none, and the client is not even loaded. */
export async function openRedis(url: Secret | undefined, logger: Logger): Promise<Redis> {
  if (url === undefined) return noRedis;
  const { createClient } = await import("@redis/client");
  const client = createClient({
    url: url.reveal(),
    disableOfflineQueue: true,
    socket: { connectTimeout: 2000, reconnectStrategy: (retries) => Math.min(100 * 2 ** Math.min(retries, 6), 5000) },
  });
  let told = false;
  client.on("error", (error: Error) => {
    if (!told) logger.warn({ reason: error.message }, "Redis is not reachable");
    told = true;
  });
  client.on("ready", () => {
    told = false;
    logger.info("Redis is connected");
  });
  client.connect().catch(() => {}); // told by the event; it is tried again
  const attempt = async <T>(work: () => Promise<T>, otherwise: T): Promise<T> => {
    if (!client.isReady) return otherwise;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<T>((resolve) => (timer = setTimeout(() => resolve(otherwise), commandMs)));
    try {
      return await Promise.race([work().catch(() => otherwise), late]);
    } finally {
      clearTimeout(timer);
    }
  };
  const closed = new AbortController();
  // A connection that hears channels can do nothing else.
  let hearing: ReturnType<typeof client.duplicate> | undefined;
  const hear = () => {
    if (hearing !== undefined) return hearing;
    hearing = client.duplicate({ disableOfflineQueue: false });
    hearing.on("error", () => {}); // the other one tells
    hearing.connect().catch(() => {});
    return hearing;
  };
  return {
    get state() {
      return client.isReady ? ("connected" as const) : ("unreachable" as const);
    },
    get: (key) => attempt(() => client.get(key), null),
    set: (key, value, ttlMs) => attempt(async () => void (await client.set(key, value, { PX: Math.max(1, Math.round(ttlMs)) })), undefined),
    count: (key, windowMs, amount = 1) =>
      attempt(async () => {
        // A window of which the end was lost would never end: it gets one with whatever comes next.
        const [count, , resetMs] = await client.multi().incrBy(key, amount).pExpire(key, windowMs, "NX").pTTL(key).execTyped();
        return { count, resetMs: Math.max(resetMs, 0) };
      }, null),
    publish: (channel, message) => attempt(() => client.publish(channel, message), null),
    async subscribe(channel, handler) {
      const connection = hear();
      const unwanted = new AbortController();
      const { signal } = unwanted;
      // One that was lost before Redis answered is not made again by itself.
      const subscribe = async (): Promise<void> => {
        if (signal.aborted || closed.signal.aborted) return;
        await connection.subscribe(channel, handler).catch(async () => {
          await sleep(retryMs, undefined, { ref: false });
          await subscribe();
        });
      };
      await Promise.race([subscribe(), sleep(commandMs, undefined, { ref: false })]);
      return () => {
        unwanted.abort();
        connection.unsubscribe(channel, handler).catch(() => {});
      };
    },
    removeBelow: (prefix) =>
      attempt(async () => {
        const pattern = `${prefix.replaceAll(/[\\*?[\]]/g, String.raw`\$&`)}*`;
        for await (const keys of client.scanIterator({ MATCH: pattern, COUNT: 500 })) if (keys.length > 0) await client.unlink(keys);
      }, undefined),
    async close() {
      closed.abort();
      hearing?.destroy();
      client.destroy();
    },
  };
}

const noRedis: Redis = {
  state: "off",
  get: () => Promise.resolve(null),
  set: () => Promise.resolve(),
  count: () => Promise.resolve(null),
  publish: () => Promise.resolve(null),
  subscribe: () => Promise.resolve(() => {}),
  removeBelow: () => Promise.resolve(),
  close: () => Promise.resolve(),
};
