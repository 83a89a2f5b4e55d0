import { expect, it } from "vitest";
import { LiveSocket } from "../src/workspaces/live/live-socket.ts";

/** A connection that the server ends as soon as it is there. */
class EndedSocket extends EventTarget {
  readonly readyState = WebSocket.CLOSED;

  constructor() {
    super();
    queueMicrotask(() => {
      this.dispatchEvent(new Event("open"));
      this.dispatchEvent(Object.assign(new Event("close"), { code: 1012, reason: "try_again" }));
    });
  }

  close(): void {}
}

it("connects no more when it was destroyed while it waited to try again", async () => {
  const left = Promise.withResolvers<void>();
  const socket = new LiveSocket({
    url: "ws://workspace",
    WebSocketPolyfill: EndedSocket,
    delay: 10,
    minDelay: 10,
    maxDelay: 10,
    onDisconnect: () => left.resolve(),
  });
  await left.promise;
  const { identifier } = socket;
  socket.destroy();
  void socket.connect(); // what the pause ends with
  await new Promise((resolve) => setImmediate(resolve));
  expect([socket.identifier, socket.webSocket, socket.shouldConnect]).toEqual([identifier, null, false]);
});
