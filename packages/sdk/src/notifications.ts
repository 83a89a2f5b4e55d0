import type { Notification, NotificationEvent, NotificationPreferences, notificationRoutes } from "@syla/contracts/notifications";
import type { RouteBody, RouteQuery } from "@syla/contracts/route";
import { SylaError } from "./errors.ts";
import type { Page } from "./runs.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** Filters and page of the list. */
export type ListNotificationsQuery = Omit<Partial<RouteQuery<typeof notificationRoutes.listNotifications>>, "limit" | "unread"> & {
  readonly limit?: number | undefined;
  readonly unread?: boolean | undefined;
};

/** How to follow. */
export interface FollowNotificationsOptions {
  /** `seq` of the last state that was seen; only what comes from now on when left out. */
  readonly after?: number;
  readonly signal?: AbortSignal;
}

/** What you are told, and where. */
export interface Notifications {
  list(query?: ListNotificationsQuery, options?: CallOptions): Promise<Page<Notification>>;
  unread(options?: CallOptions): Promise<{ unread: number; seq: number }>;
  setRead(id: string, read: boolean, options?: CallOptions): Promise<Notification>;
  /** Answers how many were unread. */
  readAll(upTo?: number, options?: CallOptions): Promise<number>;
  delete(id: string, options?: CallOptions): Promise<void>;
  /** Follows what is new; connects again by itself after a lost connection, without a gap or a double. Ends with the signal, and with an error when one is no longer let in. */
  follow(options?: FollowNotificationsOptions): AsyncGenerator<NotificationEvent, void, void>;
  readonly preferences: {
    get(options?: CallOptions): Promise<NotificationPreferences>;
    update(
      change: RouteBody<typeof notificationRoutes.updateNotificationPreferences>,
      options?: CallOptions,
    ): Promise<NotificationPreferences>;
    /** A new secret that signs your webhook, shown this once. */
    rotateWebhookSecret(options?: CallOptions): Promise<string>;
    /** Sends something at once. */
    test(channel: "email" | "webhook", options?: CallOptions): Promise<{ sent: boolean; problem: string | null }>;
  };
}

export function createNotifications(transport: Transport): Notifications {
  return {
    list: ({ unread, ...query } = {}, options = {}) =>
      transport.json("listNotifications", { ...options, query: { ...query, ...(unread === undefined ? {} : { unread: String(unread) }) } }),
    unread: (options = {}) => transport.json("countNotifications", options),
    setRead: (id, read, options = {}) =>
      transport.json("updateNotification", { ...options, params: { id }, body: { read }, repeatable: true }),
    readAll: async (upTo, options = {}) =>
      (await transport.json("readAllNotifications", { ...options, body: upTo === undefined ? {} : { upTo }, repeatable: true })).marked,
    delete: async (id, options = {}) => void (await transport.json("deleteNotification", { ...options, params: { id } })),
    follow: (options = {}) => follow(transport, options),
    preferences: {
      get: (options = {}) => transport.json("getNotificationPreferences", options),
      update: (body, options = {}) => transport.json("updateNotificationPreferences", { ...options, body, repeatable: true }),
      rotateWebhookSecret: async (options = {}) => (await transport.json("rotateWebhookSecret", options)).secret,
      test: (channel, options = {}) => transport.json("testNotificationChannel", { ...options, body: { channel } }),
    },
  };
}

/** What a newer server says besides is passed over. */
const knownEvents: readonly NotificationEvent["type"][] = ["notification", "state", "assets"];

const firstDelayMs = 500;
const mostDelayMs = 15_000;

async function* follow(transport: Transport, { after, signal }: FollowNotificationsOptions): AsyncGenerator<NotificationEvent, void, void> {
  let seq = after;
  const ended = () => signal?.aborted === true;
  for (let delayMs = firstDelayMs; !ended();) {
    for await (const event of messages(transport, seq, signal)) {
      delayMs = firstDelayMs;
      if (event.type === "state") seq = event.seq;
      else if (event.type === "notification") seq = event.notification.seq;
      yield event;
    }
    if (ended()) return;
    do {
      await pause(delayMs * (0.75 + Math.random() / 2), signal);
      delayMs = Math.min(delayMs * 2, mostDelayMs);
    } while (!ended() && !(await isWelcome(transport)));
    // What changed in the catalog meanwhile is said by nobody.
    if (!ended()) yield { type: "assets", ids: null };
  }
}

/** Whether it is worth while to connect again: a socket that is refused does not say why. @throws SylaError when one is no longer let in */
async function isWelcome(transport: Transport): Promise<boolean> {
  try {
    await transport.json("countNotifications", {});
    return true;
  } catch (error) {
    if (error instanceof SylaError && (error.status === 401 || error.status === 403)) throw error;
    return false;
  }
}

/** What comes on one connection, until it closes or the signal aborts. */
async function* messages(
  transport: Transport,
  after: number | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<NotificationEvent> {
  const socket = transport.socket("followNotifications", { query: after === undefined ? {} : { after } });
  const waiting: NotificationEvent[] = [];
  const end = new AbortController();
  let wake = (): void => undefined;
  const close = () => {
    end.abort();
    wake();
  };
  socket.addEventListener("message", ({ data }) => {
    const event = JSON.parse(String(data)) as NotificationEvent;
    if (knownEvents.includes(event.type)) waiting.push(event);
    wake();
  });
  socket.addEventListener("close", close);
  socket.addEventListener("error", close);
  signal?.addEventListener("abort", close);
  try {
    while (!end.signal.aborted || waiting.length > 0) {
      const event = waiting.shift();
      if (event !== undefined) yield event;
      else await new Promise<void>((resolve) => (wake = resolve));
      if (signal?.aborted === true) return;
    }
  } finally {
    signal?.removeEventListener("abort", close);
    socket.close();
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
