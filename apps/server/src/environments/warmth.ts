import type { Database } from "../platform/database.ts";
import type { Logger } from "../platform/logger.ts";
import { withVersion, type Runtimes } from "../runtimes/service.ts";
import type { Sandboxes } from "../sandboxes/service.ts";
import { roomForKept } from "./eviction.ts";
import type { LayerStore } from "./layer-store.ts";
import * as store from "./store.ts";

const lookMs = 60_000;

export interface WarmthContext {
  readonly database: Database;
  readonly logger: Logger;
  readonly layers: LayerStore;
  readonly runtimes: Runtimes;
  readonly sandboxes: Pick<Sandboxes, "warm" | "pools">;
  readonly quotaBytes: number;
  /** Builds it for somebody, unless it is there. */
  readonly build: (id: string, personId: string) => Promise<void>;
}

/** Environments that somebody wants warm: built again when they are gone, with an interpreter of their version booted ahead. */
export class Warmth {
  readonly #context: WarmthContext;
  readonly #booted: Set<string>;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isAsked = false;
  #stopped = false;

  constructor(context: WarmthContext) {
    this.#context = context;
    this.#booted = new Set(context.runtimes.toWarm().map(({ name }) => name));
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), lookMs).unref();
    this.look();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Looks now what is missing, once more when it is at it already. */
  look(): void {
    if (this.#isAsked || this.#stopped || this.#timer === undefined) return;
    this.#isAsked = true;
    this.#looking = this.#looking
      .then(() => {
        this.#isAsked = false;
        return this.#look();
      })
      .catch((err: unknown) => this.#context.logger.warn({ err }, "the environments that are kept warm could not be looked after"));
  }

  /** Whether an interpreter that was booted ahead waits for programs of a version of a language. */
  isBooted(language: string, version: string): boolean {
    const spec = this.#specOf(language, version);
    if (spec === null) return false;
    const kind = spec.pooling === "cold" ? "any" : spec.name;
    return this.#context.sandboxes
      .pools()
      .some((pool) => pool.kind === kind && (pool.spares > 0 || pool.jails.some(({ ready }) => ready > 0)));
  }

  async #look(): Promise<void> {
    const { database, layers, build, logger } = this.#context;
    for (const wish of await store.listKeptWarm(database.queries, layers.id)) {
      if (this.#stopped) return;
      const spec = this.#specOf(wish.language, wish.runtime_version);
      if (spec === null) continue;
      if (!this.#booted.has(spec.name)) this.#context.sandboxes.warm([spec]);
      this.#booted.add(spec.name);
      // One that has failed is built again by whoever has mended what was wrong.
      if (wish.is_here || wish.state === "failed" || !(await this.#hasRoom(wish.size ?? 0))) continue;
      await build(wish.id, wish.user_id).catch((err: unknown) =>
        logger.warn({ err, environmentId: wish.id }, "an environment that is kept warm could not be built"),
      );
    }
  }

  /** Else it would take the place of another one that is kept, and that one its; or that of all others. */
  async #hasRoom(size: number): Promise<boolean> {
    const { database, layers, quotaBytes } = this.#context;
    const kept = (await store.listLayers(database.queries, layers.id)).filter(({ is_kept: isKept }) => isKept);
    return kept.reduce((sum, layer) => sum + layer.size, size) <= roomForKept(quotaBytes);
  }

  #specOf(language: string, version: string) {
    try {
      const runtime = this.#context.runtimes.get(withVersion(language, version));
      return runtime.version === version ? runtime.spec : null;
    } catch {
      return null; // the server has that version no more
    }
  }
}
