import type { Queries } from "../../platform/database.ts";
import { rankWaiting, type Ranked } from "./store.ts";

/** For how long an order is told: everybody who waits asks again and again, and the whole queue is read for it. */
const keptMs = 1000;

/** Where runs stand in the queue, read once for all who ask within a second. */
export interface Ranking {
  /** Undefined: it is none of those that might begin. */
  find(id: string): Promise<Ranked | undefined>;
}

interface Order {
  readonly readAt: number;
  readonly ranks: Promise<ReadonlyMap<string, Ranked>>;
}

export function createRanking(queries: Queries, readAll = rankWaiting): Ranking {
  let known: Order | null = null;
  let reading = false;
  function read(): Order {
    reading = true;
    const ranks = readAll(queries).finally(() => {
      reading = false;
    });
    const order = { readAt: performance.now(), ranks };
    // Whoever asks after a failure tries again.
    ranks.catch(() => {
      if (known === order) known = null;
    });
    known = order;
    return order;
  }
  return {
    async find(id) {
      const order = known !== null && (reading || performance.now() - known.readAt <= keptMs) ? known : read();
      const ranked = (await order.ranks).get(id);
      if (ranked !== undefined) return ranked;
      // It may have come since. One that was begun meanwhile has it.
      const next = known !== null && known !== order ? known : read();
      return (await next.ranks).get(id);
    },
  };
}
