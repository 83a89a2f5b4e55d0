import { NotificationEvent } from "@syla/contracts/notifications";
import type { TestServer } from "@syla/testkit/server";

/** A live connection, and what it has said so far. */
export interface Following {
  readonly events: NotificationEvent[];
  readonly titles: () => string[];
  readonly lastSeq: () => number;
  readonly closed: Promise<number>;
  close(): void;
}

/** Follows the notifications of whoever the headers say. */
export async function follow(server: Pick<TestServer, "url">, headers: Record<string, string>, after?: number): Promise<Following> {
  const Socket = WebSocket as unknown as new (address: string, init: { headers: Record<string, string> }) => WebSocket;
  const query = after === undefined ? "" : `?after=${after}`;
  const socket = new Socket(`${server.url.replace("http", "ws")}/api/v1/notifications/live${query}`, { headers });
  const events: NotificationEvent[] = [];
  const closed = Promise.withResolvers<number>();
  const first = Promise.withResolvers<void>();
  socket.addEventListener("message", ({ data }) => {
    events.push(NotificationEvent.parse(JSON.parse(String(data))));
    first.resolve();
  });
  socket.addEventListener("close", ({ code }) => {
    closed.resolve(code);
    first.reject(new Error(`closed with ${code}`));
  });
  await first.promise;
  return {
    events,
    titles: () => events.flatMap((event) => (event.type === "notification" ? [event.notification.title] : [])),
    lastSeq: () => events.reduce((seq, event) => (event.type === "state" ? event.seq : seq), 0),
    closed: closed.promise,
    close: () => socket.close(),
  };
}
