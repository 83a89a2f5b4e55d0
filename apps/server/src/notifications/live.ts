import type { NotificationEvent } from "@syla/contracts/notifications";
import type { WebSocket } from "ws";
import type { Database } from "../platform/database.ts";
import type { Notifications } from "../platform/notifications.ts";
import { keepAlive, sendMessage } from "../platform/socket.ts";
import { toNotification } from "./service.ts";
import * as store from "./store.ts";

const batch = 100;
/** Told of whatever may take access away, see the migration `0008-access`. */
const accessChannel = "access_changed";
const aPerson = "user:";
/** Closing codes above 4000 are ours. */
const accessChanged = 4001;

/**
 * The people who follow their notifications on this server. Each connection reads what is new for itself, by number, whenever it is told
 * that there may be something: so nothing is left out and nothing comes twice, whichever server it came from.
 */
export class LiveNotifications {
  readonly #database: Database;
  readonly #followers = new Map<string, Set<Follower>>();

  private constructor(database: Database) {
    this.#database = database;
  }

  static async open(database: Database, notifications: Notifications): Promise<LiveNotifications> {
    const live = new LiveNotifications(database);
    await notifications.listen(
      store.notificationsChannel,
      (userId) => live.#each(userId, (follower) => follower.wake()),
      () => live.#all((follower) => follower.wake()),
    );
    // Whoever missed such a message is connected again, and asked who they are.
    await notifications.listen(
      accessChannel,
      (what) => what.startsWith(aPerson) && live.#each(what.slice(aPerson.length), (follower) => follower.close()),
      () => live.#all((follower) => follower.close()),
    );
    return live;
  }

  /** Serves a socket until it closes. */
  async attach(socket: WebSocket, userId: string, after: number | undefined): Promise<void> {
    keepAlive(socket);
    if (socket.readyState !== socket.OPEN) return;
    const follower = new Follower(this.#database, socket, userId, after);
    const others = this.#followers.get(userId) ?? new Set();
    this.#followers.set(userId, others.add(follower));
    socket.once("close", () => {
      others.delete(follower);
      if (others.size === 0 && this.#followers.get(userId) === others) this.#followers.delete(userId);
    });
    follower.wake();
  }

  /** Who is connected to this server. */
  connected(): readonly string[] {
    return [...this.#followers.keys()];
  }

  /** Says on each connection of a person what has changed in the catalog; nothing of it is kept. */
  tellAssets(userId: string, ids: readonly string[] | null): void {
    this.#each(userId, (follower) => follower.say({ type: "assets", ids: ids === null ? null : [...ids] }));
  }

  #each(userId: string, act: (follower: Follower) => void): void {
    for (const follower of this.#followers.get(userId) ?? []) act(follower);
  }

  #all(act: (follower: Follower) => void): void {
    for (const userId of this.#followers.keys()) this.#each(userId, act);
  }
}

/** One connection. */
class Follower {
  readonly #database: Database;
  readonly #socket: WebSocket;
  readonly #userId: string;
  #seq: number | undefined;
  #dirty = false;
  #pumping = false;

  constructor(database: Database, socket: WebSocket, userId: string, after: number | undefined) {
    [this.#database, this.#socket, this.#userId, this.#seq] = [database, socket, userId, after];
  }

  /** There may be something new. */
  wake(): void {
    this.#dirty = true;
    if (!this.#pumping) void this.#pump();
  }

  close(): void {
    this.#socket.close(accessChanged, "access_changed");
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    try {
      while (this.#dirty && this.#socket.readyState === this.#socket.OPEN) {
        this.#dirty = false;
        await this.#sayNew();
      }
    } catch {
      this.#socket.close(1011, "try_again"); // it comes back with the number that it has
    } finally {
      this.#pumping = false;
    }
  }

  async #sayNew(): Promise<void> {
    const { queries } = this.#database;
    if (this.#seq !== undefined) {
      for (;;) {
        const rows = await store.listAfter(queries, this.#userId, this.#seq, batch);
        for (const row of rows) {
          this.#seq = row.seq;
          if (row.in_app) await this.#send({ type: "notification", notification: toNotification(row) });
        }
        if (rows.length < batch) break;
      }
    }
    const { unread, seq } = await store.countUnread(queries, this.#userId);
    // What came after the list was read is told of by a message of its own.
    this.#seq ??= seq;
    await this.#send({ type: "state", unread, seq: this.#seq });
  }

  /** A passing word. Who cannot be told connects again, and looks for themselves. */
  say(event: NotificationEvent): void {
    this.#send(event).catch(() => this.#socket.close(1011, "try_again"));
  }

  async #send(event: NotificationEvent): Promise<void> {
    await sendMessage(this.#socket, JSON.stringify(event));
  }
}
