import type { Database } from "../platform/database.ts";
import type { Notifications } from "../platform/notifications.ts";
import { findWatchers } from "./store.ts";

/** Channels that the database's triggers speak on, see the migration `0014-catalog`. */
const assetsChannel = "assets_changed";
const accessChannel = "access_changed";
const anAsset = "asset:";

/** What comes within this time is told together. */
const gatherMs = 100;
/** More than these at once are not told one by one. */
const mostAtOnce = 200;

/** The people who are connected to this server, and how they are told. `ids` null: they look again at everything. */
export interface Listeners {
  connected(): readonly string[];
  tellAssets(userId: string, ids: readonly string[] | null): void;
}

/** Tells whoever is connected of changes in the catalog, and of no asset that they may not see. */
export class LiveCatalog {
  readonly #database: Database;
  readonly #listeners: Listeners;
  #changed = new Set<string>();
  #lookAgain = false;
  #isWaiting = false;

  private constructor(database: Database, listeners: Listeners) {
    this.#database = database;
    this.#listeners = listeners;
  }

  static async open(database: Database, notifications: Notifications, listeners: Listeners): Promise<LiveCatalog> {
    const live = new LiveCatalog(database, listeners);
    const note = (id: string | null) => live.#note(id);
    await notifications.listen(assetsChannel, note, () => note(null));
    // Who has lost something is not told what it was: their lists are read again.
    await notifications.listen(accessChannel, (what) => what.startsWith(anAsset) && note(null));
    return live;
  }

  #note(id: string | null): void {
    if (this.#listeners.connected().length === 0) return;
    if (id === null || this.#changed.size >= mostAtOnce) this.#lookAgain = true;
    else this.#changed.add(id);
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    setTimeout(() => void this.#tell(), gatherMs).unref();
  }

  async #tell(): Promise<void> {
    const [changed, lookAgain] = [[...this.#changed], this.#lookAgain];
    this.#changed = new Set();
    this.#lookAgain = false;
    this.#isWaiting = false;
    const people = this.#listeners.connected();
    if (lookAgain) return people.forEach((userId) => this.#listeners.tellAssets(userId, null));
    try {
      const seen = new Map<string, string[]>();
      for (const { user_id, asset_id } of await findWatchers(this.#database.queries, changed, people))
        seen.set(user_id, [...(seen.get(user_id) ?? []), asset_id]);
      for (const [userId, ids] of seen) this.#listeners.tellAssets(userId, ids);
    } catch {
      // When the database could not say who may see what, everybody looks for themselves.
      for (const userId of people) this.#listeners.tellAssets(userId, null);
    }
  }
}
