import { AppError } from "@syla/contracts/errors";
import type { Database } from "../platform/database.ts";
import * as store from "./store.ts";

interface Waiting {
  readonly update: store.NewUpdate;
  readonly resolve: (seq: number) => void;
  readonly reject: (error: unknown) => void;
}

const mostAtOnce = 500;

/** Keeps changes of documents: what comes while a transaction is on its way goes with the next one, all of it together. */
export class UpdateLog {
  readonly #database: Pick<Database, "queries">;
  readonly #waiting: Waiting[] = [];
  #isWriting = false;

  constructor(database: Pick<Database, "queries">) {
    this.#database = database;
  }

  /** Resolves with its number when the change is in the database, and not before. @throws AppError `not_found`, `database_unavailable` */
  append(update: store.NewUpdate): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ update, resolve, reject });
      if (!this.#isWriting) void this.#write();
    });
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, mostAtOnce);
      const updates = batch.map(({ update }) => update);
      try {
        const numbers = await this.#database.queries.transaction().execute((work) => store.insertUpdates(work, updates));
        for (const [index, { resolve, reject }] of batch.entries()) {
          const seq = numbers[index] ?? null;
          if (seq === null) reject(new AppError("not_found"));
          else resolve(seq);
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isWriting = false;
  }
}
