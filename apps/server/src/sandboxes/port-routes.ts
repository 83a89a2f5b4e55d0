import type { Socket } from "node:net";
import { sandboxRoutes } from "@syla/contracts/sandboxes";
import type { WebSocket } from "ws";
import type { Http } from "../access/http.ts";
import type { LongLivedSandboxes } from "./long-lived.ts";

/** A caller that is gone gets no answer: this is asked for so often, milliseconds. */
const pingMs = 20_000;
const endMessage = '{"end":true}';

/** Binds raw connections to ports, for debuggers and databases. */
export function registerPortRoutes(http: Http, sandboxes: LongLivedSandboxes): void {
  http.bindSocket(sandboxRoutes.openPort, async ({ params }, call) => {
    const live = await sandboxes.live(call.actor, params.id);
    const inside = await live.connect(params.port); // a port that nobody listens on is refused before the socket opens
    inside.pause();
    call.signal.addEventListener("abort", () => inside.destroy(), { once: true });
    return (socket) => join(socket, inside);
  });
}

/** Joins a WebSocket and a connection: bytes both ways, no faster than the slower one, and the end of each way by itself. */
async function join(socket: WebSocket, inside: Socket): Promise<void> {
  let answered = true;
  const ping = setInterval(() => {
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
  }, pingMs);
  socket.on("pong", () => (answered = true));
  socket.on("error", () => socket.terminate());
  socket.on("close", () => {
    clearInterval(ping);
    inside.destroy();
  });
  socket.on("message", (message, isBinary) => receive(socket, inside, message as Buffer, isBinary));
  inside.on("close", () => socket.close(inside.errored === null && inside.readableEnded ? 1000 : 1011));
  try {
    for await (const bytes of inside.iterator({ destroyOnReturn: false })) await send(socket, bytes as Buffer);
    await send(socket, endMessage);
  } catch {
    inside.destroy();
  }
}

function send(socket: WebSocket, data: Buffer | string): Promise<void> {
  return new Promise((resolve) => socket.send(data, () => resolve()));
}

function receive(socket: WebSocket, inside: Socket, message: Buffer, isBinary: boolean): void {
  if (!isBinary) {
    if (message.toString() === endMessage) inside.end();
    else socket.close(1007, "invalid_request");
  } else if (inside.writable && !inside.write(message)) {
    socket.pause();
    inside.once("drain", () => socket.resume());
  }
}
