import { setTimeout as sleep } from "node:timers/promises";
import type { CacheStats } from "@syla/contracts/cache";
import { Run } from "@syla/contracts/runs";
import { LRUCache } from "lru-cache";
import type { Actor } from "../access/actor.ts";
import type { Database, Work } from "../platform/database.ts";
import type { Notifications } from "../platform/notifications.ts";
import type { Redis } from "../platform/redis.ts";
import type { Service } from "../platform/service.ts";
import {
  claimKey,
  clearedChannel,
  clearResults,
  countResults,
  dropExpired,
  dropRuns,
  findHolder,
  keepResult,
  releaseKey,
  type Holder,
} from "./store.ts";

export type { Holder } from "./store.ts";

const memoryBytes = 64 * 1024 * 1024;
const sweepMs = 600_000;
/** How long a run that has not ended keeps others from producing the result themselves, above its own time limit. */
const claimMs = 600_000;

/** Where equal runs find a result: the key names its owner and everything that it depends on. */
export interface CacheKey {
  readonly ownerId: string;
  readonly key: string;
  readonly ttlMs: number;
}

/** What the cache is made with. */
export interface CacheContext {
  readonly database: Database;
  readonly notifications: Notifications;
  readonly redis: Redis;
}

/**
 * Results of runs that their callers declared repeatable. In three levels: memory of this process, Redis where there is one, and the
 * record of the run itself, which the database finds by the key. Nothing is served to anybody but the owner of the run.
 */
export class ResultCache implements Service {
  readonly name = "result-cache";
  readonly #context: CacheContext;
  /** The answers, frozen: so that the border puts each into words once, which the size counts too. */
  readonly #memory = new LRUCache<string, { readonly run: Run; readonly ownerId: string }>({
    maxSize: memoryBytes,
    sizeCalculation: ({ run }) => 8192 + 4 * (run.stdout.length + run.stderr.length) + 400 * run.files.length,
  });
  readonly #ended = Promise.withResolvers<void>();
  #unsubscribe: () => void = () => {};
  #hits = 0;
  #misses = 0;

  constructor(context: CacheContext) {
    this.#context = context;
  }

  /** The answer that can be given at once. */
  async find({ key, ownerId }: CacheKey): Promise<Run | null> {
    const known = this.#memory.get(key);
    if (known !== undefined) {
      this.#hits += 1;
      return known.run;
    }
    const text = await this.#context.redis.get(redisKey(ownerId, key));
    const run = text === null ? null : parseKept(text);
    if (run === null) return null;
    this.#hits += 1;
    const answer = asCached(run.run);
    this.#memory.set(key, { run: answer, ownerId }, { ttl: Math.max(1, run.expiresAt - Date.now()) });
    return answer;
  }

  /** The run that has the result, or is about to have it. */
  async findHolder({ key }: CacheKey): Promise<Holder | undefined> {
    return await findHolder(this.#context.database.queries, key);
  }

  /** Makes this run the one that produces the result. False: another one does. `instead` names one that failed to. */
  async claim(key: CacheKey, runId: string, wallMs: number, instead: string | null): Promise<boolean> {
    const claimed = await claimKey(this.#context.database.queries, { ...key, runId, forMs: wallMs + claimMs, instead });
    if (claimed) this.#misses += 1;
    return claimed;
  }

  /** Keeps a result at hand that was found in the database, and makes an answer of it. */
  remember({ key, ownerId }: CacheKey, run: Run, expiresAt: Date): Run {
    this.#hits += 1;
    const answer = asCached(run);
    const ttl = expiresAt.getTime() - Date.now();
    if (ttl <= 0) return answer;
    this.#memory.set(key, { run: answer, ownerId }, { ttl });
    void this.#context.redis.set(redisKey(ownerId, key), JSON.stringify({ run, expiresAt: expiresAt.getTime() }), ttl);
    return answer;
  }

  /** A run with a key has ended. `reusable`: equal runs would end alike. */
  async settle(key: CacheKey, runId: string, reusable: boolean): Promise<void> {
    const { queries } = this.#context.database;
    if (reusable) await keepResult(queries, key.key, runId, key.ttlMs);
    else await releaseKey(queries, key.key, runId);
  }

  async stats(actor: Actor): Promise<CacheStats> {
    return {
      entries: await countResults(this.#context.database.queries, actor.userId),
      hits: this.#hits,
      misses: this.#misses,
      memory: { entries: this.#memory.size, bytes: this.#memory.calculatedSize ?? 0 },
      redis: this.#context.redis.state,
    };
  }

  async clear(actor: Pick<Actor, "userId">, runId: string | null): Promise<number> {
    if (runId?.includes("\0") === true) return 0;
    const cleared = await clearResults(this.#context.database.queries, actor.userId, runId);
    await this.forget([actor.userId]);
    return cleared;
  }

  /** Runs are going, and equal ones are not to be answered from them. Answers whose results to `forget` when that is so. */
  async dropRuns(work: Work, runIds: readonly string[]): Promise<string[]> {
    return await dropRuns(work, runIds);
  }

  /** What is kept of people's results beside the database. */
  async forget(ownerIds: readonly string[]): Promise<void> {
    for (const ownerId of ownerIds) {
      this.#forget(ownerId);
      await this.#context.redis.removeBelow(redisKey(ownerId, ""));
    }
  }

  async run(): Promise<void> {
    const { notifications, database } = this.#context;
    // What was cleared while nobody listened is not known: nothing in memory can be trusted then.
    this.#unsubscribe = await notifications.listen(
      clearedChannel,
      (ownerId) => this.#forget(ownerId),
      () => this.#memory.clear(),
    );
    const sweep = async () => {
      for (;;) {
        await sleep(sweepMs, undefined, { ref: false });
        await dropExpired(database.queries).catch(() => {}); // the next one does it
      }
    };
    await Promise.race([this.#ended.promise, sweep()]);
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#unsubscribe();
    this.#ended.resolve();
    return Promise.resolve();
  }

  #forget(ownerId: string): void {
    for (const [key, entry] of this.#memory.entries()) if (entry.ownerId === ownerId) this.#memory.delete(key);
  }
}

function asCached(run: Run): Run {
  return Object.freeze({ ...run, cached: true, cachedFrom: run.id });
}

function redisKey(ownerId: string, key: string): string {
  return `syla:result:${ownerId}:${key}`;
}

/** What Redis holds may be of another version of this program. */
function parseKept(text: string): { run: Run; expiresAt: number } | null {
  try {
    const { run, expiresAt } = JSON.parse(text) as { run: unknown; expiresAt: unknown };
    const parsed = Run.safeParse(run);
    return parsed.success && typeof expiresAt === "number" ? { run: parsed.data, expiresAt } : null;
  } catch {
    return null;
  }
}
