import type { Connection, Document } from "@hocuspocus/server";
import { AppError } from "@syla/contracts/errors";
import type { Database } from "../platform/database.ts";
import type { NewContent } from "./check-update.ts";
import { isSomebodyElses } from "./presence.ts";
import * as store from "./store.ts";

/** Looks at every change before it is taken. */
export class Intake {
  readonly #database: Pick<Database, "queries">;
  readonly #check: (document: Document, update: Uint8Array) => NewContent;
  readonly #catchUp: (id: string) => Promise<void>;
  /** The replicas that somebody has written by on a connection: they are theirs. */
  readonly #writers = new WeakMap<Connection, Set<number>>();

  /** `check`: reads a change as hostile as it may be. `catchUp`: hears of what was written in a document on other servers. */
  constructor(
    database: Pick<Database, "queries">,
    check: (document: Document, update: Uint8Array) => NewContent,
    catchUp: (id: string) => Promise<void>,
  ) {
    [this.#database, this.#check, this.#catchUp] = [database, check, catchUp];
  }

  /**
   * What a change holds that is new, and that it is written in nobody else's name. What it rests on, or seems to bring of others, may have been written
   * on another server just now: then that is heard of first.
   *
   * @throws AppError `live_update_invalid`, `live_too_large`, `database_unavailable`; RestsOnUnknownError
   */
  async check(connection: Connection, document: Document, update: Uint8Array, userId: string): Promise<NewContent> {
    const own = this.#writers.get(connection) ?? new Set<number>();
    this.#writers.set(connection, own);
    const isOwn = ({ clientIds }: NewContent) => clientIds.every((clientId) => own.has(clientId));
    try {
      const found = this.#check(document, update);
      if (isOwn(found)) return found;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
    await this.#catchUp(document.name);
    const found = this.#check(document, update);
    if (isOwn(found)) return found;
    await this.#claim(document, found.clientIds, userId);
    for (const clientId of found.clientIds) own.add(clientId);
    return found;
  }

  /** Nobody writes in somebody else's name. @throws AppError `live_update_invalid` */
  async #claim({ name, awareness }: Document, clientIds: readonly number[], userId: string): Promise<void> {
    const isShown = clientIds.some((clientId) => isSomebodyElses(awareness.getStates().get(clientId), userId));
    const foreign = isShown ? clientIds : await store.claimReplicas(this.#database.queries, name, clientIds, userId);
    if (foreign.length > 0) throw new AppError("live_update_invalid", { message: "What was sent is written in somebody else's name." });
  }
}
