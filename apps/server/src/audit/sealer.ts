import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../platform/database.ts";
import type { Logger } from "../platform/logger.ts";
import type { Service } from "../platform/service.ts";
import { hashBatch, hashEvent } from "./chain.ts";
import type { Audit } from "./service.ts";
import { findUnsealed, insertSeal, readChain, removeSealsBefore, withChain } from "./store.ts";

const everyMs = 5000;
/** Younger events wait: what was written in the meantime by other servers goes into the same batch. */
const ageMs = 2000;
const mostInBatch = 1000;
const retentionEveryMs = 3_600_000;
const mostSealsAtOnce = 100;
const dayMs = 86_400_000;

/** What sealing needs. `retentionDays` 0: everything is kept. */
export interface SealerOptions {
  readonly database: Database;
  readonly audit: Audit;
  readonly logger: Logger;
  readonly retentionDays: number;
}

/** Chains the events of the audit trail in batches, a few seconds after they were written, and removes what is past its time. */
export class Sealer implements Service {
  readonly name = "audit-sealer";
  readonly #options: SealerOptions;
  readonly #stopping = new AbortController();
  #nextRetention = 0;

  constructor(options: SealerOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await sleep(everyMs, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      await this.#work().catch((error: unknown) => this.#options.logger.warn({ err: error }, "the audit trail could not be sealed"));
    }
  }

  drain(): Promise<void> {
    return this.stop();
  }

  stop(): Promise<void> {
    this.#stopping.abort();
    return Promise.resolve();
  }

  /** Seals what is old enough. Answers how many events; fewer than there are when another server is at it. */
  async seal(minimumAgeMs = ageMs): Promise<number> {
    let sealed = 0;
    for (;;) {
      const count = (await withChain(this.#options.database.queries, (work) => sealBatch(work, minimumAgeMs))) ?? 0;
      sealed += count;
      if (count < mostInBatch || this.#stopping.signal.aborted) return sealed;
    }
  }

  /** Removes the batches that were sealed longer ago than they are to be kept. */
  async removeOld(now = Date.now()): Promise<void> {
    const { database, audit, retentionDays } = this.#options;
    if (retentionDays === 0) return;
    const before = new Date(now - retentionDays * dayMs);
    for (;;) {
      const removed = await withChain(database.queries, (work) => removeSealsBefore(work, before, mostSealsAtOnce));
      if (removed === undefined || removed.seals === 0) return;
      const details = { ...removed, before: before.toISOString() };
      audit.add({ action: "admin.audit_retention", actor: null, actorName: "Syla", resourceType: "audit", details });
    }
  }

  async #work(): Promise<void> {
    await this.seal();
    if (Date.now() < this.#nextRetention) return;
    this.#nextRetention = Date.now() + retentionEveryMs;
    await this.removeOld();
  }
}

async function sealBatch(work: Parameters<typeof insertSeal>[0], minimumAgeMs: number): Promise<number> {
  const events = await findUnsealed(work, minimumAgeMs, mostInBatch);
  if (events.length === 0) return 0;
  const chain = await readChain(work);
  const batch = {
    seq: chain.head_seq + 1,
    previousHash: chain.head_hash,
    eventIds: events.map((event) => event.id),
    eventHashes: events.map(hashEvent),
  };
  await insertSeal(work, { ...batch, hash: hashBatch(batch) });
  return events.length;
}
