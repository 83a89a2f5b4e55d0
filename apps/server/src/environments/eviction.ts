import type { Database } from "../platform/database.ts";
import type { Logger } from "../platform/logger.ts";
import type { LayerStore } from "./layer-store.ts";
import { forgetLayer, listLayers, noteVerified, type LayerRow } from "./store.ts";

const lookMs = 600_000;
/** Each layer is read through once in so long. */
const verifyMs = 7 * 86_400_000;

/** How much of the room is for what is kept warm: the rest stays for everybody else. */
export function roomForKept(quotaBytes: number): number {
  return quotaBytes / 2;
}

/**
 * What goes first, of layers in the order in which they were used; the last of them stays. What is kept warm goes last, as far as there is room for it;
 * above that it goes like any other, what was used longest ago first.
 */
export function inOrderOfEviction<T extends Pick<LayerRow, "size"> & { readonly is_kept: boolean }>(
  rows: readonly T[],
  quotaBytes: number,
): T[] {
  let room = roomForKept(quotaBytes);
  const staying = new Set<T>();
  for (const row of rows.toReversed())
    if (row.is_kept && row.size <= room) {
      room -= row.size;
      staying.add(row);
    }
  const others = rows.slice(0, -1);
  return [...others.filter((one) => !staying.has(one)), ...others.filter((one) => staying.has(one))];
}

interface EvictionContext {
  readonly database: Database;
  readonly logger: Logger;
  readonly layers: LayerStore;
  readonly quotaBytes: number;
}

/** Keeps the layers of a server within their room, and looks whether they are what they were. */
export class Eviction {
  readonly #context: EvictionContext;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(context: EvictionContext) {
    this.#context = context;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#looking = this.#looking
        .then(() => this.#look())
        .catch((error: unknown) => this.#context.logger.warn({ err: error }, "the environments could not be looked through"));
    }, lookMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Removes what was used longest ago, until the rest fits; what somebody wants warm only when nothing else is left. What a run has stays. */
  async makeRoom(): Promise<void> {
    const { database, layers, quotaBytes } = this.#context;
    const rows = await listLayers(database.queries, layers.id);
    let used = rows.reduce((sum, row) => sum + row.size, 0);
    for (const row of inOrderOfEviction(rows, quotaBytes)) {
      if (used <= quotaBytes) return;
      if (await this.remove(row.name)) used -= row.size;
    }
  }

  /** False: somebody has it. */
  async remove(name: string): Promise<boolean> {
    const { database, layers } = this.#context;
    if (!layers.condemn(name)) return false;
    try {
      await forgetLayer(database.queries, name);
    } catch (error) {
      layers.pardon(name);
      throw error;
    }
    await layers.remove(name);
    return true;
  }

  async #look(): Promise<void> {
    const { database, layers } = this.#context;
    await this.makeRoom();
    const rows = await listLayers(database.queries, layers.id);
    const oldest = rows.toSorted((a, b) => a.verified_at.getTime() - b.verified_at.getTime())[0];
    if (oldest !== undefined && !this.#stopped && oldest.verified_at.getTime() < Date.now() - verifyMs) await this.verify(oldest);
  }

  /** Reads a layer through. One that is not what it was is removed: its next use builds it again. */
  async verify({ name, digest, environment_id: id }: LayerRow): Promise<boolean> {
    const { database, layers, logger } = this.#context;
    if (await layers.isIntact(name, digest)) {
      await noteVerified(database.queries, name);
      return true;
    }
    logger.error({ environmentId: id }, "an environment is damaged and is built again at its next use");
    // A run that has it keeps what there is; nobody else finds it.
    if (!(await this.remove(name))) await forgetLayer(database.queries, name);
    return false;
  }
}
