import type { Queries } from "../platform/database.ts";
import type { Redis } from "../platform/redis.ts";
import { announceQueued, queuedPayload } from "./store.ts";

const channel = "syla:queued";

/**
 * Tells the workers that something waits: through Redis, where it is there, which spares PostgreSQL the one lock that every NOTIFY takes, else through
 * PostgreSQL. Nothing depends on its being heard: the queue is looked at every now and then anyway.
 */
export class QueueBell {
  readonly #redis: Pick<Redis, "publish" | "subscribe">;
  readonly #queries: Queries;

  constructor(redis: Pick<Redis, "publish" | "subscribe">, queries: Queries) {
    this.#redis = redis;
    this.#queries = queries;
  }

  /** `places`: of the runs that wait, as {@link announceQueued} takes them. */
  async ring(places: readonly string[]): Promise<void> {
    if (((await this.#redis.publish(channel, queuedPayload(places))) ?? 0) > 0) return;
    await announceQueued(this.#queries, places).catch(() => {}); // they wait in the queue already
  }

  /** Hears what comes through Redis; what comes through PostgreSQL is heard there. @returns ends that */
  async listen(handler: (payload: string) => void): Promise<() => void> {
    return await this.#redis.subscribe(channel, handler);
  }
}
