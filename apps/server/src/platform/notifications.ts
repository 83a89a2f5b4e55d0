import pg from "pg";
import type { DatabaseTarget } from "./database.ts";
import type { Logger } from "./logger.ts";

/** Receives a payload. */
export type NotificationHandler = (payload: string) => void;

/** Messages between servers, by LISTEN and NOTIFY on one connection of its own. */
export interface Notifications {
  /**
   * Calls `handler` for each message of the channel. What is sent while the connection is lost is lost too: `onGap` is called
   * after each reconnection, and the listener looks for itself then.
   *
   * @returns ends the subscription
   */
  listen(channel: string, handler: NotificationHandler, onGap?: () => void): Promise<() => void>;
  close(): Promise<void>;
}

interface Subscription {
  readonly handler: NotificationHandler;
  readonly onGap: (() => void) | undefined;
}

/** Listens on a connection that is made again whenever it is lost. */
export function openNotifications(target: DatabaseTarget, logger: Logger): Notifications {
  const channels = new Map<string, Set<Subscription>>();
  let client: pg.Client | undefined;
  let connecting: Promise<void> | undefined;
  let closed = false;
  let retryMs = 100;

  const connect = async (): Promise<void> => {
    const next = new pg.Client({ ...target, keepAlive: true, connectionTimeoutMillis: 5000 });
    next.on("error", (error) => logger.warn({ reason: error.message }, "the notification connection was lost"));
    next.on("notification", ({ channel, payload }) => {
      for (const { handler } of channels.get(channel) ?? []) handler(payload ?? "");
    });
    try {
      await next.connect();
      for (const channel of channels.keys()) await next.query(`listen ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      await next.end().catch(() => undefined);
      throw error;
    }
    next.once("end", () => {
      client = undefined;
      if (!closed) reconnectLater();
    });
    client = next;
    retryMs = 100;
  };

  const reconnectLater = (): void => {
    setTimeout(() => {
      if (closed || client !== undefined) return;
      connect().then(announceGap, () => {
        retryMs = Math.min(retryMs * 2, 5000);
        reconnectLater();
      });
    }, retryMs).unref();
  };

  const announceGap = (): void => {
    for (const subscriptions of channels.values()) for (const { onGap } of subscriptions) onGap?.();
  };

  return {
    async listen(channel, handler, onGap) {
      const subscription = { handler, onGap };
      const known = channels.get(channel);
      channels.set(channel, (known ?? new Set<Subscription>()).add(subscription));
      connecting ??= connect().catch(reconnectLater);
      await connecting;
      if (known === undefined) await client?.query(`listen ${pg.escapeIdentifier(channel)}`);
      return () => {
        const remaining = channels.get(channel);
        remaining?.delete(subscription);
        if (remaining?.size !== 0) return;
        channels.delete(channel);
        client?.query(`unlisten ${pg.escapeIdentifier(channel)}`).catch(() => undefined);
      };
    },
    async close() {
      closed = true;
      await client?.end().catch(() => undefined);
    },
  };
}
