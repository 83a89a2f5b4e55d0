import pg from "pg";
import type { DatabaseTarget } from "./database.ts";
import type { Logger } from "./logger.ts";

/** Receives a payload. */
export type NotificationHandler = (payload: string) => void;

interface Subscription {
  readonly handler: NotificationHandler;
  readonly onGap: (() => void) | undefined;
}

/** Messages between servers, by LISTEN and NOTIFY on one connection of its own, which is made again whenever it is lost. */
export class Notifications {
  readonly #target: DatabaseTarget;
  readonly #logger: Logger;
  readonly #channels = new Map<string, Set<Subscription>>();
  #client: pg.Client | undefined;
  #connecting: Promise<void> | undefined;
  #sending = Promise.resolve();
  #closed = false;
  #retryMs = 100;

  constructor(target: DatabaseTarget, logger: Logger) {
    this.#target = target;
    this.#logger = logger;
  }

  /** Whether the connection lasts, as far as this process has heard. */
  get isConnected(): boolean {
    return this.#client !== undefined;
  }

  /**
   * Calls `handler` for each message of the channel. What is sent while the connection is lost is lost too: `onGap` is called
   * after each reconnection, and the listener looks for itself then.
   *
   * @returns ends the subscription
   */
  async listen(channel: string, handler: NotificationHandler, onGap?: () => void): Promise<() => void> {
    const subscription = { handler, onGap };
    const known = this.#channels.get(channel);
    this.#channels.set(channel, (known ?? new Set<Subscription>()).add(subscription));
    this.#connecting ??= this.#connect().catch(() => this.#reconnectLater());
    await this.#connecting;
    // When the connection is lost just now, the next one listens to every channel.
    if (known === undefined) await this.#send("listen", channel);
    return () => this.#end(channel, subscription);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client?.end().catch(() => undefined);
  }

  #end(channel: string, subscription: Subscription): void {
    const remaining = this.#channels.get(channel);
    remaining?.delete(subscription);
    if (remaining?.size !== 0) return;
    this.#channels.delete(channel);
    void this.#send("unlisten", channel);
  }

  /** One command after another: the driver takes the next one only when the last is done. */
  #send(command: "listen" | "unlisten", channel: string): Promise<void> {
    const send = async () => void (await this.#client?.query(`${command} ${pg.escapeIdentifier(channel)}`).catch(() => undefined));
    return (this.#sending = this.#sending.then(send));
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({ ...this.#target, keepAlive: true, connectionTimeoutMillis: 5000 });
    client.on("error", (error) => this.#logger.warn({ reason: error.message }, "the notification connection was lost"));
    client.on("notification", ({ channel, payload }) => this.#deliver(channel, payload ?? ""));
    try {
      await client.connect();
      for (const channel of this.#channels.keys()) await client.query(`listen ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    client.once("end", () => {
      this.#client = undefined;
      if (!this.#closed) this.#reconnectLater();
    });
    this.#client = client;
    this.#retryMs = 100;
  }

  #deliver(channel: string, payload: string): void {
    for (const { handler } of this.#channels.get(channel) ?? []) handler(payload);
  }

  #reconnectLater(): void {
    setTimeout(() => void this.#reconnect(), this.#retryMs).unref();
    this.#retryMs = Math.min(this.#retryMs * 2, 5000);
  }

  async #reconnect(): Promise<void> {
    if (this.#closed) return;
    try {
      await this.#connect();
    } catch {
      return this.#reconnectLater();
    }
    for (const subscriptions of this.#channels.values()) for (const { onGap } of subscriptions) onGap?.();
  }
}
